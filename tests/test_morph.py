"""Features: whole combinations, among those that training has with the part of speech."""

import json

import numpy
import pytest
import spacy
import srsly
from numpy.testing import assert_array_equal
from spacy.pipeline.morphologizer import morphologizer_score
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.converters import conllu_to_docs

MORPH = {"outputs": ["morph"]}
DATA = [
    (
        "I like green eggs",
        {
            "tags": ["P", "V", "J", "N"],
            "pos": ["PRON", "VERB", "ADJ", "NOUN"],
            "morphs": ["Case=Nom|Person=1", "Tense=Pres", "_", "Number=Plur"],
        },
    ),
    (
        "Eat blue ham",
        {
            "tags": ["V", "J", "N"],
            "pos": ["VERB", "ADJ", "NOUN"],
            "morphs": ["Mood=Imp", "Degree=Pos", "Number=Sing"],
        },
    ),
]
TEXTS = ["I like green eggs", "", "Eat blue ham", " \n ", "unheard-of wörds 👍!", "ham " * 50]


def tagger(nlp):
    return nlp.get_pipe("lstm_tagger")


def morphs(doc) -> list[str]:
    return [str(token.morph) for token in doc]


def gold_morphs() -> list[list[str]]:
    return [[morph.replace("_", "") for morph in gold["morphs"]] for _, gold in DATA]


# Combinations


def test_combinations_are_learned_and_no_features_are_one_of_them(make_nlp) -> None:
    nlp = make_nlp(DATA, steps=60, **MORPH)
    docs = [nlp(text) for text, _ in DATA]
    assert [morphs(doc) for doc in docs] == gold_morphs()
    assert all(token.has_morph() for doc in docs for token in doc)
    assert sorted(tagger(nlp).labels) == sorted({m for _, gold in DATA for m in gold["morphs"]})


@pytest.mark.parametrize("given", ["tag", "pos", ""])
def test_no_word_gets_a_combination_that_training_does_not_have(
    given, make_nlp, make_examples, randomize
) -> None:
    outputs = [name for name in (given, "morph") if name]
    nlp = make_nlp(DATA, outputs=outputs)

    def pairs(docs) -> set[tuple[str, str]]:
        tokens = [token for doc in docs for token in doc if not token.is_space]
        return {(getattr(t, f"{given}_") if given else "", str(t.morph)) for t in tokens}

    trained_on = pairs(eg.reference for eg in make_examples(nlp, DATA))
    seen = set()
    for seed in range(12):
        randomize(tagger(nlp), seed)
        if given == "pos":  # those that training does not have may have any combination
            bias = tagger(nlp).model.get_ref("output_layer").shims[0].module.output.bias
            known = {pos for pos, _ in trained_on}
            labels = tagger(nlp).labels_of("pos")
            bias.data[[i for i, pos in enumerate(labels) if pos not in known]] = -100.0
        seen |= pairs(nlp.pipe(TEXTS))
    assert seen == trained_on


@pytest.mark.parametrize("outputs", [["morph"], ["tag", "morph"], ["tag", "pos", "morph"]])
def test_the_best_of_them_is_chosen(outputs, make_nlp, make_examples, randomize) -> None:
    nlp = make_nlp(DATA, outputs=outputs)
    component = tagger(nlp)
    key = {1: lambda token: "", 2: lambda token: token.tag_, 3: lambda token: token.pos_}
    allowed: dict[str, set[str]] = {}
    for eg in make_examples(nlp, DATA):
        for token in eg.reference:
            of_key = allowed.setdefault(key[len(outputs)](token), set())
            of_key.add(str(token.morph) or "_")
    labels = component.labels_of("morph")
    for seed in range(5):
        randomize(component, seed)
        docs = list(nlp.pipe(TEXTS))
        for doc, rows in zip(
            docs, component.predict_probabilities(docs, output="morph"), strict=True
        ):
            for token, row in zip(doc, rows, strict=True):
                if token.is_space:
                    assert str(token.morph) == ""
                    continue
                may_have = allowed.get(key[len(outputs)](token), labels)
                best = max(may_have, key=lambda label, row=row: row[labels.index(label)])
                assert (str(token.morph) or "_") == best


def test_combinations_that_come_in_training_are_allowed_from_then_on(make_nlp, make_examples):
    nlp = make_nlp(DATA, steps=20, outputs=["pos", "morph"])
    doc = nlp("I like green eggs")
    assert morphs(doc)[1] in ("Tense=Pres", "Mood=Imp")
    new = [("I like green eggs", {**DATA[0][1], "morphs": ["_", "Number=Sing", "_", "Mood=Imp"]})]
    sgd = nlp.resume_training()
    sgd.learn_rate = 0.02
    for _ in range(60):
        nlp.update(make_examples(nlp, new), sgd=sgd)
    assert morphs(nlp("I like green eggs")) == ["", "Number=Sing", "", "Mood=Imp"]


def test_several_values_and_any_order_of_features(make_nlp) -> None:
    gold = ["PronType=Rel,Int|Case=Nom", "Case=Nom|PronType=Int,Rel"]
    nlp = make_nlp([("who what", {"morphs": gold})], steps=10, **MORPH)
    assert tagger(nlp).labels == ("Case=Nom|PronType=Int,Rel",)
    assert morphs(nlp("who what")) == ["Case=Nom|PronType=Int,Rel"] * 2


# Learning


def test_words_without_annotation_are_not_learned(make_nlp) -> None:
    nlp = make_nlp(DATA, **MORPH)
    doc = nlp.make_doc("I like green eggs")
    reference = Doc(nlp.vocab, words=["I", "like", "green", "eggs"])
    reference[1].set_morph("Tense=Pres")
    reference[2].set_morph("_")
    scores, _ = tagger(nlp).model.begin_update([doc])
    _, (gradient,) = tagger(nlp).get_loss([Example(doc, reference)], scores)
    assert gradient.any(axis=1).tolist() == [False, True, True, False]


def test_unseen_features_are_named_and_nothing_is_learned(make_nlp, make_examples, weights_of):
    nlp = make_nlp(DATA, **MORPH)
    before = weights_of(tagger(nlp))
    data = [("I like ham", {"morphs": ["Case=Nom|Person=1", "Tense=Past", "Number=Dual"]})]
    message = r"\['Number=Dual', 'Tense=Past'\].*add_label\(.*output='morph'.*Nothing was learned"
    with pytest.raises(ValueError, match=message):
        nlp.update(make_examples(nlp, data), sgd=nlp.resume_training())
    after = weights_of(tagger(nlp))
    assert all((after[name] == values).all() for name, values in before.items())
    for label in ("Number=Dual", "Tense=Past"):
        tagger(nlp).add_label(label)
    nlp.update(make_examples(nlp, data), sgd=nlp.resume_training())


def test_no_features_at_all_are_refused(make_nlp) -> None:
    for value in ("_", ""):
        with pytest.raises(ValueError, match=r"\[lstm_tagger\].*'morph', but no token.*FEATS"):
            make_nlp([("I like", {"morphs": [value, value]})], **MORPH)


CONLLU = "1\tham\tham\tNOUN\tN\t{feats}\t0\troot\t_\t_\n2\ttoo\ttoo\tADV\tR\t_\t1\tx\t_\t_\n\n"


@pytest.mark.parametrize("feats", ["Number=Sing", "_"])
def test_treebank_with_and_without_features(feats, small_config) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={**small_config, **MORPH})
    docs = list(conllu_to_docs(CONLLU.format(feats=feats), n_sents=1, no_print=True))
    examples = [Example(Doc(nlp.vocab, words=["ham", "too"]), doc) for doc in docs]
    if feats == "_":
        with pytest.raises(ValueError, match="no token of the training examples has morph"):
            nlp.initialize(lambda: examples)
        return
    sgd = nlp.initialize(lambda: examples)
    sgd.learn_rate = 0.02
    for _ in range(30):
        nlp.update(examples, sgd=sgd)
    assert morphs(nlp("ham too")) == ["Number=Sing", ""]


def test_scores_are_those_of_the_stock_morphologizer(make_nlp, make_examples, randomize) -> None:
    nlp = make_nlp(DATA, **MORPH)
    randomize(tagger(nlp))
    examples = make_examples(nlp, DATA)
    scores = nlp.evaluate(examples)
    expected = morphologizer_score([Example(nlp(eg.text), eg.reference) for eg in examples])
    assert scores["morph_per_feat"] == expected["morph_per_feat"]
    assert 0 < scores["morph_acc"] == expected["morph_acc"] < 1
    assert set(scores["morph_per_feat"]) >= {"Number", "Tense"}


# Labels


def test_features_without_a_value_are_saved_and_loaded(make_nlp) -> None:
    gold = [(text, {**values, "morphs": ["Case=", *values["morphs"][1:]]}) for text, values in DATA]
    nlp = make_nlp(gold, steps=5, outputs=["pos", "morph"])
    assert "Case=" in tagger(nlp).labels_of("morph")
    loaded = spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert tagger(loaded).labels_of("morph") == tagger(nlp).labels_of("morph")


def test_labels_must_be_texts_and_have_one_order(make_nlp) -> None:
    component = tagger(make_nlp(DATA, **MORPH))
    with pytest.raises(ValueError, match="label"):
        component.add_label(9)
    assert component.add_label("Person=1|Case=Nom") == 0
    assert component.add_label("Number=Dual|Case=Nom") == 1
    assert component.labels[-1] == "Case=Nom|Number=Dual"
    assert component.add_label("_") == component.add_label("") == 0
    labels = component.labels
    for wrong in ("Case", "Case=", "=Nom", "Case=Nom|foo", "Case=Nom|", "A=B=C", "A=B|A=C"):
        with pytest.raises(ValueError, match=r"\[lstm_tagger\].*no combination.*'Case=Nom\|Number"):
            component.add_label(wrong)
    assert component.labels == labels


def test_labels_added_before_training_are_kept(small_config, make_examples) -> None:
    nlp = spacy.blank("en")
    component = nlp.add_pipe("lstm_tagger", config={**small_config, "outputs": ["tag", "morph"]})
    component.add_label("Case=Gen", output="morph")
    component.add_label("Q")
    examples = make_examples(nlp, DATA)
    nlp.initialize(lambda: examples)
    assert "Case=Gen" in component.labels_of("morph")
    assert "Q" in component.labels
    columns = component.model.get_ref("output_layer").attrs["columns"]
    assert columns == {"tag": 5, "morph": len(component.labels_of("morph"))}
    nlp.initialize(lambda: examples[:1])  # again: what other examples had is forgotten
    assert "Mood=Imp" not in component.labels_of("morph")


# Annotating and saving


@pytest.mark.parametrize("overwrite", [True, False])
def test_what_docs_have_is_kept_or_replaced(overwrite, make_nlp) -> None:
    nlp = make_nlp(DATA, steps=60, overwrite=overwrite, **MORPH)
    doc = Doc(nlp.vocab, words=["I", "like", "green", "eggs"], morphs=["Foo=A", "_", "_", "_"])
    doc[1].set_morph(None)
    doc[3].set_morph("Number=Plur|Foo=B")
    expected = gold_morphs()[0] if overwrite else ["Foo=A", "Tense=Pres", "", "Foo=B|Number=Plur"]
    assert morphs(tagger(nlp)(doc)) == expected


def test_strings_of_features_are_there_without_the_vocab_of_training(make_nlp) -> None:
    nlp = make_nlp(DATA, steps=60, **MORPH)
    texts = [text for text, _ in DATA]
    other = spacy.blank("en").from_config(nlp.config)
    tagger(other).from_bytes(tagger(nlp).to_bytes(exclude=["vocab"]), exclude=["vocab"])
    for _ in range(2):
        with other.memory_zone():
            assert [morphs(doc) for doc in other.pipe(texts)] == gold_morphs()
            assert [doc[0].morph.get("Case") for doc in other.pipe(texts)] == [["Nom"], []]
    assert [morphs(doc) for doc in other.pipe(texts)] == gold_morphs()


def test_saved_and_loaded_scores_are_identical(make_nlp, randomize, tmp_path) -> None:
    nlp = make_nlp(DATA, outputs=["pos", "morph"])
    randomize(tagger(nlp))
    nlp.to_disk(tmp_path)
    for loaded in (spacy.load(tmp_path), spacy.blank("en").from_config(nlp.config)):
        if not len(tagger(loaded).labels_of("morph")):
            loaded.from_bytes(nlp.to_bytes())
        for each, found in zip(nlp.pipe(TEXTS), loaded.pipe(TEXTS), strict=True):
            assert morphs(found) == morphs(each)
        ours, theirs = (
            tagger(n).predict_probabilities([n.make_doc(TEXTS[0])], output="morph")[0]
            for n in (nlp, loaded)
        )
        assert_array_equal(numpy.asarray(theirs), numpy.asarray(ours))


DAMAGED = {
    "no list": {"morph_combinations": {"Case=Nom": 1}},
    "numbers": {"morph_combinations": [1, 2]},
    "no features": {"morph_combinations": ["foo"], "morph_allowed": {}},
    "empty": {"morph_combinations": [""], "morph_allowed": {}},
    "another language": {"language": ["en"]},
    "twice the same": {"morph_combinations": ["Number=Sing"] * 6},
    "one more": {"morph_combinations": ["A=B"]},
    "no table": {"morph_allowed": []},
    "none allowed": {"morph_allowed": {"NOUN": []}},
    "a text": {"morph_allowed": {"NOUN": "Number=Sing"}},
    "an unknown one": {"morph_allowed": {"NOUN": ["Foo=Bar"]}},
}


@pytest.mark.parametrize("what", DAMAGED)
def test_damaged_combinations_are_refused(make_nlp, what: str) -> None:
    nlp = make_nlp(DATA, steps=5, outputs=["pos", "morph"])
    component = tagger(nlp)
    message = srsly.msgpack_loads(component.to_bytes())
    before, old = json.dumps(component.cfg), morphs(nlp(TEXTS[0]))
    cfg = srsly.json_dumps({**component.cfg, **DAMAGED[what]})
    with pytest.raises(ValueError, match=r"^\[lstm_tagger\]"):
        component.from_bytes(srsly.msgpack_dumps({**message, "cfg": cfg.encode()}))
    assert json.dumps(component.cfg) == before
    assert morphs(nlp(TEXTS[0])) == old

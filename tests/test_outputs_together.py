"""Any outputs together in one component: trained, predicted, scored, saved, copied, exported."""

import copy
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy
import pytest
import spacy
from numpy.testing import assert_allclose
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_lstm_tagger.distill.labelling import label
from spacy_lstm_tagger.distill.teacher import Teacher
from spacy_lstm_tagger.outputs import OUTPUTS

DATA = [
    (
        "She saw green eggs",
        {
            "tags": ["P", "VD", "J", "N"],
            "pos": ["PRON", "VERB", "ADJ", "NOUN"],
            "morphs": ["Case=Nom|Person=3", "Tense=Past", "_", "Number=Plur"],
            "lemmas": ["she", "see", "green", "egg"],
        },
    ),
    (
        "The saw cuts blue ham",
        {
            "tags": ["D", "N", "VP", "J", "N"],
            "pos": ["DET", "NOUN", "VERB", "ADJ", "NOUN"],
            "morphs": ["Definite=Def", "Number=Sing", "Tense=Pres|Person=3", "_", "Number=Sing"],
            "lemmas": ["the", "saw", "cut", "blue", "ham"],
        },
    ),
]
TEXTS = [text for text, _ in DATA]
OTHER_TEXTS = ["unheard-of wörds 👍!", "", " \n ", "She cuts saws", "ham " * 150]
KEYS = {"tag": "tags", "pos": "pos", "morph": "morphs", "lemma": "lemmas"}
ALL = list(OUTPUTS)
SUBSETS = [list(names) for n in range(1, 5) for names in combinations(ALL, n)]


@pytest.fixture(params=SUBSETS, ids="+".join)
def outputs(request):
    return request.param


def values(token, outputs=ALL) -> tuple[str, ...]:
    of_token = {
        "tag": token.tag_,
        "pos": token.pos_,
        "morph": str(token.morph),
        "lemma": token.lemma_,
    }
    return tuple(of_token[name] for name in outputs)


def annotation(docs, outputs=ALL) -> list[list[tuple[str, ...]]]:
    return [[values(token, outputs) for token in doc] for doc in docs]


def gold(outputs=ALL) -> list[list[tuple[str, ...]]]:
    """What `annotation` returns of docs that are annotated as the data is."""
    return [
        [
            tuple(
                "|".join(sorted(value.replace("_", "").split("|"))) if name == "morph" else value
                for name, value in zip(outputs, of_token, strict=True)
            )
            for of_token in zip(*(of_doc[KEYS[name]] for name in outputs), strict=True)
        ]
        for _, of_doc in DATA
    ]


def with_gold(outputs) -> list[tuple[str, dict]]:
    return [(text, {KEYS[name]: of_doc[KEYS[name]] for name in outputs}) for text, of_doc in DATA]


@pytest.fixture
def trained(make_nlp):
    return make_nlp(DATA, steps=60, outputs=ALL)


@pytest.fixture
def random(make_nlp, randomize):
    nlp = make_nlp(DATA, outputs=ALL, model={"state_width": 6})
    randomize(tagger(nlp))
    return nlp


def tagger(nlp):
    return nlp.get_pipe("lstm_tagger")


# Any subset


def test_every_subset_is_learned_scored_and_saved(outputs, make_nlp, make_examples, tmp_path):
    nlp = make_nlp(with_gold(outputs), steps=60, outputs=outputs)
    docs = list(nlp.pipe(TEXTS))
    assert annotation(docs, outputs) == gold(outputs)
    others = [name for name in ALL if name not in outputs]
    assert {values(token, others) for doc in docs for token in doc} == {("",) * len(others)}
    scores = nlp.evaluate(make_examples(nlp, DATA))
    expected = {f"{name}_acc": 1.0 if name in outputs else None for name in ALL}
    assert {key: scores.get(key) for key in expected} == expected
    nlp.to_disk(tmp_path)
    for loaded in (spacy.load(tmp_path), pickle.loads(pickle.dumps(nlp)), copy.deepcopy(nlp)):
        assert annotation(loaded.pipe(TEXTS + OTHER_TEXTS), outputs) == annotation(
            nlp.pipe(TEXTS + OTHER_TEXTS), outputs
        )


def test_every_subset_is_exported(outputs, make_nlp, randomize, tmp_path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
    pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
    from spacy_lstm_tagger.runtime.export import export_tagger

    nlp = make_nlp(with_gold(outputs), outputs=outputs)
    randomize(tagger(nlp))
    expected = annotation(nlp.pipe(TEXTS + OTHER_TEXTS), outputs)
    scores = numpy.vstack(tagger(nlp).model.predict(list(map(nlp.make_doc, TEXTS))))
    export_tagger(nlp, "lstm_tagger", "float32")
    nlp.to_disk(tmp_path)
    exported = spacy.load(tmp_path)
    found = numpy.vstack(tagger(exported).model.predict(list(map(exported.make_doc, TEXTS))))
    assert_allclose(found, scores, atol=1e-4)
    assert annotation(exported.pipe(TEXTS + OTHER_TEXTS), outputs) == expected
    assert annotation(map(exported, TEXTS + OTHER_TEXTS), outputs) == expected
    for text in ("", " \n "):
        doc = exported.make_doc(text)
        for output in outputs:
            (rows,) = tagger(exported).predict_probabilities(doc, output=output)
            assert rows.shape == (len(doc), len(tagger(exported).labels_of(output)))
            assert not rows.any()


def test_every_subset_tells_what_it_sets_and_what_counts(outputs, make_nlp) -> None:
    nlp = make_nlp(DATA, outputs=outputs)
    meta = nlp.get_pipe_meta("lstm_tagger")
    assert meta.assigns == [f"token.{name}" for name in outputs]
    weights = {name: meta.default_score_weights[f"{name}_acc"] for name in outputs}
    assert weights == dict.fromkeys(outputs, round(1 / len(outputs), 2))
    assert set(nlp.analyze_pipes()["summary"]["lstm_tagger"]["assigns"]) == set(meta.assigns)
    assert set(meta.scores) == set(meta.default_score_weights)
    assert nlp.config["components"]["lstm_tagger"]["outputs"] == outputs


def test_every_subset_is_rehearsed(outputs, make_nlp, make_examples) -> None:
    nlp = make_nlp(with_gold(outputs), steps=20, outputs=outputs)
    sgd = nlp.resume_training()
    losses = nlp.rehearse(make_examples(nlp, DATA), sgd=sgd)
    assert losses["lstm_tagger"] == pytest.approx(0, abs=1e-6)
    nlp.update(make_examples(nlp, [("ham eggs", {})]), sgd=sgd)  # nothing to learn from
    other = [("Eggs cut", {"tags": ["VP", "P"], "pos": ["VERB", "PRON"]})]
    other[0][1].update({"morphs": ["Case=Nom|Person=3"] * 2, "lemmas": ["egg", "cut"]})
    sgd.learn_rate = 0.05
    for _ in range(5):
        nlp.update(make_examples(nlp, other), sgd=sgd)
    first = nlp.rehearse(make_examples(nlp, DATA), sgd=sgd)["lstm_tagger"]
    assert first > 1e-4
    for _ in range(60):
        last = nlp.rehearse(make_examples(nlp, DATA), sgd=sgd)["lstm_tagger"]
    assert last < first


def test_outputs_of_two_components_are_their_own(make_nlp, make_examples) -> None:
    nlp = make_nlp(DATA, outputs=["tag", "lemma"])
    config = {"model": nlp.get_pipe_config("lstm_tagger")["model"], "outputs": ["morph"]}
    nlp.add_pipe("lstm_tagger", name="second", config=config)
    assert nlp.get_pipe_meta("lstm_tagger").assigns == ["token.tag", "token.lemma"]
    assert nlp.get_pipe_meta("second").assigns == ["token.morph"]
    nlp.add_pipe("lstm_tagger", name="third", config={"model": config["model"]})
    assert nlp.get_pipe_meta("third").assigns == ["token.tag"]
    assert tagger(nlp).cfg["outputs"] == ["tag", "lemma"]


# Initializing


def test_label_data_goes_through_json(outputs, make_nlp, make_examples, small_config) -> None:
    nlp = make_nlp(DATA, steps=1, outputs=outputs)
    data = json.loads(json.dumps(tagger(nlp).label_data))
    other = spacy.blank("en")
    component = other.add_pipe("lstm_tagger", config={**small_config, "outputs": outputs})
    few = make_examples(other, DATA[:1])
    component.initialize(lambda: few, nlp=other, labels=data)
    assert json.loads(json.dumps(component.label_data)) == data
    assert component.labels == tagger(nlp).labels
    assert component.model.get_dim("nO") == tagger(nlp).model.get_dim("nO")


def test_label_data_is_not_shared(make_nlp, make_examples, small_config) -> None:
    nlp = make_nlp(DATA, outputs=ALL)
    data = tagger(nlp).label_data
    before = copy.deepcopy(data)
    other = spacy.blank("en")
    component = other.add_pipe("lstm_tagger", config={**small_config, "outputs": ALL})
    new = [("Foo bar", {"tags": ["N", "N"], "pos": ["X", "X"], "lemmas": ["f", "b"]})]
    new[0][1]["morphs"] = ["Tense=Past"] * 2
    component.initialize(lambda: make_examples(other, new), nlp=other, labels=data)
    component.add_label("New=Yes", output="morph")
    component.add_label("Q")
    assert component.label_data != before
    assert data == before
    assert tagger(nlp).label_data == before


@pytest.mark.parametrize("name", ["pos", "morph", "lemma"])
def test_corpus_without_what_is_asked_is_refused_by_name(name, make_nlp) -> None:
    kept = [other for other in ALL if other != name]
    with pytest.raises(ValueError, match=rf"\[lstm_tagger\].*'{name}', but no token.*outputs"):
        make_nlp(with_gold(kept), outputs=ALL)
    nlp = make_nlp(with_gold(kept), steps=1, outputs=kept)
    assert {values(token, [name]) for token in nlp(TEXTS[0])} == {("",)}


def test_failed_initialize_leaves_all_outputs_as_they_were(trained, make_examples) -> None:
    before, cfg = annotation(trained.pipe(TEXTS)), json.dumps(tagger(trained).cfg)
    examples = make_examples(trained, with_gold(["tag", "pos", "morph"]))
    with pytest.raises(ValueError, match="'lemma'"):
        trained.initialize(lambda: examples)
    assert json.dumps(tagger(trained).cfg) == cfg
    assert annotation(trained.pipe(TEXTS)) == before


def test_initializing_again_forgets_what_other_examples_had(trained, make_examples) -> None:
    other = [("Eat ham", {"tags": ["V", "N"], "pos": ["VERB", "NOUN"], "lemmas": ["eat", "ham"]})]
    other[0][1]["morphs"] = ["Mood=Imp", "Number=Sing"]
    examples = make_examples(trained, other)
    trained.initialize(lambda: examples)
    cfg = tagger(trained).cfg
    assert cfg["morph_combinations"] == ["Mood=Imp", "Number=Sing"]
    assert set(cfg["lemma_table"]) == {"Eat", "ham"}
    assert {values(token)[2] for token in trained("Eat green eggs")} <= {"Mood=Imp", "Number=Sing"}


# Learning


def test_what_is_not_annotated_is_not_learned(random) -> None:
    component = tagger(random)
    doc = random.make_doc("She saw eggs")
    partial = Doc(
        random.vocab,
        words=["She", "saw", "eggs"],
        tags=["P", "", ""],
        lemmas=["", "", "egg"],
    )
    partial[1].set_morph("Tense=Past")
    scores, _ = component.model.begin_update([doc])
    _, (gradient,) = component.get_loss([Example(doc, partial)], scores)
    found, start = {}, 0
    columns = component.model.get_ref("output_layer").attrs["columns"]
    for block, n in columns.items():
        found.setdefault(block.partition(":")[0], []).append(gradient[:, start : start + n])
        start += n
    learned = {name: numpy.hstack(rows).any(axis=1).tolist() for name, rows in found.items()}
    assert learned == {
        "tag": [True, False, False],
        "pos": [False] * 3,
        "morph": [False, True, False],
        "lemma": [False, False, True],
    }


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_label_smoothing_goes_to_every_output(smoothing, make_nlp, make_examples) -> None:
    nlp = make_nlp(DATA, outputs=ALL, label_smoothing=smoothing)
    component, examples = tagger(nlp), make_examples(nlp, DATA)
    blocks = []
    for output in component.outputs:
        labels = list(component.labels_of(output.name))
        gold_rows = numpy.zeros((9, len(labels)), dtype="float32")
        words = [token.text for eg in examples for token in eg.reference]
        values = [
            eg.reference.vocab.strings[v]
            for eg in examples
            for v in eg.reference.to_array([output.attr]).reshape(-1).tolist()
        ]
        gold_rows[:] = smoothing / (len(labels) - 1)
        columns = output.gold_labels(values, words, component.cfg)
        gold_rows[numpy.arange(9), columns] = 1 - smoothing
        blocks.append(gold_rows)
    rows = numpy.hstack(blocks)  # as they should be: nothing is left to learn
    loss, gradients = component.get_loss(examples, [rows[:4], rows[4:]])
    assert_allclose(numpy.vstack(gradients), 0.0, atol=1e-6)
    assert loss == pytest.approx(0.0, abs=1e-6)
    if smoothing:
        sure = numpy.hstack([numpy.eye(b.shape[1])[b.argmax(axis=1)] for b in blocks])
        assert component.get_loss(examples, [sure[:4], sure[4:]])[0] > 0.01


def test_tokens_that_are_split_otherwise_are_not_learned(random) -> None:
    component = tagger(random)
    doc = Doc(random.vocab, words=["She", "hates", "eggs"])
    reference = Doc(
        random.vocab,
        words=["She", "hate", "s", "eggs"],
        spaces=[True, False, True, False],
        tags=["P", "VP", "N", "N"],
        pos=["PRON", "VERB", "NOUN", "NOUN"],
        morphs=["Case=Nom|Person=3", "Tense=Past", "_", "Number=Plur"],
        lemmas=["she", "hate", "s", "egg"],
    )
    scores, _ = component.model.begin_update([doc])
    _, (gradient,) = component.get_loss([Example(doc, reference)], scores)
    assert gradient.any(axis=1).tolist() == [True, False, True]


def test_white_space_is_set_by_rule_and_never_learned(random) -> None:
    component = tagger(random)
    doc = Doc(random.vocab, words=["She", "\n", "saw", "  "])
    component.set_annotations([doc], component.predict([doc]))
    assert values(doc[1]) == ("_SP", "SPACE", "", "\n")
    assert values(doc[3]) == ("_SP", "SPACE", "", "  ")
    lemmas = Doc(doc.vocab, words=["She", "\n", "saw", "  "], lemmas=["she", "\n", "see", "space"])
    scores, _ = component.model.begin_update([doc])
    _, (gradient,) = component.get_loss([Example(doc, lemmas)], scores)
    assert gradient.any(axis=1).tolist() == [True, False, True, False]


# Annotating


def test_what_docs_have_stays_unless_told_otherwise_for_each_attribute(trained) -> None:
    def annotated(overwrite: bool) -> list[tuple[str, ...]]:
        doc = trained.make_doc(TEXTS[0])
        doc[0].lemma_, doc[1].pos_, doc[2].tag_ = "SHE", "X", "Q"
        doc[3].set_morph("Foo=Bar")
        doc[2].set_morph("_")  # "no features" is annotation, too
        tagger(trained).cfg["overwrite"] = overwrite
        return [values(token) for token in tagger(trained)(doc)]

    (sentence,) = annotation([trained(TEXTS[0])])
    assert annotated(True) == sentence == gold()[0]
    assert annotated(False) == [
        ("P", "PRON", "Case=Nom|Person=3", "SHE"),
        ("VD", "X", "Tense=Past", "see"),
        ("Q", "ADJ", "", "green"),
        ("N", "NOUN", "Foo=Bar", "egg"),
    ]


def test_predicting_changes_nothing_on_the_docs(random) -> None:
    docs = [random.make_doc(text) for text in TEXTS + OTHER_TEXTS]
    predicted = tagger(random).predict(docs)
    assert {values(token) for doc in docs for token in doc} == {("", "", "", "")}
    assert list(predicted.chosen) == ALL
    assert [len(rows) for rows in predicted.chosen.values()] == [sum(map(len, docs))] * 4
    assert [len(rows) for rows in predicted] == list(map(len, docs))
    tagger(random).set_annotations(docs, predicted)
    assert annotation(docs) == annotation(random.pipe(TEXTS + OTHER_TEXTS))


@pytest.mark.parametrize("first", ALL)
def test_plain_lists_of_choices_are_set_for_the_first_output(first, make_nlp) -> None:
    nlp = make_nlp(with_gold([first]), steps=60, outputs=[first])
    docs = [nlp.make_doc(text) for text in TEXTS]
    choices = [row.copy() for row in tagger(nlp).predict(docs)]
    tagger(nlp).set_annotations(docs, choices)
    assert annotation(docs, [first]) == gold([first])


def test_docs_without_tokens_lose_nothing(random) -> None:
    docs = [random.make_doc(text) for text in ("", "")]
    component = tagger(random)
    component.set_annotations(docs, component.predict(docs))
    assert component.predict([]) == []
    for output in ALL:
        n_labels = len(component.labels_of(output))
        assert component.predict_probabilities([], output=output) == []
        found = component.predict_probabilities(docs, output=output)
        assert [rows.shape for rows in found] == [(0, n_labels)] * 2
    mixed = [random.make_doc(text) for text in ("", TEXTS[0], "", TEXTS[1], "")]
    component.set_annotations(mixed, component.predict(mixed))
    assert annotation(mixed)[1::2] == annotation(random.pipe(TEXTS))


def test_alone_and_in_batches_the_same_is_found(random) -> None:
    texts = TEXTS + OTHER_TEXTS
    together = annotation(random.pipe(texts))
    assert annotation(map(random, texts)) == together
    assert annotation(random.pipe(texts[::-1], batch_size=2))[::-1] == together


def test_two_processes_find_the_same(random) -> None:
    expected = annotation(random.pipe(TEXTS + OTHER_TEXTS))
    found = random.pipe(TEXTS + OTHER_TEXTS, n_process=2, batch_size=2)
    assert annotation(found) == expected


def test_threads_find_the_same(random) -> None:
    texts = [*TEXTS, *OTHER_TEXTS[:-1]] * 4
    expected = annotation(map(random, texts))
    tagger(random)._outputs = []  # nothing is computed yet
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: annotation([random(text)])[0], texts))
    assert found == expected


def test_docs_of_another_vocab_are_annotated(trained) -> None:
    expected = annotation(trained.pipe([*TEXTS, "She cuts sawmills"]))
    vocab = Vocab()
    docs = [Doc(vocab, words=text.split()) for text in [*TEXTS, "She cuts sawmills"]]
    component = tagger(trained)
    own = trained.make_doc(TEXTS[0])
    mixed = [docs[0], own, *docs[1:]]
    component.set_annotations(mixed, component.predict(mixed))
    assert annotation(docs) == expected
    assert annotation([own]) == expected[:1]


def test_memory_zones_leave_what_later_ones_need(make_nlp) -> None:
    nlp = make_nlp(DATA, steps=60, outputs=ALL)
    texts = [*TEXTS, "The sawmills unheard-of"]
    expected = annotation(make_nlp(DATA, steps=60, outputs=ALL).pipe(texts))
    for _ in range(3):
        with nlp.memory_zone():
            assert annotation(nlp.pipe(texts)) == expected
    assert annotation(nlp.pipe(texts)) == expected


# Growing


@pytest.mark.parametrize(("output", "added"), [("tag", "Q"), ("morph", "Case=Gen|New=Yes")])
def test_new_label_leaves_all_predictions_as_they_were(random, output, added) -> None:
    before = annotation(random.pipe(TEXTS + OTHER_TEXTS))
    component = tagger(random)
    docs = [random.make_doc(text) for text in TEXTS]
    assert component.add_label(added, output=output) == 1
    assert component.add_label(added, output=output) == 0
    assert added in component.outputs[ALL.index(output)].labels(component.cfg)
    assert annotation(random.pipe(TEXTS + OTHER_TEXTS)) == before
    assert len(component.model.predict(docs)) == 2
    again = spacy.blank("en").from_config(random.config).from_bytes(random.to_bytes())
    assert annotation(again.pipe(TEXTS + OTHER_TEXTS)) == before


def test_new_label_of_every_kind_is_learned(trained, make_examples) -> None:
    component = tagger(trained)
    component.add_label("Q")
    component.add_label("Case=Gen|New=Yes", output="morph")
    gold_new = {"tags": ["Q", "N"], "pos": ["X", "NOUN"], "lemmas": ["lentilz", "ham"]}
    new = [("Lentils ham", {**gold_new, "morphs": ["Case=Gen|New=Yes", "Number=Sing"]})]
    sgd = trained.resume_training()
    sgd.learn_rate = 0.01
    for _ in range(80):
        trained.update(make_examples(trained, [*new, *DATA]), sgd=sgd)
    assert values(trained("Lentils ham")[0]) == ("Q", "X", "Case=Gen|New=Yes", "lentilz")
    assert annotation(trained.pipe(TEXTS)) == gold()


@pytest.mark.parametrize("output", ["pos", "lemma"])
def test_fixed_labels_are_refused_by_name(trained, output) -> None:
    cfg = json.dumps(tagger(trained).cfg)
    with pytest.raises(ValueError, match=rf"\[lstm_tagger\] No labels.*'{output}'"):
        tagger(trained).add_label("lower, -9+x at the end", output=output)
    assert json.dumps(tagger(trained).cfg) == cfg
    known = tagger(trained).outputs[ALL.index(output)].labels(tagger(trained).cfg)[0]
    assert tagger(trained).add_label(known, output=output) == 0


@pytest.mark.parametrize(("output", "label"), [("tag", "Q"), ("morph", "Case=Gen|New=Yes")])
def test_exported_taggers_take_no_labels(output, label, trained) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
    from spacy_lstm_tagger.runtime.export import export_tagger

    export_tagger(trained, "lstm_tagger", "float32")
    component = tagger(trained)
    before = json.dumps(component.cfg)
    with pytest.raises(ValueError, match=r"\[lstm_tagger\] An exported tagger.*export it again"):
        component.add_label(label, output=output)
    assert component.add_label(component.labels_of(output)[0], output=output) == 0
    assert json.dumps(component.cfg) == before


@pytest.mark.parametrize("output", ["morph", "words", ""])
def test_label_of_what_is_not_predicted_is_refused(make_nlp, output) -> None:
    component = tagger(make_nlp(DATA, outputs=["tag", "lemma"]))
    with pytest.raises(ValueError, match=rf"no output '{output}'.*\['tag', 'lemma'\]"):
        component.add_label("Case=Gen", output=output)


# Teachers


def test_students_learn_what_teachers_of_all_four_say(trained, make_nlp) -> None:
    expected = annotation(trained.pipe(TEXTS))
    docs = [trained.make_doc(text) for text in TEXTS]
    taught = label(docs, [Teacher(trained, 1.0)], 3, n_process=1, batch_size=8)
    assert annotation(taught) == expected
    assert [token.has_morph() for token in taught[0]] == [True] * 4  # "green" has none: known
    student = make_nlp(DATA, outputs=ALL, seed=1)
    sgd = student.resume_training()
    sgd.learn_rate = 0.01
    for _ in range(60):
        student.update([Example(student.make_doc(d.text), d) for d in taught], sgd=sgd)
    assert annotation(student.pipe(TEXTS)) == gold()


def test_upper_cased_copies_keep_their_lemmas(make_nlp, make_examples) -> None:
    from spacy_lstm_tagger.training.augmenter import build_augmenter_v1

    nlp = make_nlp(DATA, outputs=ALL)
    augment = build_augmenter_v1(upper_case=1.0)
    examples = [eg for each in make_examples(nlp, DATA) for eg in augment(nlp, each)]
    assert len(examples) == 4
    assert annotation([eg.reference for eg in examples[1::2]]) == gold()
    sgd = nlp.initialize(lambda: examples)
    assert set(tagger(nlp).cfg["lemma_table"]) == {word for text in TEXTS for word in text.split()}
    sgd.learn_rate = 0.01
    for _ in range(80):
        nlp.update(examples, sgd=sgd)
    assert annotation(nlp.pipe([text.upper() for text in TEXTS])) == gold()
    assert "EGGS" not in tagger(nlp).cfg["lemma_table"]

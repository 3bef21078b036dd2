"""Lemmas: of words that training has from a table, of others by the best rule that applies."""

import json

import pytest
import spacy
import srsly
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.converters import conllu_to_docs
from thinc.api import fix_random_seed

LEMMA = {"outputs": ["lemma"]}
DATA = [
    ("She likes green eggs", {"lemmas": ["she", "like", "green", "egg"]}),
    ("Eat blue ham", {"lemmas": ["eat", "blue", "ham"]}),
]
SAW = [
    ("I saw ham", {"tags": ["P", "V", "N"], "lemmas": ["I", "see", "ham"]}),
    ("A saw cuts", {"tags": ["D", "N", "V"], "lemmas": ["a", "saw", "cut"]}),
    ("I saw eggs", {"tags": ["P", "V", "N"], "lemmas": ["I", "see", "egg"]}),
    ("The saw hates ham", {"tags": ["D", "N", "V", "N"], "lemmas": ["the", "saw", "hate", "ham"]}),
]


def tagger(nlp):
    return nlp.get_pipe("lstm_tagger")


def lemmas(doc) -> list[str]:
    return [token.lemma_ for token in doc]


def example(nlp, words: list[str], **gold) -> Example:
    return Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words, **gold))


def train(nlp, examples, steps: int = 60):
    sgd = nlp.initialize(lambda: examples)
    sgd.learn_rate = 0.01
    for _ in range(steps):
        nlp.update(examples, sgd=sgd)
    return nlp


# Tables and rules


def test_lemmas_of_words_seen_and_of_others(make_nlp) -> None:
    regular = ("hikes bakes makes takes", {"lemmas": ["hike", "bake", "make", "take"]})
    nlp = make_nlp([*DATA, regular], steps=60, **LEMMA)
    assert lemmas(nlp("She likes blue eggs")) == ["she", "like", "blue", "egg"]
    assert "wakes" not in tagger(nlp).cfg["lemma_table"]
    assert lemmas(nlp("she wakes BAKES")) == ["she", "wake", "bake"]


def test_a_word_in_two_analyses_has_a_lemma_in_each(make_nlp) -> None:
    nlp = make_nlp(SAW, steps=80, outputs=["tag", "lemma"])
    assert "saw" in tagger(nlp).cfg["lemma_table"]
    for text, gold in SAW:
        assert lemmas(nlp(text)) == gold["lemmas"]
    for text, tag, lemma in (("I saw", "V", "see"), ("The saw", "N", "saw")):
        doc = nlp(text)
        assert (doc[1].tag_, doc[1].lemma_) == (tag, lemma)


def test_context_decides_if_the_analysis_is_the_same(make_nlp) -> None:
    nlp = make_nlp([(text, {"lemmas": gold["lemmas"]}) for text, gold in SAW], steps=120, **LEMMA)
    for text, gold in SAW:
        assert lemmas(nlp(text)) == gold["lemmas"]
    assert lemmas(nlp("I saw"))[1] == "see"
    assert lemmas(nlp("The saw"))[1] == "saw"


def test_what_a_later_batch_says_otherwise_is_left_to_context(make_nlp, make_examples) -> None:
    nlp = make_nlp([("I saw", {"lemmas": ["I", "see"]})], steps=1, **LEMMA)
    assert lemmas(nlp("saw")) == ["see"]
    table = tagger(nlp).cfg["lemma_table"]
    nlp.update(make_examples(nlp, [("A saw", {"lemmas": ["a", "saw"]})]))
    assert tagger(nlp).cfg["lemma_table"] is not table  # threads may be reading it
    assert set(table) == {"I", "saw"}
    sgd = nlp.resume_training()
    sgd.learn_rate = 0.02
    for _ in range(80):
        data = [("A saw", {"lemmas": ["a", "saw"]})]
        nlp.update(make_examples(nlp, data), sgd=sgd)
    assert lemmas(nlp("A saw")) == ["a", "saw"]


def test_a_rule_that_does_not_apply_gives_way_to_the_next(make_nlp) -> None:
    gold = ["try", "cry", "fry", "spy"]
    nlp = make_nlp([("tried cried fried spied", {"lemmas": gold})], steps=80, **LEMMA)
    assert lemmas(nlp("tried dried")) == ["try", "dry"]
    assert lemmas(nlp("ied ed a")) == ["ied", "ed", "a"]


def test_no_lemma_is_empty(make_nlp, randomize) -> None:
    nlp = make_nlp(DATA, **LEMMA)
    for seed in range(4):
        randomize(tagger(nlp), seed)
        words = ["a", "s", "ss", "ied", "ǅ", "İ", "ß", "👍", "\u200b", "\n", " ", "_", "e\u0301"]
        doc = Doc(nlp.vocab, words=words)
        for found in (tagger(nlp)(doc), nlp("x\n\n  y ")):
            assert all(token.lemma_ for token in found)
            assert all(token.is_space or token.lemma_.strip() for token in found)


def test_capitals_have_the_lemma_of_small_letters_names_keep_theirs(make_nlp) -> None:
    data = [
        ("Smith eats eggs", {"lemmas": ["Smith", "eat", "egg"]}),
        ("Eggs hate Smith", {"lemmas": ["egg", "hate", "Smith"]}),
    ]
    nlp = make_nlp(data, steps=80, **LEMMA)
    assert lemmas(nlp("Smith EATS Eggs")) == ["Smith", "eat", "egg"]


@pytest.mark.parametrize(("lang", "lemma"), [("tr", "ışık"), ("en", "işik")])
def test_capitals_are_those_of_the_language(lang, lemma, small_config, tmp_path) -> None:
    nlp = spacy.blank(lang)
    nlp.add_pipe("lstm_tagger", config={**small_config, **LEMMA})
    words = ["Ev", "güzel", "IŞIK"]
    train(nlp, [example(nlp, words, lemmas=["ev", "güzel", lemma])], steps=30)
    nlp.to_disk(tmp_path)
    for each in (nlp, spacy.load(tmp_path)):
        assert lemmas(tagger(each)(Doc(each.vocab, words=words))) == ["ev", "güzel", lemma]
        assert tagger(each).labels == ("lower", "keep")  # no rule for capitals
        (found,) = lemmas(tagger(each)(Doc(each.vocab, words=["KAPI"])))
        assert found == {"tr": "kapı", "en": "kapi"}[lang]


# Gold lemmas of any kind


def test_partial_annotation(make_nlp, make_examples) -> None:
    data = [
        ("She likes green eggs", {"lemmas": ["", "like", "green", ""]}),
        (
            "He hates green eggs",
            {
                "words": ["He", "hat", "es", "green", "eggs"],
                "lemmas": ["", "hat", "e", "green", ""],
            },
        ),
    ]
    nlp = make_nlp(data, steps=80, **LEMMA)
    assert lemmas(nlp("She likes green"))[1:] == ["like", "green"]
    assert set(tagger(nlp).cfg["lemma_table"]) == {"likes", "green", "hat", "es"}
    examples = make_examples(nlp, data)
    scores, _ = tagger(nlp).model.begin_update([eg.predicted for eg in examples])
    _, gradients = tagger(nlp).get_loss(examples, scores)
    assert [rows.any(axis=1).tolist() for rows in gradients] == [
        [False, True, True, False],
        [False, False, True, False],
    ]


def test_an_underscore_is_no_lemma_but_of_itself(make_nlp) -> None:
    data = [("x _ y", {"lemmas": ["_", "_", "y"]})]
    nlp = make_nlp(data, steps=40, **LEMMA)
    assert lemmas(nlp("x _ y")) == ["x", "_", "y"]
    assert set(tagger(nlp).cfg["lemma_table"]) == {"_", "y"}
    with pytest.raises(ValueError, match=r"\[lstm_tagger\].*'lemma', but no token"):
        make_nlp([("x y", {"lemmas": ["_", "_"]})], **LEMMA)


def test_white_space_is_no_lemma(make_nlp) -> None:
    nlp = make_nlp([("x y", {"lemmas": [" ", "y"]})], steps=20, **LEMMA)
    assert lemmas(nlp("x y")) == ["x", "y"]
    with pytest.raises(ValueError, match=r"\[lstm_tagger\].*'lemma', but no token"):
        make_nlp([("x y", {"lemmas": [" ", "\u00a0"]})], **LEMMA)


def test_lemmas_with_spaces_are_learned(small_config, tmp_path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={**small_config, **LEMMA})
    words, gold = ["aren't", "ham", "20 000"], ["be not", "ham", "20 000"]
    train(nlp, [example(nlp, words, lemmas=gold)], steps=5)
    nlp.to_disk(tmp_path)
    for each in (nlp, spacy.load(tmp_path)):
        found = lemmas(tagger(each)(Doc(each.vocab, words=words)))
        assert found == gold


CONLLU = """\
1-2\tdella\t_\t_\t_\t_\t_\t_\t_\t_
1\tdi\tdi\tADP\tE\t_\t3\tcase\t_\t_
2\tla\til\tDET\tRD\tDefinite=Def\t3\tdet\t_\t_
3\tcasa\tcasa\tNOUN\tS\tGender=Fem\t0\troot\t_\t_
3.1\tnulla\tnulla\tX\t_\t_\t_\t_\t_\t_

"""


@pytest.mark.parametrize("merge", [False, True])
def test_multi_word_tokens(merge: bool, small_config) -> None:
    """Their words have a lemma each; joined by `spacy convert --merge-subtokens`, they have one."""
    nlp = spacy.blank("it")
    settings = {**small_config, "outputs": ["tag", "pos", "morph", "lemma"]}
    nlp.add_pipe("lstm_tagger", config=settings)
    (reference,) = conllu_to_docs(CONLLU, n_sents=1, merge_subtokens=merge, no_print=True)
    words = [token.text for token in reference]
    assert words == (["della", "casa"] if merge else ["di", "la", "casa"])
    train(nlp, [Example(Doc(nlp.vocab, words=words), reference)])
    doc = tagger(nlp)(Doc(nlp.vocab, words=words))
    assert lemmas(doc) == [token.lemma_ for token in reference]
    assert [str(token.morph) for token in doc] == [str(token.morph) for token in reference]


def test_rules_of_single_words_are_kept_if_they_are_few(make_nlp) -> None:
    few = make_nlp([("was went better", {"lemmas": ["be", "go", "good"]})], **LEMMA)
    assert len(tagger(few).labels) == 2 + 3
    words = [f"{chr(97 + i % 26)}q{chr(97 + i // 26)}" for i in range(300)]
    odd = [f"{i}" for i in range(300)]
    many = make_nlp([(" ".join(words), {"words": words, "lemmas": odd})], **LEMMA)
    assert len(tagger(many).labels) < 120
    doc = many(" ".join(words[:5]))
    assert lemmas(doc) == odd[:5]  # the table has them all


# Saving


def test_strings_of_lemmas_are_there_without_the_vocab_of_training(make_nlp) -> None:
    nlp = make_nlp(DATA, steps=60, **LEMMA)
    expected = [lemmas(nlp(text)) for text, _ in DATA]
    other = spacy.blank("en").from_config(nlp.config)
    tagger(other).from_bytes(tagger(nlp).to_bytes(exclude=["vocab"]), exclude=["vocab"])
    for _ in range(2):
        with other.memory_zone():
            assert [lemmas(doc) for doc in other.pipe([text for text, _ in DATA])] == expected
    assert [lemmas(other(text)) for text, _ in DATA] == expected


@pytest.mark.parametrize("arranged", ["when loaded", "in a memory zone"])
def test_lemmas_that_are_words_of_a_memory_zone_outlive_it(arranged, make_nlp) -> None:
    nlp = make_nlp(DATA, steps=60, **LEMMA)
    texts = [text for text, _ in DATA]
    expected = [lemmas(nlp(text)) for text in texts]
    other = spacy.blank("en").from_config(nlp.config)
    tagger(other).from_bytes(tagger(nlp).to_bytes(exclude=["vocab"]), exclude=["vocab"])
    for number in range(3):
        with other.memory_zone():
            list(other.pipe(" ".join(row) for row in expected))  # which the zone forgets
            if arranged == "in a memory zone" and not number:
                tagger(other).cfg["lemma_table"] = dict(tagger(other).cfg["lemma_table"])
            assert [lemmas(doc) for doc in other.pipe(texts)] == expected
    assert [lemmas(other(text)) for text in texts] == expected


DAMAGED = {
    "rules of another kind": {"lemma_rules": {"lower": 1}},
    "no case": {"lemma_rules": [["small", 0, "", 0, ""]]},
    "too short": {"lemma_rules": [["lower", 0, "", 0]]},
    "cuts below zero": {"lemma_rules": [["lower", -1, "", 0, ""]]},
    "no number": {"lemma_rules": [["lower", "0", "", 0, ""]]},
    "a rule that is not there": {"lemma_table": {"x": [0, 99]}},
    "an analysis that is not there": {"lemma_table": {"x": [99, 0]}},
    "half a pair": {"lemma_table": {"x": [0]}},
    "an empty lemma": {"lemma_table": {"x": [0, ""]}},
    "white space": {"lemma_table": {"x": [0, " "]}},
    "fractions": {"lemma_table": {"x": [0.0, 1.0]}},
    "truth values": {"lemma_table": {"x": [False, True]}},
    "the same rule twice": {"lemma_rules": [["lower", 0, "", 0, ""]] * 2, "lemma_table": {}},
    "the same analysis twice": {"lemma_analyses": [["N"], ["N"]], "lemma_table": {}},
    "a list": {"lemma_table": [["x", 0, 0]]},
    "too many names": {"lemma_analyses": [["N", "NOUN"]]},
    "numbers for names": {"lemma_analyses": [[1]]},
}


@pytest.mark.parametrize("what", DAMAGED)
def test_damaged_table_is_refused(make_nlp, what: str) -> None:
    nlp = make_nlp(SAW, steps=5, outputs=["tag", "lemma"])
    component = tagger(nlp)
    message = srsly.msgpack_loads(component.to_bytes())
    cfg = srsly.json_dumps({**component.cfg, **DAMAGED[what]})
    before, old = json.dumps(component.cfg), lemmas(nlp("I saw eggs"))
    with pytest.raises(ValueError, match=r"^\[lstm_tagger\]"):
        component.from_bytes(srsly.msgpack_dumps({**message, "cfg": cfg.encode()}))
    assert json.dumps(component.cfg) == before
    assert lemmas(nlp("I saw eggs")) == old


@pytest.fixture(scope="module")
def joint():
    fix_random_seed(0)
    nlp = spacy.blank("en")
    model = {"@architectures": "spacy-lstm-tagger.LSTMTagger.v1", "width": 16, "char_width": 8}
    nlp.add_pipe("lstm_tagger", config={"model": model, "outputs": ["tag", "lemma"]})
    gold = [(text.split(), values) for text, values in SAW]
    return train(nlp, [example(nlp, words, **values) for words, values in gold], steps=30)


@settings(max_examples=30)
@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5))
def test_any_words_get_a_lemma(joint, words: list[str]) -> None:
    doc = tagger(joint)(Doc(joint.vocab, words=words))
    assert all(token.lemma_ for token in doc)

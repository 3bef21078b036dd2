"""A further output takes its class and its registration: nothing else knows outputs by name."""

from typing import ClassVar

import numpy
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import fix_random_seed

from spacy_lstm_tagger.distill.labelling import label
from spacy_lstm_tagger.distill.parts import stored_attrs
from spacy_lstm_tagger.distill.teacher import Teacher
from spacy_lstm_tagger.outputs import OUTPUTS, columns_of, make_outputs
from spacy_lstm_tagger.outputs.gold import GoldCombinations
from spacy_lstm_tagger.outputs.lemma import LemmaOutput
from spacy_lstm_tagger.outputs.morph import MorphOutput
from spacy_lstm_tagger.outputs.output import Output
from spacy_lstm_tagger.runtime.export import export_tagger, exportable

DATA = [
    (
        ["I", "like", "eggs"],
        {
            "tags": ["N", "V", "N"],
            "pos": ["PRON", "VERB", "NOUN"],
            "morphs": ["Case=Nom", "Tense=Pres", "Number=Plur"],
            "deps": ["subject", "root", "object"],
            "lemmas": ["I", "like", "egg"],
        },
    ),
    (
        ["Eats", "blue", "hams"],
        {
            "tags": ["V", "J", "N"],
            "pos": ["VERB", "ADJ", "NOUN"],
            "morphs": ["Tense=Pres", "_", "Number=Plur"],
            "deps": ["root", "modifier", "object"],
            "lemmas": ["eat", "blue", "ham"],
        },
    ),
]
TEXTS = [words for words, _ in DATA]
NAMES = ["tag", "pos", "dep", "morph", "lemma"]
COLUMNS = {"tag": 3, "pos": 20, "dep": 4, "morph": 4, "lemma": 3}
DEFERRED = ["morph", "lemma"]
KEYS = ["tags", "pos", "deps", "morphs", "lemmas"]
STATE_WIDTH = 5


class Functions(Output):
    """Grammatical functions, as words have them in a dependency tree."""

    name = "dep"
    attr = "DEP"
    gold_attrs = ("DEP",)
    learned: ClassVar = {"functions": []}

    def labels(self, cfg):
        return cfg["functions"]

    def initialize(self, gold, cfg, name):
        cfg["functions"] = sorted(function for (function,) in gold.of("DEP"))

    def values(self, choices, vocab, cfg):
        hashes = [vocab.strings.add(function) for function in cfg["functions"]]
        return numpy.asarray(hashes, dtype="uint64")[choices]


@pytest.fixture(autouse=True)
def fifth_output(monkeypatch):
    for name in DEFERRED[::-1]:  # they come last, and are put back in their order
        monkeypatch.delitem(OUTPUTS, name)
    monkeypatch.setitem(OUTPUTS, "dep", Functions)
    monkeypatch.setitem(OUTPUTS, "morph", MorphOutput)
    monkeypatch.setitem(OUTPUTS, "lemma", LemmaOutput)


def examples_for(nlp) -> list[Example]:
    return [
        Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words, **gold))
        for words, gold in DATA
    ]


@pytest.fixture
def trained():
    fix_random_seed(0)
    nlp = spacy.blank("en")
    model = {
        "@architectures": "spacy-lstm-tagger.LSTMTagger.v1",
        **{"word_width": 8, "char_width": 8, "char_embed_width": 4, "width": 16, "depth": 1},
        "state_width": STATE_WIDTH,
    }
    nlp.add_pipe("lstm_tagger", config={"model": model, "outputs": NAMES})
    examples = examples_for(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.02
    for _ in range(60):
        nlp.update(examples, sgd=optimizer)
    return nlp


def values_of(token) -> tuple[str, ...]:
    return token.tag_, token.pos_, token.dep_, str(token.morph), token.lemma_


def annotation(nlp) -> list[tuple[str, ...]]:
    docs = nlp.pipe(Doc(nlp.vocab, words=words) for words in TEXTS)
    return [values_of(token) for doc in docs for token in doc]


GOLD = [
    tuple(value.replace("_", "") for value in values)
    for _, gold in DATA
    for values in zip(*(gold[key] for key in KEYS), strict=True)
]


def test_it_trains_and_is_scored(trained) -> None:
    assert columns_of(trained.get_pipe("lstm_tagger").model) == COLUMNS
    assert annotation(trained) == GOLD
    scores = trained.evaluate(examples_for(trained))
    assert [scores[f"{name}_acc"] for name in NAMES] == [1.0] * 5
    meta = trained.get_pipe_meta("lstm_tagger")
    assert meta.assigns == [f"token.{name}" for name in NAMES]
    assert [meta.default_score_weights[f"{name}_acc"] for name in NAMES] == [0.2] * 5


def test_it_saves_and_loads_with_the_same_scores(trained, tmp_path) -> None:
    trained.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    docs = [Doc(trained.vocab, words=words) for words in TEXTS]
    models = [nlp.get_pipe("lstm_tagger").model for nlp in (trained, loaded)]
    for before, after in zip(*(model.predict(docs) for model in models), strict=True):
        assert before.shape[1] == 3 + 20 + 4 + STATE_WIDTH
        assert_array_equal(after, before)
    assert annotation(loaded) == GOLD


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_it_is_exported(precision, trained, tmp_path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
    docs = [Doc(trained.vocab, words=words) for words in TEXTS]
    before = trained.get_pipe("lstm_tagger").model.predict(docs)
    assert exportable(trained, "lstm_tagger")
    export_tagger(trained, "lstm_tagger", precision)
    assert annotation(trained) == GOLD
    trained.to_disk(tmp_path / "exported")
    loaded = spacy.load(tmp_path / "exported")
    assert annotation(loaded) == GOLD
    if precision == "float32":
        after = loaded.get_pipe("lstm_tagger").model.predict(docs)
        assert_allclose(numpy.vstack(after), numpy.vstack(before), atol=1e-4)


def test_a_label_is_added_before_its_columns(trained, scores_of) -> None:
    tagger = trained.get_pipe("lstm_tagger")
    docs = [Doc(trained.vocab, words=words) for words in TEXTS]
    before = numpy.vstack(scores_of(tagger, docs))
    tagger.add_label("X")
    after = numpy.vstack(scores_of(tagger, docs))
    assert columns_of(tagger.model) == {**COLUMNS, "tag": 4}
    assert_allclose(numpy.delete(after, 3, axis=1), before, atol=1e-6)
    assert annotation(trained) == GOLD


def test_it_is_rehearsed_also_if_labels_came_since(trained) -> None:
    optimizer = trained.resume_training()
    trained.get_pipe("lstm_tagger").add_label("X")
    losses = trained.rehearse(examples_for(trained), sgd=optimizer)
    assert 0 < losses["lstm_tagger"] < 0.01  # all that differs is the new label's probability


def test_teachers_teach_it(trained) -> None:
    teacher = Teacher(trained, 1.0)
    docs = [Doc(trained.vocab, words=words) for words in TEXTS]
    taught = label(docs, [teacher], 3, n_process=1, batch_size=8)
    assert [values_of(token) for doc in taught for token in doc] == GOLD
    assert stored_attrs() == ["TAG", "POS", "DEP", "MORPH", "LEMMA", "SPACY"]


def test_what_is_not_registered_is_named(trained, tmp_path, monkeypatch) -> None:
    trained.to_disk(tmp_path / "model")
    monkeypatch.delitem(OUTPUTS, "dep")
    with pytest.raises(ValueError, match=r"'dep'.*\['tag', 'pos', 'morph', 'lemma'\]"):
        spacy.load(tmp_path / "model")
    with pytest.raises(ValueError, match=r"predicts \['dep'\].*knows only \['tag', 'pos', "):
        make_outputs(["tag", "dep"])


def test_gold_combinations_are_those_of_tokens_that_have_all_values() -> None:
    nlp = spacy.blank("xx")
    doc = Doc(nlp.vocab, words=list("abc"), tags=["N", "V", ""], pos=["NOUN", "", "X"])
    gold = GoldCombinations(["TAG", "POS"])
    for each in (doc, Doc(nlp.vocab)):
        gold.add(each)
    assert gold.of("TAG", "POS") == {("N", "NOUN")}
    assert gold.of("TAG") == {("N",), ("V",)}
    assert gold.of("POS") == {("NOUN",), ("X",)}
    assert GoldCombinations(["TAG"]).of("TAG") == set()

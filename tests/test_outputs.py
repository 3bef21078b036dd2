"""A third output takes its class and its registration: nothing else knows outputs by name."""

from typing import ClassVar

import numpy
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import fix_random_seed

from spacy_lstm_tagger.architectures import build_lstm_tagger_v1
from spacy_lstm_tagger.distill.labelling import label
from spacy_lstm_tagger.distill.parts import stored_attrs
from spacy_lstm_tagger.distill.teacher import Teacher
from spacy_lstm_tagger.outputs import OUTPUTS, columns_of, make_outputs
from spacy_lstm_tagger.outputs.gold import GoldCombinations, combinations_in
from spacy_lstm_tagger.outputs.output import Output
from spacy_lstm_tagger.runtime.export import export_tagger, exportable

ARCHITECTURE = "spacy-lstm-tagger-tests.ThreeOutputs.v1"
DATA = [
    (["I", "like", "eggs"], ["N", "V", "N"], ["PRON", "VERB", "NOUN"], ["I", "like", "egg"]),
    (["Eats", "blue", "hams"], ["V", "J", "N"], ["VERB", "ADJ", "NOUN"], ["eat", "blue", "ham"]),
]
TEXTS = [words for words, *_ in DATA]


class WholeLemmas(Output):
    """Lemmas as whole strings: enough for a test."""

    name = "lemma"
    attr = "LEMMA"
    learned: ClassVar = {"lemmas": []}

    def labels(self, cfg):
        return cfg["lemmas"]

    def initialize(self, gold, cfg, name):
        cfg["lemmas"] = sorted(lemma for (lemma,) in gold.of("LEMMA"))


@pytest.fixture(autouse=True)
def third_output(monkeypatch):
    monkeypatch.setitem(OUTPUTS, "lemma", WholeLemmas)

    def build():
        model = build_lstm_tagger_v1(
            word_width=8, char_width=8, char_embed_width=4, width=16, depth=1
        )
        model.get_ref("output_layer").attrs["columns"] = {"tag": 0, "pos": 0, "lemma": 0}
        return model

    spacy.registry.architectures.register(ARCHITECTURE, func=build)


def examples_for(nlp) -> list[Example]:
    return [
        Example(
            Doc(nlp.vocab, words=words),
            Doc(nlp.vocab, words=words, tags=tags, pos=pos, lemmas=lemmas),
        )
        for words, tags, pos, lemmas in DATA
    ]


@pytest.fixture
def trained():
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": {"@architectures": ARCHITECTURE}})
    examples = examples_for(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.02
    for _ in range(60):
        nlp.update(examples, sgd=optimizer)
    return nlp


def annotation(nlp) -> list[tuple[str, str, str]]:
    docs = nlp.pipe(Doc(nlp.vocab, words=words) for words in TEXTS)
    return [(token.tag_, token.pos_, token.lemma_) for doc in docs for token in doc]


GOLD = [values for _, *rows in DATA for values in zip(*rows, strict=True)]


def test_it_trains_and_is_scored(trained) -> None:
    assert columns_of(trained.get_pipe("lstm_tagger").model) == {"tag": 3, "pos": 20, "lemma": 6}
    assert annotation(trained) == GOLD
    scores = trained.evaluate(examples_for(trained))
    assert (scores["tag_acc"], scores["pos_acc"], scores["lemma_acc"]) == (1.0, 1.0, 1.0)


def test_it_saves_and_loads_with_the_same_scores(trained, tmp_path) -> None:
    trained.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    docs = [Doc(trained.vocab, words=words) for words in TEXTS]
    models = [nlp.get_pipe("lstm_tagger").model for nlp in (trained, loaded)]
    for before, after in zip(*(model.predict(docs) for model in models), strict=True):
        assert before.shape[1] == 29
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
    assert columns_of(tagger.model) == {"tag": 4, "pos": 20, "lemma": 6}
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
    assert [(t.tag_, t.pos_, t.lemma_) for doc in taught for t in doc] == GOLD
    assert stored_attrs() == ["TAG", "POS", "LEMMA", "SPACY"]


def test_what_is_not_registered_is_named(trained, tmp_path, monkeypatch) -> None:
    trained.to_disk(tmp_path / "model")
    monkeypatch.delitem(OUTPUTS, "lemma")
    with pytest.raises(ValueError, match=r"predicts \['lemma'\].*knows only \['tag', 'pos'\]"):
        spacy.load(tmp_path / "model")
    with pytest.raises(ValueError, match="lemma"):
        make_outputs(["tag", "lemma"])


def test_gold_combinations_are_those_of_tokens_that_have_all_values() -> None:
    nlp = spacy.blank("xx")
    doc = Doc(nlp.vocab, words=list("abc"), tags=["N", "V", ""], pos=["NOUN", "", "X"])
    gold = combinations_in([doc, Doc(nlp.vocab)], ["TAG", "POS"])
    assert gold.of("TAG", "POS") == {("N", "NOUN")}
    assert gold.of("TAG") == {("N",), ("V",)}
    assert gold.of("POS") == {("NOUN",), ("X",)}
    assert GoldCombinations(["TAG"]).of("TAG") == set()

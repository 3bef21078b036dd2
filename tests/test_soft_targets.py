"""Learning from a teacher's tag probabilities: kept on docs, mixed with gold, learned."""

import numpy
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from spacy_lstm_tagger.outputs.output import MISSING
from spacy_lstm_tagger.training.loss import add_soft_targets
from spacy_lstm_tagger.training.soft_targets import (
    SoftTargets,
    get_soft_targets,
    key_of,
    set_soft_targets,
    soft_targets,
)

LABELS = ["J", "N", "V"]
PROBABILITIES = numpy.asarray([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], dtype="float32")


@pytest.fixture
def nlp():
    return spacy.blank("en")


@pytest.fixture
def doc(nlp) -> Doc:
    doc = Doc(nlp.vocab, words=["green", "eggs"])
    set_soft_targets(doc, LABELS, PROBABILITIES)
    return doc


def test_probabilities_come_back_in_the_order_asked(doc) -> None:
    assert_allclose(get_soft_targets(doc, LABELS), PROBABILITIES, atol=1e-3)
    reordered = get_soft_targets(doc, ["V", "J", "N"])
    assert_allclose(reordered, PROBABILITIES[:, [2, 0, 1]], atol=1e-3)


def test_doc_without_a_teacher_has_none(nlp) -> None:
    assert get_soft_targets(Doc(nlp.vocab, words=["ham"]), LABELS) is None


def test_files_of_earlier_versions_have_the_same_key() -> None:
    assert key_of("tag") == "spacy-lstm-tagger: tag probabilities of a teacher"


def test_every_output_has_its_own(doc) -> None:
    assert get_soft_targets(doc, ["NOUN"], output="pos") is None
    set_soft_targets(doc, ["NOUN", "ADJ"], PROBABILITIES[:, :2], output="pos")
    assert_allclose(get_soft_targets(doc, LABELS), PROBABILITIES, atol=1e-3)
    found = get_soft_targets(doc, ["ADJ", "NOUN"], output="pos")
    expected = PROBABILITIES[:, [1, 0]] / PROBABILITIES[:, :2].sum(axis=1, keepdims=True)
    assert_allclose(found, expected, atol=1e-3)


def test_only_the_best_are_kept_and_sum_to_one(nlp) -> None:
    doc = Doc(nlp.vocab, words=["green", "eggs"])
    set_soft_targets(doc, LABELS, PROBABILITIES, kept=2)
    found = get_soft_targets(doc, LABELS)
    assert_allclose(found, [[0.7 / 0.9, 0.2 / 0.9, 0], [0, 0.3 / 0.9, 0.6 / 0.9]], atol=1e-3)


def test_unknown_tags_are_shared_out_and_a_row_of_them_alone_is_zero(doc, nlp) -> None:
    found = get_soft_targets(doc, ["J", "V"])
    assert_allclose(found, [[0.7 / 0.8, 0.1 / 0.8], [0.1 / 0.7, 0.6 / 0.7]], atol=1e-3)
    assert_array_equal(get_soft_targets(doc, ["X"]), [[0], [0]])
    targets = soft_targets([Example(Doc(nlp.vocab, words=["green", "eggs"]), doc)], "tag", ["X"])
    assert len(targets.rows) == 0


def test_probabilities_survive_a_file(doc, nlp, tmp_path) -> None:
    DocBin(store_user_data=True, docs=[doc]).to_disk(tmp_path / "docs.spacy")
    (read,) = DocBin().from_disk(tmp_path / "docs.spacy").get_docs(spacy.blank("en").vocab)
    assert_array_equal(get_soft_targets(read, LABELS), get_soft_targets(doc, LABELS))


def test_probabilities_of_another_doc_are_refused(doc, nlp) -> None:
    other = Doc(nlp.vocab, words=["a", "b", "c"])
    other.user_data[key_of("tag")] = doc.user_data[key_of("tag")]
    expected = r"3 tokens has a teacher's .* those of another doc: 'a b c'"
    with pytest.raises(ValueError, match=expected):
        get_soft_targets(other, LABELS)


def test_targets_stand_at_the_tokens_that_are_aligned(doc, nlp) -> None:
    without = Example(Doc(nlp.vocab, words=["ham"]), Doc(nlp.vocab, words=["ham"]))
    same = Example(Doc(nlp.vocab, words=["green", "eggs"]), doc)
    split = Example(Doc(nlp.vocab, words=["gre", "en", "eggs"]), doc)
    targets = soft_targets([without, same, split], "tag", LABELS)
    assert_array_equal(targets.rows, [1, 2, 5])
    assert_allclose(targets.probabilities, PROBABILITIES[[0, 1, 1]], atol=1e-3)


@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0])
def test_gradient_is_a_mixture_and_without_gold_the_teachers(weight) -> None:
    probabilities = numpy.full((3, 2), 0.5, dtype="float32")
    gradient = numpy.asarray([[-0.5, 0.5], [0, 0], [0.5, -0.5]], dtype="float32")
    codes = numpy.asarray([0, MISSING, 1])
    soft = SoftTargets(numpy.asarray([0, 1]), numpy.asarray([[0.5, 0.5], [0.9, 0.1]], "float32"))
    add_soft_targets(gradient, probabilities, codes, soft, weight)
    hard = 1 - weight
    expected = [[-0.5 * hard, 0.5 * hard], [-0.4, 0.4], [0.5, -0.5]]
    assert_allclose(gradient, expected, atol=1e-6)


def test_tagger_learns_from_probabilities_alone(nlp, small_config) -> None:
    tagger = nlp.add_pipe("lstm_tagger", config=small_config)
    for label in LABELS:
        tagger.add_label(label)
    reference = Doc(nlp.vocab, words=["green", "eggs"])
    set_soft_targets(reference, LABELS, PROBABILITIES)
    example = Example(nlp.make_doc("green eggs"), reference)
    optimizer = nlp.initialize(lambda: [example])
    optimizer.learn_rate = 0.01
    for _ in range(150):
        nlp.update([example], sgd=optimizer)
    (found,) = tagger.predict_probabilities([nlp.make_doc("green eggs")])
    assert_allclose(found, PROBABILITIES, atol=0.02)


@pytest.mark.parametrize("weight", [-0.1, 1.1])
def test_weight_out_of_range_is_refused(nlp, weight) -> None:
    with pytest.raises(ValueError, match=f"teacher_weight is {weight}"):
        nlp.add_pipe("lstm_tagger", config={"teacher_weight": weight})

"""Gold tags to codes, codes to loss and gradient."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import NumpyOps, SequenceCategoricalCrossentropy

from spacy_lstm_tagger.outputs.output import MISSING, NEGATED
from spacy_lstm_tagger.outputs.tag import TagOutput
from spacy_lstm_tagger.training.alignment import aligned_values
from spacy_lstm_tagger.training.loss import hard_gradient
from spacy_lstm_tagger.training.rehearsal import rehearsal_gradient

LABELS = ["J", "N", "V"]
OPS = NumpyOps()


def example(tags: list[str], words: list[str] | None = None) -> Example:
    vocab = Vocab()
    gold_words = [f"w{i}" for i in range(len(tags))] if words is None else words
    predicted = [f"w{i}" for i in range(len(tags))] if words is None else ["hates", "eggs"]
    if not words and not tags:
        return Example(Doc(vocab), Doc(vocab))
    return Example.from_dict(Doc(vocab, words=predicted), {"words": gold_words, "tags": tags})


def tag_codes(
    examples: list[Example],
    labels: list[str] = LABELS,
    prefix: str | None = "!",
    name: str = "tagger",
) -> numpy.ndarray:
    cfg = {"labels": labels, "neg_prefix": prefix}
    words = [token.text for eg in examples for token in eg.predicted]
    return TagOutput().codes(aligned_values(examples, "TAG"), words, cfg, name)["tag"]


def probabilities(n_tokens: int, n_labels: int, seed: int = 0) -> numpy.ndarray:
    scores = numpy.random.default_rng(seed).normal(size=(n_tokens, n_labels))
    return OPS.softmax(scores.astype("float32"))


def test_codes_are_label_indices_docs_one_after_another() -> None:
    codes = tag_codes([example(["V", "J"]), example([]), example(["N"])])
    assert_array_equal(codes, [2, 0, 1])


def test_empty_tag_is_missing() -> None:
    assert_array_equal(tag_codes([example(["", "N"])]), [MISSING, 1])


def test_misaligned_token_is_missing() -> None:
    misaligned = example(["V", "V", "N"], ["hate", "s", "eggs"])
    codes = tag_codes([example(["N"]), misaligned])
    assert codes[0] == 1
    assert codes[2] == 1
    # two gold tokens that agree may count as their tag, two that do not are missing
    disagreeing = example(["V", "J", "N"], ["hate", "s", "eggs"])
    assert_array_equal(tag_codes([disagreeing]), [MISSING, 1])


def test_negated_tags_have_codes_of_their_own() -> None:
    codes = tag_codes([example(["!J", "!V"])])
    assert_array_equal(codes, [NEGATED, NEGATED - 2])


def test_label_wins_over_negation() -> None:
    assert_array_equal(tag_codes([example(["!N"])], ["!N", "N"]), [0])


@pytest.mark.parametrize("prefix", [None, ""])
def test_without_prefix_nothing_is_negated(prefix: str | None) -> None:
    with pytest.raises(ValueError, match=r"\['!N'\]"):
        tag_codes([example(["!N"])], LABELS, prefix)


def test_unseen_tags_are_named() -> None:
    message = r"\[my_tagger\] The gold tags \['A', 'Q'\] are not among the component's labels"
    with pytest.raises(ValueError, match=message):
        tag_codes([example(["Q", "N", "A", "Q"])], name="my_tagger")


def test_no_examples_have_no_codes() -> None:
    codes = tag_codes([])
    assert codes.shape == (0,)
    assert codes.dtype == "int64"


def test_gradient_is_probabilities_less_truth() -> None:
    rows = numpy.asarray([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]], dtype="float32")
    gradient = hard_gradient(rows, numpy.asarray([1, 2]), 0.0)
    assert_allclose(gradient, [[0.2, -0.5, 0.3], [0.1, 0.1, -0.2]], atol=1e-6)
    assert gradient.dtype == "float32"


def test_missing_tag_has_no_gradient() -> None:
    gradient = hard_gradient(probabilities(2, 3), numpy.full(2, MISSING), 0.1)
    assert not gradient.any()


def test_negated_tag_pushes_its_own_score_down_alone() -> None:
    rows = probabilities(1, 3)
    gradient = hard_gradient(rows, numpy.asarray([NEGATED - 1]), 0.1)
    assert_allclose(gradient, [[0.0, rows[0, 1], 0.0]])


def test_smoothing_spreads_its_share_over_the_other_labels() -> None:
    rows = numpy.asarray([[0.05, 0.9, 0.05]], dtype="float32")
    gradient = hard_gradient(rows, numpy.asarray([1]), 0.1)
    assert_allclose(gradient, numpy.zeros((1, 3)), atol=1e-6)


def test_smoothing_of_one_label_is_none() -> None:
    gradient = hard_gradient(numpy.ones((2, 1), "float32"), numpy.zeros(2, int), 0.1)
    assert not gradient.any()


def test_no_tokens_have_no_gradient() -> None:
    empty = numpy.zeros((0, 3), dtype="float32")
    gradient = hard_gradient(empty, numpy.zeros(0, dtype="int64"), 0.1)
    assert gradient.shape == (0, 3)


@given(
    st.lists(st.sampled_from([*LABELS, None]), min_size=1, max_size=8),
    st.sampled_from([0.0, 0.05, 0.3]),
)
def test_gradient_is_that_of_the_stock_tagger(tags: list[str | None], smoothing: float) -> None:
    check_against_stock(tags, smoothing)


@given(st.lists(st.sampled_from([*LABELS, "!J", "!N", "!V", None]), min_size=1, max_size=8))
def test_gradient_of_negation_is_that_of_the_stock_tagger(tags: list[str | None]) -> None:
    check_against_stock(tags, 0.0)  # with label smoothing the stock loss refuses negation


def check_against_stock(tags: list[str | None], smoothing: float) -> None:
    rows = probabilities(len(tags), 3)
    stock = SequenceCategoricalCrossentropy(
        names=LABELS, normalize=False, neg_prefix="!", label_smoothing=smoothing
    )
    (expected,), expected_loss = stock([rows.copy()], [tags])
    codes = tag_codes([example([tag or "" for tag in tags])])
    gradient = hard_gradient(rows, codes, smoothing)
    assert_allclose(gradient, expected, atol=1e-6)
    # what the component reports as its loss
    assert float((gradient**2).sum()) == pytest.approx(float(expected_loss), rel=1e-4, abs=1e-6)


def test_gradient_is_that_of_torchs_cross_entropy() -> None:
    import torch

    logits = torch.randn(4, 3, requires_grad=True)
    codes = torch.tensor([2, 0, 1, 1])
    torch.nn.functional.cross_entropy(logits, codes, reduction="sum").backward()
    rows = torch.softmax(logits.detach(), dim=1).numpy()
    gradient = hard_gradient(rows, codes.numpy(), 0.0)
    assert_allclose(gradient, logits.grad, atol=1e-6)


def test_rehearsal_leaves_added_labels_out() -> None:
    scores = numpy.asarray([[0.5, 0.2, 0.3, 0.6, 0.4]])  # three tags, two parts of speech
    wanted = numpy.asarray([[0.6, 0.4, 0.9, 0.1]])  # when there were two tags
    now, then = {"tag": 3, "pos": 2}, {"tag": 2, "pos": 2}
    assert_allclose(rehearsal_gradient(scores, wanted, now, then), [[-0.1, -0.2, 0.3, -0.3, 0.3]])
    tags = rehearsal_gradient(scores[:, :3], wanted[:, :2], {"tag": 3}, {"tag": 2})
    assert_allclose(tags, [[-0.1, -0.2, 0.3]])
    assert not rehearsal_gradient(scores, scores, now, now).any()

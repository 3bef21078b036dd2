"""Gold tags to the gradient of the tag scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy
from spacy.training import Example
from thinc.api import Ops, get_array_module
from thinc.types import Floats2d, Ints1d

from .soft_targets import SoftTargets, same_tokens

MISSING = -1
"""Code of a token without a gold tag: empty, misaligned or not annotated."""

NEGATED = -2
"""Codes from here downwards say what a token's tag is not: label i is `NEGATED - i`."""


def tag_codes(
    examples: Iterable[Example], labels: Sequence[str], neg_prefix: str | None, name: str
) -> Ints1d:
    """Codes of the gold tags, aligned to the predicted tokens, docs one after another.

    A tag that is a label is that label, even if it begins with `neg_prefix` (some treebanks
    have a tag "!"). Any other tag that begins with it says what the tag is not.

    Raises ValueError for a tag that is neither.
    """
    codes: dict[Any, int] = {}
    if neg_prefix:
        codes.update((f"{neg_prefix}{label}", NEGATED - i) for i, label in enumerate(labels))
    codes.update((label, i) for i, label in enumerate(labels))
    codes.update({None: MISSING, "": MISSING})
    tags = [tag for eg in examples for tag in _gold_tags(eg)]
    try:
        return numpy.asarray([codes[tag] for tag in tags], dtype="int64")
    except KeyError:
        unseen = sorted({tag for tag in tags if tag not in codes})
        raise ValueError(
            f"[{name}] The gold tags {unseen} are not among the component's {len(labels)} labels. "
            "Add them with add_label(), or initialize with labels or examples that have them. "
            "Nothing was learned from this batch."
        ) from None


def _gold_tags(eg: Example) -> list[Any]:
    """The gold tag of every predicted token, None where tokens are misaligned."""
    if same_tokens(eg):
        return [token.tag_ for token in eg.reference]
    return eg.get_aligned("TAG", as_string=True)


def hard_gradient(
    probabilities: Floats2d, codes: Ints1d, label_smoothing: float, ops: Ops
) -> Floats2d:
    """Gradient of the cross-entropy with respect to the logits.

    probabilities: softmax of the logits, shape (n_tokens, n_labels).
    codes: see `tag_codes`, shape (n_tokens,).
    label_smoothing: share of the gold probability spread over the other labels, 0 up to 1.
    Returns shape (n_tokens, n_labels).
    """
    xp = ops.xp
    n_labels = probabilities.shape[1]
    smoothing = label_smoothing if n_labels > 1 else 0.0
    gold, negated = numpy.flatnonzero(codes >= 0), numpy.flatnonzero(codes <= NEGATED)
    gold_labels, negated_labels = xp.asarray(codes[gold]), xp.asarray(NEGATED - codes[negated])
    gold, negated = xp.asarray(gold), xp.asarray(negated)
    gradient = ops.alloc2f(*probabilities.shape)
    gradient[gold] = probabilities[gold] - smoothing / max(n_labels - 1, 1)
    gradient[gold, gold_labels] = probabilities[gold, gold_labels] - (1.0 - smoothing)
    gradient[negated, negated_labels] = probabilities[negated, negated_labels]
    return gradient


def rehearsal_gradient(scores: Floats2d, wanted: Floats2d, n_tags: int) -> Floats2d:
    """Gradient towards what an earlier state of the model predicted.

    scores, wanted: probabilities of tags, and behind them of parts of speech if any, shape
        (n_tokens, n_scores). Tags may have been added since: their columns are missing in `wanted`.
    n_tags: number of tags in `scores`.
    """
    gradient = scores.copy()
    n_wanted = n_tags - (scores.shape[1] - wanted.shape[1])
    gradient[:, :n_wanted] -= wanted[:, :n_wanted]
    gradient[:, n_tags:] -= wanted[:, n_wanted:]
    return gradient


def add_soft_targets(
    gradient: Floats2d, probabilities: Floats2d, codes: Ints1d, soft: SoftTargets, weight: float
) -> None:
    """Mix the gradient towards a teacher's probabilities into that towards the gold tags.

    gradient, probabilities, codes: see `hard_gradient`; the gradient is altered.
    soft: the teacher's probabilities.
    weight: their share, the rest being the gold tag's, from 0 to 1. A token without a gold tag
        learns from the teacher alone.
    """
    if not len(soft.rows):
        return
    xp = get_array_module(gradient)
    share = numpy.where(codes[soft.rows] == MISSING, 1.0, weight).astype("float32")[:, None]
    rows, share = xp.asarray(soft.rows), xp.asarray(share)
    towards = probabilities[rows] - xp.asarray(soft.probabilities)
    gradient[rows] += share * (towards - gradient[rows])

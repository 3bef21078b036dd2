"""Tag probabilities of any of spaCy's taggers, and how far to trust them.

Source: temperature and expected calibration error, Guo et al. 2017
(https://arxiv.org/abs/1706.04599).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy
from spacy.pipeline.tagger import Tagger
from spacy.tokens import Doc
from thinc.types import Floats1d, Floats2d, Ints1d

from ..outputs.pos import PARTS_OF_SPEECH, predicts_pos


class Scores(NamedTuple):
    """What a model makes of docs: one array for each, unnormalized log-probabilities.

    tags: shape (n_tokens, n_labels).
    pos: of parts of speech, shape (n_tokens, n_pos); None where the model has no such output.
    """

    tags: list[Floats2d]
    pos: list[Floats2d] | None


def tag_probabilities(tagger: Tagger, docs: Sequence[Doc]) -> list[Floats2d]:
    """The probability of every label for every token, without modifying the docs.

    Returns one array of shape (n_tokens, n_labels) for each doc, columns in the order of the
    tagger's labels, rows summing to 1.
    """
    return probabilities_of(tagger, score_tokens(tagger, docs).tags)


def score_tokens(tagger: Tagger, docs: Sequence[Doc]) -> Scores:
    """Score every token of docs, without modifying them."""
    ops, n_tags = tagger.model.ops, len(tagger.labels)
    n_pos = len(PARTS_OF_SPEECH) if predicts_pos(tagger.model) else 0
    if not any(len(doc) for doc in docs):
        arrays = [ops.alloc2f(0, n_tags + n_pos) for doc in docs]
    else:
        arrays = tagger.model.predict(docs)
    if not n_pos:
        return Scores(arrays, None)
    return Scores([rows[:, :n_tags] for rows in arrays], [rows[:, n_tags:] for rows in arrays])


def probabilities_of(tagger: Tagger, scores: list[Floats2d]) -> list[Floats2d]:
    """The probabilities of tags that the tagger has scored. See `tag_probabilities`.

    A `temperature` in the tagger's `cfg` divides the scores.
    """
    ops = tagger.model.ops
    output = tagger.model.maybe_get_ref("output_layer")
    if output is not None and output.attrs.get("softmax_normalize"):
        return scores  # spacy.Tagger.v2 with normalize = true
    temperature = tagger.cfg.get("temperature", 1.0)
    together = ops.flatten(scores)
    if not len(together):
        return scores
    return ops.unflatten(softmax(ops.xp, together / temperature), [len(rows) for rows in scores])


def softmax(xp: Any, scores: Floats2d) -> Floats2d:
    """The probabilities of unnormalized log-probabilities, shape (n_tokens, n_labels)."""
    exponentials = xp.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def fit_temperature(scores: Floats2d, gold: Ints1d) -> float:
    """The temperature at which gold tags are most probable, found by golden-section search.

    scores: unnormalized log-probabilities, shape (n_tokens, n_labels).
    gold: column of each token's gold tag, shape (n_tokens,).
    Returns a temperature from 0.05 to 20.
    """
    rows = numpy.arange(len(gold))

    def cost(log_temperature: float) -> float:
        scaled = scores.astype("float64") / numpy.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        return float((numpy.log(numpy.exp(scaled).sum(axis=1)) - scaled[rows, gold]).mean())

    low, high = numpy.log(0.05), numpy.log(20.0)
    ratio = (numpy.sqrt(5.0) - 1) / 2
    while high - low > 1e-4:
        one, other = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, other) if cost(one) < cost(other) else (one, high)
    return float(numpy.exp((low + high) / 2))


def calibration_error(probabilities: Floats2d, gold: Ints1d, *, bins: int = 15) -> float:
    """Expected calibration error of the most probable tags: 0 for perfect, at most 1.

    Mean distance between how probable tags are said to be and how often they are right, over
    bins of equal width, weighted by the tokens in each.
    probabilities: shape (n_tokens, n_labels).
    gold: column of each token's gold tag, shape (n_tokens,).
    """
    right = probabilities.argmax(axis=1) == gold
    n, said, found = binned(probabilities.max(axis=1), right, bins=bins)
    return float(numpy.abs(said - found).sum() / n.sum())


def binned(
    confidence: Floats1d, right: numpy.ndarray, *, bins: int
) -> tuple[Ints1d, Floats1d, Floats1d]:
    """Tokens in bins of equal width by how probable their tags are said to be.

    confidence: from 0 to 1, shape (n_tokens,).
    right: whether each tag is right, shape (n_tokens,).
    Returns three arrays of shape (bins,): the number of tokens, the sum of their confidences, and
    how many of their tags are right.
    """
    bin_ = numpy.minimum((confidence * bins).astype(int), bins - 1)
    return (
        numpy.bincount(bin_, minlength=bins),
        numpy.bincount(bin_, weights=confidence, minlength=bins),
        numpy.bincount(bin_, weights=right, minlength=bins),
    )

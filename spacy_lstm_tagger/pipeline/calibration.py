"""Calibration of probabilities: fit a temperature, measure the calibration error.

Source: temperature and expected calibration error, Guo et al. 2017
(https://arxiv.org/abs/1706.04599).
"""

from __future__ import annotations

import numpy

from ..arrays import Floats1d, Floats2d, Ints1d

BINS = 15
"""Bins of probabilities, of equal width."""


def fit_temperature(scores: Floats2d, gold: Ints1d) -> float:
    """Return the temperature at which gold tags are most probable, by golden-section search.

    scores: logits, shape (n_tokens, n_labels).
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


def calibration_error(probabilities: Floats2d, gold: Ints1d, *, bins: int = BINS) -> float:
    """Return the expected calibration error of the most probable tags: 0 is perfect, at most 1.

    Mean distance between how probable tags are said to be and how often they are right, over
    bins of equal width, weighted by the tokens in each.
    probabilities: shape (n_tokens, n_labels).
    gold: column of each token's gold tag, shape (n_tokens,).
    """
    right = probabilities.argmax(axis=1) == gold
    n, confidence, accuracy = binned(probabilities.max(axis=1), right, bins=bins)
    return float(numpy.abs(confidence - accuracy).sum() / n.sum())


def binned(
    confidence: Floats1d, right: numpy.ndarray, *, bins: int = BINS
) -> tuple[Ints1d, numpy.ndarray, numpy.ndarray]:
    """Sort tokens into bins of equal width by how probable their tags are said to be.

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

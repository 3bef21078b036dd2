"""Confidence intervals of shares, by bootstrap over sentences.

Errors in the same sentence depend on each other, so whole sentences are drawn.
Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (percentiles).
"""

from __future__ import annotations

import numpy

from ..arrays import Floats1d, Floats2d

RESAMPLES = 1000
SEED = 0
LEVEL = 0.95

AT_ONCE = 4_000_000
"""Maximum number of sentences drawn at a time: 32 MB."""


def resampled_shares(right: numpy.ndarray, n: numpy.ndarray) -> Floats2d:
    """Return the shares of right tokens in samples of sentences, drawn with replacement.

    The same number of sentences gives the same samples, so that two taggers can be compared.

    right, n: numbers of right and of all tokens, by sentence and by kind of token, shape
        (n_sentences, n_kinds).
    Returns shape (RESAMPLES, n_kinds), NaN if a sample has no token of a kind.
    """
    n_sentences, n_kinds = n.shape
    values = numpy.hstack([right, n]).astype("float64")
    generator = numpy.random.default_rng(SEED)
    step = max(1, AT_ONCE // n_sentences)
    sums = numpy.empty((RESAMPLES, 2 * n_kinds))
    for start in range(0, RESAMPLES, step):
        part = sums[start : start + step]
        drawn = generator.integers(0, n_sentences, (len(part), n_sentences))
        cells = (drawn + n_sentences * numpy.arange(len(part))[:, None]).reshape(-1)
        times = numpy.bincount(cells, minlength=len(part) * n_sentences)
        part[:] = times.reshape(len(part), n_sentences).astype("float64") @ values
    right_drawn, n_drawn = sums[:, :n_kinds], sums[:, n_kinds:]
    shares = numpy.full((RESAMPLES, n_kinds), numpy.nan)
    return numpy.divide(right_drawn, n_drawn, out=shares, where=n_drawn > 0)


def interval(values: Floats1d) -> tuple[float, float]:
    """Return the interval that holds the middle 95 % of the values.

    values: numbers; NaN is left out. At least one must not be NaN.
    """
    known = values[numpy.isfinite(values)]
    low, high = numpy.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)

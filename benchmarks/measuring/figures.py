"""Means with standard deviations, and the exact McNemar test."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple


def mean_sd(values: Sequence[float], digits: int = 2) -> str:
    """Format the mean and the sample standard deviation; only the mean of a single value."""
    if not values:
        return "–"
    mean = f"{statistics.fmean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


class McNemar(NamedTuple):
    """Result of a McNemar test.

    only_first, only_second: Numbers of words that only one of the two taggers gets right.
    p: p-value of the test.
    """

    only_first: int
    only_second: int
    p: float


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> McNemar:
    """Test whether two taggers have the same accuracy on the same words.

    The test is exact and two-sided. Under that hypothesis, of the n words on which only one tagger
    is right, the first is right on k words, with k ~ Binomial(n, 1/2).

    Source: McNemar 1947 (https://doi.org/10.1007/BF02295996).
    first, second: Whether each tagger is right on each word.
    RAISES ValueError: If the taggers were not scored on the same number of words.
    """
    pairs = list(zip(first, second, strict=True))
    only_first = sum(a and not b for a, b in pairs)
    only_second = sum(b and not a for a, b in pairs)
    n = only_first + only_second
    tail = sum(math.comb(n, k) for k in range(min(only_first, only_second) + 1))
    return McNemar(only_first, only_second, min(1.0, 2 * tail / 2**n))

"""Reliability of a tagger's probabilities: which share of tags of one probability is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from ..pipeline.calibration import BINS, binned
from .answers import Answers
from .shares import Marks


@dataclass(frozen=True)
class Bin:
    """Bin of tags with a probability from `low` to `high`.

    n: number of tags in the bin.
    confidence, accuracy: mean probability and share of right tags; None if the bin is empty.
    """

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Reliability:
    """Reliability of probabilities.

    error: expected calibration error.
    confidence: mean probability of the tags.
    """

    error: float
    confidence: float
    bins: list[Bin]


def reliability_of(answers: Answers, marks: Marks) -> Reliability | None:
    """Return the reliability of a tagger's probabilities; None if it gives none."""
    if answers.confidence is None:
        return None
    known = marks.compared & numpy.isfinite(answers.confidence)
    if not known.any():
        return None
    confidence = answers.confidence[known]
    n, said, found = binned(confidence, marks.right[known])
    bins = [
        Bin(
            low=i / BINS,
            high=(i + 1) / BINS,
            n=int(n[i]),
            confidence=float(said[i] / n[i]) if n[i] else None,
            accuracy=float(found[i] / n[i]) if n[i] else None,
        )
        for i in range(BINS)
    ]
    error = float(numpy.abs(said - found).sum() / n.sum())
    return Reliability(error, float(confidence.mean()), bins)

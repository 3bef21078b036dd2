"""Latency of single texts: how long most calls take, and the slowest of a hundred."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy
from spacy.language import Language

from spacy_lstm_tagger.features.form_cache import FormCache


class Latency(NamedTuple):
    """Seconds that a call takes.

    p50: Median.
    p99: Time within which 99 % of the calls end.
    """

    p50: float
    p99: float


def latencies(
    taggers: dict[str, Language],
    text: str,
    *,
    calls: int,
    before: Callable[[Language], None] | None = None,
) -> dict[str, Latency]:
    """Return the latency of each pipeline on one text. They take turns, 50 calls at a time.

    calls: Number of calls of each, after a turn to warm up.
    before: Called with the pipeline before every call, outside of the time that is measured.
    """
    turn = 50
    seconds: dict[str, list[float]] = {name: [] for name in taggers}
    for begin in range(-turn, calls, turn):
        for name, nlp in taggers.items():
            for _ in range(min(turn, calls - begin)):
                if before:
                    before(nlp)
                start = time.perf_counter()
                nlp(text)
                if begin >= 0:
                    seconds[name].append(time.perf_counter() - start)
    return {name: Latency(*numpy.percentile(times, [50, 99])) for name, times in seconds.items()}


def forget_forms(nlp: Language) -> None:
    """Make a tagger forget the embeddings of word forms that it keeps, as if all were new."""
    for _, component in nlp.pipeline:
        for node in component.model.walk():
            for shim in node.shims:
                if isinstance(cache := getattr(shim, "cache", None), FormCache):
                    cache._kept = FormCache(cache.capacity)._kept

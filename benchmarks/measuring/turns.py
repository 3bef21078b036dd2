"""Time several taggers in turns, so that all share the good and the bad times of a machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TypeVar

NameT = TypeVar("NameT")
TaggerT = TypeVar("TaggerT")


def take_turns(
    taggers: dict[NameT, TaggerT], make: Callable[[TaggerT], Callable[[], object]], rounds: int
) -> dict[NameT, float]:
    """Return the median seconds of each tagger.

    make: Function from a tagger to the function to time. It is called before every turn, outside
        of the time that is measured.
    rounds: Number of turns of each tagger, after one to warm up.
    """
    seconds: dict[NameT, list[float]] = {name: [] for name in taggers}
    for round_ in range(rounds + 1):  # the first round is to warm up
        for name, tagger in taggers.items():
            run = make(tagger)
            start = time.perf_counter()
            run()
            if round_:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}

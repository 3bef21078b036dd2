"""Cache of the embeddings of word forms, for as long as the weights stay as they are."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

from ..arrays import Floats2d, Ints1d

CAPACITY = 20_000
"""Most distinct forms kept: 27 MB for the 340 numbers a form of the default settings."""


class Kept(NamedTuple):
    """Rows at one time; new ones are only ever written behind those in `places`.

    places: hash of each form to its row.
    rows: shape (capacity, width), or (0, 0) as long as nothing is kept.
    """

    places: dict[int, int]
    rows: Floats2d


class FormCache:
    """Embeddings of distinct word forms by the forms' hashes, at most `capacity` of them.

    Hashes outlive the strings that they are made of, so nothing here refers to memory that
    `nlp.memory_zone()` gives back. A full cache starts again from nothing. Threads may share a
    cache: they never wait for one another, and at worst compute a row twice. If the weights change,
    take a new cache: a thread that is still using the old one must not write into the new one.

    hits, misses: how many keys were found and not found.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.hits = self.misses = 0
        self._lock = threading.Lock()
        self._kept = Kept({}, numpy.zeros((0, 0), dtype="float32"))

    def look_up(self, keys: numpy.ndarray, embed: Callable[[Ints1d], Floats2d]) -> Floats2d:
        """Return the rows of these keys, shape (n_keys, width).

        keys: hashes of forms, shape (n_keys,). A form of two vocabs may be there twice.
        embed: from indices of keys, shape (n,), to their rows, shape (n, width); called for those
            that are not kept.
        """
        places, rows = self._kept  # other threads may replace either meanwhile
        found = numpy.asarray([places.get(key, -1) for key in keys.tolist()], dtype="int64")
        missing = numpy.flatnonzero(found < 0)
        self.hits += len(keys) - len(missing)
        self.misses += len(missing)
        if not len(missing):
            return rows[found]
        made = embed(missing)
        result = numpy.empty((len(keys), made.shape[1]), dtype=made.dtype)
        result[missing] = made
        known = found >= 0
        if known.any():
            result[known] = rows[found[known]]
        self._keep(keys[missing].tolist(), made)
        return result

    def _keep(self, keys: list[int], made: Floats2d) -> None:
        """Add rows, unless another thread is adding some."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            places, rows = self._kept
            distinct = {key: i for i, key in enumerate(keys) if key not in places}
            new = list(distinct.values())[: self.capacity]
            begin = len(places)
            if begin + len(new) > len(rows):  # full, or still without rows
                rows = numpy.empty((self.capacity, made.shape[1]), dtype=made.dtype)
                places, begin = {}, 0
            rows[begin : begin + len(new)] = made[new]
            places.update((keys[i], begin + n) for n, i in enumerate(new))
            self._kept = Kept(places, rows)
        finally:
            self._lock.release()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.capacity,)  # rows are cheap to make again, and a lock stays here

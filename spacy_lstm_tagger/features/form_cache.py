"""What the network makes of a word alone, kept for the next time the word occurs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

import numpy
from thinc.types import Floats2d, Ints1d

CAPACITY = 20_000
"""Most distinct forms kept: 27 MB for the 340 numbers a form of the default settings."""


class Kept(NamedTuple):
    """Rows at one time; new ones are only ever written behind those in `places`.

    places: hash of each form to its row.
    rows: shape (capacity, width), or (0, 0) as long as nothing is kept.
    """

    places: dict[int, int]
    rows: Floats2d


class Shelf:
    """What is kept until the weights change, and the lock of those who add to it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.kept = Kept({}, numpy.zeros((0, 0), dtype="float32"))


class FormTable:
    """Rows of distinct word forms by the forms' hashes, at most `capacity` of them.

    Hashes outlive the strings that they are made of, so nothing here refers to memory that
    `nlp.memory_zone()` gives back. A full table starts anew. Threads may share a table: they
    never wait for one another, and at worst make a row twice.

    hits, misses: how many keys were found and not found since the weights changed.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.clear()

    def clear(self) -> None:
        """Forget all rows, because the weights that made them have changed."""
        self._shelf = Shelf()
        self.hits = self.misses = 0

    def look_up(self, keys: numpy.ndarray, make: Callable[[Ints1d], Floats2d]) -> Floats2d:
        """The rows of these keys, shape (n_keys, width).

        keys: hashes of distinct forms, shape (n_keys,).
        make: from indices of keys, shape (n,), to their rows, shape (n, width); called for those
            that are not kept.
        """
        shelf = self._shelf
        places, rows = shelf.kept  # other threads may replace either meanwhile
        found = numpy.asarray([places.get(key, -1) for key in keys.tolist()], dtype="int64")
        missing = numpy.flatnonzero(found < 0)
        self.hits += len(keys) - len(missing)
        self.misses += len(missing)
        if not len(missing):
            return rows[found]
        made = make(missing)
        result = numpy.empty((len(keys), made.shape[1]), dtype=made.dtype)
        result[missing] = made
        known = found >= 0
        if known.any():
            result[known] = rows[found[known]]
        self._keep(shelf, keys[missing].tolist(), made)
        return result

    def _keep(self, shelf: Shelf, keys: list[int], made: Floats2d) -> None:
        """Add rows to a shelf, unless another thread is at it."""
        if not shelf.lock.acquire(blocking=False):
            return
        try:
            places, rows = shelf.kept
            new = [i for i, key in enumerate(keys) if key not in places][: self.capacity]
            begin = len(places)
            if begin + len(new) > len(rows):  # full, or still without rows
                rows = numpy.empty((self.capacity, made.shape[1]), dtype=made.dtype)
                places, begin = {}, 0
            rows[begin : begin + len(new)] = made[new]
            places.update((keys[i], begin + n) for n, i in enumerate(new))
            shelf.kept = Kept(places, rows)
        finally:
            shelf.lock.release()

    def __reduce__(self) -> tuple:
        return type(self), (self.capacity,)  # rows are cheap to make again, and a lock stays here

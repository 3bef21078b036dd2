"""Scores of the tokens of a batch, as outputs read them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import accumulate
from typing import NamedTuple

import numpy

from ..arrays import Floats1d, Floats2d, Ints1d


class DeferredLayer(NamedTuple):
    """Output layer of the deferred blocks.

    weight: shape (n_columns, state_width).
    bias: shape (n_columns,).
    """

    weight: Floats2d
    bias: Floats1d


class Scores:
    """Scores of tokens, docs one after another, in blocks of columns.

    Blocks of many columns may be deferred: a model gives a few numbers for each token in their
    place, its state, from which those scores are computed that are needed.

    rows: scores of the other blocks and then states, shape (n_tokens, n).
    columns: number of columns of each block.
    deferred: names of the blocks that are deferred, the last of `columns`.
    layer: needed if there are any.
    """

    def __init__(
        self,
        rows: Floats2d,
        columns: Mapping[str, int],
        deferred: Collection[str] = (),
        layer: DeferredLayer | None = None,
    ) -> None:
        self._rows, self._layer = rows, layer
        self._places = _places({k: n for k, n in columns.items() if k not in deferred})
        self._deferred = _places({k: n for k, n in columns.items() if k in deferred})

    def __len__(self) -> int:
        return len(self._rows)

    def block(self, name: str) -> Floats2d:
        """Return the scores of a block for all tokens, a view of shape (n_tokens, n_columns)."""
        return self._rows[:, self._places[name]]

    def deferred(self, name: str, tokens: Ints1d, columns: Ints1d | None = None) -> Floats2d:
        """Compute scores of a deferred block, shape (n, n_columns).

        tokens: indices of the tokens that need them, shape (n,).
        columns: indices of the columns of the block that are needed, None for all.
        """
        place = self._deferred[name]
        if not len(tokens):
            n = place.stop - place.start if columns is None else len(columns)
            return numpy.zeros((0, n), dtype="float32")
        assert self._layer is not None
        start = max((place.stop for place in self._places.values()), default=0)
        states = numpy.maximum(self._rows[tokens, start:], 0.0)
        weight, bias = (
            values[place] if columns is None else values[place.start + columns]
            for values in self._layer
        )
        return states @ weight.T + bias


def _places(columns: Mapping[str, int]) -> dict[str, slice]:
    ends = accumulate(columns.values())
    return {name: slice(end - n, end) for (name, n), end in zip(columns.items(), ends, strict=True)}

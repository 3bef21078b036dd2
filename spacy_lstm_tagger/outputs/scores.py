"""Scores of the tokens of a batch, as outputs read them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy

from ..arrays import Floats2d, Ints1d

ScoreDeferred = Callable[[Floats2d], Floats2d]
"""From states of tokens, shape (n_tokens, state_width), to the scores of all deferred blocks."""


class Scores:
    """Scores of tokens, docs one after another, in blocks of columns.

    Blocks of many columns may be deferred: a model gives a few numbers for each token in their
    place, its state, from which they are computed for the tokens that need them.

    rows: scores of the other blocks and then states, shape (n_tokens, n).
    columns: number of columns of each block.
    deferred: names of the blocks that are deferred, the last of `columns`.
    score_deferred: needed if there are any.
    """

    def __init__(
        self,
        rows: Floats2d,
        columns: Mapping[str, int],
        deferred: Collection[str] = (),
        score_deferred: ScoreDeferred | None = None,
    ) -> None:
        self._rows, self._score_deferred = rows, score_deferred
        self._places = _places({k: n for k, n in columns.items() if k not in deferred})
        self._deferred = _places({k: n for k, n in columns.items() if k in deferred})

    def __len__(self) -> int:
        return len(self._rows)

    def block(self, name: str) -> Floats2d:
        """Return the scores of a block for all tokens, a view of shape (n_tokens, n_columns)."""
        return self._rows[:, self._places[name]]

    def blocks(self, names: Collection[str]) -> Floats2d:
        """Return the scores of neighbouring blocks side by side, a view."""
        places = [self._places[name] for name in names]
        return self._rows[:, places[0].start : places[-1].stop]

    def deferred(self, name: str, tokens: Ints1d) -> Floats2d:
        """Compute the scores of a deferred block for some tokens, shape (n, n_columns)."""
        assert self._score_deferred is not None
        states = self._rows[tokens, max((p.stop for p in self._places.values()), default=0) :]
        return self._score_deferred(states)[:, self._deferred[name]]


def _places(columns: Mapping[str, int]) -> dict[str, slice]:
    ends = numpy.cumsum(list(columns.values())).tolist()
    return {name: slice(end - n, end) for (name, n), end in zip(columns.items(), ends, strict=True)}

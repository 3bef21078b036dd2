"""Recurrent layers over padded batches of sequences, as plain PyTorch modules.

Knows torch alone. Sequences come in padded batches that say how to reverse them (see `windows`), so
that padding is never read before a sequence: its output does not depend on the other sequences of
its batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

UNCHANGED = nn.Identity()

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class PaddedBatch(NamedTuple):
    """Sequences that are read in step, the shorter ones padded at their end.

    items: row of the input at each place, shape (longest, n_sequences).
    reversal: the place that a reader from each sequence's end finds at each place,
        shape (longest * n_sequences,). None if all are of one length.
    """

    items: Tensor
    reversal: Tensor | None


class RecurrentLayer(nn.Module):
    """One recurrent layer; the second direction, if any, reads every sequence from its end.

    Each direction is a layer of its own: torch's bidirectional layer reads padding before the
    sequence, or wants packed sequences, and then training takes time that grows with the square
    of their length (torch 2.13 fills a gradient of the block's size with zeros at every step).

    input_width: numbers in an input row.
    width: numbers in an output row, both directions together.
    cell: "lstm", "gru" or "rnn".
    bidirectional: whether to read in both directions, with half of the width for each.
    """

    def __init__(self, *, input_width: int, width: int, cell: str, bidirectional: bool) -> None:
        super().__init__()
        hidden = width // 2 if bidirectional else width
        self.forwards = CELLS[cell](input_width, hidden)
        self.backwards = CELLS[cell](input_width, hidden) if bidirectional else None

    def forward(self, X: Tensor, reversal: Tensor | None) -> Tensor:
        """Read a padded batch, shape (longest, n_sequences, input_width) to (..., width)."""
        Y, *from_end = self.read(X, reversal)
        return torch.cat([Y, *(reverse(half, reversal) for half in from_end)], dim=2)

    def read(self, X: Tensor, reversal: Tensor | None) -> list[Tensor]:
        """Return the output of each direction, in the order in which it read."""
        if self.backwards is None:
            return [self.forwards(X)[0]]
        return [self.forwards(X)[0], self.backwards(reverse(X, reversal))[0]]


def reverse(X: Tensor, reversal: Tensor | None) -> Tensor:
    """Reverse every sequence in its own length, shape (longest, n_sequences, width)."""
    if reversal is None:
        return X.flip(0)
    return X.flatten(0, 1).index_select(0, reversal).view(X.shape)


class RecurrentEncoder(nn.Module):
    """Recurrent layers over padded batches, dropout before each and after the last.

    depth: number of layers; for the rest see `RecurrentLayer`.
    """

    def __init__(
        self, *, input_width: int, width: int, depth: int, cell: str, bidirectional: bool
    ) -> None:
        super().__init__()
        self.width = width
        self.layers = nn.ModuleList(
            RecurrentLayer(
                input_width=width if i else input_width,
                width=width,
                cell=cell,
                bidirectional=bidirectional,
            )
            for i in range(depth)
        )

    def forward(
        self,
        X: Tensor,
        blocks: list[PaddedBatch],
        rows: Tensor,
        *,
        dropout: float,
        output: Callable[[Tensor], Tensor] = UNCHANGED,
    ) -> Tensor:
        """Encode the rows of `X`, shape (n_inputs, input_width), as sequences.

        Each block is read by itself, and `output` applied to its rows before the next is read: of
        a long doc only the narrow scores are ever in memory together. `rows` picks the output
        rows, shape (n_outputs,), from the blocks' outputs laid one after another. Returns shape
        (n_outputs, width), or what `output` makes of the width.
        """
        if not blocks:  # no tokens at all
            return output(X.new_zeros((0, self.width)) + X.sum())  # for the gradient's sake
        Ys = [output(self.encode(X, block, dropout)).flatten(0, 1) for block in blocks]
        Y = Ys[0] if len(Ys) == 1 else torch.cat(Ys)
        return Y.index_select(0, rows)

    def encode(self, X: Tensor, block: PaddedBatch, dropout: float) -> Tensor:
        """Encode one block of the rows of `X`. Returns shape (longest, n_sequences, width)."""
        X = F.embedding(block.items, X)  # (longest, n_sequences, input_width)
        for layer in self.layers:
            X = F.dropout(X, dropout, training=dropout > 0)
            X = layer(X, block.reversal)  # (longest, n_sequences, width)
        return F.dropout(X, dropout, training=dropout > 0)

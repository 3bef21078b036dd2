"""Recurrent layers over padded batches of sequences, as plain PyTorch modules.

Uses torch only. A padded batch says how to reverse its sequences (see `windows`), so that padding
is never read before a sequence. The output for a sequence does not depend on the other sequences of
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
    """Padded batch: sequences that are read in step, shorter ones padded at their end.

    items: row of the input at each place, shape (longest, n_sequences).
    reversal: place to read instead of each place, so that every sequence is read from its end,
        shape (longest * n_sequences,). None if all sequences have the same length.
    """

    items: Tensor
    reversal: Tensor | None


class RecurrentLayer(nn.Module):
    """Recurrent layer. Its second direction, if any, reads every sequence from its end.

    Each direction is a torch layer of its own. The bidirectional layer of torch either reads
    padding before a sequence or needs packed sequences. With packed sequences, training time grows
    with the square of their length: torch 2.13 fills a gradient as large as the whole batch with
    zeros at every step.

    input_width: width of an input row.
    width: width of an output row, both directions together.
    cell: "lstm", "gru" or "rnn".
    bidirectional: whether to read in both directions, each with half of the width.
    """

    def __init__(self, *, input_width: int, width: int, cell: str, bidirectional: bool) -> None:
        super().__init__()
        hidden = width // 2 if bidirectional else width
        self.forwards = CELLS[cell](input_width, hidden)
        self.backwards = CELLS[cell](input_width, hidden) if bidirectional else None
        self.projection: nn.Linear | None = None  # see `narrow_network`

    def forward(self, X: Tensor, reversal: Tensor | None) -> Tensor:
        """Encode a padded batch, shape (longest, n_sequences, input_width) to (..., width)."""
        Y, *from_end = self.read(X, reversal)
        return torch.cat([Y, *(reverse(half, reversal) for half in from_end)], dim=2)

    def read(self, X: Tensor, reversal: Tensor | None) -> list[Tensor]:
        """Return the output of each direction, in the order in which that direction reads."""
        if self.projection is not None:
            X = self.projection(X)
        if self.backwards is None:
            return [self.forwards(X)[0]]
        return [self.forwards(X)[0], self.backwards(reverse(X, reversal))[0]]


def reverse(X: Tensor, reversal: Tensor | None) -> Tensor:
    """Reverse every sequence within its own length, shape (longest, n_sequences, width)."""
    if reversal is None:
        return X.flip(0)
    return X.flatten(0, 1).index_select(0, reversal).view(X.shape)


def read_blocks(
    blocks: list[PaddedBatch], rows: Tensor, read: Callable[[PaddedBatch], Tensor]
) -> Tensor:
    """Return the output row of each token, shape (n_tokens, width).

    Without gradients, the output of a block is only kept until the next one.

    blocks: at least one.
    rows: index of each token's row in the outputs, laid one after another, shape (n_tokens,).
    read: from a block to the outputs at its places, shape (n_places, width).
    """
    if len(blocks) == 1:
        return read(blocks[0]).index_select(0, rows)
    if torch.is_grad_enabled():
        return torch.cat([read(block) for block in blocks]).index_select(0, rows)
    ordered, tokens = rows.sort()
    result: Tensor | None = None
    begin = first = 0
    for block in blocks:
        output = read(block)
        if result is None:
            result = output.new_empty((len(rows), output.shape[1]))
        last = int(torch.searchsorted(ordered, begin + len(output)))
        places = ordered[first:last] - begin
        result.index_copy_(0, tokens[first:last], output.index_select(0, places))
        begin, first = begin + len(output), last
    assert result is not None
    return result


class RecurrentEncoder(nn.Module):
    """Recurrent layers over padded batches, with dropout before each and after the last.

    depth: number of layers. For the other arguments, see `RecurrentLayer`.
    """

    def __init__(
        self, *, input_width: int, width: int, depth: int, cell: str, bidirectional: bool
    ) -> None:
        super().__init__()
        self.input_width, self.width = input_width, width
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
        """Encode sequences of rows of `X`.

        `output` is applied to each block before the next one is read. So only the narrow scores of
        a long doc are in memory all at once.

        X: input rows, shape (n_inputs, input_width).
        blocks: padded batches of rows of `X`.
        rows: index of each output row in the outputs of all blocks, laid one after another, shape
            (n_outputs,).
        dropout: dropout rate, at least 0 and less than 1.
        output: function of the rows of a block, such as an output layer.
        Returns shape (n_outputs, width), or the width that `output` gives.
        """
        if not blocks:  # no tokens at all
            return output(X.new_zeros((0, self.width)) + X.sum())  # so that X has a gradient
        return read_blocks(
            blocks, rows, lambda block: output(self.encode(X, block, dropout)).flatten(0, 1)
        )

    def encode(self, X: Tensor, block: PaddedBatch, dropout: float) -> Tensor:
        """Encode one block of the rows of `X`. Returns shape (longest, n_sequences, width)."""
        X = F.embedding(block.items, X)  # (longest, n_sequences, input_width)
        for layer in self.layers:
            X = F.dropout(X, dropout, training=dropout > 0)
            X = layer(X, block.reversal)  # (longest, n_sequences, width)
        return F.dropout(X, dropout, training=dropout > 0)

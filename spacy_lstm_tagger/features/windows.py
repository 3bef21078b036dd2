"""Lay out sequences of uneven length for a recurrent network: windows and padded batches.

Uses numpy only. A block is a padded batch: a recurrent layer reads all its sequences in step, one
position at a time. Sequences of similar length share a block, and shorter ones are padded at their
end. In either direction, padding is read after a sequence and never before it. So the scores of a
sequence do not depend on the other sequences of its block, in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy

from ..arrays import Floats2d, Ints1d, Ints2d

WINDOW = 512
"""Maximum number of tokens in a window. Longer docs are read in overlapping windows. With longer
windows, fewer tokens are read twice, but there are fewer sequences in a block."""

CONTEXT = 32
"""Tokens of context that a window reads on either side of the tokens that it decides on."""

BLOCK = 4096
"""Maximum number of places in a block, padding included. It bounds memory."""

SIMILAR = 0.8
"""A sequence shorter than this share of the block's longest one begins a new block, ..."""

GRID = 8
"""Number of lengths of coarse blocks from one power of two to the next: 16, 18, ... 30, 32."""

LEAST = 16
"""... unless the block has fewer sequences than this: a step costs as much for few as for many."""


class Block(NamedTuple):
    """Padded batch: sequences that are read in step.

    A place is a position in a sequence. Its number is `position * n_sequences + sequence`.

    items: index of the item at each place, shape (longest, n_sequences). Padding repeats the
        last item of its sequence.
    reversal: place to read instead of each place, so that every sequence is read from its end,
        shape (longest * n_sequences,). Padding stays in its place.
    lengths: number of items of each sequence, shape (n_read,). A coarse block (see `make_blocks`)
        may have more sequences behind these, which are padding altogether.
    sequences: index of each sequence among those given to `make_blocks`, shape (n_read,).
    """

    items: Ints2d
    reversal: Ints1d
    lengths: Ints1d
    sequences: Ints1d

    @property
    def ends(self) -> Ints1d:
        """Place of the last item of every sequence, shape (n_read,)."""
        return (self.lengths - 1) * self.items.shape[1] + numpy.arange(len(self.lengths))

    @property
    def even(self) -> bool:
        """Whether no sequence that is read has padding."""
        return bool(self.lengths.min() == len(self.items))


class Plan(NamedTuple):
    """Plan to read a batch of docs.

    blocks: padded batches to read, one after another.
    decided: what each block decides: the tokens and their places in it, shape (n_decided,) each.
    """

    blocks: list[Block]
    decided: list[tuple[Ints1d, Ints1d]]

    @property
    def n_tokens(self) -> int:
        """Number of tokens of all docs."""
        return sum(len(tokens) for tokens, _ in self.decided)

    def rows(self) -> Ints1d:
        """Return the row of each token in the outputs of all blocks, laid one after another."""
        rows = numpy.empty(self.n_tokens, dtype="int64")
        n_rows = 0
        for block, (tokens, places) in zip(self.blocks, self.decided, strict=True):
            rows[tokens] = n_rows + places
            n_rows += block.items.size
        return rows


def make_blocks(
    starts: Ints1d, lengths: Ints1d, *, block: int = BLOCK, coarse: bool = False
) -> list[Block]:
    """Lay out sequences of consecutive items in blocks, longest first; leave out empty ones.

    The number of sequences in a block is a power of two, except in the last block. This keeps the
    number of different shapes small: torch keeps a cache of about 170 kB a layer for each shape.

    starts: index of each sequence's first item, shape (n_sequences,).
    lengths: number of items of each sequence, shape (n_sequences,).
    block: maximum number of places in a block. A longer sequence has a block of its own.
    coarse: whether to pad blocks to few different lengths, and the last ones to a power of two of
        sequences as well, so that ever new texts do not make ever new shapes.
    """
    sequences = numpy.argsort(-lengths, kind="stable")[: numpy.count_nonzero(lengths)]
    falling = -lengths[sequences]
    blocks: list[Block] = []
    begin = 0
    while begin < len(sequences):
        longest = -int(falling[begin])
        similar = int(numpy.searchsorted(falling, -SIMILAR * longest, side="right"))
        end = min(max(similar, begin + LEAST), begin + max(block // longest, 1), len(sequences))
        if end < len(sequences) or (coarse and end - begin > LEAST):
            end = begin + _power_of_two(end - begin)
        new = _block(starts, lengths, sequences[begin:end])
        blocks.append(_coarse(new) if coarse else new)
        begin = end
    return blocks


def _coarse(block: Block) -> Block:
    """Return a block padded to a length of a coarse grid and a power of two of sequences."""
    longest, n = block.items.shape
    length, width = _grid_length(longest), 1 << (n - 1).bit_length()
    if (length, width) == (longest, n):
        return block
    items = numpy.pad(block.items, ((0, length - longest), (0, width - n)), mode="edge")
    reversal = numpy.arange(length * width, dtype="int64").reshape(length, width)
    positions, sequences = numpy.divmod(block.reversal.reshape(longest, n), n)
    reversal[:longest, :n] = positions * width + sequences
    return block._replace(items=items, reversal=reversal.reshape(-1))


def _grid_length(length: int) -> int:
    """Return the next length of the grid: `GRID` lengths from one power of two to the next."""
    step = max(1, (1 << (length - 1).bit_length() >> 1) // GRID)
    return -(-length // step) * step


def _power_of_two(n: int) -> int:
    """Return the largest power of two that is at most n."""
    return 1 << n.bit_length() - 1


def _block(starts: Ints1d, lengths: Ints1d, sequences: Ints1d) -> Block:
    n = lengths[sequences]
    positions = numpy.arange(int(n.max()))[:, None]
    items = starts[sequences] + numpy.minimum(positions, n - 1)
    from_end = numpy.where(positions < n, n - 1 - positions, positions)
    reversal = from_end * len(sequences) + numpy.arange(len(sequences))
    return Block(items, reversal.reshape(-1), n, sequences)


def plan_reading(
    lengths: Ints1d,
    *,
    window: int = WINDOW,
    context: int = CONTEXT,
    block: int = BLOCK,
    coarse: bool = False,
) -> Plan:
    """Return a plan to read docs in windows and padded batches.

    A doc of at most `window` tokens is read whole. The windows of a doc depend on its own length
    only, so its scores are the same alone and in any batch.

    lengths: number of tokens of each doc, shape (n_docs,).
    window: maximum number of tokens in a window.
    context: tokens that a window reads on either side of the tokens that it decides on.
    block, coarse: see `make_blocks`.
    """
    if len(lengths) == 1 and 0 < lengths[0] <= window:
        return _plan_for_one(lengths, coarse=coarse)
    windows = _cut(lengths, window, context)
    blocks = make_blocks(windows.starts, windows.sizes, block=block, coarse=coarse)
    decided: list[tuple[Ints1d, Ints1d]] = []
    for items, _, sizes, readers in blocks:
        places = numpy.arange(items.size).reshape(items.shape)[:, : len(readers)]
        read = items[:, : len(readers)]
        into = read - windows.decided[readers]
        decides = (into >= 0) & (into < windows.n_decided[readers])
        decides &= numpy.arange(len(items))[:, None] < sizes  # nothing is decided for padding
        decided.append((read[decides], places[decides]))
    return Plan(blocks, decided)


def _plan_for_one(lengths: Ints1d, *, coarse: bool) -> Plan:
    """Return the plan to read one doc whole: single sentences should not wait for a plan."""
    positions = numpy.arange(int(lengths[0]), dtype="int64")
    alone = Block(
        positions[:, None], positions[::-1].copy(), lengths, numpy.zeros(1, dtype="int64")
    )
    block = _coarse(alone) if coarse else alone
    return Plan([block], [(positions, positions)])


def read_blocks(plan: Plan, read: Callable[[Block], Floats2d]) -> Floats2d:
    """Return the output row of each token, shape (n_tokens, width).

    The output of a block is only kept until the next one: there is never more than one copy of a
    long doc's.

    plan: at least one block.
    read: from a block to the outputs at its places, shape (n_places, width).
    """
    result: Floats2d | None = None
    for block, (tokens, places) in zip(plan.blocks, plan.decided, strict=True):
        output = read(block)
        if result is None:
            result = numpy.empty((plan.n_tokens, output.shape[1]), dtype=output.dtype)
        result[tokens] = output[places]
    assert result is not None
    return result


class _Windows(NamedTuple):
    """Windows over docs: the tokens that each window reads, and the tokens that it decides on.

    starts, sizes: first token and number of tokens that a window reads, shape (n_windows,).
    decided, n_decided: first token and number of tokens that it decides on, shape (n_windows,).
    """

    starts: Ints1d
    sizes: Ints1d
    decided: Ints1d
    n_decided: Ints1d


def _cut(lengths: Ints1d, window: int, context: int) -> _Windows:
    """Return one window for a doc of at most `window` tokens, else overlapping windows."""
    stride = numpy.where(lengths > window, window - 2 * context, numpy.maximum(lengths, 1))
    n_windows = -(-lengths // stride)
    doc = numpy.repeat(numpy.arange(len(lengths)), n_windows)
    nth = numpy.arange(len(doc)) - numpy.repeat(numpy.cumsum(n_windows) - n_windows, n_windows)
    begin = nth * stride[doc]
    end = numpy.minimum(begin + stride[doc], lengths[doc])
    first = numpy.maximum(begin - context, 0)
    last = numpy.minimum(end + context, lengths[doc])
    offset = (numpy.cumsum(lengths) - lengths)[doc]
    return _Windows(offset + first, last - first, offset + begin, end - begin)

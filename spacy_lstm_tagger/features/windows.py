"""Order sequences of uneven length for a recurrent network: windows and blocks.

Knows numpy alone. A recurrent layer reads all sequences of a block in step, one position at a
time. Sequences of similar length share a block, the shorter ones padded at their end. Padding
is only ever read after a sequence, in whichever direction, so it never changes what is read of
the sequence itself: its scores do not depend on what else is in its block.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy

from ..arrays import Ints1d, Ints2d

WINDOW = 512
"""Most tokens in one sequence. Longer docs are read in overlapping windows: the longer these are,
the fewer tokens are read twice, but the fewer sequences there are in a block."""

CONTEXT = 32
"""Tokens that a window reads on either side of those it decides on."""

BLOCK = 4096
"""Most places in one block, padding included; bounds memory."""

SIMILAR = 0.8
"""Sequences shorter than this share of the longest one begin a new block, ..."""

LEAST = 16
"""... unless the block has fewer sequences than this: a step for few costs as much as for many."""


class Block(NamedTuple):
    """Sequences that are read in step.

    A place is a position of a sequence: place `position * n_sequences + sequence`.

    items: index of the item at each place, shape (longest, n_sequences). Padding repeats the
        last item of its sequence.
    reversal: the place that a reader from the end of each sequence finds there instead: padding
        stays in its place, shape (longest * n_sequences,).
    lengths: number of items of each sequence, shape (n_sequences,).
    sequences: which of the sequences given these are, shape (n_sequences,).
    """

    items: Ints2d
    reversal: Ints1d
    lengths: Ints1d
    sequences: Ints1d

    @property
    def ends(self) -> Ints1d:
        """Place of every sequence's last item, shape (n_sequences,)."""
        return (self.lengths - 1) * len(self.lengths) + numpy.arange(len(self.lengths))


class Plan(NamedTuple):
    """How to read a batch of docs.

    blocks: what to read, one block after another.
    rows: where in the blocks' outputs, laid one after another, each token's row stands,
        shape (n_tokens,).
    """

    blocks: list[Block]
    rows: Ints1d


def make_blocks(starts: Ints1d, lengths: Ints1d, *, block: int = BLOCK) -> list[Block]:
    """Lay sequences of consecutive items in blocks by falling length; leave out empty ones.

    Blocks have as many sequences as a power of two, but for the last, so that there are few shapes
    of blocks: torch keeps what it prepares for each shape, some 170 kB a layer.

    starts: index of each sequence's first item, shape (n_sequences,).
    lengths: number of items of each sequence, shape (n_sequences,).
    block: most places in one block, as far as a single sequence has no more.
    """
    sequences = numpy.argsort(-lengths, kind="stable")[: numpy.count_nonzero(lengths)]
    falling = -lengths[sequences]
    blocks: list[Block] = []
    begin = 0
    while begin < len(sequences):
        longest = -int(falling[begin])
        similar = int(numpy.searchsorted(falling, -SIMILAR * longest, side="right"))
        end = min(max(similar, begin + LEAST), begin + max(block // longest, 1), len(sequences))
        if end < len(sequences):
            end = begin + _power_of_two(end - begin)
        blocks.append(_block(starts, lengths, sequences[begin:end]))
        begin = end
    return blocks


def _power_of_two(n: int) -> int:
    """The largest that is no greater than n."""
    return 1 << n.bit_length() - 1


def _block(starts: Ints1d, lengths: Ints1d, sequences: Ints1d) -> Block:
    n = lengths[sequences]
    positions = numpy.arange(int(n.max()))[:, None]
    items = starts[sequences] + numpy.minimum(positions, n - 1)
    from_end = numpy.where(positions < n, n - 1 - positions, positions)
    reversal = from_end * len(sequences) + numpy.arange(len(sequences))
    return Block(items, reversal.reshape(-1), n, sequences)


def plan_reading(
    lengths: Ints1d, *, window: int = WINDOW, context: int = CONTEXT, block: int = BLOCK
) -> Plan:
    """Read docs in windows of at most `window` tokens and in blocks of at most `block` places.

    Docs of up to `window` tokens are read whole. How a doc is cut depends on its own length
    alone, so its scores are the same alone and in any batch.

    lengths: number of tokens of each doc, shape (n_docs,).
    """
    windows = _cut(lengths, window, context)
    blocks = make_blocks(windows.starts, windows.sizes, block=block)
    rows = numpy.empty(int(lengths.sum()), dtype="int64")
    n_rows = 0
    for items, _, sizes, readers in blocks:
        into = items - windows.decided[readers]
        decides = (into >= 0) & (into < windows.n_decided[readers])
        decides &= numpy.arange(len(items))[:, None] < sizes  # padding decides nothing
        rows[items[decides]] = n_rows + numpy.flatnonzero(decides)
        n_rows += items.size
    return Plan(blocks, rows)


class _Windows(NamedTuple):
    """Windows over docs: which tokens each reads, and for which of them it decides.

    starts, sizes: first token read and number of tokens read, shape (n_windows,).
    decided, n_decided: first token decided on and number of them, shape (n_windows,).
    """

    starts: Ints1d
    sizes: Ints1d
    decided: Ints1d
    n_decided: Ints1d


def _cut(lengths: Ints1d, window: int, context: int) -> _Windows:
    """One window for a doc of at most `window` tokens, else overlapping ones."""
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

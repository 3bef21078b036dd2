"""Order sequences of uneven length for a recurrent network: windows, blocks and packing.

Knows numpy alone. A recurrent layer reads all sequences of a block in step, one position at a
time. *Packed* order puts the first position of every sequence first, then the second, and so on,
longest sequence first, so that no step reads padding and a sequence's scores do not depend on
what else is in its block.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy
from thinc.types import Ints1d

WINDOW = 256
"""Most tokens in one sequence. Longer docs are read in overlapping windows."""

CONTEXT = 32
"""Tokens that a window reads on either side of those it decides on."""

BLOCK = 16_384
"""Most tokens read in one block at run time; bounds memory."""


class Packing(NamedTuple):
    """One block of sequences in packed order.

    items: index of the item at each place of the packed order, shape (n_items,).
    batch_sizes: number of sequences that reach each position, shape (longest,).
    sequences: the sequences by falling length, shape (n_sequences,).
    """

    items: Ints1d
    batch_sizes: Ints1d
    sequences: Ints1d


class Plan(NamedTuple):
    """How to read a batch of docs.

    blocks: what to read, one block after another.
    rows: where in the blocks' outputs, laid one after another, each token's row stands,
        shape (n_tokens,).
    """

    blocks: list[Packing]
    rows: Ints1d


def pack(starts: Ints1d, lengths: Ints1d) -> Packing:
    """Packed order of sequences of consecutive items; empty sequences are left out.

    starts: index of each sequence's first item, shape (n_sequences,).
    lengths: number of items of each sequence, shape (n_sequences,).
    """
    sequences = numpy.argsort(-lengths, kind="stable")[: numpy.count_nonzero(lengths)]
    longest = int(lengths.max(initial=0))
    ended = numpy.cumsum(numpy.bincount(lengths[sequences], minlength=longest + 1))
    batch_sizes = len(sequences) - ended[:longest]
    positions, ranks = _places(batch_sizes)
    return Packing(starts[sequences][ranks] + positions, batch_sizes, sequences)


def plan_training(lengths: Ints1d) -> Plan:
    """Read docs in the same windows as in prediction, all in one block."""
    return plan_prediction(lengths, block=numpy.iinfo("int64").max)


def plan_prediction(
    lengths: Ints1d, *, window: int = WINDOW, context: int = CONTEXT, block: int = BLOCK
) -> Plan:
    """Read docs in windows of at most `window` tokens and in blocks of about `block` tokens.

    Docs of up to `window` tokens are read whole. How a doc is cut depends on its own length
    alone, so its scores are the same alone and in any batch.
    """
    windows = _cut(lengths, window, context)
    by_length = numpy.argsort(-windows.sizes, kind="stable")
    fill = numpy.cumsum(windows.sizes[by_length]) // block
    blocks: list[Packing] = []
    rows = numpy.empty(int(lengths.sum()), dtype="int64")
    n_rows = 0
    for members in numpy.split(by_length, numpy.flatnonzero(numpy.diff(fill)) + 1):
        packing = pack(windows.starts[members], windows.sizes[members])
        _, ranks = _places(packing.batch_sizes)
        readers = members[packing.sequences][ranks]
        into = packing.items - windows.decided[readers]
        kept = (into >= 0) & (into < windows.n_decided[readers])
        rows[packing.items[kept]] = n_rows + numpy.flatnonzero(kept)
        n_rows += len(packing.items)
        blocks.append(packing)
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


def _places(batch_sizes: Ints1d) -> tuple[Ints1d, Ints1d]:
    """Position in its sequence and rank of its sequence, for each place of the packed order."""
    n_items = int(batch_sizes.sum())
    positions = numpy.repeat(numpy.arange(len(batch_sizes)), batch_sizes)
    first_of_step = numpy.repeat(numpy.cumsum(batch_sizes) - batch_sizes, batch_sizes)
    return positions, numpy.arange(n_items) - first_of_step

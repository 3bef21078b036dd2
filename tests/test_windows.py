"""Windows, blocks and packed order: small cases by hand, and what must hold of all cases."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from spacy_lstm_tagger.windows import (
    BLOCK,
    CONTEXT,
    WINDOW,
    Packing,
    Plan,
    pack,
    plan_prediction,
    plan_training,
)

Lengths = st.lists(st.integers(0, 40), max_size=8)


def ints(values: list[int]) -> numpy.ndarray:
    return numpy.asarray(values, dtype="int64")


def pack_lengths(lengths: list[int]) -> Packing:
    return pack(numpy.cumsum(ints(lengths)) - ints(lengths), ints(lengths))


def sequences_of(packing: Packing) -> list[list[int]]:
    """Unpack: the items of every sequence, in the order in which they are read."""
    n_sequences = int(packing.batch_sizes[0]) if len(packing.batch_sizes) else 0
    sequences: list[list[int]] = [[] for _ in range(n_sequences)]
    items = iter(packing.items.tolist())
    for size in packing.batch_sizes.tolist():
        for sequence in sequences[:size]:
            sequence.append(next(items))
    assert next(items, None) is None
    return sequences


def read_items(plan: Plan) -> numpy.ndarray:
    """The item that the plan takes each token's row from."""
    blocks = [block.items for block in plan.blocks]
    return numpy.concatenate([ints([]), *blocks])[plan.rows]


def test_pack_puts_first_positions_first_and_longest_sequence_first() -> None:
    packing = pack_lengths([2, 3, 1])
    assert_array_equal(packing.items, [2, 0, 5, 3, 1, 4])
    assert_array_equal(packing.batch_sizes, [3, 2, 1])
    assert_array_equal(packing.sequences, [1, 0, 2])


def test_pack_keeps_the_order_of_equally_long_sequences() -> None:
    packing = pack_lengths([2, 2])
    assert_array_equal(packing.items, [0, 2, 1, 3])
    assert_array_equal(packing.sequences, [0, 1])


def test_pack_leaves_empty_sequences_out() -> None:
    packing = pack_lengths([0, 2, 0, 1])
    assert_array_equal(packing.items, [0, 2, 1])
    assert_array_equal(packing.batch_sizes, [2, 1])
    assert_array_equal(packing.sequences, [1, 3])


@pytest.mark.parametrize("lengths", [[], [0], [0, 0]])
def test_pack_of_nothing_is_empty(lengths: list[int]) -> None:
    packing = pack_lengths(lengths)
    assert [len(part) for part in packing] == [0, 0, 0]
    assert packing.items.dtype.kind == "i"


@given(Lengths)
def test_pack_reads_every_sequence_from_start_to_end(lengths: list[int]) -> None:
    packing = pack_lengths(lengths)
    starts = (numpy.cumsum(ints(lengths)) - ints(lengths)).tolist()
    expected = [list(range(start, start + n)) for start, n in zip(starts, lengths, strict=True)]
    found = sequences_of(packing)
    assert found == [expected[i] for i in packing.sequences]
    assert sorted(found) == sorted(sequence for sequence in expected if sequence)
    assert packing.batch_sizes.tolist() == sorted(packing.batch_sizes.tolist(), reverse=True)


@given(Lengths)
def test_pack_order_is_that_of_torch(lengths: list[int]) -> None:
    from torch import arange
    from torch.nn.utils.rnn import pack_sequence

    starts = (numpy.cumsum(ints(lengths)) - ints(lengths)).tolist()
    sequences = [arange(start, start + n) for start, n in zip(starts, lengths, strict=True) if n]
    if sequences:
        expected = pack_sequence(sorted(sequences, key=len, reverse=True))
        found = pack_lengths(lengths)
        assert_array_equal(found.items, expected.data)
        assert_array_equal(found.batch_sizes, expected.batch_sizes)


def test_training_reads_docs_whole_in_one_block() -> None:
    plan = plan_training(ints([1, 3]))
    assert [sequences_of(block) for block in plan.blocks] == [[[1, 2, 3], [0]]]
    assert_array_equal(plan.rows, [1, 0, 2, 3])


def test_training_cuts_long_docs_as_prediction_does_but_in_one_block() -> None:
    lengths = ints([3 * WINDOW, 5, 40 * WINDOW])
    (block,) = plan_training(lengths).blocks
    predicted = plan_prediction(lengths).blocks
    assert len(predicted) == 1
    assert_array_equal(block.items, predicted[0].items)
    assert len(block.batch_sizes) == WINDOW
    assert len(plan_training(ints([400 * WINDOW])).blocks) == 1


def test_prediction_reads_a_doc_as_long_as_the_window_whole() -> None:
    plan = plan_prediction(ints([6]), window=6, context=2)
    assert sequences_of(plan.blocks[0]) == [[0, 1, 2, 3, 4, 5]]


def test_prediction_cuts_a_longer_doc_into_overlapping_windows() -> None:
    plan = plan_prediction(ints([7]), window=6, context=2)
    (block,) = plan.blocks
    assert sequences_of(block) == [[0, 1, 2, 3, 4, 5], [2, 3, 4, 5, 6], [0, 1, 2, 3], [4, 5, 6]]
    assert_array_equal(read_items(plan), range(7))


def test_prediction_fills_blocks_by_falling_length() -> None:
    plan = plan_prediction(ints([1, 3, 2]), window=6, context=2, block=4)
    assert [sequences_of(block) for block in plan.blocks] == [[[1, 2, 3]], [[4, 5], [0]]]
    assert_array_equal(plan.rows, [4, 0, 1, 2, 3, 5])
    assert_array_equal(read_items(plan), range(6))


@pytest.mark.parametrize("lengths", [[], [0], [0, 0, 0]])
@pytest.mark.parametrize("planner", [plan_prediction, plan_training])
def test_plan_of_no_tokens_reads_nothing(planner, lengths: list[int]) -> None:
    plan = planner(ints(lengths))
    assert len(plan.rows) == 0
    assert all(len(block.items) == 0 for block in plan.blocks)


@given(Lengths)
def test_training_decides_every_token_exactly_once(lengths: list[int]) -> None:
    assert_array_equal(read_items(plan_training(ints(lengths))), range(sum(lengths)))


@st.composite
def prediction_cases(draw) -> tuple[list[int], int, int, int]:
    context = draw(st.integers(0, 4))
    window = 2 * context + draw(st.integers(1, 8))
    return draw(Lengths), window, context, draw(st.integers(1, 60))


@given(prediction_cases())
def test_prediction_decides_every_token_exactly_once(case) -> None:
    lengths, window, context, block = case
    plan = plan_prediction(ints(lengths), window=window, context=context, block=block)
    assert_array_equal(read_items(plan), range(sum(lengths)))
    assert len(set(plan.rows.tolist())) == sum(lengths)


@given(prediction_cases())
def test_no_window_is_too_long_or_crosses_docs(case) -> None:
    lengths, window, context, block = case
    doc = numpy.repeat(numpy.arange(len(lengths)), ints(lengths))
    plan = plan_prediction(ints(lengths), window=window, context=context, block=block)
    for packing in plan.blocks:
        for sequence in sequences_of(packing):
            assert 0 < len(sequence) <= window
            assert sequence == list(range(sequence[0], sequence[-1] + 1))
            assert doc[sequence[0]] == doc[sequence[-1]]


@given(prediction_cases())
def test_no_block_is_much_longer_than_asked(case) -> None:
    lengths, window, context, block = case
    plan = plan_prediction(ints(lengths), window=window, context=context, block=block)
    for packing in plan.blocks:
        assert len(packing.items) <= block + window


@given(prediction_cases())
def test_every_token_is_decided_with_its_context(case) -> None:
    lengths, window, context, block = case
    starts = numpy.cumsum(ints(lengths)) - ints(lengths)
    doc = numpy.repeat(numpy.arange(len(lengths)), ints(lengths))
    plan = plan_prediction(ints(lengths), window=window, context=context, block=block)
    places = [  # the window in which each row of the blocks' outputs was read
        sequence
        for packing in plan.blocks
        for size in packing.batch_sizes.tolist()
        for sequence in sequences_of(packing)[:size]
    ]
    for token, row in enumerate(plan.rows.tolist()):
        first, length = starts[doc[token]], lengths[doc[token]]
        assert places[row][0] <= max(first, token - context)
        assert places[row][-1] >= min(first + length - 1, token + context)


@given(prediction_cases())
def test_windows_of_a_doc_depend_on_its_length_alone(case) -> None:
    lengths, window, context, block = case
    settings = {"window": window, "context": context, "block": block}

    def windows(lengths: list[int]) -> set[tuple[int, int]]:
        plan = plan_prediction(ints(lengths), **settings)
        return {(s[0], s[-1]) for packing in plan.blocks for s in sequences_of(packing)}

    starts = (numpy.cumsum(ints(lengths)) - ints(lengths)).tolist()
    alone = {
        (first + start, last + start)
        for start, length in zip(starts, lengths, strict=True)
        for first, last in windows([length])
    }
    assert windows(lengths) == alone


def test_default_window_leaves_something_to_decide() -> None:
    assert WINDOW > 2 * CONTEXT
    assert BLOCK >= WINDOW


def test_huge_doc_is_planned() -> None:
    plan = plan_prediction(ints([100_000, 3, 0]))
    assert_array_equal(read_items(plan), range(100_003))
    assert max(len(block.batch_sizes) for block in plan.blocks) <= WINDOW

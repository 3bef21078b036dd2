"""Windows and blocks: small cases by hand, and what must hold of all cases."""

import weakref

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from spacy_lstm_tagger.features.windows import (
    BLOCK,
    CONTEXT,
    LEAST,
    SIMILAR,
    WINDOW,
    Block,
    Plan,
    make_blocks,
    plan_reading,
    read_blocks,
)
from spacy_lstm_tagger.runtime import onnx_tagger

Lengths = st.lists(st.integers(0, 40), max_size=40)


def ints(values: list[int]) -> numpy.ndarray:
    return numpy.asarray(values, dtype="int64")


def blocks_of(lengths: list[int], **settings) -> list[Block]:
    return make_blocks(numpy.cumsum(ints(lengths)) - ints(lengths), ints(lengths), **settings)


def sequences_of(block: Block) -> list[list[int]]:
    """The items of every sequence, in the order in which they are read."""
    columns = block.items.T[: len(block.lengths)].tolist()
    return [column[:n] for column, n in zip(columns, block.lengths, strict=True)]


def read_items(plan: Plan) -> numpy.ndarray:
    """The item that the plan takes each token's row from."""
    blocks = [block.items.reshape(-1) for block in plan.blocks]
    return numpy.concatenate([ints([]), *blocks])[plan.rows()]


def test_block_puts_the_longest_sequence_first_and_pads_at_the_end() -> None:
    (block,) = blocks_of([2, 3, 1])
    assert_array_equal(block.items, [[2, 0, 5], [3, 1, 5], [4, 1, 5]])
    assert_array_equal(block.lengths, [3, 2, 1])
    assert_array_equal(block.sequences, [1, 0, 2])
    assert_array_equal(block.ends, [6, 4, 2])


def test_reader_from_the_end_meets_padding_last() -> None:
    (block,) = blocks_of([2, 3, 1])
    backwards = block.items.reshape(-1)[block.reversal].reshape(block.items.shape)
    assert_array_equal(backwards, [[4, 1, 5], [3, 0, 5], [2, 1, 5]])


def test_block_keeps_the_order_of_equally_long_sequences() -> None:
    (block,) = blocks_of([2, 2])
    assert_array_equal(block.items, [[0, 2], [1, 3]])
    assert_array_equal(block.sequences, [0, 1])


def test_blocks_leave_empty_sequences_out() -> None:
    (block,) = blocks_of([0, 2, 0, 1])
    assert sequences_of(block) == [[0, 1], [2]]
    assert_array_equal(block.sequences, [1, 3])


@pytest.mark.parametrize("lengths", [[], [0], [0, 0]])
def test_nothing_to_read_makes_no_block(lengths: list[int]) -> None:
    assert blocks_of(lengths) == []


def test_much_shorter_sequences_have_a_block_of_their_own() -> None:
    lengths = [10] * LEAST + [int(10 * SIMILAR)] * LEAST + [int(10 * SIMILAR) - 1] * 2
    assert [len(block.lengths) for block in blocks_of(lengths)] == [2 * LEAST, 2]


def test_all_blocks_but_the_last_have_a_power_of_two_of_sequences() -> None:
    assert [len(block.lengths) for block in blocks_of([10] * 23, block=210)] == [16, 7]


@given(Lengths, st.integers(1, 60))
def test_coarse_blocks_hold_the_same_sequences_and_more_padding(lengths, block) -> None:
    fine, coarse = (blocks_of(lengths, block=block, coarse=coarse) for coarse in (False, True))
    read = [dict(zip(b.sequences.tolist(), sequences_of(b), strict=False)) for b in coarse]
    expected = [dict(zip(b.sequences.tolist(), sequences_of(b), strict=True)) for b in fine]
    assert {k: v for one in read for k, v in one.items()} == {
        k: v for one in expected for k, v in one.items()
    }
    for found in coarse:
        longest, n = found.items.shape
        assert n & (n - 1) == 0
        assert longest in (16, 18, 20, 22, 24, 26, 28, 30, 32, 36, 40) or longest < 16
        backwards = found.items.reshape(-1)[found.reversal].reshape(longest, n)
        for column, sequence in zip(backwards.T.tolist(), sequences_of(found), strict=False):
            assert column[: len(sequence)] == sequence[::-1]
        assert_array_equal(
            found.items.reshape(-1)[found.ends], [s[-1] for s in sequences_of(found)]
        )


@given(Lengths)
def test_a_coarse_plan_takes_each_tokens_row_from_its_own_place(lengths) -> None:
    for window, context in ((6, 1), (512, 32)):
        plan = plan_reading(ints(lengths), window=window, context=context, coarse=True)
        assert_array_equal(read_items(plan), numpy.arange(sum(lengths)))


def test_ever_new_lengths_and_batch_sizes_are_read_in_few_shapes() -> None:
    random = numpy.random.default_rng(0)
    shapes: dict[bool, set] = {False: set(), True: set()}
    for _ in range(3000):
        mean = 2 ** random.uniform(0, 9)
        lengths = random.normal(mean, mean / 3, random.integers(1, 150)).clip(1, 512).astype(int)
        for coarse, found in shapes.items():
            found.update(block.items.shape for block in blocks_of(lengths.tolist(), coarse=coarse))
    assert len(shapes[True]) < 300
    assert len(shapes[False]) > 5 * len(shapes[True])


def test_batches_of_any_size_are_read_in_few_shapes() -> None:
    """Torch keeps what it prepares for each shape: with many, memory grows for long."""
    random = numpy.random.default_rng(0)
    batches = [random.integers(1, 19, size=random.integers(1, 600)) for _ in range(300)]
    shapes = {block.items.shape for lengths in batches for block in blocks_of(lengths.tolist())}
    assert len(shapes) < 200  # 584 with as many sequences in a block as there is room for


def test_few_sequences_share_a_block_whatever_their_lengths() -> None:
    lengths = list(range(1, LEAST + 3))
    assert [len(block.lengths) for block in blocks_of(lengths)] == [LEAST, 2]


@given(Lengths, st.integers(1, 100))
def test_blocks_read_every_sequence_from_start_to_end(lengths: list[int], places: int) -> None:
    starts = (numpy.cumsum(ints(lengths)) - ints(lengths)).tolist()
    expected = [list(range(start, start + n)) for start, n in zip(starts, lengths, strict=True)]
    blocks = blocks_of(lengths, block=places)
    found = {i: s for b in blocks for i, s in zip(b.sequences, sequences_of(b), strict=True)}
    assert found == {i: sequence for i, sequence in enumerate(expected) if sequence}
    assert sum(len(block.sequences) for block in blocks) == len(found)


@given(Lengths, st.integers(1, 100))
def test_no_block_has_more_places_than_asked(lengths: list[int], places: int) -> None:
    for block in blocks_of(lengths, block=places):
        assert block.items.size <= max(places, block.items.shape[0])


@given(Lengths)
def test_reversing_twice_changes_nothing_and_once_each_sequence(lengths: list[int]) -> None:
    for block in blocks_of(lengths):
        places = numpy.arange(block.items.size)
        assert_array_equal(block.reversal[block.reversal], places)
        backwards = block.items.reshape(-1)[block.reversal].reshape(block.items.shape)
        from_end = [sequence[::-1] for sequence in sequences_of(block)]
        assert sequences_of(block._replace(items=backwards)) == from_end
        last = block.items.reshape(-1)[block.ends]
        assert last.tolist() == [sequence[-1] for sequence in sequences_of(block)]


def test_reading_reads_a_doc_as_long_as_the_window_whole() -> None:
    plan = plan_reading(ints([6]), window=6, context=2)
    assert sequences_of(plan.blocks[0]) == [[0, 1, 2, 3, 4, 5]]


def test_reading_cuts_a_longer_doc_into_overlapping_windows() -> None:
    plan = plan_reading(ints([7]), window=6, context=2)
    (block,) = plan.blocks
    assert sequences_of(block) == [[0, 1, 2, 3, 4, 5], [2, 3, 4, 5, 6], [0, 1, 2, 3], [4, 5, 6]]
    assert_array_equal(read_items(plan), range(7))


def test_reading_fills_blocks_by_falling_length() -> None:
    plan = plan_reading(ints([1, 3, 2]), window=6, context=2, block=4)
    assert [sequences_of(block) for block in plan.blocks] == [[[1, 2, 3]], [[4, 5], [0]]]
    assert_array_equal(plan.rows(), [4, 0, 1, 2, 3, 5])
    assert_array_equal(read_items(plan), range(6))


@pytest.mark.parametrize("lengths", [[], [0], [0, 0, 0]])
def test_plan_of_no_tokens_reads_nothing(lengths: list[int]) -> None:
    plan = plan_reading(ints(lengths))
    assert len(plan.rows()) == 0
    assert plan.blocks == []


@st.composite
def reading_cases(draw) -> tuple[list[int], int, int, int]:
    context = draw(st.integers(0, 4))
    window = 2 * context + draw(st.integers(1, 8))
    return draw(Lengths), window, context, draw(st.integers(1, 60))


@given(reading_cases())
def test_reading_decides_every_token_exactly_once(case) -> None:
    lengths, window, context, block = case
    plan = plan_reading(ints(lengths), window=window, context=context, block=block)
    assert_array_equal(read_items(plan), range(sum(lengths)))
    assert len(set(plan.rows().tolist())) == sum(lengths)


@given(reading_cases())
def test_no_window_is_too_long_or_crosses_docs(case) -> None:
    lengths, window, context, block = case
    doc = numpy.repeat(numpy.arange(len(lengths)), ints(lengths))
    plan = plan_reading(ints(lengths), window=window, context=context, block=block)
    for laid in plan.blocks:
        for sequence in sequences_of(laid):
            assert 0 < len(sequence) <= window
            assert sequence == list(range(sequence[0], sequence[-1] + 1))
            assert doc[sequence[0]] == doc[sequence[-1]]


@given(reading_cases())
def test_every_token_is_decided_with_its_context(case) -> None:
    lengths, window, context, block = case
    starts = numpy.cumsum(ints(lengths)) - ints(lengths)
    doc = numpy.repeat(numpy.arange(len(lengths)), ints(lengths))
    plan = plan_reading(ints(lengths), window=window, context=context, block=block)
    places = [  # the window in which each row of the blocks' outputs was read
        sequence
        for laid in plan.blocks
        for _ in range(len(laid.items))
        for sequence in sequences_of(laid)
    ]
    for token, row in enumerate(plan.rows().tolist()):
        first, length = starts[doc[token]], lengths[doc[token]]
        assert places[row][0] <= max(first, token - context)
        assert places[row][-1] >= min(first + length - 1, token + context)


@given(reading_cases())
def test_windows_of_a_doc_depend_on_its_length_alone(case) -> None:
    lengths, window, context, block = case
    settings = {"window": window, "context": context, "block": block}

    def windows(lengths: list[int]) -> set[tuple[int, int]]:
        plan = plan_reading(ints(lengths), **settings)
        return {(s[0], s[-1]) for laid in plan.blocks for s in sequences_of(laid)}

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
    plan = plan_reading(ints([100_000, 3, 0]))
    assert_array_equal(read_items(plan), range(100_003))
    assert max(len(block.items) for block in plan.blocks) <= WINDOW


def test_long_docs_are_not_much_more_to_read_than_short_ones() -> None:
    n = 100_000
    places = sum(block.items.size for block in plan_reading(ints([n])).blocks)
    assert n < places < 1.2 * n


def test_exports_read_the_same_windows_in_smaller_blocks() -> None:
    assert WINDOW <= onnx_tagger.BLOCK <= BLOCK


# Order


@given(Lengths.filter(any), st.integers(5, 20), st.integers(1, 60))
def test_outputs_come_back_in_the_order_of_the_tokens(lengths, window, block) -> None:
    plan = plan_reading(ints(lengths), window=window, context=2, block=block)
    found = read_blocks(plan, lambda read: numpy.stack([read.items.reshape(-1)] * 2, axis=1))
    assert_array_equal(found, numpy.stack([numpy.arange(sum(lengths))] * 2, axis=1))


def test_no_output_is_kept_until_the_next_but_one() -> None:
    alive: list[weakref.ref] = []

    def read(block: Block) -> numpy.ndarray:
        assert sum(ref() is not None for ref in alive) <= 1
        array = block.items.reshape(-1, 1).astype("float32")
        alive.append(weakref.ref(array))
        return array

    plan = plan_reading(ints([3] * 50), block=3)
    assert len(plan.blocks) > 2
    assert_array_equal(read_blocks(plan, read)[:, 0], numpy.arange(150))


@given(st.integers(1, 60), st.booleans())
def test_plan_for_one_doc_is_that_of_any_doc(length: int, coarse: bool) -> None:
    plan = plan_reading(ints([length]), coarse=coarse)
    other = plan_reading(ints([length, 0]), coarse=coarse)  # an empty doc is left out
    assert_array_equal(plan.rows(), other.rows())
    for one, two in zip(plan.blocks, other.blocks, strict=True):
        for found, expected in zip(one, two, strict=True):
            assert_array_equal(found, expected)
            assert found.dtype == expected.dtype

"""The cache of embedded word forms: never wrong, never larger than asked."""

import copy
import pickle
import random
import threading

import numpy
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from spacy_lstm_tagger.features.form_cache import FormCache


def row_of(key: int) -> list[float]:
    return [float(key), -float(key)]


def look_up(cache: FormCache, keys: list[int]) -> list[int]:
    """Look keys up, check their rows, and return the keys that had to be made."""
    made: list[int] = []

    def embed(missing: numpy.ndarray) -> numpy.ndarray:
        made.extend(keys[i] for i in missing.tolist())
        return numpy.asarray([row_of(keys[i]) for i in missing.tolist()], dtype="float32")

    rows = cache.look_up(numpy.asarray(keys, dtype="uint64"), embed)
    assert_array_equal(rows.reshape(-1, 2), numpy.reshape([row_of(key) for key in keys], (-1, 2)))
    return made


def test_a_row_is_made_once() -> None:
    cache = FormCache()
    assert look_up(cache, [1, 2]) == [1, 2]
    assert look_up(cache, [2, 3, 1]) == [3]
    assert look_up(cache, [3, 2, 1]) == []
    assert (cache.hits, cache.misses) == (5, 3)


def test_full_cache_starts_again_and_keeps_no_more_than_it_holds() -> None:
    cache = FormCache(capacity=3)
    look_up(cache, [1, 2])
    assert look_up(cache, [3, 4]) == [3, 4]
    assert look_up(cache, [3, 4]) == []
    assert look_up(cache, [5, 6, 7, 8]) == [5, 6, 7, 8]
    assert look_up(cache, [5, 6, 7, 8]) == [8]


@given(st.lists(st.sets(st.integers(0, 30))), st.integers(1, 20))
def test_rows_are_right_whatever_was_asked_before(requests, capacity: int) -> None:
    cache = FormCache(capacity)
    for keys in requests:
        look_up(cache, sorted(keys))
        places, rows = cache._kept
        assert len(places) <= len(rows) <= capacity


def test_threads_share_a_cache() -> None:
    cache = FormCache(capacity=50)
    errors: list[BaseException] = []

    def work(seed: int) -> None:
        generator = random.Random(seed)
        try:
            for _ in range(300):
                look_up(cache, generator.sample(range(100), generator.randint(0, 20)))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_copies_are_empty_and_have_a_lock_of_their_own() -> None:
    cache = FormCache(capacity=7)
    look_up(cache, [1])
    for other in (copy.deepcopy(cache), pickle.loads(pickle.dumps(cache))):
        assert other.capacity == 7
        assert look_up(other, [1]) == [1]


def test_writer_that_holds_the_lock_is_not_waited_for() -> None:
    """A child process may be forked while another thread of its parent writes."""
    cache = FormCache()
    with cache._lock:
        assert look_up(cache, [1]) == [1]
    assert look_up(cache, [1]) == [1]

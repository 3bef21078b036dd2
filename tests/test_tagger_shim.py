"""The holder of the tagger's network: nothing computed from old weights outlives them."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import srsly
from numpy.testing import assert_array_equal
from thinc.api import Adam

TEXTS = ["I like green eggs", "Eat blue ham"]


@pytest.fixture
def tagger(make_nlp, randomize):
    component = make_nlp().get_pipe("lstm_tagger")
    randomize(component)
    return component


@pytest.fixture
def score(tagger, make_nlp, scores_of) -> Callable[[], list]:
    docs = [make_nlp().make_doc(text) for text in TEXTS]
    return lambda: scores_of(tagger, docs)


def shim_of(component: Any) -> Any:
    return component.model.get_ref("output_layer").shims[0]


def test_words_are_embedded_once_and_the_predictor_is_made_once(tagger, score) -> None:
    shim = shim_of(tagger)
    expected = score()
    cache, predictor = shim.cache, shim._derived.predictor
    assert (cache.hits, cache.misses) == (0, 7)
    for rows, before in zip(score(), expected, strict=True):
        assert_array_equal(rows, before)
    assert (shim.cache, shim._derived.predictor) == (cache, predictor)
    assert (cache.hits, cache.misses) == (7, 7)


def update(tagger, examples) -> None:
    tagger.update(examples, sgd=Adam(0.01))


def use_averages(tagger, examples) -> None:
    with tagger.model.use_params({}):
        assert shim_of(tagger).cache.misses == 0


CHANGES = {
    "weights altered": lambda tagger, examples: shim_of(tagger).weights_changed(),
    "update": update,
    "averages": use_averages,
    "label": lambda tagger, examples: tagger.add_label("Q"),
    "bytes": lambda tagger, examples: tagger.from_bytes(tagger.to_bytes()),
    "device": lambda tagger, examples: tagger.model.to_cpu(),
    "initialized": lambda tagger, examples: tagger.initialize(lambda: examples),
}


@pytest.mark.parametrize("what", CHANGES)
def test_everything_is_computed_again_when_weights_change(
    what: str, tagger, score, make_nlp, make_examples
) -> None:
    score()
    shim = shim_of(tagger)
    cache, predictor = shim.cache, shim._derived.predictor
    assert predictor is not None
    CHANGES[what](tagger, make_examples(make_nlp()))
    assert shim_of(tagger).cache is not cache
    score()
    assert shim_of(tagger)._derived.predictor is not predictor
    assert shim_of(tagger).cache.misses == 7


def test_embeddings_of_weights_that_changed_meanwhile_are_not_kept(
    tagger, score, randomize
) -> None:
    randomize(tagger, 1)
    expected = score()
    randomize(tagger, 0)
    shim = shim_of(tagger)
    make_predictor = shim.make_predictor

    class Changing:
        """Lets another thread change the weights after it has embedded words."""

        def __init__(self, network) -> None:
            self.predictor = make_predictor(network)
            self.encode = self.predictor.encode

        def embed(self, forms):
            rows = self.predictor.embed(forms).clone()
            randomize(tagger, 1)
            return rows

    shim.make_predictor = Changing
    old = score()
    shim.make_predictor = make_predictor
    assert (old[0] != expected[0]).any()
    for rows, wanted in zip(score(), expected, strict=True):
        assert_array_equal(rows, wanted)


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda shim: pickle.loads(pickle.dumps(shim))]
)
def test_copies_begin_with_nothing_computed(duplicate, tagger, score) -> None:
    score()
    shim = shim_of(tagger)
    other = duplicate(shim)
    assert other.cache is not shim.cache
    assert other._derived.predictor is None
    assert (other.cache.hits, other.cache.misses) == (0, 0)
    assert shim.cache.misses == 7


def test_sizes_of_earlier_versions_are_read(tagger) -> None:
    """They counted tags; today the network knows columns alone, and tables of embeddings."""
    shim = shim_of(tagger)
    message = srsly.msgpack_loads(shim.to_bytes())
    assert message["sizes"]["n_columns"] == 3
    message["sizes"]["n_tags"] = message["sizes"].pop("n_columns")
    del message["sizes"]["words_per_form"]
    before = srsly.msgpack_loads(shim.to_bytes())
    shim.from_bytes(srsly.msgpack_dumps(message))
    assert srsly.msgpack_loads(shim.to_bytes()) == before


def test_other_sizes_are_refused(tagger) -> None:
    shim = shim_of(tagger)
    shim.check_sizes({**shim.sizes, "vector_width": 9}, vectors=False)  # the width is not known
    for name in shim.sizes:
        if name != "vector_width":
            wrong = {**shim.sizes, name: shim.sizes[name] + 1}
            with pytest.raises(ValueError, match=f"but should have.*'{name}': {wrong[name]}"):
                shim.check_sizes(wrong, vectors=False)

"""What must hold of any docs and any settings, checked on many that nobody thought of."""

import threading
from collections.abc import Sequence
from functools import cache
from math import isfinite
from typing import Any

import numpy
import pytest
import spacy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import fix_random_seed

from spacy_lstm_tagger.architectures import build_lstm_encoder_v1, build_lstm_tagger_v1
from spacy_lstm_tagger.features.windows import plan_reading
from spacy_lstm_tagger.network import converters

OUTPUTS = ["tag", "pos", "morph", "lemma"]
WORDS = ["I", "like", "green", "eggs", "unlike", "unreal", "liking", "Żółw", "🙂", " "]
VECTOR_WIDTH = 3

# Any text: all of Unicode but for surrogates, which spaCy's strings cannot hold.
Words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
Sentences = st.lists(st.one_of(st.sampled_from(WORDS), Words), max_size=12)
Batches = st.lists(Sentences, max_size=8)


@st.composite
def model_settings(draw) -> dict[str, Any]:
    """Settings that the builder accepts, with small numbers."""
    bidirectional = draw(st.booleans())
    widths = st.integers(1, 4).map(lambda n: 2 * n) if bidirectional else st.integers(1, 7)
    return {
        "word_width": draw(st.integers(1, 6)),
        "min_word_freq": draw(st.integers(1, 3)),
        "affix_width": draw(st.integers(0, 3)),
        "char_width": 2 * draw(st.integers(0, 3)),
        "char_embed_width": draw(st.integers(1, 4)),
        "max_characters": draw(st.integers(2, 20)),
        "include_static_vectors": draw(st.booleans()),
        "cell": draw(st.sampled_from(["lstm", "gru", "rnn"])),
        "width": draw(widths),
        "depth": draw(st.integers(1, 3)),
        "bidirectional": bidirectional,
        "outputs": draw(st.lists(st.sampled_from(OUTPUTS), min_size=1, unique=True)),
    }


def blank(model: dict[str, Any]) -> Language:
    """A pipeline with static vectors and a tagger that has no weights yet."""
    nlp = spacy.blank("en")
    nlp.vocab.reset_vectors(width=VECTOR_WIDTH)
    for i, word in enumerate(WORDS[:4]):
        nlp.vocab.set_vector(word, numpy.full(VECTOR_WIDTH, i - 1.5, dtype="float32"))
    settings = dict(model)
    outputs = settings.pop("outputs", ["tag"])
    architecture = {"@architectures": "spacy-lstm-tagger.LSTMTagger.v1", **settings}
    nlp.add_pipe("lstm_tagger", config={"model": architecture, "outputs": outputs})
    return nlp


def built(model: dict[str, Any]) -> Language:
    """A pipeline whose tagger has weights, all of them large and random."""
    fix_random_seed(0)
    nlp = blank(model)
    tags = [f"T{i % 4}" for i in range(len(WORDS))]
    morphs = [f"A={i % 3}|B={i % 2}" for i in range(len(WORDS))]
    gold = {"tags": tags, "pos": ["X"] * len(WORDS), "morphs": morphs, "lemmas": WORDS[::-1]}
    reference = Doc(nlp.vocab, words=WORDS, **gold)
    nlp.initialize(lambda: [Example(Doc(nlp.vocab, words=WORDS), reference)])
    shim = nlp.get_pipe("lstm_tagger").model.get_ref("output_layer").shims[0]
    for parameter in shim.module.parameters():
        parameter.data.normal_(std=0.5)
    shim.weights_changed()
    return nlp


@cache
def tagger_of(cell: str) -> Language:
    """One pipeline for all cases of a test: what it keeps of words must not matter either."""
    return built({"cell": cell, "width": 8, "word_width": 5, "char_width": 4, "depth": 2})


def docs_of(vocab: Vocab, batch: Sequence[Sequence[str]]) -> list[Doc]:
    return [Doc(vocab, words=list(words)) for words in batch]


def scores_of(nlp: Language, docs: Sequence[Doc]) -> list[numpy.ndarray]:
    return [rows.copy() for rows in nlp.get_pipe("lstm_tagger").model.predict(list(docs))]


def assert_same(found: Sequence[numpy.ndarray], expected: Sequence[numpy.ndarray]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert_allclose(one, other, atol=1e-5)
        assert decided(one) == decided(other)


def decided(scores: numpy.ndarray) -> list[int]:
    """The tags, but -1 where the two best are too close for rounding to decide alike."""
    best = numpy.sort(scores, axis=1)[:, -2:]
    sure = best[:, 1] - best[:, 0] > 1e-4
    return numpy.where(sure, scores.argmax(axis=1), -1).tolist()


# Docs


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@given(batch=Batches, data=st.data())
def test_scores_are_the_same_in_any_batch_and_order(cell: str, batch, data) -> None:
    nlp = tagger_of(cell)
    docs = docs_of(nlp.vocab, batch)
    together = scores_of(nlp, docs)
    assert [rows.shape for rows in together] == [(len(words), 4) for words in batch]
    assert_same([scores_of(nlp, [doc])[0] for doc in docs], together)
    order = data.draw(st.permutations(range(len(docs))))
    assert_same(scores_of(nlp, [docs[i] for i in order]), [together[i] for i in order])


@given(batch=Batches, size=st.integers(1, 9), text=st.text(max_size=60))
def test_pipe_tags_like_call_in_any_batch_size(batch, size: int, text: str) -> None:
    nlp = tagger_of("lstm")
    assume(not any("\ud800" <= character <= "\udfff" for character in text))
    alone = [[t.tag_ for t in nlp(doc)] for doc in docs_of(nlp.vocab, batch)]
    piped = list(nlp.pipe(docs_of(nlp.vocab, batch), batch_size=size))
    assert [[token.tag_ for token in doc] for doc in piped] == alone
    assert [[token.text for token in doc] for doc in piped] == batch
    labels = nlp.get_pipe("lstm_tagger").labels
    doc = nlp(text)
    assert doc.text == text
    assert all(token.tag_ == "_SP" if token.is_space else token.tag_ in labels for token in doc)


@settings(max_examples=15)
@given(lengths=st.lists(st.integers(0, 700), min_size=1, max_size=5))
def test_long_docs_are_tagged_alike_alone_and_together(lengths: list[int]) -> None:
    nlp = tagger_of("lstm")
    batch = [[WORDS[(i * i + n) % len(WORDS)] for i in range(n)] for n in lengths]
    docs = docs_of(nlp.vocab, batch)
    together = scores_of(nlp, docs)
    assert [len(rows) for rows in together] == lengths
    assert_same([scores_of(nlp, [doc])[0] for doc in docs], together)


@settings(max_examples=30)
@given(
    batch=Batches,
    window=st.integers(9, 40),
    context=st.integers(0, 4),
    block=st.integers(1, 200),
)
def test_docs_within_the_window_are_read_alike_whatever_its_size(
    batch, window: int, context: int, block: int
) -> None:
    """If all docs are shorter than the window, neither it nor the blocks can matter."""
    nlp = tagger_of("lstm")
    docs = docs_of(nlp.vocab, batch)
    expected = scores_of(nlp, docs)
    longest = max((len(doc) for doc in docs), default=0)
    attrs = {"window": max(window, longest), "context": context}
    network = nlp.get_pipe("lstm_tagger").model.get_ref("output_layer")

    def plan(lengths: numpy.ndarray, **found: int) -> Any:
        assert found == {**attrs, "coarse": True}
        return plan_reading(lengths, **found, block=block)

    with pytest.MonkeyPatch.context() as patch:
        for name, value in attrs.items():
            patch.setitem(network.attrs, name, value)
        patch.setattr(converters.windows, "plan_reading", plan)
        assert_same(scores_of(nlp, docs), expected)


@settings(max_examples=15)
@given(batch=st.lists(Sentences, min_size=1, max_size=6), n_threads=st.integers(2, 6))
def test_any_number_of_threads_finds_the_same_tags(batch, n_threads: int) -> None:
    nlp = tagger_of("lstm")
    expected = scores_of(nlp, docs_of(nlp.vocab, batch))
    nlp.get_pipe("lstm_tagger").model.get_ref("output_layer").shims[0].weights_changed()
    docs = [docs_of(nlp.vocab, batch) for _ in range(n_threads)]
    results: list[list[numpy.ndarray] | None] = [None] * n_threads

    def work(i: int) -> None:
        results[i] = scores_of(nlp, docs[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for found in results:
        assert found is not None
        assert_same(found, expected)


@settings(max_examples=30)
@given(batch=Batches)
def test_docs_of_another_vocab_get_the_same_scores(batch) -> None:
    nlp = tagger_of("gru")
    assert_same(scores_of(nlp, docs_of(Vocab(), batch)), scores_of(nlp, docs_of(nlp.vocab, batch)))


# Settings


@settings(max_examples=30)
@given(model=model_settings(), batch=Batches)
def test_any_settings_save_and_load_with_the_same_scores(model, batch) -> None:
    nlp, other = built(model), blank(model)
    other.from_bytes(nlp.to_bytes())
    docs, other_docs = docs_of(nlp.vocab, batch), docs_of(other.vocab, batch)
    expected = scores_of(nlp, docs)
    for found, rows in zip(scores_of(other, other_docs), expected, strict=True):
        assert_array_equal(found, rows)
    assert_same([scores_of(nlp, [doc])[0] for doc in docs], expected)


@settings(max_examples=25)
@given(model=model_settings(), batch=Batches, drop=st.floats(0, 0.9))
def test_any_settings_train_on_any_docs(model, batch, drop: float) -> None:
    nlp = built(model)
    examples = [
        Example(doc, Doc(nlp.vocab, words=words, tags=["T1"] * len(words)))
        for doc, words in zip(docs_of(nlp.vocab, batch), batch, strict=True)
    ]
    losses = nlp.update(examples, drop=drop, sgd=nlp.resume_training()) if examples else {}
    assert numpy.isfinite(losses.get("lstm_tagger", 0.0))
    assert all(numpy.isfinite(rows).all() for rows in scores_of(nlp, docs_of(nlp.vocab, batch)))


Nonsense = st.one_of(
    st.none(),
    st.text(max_size=5),
    st.floats(),
    st.integers(max_value=-1),
    st.lists(st.integers(), max_size=2),
    st.binary(max_size=3),
)
TAGGER_SETTINGS = [
    *("word_width", "min_word_freq", "affix_width", "char_width", "char_embed_width"),
    *("max_characters", "include_static_vectors", "cell", "width", "depth", "bidirectional"),
    *("mixed_precision", "nO"),
]


@given(name=st.sampled_from(TAGGER_SETTINGS), value=Nonsense)
def test_any_nonsense_is_refused_by_the_name_of_the_setting(name: str, value) -> None:
    assume(not (name == "cell" and value in ("lstm", "gru", "rnn")))
    assume(not (name == "nO" and value is None))
    with pytest.raises(ValueError, match=rf"^{name} is "):
        build_lstm_tagger_v1(**{name: value})
    if name in ("cell", "width", "depth", "bidirectional", "mixed_precision"):
        with pytest.raises(ValueError, match=rf"^{name} is "):
            build_lstm_encoder_v1(**{"width": 8, name: value})


COMPONENT_SETTINGS = ["label_smoothing", "teacher_weight", "save_probabilities"]


@pytest.mark.strict_types
@given(name=st.sampled_from(COMPONENT_SETTINGS), value=Nonsense)
def test_any_nonsense_is_refused_by_the_component(name: str, value) -> None:
    assume(not (isinstance(value, float) and (0.0 <= value < 1.0 or not isfinite(value))))
    assume(not (name == "teacher_weight" and value == 1.0))
    assume(not isinstance(value, bytes))  # no config can hold them
    with pytest.raises(ValueError, match=name):
        spacy.blank("en").add_pipe("lstm_tagger", config={name: value})

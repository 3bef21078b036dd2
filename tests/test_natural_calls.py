"""Calls that come to mind first work, or say what is wanted; so do docs of any origin."""

import numpy
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vectors import Vectors
from thinc.api import Adam, fix_random_seed

from spacy_lstm_tagger.report.annotation_tasks import uncertain_tokens
from spacy_lstm_tagger.report.rendering import render

TEXTS = ["I like green eggs", "Eat blue ham"]


@pytest.fixture
def nlp(make_nlp, randomize):
    nlp = make_nlp()
    randomize(nlp.get_pipe("lstm_tagger"))
    return nlp


@pytest.fixture
def tagger(nlp):
    return nlp.get_pipe("lstm_tagger")


@pytest.fixture
def docs(nlp):
    return [nlp.make_doc(text) for text in TEXTS]


# Docs


def test_one_doc_and_any_iterable_of_docs_are_taken(tagger, docs) -> None:
    expected = tagger.predict_probabilities(docs)
    assert_array_equal(tagger.predict_probabilities(docs[0])[0], expected[0])
    for given in (tuple(docs), iter(docs), (doc for doc in docs), dict.fromkeys(docs)):
        found = tagger.predict_probabilities(given)
        assert [len(rows) for rows in found] == [4, 3]
        assert_allclose(numpy.vstack(found), numpy.vstack(expected), atol=1e-6)
    assert [len(columns) for columns in tagger.predict(iter(docs))] == [4, 3]
    assert [len(columns) for columns in tagger.predict(docs[0])] == [4]
    assert tagger.predict_probabilities([]) == []


@pytest.mark.parametrize("kept", [False, True, 2])
def test_annotations_are_set_on_one_doc_a_generator_or_none(kept, tagger, docs) -> None:
    tagger.cfg["save_probabilities"] = kept
    tagger.set_annotations(docs[0], tagger.predict(docs[0]))
    tagger.set_annotations(iter(docs[1:]), tagger.predict(docs[1:]))
    assert all(token.tag_ for doc in docs for token in doc)
    tagger.set_annotations([], tagger.predict([]))
    tagger.set_annotations([], [])


@pytest.mark.parametrize("method", ["predict_probabilities", "predict", "set_annotations"])
@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("I like eggs", "str: 'I like eggs'"),
        (["I like eggs"], "an iterable of str"),
        (None, "NoneType"),
        (b"bytes", "bytes"),
        ([3, None], "an iterable of int"),
    ],
)
def test_anything_else_is_named_with_the_remedy(method, given, what, tagger) -> None:
    arguments = [given, []] if method == "set_annotations" else [given]
    with pytest.raises(TypeError, match=rf"LSTMTagger\.{method}.*{what}.*nlp\(text\)"):
        getattr(tagger, method)(*arguments)


def test_texts_in_a_pipe_are_named(tagger) -> None:
    with pytest.raises(TypeError, match="an iterable of str"):
        list(tagger.pipe(["I like eggs"]))


# Examples


def test_generators_of_examples_are_read_once(nlp, tagger, make_examples) -> None:
    examples = make_examples(nlp)
    scores, _ = tagger.model.begin_update([eg.predicted for eg in examples])
    loss, gradients = tagger.get_loss(iter(examples), scores)
    expected, expected_gradients = tagger.get_loss(examples, scores)
    assert loss == expected > 0
    assert_array_equal(numpy.vstack(gradients), numpy.vstack(expected_gradients))
    assert tagger.update(iter(examples))["lstm_tagger"] > 0
    nlp.resume_training(sgd=Adam(0.01))
    tagger.update(examples, sgd=Adam(0.01))
    assert tagger.rehearse(iter(examples))["lstm_tagger"] > 0
    for eg in examples:
        tagger.set_annotations(eg.predicted, tagger.predict(eg.predicted))
    assert tagger.score(iter(examples)) == tagger.score(examples)
    assert tagger.score(examples[0])["tag_acc"] is not None


@pytest.mark.parametrize("method", ["update", "rehearse", "score"])
def test_docs_for_examples_are_refused(method, tagger, docs) -> None:
    with pytest.raises((TypeError, ValueError), match="Example"):
        getattr(tagger, method)(docs)


# What is read from docs


def test_render_and_uncertain_tokens_take_one_doc(nlp, tagger) -> None:
    pytest.importorskip("jinja2", reason="jinja2 is not installed (the extra [report])")
    tagger.cfg["save_probabilities"] = 2
    doc = nlp("I like green eggs")
    assert list(uncertain_tokens(doc, 1.0)) == list(uncertain_tokens([doc], 1.0))
    assert "eggs" in render(doc)
    with pytest.raises(TypeError, match=r"Doc or a Span, but found str.*nlp\(text\)"):
        render("I like green eggs")
    with pytest.raises(TypeError, match="docs, but got str"):
        list(uncertain_tokens("I like green eggs", 1.0))


def test_docs_without_probabilities_are_named(docs) -> None:
    with pytest.raises(ValueError, match=r"has no probabilities.*save_probabilities"):
        list(uncertain_tokens(docs, 0.5))


# Vocabs


def with_vectors(seed: int, width: int = 4) -> spacy.Language:
    nlp = spacy.blank("en")
    words = ["I", "like", "green", "eggs", "Eat", "blue", "ham"]
    generator = numpy.random.default_rng(seed)
    rows = generator.normal(size=(len(words), width)).astype("float32")
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=rows, keys=words)
    return nlp


@pytest.fixture
def reading_vectors(small_config, make_examples, randomize):
    nlp = with_vectors(0)
    model = {**small_config["model"], "include_static_vectors": True}
    tagger = nlp.add_pipe("lstm_tagger", config={"model": model})
    nlp.initialize(lambda: make_examples(nlp))
    randomize(tagger)
    return nlp


@pytest.mark.parametrize("exported", [False, True])
def test_every_doc_has_the_vectors_of_its_own_vocab(exported, reading_vectors, scores_of) -> None:
    nlp, other = reading_vectors, with_vectors(1)
    if exported:
        pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
        from spacy_lstm_tagger.runtime.export import export_tagger

        export_tagger(nlp, "lstm_tagger", "float32")
    tagger = nlp.get_pipe("lstm_tagger")
    docs = [pipeline.make_doc("I like eggs") for pipeline in (nlp, other)]
    alone = [scores_of(tagger, [doc])[0] for doc in docs]
    assert numpy.abs(alone[0] - alone[1]).max() > 0.01
    for order in ([0, 1], [1, 0], [1, 0, 1]):
        together = scores_of(tagger, [docs[i] for i in order])
        for i, rows in zip(order, together, strict=True):
            assert_allclose(rows, alone[i], atol=1e-5)


def test_vectors_of_two_widths_are_named(reading_vectors) -> None:
    docs = [reading_vectors.make_doc("I like"), with_vectors(1, width=5).make_doc("eggs")]
    tagger = reading_vectors.get_pipe("lstm_tagger")
    with pytest.raises(ValueError, match=r"vectors have \[4, 5\] numbers"):
        tagger.model.predict(docs)
    with pytest.raises(ValueError, match=r"\[0, 4\]"):
        tagger.model.predict([docs[0], spacy.blank("en").make_doc("eggs")])


# First impressions are made on two sentences


def test_partly_annotated_sentences_are_learned_whatever_the_seed() -> None:
    """spaCy's own test of its `tagger`, for 15 seeds and the default model."""
    data = [
        ("I like green eggs", {"tags": ["", "V", "J", ""]}),
        (
            "He hates green eggs",
            {"words": ["He", "hat", "es", "green", "eggs"], "tags": ["", "V", "S", "J", ""]},
        ),
    ]
    for seed in range(15):
        fix_random_seed(seed)
        nlp = spacy.blank("en")
        nlp.add_pipe("lstm_tagger")
        examples = [Example.from_dict(nlp.make_doc(text), dict(gold)) for text, gold in data]
        optimizer = nlp.initialize(lambda examples=examples: examples)
        for _ in range(50):
            losses = nlp.update(examples, sgd=optimizer)
        assert losses["lstm_tagger"] < 0.00001, seed
        tags = [token.tag_ for token in nlp("I like blue eggs")]
        assert tags[1:3] == ["V", "J"], seed


def test_what_was_never_trained_says_nothing(make_nlp, weights_of) -> None:
    """The rows of an unknown word, affix and character begin at 0."""
    weights = weights_of(make_nlp().get_pipe("lstm_tagger"))
    for name in ("words.weight", "characters.embedding.weight"):
        assert not weights[name][0].any()
        assert weights[name][1:].any(axis=1).all()


def test_doc_without_tokens_among_others(tagger, nlp) -> None:
    docs = [Doc(nlp.vocab), nlp.make_doc("ham"), Doc(nlp.vocab)]
    assert [len(rows) for rows in tagger.predict_probabilities(docs)] == [0, 1, 0]
    assert [len(columns) for columns in tagger.predict([Doc(nlp.vocab)])] == [0]

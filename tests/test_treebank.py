"""Batch invariance on real treebanks, which are not part of the repository."""

from collections.abc import Callable

import numpy
import pytest
import spacy
from numpy.testing import assert_allclose
from spacy.tokens import Doc
from spacy.training import Example

from spacy_lstm_tagger.pipeline.tagger import LSTMTagger

FILES = {"en_ewt-ud-dev.conllu": 2001, "tr_imst-ud-dev.conllu": 1100}


@pytest.fixture(scope="module", params=FILES)
def docs(request, read_treebank: Callable[[str], list[Doc]]) -> list[Doc]:
    """Return all sentences of a treebank, one a doc."""
    docs = read_treebank(request.param)
    assert len(docs) == FILES[request.param]
    return docs


@pytest.fixture
def tagger(docs: list[Doc], small_config, randomize) -> LSTMTagger:
    """Return a tagger for the treebank, with random weights."""
    nlp = spacy.blank("xx")
    small_config["model"].update(width=32, depth=2, min_word_freq=2)
    tagger = nlp.add_pipe("lstm_tagger", config=small_config)
    tagger.initialize(lambda: [Example(doc, doc) for doc in docs], nlp=nlp)
    randomize(tagger)
    return tagger


def test_scores_are_the_same_alone_in_batches_and_at_once(docs, tagger) -> None:
    predict = tagger.model.predict
    at_once = numpy.concatenate(predict(docs))
    alone = numpy.concatenate([predict([doc])[0] for doc in docs])
    in_batches = numpy.concatenate(
        [rows for i in range(0, len(docs), 32) for rows in predict(docs[i : i + 32])]
    )
    assert abs(at_once).max() > 1
    for scores in (alone, in_batches):
        assert_allclose(scores, at_once, rtol=0, atol=1e-5)
        assert (scores.argmax(axis=1) == at_once.argmax(axis=1)).all()


def test_every_tag_of_the_treebank_is_a_label(docs, tagger) -> None:
    tags = {token.tag_ for doc in docs for token in doc}
    assert set(tagger.labels) == tags - {""}


def test_every_token_is_tagged(docs, tagger) -> None:
    guesses = tagger.predict(docs)
    assert [len(rows) for rows in guesses] == [len(doc) for doc in docs]

"""Odd annotation: what can be learned from is learned, and the rest is no obstacle."""

from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example


@pytest.fixture
def train(small_config) -> Callable[..., tuple[Language, float]]:
    """Return a function that trains on words and tags; it gives the pipeline and the last loss."""

    def make(data: list[tuple[list[str], list[str]]], steps: int = 40) -> tuple[Language, float]:
        nlp = spacy.blank("en")
        nlp.add_pipe("lstm_tagger", config=small_config)
        examples = [
            Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words, tags=tags))
            for words, tags in data
        ]
        optimizer = nlp.initialize(lambda: examples)
        optimizer.learn_rate = 0.02
        for _ in range(steps):
            losses = nlp.update(examples, sgd=optimizer)
        return nlp, losses["lstm_tagger"]

    return make


MANY = [f"T{i}" for i in range(10_000)]

ODD = {
    "one tag": [(["ham", "eggs"], ["N", "N"])],
    "one word": [(["ham"], ["N"])],
    "the same example many times": [(["eat", "ham"], ["V", "N"])] * 30,
    "the same words with other tags": [(["ham"], ["N"]), (["ham"], ["V"]), (["ham"], ["N"])],
    "blanks for words": [([" ", "\n", "ham", "\t \t"], ["_SP", "_SP", "N", "_SP"])],
    "most tags missing": [(["a", "b", "c", "ham"], ["", "", "", "N"]), (["a"], [""])],
    "tags of odd characters": [(["a", "b", "c"], ["ń|x=y", " ", "🙂"])],
}


@pytest.mark.parametrize("what", ODD)
def test_odd_annotation_trains(what: str, train) -> None:
    data = ODD[what]
    nlp, loss = train(data)
    assert numpy.isfinite(loss)
    words, tags = data[0]
    found = [token.tag_ for token in nlp(Doc(nlp.vocab, words=words))]
    assert [tag for tag, gold in zip(found, tags, strict=True) if gold] == [t for t in tags if t]


def test_ten_thousand_tags_train_save_and_load(train, tmp_path: Path) -> None:
    nlp, loss = train([([f"w{i}" for i in range(10_000)], MANY)], steps=1)
    assert numpy.isfinite(loss)
    assert nlp.get_pipe("lstm_tagger").labels == tuple(sorted(MANY))
    nlp.to_disk(tmp_path)
    words = ["w1", "w2", "unseen"]
    loaded = spacy.load(tmp_path)
    expected = [token.tag_ for token in nlp(Doc(nlp.vocab, words=words))]
    assert [token.tag_ for token in loaded(Doc(loaded.vocab, words=words))] == expected


def test_unseen_label_in_dev_is_scored(train) -> None:
    nlp, _ = train([(["eat", "ham"], ["V", "N"])])
    words = ["eat", "ham"]
    dev = Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words, tags=["V", "UNSEEN"]))
    with pytest.warns(UserWarning, match=r"1 of the 2 words .*'UNSEEN'"):
        assert nlp.evaluate([dev])["tag_acc"] == 0.5

"""Flair's SequenceTagger: characters and one-hot words, LSTM of 256 each way, CRF; no pretraining.

Trains as `ModelTrainer.train` does by default: SGD, with a learning rate that is halved if the dev
score does not improve. It ends by itself before the pass in which its time would run out.
Source: https://flairnlp.github.io/docs/tutorial-training/how-to-train-sequence-tagger
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import flair
from flair.data import Corpus, Dictionary, Sentence
from flair.datasets import FlairDatapointDataset
from flair.embeddings import (
    CharacterEmbeddings,
    FlairEmbeddings,
    OneHotEmbeddings,
    StackedEmbeddings,
)
from flair.models import LanguageModel, SequenceTagger
from flair.trainers import ModelTrainer
from flair.trainers.plugins import TrainerPlugin, TrainingInterrupt

from measuring.peers.interface import Sentences, Tag, run
from measuring.treebank import read_conllu

LABEL, PREDICTED = "pos", "predicted"
RESERVE = 1.1
"""A pass is expected to take this many times as long as the longest pass before it."""


class StopInTime(TrainerPlugin):
    """Plugin that ends the training before a pass that would not end in time.

    minutes: Time of the training.
    note: File for a note that the training was ended.
    start: Time of the start, by `time.monotonic`.
    """

    def __init__(self, minutes: float, note: Path, start: float) -> None:
        super().__init__()
        self.end, self.note = start + 60 * minutes, note
        self.started, self.longest = time.monotonic(), 0.0

    @TrainerPlugin.hook
    def before_training_epoch(self, epoch: int, **_: Any) -> None:
        """Stop if the time left is too short for another pass."""
        now = time.monotonic()
        if epoch > 1:
            self.longest = max(self.longest, now - self.started)
        if now + RESERVE * self.longest > self.end:
            self.note.write_text(f"ended by its time limit after {epoch - 1} passes")
            raise TrainingInterrupt("no time for another pass")
        self.started = now


def train(args: Namespace) -> None:
    """Train; Flair saves the best model on dev after each pass."""
    start = time.monotonic()
    flair.set_seed(args.seed)
    corpus: Corpus = Corpus(_dataset(args.train), _dataset(args.dev), sample_missing_splits=False)
    words = OneHotEmbeddings.from_corpus(corpus)
    characters = CharacterEmbeddings(_characters(corpus.train))
    tagger = SequenceTagger(
        embeddings=StackedEmbeddings([words, characters]),
        tag_dictionary=corpus.make_label_dictionary(LABEL, add_unk=True),  # for new tags in dev
        tag_type=LABEL,
        hidden_size=256,
    )
    ModelTrainer(tagger, corpus).train(
        args.model,
        save_final_model=False,
        embeddings_storage_mode="none",
        plugins=[StopInTime(args.minutes, args.model / "note.txt", start)],
    )


def tag(model: Path, sentences: Sentences) -> Sentences:
    """Tag sentences, given as words."""
    tagger = SequenceTagger.load(model / "best-model.pt")
    # Flair puts embeddings side by side in the order of their names, "0-..." and "1-...", and
    # loses the first number when it loads them. Stacking them again restores the numbers.
    tagger.embeddings = StackedEmbeddings(tagger.embeddings.embeddings)
    return _tag(tagger, sentences)


def _tag(tagger: SequenceTagger, sentences: Sentences) -> Sentences:
    tagged = [Sentence(words) for words in sentences]
    tagger.predict(tagged, label_name=PREDICTED)
    return [[token.get_label(PREDICTED).value for token in sentence] for sentence in tagged]


def untrained(args: Namespace) -> Tag:
    """Return a tagger of the size of `flair/pos-english`, with language models of random weights.

    The language models read characters with an LSTM of 2048 in each direction. Flair's usual tagger
    reads their output with an LSTM of 256 in each direction, and has a CRF.
    """
    data = _dataset(args.train)
    corpus: Corpus = Corpus(data, data, sample_missing_splits=False)
    characters = _characters(corpus.train)
    models = [LanguageModel(characters, forwards, 2048, 1) for forwards in (True, False)]
    tagger = SequenceTagger(
        embeddings=StackedEmbeddings([FlairEmbeddings(model) for model in models]),
        tag_dictionary=corpus.make_label_dictionary(LABEL),
        tag_type=LABEL,
        hidden_size=256,
    )
    return partial(_tag, tagger)


def _dataset(path: Path) -> FlairDatapointDataset:
    sentences = []
    for words, tags in ((s.words, s.tags) for s in read_conllu(path)):
        sentence = Sentence(words)
        for token, tag in zip(sentence, tags, strict=True):
            token.set_label(LABEL, tag)
        sentences.append(sentence)
    return FlairDatapointDataset(sentences)


def _characters(sentences: Iterable[Sentence]) -> Dictionary:
    """Return the characters of the training data; Flair would download its own list of them."""
    dictionary = Dictionary()
    for character in sorted(
        {c for sentence in sentences for token in sentence for c in token.text}
    ):
        dictionary.add_item(character)
    return dictionary


if __name__ == "__main__":
    run(train, tag, untrained)

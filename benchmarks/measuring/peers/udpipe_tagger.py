"""Tagger and lemmatizer of UDPipe 1 (`ufal.udpipe`), with its default options.

The best iteration is chosen on the dev split, as UDPipe does whenever it is given one. The seed
is not used: UDPipe's trainer takes none. Larger treebanks get fewer iterations.

Source: https://ufal.mff.cuni.cz/udpipe/1/users-manual#model_training_tagger
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from ufal.udpipe import InputFormat, Model, ProcessingError, Sentence, Trainer

from measuring.peers.interface import run

ITERATIONS, FEW_ITERATIONS = 20, 5
"""UDPipe's default, and that for treebanks with more words than MANY_WORDS."""

MANY_WORDS = 100_000

FILE = "model.udpipe"


def train(args: Namespace) -> None:
    """Train and save."""
    sentences = _read(args.train)
    n_words = sum(len(sentence.words) - 1 for sentence in sentences)  # the first one is the root
    options = Trainer.DEFAULT
    if n_words > MANY_WORDS:
        options = f"iterations={FEW_ITERATIONS}"
        note = f"trained for {FEW_ITERATIONS} iterations, not UDPipe's {ITERATIONS}"
        (args.model / "note.txt").write_text(note, encoding="utf8")
    _train(sentences, _read(args.dev), options, args.model)


def tag(model: Path, sentences: list[list[str]]) -> list[list[list[str]]]:
    """Return the XPOS, UPOS, FEATS and lemma of each word of sentences, given as words."""
    return _load(model)(sentences)


def untrained(args: Namespace) -> Callable[[list[list[str]]], list[list[list[str]]]]:
    """Return a tagger after one iteration: its dictionary decides about speed."""
    if not (args.model / FILE).is_file():
        _train(_read(args.train), [], "iterations=1", args.model)
    return _load(args.model)


def _train(sentences: list[Sentence], dev: list[Sentence], options: str, directory: Path) -> None:
    error = ProcessingError()
    model = Trainer.train(
        *("morphodita_parsito", sentences, dev), *(Trainer.NONE, options, Trainer.NONE, error)
    )
    if error.occurred():
        sys.exit(error.message)
    (directory / FILE).write_bytes(model)


def _load(model: Path) -> Callable[[list[list[str]]], list[list[list[str]]]]:
    tagger = Model.load(str(model / FILE))
    if tagger is None:
        sys.exit(f"UDPipe cannot load {model / FILE}")
    return lambda sentences: [_tag(tagger, words) for words in sentences]


def _tag(tagger: Model, words: list[str]) -> list[list[str]]:
    sentence = Sentence()
    for word in words:
        sentence.addWord(word)
    if not tagger.tag(sentence, Model.DEFAULT):
        sys.exit("UDPipe failed to tag a sentence")
    return [[w.xpostag, w.upostag, w.feats, w.lemma] for w in list(sentence.words)[1:]]


def _read(path: Path) -> list[Sentence]:
    """Return the sentences of a CoNLL-U file."""
    reader = InputFormat.newConlluInputFormat()
    reader.setText(path.read_text(encoding="utf8"))
    sentences, error = [], ProcessingError()
    sentence = Sentence()
    while reader.nextSentence(sentence, error):
        sentences.append(sentence)
        sentence = Sentence()
    if error.occurred():
        sys.exit(f"{path}: {error.message}")
    return sentences


if __name__ == "__main__":
    run(train, tag, untrained)

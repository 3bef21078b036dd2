"""Docs to label from files of text."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab


def read_docs(path: Path, nlp: Language) -> Iterator[Doc]:
    """Read .txt (a text a line), .jsonl (with the key "text"), either with .gz, or .spacy.

    Texts are cut into tokens by the pipeline's tokenizer, docs keep theirs. Nothing but tokens is
    read of docs. Empty texts are left out.
    Raises ValueError for another kind of file, or for a line that cannot be read.
    """
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    kind = suffixes[-1] if suffixes else ""
    if kind == ".spacy":
        docs = _stored(path, nlp)
    elif kind in (".txt", ".jsonl"):
        docs = (nlp.make_doc(text) for text in _texts(path, kind))
    else:
        raise ValueError(
            f"{path} is neither .txt nor .jsonl (both also with .gz) nor .spacy, as its name says."
        )
    return (doc for doc in docs if len(doc))


def _texts(path: Path, kind: str) -> Iterator[str]:
    number = 0
    try:
        with _open(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield line.strip() if kind == ".txt" else _text(line, path, number)
    except (OSError, EOFError, UnicodeError, zlib.error) as error:
        raise ValueError(
            f"{path} cannot be read after line {number}: it is damaged, or not in UTF-8. "
            f"({type(error).__name__}: {error})"
        ) from error


def _text(line: str, path: Path, number: int) -> str:
    try:
        text = str(json.loads(line)["text"])
        text.encode()  # half of a surrogate pair, which JSON can escape, is no text
        return text
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'{path}, line {number}: not a JSON object with the key "text". '
            f"({type(error).__name__}: {error})"
        ) from error


def _stored(path: Path, nlp: Language) -> Iterator[Doc]:
    for doc in stored_docs(path, nlp.vocab):
        words = [token.text for token in doc]
        spaces = [bool(token.whitespace_) for token in doc]
        yield Doc(nlp.vocab, words=words, spaces=spaces)


def stored_docs(path: Path, vocab: Vocab) -> Iterator[Doc]:
    """The docs of a .spacy file. Raises ValueError where it is damaged or is another file."""
    try:
        yield from DocBin().from_disk(path).get_docs(vocab)
    except Exception as error:  # whatever zlib, msgpack, numpy and the file system raise
        raise ValueError(
            f"Cannot read {path} as a .spacy file: it is damaged, or another kind of file. Make "
            f"one with `spacy convert`. ({type(error).__name__}: {error})"
        ) from error


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")

"""Docs from files of text, and from `.spacy` files."""

from __future__ import annotations

import contextlib
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..settings import ENVIRONMENT_ERRORS


def read_docs(path: Path, nlp: Language) -> Iterator[Doc]:
    """Read .txt (a text a line), .jsonl (with the key "text"), either with .gz, or .spacy.

    Texts are split into tokens by the pipeline's tokenizer, docs keep theirs. Nothing but tokens
    is read of docs. Empty texts are left out.
    Raises ValueError for another kind of file, or for a line that cannot be read.
    """
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    kind = suffixes[-1] if suffixes else ""
    if kind == ".spacy":
        docs = (bare_doc(nlp.vocab, doc) for doc in stored_docs(path, nlp.vocab))
    elif kind in (".txt", ".jsonl"):
        docs = (nlp.make_doc(text) for text in _texts(path, kind))
    else:
        raise ValueError(
            f"{path} is neither .txt nor .jsonl (both also with .gz) nor .spacy, as its name says."
        )
    return (doc for doc in docs if len(doc))


def bare_doc(vocab: Vocab, doc: Doc) -> Doc:
    """Return a doc with the tokens of another and without its annotation."""
    words = [token.text for token in doc]
    spaces = [bool(token.whitespace_) for token in doc]
    return Doc(vocab, words=words, spaces=spaces)


def stored_docs(path: Path, vocab: Vocab) -> Iterator[Doc]:
    """Yield the docs of a .spacy file. Raises ValueError if it is damaged or is another file."""
    with reading_stored_docs(path):
        yield from DocBin().from_disk(path).get_docs(vocab)


@contextlib.contextmanager
def reading_stored_docs(path: Path) -> Iterator[None]:
    """Turn whatever a damaged .spacy file raises inside the context into a ValueError."""
    try:
        yield
    except ENVIRONMENT_ERRORS:
        raise
    except Exception as error:  # whatever zlib, msgpack and numpy raise
        raise ValueError(
            f"Cannot read {path} as a .spacy file: it is damaged, or another kind of file. Make "
            f"one with `spacy convert`. ({type(error).__name__}: {error})"
        ) from error


def _texts(path: Path, kind: str) -> Iterator[str]:
    number = 0
    try:
        with _open(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield line.strip() if kind == ".txt" else _text(line, path, number)
    except (gzip.BadGzipFile, EOFError, UnicodeError, zlib.error) as error:
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


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")

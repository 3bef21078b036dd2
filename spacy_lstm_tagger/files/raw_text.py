"""Docs from files of text, and from `.spacy` files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..settings import ENVIRONMENT_ERRORS
from .make_doc import make_doc
from .text_lines import KINDS, OnError, read_texts


def raise_error(message: str) -> None:
    """Raise ValueError: what a record that cannot be used leads to unless told otherwise."""
    raise ValueError(message)


def read_docs(
    path: Path, nlp: Language, *others: Language, on_error: OnError = raise_error
) -> Iterator[Doc]:
    """Read .txt (a text a line), .jsonl (with the key "text"), either with .gz, or .spacy.

    Texts are split into tokens by the pipeline's tokenizer, docs keep theirs. Nothing but tokens
    is read of docs. Texts without a word are left out.
    others: further pipelines that will read the docs, whose limits of length hold as well.
    on_error: told of each record that cannot be used, by file and line; unless it raises an
        error, reading goes on with the next record.
    Raises ValueError for another kind of file, or if the file as a whole cannot be read.
    """
    return (doc for doc, _ in read_placed_docs(path, nlp, *others, on_error=on_error))


def read_placed_docs(
    path: Path, nlp: Language, *others: Language, on_error: OnError = raise_error
) -> Iterator[tuple[Doc, str]]:
    """Read the docs as `read_docs` does, each with its place, such as "raw.txt, line 3"."""
    suffixes = [suffix for suffix in path.suffixes if suffix.lower() != ".gz"]
    kind = suffixes[-1].lower() if suffixes else ""
    if kind == ".spacy":
        return _placed_stored_docs(path, nlp.vocab)
    if kind in KINDS:
        return _placed_texts(path, kind, (nlp, *others), on_error)
    raise ValueError(
        f"{path} is neither .txt nor .jsonl (both also with .gz) nor .spacy, as its name says."
    )


def _placed_stored_docs(path: Path, vocab: Vocab) -> Iterator[tuple[Doc, str]]:
    for number, doc in enumerate(stored_docs(path, vocab), start=1):
        if not doc.text.isspace() and len(doc):
            yield bare_doc(vocab, doc), f"{path}, doc {number}"


def _placed_texts(
    path: Path, kind: str, pipelines: tuple[Language, ...], on_error: OnError
) -> Iterator[tuple[Doc, str]]:
    for number, text in read_texts(path, kind, on_error):
        place = f"{path}, line {number}"
        try:
            doc = make_doc(text, *pipelines)
        except ValueError as error:
            on_error(f"{place}: {error}")
            continue
        if len(doc):
            yield doc, place


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

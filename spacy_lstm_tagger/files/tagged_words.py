"""Sentences of tagged words, read from any kind of file, as docs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from spacy.tokens import Doc
from spacy.vocab import Vocab

from .text_lines import checked_line, open_lines


class Word(NamedTuple):
    """A word and its annotation; "" for what is missing."""

    form: str
    tag: str
    pos: str = ""
    morph: str = ""
    lemma: str = ""
    space: bool = True


def to_doc(words: list[Word], vocab: Vocab, *, spaces_known: bool) -> Doc:
    """Return a sentence as a doc.

    spaces_known: whether the file says where spaces are. If not, spaCy uses the words of the doc
    in training and evaluation, and never splits its text into words.
    """
    forms, tags, pos, morphs, lemmas, spaces = map(list, zip(*words, strict=True))
    return Doc(
        vocab,
        words=forms,
        spaces=spaces if spaces_known else None,
        tags=tags,
        pos=pos,
        morphs=morphs,
        lemmas=lemmas,
        sent_starts=[i == 0 for i in range(len(words))],
    )


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file and their numbers. A byte order mark is left out.

    Raises ValueError, with the line, if the file is not in UTF-8.
    """
    with open_lines(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                yield number, checked_line(line).rstrip("\n")
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}. Save it in UTF-8.") from None

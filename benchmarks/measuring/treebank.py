"""Read the sentences of a CoNLL-U file with their ids, which `spacy convert` drops.

Uses only the standard library, because each peer reads its corpora with this in its own
environment.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

EDITED = ("newsgroup", "weblog")
"""Genres of UD English EWT that are mostly journalism and essays, written to be published."""

WEB = ("answers", "email", "reviews")
"""Its other genres: messages, questions and reviews by ordinary people."""


class Sentence(NamedTuple):
    """Sentence with its id, its syntactic words and their XPOS tags."""

    id: str
    words: list[str]
    tags: list[str]


def read_conllu(path: Path) -> Iterator[Sentence]:
    """Yield the sentences of a file. Lines of multiword tokens and empty nodes are skipped."""
    sentence = Sentence("", [], [])
    with path.open(encoding="utf8") as lines:
        for line in lines:
            if line.startswith("# sent_id"):
                sentence = sentence._replace(id=line.partition("=")[2].strip())
            elif line[0].isdigit():
                columns = line.rstrip("\n").split("\t")
                if columns[0].isdigit():
                    sentence.words.append(columns[1])
                    sentence.tags.append(columns[4])
            elif not line.strip() and sentence.words:
                yield sentence
                sentence = Sentence("", [], [])
    if sentence.words:
        yield sentence


def genre(sentence_id: str) -> str | None:
    """Return the genre that an EWT sentence's id starts with; None for other treebanks' ids."""
    prefix = sentence_id.partition("-")[0]
    return prefix if prefix in EDITED + WEB else None

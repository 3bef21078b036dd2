"""Sentences of a CoNLL-U file: https://universaldependencies.org/format.html.

`spacy convert` reads these files as well. It takes sentences from HEAD, so that without heads every
word is one, and fills a missing XPOS with the UPOS of the word. Here sentences end at blank lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from spacy.parts_of_speech import IDS as POS_IDS

from .tagged_words import Word, numbered_lines

COLUMNS = 10
RANGE, EMPTY_NODE = re.compile(r"(\d+)-(\d+)"), re.compile(r"\d+\.\d+")


class Row(NamedTuple):
    """A line of a word or of a multi-word token."""

    id: str
    form: str
    lemma: str
    upos: str
    xpos: str
    feats: str
    head: str
    deprel: str
    deps: str
    misc: str


@dataclass
class Sentence:
    """Words, and the multi-word tokens that some of them are parts of.

    contractions: the row of a multi-word token by the indices of its first and last part.
    """

    words: list[Row] = field(default_factory=list)
    contractions: dict[tuple[int, int], Row] = field(default_factory=dict)


def read_conllu(path: Path) -> list[Sentence]:
    """Read all sentences. Raises ValueError, with the line, for what is not CoNLL-U."""
    sentences = [Sentence()]
    number = 0
    for number, line in numbered_lines(path):
        if not line.strip():
            _check_ranges(sentences[-1], path, number)
            sentences.append(Sentence())
        elif not line.startswith("#"):
            _add(line, sentences[-1], f"{path}, line {number}")
    _check_ranges(sentences[-1], path, number)
    return [sentence for sentence in sentences if sentence.words]


def has_xpos(sentences: list[Sentence]) -> bool:
    """Return whether any word has an XPOS."""
    return any(word.xpos != "_" for sentence in sentences for word in sentence.words)


def spaces_are_known(sentences: list[Sentence]) -> bool:
    """Return whether any token says that no space is behind it."""
    return any(
        not _space(row)
        for sentence in sentences
        for row in (*sentence.words, *sentence.contractions.values())
    )


def to_words(
    sentence: Sentence, column: str, keeps_parts: Callable[[str, list[str]], bool]
) -> list[Word]:
    """Return the words of a sentence as raw text has them.

    Parts of a multi-word token are merged into one word unless `keeps_parts`, called with its form
    and those of the parts, returns true. As `spacy convert --merge-subtokens` does, the tags and
    lemmas of the parts are joined, their features united.
    column: "xpos" or "upos", which the tags are taken from; "_" is a missing tag.
    """
    rows, words = sentence.words, []
    by_start = {start: (end, row) for (start, end), row in sentence.contractions.items()}
    i = 0
    while i < len(rows):
        end, whole = by_start.get(i, (i, rows[i]))
        parts = rows[i : end + 1]
        if len(parts) > 1 and keeps_parts(whole.form, [part.form for part in parts]):
            *inner, last = (_merged(part, [part], column, rows) for part in parts)
            words += [word._replace(space=False) for word in inner]
            words.append(last._replace(space=_space(whole)))
        else:
            words.append(_merged(whole, parts, column, rows))
        i = end + 1
    return words


def _add(line: str, sentence: Sentence, where: str) -> None:
    cells = line.split("\t")
    if len(cells) != COLUMNS:
        raise ValueError(
            f"{where}: {len(cells)} columns, but CoNLL-U has {COLUMNS}, separated by tabs."
        )
    row = Row(*(cell.strip() for cell in cells))
    expected = len(sentence.words) + 1
    if not row.form:
        raise ValueError(f"{where}: there is no word in its second column.")
    if row.id == str(expected):
        sentence.words.append(row)
    elif (found := RANGE.fullmatch(row.id)) and int(found[1]) == expected < int(found[2]):
        sentence.contractions[expected - 1, int(found[2]) - 1] = row
    elif not EMPTY_NODE.fullmatch(row.id):
        raise ValueError(
            f"{where}: its ID is '{row.id}', but must be {expected}, the next word of the sentence "
            f"(or a range that starts there). Sentences are separated by blank lines."
        )


def _check_ranges(sentence: Sentence, path: Path, number: int) -> None:
    last = -1
    for (start, end), row in sorted(sentence.contractions.items()):
        if start <= last or end >= len(sentence.words):
            raise ValueError(
                f"{path}, sentence that ends at line {number}: the multi-word token {row.id} "
                f"({row.form}) does not fit its {len(sentence.words)} words."
            )
        last = end


def _merged(whole: Row, parts: list[Row], column: str, words: list[Row]) -> Word:
    """Return one or several words as one, with the part of speech of the uppermost."""
    tags = [getattr(part, column) for part in parts]
    lemmas = ["" if part.lemma == "_" and part.form != "_" else part.lemma for part in parts]
    upos = min(parts, key=lambda part: _depth(part, words)).upos
    return Word(
        form=whole.form,
        tag="" if "_" in tags else "_".join(tags),
        pos=upos if upos in POS_IDS else "",
        morph=_united([part.feats for part in parts]),
        lemma=" ".join(lemmas) if all(lemmas) else "",
        space=_space(whole),
    )


def _depth(word: Row, words: list[Row]) -> int:
    """Return how many heads are above a word; 0 without heads."""
    depth = 0
    while word.head.isdecimal() and 0 < int(word.head) <= len(words) and depth < len(words):
        word = words[int(word.head) - 1]
        depth += 1
    return depth


def _united(feats: list[str]) -> str:
    """Return the features of some words as those of one; features that are not UD's are left."""
    values: dict[str, set[str]] = {}
    for feature in "|".join(feats).split("|"):
        name, sign, value = feature.partition("=")
        if sign and name and value:
            values.setdefault(name, set()).update(value.split(","))
    return "|".join(f"{name}={','.join(sorted(values[name]))}" for name in sorted(values))


def _space(row: Row) -> bool:
    return "SpaceAfter=No" not in row.misc.split("|")

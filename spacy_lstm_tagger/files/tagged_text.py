"""Sentences of tagged words in plain files: columns, comma-separated values, words with slashes."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from .tagged_words import Word, numbered_lines

WORD_NAMES = ("word", "token", "form", "words", "tokens")
TAG_NAMES = ("tag", "pos", "xpos", "upos", "tags", "pos_tag", "pos tag")
SENTENCE_NAMES = ("sentence", "sentence_id", "sentence id", "sentence #", "sent", "sent_id")
DELIMITERS = ",;\t"
MARKER = "-DOCSTART-"
"""What stands in the place of a word before every document in the files of CoNLL-2003."""

Rows = Iterator[tuple[int, list[str]]]
"""Numbers of lines and their cells; no cells for a blank line."""


def column_rows(path: Path) -> Rows:
    """Yield the rows of a file with columns separated by tabs, or by spaces if it has no tabs."""
    tabs = any("\t" in line for _, line in numbered_lines(path))
    for number, line in numbered_lines(path):
        if tabs:
            yield number, [cell.strip() for cell in line.split("\t")]
        else:
            first, *others = line.split() or [""]
            yield number, [f"{first} " if first == "#" and others else first, *others]


def csv_rows(path: Path) -> Rows:
    """Yield the rows of a file of values separated by commas, semicolons or tabs, with quotes."""
    number, first = next((pair for pair in numbered_lines(path) if pair[1].strip()), (0, ""))
    delimiter = max(DELIMITERS, key=first.count)
    rows = csv.reader(
        (f"{line}\n" for _, line in numbered_lines(path)), delimiter=delimiter, strict=True
    )
    try:
        for cells in rows:
            number = rows.line_num
            yield number, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise ValueError(f"{path}, line {rows.line_num}: {error}.") from error


def read_table(
    path: Path, rows: Rows, *, headed: bool, word: str = "", tag: str = "", sentence: str = ""
) -> Iterator[list[Word]]:
    """Yield the sentences of a table with a word a row.

    Sentences end at blank rows, and if a column says which sentence a word is in, where it changes;
    blank cells in it continue the sentence. A blank tag is a missing one.
    headed: whether two columns without usual names in the first row are refused; if not, they are
    words and tags, from the first row on.
    word, tag, sentence: names of columns in the first row, or numbers from 1; if they are not
    given, usual names are looked for.
    Raises ValueError, with the line, for a row that does not fit.
    """
    start, first = next(((n, cells) for n, cells in rows if _is_data(cells)), (0, []))
    if not first:
        return
    columns, named = _find_columns(path, first, headed, word, tag, sentence)
    words: list[Word] = []
    current = ""
    for number, cells in rows if named else chain([(start, first)], rows):
        where = f"{path}, line {number}"
        if not any(cells):
            if words:
                yield words
            words = []
            continue
        if len(cells) != len(first):
            if cells[0].startswith("#"):
                continue  # a comment
            raise ValueError(f"{where}: {len(cells)} columns, but there are {len(first)} above it.")
        if cells[0].startswith("# "):
            raise ValueError(
                f"{where}: it is not clear whether this is a comment or the word '#'. Remove it, "
                "or separate the columns by tabs."
            )
        form, label, place = (cells[i] if i is not None else "" for i in columns)
        if not form:
            raise ValueError(f"{where}: there is no word in it.")
        if any(character.isspace() or not character.isprintable() for character in label):
            raise ValueError(
                f"{where}: the tag {label!r} has white space or a control character in it. Each "
                "row must have one word and its tag."
            )
        if place and place != current:
            if words:
                yield words
            words, current = [], place
        if form != MARKER:
            words.append(Word(form, "" if label == "_" else label))
    if words:
        yield words


def read_slashes(path: Path) -> Iterator[list[Word]]:
    """Yield the sentences of a file of word/TAG, one a line. The last slash separates.

    Raises ValueError, with the line, for a word without a tag.
    """
    for number, line in numbered_lines(path):
        pieces = line.split()
        if not pieces or (pieces[0].startswith("#") and "/" not in pieces[0]):
            continue
        words = []
        for piece in pieces:
            form, _, tag = piece.rpartition("/")
            if not (form and tag):
                raise ValueError(f"{path}, line {number}: '{piece}' is not of the form word/TAG.")
            words.append(Word(form, tag))
        yield words


def _is_data(cells: Sequence[str]) -> bool:
    return any(cells) and cells[0] != MARKER and not (len(cells) == 1 and cells[0][0] == "#")


def _find_columns(
    path: Path, first: list[str], headed: bool, word: str, tag: str, sentence: str
) -> tuple[tuple[int, int, int | None], bool]:
    """Return the indices of words, tags and sentences, and whether the first row has names."""
    names = [name.casefold() for name in first]

    def find(given: str, usual: Sequence[str], option: str) -> int | None:
        if given.isdecimal() and 1 <= int(given) <= len(names):
            return int(given) - 1
        wanted = [given.casefold()] if given else usual
        found = [i for i, name in enumerate(names) if name in wanted]
        if len(found) > 1 or (given and not found):
            what = "several columns" if found else "no column"
            raise ValueError(
                f"{path}: {what} for {option} in the first row ({', '.join(first)}). Give the name "
                f"of one, or its number from 1, as {option}."
            )
        return found[0] if found else None

    words = find(word, WORD_NAMES, "--word")
    tags = find(tag, TAG_NAMES, "--tag")
    sentences = find(sentence, SENTENCE_NAMES, "--sentence")
    if words is None and tags is None and len(first) == 2 and not headed:
        return (0, 1, sentences), False
    if words is None or tags is None:
        raise ValueError(
            f"{path}: which of its {len(first)} columns are the words and the tags? The first row "
            f"is: {', '.join(first)}. Say it with --word and --tag (a name, or a number from 1)."
        )
    by_number = word.isdecimal() and tag.isdecimal()
    return (words, tags, sentences), not by_number or names[words] in WORD_NAMES

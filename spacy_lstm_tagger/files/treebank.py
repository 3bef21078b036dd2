"""Treebanks: the tagged sentences of a file in any format, and what is odd about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

from spacy.parts_of_speech import IDS as POS_IDS

from .conllu import Sentence, has_xpos, read_conllu, spaces_are_known, to_words
from .languages import language_class
from .tagged_text import column_rows, csv_rows, read_slashes, read_table
from .tagged_words import Word, numbered_lines

FORMATS = ("conllu", "tsv", "csv", "slash")
CONLLU_COLUMNS = 10
LONG = 200
"""Words of a sentence that is unlikely to be one."""


def read_treebank(
    path: Path,
    form: str,
    *,
    lang: str = "",
    split: bool = False,
    word: str = "",
    tag: str = "",
    sentence: str = "",
) -> tuple[list[list[Word]], bool, list[str]]:
    """Return the sentences of a file, whether it says where spaces are, and what is odd in it.

    form: one of FORMATS.
    lang: language whose tokenizer decides which multi-word tokens of CoNLL-U keep their parts;
    split: whether all do. If neither is given, all are merged.
    word, tag, sentence: columns of tsv and csv, by name or number; tag is xpos or upos for conllu.
    Raises ValueError for a file that cannot be read, and for one without words or tags.
    """
    notes: list[str] = []
    spaces_known = False
    if form == "conllu":
        parsed = read_conllu(path)
        spaces_known = spaces_are_known(parsed)
        sentences = _from_conllu(parsed, tag, _deciding(lang, split), notes)
        if any(each.contractions for each in parsed) and not (lang or split):
            notes.append("If the language's tokenizer splits contractions, as English: --lang en.")
    elif form == "slash":
        sentences = list(read_slashes(path))
    else:
        headed = form == "csv"
        rows = csv_rows(path) if headed else column_rows(path)
        found = read_table(path, rows, headed=headed, word=word, tag=tag, sentence=sentence)
        sentences = list(found)
    return _checked(sentences, notes), spaces_known, notes


def guess_format(path: Path) -> str:
    """Return the format of a file by its name, or else by its first line of words.

    Raises ValueError if it has none of those that can be read.
    """
    by_name = path.suffix.removeprefix(".").casefold()
    if by_name in FORMATS:
        return by_name
    for _, line in numbered_lines(path):
        if line.strip() and not (line.startswith("#") and "\t" not in line and "/" not in line):
            if len(line.split("\t")) == CONLLU_COLUMNS:
                return "conllu"
            pieces = line.split()
            slashes = all("/" in piece for piece in pieces)
            if slashes and ("\t" not in line or len(pieces) > 2):  # not a word and its tag
                return "slash"
            return "tsv"
    raise ValueError("there are no words in it.")


def _from_conllu(
    parsed: list[Sentence],
    tag: str,
    decide: Callable[[str, tuple[str, ...]], bool],
    notes: list[str],
) -> list[list[Word]]:
    column = tag.casefold() or ("xpos" if has_xpos(parsed) else "upos")
    rows = [row for sentence in parsed for row in sentence.words]
    if not tag and column == "upos" and rows:
        notes.append("No word has an XPOS: the tags are those of UPOS.")
    without = sum(row.xpos == "_" and row.upos != "_" for row in rows)
    if column == "xpos" and without:
        notes.append(
            f"{without} of {len(rows)} words have a UPOS but no XPOS. They are left without a tag, "
            "because two tag sets would be mixed otherwise; --tag upos takes UPOS for all."
        )
    odd = sorted({row.upos for row in rows} - {*POS_IDS, "_"})
    if odd:
        notes.append(
            f"{', '.join(odd[:5])}{' ...' if len(odd) > 5 else ''}: not among the parts of speech "
            "of Universal Dependencies, so that words with these have no part of speech."
        )
    counts: Counter[bool] = Counter()

    def keeps_parts(whole: str, parts: list[str]) -> bool:
        counts[decided := decide(whole, tuple(parts))] += 1
        return decided

    sentences = [to_words(sentence, column, keeps_parts) for sentence in parsed]
    if counts:
        notes.append(
            f"{counts.total()} contractions (multi-word tokens): {counts[False]} merged into one "
            f"word, the tags of their parts joined by _; {counts[True]} kept in parts."
        )
    return sentences


def _deciding(lang: str, split: bool) -> Callable[[str, tuple[str, ...]], bool]:
    """Return a function that decides whether a contraction is kept in parts."""
    if not lang:
        return lambda whole, parts: split
    language = language_class(lang)
    try:
        tokenizer = language().tokenizer
    except ImportError as error:
        raise ValueError(f"the tokenizer of --lang {lang} cannot be used: {error}") from error

    @cache
    def splits(whole: str, parts: tuple[str, ...]) -> bool:
        return tuple(token.text for token in tokenizer(whole)) == parts

    return splits


def _checked(sentences: list[list[Word]], notes: list[str]) -> list[list[Word]]:
    """Return the sentences that have words.

    Raises ValueError if there are none, or no tags.
    """
    stripped = [len(words) > 1 and all(word.form == "_" for word in words) for words in sentences]
    kept = [words for words, gone in zip(sentences, stripped, strict=True) if not gone]
    if not kept:
        raise ValueError(
            "all its words are '_': the text was taken out, for copyright. The treebank's "
            "documentation (README) says where the text is and how to put it back."
            if sentences
            else "there are no words in it."
        )
    words = [word for sentence in kept for word in sentence]
    untagged = sum(not word.tag for word in words)
    if untagged == len(words):
        raise ValueError("no word in it has a tag.")
    if any(stripped):
        notes.append(f"{sum(stripped)} sentences are left out: all their words are '_'.")
    if untagged:
        notes.append(f"{untagged} of {len(words)} words have no tag; nothing is learned from them.")
    if len(kept) > 1 and sum(len(sentence) == 1 for sentence in kept) > 0.9 * len(kept):
        notes.append("Nearly all sentences have one word: are there blank lines between words?")
    if (longest := max(map(len, kept))) > LONG:
        notes.append(f"A sentence has {longest} words: are blank lines between sentences missing?")
    return kept

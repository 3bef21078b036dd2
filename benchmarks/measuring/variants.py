"""Altered forms of a dev set: other case, typos, docs of many sentences."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import NamedTuple

TYPO_SHARE, TYPO_SEED, TYPO_LETTERS = 0.1, 0, 4

# Python's case mapping does not depend on the language, but Turkish pairs I with ı and İ with i.
_TURKISH_LOWER = str.maketrans("Iİ", "ıi")
_TURKISH_UPPER = str.maketrans("iı", "İI")


class Text(NamedTuple):
    """Gold tokens of one doc: words, whether a space follows each, and tags."""

    words: list[str]
    spaces: list[bool]
    tags: list[str]


def lower_cased(texts: Iterable[Text], lang: str) -> list[Text]:
    """Return the texts in lower case."""
    table = _TURKISH_LOWER if lang == "tr" else {}
    return _with_words(texts, lambda word: word.translate(table).lower())


def upper_cased(texts: Iterable[Text], lang: str) -> list[Text]:
    """Return the texts in upper case."""
    table = _TURKISH_UPPER if lang == "tr" else {}
    return _with_words(texts, lambda word: word.translate(table).upper())


def mistyped(
    texts: list[Text], *, share: float = TYPO_SHARE, seed: int = TYPO_SEED, lang: str = "en"
) -> list[Text]:
    """Return the texts with typos, the same ones for the same seed.

    Each word of at least TYPO_LETTERS letters gets one typo with probability `share`: a letter
    deleted, doubled, replaced by another of the texts' letters, or swapped with the next.
    """
    generator = random.Random(seed)
    alphabet = sorted(
        {c for text in lower_cased(texts, lang) for word in text.words for c in word if c.isalpha()}
    )

    def alter(word: str) -> str:
        if sum(map(str.isalpha, word)) < TYPO_LETTERS or generator.random() >= share:
            return word
        return _mistyped(word, generator, alphabet)

    return _with_words(texts, alter)


def joined(texts: list[Text], n: int) -> list[Text]:
    """Return docs of `n` sentences each, in corpus order; the last doc may have fewer."""
    return [_joined(texts[i : i + n]) for i in range(0, len(texts), n)]


def _joined(texts: list[Text]) -> Text:
    return Text(
        [word for text in texts for word in text.words],
        [space for text in texts for space in text.spaces],
        [tag for text in texts for tag in text.tags],
    )


def _with_words(texts: Iterable[Text], alter: Callable[[str], str]) -> list[Text]:
    return [text._replace(words=[alter(word) for word in text.words]) for text in texts]


def _mistyped(word: str, generator: random.Random, alphabet: list[str]) -> str:
    kind = generator.choice(("delete", "double", "replace", "swap"))
    letters = [i for i, c in enumerate(word) if c.isalpha()]
    if kind == "swap":
        neighbours = [
            i for i in letters if word[i + 1 : i + 2].isalpha() and word[i] != word[i + 1]
        ]
        if neighbours:
            i = generator.choice(neighbours)
            return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
        kind = "delete"  # nothing to swap: all letters are the same
    i = generator.choice(letters)
    if kind == "delete":
        return word[:i] + word[i + 1 :]
    if kind == "double":
        return word[: i + 1] + word[i:]
    other = generator.choice([c for c in alphabet if c != word[i].lower()])
    return word[:i] + (other.upper() if word[i].isupper() else other) + word[i + 1 :]

"""Alterations of an example's words: other case, typos.

A text is altered character by character, so that both docs, which may be split into different
tokens, get the same letters.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

from spacy.tokens import Doc
from spacy.training import Example

from ..features.casing import casing_of

LETTERS = "abcdefghijklmnopqrstuvwxyz"

SHORTEST = 4
"""Minimum number of letters in a mistyped word: a shorter one would often become another word."""

MISTYPED = 0.15
"""Share of words of at least `SHORTEST` letters that are mistyped in a text with typos."""

Alteration = Callable[[Example, str], list[str]]
"""Function from an example whose docs have one text, and the code of its language, to what each
character of the text becomes: any number of characters, also none."""


def lowered(example: Example, language: str) -> list[str]:
    """Lower-case the text, token by token."""
    return _cased(example, casing_of(language).lower)


def uppered(example: Example, language: str) -> list[str]:
    """Upper-case the text, token by token."""
    return _cased(example, casing_of(language).upper)


def mistyped(example: Example, language: str) -> list[str]:
    """Make a typo in some of the reference doc's words."""
    text = list(example.reference.text)
    for token in example.reference:
        if len(token) >= SHORTEST and token.is_alpha and random.random() < MISTYPED:
            place = random.randrange(token.idx, token.idx + len(token) - 1)
            _mistype(text, place, casing_of(language).upper)
    return text


def words_of(doc: Doc, text: list[str]) -> list[str]:
    """Return the words of a doc in an altered text. A word may be empty."""
    return ["".join(text[token.idx : token.idx + len(token)]) for token in doc]


def _cased(example: Example, case: Callable[[str], str]) -> list[str]:
    """Return the text with the case of each token changed, if both docs have that token.

    If they split a word into different tokens, the case of the whole word is changed; if its
    length changes with it, that of each part.
    """
    text = example.reference.text
    ours, theirs = _cuts(example.predicted), _cuts(example.reference)
    cuts, parts = sorted({0, len(text)} | ours & theirs), sorted(ours | theirs)
    result: list[str] = []
    for start, end in pairwise(cuts):
        cased = case(text[start:end])
        if len(cased) == end - start:
            result.extend(cased)
            continue
        inner = [start, *(cut for cut in parts if start < cut < end), end]
        for first, last in pairwise(inner):
            result.extend([case(text[first:last]), *[""] * (last - first - 1)])
    return result


def _cuts(doc: Doc) -> set[int]:
    """Return the offsets at which tokens begin and end."""
    return {cut for token in doc for cut in (token.idx, token.idx + len(token))}


def _mistype(text: list[str], i: int, upper: Callable[[str], str]) -> None:
    """Make one typo, at the letter `i` or between it and the next."""
    slip = random.choice(("omit", "double", "replace", "swap"))
    if slip == "omit":
        text[i] = ""
    elif slip == "double":
        text[i] *= 2
    elif slip == "replace":
        letter = random.choice(LETTERS)
        text[i] = upper(letter) if text[i].isupper() else letter
    else:
        text[i], text[i + 1] = text[i + 1], text[i]

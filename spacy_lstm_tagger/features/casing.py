"""Lower-casing and upper-casing of whole words by the rules of their language.

Sources: SpecialCasing.txt of the Unicode Character Database; for Greek capitals, which it leaves
out, the transform el-Upper of the Unicode CLDR. `str.lower` and `str.upper` know the rules that
hold in all languages: the final sigma, the capitals "SS" of "ß".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from unicodedata import combining, normalize

DOT_ABOVE = "\u0307"

ABOVE = 230
"""Combining class of the marks above a letter."""

SOFT_DOTTED = "ijįɉɨʝʲϳіјᵢᶖᶤᶨḭịⁱⅈⅉⱼ"
"""Letters whose dot gives way to a mark above them: Soft_Dotted in PropList.txt."""

DIALYTIKA, YPOGEGRAMMENI = "\u0308", "\u0345"
GREEK_ACCENTS = frozenset("\u0300\u0301\u0302\u0303\u0311\u0342")
GREEK_VOWELS = frozenset("ΑΕΗΙΟΥΩ")
GREEK_LETTER = re.compile(
    "[\u0386-\u03ce\u1f00-\u1fff][\u0300-\u0304\u0306\u0308\u0311\u0313\u0314\u0342-\u0345]*"
)


class Casing(NamedTuple):
    """Rules of casing.

    name: name of the rules; languages with the same rules share it.
    lower, upper: functions from a word to the word in small letters, and in capitals.
    """

    name: str
    lower: Callable[[str], str]
    upper: Callable[[str], str]


def casing_of(language: str) -> Casing:
    """Return the rules of a language.

    language: its code in spaCy or ISO 639, such as "tr"; "" if it is unknown.
    """
    return _BY_LANGUAGE.get(language, GENERAL)


def _mark_above(word: str, i: int) -> int | None:
    """Return the place of the first mark above the letter `i`; None if there is none."""
    for j in range(i + 1, len(word)):
        if (place := combining(word[j])) in (0, ABOVE):
            return j if place else None
    return None


def _dots_above(word: str, letters: str) -> dict[int, int]:
    """Return the places of some letters with a dot above, and of their dots."""
    if DOT_ABOVE not in word:
        return {}
    found = {i: _mark_above(word, i) for i, letter in enumerate(word) if letter in letters}
    return {i: j for i, j in found.items() if j is not None and word[j] == DOT_ABOVE}


def _turkic_lower(word: str) -> str:
    if dots := _dots_above(word, "I"):
        characters = list(word)
        for letter, dot in dots.items():
            characters[letter], characters[dot] = "i", ""
        word = "".join(characters)
    return word.replace("İ", "i").replace("I", "ı").lower()


def _turkic_upper(word: str) -> str:
    return word.replace("i", "İ").upper()


def _lithuanian_lower(word: str) -> str:
    """Lower-case with the dot of i, j and į kept under another mark."""
    if word.isascii():
        return word.lower()
    word = "".join(normalize("NFD", letter) if letter in "ÌÍĨ" else letter for letter in word)
    return "".join(
        letter + DOT_ABOVE if letter in "IJĮ" and _mark_above(word, i) is not None else letter
        for i, letter in enumerate(word)
    ).lower()


def _lithuanian_upper(word: str) -> str:
    if dots := set(_dots_above(word, SOFT_DOTTED).values()):
        word = "".join(character for i, character in enumerate(word) if i not in dots)
    return word.upper()


def _greek_upper(word: str) -> str:
    """Upper-case without accents and breathings, as Greek capitals are written.

    The dialytika stays. A vowel whose accent kept it apart from the next gives it a dialytika
    (μάιος, ΜΑΪΟΣ). The word ή ("or") keeps its accent, unlike the article η.
    """
    pieces, end, apart = [], 0, False
    for match in GREEK_LETTER.finditer(word):
        pieces.append(word[end : match.start()].upper())
        apart = apart and match.start() == end
        base, *marks = list(normalize("NFD", match.group()))
        letter = base.upper()
        has_dialytika = DIALYTIKA in marks or (apart and letter in "ΙΥ")
        has_accent = not GREEK_ACCENTS.isdisjoint(marks)
        apart = letter in GREEK_VOWELS and has_accent and not has_dialytika
        if letter == "Η" and has_accent and YPOGEGRAMMENI not in marks and _alone(word, match):
            letter = "Ή"
        elif has_dialytika:
            letter = normalize("NFC", letter + DIALYTIKA)
        pieces.append(letter + "Ι" * marks.count(YPOGEGRAMMENI))
        end = match.end()
    return "".join(pieces) + word[end:].upper()


def _alone(word: str, match: re.Match[str]) -> bool:
    """Return whether no letter stands beside what was found."""
    return not (word[: match.start()][-1:].isalpha() or word[match.end() :][:1].isalpha())


GENERAL = Casing("general", str.lower, str.upper)

_SPECIAL = {
    ("tr", "tur", "az", "aze"): Casing("Turkic", _turkic_lower, _turkic_upper),
    ("lt", "lit"): Casing("Lithuanian", _lithuanian_lower, _lithuanian_upper),
    ("el", "ell"): Casing("Greek", str.lower, _greek_upper),
}
_BY_LANGUAGE = {code: casing for codes, casing in _SPECIAL.items() for code in codes}

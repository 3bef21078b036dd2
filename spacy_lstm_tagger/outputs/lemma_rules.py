"""Rules that make a lemma of a word: its case, and what to replace at its beginning and end.

A rule knows only how many characters to cut, so that it holds for many words: of "tried" and
"cities" it is the same, "lower-case, cut 3, add y". Straka 2018 (https://aclanthology.org/K18-2020)
has rules of this kind.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import SequenceMatcher
from typing import NamedTuple

from ..features.casing import Casing

WHOLE = -1
"""Number of characters to cut that stands for all of them."""


class LemmaRule(NamedTuple):
    """Rule that makes a lemma of a word.

    case: how to change the case of the word first: "lower", "keep", "title" or "upper".
    start: number of characters to cut from its beginning.
    prefix: what to put there.
    end: number of characters to cut from its end, or `WHOLE`.
    suffix: what to put there.
    """

    case: str
    start: int
    prefix: str
    end: int
    suffix: str

    def __str__(self) -> str:
        if self.end == WHOLE:
            return f"={self.suffix}"
        parts = [self.case]
        if self.start or self.prefix:
            parts.append(f"-{self.start}+{self.prefix} at the beginning")
        if self.end or self.suffix:
            parts.append(f"-{self.end}+{self.suffix} at the end")
        return ", ".join(parts)

    def shortest(self) -> int:
        """Return the number of letters that a word must have at least."""
        return 0 if self.end == WHOLE else self.start + self.end + 1

    def apply(self, word: str, casing: Casing) -> str | None:
        """Return the lemma of a word; None if the rule does not apply to it.

        casing: rules of casing of the language.
        """
        if self.end == WHOLE:
            lemma = self.suffix
        else:
            base = CASES[self.case](word, casing)
            if len(base) < self.shortest():
                return None
            lemma = f"{self.prefix}{base[self.start : len(base) - self.end]}{self.suffix}"
        return lemma if lemma.strip() else None


def _lower(word: str, casing: Casing) -> str:
    return casing.lower(word)


def _keep(word: str, casing: Casing) -> str:
    return word


def _title(word: str, casing: Casing) -> str:
    return casing.upper(word[:1]) + casing.lower(word[1:])


def _upper(word: str, casing: Casing) -> str:
    return casing.upper(word)


CASES: dict[str, Callable[[str, Casing], str]] = {
    "lower": _lower,
    "keep": _keep,
    "title": _title,
    "upper": _upper,
}
"""Changes of case, the one to be preferred first."""

LOWER, KEEP = LemmaRule("lower", 0, "", 0, ""), LemmaRule("keep", 0, "", 0, "")
"""Rules that apply to every word."""


def rule_of(word: str, lemma: str, casing: Casing) -> LemmaRule:
    """Return the rule that makes a lemma of a word with the fewest changes.

    casing: rules of casing of the language.
    """
    found: dict[str, LemmaRule] = {}
    for case, change in CASES.items():
        found.setdefault(change(word, casing), LemmaRule(case, 0, "", 0, ""))
    order = list(found)
    if lemma != casing.lower(lemma):  # "Smith" keeps its case; it is not put into lower case first
        order = [*order[1:], order[0]]
    if lemma in found:
        return found[lemma]
    rules = [_edit(base, lemma, found[base].case) for base in order]
    return min(rules, key=lambda rule: _size(rule, len(word)))


def _edit(base: str, lemma: str, case: str) -> LemmaRule:
    """Return the rule that keeps the longest part that a word and its lemma have in common."""
    n = _common_prefix(base, lemma)
    i = j = 0
    if 2 * n < min(len(base), len(lemma)):  # else no other part is longer
        match = SequenceMatcher(None, base, lemma, autojunk=False).find_longest_match()
        i, j, n = match.a, match.b, match.size
    if not n:
        return LemmaRule("keep", 0, "", WHOLE, lemma)
    return LemmaRule(case, i, lemma[:j], len(base) - i - n, lemma[j + n :])


def _common_prefix(one: str, other: str) -> int:
    return next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


def _size(rule: LemmaRule, n_characters: int) -> int:
    """Return how much a rule changes."""
    cut = n_characters if rule.end == WHOLE else rule.start + rule.end
    return cut + len(rule.prefix) + len(rule.suffix)

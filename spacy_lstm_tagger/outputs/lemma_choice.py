"""Choice of the best rule that applies to a word, for its lemma."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
from spacy.strings import get_string_id

from ..arrays import Floats2d
from ..features.casing import Casing
from .lemma_rules import LemmaRule, rule_of
from .output import MISSING

CAPACITY = 50_000
"""Maximum number of words whose lemmas are kept."""


class Rules:
    """The rules of a component, and what they make of words, kept.

    source: the rules as `cfg` has them.
    casing: rules of casing of the language.
    """

    def __init__(self, source: Sequence[Sequence[Any]], casing: Casing) -> None:
        self.source, self.casing = source, casing
        self.rules = [LemmaRule(*rule) for rule in source]
        self.shortest = numpy.asarray([rule.shortest() for rule in self.rules])
        self._columns = {rule: i for i, rule in enumerate(self.rules)}
        self._column_of: dict[tuple[str, str], int] = {}
        self._lemma_of: dict[tuple[str, int], str] = {}

    def column(self, word: str, lemma: str) -> int:
        """Return the column of the rule that makes a lemma of a word; `MISSING` if it has none."""
        known = self._column_of.get((word, lemma))
        if known is None:
            known = self._columns.get(rule_of(word, lemma, self.casing), MISSING)
            if len(self._column_of) >= CAPACITY:
                self._column_of = {}
            self._column_of[word, lemma] = known
        return known

    def lowered(self, words: Sequence[str]) -> numpy.ndarray:
        """Return the hash of each word in small letters, shape (n_words,)."""
        lower = self.casing.lower
        return numpy.asarray([get_string_id(lower(word)) for word in words], dtype="uint64")

    def lemmas(self, words: Sequence[str], scores: Floats2d) -> list[str]:
        """Return the lemma of each word, by the best rule that applies.

        scores: scores of all rules for each word, shape (n_words, n_rules).
        """
        lengths = numpy.asarray([len(word) for word in words], dtype="int64")
        scores = numpy.where(self.shortest <= lengths[:, None], scores, -numpy.inf)
        result = []
        for i, (word, column) in enumerate(zip(words, scores.argmax(axis=1).tolist(), strict=True)):
            lemma = self._lemma_of.get((word, column))
            if lemma is None:
                lemma = self.rules[column].apply(word, self.casing)
                if lemma:
                    if len(self._lemma_of) >= CAPACITY:
                        self._lemma_of = {}
                    self._lemma_of[word, column] = lemma
            # what comes next if the best rule does not apply depends on the context: never kept
            result.append(lemma or self._next_best(word, scores[i]))
        return result

    def _next_best(self, word: str, scores: Floats2d) -> str:
        """Return the lemma by the best rule that applies; the word itself if none does.

        scores: scores of all rules, shape (n_rules,).
        """
        lemmas = (self.rules[i].apply(word, self.casing) for i in numpy.argsort(-scores).tolist())
        return next(filter(None, lemmas), word)

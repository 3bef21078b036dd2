"""Choice of the best rule that applies to a word, for its lemma."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
from spacy.strings import StringStore

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
        self._lemma_of: dict[tuple[int, int], str] = {}

    def column(self, word: str, lemma: str) -> int:
        """Return the column of the rule that makes a lemma of a word; `MISSING` if it has none."""
        known = self._column_of.get((word, lemma))
        if known is None:
            known = self._columns.get(rule_of(word, lemma, self.casing), MISSING)
            if len(self._column_of) >= CAPACITY:
                self._column_of = {}
            self._column_of[word, lemma] = known
        return known

    def apply(
        self, stores: Sequence[StringStore], orths: Sequence[int], scores: Floats2d
    ) -> list[int]:
        """Return the hash of each word's lemma, by the best rule that applies.

        stores: string store of each word; its lemma is added to it.
        orths: hash of each word.
        scores: scores of all rules for each word, shape (n_words, n_rules).
        """
        words = [strings[orth] for strings, orth in zip(stores, orths, strict=True)]
        lengths = numpy.asarray([len(word) for word in words])
        scores = numpy.where(self.shortest <= lengths[:, None], scores, -numpy.inf)
        best = scores.argmax(axis=1).tolist()
        result = []
        for i, (orth, column) in enumerate(zip(orths, best, strict=True)):
            lemma = self._lemma_of.get((orth, column))
            if lemma is None:
                lemma = self._first(words[i], scores[i], column)
                if len(self._lemma_of) >= CAPACITY:
                    self._lemma_of = {}
                self._lemma_of[orth, column] = lemma
            result.append(stores[i].add(lemma))
        return result

    def _first(self, word: str, scores: Floats2d, column: int) -> str:
        """Return the lemma by the best rule that applies; the word itself if none does."""
        lemma = self.rules[column].apply(word, self.casing)
        if lemma is not None:
            return lemma
        lemmas = (self.rules[i].apply(word, self.casing) for i in numpy.argsort(-scores).tolist())
        return next(filter(None, lemmas), word)

"""Table of the lemmas of words that training has, by their tag, part of speech and features.

Sums of products with random numbers are the keys of the table: they are computed for all tokens
of a batch at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy
from spacy.strings import StringStore, get_string_id

from ..arrays import Ints1d
from .lemma_choice import Rules
from .morph import COMBINATIONS
from .output import Cfg
from .pos import PARTS_OF_SPEECH

RULES, ANALYSES, TABLE = "lemma_rules", "lemma_analyses", "lemma_table"
"""Keys of `cfg`: the rules; tag, part of speech and features as far as they are predicted; and for
each word numbers of analyses, each followed by the number of a rule, or by a lemma that no rule
makes, or by `AMBIGUOUS`."""

AMBIGUOUS = -1
"""Training has several lemmas."""


class Seen(NamedTuple):
    """Table of the lemmas of words that training has.

    sources: the objects that it was made of.
    strings: string store that has all the lemmas.
    factors: random number for the hash of the word, and for the choice of each output.
    lemmas: from the sum of these products to the hash of the lemma.
    texts: each lemma by its hash.
    """

    sources: tuple[Any, ...]
    strings: StringStore
    factors: numpy.ndarray
    lemmas: dict[int, int]
    texts: dict[int, str]

    def is_of(self, sources: tuple[Any, ...]) -> bool:
        """Return whether it was made of these."""
        table, rules, tags, combinations = sources
        ours = self.sources
        same = ours[0] is table and ours[1] is rules and ours[3] is combinations
        return same and ours[2] == tags

    def look_up(self, orths: numpy.ndarray, chosen: Sequence[Ints1d]) -> numpy.ndarray:
        """Return the hash of each word's lemma, 0 if it is not known, shape (n_words,).

        orths: hash of each word, shape (n_words,).
        chosen: choices of each output before this one, shape (n_words,) each.
        """
        keys = _keys(self.factors, orths, chosen)
        get = self.lemmas.get
        found = [get(key, 0) for key in keys.tolist()]
        return numpy.asarray(found, dtype="uint64")

    def share(self, strings: StringStore, lemmas: Iterable[int]) -> None:
        """Add lemmas of the table to another string store."""
        for lemma in set(lemmas) & self.texts.keys():
            strings.add(self.texts[lemma])


def arrange(sources: tuple[Any, ...], strings: StringStore, cfg: Cfg, rules: Rules) -> Seen:
    """Arrange the table for looking words up. Adds its lemmas to a string store.

    sources: see `Seen`.
    """
    factors = numpy.random.default_rng(0).integers(2**63, size=5, dtype="uint64") | 1
    before = outputs_before(cfg)
    labels = {"tag": cfg["labels"], "pos": PARTS_OF_SPEECH}
    if "morph" in before:
        labels["morph"] = cfg[COMBINATIONS]
    places = [{label: i for i, label in enumerate(labels[name])} for name in before]
    analyses = [
        [place.get(label, -2) for place, label in zip(places, names, strict=True)]
        for names in cfg[ANALYSES]
    ]
    orths, numbers, lemmas = [], [], []
    texts: dict[int, str] = {}
    for word, of_word in cfg[TABLE].items():
        orth = get_string_id(word)
        for number, wanted in pairs_of(of_word):
            if wanted == AMBIGUOUS:
                continue
            if isinstance(wanted, str):
                lemma: str | None = wanted
            else:
                lemma = rules.rules[wanted].apply(word, rules.casing)
            if lemma:
                orths.append(orth)
                numbers.append(number)
                lemmas.append(add_for_good(strings, lemma))
                texts[lemmas[-1]] = lemma
    rows = numpy.asarray(analyses, dtype="int64").reshape(len(analyses), len(before))
    of_words = rows[numpy.asarray(numbers, dtype="int64")]
    keys = _keys(factors, numpy.asarray(orths, dtype="uint64"), list(of_words.T))
    return Seen(sources, strings, factors, dict(zip(keys.tolist(), lemmas, strict=True)), texts)


def _keys(factors: numpy.ndarray, orths: numpy.ndarray, chosen: Sequence[Ints1d]) -> numpy.ndarray:
    keys = orths * factors[0]
    for factor, choices in zip(factors[1:], chosen, strict=False):
        keys = keys + choices.astype("uint64") * factor
    return keys


def outputs_before(cfg: Cfg) -> list[str]:
    """Return the names of the outputs before this one, whose choices the table depends on."""
    return [name for name in ("tag", "pos", "morph") if name in cfg["outputs"]]


def pairs_of(flat: Sequence[Any]) -> list[tuple[int, int | str]]:
    """Return the analyses of a word with the rule, or the lemma, of each."""
    return list(zip(flat[::2], flat[1::2], strict=True))


def add_for_good(strings: Any, text: str) -> int:
    """Add a text to a string store, also in a memory zone to stay, and return its hash."""
    return strings.add(text, allow_transient=False)

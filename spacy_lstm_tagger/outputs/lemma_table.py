"""Table of the lemmas of words that training has, by their tag, part of speech and features.

Sums of products with random numbers are the keys of the table: they are computed for all tokens
of a batch at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy
from spacy.strings import StringStore, get_string_id
from spacy.vocab import Vocab

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


class Level(NamedTuple):
    """Lemmas of words by the choices of some outputs.

    outputs: names of the outputs.
    factors: random number for the hash of the word, and for the choice of each output.
    lemmas: from the sum of these products to the hash of the lemma.
    """

    outputs: list[str]
    factors: numpy.ndarray
    lemmas: dict[int, int]

    def look_up(self, orths: numpy.ndarray, chosen: Mapping[str, Ints1d]) -> numpy.ndarray:
        """Return the hash of each word's lemma, 0 if it is not known, shape (n_words,).

        orths: hash of each word, shape (n_words,).
        chosen: choices of each output, shape (n_words,).
        """
        keys = _keys(self.factors, orths, [chosen[name] for name in self.outputs])
        get = self.lemmas.get
        return numpy.asarray([get(key, 0) for key in keys.tolist()], dtype="uint64")


class Seen(NamedTuple):
    """Table of the lemmas of words that training has.

    sources: the objects that it was made of.
    strings: string store that has all the lemmas.
    for_good: whether it keeps them. In a memory zone, it forgets those that it had for the zone,
        whatever is added to stay.
    levels: lemmas by all outputs before this one, and then by the part of speech alone.
    texts: each lemma by its hash.
    """

    sources: tuple[Any, ...]
    strings: StringStore
    for_good: bool
    levels: list[Level]
    texts: dict[int, str]

    def is_of(self, sources: tuple[Any, ...]) -> bool:
        """Return whether it was made of these."""
        table, rules, tags, combinations = sources
        ours = self.sources
        same = ours[0] is table and ours[1] is rules and ours[3] is combinations
        return same and ours[2] == tags

    def look_up(self, orths: numpy.ndarray, chosen: Mapping[str, Ints1d]) -> numpy.ndarray:
        """Return the hash of each word's lemma by the first level that has it, 0 if none has.

        For the arguments see `Level.look_up`.
        """
        first, *others = self.levels
        lemmas = first.look_up(orths, chosen)
        for level in others:
            missing = numpy.flatnonzero(lemmas == 0)
            of_missing = {name: chosen[name][missing] for name in level.outputs}
            lemmas[missing] = level.look_up(orths[missing], of_missing)
        return lemmas

    def share(self, strings: StringStore, lemmas: Iterable[int]) -> None:
        """Add lemmas of the table to a string store that may lack them."""
        for lemma in set(lemmas) & self.texts.keys():
            strings.add(self.texts[lemma])


def arrange(sources: tuple[Any, ...], vocab: Vocab, cfg: Cfg, rules: Rules) -> Seen:
    """Arrange the table for looking words up. Adds its lemmas to the vocab's string store.

    sources: see `Seen`.
    """
    strings, for_good = vocab.strings, not getattr(vocab, "in_memory_zone", False)
    before = outputs_before(cfg)
    labels = {"tag": cfg["labels"], "pos": PARTS_OF_SPEECH}
    if "morph" in before:
        labels["morph"] = cfg[COMBINATIONS]
    places = [{label: i for i, label in enumerate(labels[name])} for name in before]
    analyses = [
        [place.get(label, -2) for place, label in zip(places, names, strict=True)]
        for names in cfg[ANALYSES]
    ]
    found: list[tuple[int, int, int]] = []
    texts: dict[int, str] = {}
    for word, of_word in cfg[TABLE].items():
        orth = get_string_id(word)
        for number, wanted in pairs_of(of_word):
            if wanted == AMBIGUOUS:
                lemma: str | None = None
            elif isinstance(wanted, str):
                lemma = wanted
            else:
                lemma = rules.rules[wanted].apply(word, rules.casing)
            found.append((orth, number, add_for_good(strings, lemma) if lemma else 0))
            if lemma:
                texts[found[-1][2]] = lemma
    orths, numbers, lemmas = numpy.asarray(found, dtype="uint64").reshape(-1, 3).T
    rows = numpy.asarray(analyses, dtype="int64").reshape(len(analyses), len(before))
    chosen = dict(zip(before, rows[numbers.astype("int64")].T, strict=True))
    alone = ["pos"] if "pos" in before else before[:1]
    levels = [before] if alone == before else [before, alone]
    arranged = [_level(names, orths, chosen, lemmas) for names in levels]
    return Seen(sources, strings, for_good, arranged, texts)


def _level(
    outputs: list[str], orths: numpy.ndarray, chosen: Mapping[str, Ints1d], lemmas: numpy.ndarray
) -> Level:
    """Return the level of some outputs: of words that have one lemma with the same choices.

    lemmas: hash of each word's lemma, 0 if it has several.
    """
    factors = numpy.random.default_rng(0).integers(2**63, size=1 + len(outputs), dtype="uint64") | 1
    keys = _keys(factors, orths, [chosen[name] for name in outputs]).tolist()
    found: dict[int, int] = {}
    for key, lemma in zip(keys, lemmas.tolist(), strict=True):
        found[key] = lemma if found.get(key, lemma) == lemma else 0
    return Level(outputs, factors, found)


def _keys(factors: numpy.ndarray, orths: numpy.ndarray, chosen: Sequence[Ints1d]) -> numpy.ndarray:
    keys = orths * factors[0]
    for factor, choices in zip(factors[1:], chosen, strict=True):
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

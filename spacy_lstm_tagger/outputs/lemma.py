"""Lemmas (`token.lemma`): a table of what was seen, and rules for everything else.

The lemma of a word that training has with the same tag, part of speech and features is in the
table, or else with the same part of speech, unless training has two. For other words the best rule
that applies is chosen. Its scores are computed for these words alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy
from spacy.vocab import Vocab

from ..arrays import Floats2d, Ints1d
from ..features.casing import Casing, casing_of
from .gold import GoldCombinations
from .lemma_choice import Rules
from .lemma_rules import CASES, KEEP, LOWER, WHOLE, LemmaRule, rule_of
from .lemma_table import (
    AMBIGUOUS,
    ANALYSES,
    RULES,
    TABLE,
    Seen,
    arrange,
    outputs_before,
    pairs_of,
)
from .morph import COMBINATIONS
from .output import MISSING, Cfg, Output
from .scores import Scores
from .words import Words

UNKNOWN = "_"
"""What CoNLL-U files have as the lemma of a word whose lemma is not known."""

FEW = 100
"""Number of rules up to which those that a single word has are kept."""


MANY = 20
"""Minimum number of words of augmented or taught docs alone for a rule of theirs to be kept."""


class LemmaOutput(Output):
    """Lemmas, from a table or by a rule."""

    name = "lemma"
    attr = "LEMMA"
    gold_attrs = ("ORTH", "LEMMA")
    weight = 0.5
    deferred = True
    learned: ClassVar[Mapping[str, Any]] = {RULES: [], ANALYSES: [], TABLE: {}}

    def __init__(self) -> None:
        self._seen: Seen | None = None
        self._rules: Rules | None = None

    def labels(self, cfg: Cfg) -> Sequence[str]:
        """Return the rules, as text."""
        return [str(LemmaRule(*rule)) for rule in cfg[RULES]]

    def columns(self, cfg: Cfg) -> dict[str, int]:
        """Return the number of rules."""
        return {self.name: len(cfg[RULES])}

    def initialize(self, gold: GoldCombinations, cfg: Cfg, name: str) -> None:
        """Collect rules and the table. Raises ValueError if no token has a lemma."""
        casing = casing_of(cfg["language"])
        own = _count_rules(gold.of("ORTH", "LEMMA", added=False), casing)
        both = _count_rules(gold.of("ORTH", "LEMMA"), casing)
        if not both:
            raise ValueError(
                f"[{name}] The setting outputs has 'lemma', but no token of the training examples "
                "has a lemma. Train on a corpus that has them (in CoNLL-U: LEMMA), or take "
                "'lemma' out of outputs."
            )
        own = own or both  # there may be a teacher's docs alone
        ordered = sorted(own, key=lambda rule: (-own[rule], rule))
        kept = [rule for i, rule in enumerate(ordered) if own[rule] > 1 or i < FEW]
        # words with typos have rules of their own, which are not worth knowing
        kept += sorted(rule for rule, n in both.items() if n >= MANY and rule not in kept)
        kept = list(dict.fromkeys([LOWER, KEEP, *kept]))
        cfg[RULES], cfg[ANALYSES], cfg[TABLE] = [list(rule) for rule in kept], [], {}
        self.learn(gold, cfg)

    def learn(self, gold: GoldCombinations, cfg: Cfg) -> None:
        """Add words that were seen with a lemma to the table; mark those seen with several."""
        attrs = [output.upper() for output in outputs_before(cfg)]
        found = gold.of("ORTH", "LEMMA", *attrs, added=False)
        rules = self._rules_of(cfg)
        table, analyses = cfg[TABLE], {tuple(names): i for i, names in enumerate(cfg[ANALYSES])}
        new: dict[str, dict[int, int | str]] = {}
        for word, lemma, *analysis in sorted(found):
            if not is_known(word, lemma):
                continue
            number = analyses.setdefault(tuple(analysis), len(analyses))
            of_word = new.get(word) or dict(pairs_of(table.get(word, [])))
            column = rules.column(word, lemma)
            wanted: int | str = lemma if column == MISSING else column
            if of_word.get(number, wanted) != wanted:
                wanted = AMBIGUOUS
            if of_word.get(number) != wanted:
                new[word] = {**of_word, number: wanted}
        if new:  # new objects: threads may be reading the others
            flat = {word: [x for pair in of.items() for x in pair] for word, of in new.items()}
            cfg[ANALYSES], cfg[TABLE] = [list(names) for names in analyses], {**table, **flat}

    def codes(
        self, values: Sequence[str | None], words: Sequence[str], cfg: Cfg, name: str
    ) -> dict[str, Ints1d]:
        """Return the column of each token's rule, `MISSING` if it is none of those known."""
        column = self._rules_of(cfg).column
        codes = [
            column(word, lemma) if lemma and is_known(word, lemma) else MISSING
            for word, lemma in zip(words, values, strict=True)
        ]
        return {self.name: numpy.asarray(codes, dtype="int64")}

    def label_scores(self, scores: Scores, cfg: Cfg) -> Floats2d:
        """Return the score of every rule, also for words whose lemma is in the table."""
        return scores.deferred(self.name, numpy.arange(len(scores)))

    def gold_labels(self, values: Sequence[str], words: Sequence[str], cfg: Cfg) -> Ints1d:
        """Return the index of each token's rule, see `Output.gold_labels`."""
        return self.codes(values, words, cfg, "")[self.name]

    def choose(
        self, scores: Scores, chosen: Mapping[str, Ints1d], words: Words, cfg: Cfg
    ) -> Ints1d:
        """Return the hash of every token's lemma, which is in the docs' string stores."""
        if not len(scores):
            return numpy.zeros(0, dtype="int64")
        seen, rules = self._seen_of(words.docs[0].vocab, cfg), self._rules_of(cfg)
        lemmas = seen.look_up(words.orths, chosen)
        lemmas[words.white_space] = words.orths[words.white_space]
        if len(missing := numpy.flatnonzero(lemmas == 0)):
            stores = words.stores(missing)
            pairs = zip(stores, words.orths[missing].tolist(), strict=True)
            texts = [strings[orth] for strings, orth in pairs]
            lowered = rules.lowered(texts)
            of_missing = {name: choices[missing] for name, choices in chosen.items()}
            lemmas[missing] = seen.look_up(lowered, of_missing)
            ruled = numpy.flatnonzero(lemmas[missing] == 0)
            by_rule = [(stores[i], texts[i]) for i in ruled.tolist()]
            of_ruled = scores.deferred(self.name, missing[ruled])
            found = rules.lemmas([text for _, text in by_rule], of_ruled)
            lemmas[missing[ruled]] = [
                strings.add(lemma) for (strings, _), lemma in zip(by_rule, found, strict=True)
            ]
        for doc, end in zip(words.docs, words.ends.tolist(), strict=True):
            if doc.vocab.strings is not seen.strings or not seen.for_good:
                seen.share(doc.vocab.strings, lemmas[end - len(doc) : end].tolist())
        return lemmas.view("int64")

    def values(self, choices: Ints1d, vocab: Vocab, cfg: Cfg) -> numpy.ndarray:
        """Return the hashes of lemmas, see `Output.values`."""
        return choices.view("uint64")

    def check(self, cfg: Cfg, name: str) -> None:
        """Raise ValueError unless `cfg` has rules, and a table that refers to them."""
        if not _is_sound(cfg):
            raise ValueError(
                f"[{name}] '{RULES}', '{ANALYSES}' and '{TABLE}' in 'cfg' are not rules of lemmas "
                "and a table that refers to them."
            )

    def _rules_of(self, cfg: Cfg) -> Rules:
        rules = self._rules  # another thread may replace it
        if rules is None or rules.source is not cfg[RULES]:
            rules = self._rules = Rules(cfg[RULES], casing_of(cfg["language"]))
        return rules

    def prepare(self, vocab: Vocab, cfg: Cfg) -> None:
        """Arrange the table, see `Output.prepare`."""
        self._seen_of(vocab, cfg)

    def _seen_of(self, vocab: Vocab, cfg: Cfg) -> Seen:
        seen = self._seen  # another thread may replace it
        present = (cfg[TABLE], cfg[RULES], list(cfg["labels"]), cfg.get(COMBINATIONS))
        if seen is None or seen.strings is not vocab.strings or not seen.is_of(present):
            seen = self._seen = arrange(present, vocab, cfg, self._rules_of(cfg))
        return seen


def is_known(word: str, lemma: str) -> bool:
    """Return whether a lemma is one: neither white space, nor what stands for an unknown one."""
    return not lemma.isspace() and (lemma != UNKNOWN or word == UNKNOWN)


def _count_rules(pairs: Iterable[tuple[str, ...]], casing: Casing) -> Counter[LemmaRule]:
    """Return how many words each rule makes the lemma of."""
    return Counter(rule_of(word, lemma, casing) for word, lemma in pairs if is_known(word, lemma))


def _is_sound(cfg: Cfg) -> bool:
    try:
        n_rules, n_analyses = len(cfg[RULES]), len(cfg[ANALYSES])
        sound = all(_is_rule(rule) for rule in cfg[RULES])
        sound = sound and all(_distinct(cfg[key]) for key in (RULES, ANALYSES))
        sound = sound and all(
            len(names) == len(outputs_before(cfg)) and all(isinstance(name, str) for name in names)
            for names in cfg[ANALYSES]
        )
        return sound and all(
            _is_index(number, 0, n_analyses) and _is_lemma_or_rule(wanted, n_rules)
            for of_word in cfg[TABLE].values()
            for number, wanted in pairs_of(of_word)
        )
    except (TypeError, AttributeError, ValueError):
        return False


def _is_lemma_or_rule(wanted: Any, n_rules: int) -> bool:
    return (
        bool(wanted.strip()) if isinstance(wanted, str) else _is_index(wanted, AMBIGUOUS, n_rules)
    )


def _is_index(value: Any, least: int, n: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < n


def _distinct(rows: Any) -> bool:
    return len(set(map(tuple, rows))) == len(rows)


def _is_rule(rule: Any) -> bool:
    case, start, prefix, end, suffix = rule
    numbers = all(isinstance(n, int) and not isinstance(n, bool) for n in (start, end))
    texts = isinstance(prefix, str) and isinstance(suffix, str)
    return case in CASES and numbers and texts and start >= 0 and end >= WHOLE

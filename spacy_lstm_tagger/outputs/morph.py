"""Morphological features (`token.morph`, FEATS).

Each feature, such as Case, is a block of columns, one for each of its values and one for a word
that does not have it. There are thousands of combinations in some languages, but some dozens of
values. A token never gets a combination that training does not have with its part of speech: the
best of those is chosen.

Source: https://universaldependencies.org/u/feat
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy
from spacy.morphology import Morphology
from spacy.pipeline.morphologizer import morphologizer_score
from spacy.tokens import Doc, MorphAnalysis, Token
from spacy.training import Example
from spacy.vocab import Vocab

from ..arrays import Floats2d, Ints1d
from .combinations import ANY, NONE, Combinations, combine, features_of
from .gold import GoldCombinations
from .output import MISSING, Cfg, Output
from .scores import Scores

VALUES, COMBINATIONS = "morph_values", "morph_combinations"


class MorphOutput(Output):
    """Morphological features, chosen among the combinations that the part of speech may have.

    Without parts of speech, it is those that the tag may have.
    """

    name = "morph"
    attr = "MORPH"
    gold_attrs = ("MORPH",)
    weight = 0.1  # the score of a combination is a sum: its gradient reaches the encoder many times
    learned: ClassVar[Mapping[str, Any]] = {VALUES: {}, COMBINATIONS: {}}

    def __init__(self) -> None:
        self._table: Combinations | None = None
        self._analyses: tuple[Vocab, Sequence[str], list[MorphAnalysis]] | None = None
        self._codes: dict[str, dict[str, int]] = {}

    @property
    def default_score_weights(self) -> dict[str, float | None]:
        """Weights of the scores, see `Output`."""
        return {"morph_acc": 1.0, "morph_per_feat": None}

    def labels(self, cfg: Cfg) -> Sequence[str]:
        """Return the combinations of features that training has, such as "Case=Nom|Number=Sing"."""
        return list(dict.fromkeys(m for found in cfg[COMBINATIONS].values() for m in found))

    def columns(self, cfg: Cfg) -> dict[str, int]:
        """Return the number of values of each feature, absence included."""
        return {self._block(feature): len(values) for feature, values in cfg[VALUES].items()}

    def _block(self, feature: str) -> str:
        return f"{self.name}:{feature}"

    def initialize(self, gold: GoldCombinations, cfg: Cfg, name: str) -> None:
        """Note features and combinations. Raises ValueError if no token has a feature."""
        found = {morph for (morph,) in gold.of("MORPH")}
        if not found - {NONE}:
            raise ValueError(
                f"[{name}] The setting outputs has 'morph', but no token of the training examples "
                "has morphological features. Train on a corpus that has them (in CoNLL-U: FEATS), "
                "or take 'morph' out of outputs."
            )
        cfg[VALUES], cfg[COMBINATIONS] = {}, {}
        self.add(sorted(found), cfg)
        self.learn(gold, cfg)

    def add_label(self, label: str, cfg: Cfg, name: str) -> int:
        """Add a combination of features that any part of speech may have, see `Output`."""
        label = Morphology.dict_to_feats(Morphology.feats_to_dict(label)) or NONE
        known = cfg[COMBINATIONS]
        if label in known.get(ANY, []):
            return 0
        self.add([label], cfg)
        cfg[COMBINATIONS] = {ANY: [], **{k: [*found, label] for k, found in known.items()}}
        if not known:
            cfg[COMBINATIONS][ANY].append(label)
        return 1

    def add(self, combinations: Iterable[str], cfg: Cfg) -> None:
        """Add the features of combinations, and their values, behind those known."""
        values = {feature: list(known) for feature, known in cfg[VALUES].items()}
        for combination in combinations:
            for feature, value in features_of(combination).items():
                known = values.setdefault(feature, [""])
                if value not in known:
                    known.append(value)
        cfg[VALUES] = values

    def learn(self, gold: GoldCombinations, cfg: Cfg) -> None:
        """Add the combinations of each part of speech to those known."""
        known: dict[str, list[str]] = cfg[COMBINATIONS]
        given = _given(cfg)
        pairs = gold.of(given.upper(), "MORPH") if given else set()
        pairs |= {(ANY, morph) for (morph,) in gold.of("MORPH")}
        for key, morph in sorted(pairs):
            if morph not in known.get(key, []) and self._has_columns(morph, cfg):
                known = {**known, key: [*known.get(key, []), morph]}
        cfg[COMBINATIONS] = known  # a new object if anything was added: threads may be reading it

    def _has_columns(self, combination: str, cfg: Cfg) -> bool:
        values = cfg[VALUES]
        return all(v in values.get(k, []) for k, v in features_of(combination).items())

    def codes(
        self, values: Sequence[str | None], words: Sequence[str], cfg: Cfg, name: str
    ) -> dict[str, Ints1d]:
        """Return the column of each token's value of each feature, see `Output.codes`."""
        known = cfg[VALUES]
        distinct = {value for value in values if value}
        unseen = sorted(value for value in distinct if not self._has_columns(value, cfg))
        if unseen:
            raise ValueError(
                f"[{name}] The gold features {unseen} have values that the component does not "
                f"know. Add them with add_label(..., output='{self.name}'), or initialize with "
                "examples that have them. Nothing was learned from this batch."
            )
        features = {value: features_of(value) for value in distinct}
        result = {}
        for feature, of_feature in known.items():
            columns = {v: of_feature.index(features[v].get(feature, "")) for v in distinct}
            codes = [columns[value] if value else MISSING for value in values]
            result[self._block(feature)] = numpy.asarray(codes, dtype="int64")
        return result

    def label_scores(self, scores: Scores, cfg: Cfg) -> Floats2d:
        """Return the score of every combination of features, see `Output.label_scores`."""
        block = scores.blocks([self._block(feature) for feature in cfg[VALUES]])
        return block @ self._combinations(cfg).columns.T

    def marginals(self, blocks: Mapping[str, Floats2d], cfg: Cfg) -> dict[str, Floats2d]:
        """Return the probabilities of values among the combinations that training has.

        The score of a combination is the sum of its values' scores; a softmax over all
        combinations gives their probabilities, which add up to those of the values.
        """
        together = self._combinations(cfg).marginals(list(blocks.values()))
        return dict(zip(blocks, together, strict=True))

    def choose(
        self, scores: Scores, chosen: Mapping[str, Ints1d], docs: Sequence[Doc], cfg: Cfg
    ) -> Ints1d:
        """Return the best combination for every token, an index of `labels`."""
        table = self._combinations(cfg)
        block = scores.blocks([self._block(feature) for feature in cfg[VALUES]])
        given = _given(cfg)
        if given:
            keys = table.key_of_given[chosen[given]]
        else:
            keys = numpy.zeros(len(block), dtype="int64")
        return table.best(block, keys)

    def _combinations(self, cfg: Cfg) -> Combinations:
        table = self._table  # another thread may replace it
        present = (cfg[VALUES], cfg[COMBINATIONS], list(cfg["labels"]))
        if table is None or not table.is_of(*present):
            table = self._table = combine(*present, given=_given(cfg), labels=self.labels(cfg))
        return table

    def set(self, tokens: Sequence[Token], choices: Ints1d, cfg: Cfg) -> None:
        """Set the features of tokens of one doc, see `Output.set`."""
        analyses = self._analyses_of(tokens[0].vocab, cfg)
        for token, choice in zip(tokens, choices.tolist(), strict=True):
            token.morph = analyses[choice]

    def _analyses_of(self, vocab: Vocab, cfg: Cfg) -> list[MorphAnalysis]:
        """Return the combinations as spaCy keeps them, and last that of white space: none."""
        kept, combinations = self._analyses, cfg[COMBINATIONS]
        if kept is None or kept[0] is not vocab or kept[1] is not combinations:
            names = ["" if morph == NONE else morph for morph in self.labels(cfg)]
            kept = (vocab, combinations, [MorphAnalysis(vocab, name) for name in [*names, ""]])
            self._analyses = kept
        return kept[2]

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Return the accuracy of whole combinations, and precision and recall of each feature."""
        scores = morphologizer_score(list(examples), **kwargs)
        return {name: score for name, score in scores.items() if name.startswith("morph")}

    def check(self, cfg: Cfg, name: str) -> None:
        """Raise ValueError unless `cfg` has features, their values, and combinations of these."""
        values, combinations = cfg[VALUES], cfg[COMBINATIONS]
        sound = all(
            isinstance(table, dict) and all(_is_list_of_texts(row) for row in table.values())
            for table in (values, combinations)
        )
        if not sound or not all(self._has_columns(m, cfg) for m in self.labels(cfg)):
            raise ValueError(
                f"[{name}] '{VALUES}' and '{COMBINATIONS}' in 'cfg' are not morphological features "
                "and combinations of them."
            )


def _given(cfg: Cfg) -> str:
    """Return the name of the output that the combinations depend on; "" if there is none."""
    return next((name for name in ("pos", "tag") if name in cfg["outputs"]), "")


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)

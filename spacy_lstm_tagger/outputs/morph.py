"""Morphological features (`token.morph`, FEATS), as whole combinations.

A token never gets a combination that training does not have with its part of speech. Only the
scores of those that it may have are computed: some languages have thousands in all.

Source: https://universaldependencies.org/u/feat
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy
from spacy.morphology import Morphology
from spacy.pipeline.morphologizer import morphologizer_score
from spacy.training import Example
from spacy.vocab import Vocab

from ..arrays import Floats2d, Ints1d
from .gold import GoldCombinations
from .output import MISSING, Cfg, Output, encode
from .pos import PARTS_OF_SPEECH
from .scores import Scores
from .words import Words

NONE = "_"
"""spaCy's name of the combination of no features. A token without annotation has ""."""

COMBINATIONS, ALLOWED = "morph_combinations", "morph_allowed"
"""Keys of `cfg`: all combinations; and those that each part of speech, or tag, has."""

Allowed = tuple[Ints1d, list[Ints1d]]
"""For each part of speech, or tag, the number of its set; and the combinations in each set."""


class MorphOutput(Output):
    """Morphological features, chosen among the combinations that the part of speech may have.

    Without parts of speech, it is those that the tag may have.
    """

    name = "morph"
    attr = "MORPH"
    gold_attrs = ("MORPH",)
    deferred = True
    learned: ClassVar[Mapping[str, Any]] = {COMBINATIONS: [], ALLOWED: {}}

    def __init__(self) -> None:
        self._allowed: tuple[tuple[Any, ...], Allowed] | None = None
        self._hashes: tuple[Vocab, Sequence[str], numpy.ndarray] | None = None

    @property
    def default_score_weights(self) -> dict[str, float | None]:
        """Weights of the scores, see `Output`."""
        return {"morph_acc": 1.0, "morph_per_feat": None}

    def labels(self, cfg: Cfg) -> Sequence[str]:
        """Return the combinations of features that training has, such as "Case=Nom|Number=Sing"."""
        return cfg[COMBINATIONS]

    def initialize(self, gold: GoldCombinations, cfg: Cfg, name: str) -> None:
        """Note the combinations. Raises ValueError if no token has a feature."""
        found = {morph for (morph,) in gold.of("MORPH")}
        if not found - {NONE}:
            raise ValueError(
                f"[{name}] The setting outputs has 'morph', but no token of the training examples "
                "has morphological features. Train on a corpus that has them (in CoNLL-U: FEATS), "
                "or take 'morph' out of outputs."
            )
        cfg[COMBINATIONS], cfg[ALLOWED] = sorted(found), {}
        self.learn(gold, cfg)

    def learn(self, gold: GoldCombinations, cfg: Cfg) -> None:
        """Add the combinations of each part of speech to those known."""
        known: dict[str, list[str]] = cfg[ALLOWED]
        labels = set(cfg[COMBINATIONS])
        given = _given(cfg)
        for key, morph in sorted(gold.of(given.upper(), "MORPH") if given else ()):
            if morph in labels and morph not in known.get(key, []):
                known = {**known, key: [*known.get(key, []), morph]}
        cfg[ALLOWED] = known  # a new object if anything was added: threads may be reading the other

    def add_label(self, label: str, cfg: Cfg, name: str) -> int:
        """Add a combination of features, see `Output`. Training shows which words may have it."""
        label = label or NONE
        if not is_combination(label, whole=True):
            raise ValueError(
                f"[{name}] The label {label!r} is no combination of features. Write it as UD does, "
                "such as 'Case=Nom|Number=Sing', and '_' for no features."
            )
        if label != NONE:
            label = Morphology.dict_to_feats(Morphology.feats_to_dict(label))
        if label in cfg[COMBINATIONS]:
            return 0
        cfg[COMBINATIONS] = [*cfg[COMBINATIONS], label]
        return 1

    def codes(
        self, values: Sequence[str | None], words: Sequence[str], cfg: Cfg, name: str
    ) -> dict[str, Ints1d]:
        """Return the column of each token's combination, see `Output.codes`."""
        codes: dict[str | None, int] = {label: i for i, label in enumerate(self.labels(cfg))}
        codes.update({None: MISSING, "": MISSING})
        return {self.name: encode(values, codes, self.attr, name, self.name)}

    def label_scores(self, scores: Scores, cfg: Cfg) -> Floats2d:
        """Return the score of every combination, see `Output.label_scores`."""
        return scores.deferred(self.name, numpy.arange(len(scores)))

    def choose(
        self, scores: Scores, chosen: Mapping[str, Ints1d], words: Words, cfg: Cfg
    ) -> Ints1d:
        """Return the best allowed combination of every token, an index of `labels`."""
        result = numpy.zeros(len(scores), dtype="int64")
        set_of_given, sets = self._allowed_sets(cfg)
        given = _given(cfg)
        of_tokens = set_of_given[chosen[given]] if given else result
        for number in numpy.unique(of_tokens).tolist():
            tokens = numpy.flatnonzero(of_tokens == number)
            allowed = sets[number]
            best: Any = 0
            if len(allowed) > 1:
                best = scores.deferred(self.name, tokens, allowed).argmax(axis=1)
            result[tokens] = allowed[best]
        return result

    def _allowed_sets(self, cfg: Cfg) -> Allowed:
        """Return which combinations are allowed, the same arrays as long as nothing changes."""
        given = _given(cfg)
        combinations, allowed = cfg[COMBINATIONS], cfg[ALLOWED]
        tags = list(cfg["labels"]) if given == "tag" else []
        kept = self._allowed  # another thread may replace it
        if kept is None or not (
            kept[0][0] is combinations and kept[0][1] is allowed and kept[0][2] == tags
        ):
            sets = allowed_sets(combinations, allowed, tags, given=given)
            kept = self._allowed = ((combinations, allowed, tags), sets)
        return kept[1]

    def prepare(self, vocab: Vocab, cfg: Cfg) -> None:
        """Add the combinations to the vocab, see `Output.prepare`."""
        self.values(numpy.zeros(0, dtype="int64"), vocab, cfg)

    def values(self, choices: Ints1d, vocab: Vocab, cfg: Cfg) -> numpy.ndarray:
        """Return the hashes of combinations, see `Output.values`."""
        kept, combinations = self._hashes, cfg[COMBINATIONS]
        if kept is None or kept[0] is not vocab or kept[1] is not combinations:
            hashes = [vocab.morphology.add(morph) for morph in combinations]
            kept = self._hashes = (vocab, combinations, numpy.asarray(hashes, dtype="uint64"))
        return kept[2][choices]

    def white_space(self, vocab: Vocab) -> int:
        """Return the hash of the combination of no features."""
        return vocab.morphology.add(NONE)

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Return the accuracy of whole combinations, and precision and recall of each feature."""
        scores = morphologizer_score(list(examples), **kwargs)
        return {name: score for name, score in scores.items() if name.startswith("morph")}

    def check(self, cfg: Cfg, name: str) -> None:
        """Raise ValueError unless `cfg` has combinations, and which of them are allowed."""
        combinations, allowed = cfg[COMBINATIONS], cfg[ALLOWED]
        sound = isinstance(allowed, dict) and all(map(_is_list, (combinations, *allowed.values())))
        sound = sound and all(map(is_combination, combinations))
        sound = sound and all(row and set(row) <= set(combinations) for row in allowed.values())
        if not sound or len(set(combinations)) < len(combinations):
            raise ValueError(
                f"[{name}] '{COMBINATIONS}' and '{ALLOWED}' in 'cfg' are not combinations of "
                "features, and those of each part of speech."
            )


def allowed_sets(
    combinations: Sequence[str],
    allowed: Mapping[str, Sequence[str]],
    tags: Sequence[str],
    *,
    given: str,
) -> Allowed:
    """Return which combinations are allowed. The first set has all of them.

    combinations: all combinations.
    allowed: those of each part of speech, or tag.
    tags: the component's labels.
    given: what they are of: "pos", "tag", or "" for neither.
    """
    places = {label: i for i, label in enumerate(combinations)}
    sets: list[Ints1d] = [numpy.arange(len(combinations))]
    number = {}
    for key, row in allowed.items():
        number[key] = len(sets)
        sets.append(numpy.asarray([places[label] for label in row], dtype="int64"))
    names = {"pos": PARTS_OF_SPEECH, "tag": tags}.get(given, [])
    return numpy.asarray([number.get(name, 0) for name in names], dtype="int64"), sets


def is_combination(text: str, *, whole: bool = False) -> bool:
    """Return whether a text is distinct features with a value each, or `NONE`.

    whole: whether names and values must not be empty. spaCy lets docs have such features.
    """
    parts = [part.split("=") for part in text.split("|")]
    sound = all(len(part) == 2 and (all(part) or not whole) for part in parts)
    return text == NONE or (sound and len({name for name, _ in parts}) == len(parts))


def features_of(combination: str) -> dict[str, str]:
    """Return the value of each feature of a combination."""
    return {} if combination == NONE else Morphology.feats_to_dict(combination)


def _given(cfg: Cfg) -> str:
    """Return the name of the output that the combinations depend on; "" if there is none."""
    return next((name for name in ("pos", "tag") if name in cfg["outputs"]), "")


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)

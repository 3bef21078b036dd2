"""Universal parts of speech (`token.pos`, UPOS).

A token never gets one that its tag does not have in the training data; without tags, one that is
not there at all.

Source: https://universaldependencies.org/u/pos
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy
from spacy.parts_of_speech import IDS
from spacy.vocab import Vocab

from ..arrays import Ints1d
from .gold import GoldCombinations
from .output import Cfg, Output
from .scores import Scores
from .words import Words

PARTS_OF_SPEECH = (
    *("ADJ", "ADP", "ADV", "AUX", "CONJ", "CCONJ", "DET"),
    *("INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT"),
    *("SCONJ", "SYM", "VERB", "X", "EOL", "SPACE"),
)
"""Parts of speech that spaCy knows: a column each, whether the training data has it or not."""

WHITE_SPACE = "SPACE"
"""Part of speech of white space, as in spaCy's pipelines."""

PosOfTags = dict[str, list[str]]
"""The parts of speech that each tag has in the training data; or `ANY`, without tags."""

KEY, ANY = "pos_of_tags", ""


class PosOutput(Output):
    """Parts of speech, chosen among those that the token's tag may have."""

    name = "pos"
    attr = "POS"
    gold_attrs = ("TAG", "POS")
    weight = 0.5
    learned: ClassVar[Mapping[str, Any]] = {KEY: {}}

    def __init__(self) -> None:
        self._mask: tuple[Sequence[str], PosOfTags, numpy.ndarray] = ([], {}, numpy.zeros((0, 0)))

    def labels(self, cfg: Cfg) -> Sequence[str]:
        """Return the names of the columns, in their order."""
        return PARTS_OF_SPEECH

    def initialize(self, gold: GoldCombinations, cfg: Cfg, name: str) -> None:
        """Note the parts of speech of each tag. Raises ValueError if there are none."""
        if not gold.of("POS"):
            raise ValueError(
                f"[{name}] The setting outputs has 'pos', but no token of the training examples "
                "has a part of speech. Train on a corpus that has them (in CoNLL-U: UPOS), or "
                "take 'pos' out of outputs."
            )
        cfg[KEY] = {} if "tag" in cfg["outputs"] else {ANY: []}
        self.learn(gold, cfg)

    def learn(self, gold: GoldCombinations, cfg: Cfg) -> None:
        """Add the parts of speech of each tag to those known."""
        known: PosOfTags = cfg[KEY]
        with_tags = "tag" in cfg["outputs"]
        if not with_tags and ANY not in known:
            return  # it was not noted which there are
        labels = set(cfg["labels"]) if with_tags else {ANY}
        found = gold.of("TAG", "POS") if with_tags else gold.of("POS")
        for *tags, pos in sorted(found):
            tag = tags[0] if tags else ANY
            if tag in labels and pos not in known.get(tag, []):
                known = {**known, tag: [*known.get(tag, []), pos]}
        cfg[KEY] = known  # a new object if anything was added: threads may be reading the other

    def choose(
        self, scores: Scores, chosen: Mapping[str, Ints1d], words: Words, cfg: Cfg
    ) -> Ints1d:
        """Return the best columns among the parts of speech that the chosen tags may have."""
        block = scores.block(self.name)
        tags = cfg["labels"] if "tag" in chosen else [ANY]
        allowed = self._allowed(tags, cfg[KEY])[chosen.get("tag", 0)]
        return numpy.where(allowed, block, -numpy.inf).argmax(axis=1)

    def _allowed(self, labels: Sequence[str], known: PosOfTags) -> numpy.ndarray:
        """Return whether each tag may have each part of speech: all of them if none is known.

        labels: the tags, or `ANY`.
        Returns shape (n_labels, n_pos), the same array as long as nothing changes.
        """
        of_labels, of_known, allowed = self._mask  # another thread may replace it
        if of_known is not known or of_labels != labels:
            rows = [known.get(tag, PARTS_OF_SPEECH) for tag in labels]
            allowed = numpy.asarray([[pos in row for pos in PARTS_OF_SPEECH] for row in rows])
            self._mask = (list(labels), known, allowed)
        return allowed

    def values(self, choices: Ints1d, vocab: Vocab, cfg: Cfg) -> numpy.ndarray:
        """Return spaCy's numbers of parts of speech, see `Output.values`."""
        return _IDS[choices]

    def white_space(self, vocab: Vocab) -> int:
        """Return the number of the part of speech of white space."""
        return IDS[WHITE_SPACE]

    def check(self, cfg: Cfg, name: str) -> None:
        """Raise ValueError unless `cfg` maps tags to lists of parts of speech."""
        known = cfg[KEY]
        sound = isinstance(known, dict)
        sound = sound and all(isinstance(row, list) and row for row in known.values())
        if not sound or any(pos not in PARTS_OF_SPEECH for row in known.values() for pos in row):
            raise ValueError(f"[{name}] '{KEY}' in 'cfg' does not map tags to parts of speech.")


_IDS = numpy.asarray([IDS[name] for name in PARTS_OF_SPEECH], dtype="uint64")

"""Fine-grained tags (`token.tag`), spaCy's XPOS: the output that every tagger has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy
from spacy.strings import get_string_id
from spacy.training import Example
from spacy.vocab import Vocab

from ..arrays import Ints1d
from .gold import GoldCombinations
from .output import MISSING, NEGATED, Cfg, Output, encode

WHITE_SPACE = "_SP"
"""Tag of white space, as in spaCy's pipelines."""


class TagOutput(Output):
    """Tags. Their labels are the component's, which spaCy's `Tagger` keeps in `cfg["labels"]`.

    A gold tag that begins with `neg_prefix` says what the tag is not, unless it is a label itself:
    some treebanks have a tag "!".
    """

    name = "tag"
    attr = "TAG"
    gold_attrs = ("TAG",)

    @property
    def default_score_weights(self) -> dict[str, float | None]:
        """Weights of the scores, see `Output`."""
        return {"tag_acc": 1.0, "tag_micro_p": None, "tag_micro_r": None, "tag_micro_f": None}

    def labels(self, cfg: Cfg) -> Sequence[str]:
        """Return the names of the columns, in their order."""
        return cfg["labels"]

    def codes(
        self, values: Sequence[str | None], words: Sequence[str], cfg: Cfg, name: str
    ) -> dict[str, Ints1d]:
        """Return the column of each gold tag; `NEGATED - i` if a tag says "not label i"."""
        labels, prefix = self.labels(cfg), cfg["neg_prefix"]
        codes: dict[str | None, int] = {}
        if prefix:
            codes.update((f"{prefix}{label}", NEGATED - i) for i, label in enumerate(labels))
        codes.update((label, i) for i, label in enumerate(labels))
        codes.update({None: MISSING, "": MISSING})
        return {self.name: encode(values, codes, self.attr, name)}

    def values(self, choices: Ints1d, vocab: Vocab, cfg: Cfg) -> numpy.ndarray:
        """Return the hashes of tags, see `Output.values`."""
        labels = self.labels(cfg)
        for chosen in set(choices.tolist()):
            vocab.strings.add(labels[chosen])
        return _hashes(tuple(labels))[choices]

    def white_space(self, vocab: Vocab) -> int:
        """Return the hash of the tag of white space."""
        return vocab.strings.add(WHITE_SPACE)

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Return nothing: tags are scored by the component's setting `scorer`."""
        return {}


@lru_cache(maxsize=16)
def _hashes(labels: tuple[str, ...]) -> numpy.ndarray:
    return numpy.asarray([get_string_id(label) for label in labels], dtype="uint64")


def labels_among(gold: GoldCombinations, neg_prefix: str | None) -> list[str]:
    """Return the gold tags less those that only say what a tag is not, sorted."""
    tags = {tag for (tag,) in gold.of("TAG")}

    if not neg_prefix:
        return sorted(tags)
    return sorted(tags - {f"{neg_prefix}{tag}" for tag in tags})

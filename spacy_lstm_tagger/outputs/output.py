"""The interface of an output: everything that is particular to one predicted annotation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy
from spacy.scorer import Scorer
from spacy.training import Example
from spacy.vocab import Vocab

from ..arrays import Floats2d, Ints1d
from .gold import GoldCombinations
from .scores import Scores
from .words import Words

MISSING = -1
"""Code of a token without a gold value: empty, misaligned or not annotated."""

NEGATED = -2
"""Codes from here downwards say what a token's value is not: label i is `NEGATED - i`."""

Cfg = dict[str, Any]
"""The component's settings, and what it has learned besides weights. Saved as JSON."""


class Output(ABC):
    """One annotation that is predicted for every token, by blocks of columns of the scores.

    Subclasses say what the columns mean. They keep what they learn in the component's `cfg`, under
    the keys of `learned`, so that it is saved and loaded with the labels.

    name: its name, under which it is registered. Its blocks are called so, or `NAME:PART`.
    attr: spaCy's name of the token attribute, such as "TAG".
    gold_attrs: names of the token attributes whose gold values it learns from.
    deferred: whether its scores are computed for the tokens alone that need them, see `Scores`.
    weight: weight of its loss.
    learned: keys of `cfg` that training fills, with their values before training.
    """

    name: ClassVar[str]
    attr: ClassVar[str]
    gold_attrs: ClassVar[Sequence[str]]
    deferred: ClassVar[bool] = False
    weight: ClassVar[float] = 1.0
    learned: ClassVar[Mapping[str, Any]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()  # what it keeps besides is made of `cfg`, and may have no copy

    @property
    def assigns(self) -> str:
        """The attribute as spaCy's `assigns` names it, such as "token.tag"."""
        return f"token.{self.attr.lower()}"

    @property
    def default_score_weights(self) -> dict[str, float | None]:
        """Weights of the scores in the choice of the best model; None for those that are no share.

        They are relative to those of other outputs.
        """
        return {f"{self.attr.lower()}_acc": 1.0}

    @abstractmethod
    def labels(self, cfg: Cfg) -> Sequence[str]:
        """Return the names of what may be predicted."""

    def columns(self, cfg: Cfg) -> dict[str, int]:
        """Return the number of columns of each of its blocks, in their order."""
        return {self.name: len(self.labels(cfg))}

    def initialize(self, gold: GoldCombinations, cfg: Cfg, name: str) -> None:
        """Prepare for training on examples with these gold values.

        name: the component's, for messages.
        Raises ValueError if there is nothing to learn from.
        """
        self.learn(gold, cfg)

    def learn(self, gold: GoldCombinations, cfg: Cfg) -> None:  # noqa: B027  (a hook)
        """Note in `cfg` what gold values say besides the weights. Called for every batch."""

    def prepare(self, vocab: Vocab, cfg: Cfg) -> None:  # noqa: B027  (a hook)
        """Prepare for predicting with what was loaded, outside of memory zones if possible."""

    def add_label(self, label: str, cfg: Cfg, name: str) -> int:
        """Add a label behind those known. Returns 0 if it is known, otherwise 1.

        name: the component's, for messages.
        Raises ValueError if the labels are fixed.
        """
        if label in self.labels(cfg):
            return 0
        raise ValueError(
            f"[{name}] No labels can be added to the output '{self.name}'. Initialize the "
            "component with examples that have what it is to predict."
        )

    def codes(
        self, values: Sequence[str | None], words: Sequence[str], cfg: Cfg, name: str
    ) -> dict[str, Ints1d]:
        """Return the gold column of every token in each block, or `MISSING`, shape (n_tokens,).

        values: gold value of each token; None or "" if it has none.
        words: the tokens' texts, if "ORTH" is among `gold_attrs`.
        name: the component's, for messages.
        Raises ValueError for a value that has no column.
        """
        codes: dict[str | None, int] = {label: i for i, label in enumerate(self.labels(cfg))}
        codes.update({None: MISSING, "": MISSING})
        return {self.name: encode(values, codes, self.attr, name)}

    def label_scores(self, scores: Scores, cfg: Cfg) -> Floats2d:
        """Return the score of every label for every token, shape (n_tokens, n_labels).

        A softmax makes probabilities of them.
        """
        return scores.block(self.name)

    def gold_labels(self, values: Sequence[str], words: Sequence[str], cfg: Cfg) -> Ints1d:
        """Return the index of each token's gold label, `MISSING` if it is none, (n_tokens,).

        values, words: see `codes`.
        """
        places = {label: i for i, label in enumerate(self.labels(cfg))}
        return numpy.asarray([places.get(value, MISSING) for value in values], dtype="int64")

    def choose(
        self, scores: Scores, chosen: Mapping[str, Ints1d], words: Words, cfg: Cfg
    ) -> Ints1d:
        """Return what is chosen for every token, as a number, shape (n_tokens,).

        scores: scores of all tokens.
        chosen: what the outputs before this one have chosen, by output name.
        words: the tokens.
        """
        block = scores.block(self.name)
        if not len(block):  # numpy finds no maximum among no labels
            return numpy.zeros(0, dtype="int64")
        return block.argmax(axis=1)

    @abstractmethod
    def values(self, choices: Ints1d, vocab: Vocab, cfg: Cfg) -> numpy.ndarray:
        """Return the attribute's values, as `Doc.from_array` takes them, shape (n_tokens,).

        choices: what `choose` returned, shape (n_tokens,).
        vocab: vocab of the docs. Texts of the values are added to its string store.
        """

    def white_space(self, vocab: Vocab) -> int | None:
        """Return the value of white-space tokens; None if `choose` has seen to them."""
        return None

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Return the scores of predicted docs, as a spaCy scorer does."""
        return Scorer.score_token_attr(examples, self.attr.lower(), **kwargs)

    def check(self, cfg: Cfg, name: str) -> None:  # noqa: B027  (a hook)
        """Raise ValueError if what was loaded into `cfg` cannot be this output's.

        name: the component's, for messages.
        """


def encode(
    values: Sequence[str | None],
    codes: Mapping[str | None, int],
    attr: str,
    name: str,
    output: str = "tag",
) -> Ints1d:
    """Return the code of each value. Raises ValueError that names the values without one."""
    try:
        return numpy.asarray([codes[value] for value in values], dtype="int64")
    except KeyError:
        unseen = sorted({value for value in values if value is not None and value not in codes})
        what = "tags" if attr == "TAG" else f"values of {attr}"
        raise ValueError(
            f"[{name}] The gold {what} {unseen} are not among the component's labels. Add them "
            f"with add_label({'' if attr == 'TAG' else f'..., output={output!r}'}), or initialize "
            "with labels or examples that have them. Nothing was learned from this batch."
        ) from None

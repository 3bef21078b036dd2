"""The interface of an output: everything that is particular to one predicted annotation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example

from ..arrays import Floats2d, Ints1d
from .gold import GoldCombinations

MISSING = -1
"""Code of a token without a gold value: empty, misaligned or not annotated."""

NEGATED = -2
"""Codes from here downwards say what a token's value is not: label i is `NEGATED - i`."""

WHITE_SPACE = -1
"""Column of white-space tokens, among those that `Output.annotate` takes."""

Cfg = dict[str, Any]
"""The component's settings, and what it has learned besides weights. Saved as JSON."""


class Output(ABC):
    """One annotation that is predicted for every token, by a block of columns of the scores.

    Subclasses say what the columns mean. They keep what they learn in the component's `cfg`, under
    the keys of `learned`, so that it is saved and loaded with the labels.

    name: its name, under which it is registered and the model knows its columns.
    attr: spaCy's name of the token attribute, such as "TAG".
    white_space: value of white-space tokens. It is set by rule: they are neither read nor learned.
    learned: keys of `cfg` that training fills, with their values before training.
    """

    name: ClassVar[str]
    attr: ClassVar[str]
    white_space: ClassVar[str]
    learned: ClassVar[Mapping[str, Any]] = {}

    @property
    def assigns(self) -> str:
        """The attribute as spaCy's `assigns` names it, such as "token.tag"."""
        return f"token.{self.attr.lower()}"

    @abstractmethod
    def labels(self, cfg: Cfg) -> Sequence[str]:
        """Return the names of the columns, in their order."""

    def initialize(self, gold: GoldCombinations, cfg: Cfg, name: str) -> None:
        """Prepare for training on examples with these gold values.

        name: the component's, for messages.
        Raises ValueError if there is nothing to learn from.
        """
        self.learn(gold, cfg)

    def learn(self, gold: GoldCombinations, cfg: Cfg) -> None:  # noqa: B027  (a hook)
        """Note in `cfg` what gold values say besides the weights. Called for every batch."""

    def codes(self, values: Sequence[str | None], cfg: Cfg, name: str) -> Ints1d:
        """Return the column of each gold value, or `MISSING`, shape (n_tokens,).

        values: None or "" if a token has none.
        name: the component's, for messages.
        Raises ValueError for a value that has no column.
        """
        codes: dict[str | None, int] = {label: i for i, label in enumerate(self.labels(cfg))}
        codes.update({None: MISSING, "": MISSING})
        return encode(values, codes, self.attr, name)

    def choose(self, scores: Floats2d, chosen: Mapping[str, Ints1d], cfg: Cfg) -> Ints1d:
        """Return the best column of every token, shape (n_tokens,).

        scores: logits or probabilities, shape (n_tokens, n_labels).
        chosen: the columns that the outputs before this one have chosen, by output name.
        """
        if not len(scores):  # numpy finds no maximum among no labels
            return numpy.zeros(0, dtype="int64")
        return scores.argmax(axis=1)

    def annotate(self, docs: Sequence[Doc], columns: Sequence[Ints1d], cfg: Cfg) -> None:
        """Set the attribute of every token, of those that have it only if `cfg` says overwrite.

        columns: what `choose` returned, and `WHITE_SPACE`, shape (n_tokens,) for each doc.
        """
        labels, attr, overwrite = self.labels(cfg), f"{self.attr.lower()}_", cfg["overwrite"]
        for doc, of_doc in zip(docs, columns, strict=True):
            for token, column in zip(doc, of_doc.tolist(), strict=True):
                if overwrite or not getattr(token, attr):
                    setattr(token, attr, self.white_space if column < 0 else labels[column])

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Return the scores of predicted docs, as a spaCy scorer does."""
        return Scorer.score_token_attr(examples, self.attr.lower(), **kwargs)

    def check(self, cfg: Cfg, name: str) -> None:  # noqa: B027  (a hook)
        """Raise ValueError if what was loaded into `cfg` cannot be this output's.

        name: the component's, for messages.
        """


def encode(
    values: Sequence[str | None], codes: Mapping[str | None, int], attr: str, name: str
) -> Ints1d:
    """Return the code of each value. Raises ValueError that names the values without one."""
    try:
        return numpy.asarray([codes[value] for value in values], dtype="int64")
    except KeyError:
        unseen = sorted({value for value in values if value is not None and value not in codes})
        what = "tags" if attr == "TAG" else f"values of {attr}"
        raise ValueError(
            f"[{name}] The gold {what} {unseen} are not among the component's labels. Add them "
            "with add_label(), or initialize with labels or examples that have them. Nothing was "
            "learned from this batch."
        ) from None

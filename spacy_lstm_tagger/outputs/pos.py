"""Parts of speech (UPOS) as columns of scores: gold ones to columns, best columns to tokens.

A token never gets one that its tag does not have anywhere in the training data.

Source: https://universaldependencies.org/u/pos
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy
from spacy.attrs import POS
from spacy.parts_of_speech import IDS
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Model
from thinc.types import Floats2d, Ints1d

from ..training.loss import MISSING
from ..training.soft_targets import same_tokens

PARTS_OF_SPEECH = (
    *("ADJ", "ADP", "ADV", "AUX", "CONJ", "CCONJ", "DET"),
    *("INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT"),
    *("SCONJ", "SYM", "VERB", "X", "EOL", "SPACE"),
)
"""All that spaCy knows: one column each, in this order, whether the training data has it or not."""

_IDS = numpy.asarray([IDS[name] for name in PARTS_OF_SPEECH])
_COLUMNS = numpy.full(_IDS.max() + 1, MISSING)
_COLUMNS[_IDS] = numpy.arange(len(_IDS))


def predicts_pos(model: Model) -> bool:
    """Whether a model scores parts of speech, behind the tags."""
    return bool(model.attrs.get("predict_pos"))


def pos_codes(examples: Iterable[Example]) -> Ints1d:
    """Columns of the gold parts of speech, aligned to the predicted tokens, docs one after another.

    A token that has none, or is misaligned, is `loss.MISSING`.
    """
    found = [numpy.zeros(0, dtype="int64"), *(_gold_ids(eg) for eg in examples)]
    return _COLUMNS[numpy.concatenate(found)]


def _gold_ids(eg: Example) -> Ints1d:
    if same_tokens(eg):
        return eg.reference.to_array(POS).astype("int64")
    return numpy.asarray([pos or 0 for pos in eg.get_aligned("POS")], dtype="int64")


PosOfTags = dict[str, list[str]]
"""The parts of speech that each tag has in the training data."""


def extended(known: PosOfTags, labels: Sequence[str], tags: Ints1d, pos: Ints1d) -> PosOfTags:
    """What is known, and what gold annotation adds to it; the same object where it adds nothing.

    labels: names of the tags' columns.
    tags, pos: columns of each token, shape (n_tokens,); less than 0 for none.
    """
    both = (tags >= 0) & (pos >= 0)
    for pair in numpy.unique(tags[both] * len(_IDS) + pos[both]).tolist():
        tag, name = labels[pair // len(_IDS)], PARTS_OF_SPEECH[pair % len(_IDS)]
        if name not in known.get(tag, []):
            known = {**known, tag: [*known.get(tag, []), name]}
    return known


class AllowedPos:
    """Which parts of speech each tag may have, as an array that is kept while nothing changes."""

    def __init__(self) -> None:
        self._made: tuple[Sequence[str], PosOfTags, Any] = ((), {}, None)

    def of(self, labels: Sequence[str], known: PosOfTags) -> numpy.ndarray:
        """Whether each tag may have each part of speech: all of them where none is known.

        Returns shape (n_labels, n_pos).
        """
        of_labels, of_known, allowed = self._made  # another thread may make it anew
        if of_known is not known or of_labels != labels:
            rows = [known.get(tag, PARTS_OF_SPEECH) for tag in labels]
            allowed = numpy.asarray([[name in row for name in PARTS_OF_SPEECH] for row in rows])
            self._made = (labels, known, allowed)
        return allowed


def choose_pos(scores: Floats2d, tags: Ints1d, allowed: numpy.ndarray) -> Ints1d:
    """Columns of the best parts of speech among those that the tokens' tags may have.

    scores: shape (n_tokens, n_pos).
    tags: columns of tags, shape (n_tokens,).
    """
    return numpy.where(allowed[tags], scores, -numpy.inf).argmax(axis=1)


def set_pos(docs: Sequence[Doc], columns: Sequence[Ints1d], *, overwrite: bool) -> None:
    """Set the tokens' parts of speech.

    columns: one array of shape (n_tokens,) for each doc.
    overwrite: whether to replace those that tokens already have.
    """
    for doc, of_doc in zip(docs, columns, strict=True):
        for token, pos in zip(doc, _IDS[of_doc].tolist(), strict=True):
            if overwrite or not token.pos:
                token.pos = pos

"""Words of a batch of docs, looked up for all outputs together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy
from spacy.attrs import ORTH
from spacy.strings import StringStore
from spacy.tokens import Doc

from ..arrays import Ints1d
from ..features.extractor import DocFeatures
from ..features.white_space import with_white_space


class Words:
    """Words of docs, one doc after another.

    docs: the docs.
    features: what was extracted from them, which has them already; None if nothing was.
    """

    def __init__(self, docs: Sequence[Doc], features: DocFeatures | None = None) -> None:
        self.docs, self._features = docs, features

    @cached_property
    def _found(self) -> tuple[numpy.ndarray, Ints1d]:
        X = self._features
        if X is not None and X.read is None:
            return X.keys[X.forms], numpy.zeros(0, dtype="int64")
        rows = [with_white_space(doc, [ORTH]) for doc in self.docs]
        found = numpy.concatenate([numpy.zeros((0, 2), dtype="uint64"), *rows])
        return found[:, 0], numpy.flatnonzero(found[:, 1])

    @property
    def orths(self) -> numpy.ndarray:
        """Hash of each word, shape (n_words,)."""
        return self._found[0]

    @property
    def white_space(self) -> Ints1d:
        """Indices of the white-space tokens."""
        return self._found[1]

    @cached_property
    def ends(self) -> Ints1d:
        """Index behind the last word of each doc."""
        return numpy.cumsum([len(doc) for doc in self.docs])

    def stores(self, indices: Ints1d) -> list[StringStore]:
        """Return the string store of each of some words."""
        owners = numpy.searchsorted(self.ends, indices, side="right").tolist()
        return [self.docs[i].vocab.strings for i in owners]

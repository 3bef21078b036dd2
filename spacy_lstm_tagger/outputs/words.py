"""Words of a batch of docs, looked up for all outputs together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy
from spacy.attrs import ORTH
from spacy.strings import StringStore
from spacy.tokens import Doc

from ..arrays import Ints1d
from ..features.white_space import with_white_space


class Words:
    """Words of docs, one doc after another."""

    def __init__(self, docs: Sequence[Doc]) -> None:
        self.docs = docs

    @cached_property
    def _found(self) -> numpy.ndarray:
        rows = [with_white_space(doc, [ORTH]) for doc in self.docs]
        return numpy.concatenate([numpy.zeros((0, 2), dtype="uint64"), *rows])

    @property
    def orths(self) -> numpy.ndarray:
        """Hash of each word, shape (n_words,)."""
        return self._found[:, 0]

    @property
    def white_space(self) -> Ints1d:
        """Indices of the white-space tokens."""
        return numpy.flatnonzero(self._found[:, 1])

    @cached_property
    def ends(self) -> Ints1d:
        """Index behind the last word of each doc."""
        return numpy.cumsum([len(doc) for doc in self.docs])

    def stores(self, indices: Ints1d) -> list[StringStore]:
        """Return the string store of each of some words."""
        owners = numpy.searchsorted(self.ends, indices, side="right").tolist()
        return [self.docs[i].vocab.strings for i in owners]

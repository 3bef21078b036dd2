"""Combinations of morphological features, and the best allowed one for each token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy
from spacy.morphology import Morphology
from thinc.api import get_array_module

from ..arrays import Floats2d, Ints1d
from .pos import PARTS_OF_SPEECH

NONE = "_"
"""spaCy's name of the combination of no features. A token without annotation has ""."""

ANY = ""
"""Key of the combinations that all parts of speech may have."""


SMALLEST = 1e-30
"""Probabilities below it are taken for it."""


class Combinations(NamedTuple):
    """Combinations of features, arranged for finding the best allowed one.

    sources: the objects that it was made of.
    key_of_given: key of each part of speech, or tag, shape (n_given,). The first key allows all.
    allowed: indices of the combinations that each key allows.
    columns: 1 for the columns that a combination has, shape (n_combinations, n_columns).
    widths: number of columns of each feature.
    hashes: a random number for each column, shape (n_columns,).
    hash_of_key: a random number for each key.
    sums: sums of the numbers of each key and combination allowed with it, sorted.
    found: combination of each of `sums`.
    """

    sources: tuple[Any, Any, Any]
    key_of_given: Ints1d
    allowed: list[Ints1d]
    columns: Floats2d
    widths: list[int]
    hashes: numpy.ndarray
    hash_of_key: numpy.ndarray
    sums: numpy.ndarray
    found: Ints1d

    def is_of(self, values: object, combinations: object, tags: object) -> bool:
        """Return whether it was made of these."""
        ours = self.sources
        return ours[0] is values and ours[1] is combinations and ours[2] == tags

    def marginals(self, blocks: Sequence[Floats2d]) -> list[Floats2d]:
        """Return the probabilities of the values of each feature, see `MorphOutput.marginals`."""
        xp = get_array_module(blocks[0])
        columns = xp.asarray(self.columns)
        scores = xp.log(xp.maximum(xp.hstack(list(blocks)), SMALLEST)) @ columns.T
        scores = xp.exp(scores - scores.max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
        return xp.split(scores @ columns, numpy.cumsum(self.widths)[:-1].tolist(), axis=1)

    def best(self, scores: Floats2d, keys: Ints1d) -> Ints1d:
        """Return the best allowed combination of every token, shape (n_tokens,).

        scores: shape (n_tokens, n_columns).
        keys: key of each token, shape (n_tokens,).

        The sum of the best values' scores is the greatest there is. So if these values make an
        allowed combination, which the sum of their random numbers tells, it is the best.
        """
        sums = self.hash_of_key[keys]
        begin = 0
        by_column = numpy.ascontiguousarray(scores.T)
        for width in self.widths:
            best, place = by_column[begin], numpy.full(len(scores), begin)
            for column in range(begin + 1, begin + width):
                better = by_column[column] > best
                place[better] = column
                best = numpy.maximum(best, by_column[column])
            sums = sums + self.hashes[place]
            begin += width
        places = numpy.minimum(numpy.searchsorted(self.sums, sums), len(self.sums) - 1)
        result = self.found[places]
        other = numpy.flatnonzero(self.sums[places] != sums)
        for key in numpy.unique(keys[other]).tolist():
            tokens = other[keys[other] == key]
            allowed = self.allowed[key]
            result[tokens] = allowed[(scores[tokens] @ self.columns[allowed].T).argmax(axis=1)]
        return result


def combine(
    values: Mapping[str, Sequence[str]],
    combinations: Mapping[str, Sequence[str]],
    tags: Sequence[str],
    *,
    given: str,
    labels: Sequence[str],
) -> Combinations:
    """Arrange combinations of features.

    values: values of each feature, in the order of the columns.
    combinations: those that each part of speech, or tag, may have, and those of `ANY`.
    tags: the component's labels.
    given: what the keys of `combinations` are: "pos", "tag", or "" if there is only `ANY`.
    labels: all combinations.
    """
    random = numpy.random.default_rng(0)
    widths = [len(of_feature) for of_feature in values.values()]
    begins = dict(zip(values, numpy.cumsum([0, *widths]).tolist(), strict=False))
    columns = numpy.zeros((len(labels), sum(widths)), dtype="float32")
    for row, label in zip(columns, labels, strict=True):
        features = features_of(label)
        for feature, begin in begins.items():
            row[begin + values[feature].index(features.get(feature, ""))] = 1.0
    keys = [ANY, *(key for key in combinations if key != ANY)]
    index = {label: i for i, label in enumerate(labels)}
    allowed = [numpy.asarray([index[label] for label in combinations[key]]) for key in keys]
    hashes = random.integers(2**63, size=sum(widths), dtype="uint64")
    hash_of_key = random.integers(2**63, size=len(keys), dtype="uint64")
    own = columns.astype("uint64") @ hashes
    sums = numpy.concatenate(
        [own[of_key] + h for of_key, h in zip(allowed, hash_of_key, strict=True)]
    )
    order = numpy.argsort(sums)
    known = {key: i for i, key in enumerate(keys)}
    names = {"pos": PARTS_OF_SPEECH, "tag": tags}.get(given, [])
    return Combinations(
        sources=(values, combinations, tags),
        key_of_given=numpy.asarray([known.get(name, 0) for name in names], dtype="int64"),
        allowed=allowed,
        columns=columns,
        widths=widths,
        hashes=hashes,
        hash_of_key=hash_of_key,
        sums=sums[order],
        found=numpy.concatenate(allowed)[order],
    )


def features_of(combination: str) -> dict[str, str]:
    """Return the value of each feature of a combination."""
    return {} if combination == NONE else Morphology.feats_to_dict(combination)

"""Which tokens of a predicted and a reference doc are the same, and the gold values of tokens."""

from __future__ import annotations

from collections.abc import Iterable

import numpy
from spacy.attrs import ORTH
from spacy.training import Example

from ..arrays import Ints1d
from ..features.white_space import with_white_space


def same_tokens(eg: Example) -> bool:
    """Return whether predicted and reference doc are split into the same tokens.

    Then spaCy's alignment, a Python loop over characters, is not needed.
    """
    return numpy.array_equal(eg.predicted.to_array(ORTH), eg.reference.to_array(ORTH))


def aligned_tokens(eg: Example) -> tuple[Ints1d, Ints1d]:
    """Return the indices of the tokens that are the same, in the predicted and the reference doc.

    Both have shape (n_same,).
    """
    if same_tokens(eg):
        both = numpy.arange(len(eg.predicted))
        return both, both
    x2y, y2x = eg.alignment.x2y, eg.alignment.y2x
    pairs = [
        (i, int(x2y[i][0]))
        for i in range(len(eg.predicted))
        if len(x2y[i]) == 1 and len(y2x[int(x2y[i][0])]) == 1
    ]
    array = numpy.asarray(pairs, dtype="int64").reshape(-1, 2)
    return array[:, 0], array[:, 1]


def aligned_values(examples: Iterable[Example], attr: str) -> list[str | None]:
    """Return the gold value of every predicted token, docs one after another.

    A value is "" or None if the token is misaligned, not annotated, or white space.
    attr: name of a token attribute, such as "TAG".
    """
    return [value for eg in examples for value in _values(eg, attr)]


def _values(eg: Example, attr: str) -> list[str | None]:
    if not same_tokens(eg):
        values = eg.get_aligned(attr, as_string=True)
        return [None if t.text.isspace() else v for t, v in zip(eg.predicted, values, strict=True)]
    strings = eg.reference.vocab.strings
    values, space = with_white_space(eg.reference, [attr]).T
    return [strings[value] for value in (values * (space == 0)).tolist()]

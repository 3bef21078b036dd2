"""Prediction of all outputs, from scores to columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy
from spacy.pipeline.tagger import Tagger
from spacy.tokens import Doc
from thinc.util import to_numpy

from ..arrays import Floats2d, Ints1d
from ..features.white_space import white_space_rows
from ..outputs.output import WHITE_SPACE, Output
from .probabilities import probabilities_of, score_tokens, set_white_space


class Prediction(list[Ints1d]):
    """Columns of labels, one array for each doc, as spaCy's `Tagger.predict` returns them.

    others: columns of the other outputs, by output name, one array for each doc; `WHITE_SPACE` for
        white-space tokens.
    probabilities: of the labels, all docs one after another, shape (n_tokens, n_labels); None if
        they were not asked for.
    """

    def __init__(
        self,
        labels: Sequence[Ints1d],
        others: Mapping[str, Sequence[Ints1d]],
        probabilities: Floats2d | None,
    ) -> None:
        super().__init__(labels)
        self.others = others
        self.probabilities = probabilities


def predict_docs(
    tagger: Tagger, outputs: Sequence[Output], docs: Sequence[Doc], *, with_probabilities: bool
) -> Prediction:
    """Choose the columns of every output for every token, without modifying the docs.

    outputs: in the order of the model's columns; the first is that of the labels.
    """
    scores = score_tokens(tagger, docs)
    probabilities = None
    space = white_space_rows(docs if with_probabilities or len(outputs) > 1 else [])
    if with_probabilities:
        scores[0] = probabilities_of(tagger, scores[0])
        set_white_space(scores[0], tagger.labels, space)
        probabilities = to_numpy(scores[0])
    chosen: dict[str, Ints1d] = {}
    for output, of_output in zip(outputs, scores, strict=True):
        chosen[output.name] = output.choose(to_numpy(of_output), chosen, tagger.cfg)
    first, *others = chosen
    for name in others:
        chosen[name][space] = WHITE_SPACE
    of_others = {name: by_doc(chosen[name], docs) for name in others}
    return Prediction(by_doc(chosen[first], docs), of_others, probabilities)


def by_doc(rows: numpy.ndarray, docs: Sequence[Doc]) -> list[numpy.ndarray]:
    """Return the rows of each doc, views of an array that has one row for every token."""
    ends = accumulate(len(doc) for doc in docs)
    return [rows[end - len(doc) : end] for doc, end in zip(docs, ends, strict=True)]

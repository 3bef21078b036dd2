"""Prediction of all outputs, from scores to choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy
from spacy.attrs import IDS
from spacy.pipeline.tagger import Tagger
from spacy.tokens import Doc

from ..arrays import Floats2d, Ints1d
from ..outputs import scores_of
from ..outputs.output import Cfg, Output
from ..outputs.words import Words
from .probabilities import probabilities_of, score_words, set_white_space, tags_of


class Prediction(list[Ints1d]):
    """Choices of the first output, one array for each doc. If it is the tags, their columns.

    That is what spaCy's `Tagger.predict` returns.

    chosen: choices of every output, by its name, docs one after another.
    white_space: indices of the white-space tokens.
    probabilities: of the labels, all docs one after another, shape (n_tokens, n_labels); None if
        they were not asked for.
    """

    def __init__(
        self,
        docs: Sequence[Doc],
        chosen: Mapping[str, Ints1d],
        white_space: Ints1d,
        probabilities: Floats2d | None,
    ) -> None:
        super().__init__(by_doc(next(iter(chosen.values())), docs))
        self.chosen = chosen
        self.white_space = white_space
        self.probabilities = probabilities


def predict_docs(
    tagger: Tagger, outputs: Sequence[Output], docs: Sequence[Doc], *, with_probabilities: bool
) -> Prediction:
    """Choose the annotation of every output for every token, without modifying the docs.

    outputs: in the order of the model's columns; the first is that of the labels.
    """
    rows, features = score_words(tagger, docs)
    words, scores = Words(docs, features), scores_of(tagger.model, rows)
    probabilities = None
    if with_probabilities:
        probabilities = probabilities_of(tagger, tags_of(tagger, rows))
        set_white_space(probabilities, tagger.labels, words.white_space)
    chosen: dict[str, Ints1d] = {}
    for output in outputs:
        chosen[output.name] = output.choose(scores, chosen, words, tagger.cfg)
    return Prediction(docs, chosen, words.white_space, probabilities)


def annotate_docs(
    outputs: Sequence[Output], docs: Sequence[Doc], prediction: Prediction, cfg: Cfg
) -> None:
    """Set the annotation of every output, of tokens that have it only if `cfg` says overwrite.

    prediction: what `predict_docs` returned for the docs.
    """
    # Once for each doc: its tokens as Python objects would take several times as long.
    attrs = [IDS[output.attr] for output in outputs]
    present = None if cfg["overwrite"] else _present(docs, attrs)
    space = prediction.white_space
    for vocab in {id(doc.vocab): doc.vocab for doc in docs if len(doc)}.values():
        columns = []
        for output in outputs:
            values = output.values(prediction.chosen[output.name], vocab, cfg)
            if len(space) and (of_space := output.white_space(vocab)) is not None:
                values[space] = of_space
            columns.append(values)
        together = numpy.stack(columns).T  # as from_array lays values out
        if present is not None:
            together = numpy.where(present == 0, together, present)
        for doc, rows in zip(docs, by_doc(together, docs), strict=True):
            if len(doc) and doc.vocab is vocab:
                doc.from_array(attrs, rows)


def _present(docs: Sequence[Doc], attrs: Sequence[int]) -> numpy.ndarray | None:
    """Return the values that tokens have, 0 for none, shape (n_tokens, n_attrs).

    None if no token has any, as nearly always.
    """
    rows = [doc.to_array(attrs).reshape(len(doc), len(attrs)) for doc in docs]
    present = numpy.concatenate(rows) if rows else numpy.zeros(0)
    return present if present.any() else None


def by_doc(rows: numpy.ndarray, docs: Sequence[Doc]) -> list[numpy.ndarray]:
    """Return the rows of each doc, views of an array that has one row for every token."""
    ends = accumulate(len(doc) for doc in docs)
    return [rows[end - len(doc) : end] for doc, end in zip(docs, ends, strict=True)]

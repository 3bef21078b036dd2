"""Prediction of all outputs, from scores to choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy
from spacy.pipeline.tagger import Tagger
from spacy.tokens import Doc
from thinc.util import to_numpy

from ..arrays import Floats2d, Ints1d
from ..outputs import scores_of
from ..outputs.output import WHITE_SPACE, Cfg, Output
from ..outputs.words import Words
from .probabilities import probabilities_of, score_tokens, set_white_space, tags_of


class Prediction(list[Ints1d]):
    """Choices of the first output, one array for each doc. If it is the tags, their columns.

    That is what spaCy's `Tagger.predict` returns.

    chosen: choices of every output, by its name, one array for each doc. Those of others than the
        tags are `WHITE_SPACE` for white-space tokens.
    probabilities: of the labels, all docs one after another, shape (n_tokens, n_labels); None if
        they were not asked for.
    """

    def __init__(
        self,
        chosen: Mapping[str, Sequence[Ints1d]],
        probabilities: Floats2d | None,
    ) -> None:
        super().__init__(next(iter(chosen.values())))
        self.chosen = chosen
        self.probabilities = probabilities


def predict_docs(
    tagger: Tagger, outputs: Sequence[Output], docs: Sequence[Doc], *, with_probabilities: bool
) -> Prediction:
    """Choose the annotation of every output for every token, without modifying the docs.

    outputs: in the order of the model's columns; the first is that of the labels.
    """
    rows = score_tokens(tagger, docs)
    probabilities = None
    only_tags = [output.name for output in outputs] == ["tag"]
    words = Words(docs)
    space = words.white_space if with_probabilities or not only_tags else numpy.zeros(0, dtype=int)
    scores = scores_of(tagger.model, to_numpy(rows))
    if with_probabilities:
        probabilities = to_numpy(probabilities_of(tagger, tags_of(tagger, rows)))
        set_white_space(probabilities, tagger.labels, space)
    chosen: dict[str, Ints1d] = {}
    for output in outputs:
        chosen[output.name] = output.choose(scores, chosen, words, tagger.cfg)
    for name in set(chosen) - {"tag"}:
        chosen[name][space] = WHITE_SPACE
    of_docs = {name: by_doc(choices, docs) for name, choices in chosen.items()}
    return Prediction(of_docs, probabilities)


def annotate_docs(
    outputs: Sequence[Output],
    docs: Sequence[Doc],
    chosen: Mapping[str, Sequence[Ints1d]],
    cfg: Cfg,
) -> None:
    """Set the annotation of some outputs, see `Output.annotate`.

    chosen: choices of each output, see `Prediction`.
    """
    vocabs = {id(doc.vocab): doc.vocab for doc in docs if len(doc)}
    for vocab in vocabs.values() if outputs else ():
        places = [i for i, doc in enumerate(docs) if doc.vocab is vocab]
        own = [docs[i] for i in places]
        tokens = [token for doc in own for token in doc]
        for output in outputs:
            choices = numpy.concatenate([chosen[output.name][i] for i in places])
            output.annotate(own, tokens, choices, cfg)


def by_doc(rows: numpy.ndarray, docs: Sequence[Doc]) -> list[numpy.ndarray]:
    """Return the rows of each doc, views of an array that has one row for every token."""
    ends = accumulate(len(doc) for doc in docs)
    return [rows[end - len(doc) : end] for doc, end in zip(docs, ends, strict=True)]

"""Probabilities kept on docs: `doc._.tag_probabilities` and the attributes that read them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
from spacy.tokens import Doc, Token

from ..arrays import Floats2d, Ints2d
from .prediction import by_doc


def check_setting(name: str, value: object) -> None:
    """Raise ValueError unless `save_probabilities` is true, false or a whole number."""
    if not isinstance(value, int) or value < 0:
        raise ValueError(
            f"[{name}] save_probabilities is {value!r}, but must be false, true, or how many of "
            "the most probable tags to keep of each token, at least 1. Correct it in the "
            "component's block of the config."
        )


def add_extensions() -> None:
    """Register the attributes, unless something under their names is there."""
    for name in ("tag_probabilities", "tag_labels", "tag_ranking"):
        if not Doc.has_extension(name):
            Doc.set_extension(name, default=None)
    for name, getter in (("tag_probability", _best), ("tag_candidates", _candidates)):
        if not Token.has_extension(name):
            Token.set_extension(name, getter=getter)


def save(
    docs: Sequence[Doc],
    labels: Sequence[str],
    probabilities: Floats2d,
    kept: bool | int,
) -> None:
    """Keep probabilities on docs, so that they are saved with their `user_data`.

    labels: names of the columns.
    probabilities: shape (n_tokens, n_labels), docs one after another.
    kept: True for all of them, in `doc._.tag_probabilities`; or how many of each token's most
        probable tags, in `token._.tag_candidates` alone.
    """
    for doc in docs:
        doc._.tag_labels = list(labels)
        doc._.tag_probabilities = doc._.tag_ranking = None  # of an earlier run, or another tagger
    if kept is True:
        for doc, rows in zip(docs, by_doc(probabilities, docs), strict=True):
            doc._.tag_probabilities = numpy.array(rows, dtype="float32")  # not a view
        return
    best = most_probable(probabilities, min(int(kept), len(labels)))
    values = numpy.take_along_axis(probabilities, best, axis=1).astype("float32")
    tags = best.astype("uint16")
    for doc, of_tags, of_values in zip(docs, by_doc(tags, docs), by_doc(values, docs), strict=True):
        doc._.tag_ranking = {"tags": of_tags.copy(), "probabilities": of_values.copy()}


def most_probable(probabilities: Floats2d, n: int) -> Ints2d:
    """Return the columns of the n greatest of every row, greatest first, of equal ones the first.

    For the few that are asked for, n searches take less time than sorting all.
    """
    left = probabilities.copy()
    rows = numpy.arange(len(left))
    best = numpy.empty((len(left), n), dtype="int64")
    for rank in range(n):
        best[:, rank] = left.argmax(axis=1)
        left[rows, best[:, rank]] = -1
    return best


def _candidates(token: Token) -> list[tuple[str, float]] | None:
    """Return the most probable tags with their probabilities, best first; None if none are kept."""
    doc = token.doc
    if doc._.tag_ranking is not None:
        tags = doc._.tag_ranking["tags"][token.i].tolist()
        values = doc._.tag_ranking["probabilities"][token.i].tolist()
    elif doc._.tag_probabilities is not None:
        row = doc._.tag_probabilities[token.i]
        tags = numpy.argsort(-row, kind="stable").tolist()
        values = row[tags].tolist()
    else:
        return None
    return [(doc._.tag_labels[tag], value) for tag, value in zip(tags, values, strict=True)]


def tag_confidence(token: Token) -> float | None:
    """Return the probability of a token's tag; None if it was not kept, or the tag is another."""
    if not Token.has_extension("tag_candidates"):
        return None
    return dict(token._.tag_candidates or ()).get(token.tag_)


def _best(token: Token) -> float | None:
    """Return the probability of the most probable tag; None if none are kept."""
    candidates = _candidates(token)
    return candidates[0][1] if candidates else None

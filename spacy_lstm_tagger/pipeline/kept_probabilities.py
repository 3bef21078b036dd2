"""Probabilities kept on docs: `doc._.tag_probabilities` and the attributes that read them.

What is kept belongs to the tokens of the time when they were tagged. A token that was merged or
split since then has no probabilities any more; white space, whose tag is set by rule, never has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
from spacy.attrs import IDX, ORTH
from spacy.tokens import Doc, Token

from ..arrays import Floats1d, Floats2d, Ints1d, Ints2d
from ..features.white_space import with_white_space
from .prediction import by_doc

KEPT = "tag_probabilities_kept"
"""Name of the attribute of docs that is saved; the others read it."""


NO_FORM = 0
"""Hash of the form of a token that has no probabilities: that of no form."""


def check_setting(name: str, value: object, outputs: Sequence[str]) -> None:
    """Raise ValueError unless `save_probabilities` is true, false or a whole number.

    outputs: what the component predicts. There are no other probabilities to keep than those of
        tags.
    """
    if not isinstance(value, int) or value < 0:
        raise ValueError(
            f"[{name}] save_probabilities is {value!r}, but must be false, true, or how many of "
            "the most probable tags to keep of each token, at least 1. Correct it in the "
            "component's block of the config."
        )
    if value and "tag" not in outputs:
        raise ValueError(
            f"[{name}] save_probabilities is {value!r}, but outputs is {outputs}, and only the "
            "probabilities of tags can be kept. Set save_probabilities = false, or add 'tag' to "
            "outputs. predict_probabilities(docs, output=...) gives those of the others."
        )


def add_extensions() -> None:
    """Register the attributes, unless something under their names is there."""
    if not Doc.has_extension(KEPT):
        Doc.set_extension(KEPT, default=None)
    for name, of_doc in (("tag_probabilities", _matrix), ("tag_labels", _labels)):
        if not Doc.has_extension(name):
            Doc.set_extension(name, getter=of_doc)
    for name, of_token in (("tag_probability", _best), ("tag_candidates", _candidates)):
        if not Token.has_extension(name):
            Token.set_extension(name, getter=of_token)


def save(
    docs: Sequence[Doc],
    labels: Sequence[str],
    probabilities: Floats2d,
    kept: bool | int,
) -> None:
    """Keep probabilities on docs, so that they are saved with their `user_data`.

    labels: names of the columns.
    probabilities: shape (n_tokens, n_labels), docs one after another.
    kept: True for all of them; or how many of each token's most probable tags.

    Tokens whose tag is not the most probable one, because another tagger had set it, have none.
    """
    columns: dict[str, numpy.ndarray] = {"probabilities": probabilities.astype("float32")}
    if kept is not True:
        best = most_probable(probabilities, min(int(kept), len(labels)))
        columns["probabilities"] = numpy.take_along_axis(columns["probabilities"], best, axis=1)
        columns["tags"] = best.astype("uint16")
    of_docs = {name: by_doc(rows, docs) for name, rows in columns.items()}
    if not docs:
        return
    strings = docs[0].vocab.strings  # hashes are the same in all of them
    hashes = numpy.asarray([strings[label] for label in labels], dtype="uint64")
    best_tags = by_doc(hashes[probabilities.argmax(axis=1)], docs)
    for i, doc in enumerate(docs):
        starts, forms, _ = _tokens(doc)
        ours = doc.to_array("TAG") == best_tags[i]
        if len(doc) and _kept(doc) is not None and not ours.any():
            continue  # another tagger has set the tags, and kept their probabilities
        forms[~ours] = NO_FORM
        rows = {name: of_doc[i].copy() for name, of_doc in of_docs.items()}  # no views
        setattr(doc._, KEPT, {"labels": list(labels), "starts": starts, "forms": forms, **rows})


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


def tag_confidences(doc: Doc) -> Floats1d:
    """Return the probability of each token's tag, shape (n_tokens,).

    NaN if it was not kept, or the tag is another by now.
    """
    found = numpy.full(len(doc), numpy.nan)
    kept = _kept(doc)
    if kept is None or not len(doc):
        return found
    rows = _rows_of_tokens(doc, kept)
    strings, labels = doc.vocab.strings, {tag: i for i, tag in enumerate(kept["labels"])}
    columns = numpy.asarray([labels.get(strings[tag], -1) for tag in doc.to_array("TAG").tolist()])
    known = numpy.flatnonzero((rows >= 0) & (columns >= 0))
    of_known, wanted = rows[known], columns[known]
    if "tags" not in kept:
        found[known] = kept["probabilities"][of_known, wanted]
        return found
    same = kept["tags"][of_known] == wanted[:, None]
    values = kept["probabilities"][of_known].max(axis=1, where=same, initial=-1.0)
    found[known] = numpy.where(values >= 0, values, numpy.nan)
    return found


def tag_confidence(token: Token) -> float | None:
    """Return the probability of a token's tag; None if it was not kept, or the tag is another."""
    return dict(_candidates(token) or ()).get(token.tag_)


def _kept(doc: Doc) -> dict[str, Any] | None:
    return getattr(doc._, KEPT) if Doc.has_extension(KEPT) else None


def _tokens(doc: Doc) -> tuple[Ints1d, numpy.ndarray, numpy.ndarray]:
    """Return the character offset and hash of each token, and whether it is white space."""
    starts, forms, space = with_white_space(doc, [IDX, ORTH]).T
    return starts.astype("int64"), forms.copy(), space.astype(bool)


def _rows_of_tokens(doc: Doc, kept: dict[str, Any]) -> Ints1d:
    """Return the row that each token had when it was tagged, -1 if none, shape (n_tokens,).

    A token is the same if its text and the place of its text in the doc are.
    """
    starts, forms, space = _tokens(doc)
    rows = numpy.searchsorted(kept["starts"], starts)
    rows = numpy.minimum(rows, len(kept["starts"]) - 1)
    if not len(kept["starts"]):
        return numpy.full(len(doc), -1)
    same = (kept["starts"][rows] == starts) & (kept["forms"][rows] == forms) & ~space
    return numpy.where(same, rows, -1)


def _matrix(doc: Doc) -> Floats2d | None:
    """Return all probabilities, NaN for tokens that have none, shape (n_tokens, n_labels).

    None if not all of them were kept.
    """
    kept = _kept(doc)
    if kept is None or "tags" in kept:
        return None
    rows = _rows_of_tokens(doc, kept)
    matrix = numpy.full((len(doc), len(kept["labels"])), numpy.nan, dtype="float32")
    matrix[rows >= 0] = kept["probabilities"][rows[rows >= 0]]
    return matrix


def _labels(doc: Doc) -> list[str] | None:
    """Return the names of the columns of `doc._.tag_probabilities`; None if nothing is kept."""
    kept = _kept(doc)
    return None if kept is None else list(kept["labels"])


def _row_of_token(token: Token, kept: dict[str, Any]) -> int:
    """Return one of `_rows_of_tokens`."""
    starts = kept["starts"]
    row = int(numpy.searchsorted(starts, token.idx))
    same = row < len(starts) and starts[row] == token.idx and kept["forms"][row] == token.orth
    return row if same and not token.text.isspace() else -1


def _candidates(token: Token) -> list[tuple[str, float]] | None:
    """Return the most probable tags with their probabilities, best first; None if none are kept."""
    kept = _kept(token.doc)
    row = -1 if kept is None else _row_of_token(token, kept)
    if kept is None or row < 0:
        return None
    values = kept["probabilities"][row]
    ranks = numpy.argsort(-values, kind="stable")
    tags = ranks if "tags" not in kept else kept["tags"][row][ranks]
    pairs = zip(tags.tolist(), values[ranks].tolist(), strict=True)
    return [(kept["labels"][tag], value) for tag, value in pairs]


def _best(token: Token) -> float | None:
    """Return the probability of the most probable tag; None if none are kept."""
    candidates = _candidates(token)
    return candidates[0][1] if candidates else None

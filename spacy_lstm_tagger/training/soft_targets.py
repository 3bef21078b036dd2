"""Soft targets: a teacher's probabilities of every token, kept on a doc and learned from.

Source: Hinton, Vinyals and Dean 2015 (https://arxiv.org/abs/1503.02531).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy
from spacy.tokens import Doc
from spacy.training import Example

from ..arrays import Floats2d, Ints1d
from ..outputs import known_outputs
from .alignment import aligned_tokens


class SoftTargets(NamedTuple):
    """Probabilities to learn from.

    rows: the tokens that have them, docs one after another, shape (n_targets,).
    probabilities: of every label, rows summing to 1, shape (n_targets, n_labels).
    """

    rows: Ints1d
    probabilities: Floats2d


def key_of(output: str) -> str:
    """Return the key in a doc's `user_data`, which `DocBin(store_user_data=True)` saves.

    output: name of the output that the probabilities are of.
    """
    return f"spacy-lstm-tagger: {output} probabilities of a teacher"


def set_soft_targets(
    doc: Doc,
    labels: Sequence[str],
    probabilities: Floats2d,
    *,
    output: str = "tag",
    kept: int = 8,
) -> None:
    """Keep the `kept` best probabilities of every token on the doc.

    labels: names of the columns.
    probabilities: shape (n_tokens, n_labels).
    output: name of the output that they are of.
    """
    kept = min(kept, len(labels))
    best = numpy.argpartition(-probabilities, kept - 1, axis=1)[:, :kept]
    used, columns = numpy.unique(best, return_inverse=True)  # few of the labels occur in one doc
    doc.user_data[key_of(output)] = {
        "labels": [labels[column] for column in used.tolist()],
        "columns": columns.reshape(best.shape).astype("uint16"),
        "probabilities": numpy.take_along_axis(probabilities, best, axis=1).astype("float16"),
    }


def soft_labels(doc: Doc, output: str = "tag") -> list[str] | None:
    """Return the labels that a doc has probabilities of; None if it has no probabilities."""
    kept = doc.user_data.get(key_of(output))
    return None if kept is None else list(kept["labels"])


def get_soft_targets(doc: Doc, labels: Sequence[str], *, output: str = "tag") -> Floats2d | None:
    """Return the probabilities kept on a doc; None if there are none.

    labels: names of the columns. What a teacher gave to other labels is shared out among these
        in proportion; a token whose kept labels are all unknown has a row of zeros.
    output: name of the output that they are of.
    Returns shape (n_tokens, n_labels).
    Raises ValueError if what is kept does not fit the doc.
    """
    kept = doc.user_data.get(key_of(output))
    if kept is None:
        return None
    if not _sound(kept, len(doc)):
        raise ValueError(
            f"A doc of {len(doc)} tokens has a teacher's {output} probabilities that are damaged, "
            f"or are those of another doc: {doc[:10].text!r}. Let the teacher label it again."
        )
    columns, values = numpy.asarray(kept["columns"]), numpy.asarray(kept["probabilities"])
    index = {label: i for i, label in enumerate(labels)}
    unknown = len(labels)
    places = numpy.asarray([index.get(name, unknown) for name in kept["labels"]], dtype="int64")
    probabilities = numpy.zeros((len(doc), len(labels) + 1), dtype="float32")
    numpy.put_along_axis(probabilities, places[columns], values.astype("float32"), axis=1)
    probabilities = probabilities[:, :-1]
    total = probabilities.sum(axis=1, keepdims=True)
    return numpy.divide(probabilities, total, out=probabilities, where=total > 0)


def _sound(kept: Any, n_tokens: int) -> bool:
    """Return whether what a doc of so many tokens carries can be its probabilities."""
    try:
        columns, values = numpy.asarray(kept["columns"]), numpy.asarray(kept["probabilities"])
        sound = columns.shape == values.shape and columns.ndim == 2 and columns.dtype.kind in "ui"
        sound = sound and len(columns) == n_tokens and values.dtype.kind == "f"
        sound = sound and all(isinstance(label, str) for label in kept["labels"])
        sound = sound and bool(((columns >= 0) & (columns < len(kept["labels"]))).all())
        return sound and bool((numpy.isfinite(values) & (values >= 0)).all())
    except (TypeError, KeyError, ValueError):
        return False


def soft_targets(examples: Iterable[Example], output: str, labels: Sequence[str]) -> SoftTargets:
    """Return the reference docs' probabilities for the predicted tokens, as far as aligned."""
    rows, targets = [], [numpy.zeros((0, len(labels)), dtype="float32")]
    start = 0
    for eg in examples:
        probabilities = get_soft_targets(eg.reference, labels, output=output)
        if probabilities is not None:
            predicted, reference = aligned_tokens(eg)
            known = probabilities[reference].any(axis=1)
            rows.extend((start + predicted[known]).tolist())
            targets.append(probabilities[reference[known]])
        start += len(eg.predicted)
    return SoftTargets(numpy.asarray(rows, dtype="int64"), numpy.concatenate(targets))


def join_soft_targets(docs: Sequence[Doc], joined: Doc) -> None:
    """Keep the probabilities of docs on the doc that they were joined to.

    The tokens of docs that have none get rows of zeros.
    """
    for name in (output.name for output in known_outputs()):
        labels = sorted({label for doc in docs for label in soft_labels(doc, name) or ()})
        if labels:
            found = [get_soft_targets(doc, labels, output=name) for doc in docs]
            rows = [
                numpy.zeros((len(doc), len(labels)), dtype="float32") if rows is None else rows
                for doc, rows in zip(docs, found, strict=True)
            ]
            probabilities = numpy.concatenate(rows)
            kept = max(1, int((probabilities > 0).sum(axis=1).max(initial=1)))
            set_soft_targets(joined, labels, probabilities, output=name, kept=kept)

"""What a teacher thinks of every token, kept on a doc beside its tags and learned from.

Source: Hinton, Vinyals and Dean 2015 (https://arxiv.org/abs/1503.02531).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy
from spacy.attrs import ORTH
from spacy.tokens import Doc
from spacy.training import Example
from thinc.types import Floats2d, Ints1d

KEY = "spacy-lstm-tagger: tag probabilities of a teacher"
"""Key in a doc's `user_data`, which `DocBin(store_user_data=True)` saves."""


class SoftTargets(NamedTuple):
    """Tag probabilities to learn from.

    rows: the tokens that have them, docs one after another, shape (n_targets,).
    probabilities: of every label, rows summing to 1, shape (n_targets, n_labels).
    """

    rows: Ints1d
    probabilities: Floats2d


def set_tag_probabilities(
    doc: Doc, labels: Sequence[str], probabilities: Floats2d, *, kept: int = 8
) -> None:
    """Keep the `kept` best probabilities of every token on the doc.

    labels: names of the columns.
    probabilities: shape (n_tokens, n_labels).
    """
    kept = min(kept, len(labels))
    best = numpy.argpartition(-probabilities, kept - 1, axis=1)[:, :kept]
    used, columns = numpy.unique(best, return_inverse=True)  # few of the labels occur in one doc
    doc.user_data[KEY] = {
        "labels": [labels[column] for column in used.tolist()],
        "columns": columns.reshape(best.shape).astype("uint16"),
        "probabilities": numpy.take_along_axis(probabilities, best, axis=1).astype("float16"),
    }


def get_tag_probabilities(doc: Doc, labels: Sequence[str]) -> Floats2d | None:
    """The probabilities kept on a doc, None where there are none.

    labels: names of the columns. What a teacher gave to other tags is shared out among these
        in proportion; a token whose kept tags are all unknown has a row of zeros.
    Returns shape (n_tokens, n_labels).
    Raises ValueError where what is kept does not fit the doc.
    """
    kept = doc.user_data.get(KEY)
    if kept is None:
        return None
    try:
        columns, values = numpy.asarray(kept["columns"]), numpy.asarray(kept["probabilities"])
        sound = columns.shape == values.shape and columns.ndim == 2 and columns.dtype.kind in "ui"
        sound = sound and len(columns) == len(doc) and values.dtype.kind == "f"
        sound = sound and all(isinstance(label, str) for label in kept["labels"])
        sound = sound and bool(((columns >= 0) & (columns < len(kept["labels"]))).all())
        sound = sound and bool((numpy.isfinite(values) & (values >= 0)).all())
    except (TypeError, KeyError, ValueError):
        sound = False
    if not sound:
        raise ValueError(
            f"A doc of {len(doc)} tokens has a teacher's tag probabilities that are damaged, or "
            f"are those of another: {doc[:10].text!r}. Let the teacher label it again."
        )
    index = {label: i for i, label in enumerate(labels)}
    places = numpy.asarray([index.get(label, len(labels)) for label in kept["labels"]])
    probabilities = numpy.zeros((len(doc), len(labels) + 1), dtype="float32")
    numpy.put_along_axis(probabilities, places[columns], values.astype("float32"), axis=1)
    probabilities = probabilities[:, :-1]
    total = probabilities.sum(axis=1, keepdims=True)
    return numpy.divide(probabilities, total, out=probabilities, where=total > 0)


def soft_targets(examples: Iterable[Example], labels: Sequence[str]) -> SoftTargets:
    """What the reference docs' teachers think of the predicted tokens, as far as aligned."""
    rows, targets = [], [numpy.zeros((0, len(labels)), dtype="float32")]
    start = 0
    for eg in examples:
        probabilities = get_tag_probabilities(eg.reference, labels)
        if probabilities is not None:
            predicted, reference = aligned_tokens(eg)
            known = probabilities[reference].any(axis=1)
            rows.extend((start + predicted[known]).tolist())
            targets.append(probabilities[reference[known]])
        start += len(eg.predicted)
    return SoftTargets(numpy.asarray(rows, dtype="int64"), numpy.concatenate(targets))


def aligned_tokens(eg: Example) -> tuple[Ints1d, Ints1d]:
    """Tokens of the predicted and the reference doc that are the same."""
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


def same_tokens(eg: Example) -> bool:
    """Whether predicted and reference doc are cut into the same tokens.

    Then spaCy's alignment, a Python loop over characters, is not needed.
    """
    return numpy.array_equal(eg.predicted.to_array(ORTH), eg.reference.to_array(ORTH))

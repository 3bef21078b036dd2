"""Rehearsal: what an earlier state of the model predicted is learned again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spacy.tokens import Doc
from thinc.api import Model, set_dropout_rate

from ..arrays import Floats2d
from ..outputs import columns_of


def rehearse_docs(
    model: Model[Any, Any], earlier: Model[Any, Any], docs: Sequence[Doc], drop: float
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], Any]]:
    """Return the gradient of each doc's logits towards what the earlier model predicts.

    drop: dropout rate of the model; the earlier one predicts without dropout.
    Returns arrays of shape (n_tokens, n_columns), and the model's callback for backpropagation.
    """
    set_dropout_rate(model, drop)
    set_dropout_rate(earlier, 0.0)
    scores, backprop = model.begin_update(docs)
    wanted, _ = earlier.begin_update(docs)
    columns = columns_of(model), columns_of(earlier)
    pairs = zip(scores, wanted, strict=True)
    return [rehearsal_gradient(now, then, *columns) for now, then in pairs], backprop


def rehearsal_gradient(
    scores: Floats2d, wanted: Floats2d, columns: Mapping[str, int], earlier: Mapping[str, int]
) -> Floats2d:
    """Return the gradient towards what an earlier state of the model predicted.

    scores, wanted: probabilities, now and then, shape (n_tokens, n_columns) each.
    columns, earlier: number of columns of each block, now and then. Labels may have been added
        since: they have no columns in `wanted`.
    """
    gradient = scores.copy()
    start = start_wanted = 0
    for block, n in columns.items():
        n_wanted = earlier[block]
        gradient[:, start : start + n_wanted] -= wanted[:, start_wanted : start_wanted + n_wanted]
        start, start_wanted = start + n, start_wanted + n_wanted
    return gradient

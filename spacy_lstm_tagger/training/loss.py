"""Gold values and teachers' probabilities to the gradient of the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy
from spacy.training import Example
from thinc.api import get_array_module

from ..arrays import Floats2d, Ints1d
from ..outputs.output import MISSING, NEGATED, Cfg, Output
from .alignment import aligned_values
from .soft_targets import SoftTargets, soft_targets


def batch_gradient(
    outputs: Sequence[Output],
    examples: Sequence[Example],
    probabilities: Floats2d,
    columns: Mapping[str, int],
    cfg: Cfg,
    name: str,
) -> Floats2d:
    """Return the gradient of the loss of all outputs with respect to their logits.

    examples: the batch.
    probabilities: of all blocks side by side, each the softmax of its logits, shape (n_tokens,
        n_columns), docs one after another.
    columns: number of columns of each block.
    cfg: the component's settings.
    name: the component's, for messages.
    Returns the shape of the probabilities. Raises ValueError for a gold value without a column.
    """
    words = [token.text for eg in examples for token in eg.predicted]
    blocks = split_columns(probabilities, columns)
    gradients = []
    for output in outputs:
        codes = output.codes(aligned_values(examples, output.attr), words, cfg, name)
        soft = soft_targets(examples, output.name, output.labels(cfg))
        for block, of_block in codes.items():
            gradient = hard_gradient(blocks[block], of_block, cfg["label_smoothing"])
            if block == output.name:  # teachers give probabilities of whole outputs
                add_soft_targets(gradient, blocks[block], of_block, soft, cfg["teacher_weight"])
            gradients.append(output.weight * gradient)
    if len(gradients) == 1:
        return gradients[0]
    return get_array_module(probabilities).hstack(gradients)


def hard_gradient(probabilities: Floats2d, codes: Ints1d, label_smoothing: float) -> Floats2d:
    """Return the gradient of the cross-entropy with respect to the logits.

    probabilities: softmax of the logits, shape (n_tokens, n_labels).
    codes: see `Output.codes`, shape (n_tokens,).
    label_smoothing: share of the gold probability spread over the other labels, 0 up to 1.
    Returns shape (n_tokens, n_labels).
    """
    xp = get_array_module(probabilities)
    n_labels = probabilities.shape[1]
    smoothing = label_smoothing if n_labels > 1 else 0.0
    gold, negated = numpy.flatnonzero(codes >= 0), numpy.flatnonzero(codes <= NEGATED)
    gold_labels, negated_labels = xp.asarray(codes[gold]), xp.asarray(NEGATED - codes[negated])
    gold, negated = xp.asarray(gold), xp.asarray(negated)
    gradient = xp.zeros_like(probabilities)
    gradient[gold] = probabilities[gold] - smoothing / max(n_labels - 1, 1)
    gradient[gold, gold_labels] = probabilities[gold, gold_labels] - (1.0 - smoothing)
    gradient[negated, negated_labels] = probabilities[negated, negated_labels]
    return gradient


def add_soft_targets(
    gradient: Floats2d, probabilities: Floats2d, codes: Ints1d, soft: SoftTargets, weight: float
) -> None:
    """Mix the gradient towards a teacher's probabilities into that towards the gold values.

    gradient, probabilities, codes: see `hard_gradient`; the gradient is altered.
    soft: the teacher's probabilities.
    weight: their share, the rest being the gold value's, from 0 to 1. A token without a gold
        value learns from the teacher alone.
    """
    if not len(soft.rows):
        return
    xp = get_array_module(gradient)
    share = numpy.where(codes[soft.rows] == MISSING, 1.0, weight).astype("float32")[:, None]
    rows, share = xp.asarray(soft.rows), xp.asarray(share)
    towards = probabilities[rows] - xp.asarray(soft.probabilities)
    gradient[rows] += share * (towards - gradient[rows])


def split_columns(scores: Floats2d, columns: Mapping[str, int]) -> dict[str, Floats2d]:
    """Return each block of columns by its name, views of shape (n_tokens, n_columns)."""
    ends = accumulate(columns.values())
    return {
        block: scores[:, end - n : end]
        for (block, n), end in zip(columns.items(), ends, strict=True)
    }


def flatten(ops: Any, scores: Sequence[Floats2d]) -> Floats2d:
    """Return the rows of all docs one after another."""
    return scores[0] if len(scores) == 1 else ops.flatten(scores)

"""Output layers: of columns that are scored for all tokens, and for those alone that need them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NEW_LABEL_BIAS = -5.0
"""Bias of a new label against the mean of the present ones, so that none is predicted untrained."""


class DeferredOutput(nn.Module):
    """Output layer of many columns, whose scores are computed only for tokens that need them.

    The scores of a token come from its state, a few numbers that depend on its context and on its
    form: the wide part of the work is done for the form alone, of which embeddings are kept.

    row_width: numbers in the embedding of a form.
    state_width: numbers in a state.
    n_columns: number of columns.
    """

    def __init__(self, *, row_width: int, state_width: int, n_columns: int) -> None:
        super().__init__()
        self.of_form = nn.Linear(row_width, state_width, bias=False)
        self.output = nn.Linear(state_width, n_columns)

    def forward(self, states: Tensor) -> Tensor:
        """Return logits, shape (n_tokens, n_columns)."""
        return self.output(F.relu(states))


@torch.no_grad()
def grown(layer: nn.Linear, present: Mapping[str, int], wanted: Mapping[str, int]) -> nn.Linear:
    """Return an output layer with more columns.

    A new column starts at the mean of its block's columns less 5, hence below the best of them for
    any input: no prediction changes until it is trained.

    present, wanted: number of columns of each block, none of which becomes smaller.
    """
    place: dict[str, Any] = {"device": layer.weight.device, "dtype": layer.weight.dtype}
    result = nn.Linear(layer.in_features, sum(wanted.values()), **place)
    begin = begin_new = 0
    for name, n in present.items():
        n_new = wanted[name]
        for values, new in ((layer.weight, result.weight), (layer.bias, result.bias)):
            block = values[begin : begin + n]
            new[begin_new : begin_new + n] = block
            new[begin_new + n : begin_new + n_new] = block.mean(dim=0)
            if values is layer.bias:
                new[begin_new + n : begin_new + n_new] += NEW_LABEL_BIAS
        begin, begin_new = begin + n, begin_new + n_new
    return result

"""LSTM layers whose weights are laid out once, for predicting on a CPU in 32 bits.

torch computes LSTMs with oneDNN, and lays a layer's weights out anew at every call: for one
sentence that takes as long as reading it. What is computed stays the same.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

from .recurrent import RecurrentLayer

LSTM = 2
"""The cell's number in torch (aten/src/ATen/native/mkldnn/RNN.cpp)."""

ModuleT = TypeVar("ModuleT", bound=nn.Module)


class PackedLSTM(nn.Module):
    """One LSTM layer of one direction, without gradients.

    layer: the layer, on the CPU, with biases.
    """

    def __init__(self, layer: nn.LSTM) -> None:
        super().__init__()
        self.width = layer.hidden_size
        into, recurrent, *biases = (weights.detach() for weights in layer.all_weights[0])
        # As torch.compile does it (torch/_inductor/fx_passes/mkldnn_fusion.py).
        reorder = torch.ops.mkldnn._reorder_mkldnn_rnn_layer_weight
        self.weights = [*reorder(into, recurrent, self.width, False, True, False), *biases]

    def forward(self, X: Tensor) -> tuple[Tensor]:
        """Read a block, shape (longest, n_sequences, input_width) to (..., width)."""
        state = X.new_zeros((1, X.shape[1], self.width))
        settings: tuple = (False, [], LSTM, self.width, 1, True, False, False, False)
        return (torch.mkldnn_rnn_layer(X, *self.weights, state, state, *settings)[0],)


def packed(module: ModuleT) -> ModuleT:
    """Return a module that computes what this one does, for predicting alone, as long as the
    weights stay as they are.

    The two share all weights but those that are laid out anew. Where torch cannot do that, it is
    the module itself.
    """
    shared = {id(weights): weights for weights in module.parameters()}
    result = copy.deepcopy(module, shared)
    try:
        for layer in result.modules():
            if isinstance(layer, RecurrentLayer):
                layer.forwards = _packed(layer.forwards)
                layer.backwards = _packed(layer.backwards)
    except (AttributeError, RuntimeError, TypeError):  # another torch, or one without oneDNN
        return module
    return result


def _packed(layer: nn.Module | None) -> nn.Module | None:
    if not isinstance(layer, nn.LSTM):
        return layer
    result = PackedLSTM(layer)
    result(layer.weight_ih_l0.new_zeros((1, 1, layer.input_size)))  # to see whether it can
    return result

"""LSTM layers with prepacked weights, for predicting on a CPU in 32 bits.

torch computes LSTMs with oneDNN, and puts a layer's weights into oneDNN's order at every call: for
one sentence that takes as long as reading it. What is computed stays the same.
"""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from .recurrent import RecurrentLayer

LSTM = 2
"""The cell's number in torch (aten/src/ATen/native/mkldnn/RNN.cpp)."""

ModuleT = TypeVar("ModuleT", bound=nn.Module)


class PrepackedLSTM(nn.Module):
    """One LSTM layer of one direction with prepacked weights, without gradients.

    layer: the layer, on the CPU, with biases.
    """

    def __init__(self, layer: nn.LSTM) -> None:
        super().__init__()
        self.width = layer.hidden_size
        # oneDNN's reordering silently misreads weights that are not contiguous.
        into, recurrent, *biases = (w.detach().contiguous() for w in layer.all_weights[0])
        # As torch.compile does it (torch/_inductor/fx_passes/mkldnn_fusion.py).
        reorder = torch.ops.mkldnn._reorder_mkldnn_rnn_layer_weight
        self.weights = [*reorder(into, recurrent, self.width, False, True, False), *biases]

    def forward(self, X: Tensor) -> tuple[Tensor]:
        """Read a padded batch, shape (longest, n_sequences, input_width) to (..., width)."""
        state = X.new_zeros((1, X.shape[1], self.width))
        settings: tuple[Any, ...] = (False, [], LSTM, self.width, 1, True, False, False, False)
        compute: Any = torch.mkldnn_rnn_layer  # has no stub for its arguments
        return (compute(X, *self.weights, state, state, *settings)[0],)


def prepacked(module: ModuleT) -> ModuleT:
    """Return a module that computes what this one does, as long as the weights stay as they are.

    It is for predicting alone. The two share all weights but those that are prepacked. If torch
    cannot prepack them, it is the module itself.
    """
    shared = {id(weights): weights for weights in module.parameters()}
    result = copy.deepcopy(module, shared)
    try:
        for layer in result.modules():
            if isinstance(layer, RecurrentLayer):
                layer.forwards = _prepacked(layer.forwards)
                layer.backwards = _prepacked(layer.backwards) if layer.backwards else None
    except (AttributeError, RuntimeError, TypeError):  # another torch, or one without oneDNN
        return module
    return result


def _prepacked(layer: nn.Module) -> nn.Module:
    if not isinstance(layer, nn.LSTM):
        return layer
    result = PrepackedLSTM(layer)
    result(layer.all_weights[0][0].new_zeros((1, 1, layer.input_size)))  # to see whether it can
    return result

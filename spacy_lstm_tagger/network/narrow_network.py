"""A network that predicts with narrower layers, made from a trained one (see `narrowing`)."""

from __future__ import annotations

import copy

import numpy
import torch
from torch import nn

from ..narrowing import PROJECTION, narrowed
from .tagger_network import TaggerNetwork


def narrow_network(network: TaggerNetwork) -> TaggerNetwork:
    """Return a network whose layers read less, with `narrowed` weights, for predicting alone.

    network: the trained network, on the CPU. The two share the weights that are in both.
    Raises ValueError for weights that are not finite.
    """
    weights = narrowed({name: values.numpy() for name, values in network.state_dict().items()})
    shared = {id(values): values for values in network.parameters()}
    result = copy.deepcopy(network, shared)
    with torch.device("meta"):  # no fresh weights, which would be drawn from the random generator
        _replace_modules(result, weights)
    tensors = {name: torch.from_numpy(values).contiguous() for name, values in weights.items()}
    result.load_state_dict(tensors, assign=True)
    return result


def _replace_modules(network: TaggerNetwork, weights: dict[str, numpy.ndarray]) -> None:
    """Give a network the modules that narrowed weights are for."""
    for name, values in weights.items():
        if name.endswith(PROJECTION):
            owner = network.get_submodule(name.removesuffix(PROJECTION).rstrip("."))
            owner.projection = nn.Linear(values.shape[1], values.shape[0], bias=False)
    if network.vectors is not None:
        width, vector_width = weights["vectors.weight"].shape
        network.vectors = nn.Linear(vector_width, width, bias=False)
    for i, layer in enumerate(network.encoder.layers):
        for side in ("forwards", "backwards"):
            if (cell := getattr(layer, side)) is not None:
                width = weights[f"encoder.layers.{i}.{side}.weight_ih_l0"].shape[1]
                setattr(layer, side, type(cell)(width, cell.hidden_size))
    network.encoder.input_width = weights["encoder.layers.0.forwards.weight_ih_l0"].shape[1]

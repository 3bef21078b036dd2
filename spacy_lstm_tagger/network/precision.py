"""Predict in fewer bits and with narrower layers. A trained network's weights stay as they are.

Only what reads sentences is computed in fewer bits; what depends on a word alone is computed once
per word, in 32 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import numpy
import torch
from torch import Tensor

from ..arrays import Floats2d, Floats3d, Ints1d
from .narrow_network import narrow_network
from .prepacked_lstm import prepacked
from .recurrent import PaddedBatch, read_blocks
from .tagger_network import TaggerNetwork
from .word_forms import Forms

PRECISIONS = ("float32", "bfloat16", "int8", "auto")


class QuantizedHalf(Protocol):
    """The second half of a network, computed with 8-bit integers."""

    def __call__(self, rows: Floats3d, lengths: Ints1d) -> Floats3d:
        """Return the scores of a padded batch, shape (longest, n_sequences, n_columns).

        rows: what is read of the tokens' forms, shape (longest, n_sequences, width).
        lengths: number of tokens of each sequence, shape (n_sequences,).
        """


Quantize = Callable[[dict[str, numpy.ndarray]], QuantizedHalf]
"""From a network's weights by name to its second half."""


class Predictor(Protocol):
    """A network for predicting alone, see `TaggerNetwork`."""

    def embed(self, forms: Forms) -> Tensor:
        """Return one row for each form."""

    def encode(
        self,
        X: Tensor,
        vectors: Tensor,
        tokens: Tensor,
        batches: list[PaddedBatch],
        rows: Tensor,
    ) -> Tensor:
        """Score every token from the embeddings of the word forms."""


def make_predictor(network: TaggerNetwork, *, precision: str, quantize: Quantize) -> Predictor:
    """Return what predicts in the network's place, as long as its weights stay as they are.

    precision: one of `PRECISIONS`.
    quantize: called for "int8".
    """
    device = network.output.weight.device
    if precision == "int8":
        return QuantizedNetwork(network, quantize)
    if precision == "auto" and device.type == "cpu":
        network = narrow_network(network)
        if computes_bfloat16(device):
            with suppress(ValueError):  # oneDNN may use less than the CPU has (ONEDNN_MAX_CPU_ISA)
                return Bfloat16Network(network, single=prepacked(network))
    elif precision == "bfloat16" or (precision == "auto" and computes_bfloat16(device)):
        return Bfloat16Network(network)
    return prepacked(network) if device.type == "cpu" else network


def computes_bfloat16(device: torch.device) -> bool:
    """Return whether the device has instructions for bfloat16. Without, float32 is faster.

    On a CPU, those of x86-64 are asked for by name: where torch says that oneDNN computes in
    bfloat16, it may convert to float32 and back.
    """
    if device.type == "cuda":
        # what torch's is_bf16_supported() asks, which says yes of slow emulation as well
        return torch.cuda.get_device_properties(device).major >= 8
    if not torch.backends.mkldnn.is_available():
        return False  # nothing else uses these instructions for recurrent layers
    # torch has had both questions since 2.6; an older one is taken to say no
    questions = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in questions)


class Bfloat16Network:
    """A network whose recurrent layers compute in bfloat16, by torch's autocast.

    On a GPU, autocast gives cuDNN's recurrent layers float16 whichever of the two was asked for.

    network: the network.
    single: the same network in float32, to read a single sequence, if that is faster.
    """

    def __init__(self, network: TaggerNetwork, single: TaggerNetwork | None = None) -> None:
        self.network, self.single = network, single
        self.device_type = network.output.weight.device.type
        self.embed = network.embed if single is None else single.embed
        self._check()

    def _check(self) -> None:
        """Raise ValueError if the device cannot compute the recurrent layers in bfloat16."""
        encoder = self.network.encoder
        X = self.network.output.weight.new_zeros((1, 1, encoder.input_width))
        try:
            with torch.autocast(self.device_type, torch.bfloat16):
                encoder.layers[0](X, None)
        except RuntimeError as error:  # oneDNN cannot, on CPUs with AVX2 alone
            raise ValueError(
                "precision is 'bfloat16', in which this machine cannot compute recurrent layers. "
                "Use 'auto', which is bfloat16 only if the CPU or GPU has instructions for it, or "
                f"'float32'. ({error})"
            ) from error

    def encode(
        self,
        X: Tensor,
        vectors: Tensor,
        tokens: Tensor,
        batches: list[PaddedBatch],
        rows: Tensor,
    ) -> Tensor:
        """Score every token, see `TaggerNetwork.encode`."""
        if self.single is not None and sum(batch.items.shape[1] for batch in batches) == 1:
            return self.single.encode(X, vectors, tokens, batches, rows)
        with torch.autocast(self.device_type, torch.bfloat16):
            return self.network.encode(X, vectors, tokens, batches, rows)


class QuantizedNetwork:
    """A network whose recurrent layers compute with 8-bit integers, and read less.

    network: the network, on the CPU.
    quantize: makes the second half of it from its weights.
    """

    def __init__(self, network: TaggerNetwork, quantize: Quantize) -> None:
        if network.output.weight.device.type != "cpu":
            raise ValueError(
                "precision is 'int8', which is for the CPU, but the tagger is on a GPU. Use "
                "'bfloat16' or 'float32' there."
            )
        self.network = narrow_network(network)
        self.embed = prepacked(self.network).embed
        weights = {name: values.numpy() for name, values in self.network.state_dict().items()}
        self.quantized = quantize(weights)

    def encode(
        self,
        X: Tensor,
        vectors: Tensor,
        tokens: Tensor,
        batches: list[PaddedBatch],
        rows: Tensor,
    ) -> Tensor:
        """Score every token, see `TaggerNetwork.encode`."""
        if not batches:
            return self.network.no_scores()
        read = self.network.with_vectors(X, vectors).numpy(), tokens.numpy()
        Y = read_blocks(batches, rows, lambda batch: self._encode(batch, *read))
        return self.network.add_forms(Y, X[:, self.network.read_width :], tokens)

    def _encode(self, batch: PaddedBatch, X: Floats2d, tokens: Ints1d) -> Tensor:
        """Return scores and states at every place of a batch, shape (n_places, ...)."""
        forms = tokens[batch.items.numpy()]  # (longest, n_sequences)
        Y = self.quantized(X[forms], _lengths(batch))  # (longest, n_sequences, n_columns)
        return torch.from_numpy(Y.reshape(-1, Y.shape[2]))


def _lengths(batch: PaddedBatch) -> Ints1d:
    longest, n = batch.items.shape
    if batch.reversal is None:
        return numpy.full(n, longest, dtype="int32")
    last = batch.reversal[:n].numpy()  # a sequence reversed begins with its last place
    return (last // n + 1).astype("int32")

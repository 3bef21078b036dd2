"""Run a trained tagger network in fewer bits. Its weights stay what they are, on disk as well.

Only what reads sentences is lowered; what depends on a word alone is computed once per word, in
32 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy
import torch
from torch import Tensor

from .prepacked import packed
from .recurrent import Block
from .tagger_network import TaggerNetwork

PRECISIONS = ("float32", "bfloat16", "int8", "auto")


def lower(network: TaggerNetwork, *, precision: str, cell: str) -> Callable[..., Tensor]:
    """Return what is to be called in place of the network, with the same arguments.

    precision: one of `PRECISIONS`.
    cell: the cell that the network was made with.
    """
    device = network.output.weight.device
    if precision == "auto":
        precision = "bfloat16" if computes_bfloat16(device) else "float32"
    if precision == "float32":
        return packed(network) if device.type == "cpu" else network
    if precision == "bfloat16":
        return partial(_in_bfloat16, network, device.type)
    return EightBitTagger(network, cell)


def computes_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16; without, it is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # torch has had both questions since 2.6; an older one is taken to say no
    questions = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in questions)


def _in_bfloat16(
    network: TaggerNetwork, device_type: str, *args: Tensor, **kwargs: float
) -> Tensor:
    with torch.autocast(device_type, torch.bfloat16):
        return network(*args, **kwargs)


class EightBitTagger:
    """A network whose recurrent layers compute with 8-bit integers, by ONNX Runtime.

    network: the network, on the CPU.
    cell: the cell that it was made with.
    """

    def __init__(self, network: TaggerNetwork, cell: str) -> None:
        if network.output.weight.device.type != "cpu":
            raise ValueError(
                "precision is 'int8', which is for the CPU, but the tagger is on a GPU. Use "
                "'bfloat16' or 'float32' there."
            )
        try:
            from ..runtime.onnx_graph import encode_graph
            from ..runtime.onnx_tagger import start_session

            weights = {name: values.numpy() for name, values in network.state_dict().items()}
            self.session = start_session(encode_graph(weights, cell=cell, quantized=True), 1)
        except ImportError as error:
            raise ImportError(
                "precision is 'int8', which needs the packages onnx and onnxruntime: pip install "
                '"spacy-lstm-tagger[onnx]", or use another precision.'
            ) from error
        self.network = network

    def __call__(
        self,
        forms: Tensor,
        vectors: Tensor,
        tokens: Tensor,
        blocks: list[Block],
        rows: Tensor,
        *,
        dropout: float = 0.0,
    ) -> Tensor:
        """Score the tags of every token, see `TaggerNetwork.forward`. There is no dropout."""
        if not blocks:  # no tokens at all
            return self.network(forms, vectors, tokens, blocks, rows)
        Ys = [
            self._encode(block, forms.numpy(), vectors.numpy(), tokens.numpy()) for block in blocks
        ]
        return torch.from_numpy(numpy.concatenate(Ys)).index_select(0, rows)

    def _encode(
        self, block: Block, X: numpy.ndarray, vectors: numpy.ndarray, tokens: numpy.ndarray
    ) -> numpy.ndarray:
        """Scores at every place of a block, shape (longest * n_sequences, n_scores)."""
        forms = tokens[block.items.numpy()]  # (longest, n_sequences)
        inputs = {"rows": X[forms], "lengths": _lengths(block)}
        if self.network.vectors is not None:
            inputs["vectors"] = vectors[forms]
        (Y,) = self.session.run(None, inputs)  # (longest, n_sequences, n_scores)
        return Y.reshape(-1, Y.shape[2])


def _lengths(block: Block) -> numpy.ndarray:
    longest, n = block.items.shape
    if block.turned is None:
        return numpy.full(n, longest, dtype="int32")
    last = block.turned[:n].numpy()  # a sequence turned around begins with its last place
    return (last // n + 1).astype("int32")

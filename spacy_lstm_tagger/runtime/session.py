"""Sessions of ONNX Runtime, and an encoder with quantized layers that runs in one."""

from __future__ import annotations

from typing import Any

import numpy

from ..arrays import Floats3d, Ints1d
from ..extras import import_extra


def start_session(graph: bytes, threads: int) -> Any:
    """Return a session that runs a graph on the CPU.

    graph: ONNX file.
    threads: number of threads of the session.
    Raises ImportError if onnxruntime is missing.
    """
    onnxruntime = import_extra("onnxruntime", extra="onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # the error that it raises says enough
    options.add_session_config_entry("session.load_model_format", "ONNX")  # the format checked
    return onnxruntime.InferenceSession(
        graph, options, providers=["CPUExecutionProvider"], enable_fallback=0
    )


class GraphSession:
    """A session of a graph with one output.

    ranks: number of dimensions of each input, by its name; ONNX Runtime is slow to say.
    widths: last dimension of each input; a text if the graph does not say.
    """

    def __init__(self, graph: bytes, threads: int) -> None:
        self._session = start_session(graph, threads)
        shapes = {found.name: found.shape for found in self._session.get_inputs()}
        self.ranks = {name: len(shape) for name, shape in shapes.items()}
        self.widths = {name: shape[-1] for name, shape in shapes.items() if shape}

    def run(self, inputs: dict[str, numpy.ndarray]) -> numpy.ndarray:
        """Run the graph; return its output. Inputs that it does not have are left out.

        The first exports read words of shape (n,), now it is (n, 1).
        """
        fed = {
            name: inputs[name].reshape(-1) if rank == 1 else inputs[name]
            for name, rank in self.ranks.items()
        }
        (output,) = self._session.run(None, fed)
        return output


class QuantizedEncoder:
    """Encoder of a network, from embeddings to logits, quantized to 8-bit integers.

    Only the recurrent layers are quantized.

    weights: state dict of a `TaggerNetwork` whose cell is "lstm", perhaps `narrowed`.
    Raises ImportError if onnx or onnxruntime is missing.
    """

    def __init__(self, weights: dict[str, numpy.ndarray]) -> None:
        import_extra("onnx", extra="export")
        from .onnx_graph import encode_graph

        self.session = start_session(encode_graph(weights, cell="lstm", quantized=True), 1)

    def __call__(self, rows: Floats3d, lengths: Ints1d) -> Floats3d:
        """Return the logits of a padded batch, shape (longest, n_sequences, n_columns).

        rows: what is read of the tokens' forms, shape (longest, n_sequences, width).
        lengths: number of rows of each sequence, shape (n_sequences,).
        """
        return self.session.run(None, {"rows": rows, "lengths": lengths})[0]

"""Sessions of ONNX Runtime, and the recurrent half of a network run in one with 8-bit integers."""

from __future__ import annotations

from typing import Any

import numpy

from ..arrays import Floats3d, Ints1d
from ..extras import import_extra


def start_session(graph: bytes, threads: int) -> Any:
    """Return a session that runs the graph. Raises ImportError if there is no ONNX Runtime."""
    onnxruntime = import_extra("onnxruntime", extra="onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what is wrong is in the error that it raises
    options.add_session_config_entry("session.load_model_format", "ONNX")  # what was checked
    return onnxruntime.InferenceSession(
        graph, options, providers=["CPUExecutionProvider"], enable_fallback=0
    )


class QuantizedEncoder:
    """The second half of a network, with recurrent layers that compute with 8-bit integers.

    weights: state of a `TaggerNetwork` whose cell is "lstm".
    """

    def __init__(self, weights: dict[str, numpy.ndarray]) -> None:
        import_extra("onnx", extra="onnx")
        from .onnx_graph import encode_graph

        self.session = start_session(encode_graph(weights, cell="lstm", quantized=True), 1)

    def __call__(self, rows: Floats3d, vectors: Floats3d | None, lengths: Ints1d) -> Floats3d:
        """Score a padded batch.

        rows: embeddings, shape (longest, n_sequences, row width).
        vectors: static vectors, shape (longest, n_sequences, vector_width); None without them.
        lengths: number of rows of each sequence, shape (n_sequences,).
        Returns logits, shape (longest, n_sequences, n_columns).
        """
        inputs: dict[str, Any] = {"rows": rows, "lengths": lengths}
        if vectors is not None:
            inputs["vectors"] = vectors
        return self.session.run(None, inputs)[0]

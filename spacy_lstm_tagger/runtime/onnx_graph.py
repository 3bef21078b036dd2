"""Build the network as two ONNX graphs: `embed` for word forms, `encode` for sentences.

Needs the package `onnx`. Running the graphs needs only `onnxruntime` (see `onnx_tagger`).
Source: https://onnx.ai/onnx/operators (LSTM, GRU and RNN; with `sequence_lens`, neither direction
reads padding).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

from ..extras import import_extra
from ..features.tables import TABLES
from ..narrowing import PROJECTION

OPSET = 17
IR_VERSION = 8
"""Version of the ONNX format from 2021, which ONNX Runtime reads from 1.12 on."""

Weights = dict[str, numpy.ndarray]
GATES = {"lstm": ("LSTM", (0, 3, 1, 2)), "gru": ("GRU", (1, 0, 2)), "rnn": ("RNN", (0,))}
"""Name of each cell in ONNX, and the indices of torch's gates in the order of ONNX."""


class GraphBuilder:
    """Builder of an ONNX graph. Collects nodes, each with one named output, and weights."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def weight(self, values: numpy.ndarray, dtype: str | None = None) -> str:
        """Add a constant and return its name.

        dtype: type to convert the values to; None to keep theirs.
        """
        name = f"w{len(self.weights)}"
        array = numpy.ascontiguousarray(values, dtype=dtype)
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def add(self, operator: str, *inputs: str, output: int = 0, **attributes: Any) -> str:
        """Add a node and return the name of its output number `output`."""
        name = f"n{len(self.nodes)}"
        outputs = [*[""] * output, name]
        self.nodes.append(helper.make_node(operator, list(inputs), outputs, **attributes))
        return name

    def build(
        self, inputs: dict[str, tuple[int, list[Any]]], output: str, shape: list[Any]
    ) -> bytes:
        """Return the graph as bytes.

        inputs: name of each input to its element type and shape.
        output: name of the output, of shape `shape`.
        """
        named = [helper.make_tensor_value_info(n, t, shape) for n, (t, shape) in inputs.items()]
        result = helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, "lstm_tagger", named, [result], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model)
        return model.SerializeToString()

    def recurrent(self, weights: Weights, cell: str, X: str, lengths: str, output: int) -> str:
        """Add a recurrent layer; return the name of its rows (output 0) or last states (output 1).

        weights: state dict of a `RecurrentLayer`.
        cell: "lstm", "gru" or "rnn".
        X, lengths: names of the padded batch and of the lengths of its sequences.
        """
        operator, order = GATES[cell]
        directions = [name for name in ("forwards", "backwards") if f"{name}.bias_ih_l0" in weights]

        def arranged(kind: str) -> numpy.ndarray:
            arrays = [weights[f"{direction}.{kind}_l0"] for direction in directions]
            split = [numpy.split(array, len(order)) for array in arrays]
            return numpy.stack([numpy.concatenate([gates[i] for i in order]) for gates in split])

        bias = numpy.concatenate([arranged("bias_ih"), arranged("bias_hh")], axis=1)
        inputs = [self.weight(arranged("weight_ih")), self.weight(arranged("weight_hh"))]
        attributes: dict[str, Any] = {"hidden_size": weights["forwards.weight_hh_l0"].shape[1]}
        attributes["direction"] = "bidirectional" if len(directions) == 2 else "forward"
        if cell == "gru":
            attributes["linear_before_reset"] = 1
        return self.add(
            operator, X, *inputs, self.weight(bias), lengths, output=output, **attributes
        )


def embed_graph(weights: Weights, *, small: bool) -> bytes:
    """Return the graph from words, affixes and characters of n forms to embeddings.

    The embeddings have shape (n, row width + state width), see `TaggerNetwork.embed`.

    weights: state dict of a `TaggerNetwork`, perhaps `narrowed`.
    small: whether to keep the tables in 8-bit integers, with a scale for each row.
    """
    graph = GraphBuilder()
    inputs: dict[str, tuple[int, list[Any]]] = {}
    parts = []

    def gathered(values: numpy.ndarray, rows: str) -> str:
        found = graph.add("Gather", graph.weight(values), rows)
        return graph.add("Cast", found, to=TensorProto.FLOAT)

    def table(name: str, rows: str) -> str:
        values = weights[f"{name}.weight"]
        if not small:
            return gathered(values, rows)
        codes, scales = quantized_rows(values)
        return graph.add("Mul", gathered(codes, rows), gathered(scales, rows))

    for name in (table.name for table in TABLES if f"{table.name}.weight" in weights):
        inputs[name] = (TensorProto.INT64, ["n", f"{name}_per_form"])
        shape = graph.weight(numpy.asarray([0, -1]))
        parts.append(graph.add("Reshape", table(name, name), shape))  # rows side by side
    if "characters.embedding.weight" in weights:
        inputs["characters"] = (TensorProto.INT64, ["longest", "n"])
        inputs["lengths"] = (TensorProto.INT32, ["n"])
        layer = _below("characters.layer.", weights)
        X = table("characters.embedding", "characters")  # (longest, n, embed_width)
        last = graph.recurrent(layer, "lstm", X, "lengths", output=1)  # (2, n, width / 2)
        last = graph.add("Transpose", last, perm=[1, 0, 2])
        parts.append(graph.add("Reshape", last, graph.weight(numpy.asarray([0, -1]))))
    rows = graph.add("Concat", *parts, axis=1)

    def product(name: str) -> str:
        return graph.add("MatMul", rows, graph.weight(weights[name].T))

    read = product(PROJECTION) if PROJECTION in weights else rows
    if (of_form := "deferred.of_form.weight") in weights:
        read = graph.add("Concat", read, product(of_form), axis=1)
    return graph.build(inputs, read, ["n", "row_width"])


def quantized_rows(table: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Return a table as 8-bit integers, and the scale of each row, shape (n_rows, 1), float16."""
    largest = abs(table).max(axis=1, keepdims=True)
    scales = numpy.where(largest > 0, largest / 127, 1).astype("float16")
    codes = numpy.rint(table / scales.astype("float32")).clip(-127, 127)
    return codes.astype("int8"), scales


def encode_graph(weights: Weights, *, cell: str, quantized: bool) -> bytes:
    """Return the graph from a padded batch of sentences to logits.

    It reads embeddings of word forms, with static vectors if there are any. The logits have shape
    (longest, n_sentences, n_scores).

    weights: state dict of a `TaggerNetwork`, perhaps `narrowed`.
    cell: "lstm", "gru" or "rnn".
    quantized: whether to quantize the recurrent layers to 8-bit integers; this has an effect for
        the cell "lstm" only.
    """
    graph = GraphBuilder()
    width = int(weights["encoder.layers.0.forwards.weight_ih_l0"].shape[1])
    inputs: dict[str, tuple[int, list[Any]]] = {
        "rows": (TensorProto.FLOAT, ["longest", "n", width]),
        "lengths": (TensorProto.INT32, ["n"]),
    }
    X = "rows"
    flat = graph.weight(numpy.asarray([0, 0, -1]))
    for i in range(sum(name.endswith("forwards.bias_ih_l0") for name in weights)):
        if layer := _below(f"encoder.layers.{i}.", weights):
            if PROJECTION in layer:
                X = graph.add("MatMul", X, graph.weight(layer[PROJECTION].T))
            Y = graph.recurrent(layer, cell, X, "lengths", output=0)  # (longest, halves, n, half)
            X = graph.add("Reshape", graph.add("Transpose", Y, perm=[0, 2, 1, 3]), flat)
    scores = graph.add("MatMul", X, graph.weight(weights["output.weight"].T))
    scores = graph.add("Add", scores, graph.weight(weights["output.bias"]))
    data = graph.build(inputs, scores, ["longest", "n", "n_scores"])
    return _quantize(data) if quantized else data


def _below(prefix: str, weights: Weights) -> Weights:
    return {k[len(prefix) :]: values for k, values in weights.items() if k.startswith(prefix)}


def _quantize(data: bytes) -> bytes:
    quantization = import_extra("onnxruntime.quantization", extra="onnx")
    model = onnx.load_from_string(data)
    # What its pre-processing would do is done; without this mark it advises users to do it.
    helper.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "quantized.onnx"
        quantization.quantize_dynamic(
            model,
            path,
            op_types_to_quantize=["LSTM"],
            weight_type=quantization.QuantType.QInt8,
            # 7 bits, because the sums of 8-bit products overflow on CPUs without VNNI.
            reduce_range=True,
        )
        return path.read_bytes()

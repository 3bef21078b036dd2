#!/usr/bin/env bash
# onnxruntime 1.32.0 on a CPU (x86-64), LSTM with dynamically quantized weights (DynamicQuantizeLSTM): the output for
# a sequence depends on the other sequences of its batch, and on the number of threads of the session.
#
# Guess: a batch only saves time, and threads do so too; each sequence has its own states.
# Seen: float32 gives bit for bit the same alone, in a batch, with 1 and with 2 threads. In int8, one scale is found
# for all the rows that a thread computes, so both change the result: outputs from -1 to 1 by more than 0.05 and by
# more than 0.001. As the default is a thread for each core, one file gives other numbers on other machines.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet onnxruntime==1.32.0 onnx==1.22.0
cat > "$folder/lstm.py" <<'PY'
import sys

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

folder, width = sys.argv[1], 64
rng = numpy.random.default_rng(0)


def weights(name, *shape):
    return numpy_helper.from_array((0.2 * rng.normal(size=shape)).astype("float32"), name)


node = helper.make_node("LSTM", ["X", "W", "R", "B"], ["Y"], hidden_size=width)
graph = helper.make_graph(
    [node],
    "lstm",
    [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["time", "n", width])],
    [helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["time", 1, "n", width])],
    [weights("W", 1, 4 * width, width), weights("R", 1, 4 * width, width), weights("B", 1, 8 * width)],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.save(model, f"{folder}/float32.onnx")
quantize_dynamic(
    f"{folder}/float32.onnx",
    f"{folder}/int8.onnx",
    op_types_to_quantize=["LSTM"],
    weight_type=QuantType.QInt8,
    reduce_range=True,
)
sizes = rng.uniform(0.1, 3.0, size=(1, 32, 1))  # as different as words are
X = (sizes * rng.normal(size=(20, 32, width))).astype("float32")


def run(name, threads, X):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    path = f"{folder}/{name}.onnx"
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(None, {"X": X})[0]


def says(one, other, least):
    distance = float(abs(one - other).max())
    return "the same" if distance == 0 else f"another by more than {least}" if distance > least else "close"


for name in ("float32", "int8"):
    together = run(name, 1, X)
    first = run(name, 1, X[:, :1])
    print(f"{name}: alone and in a batch: {says(first[:, :, 0], together[:, :, 0], 0.05)}; "
          f"with 1 and with 2 threads: {says(run(name, 2, X), together, 0.001)}")
PY
"$folder/env/bin/python" "$folder/lstm.py" "$folder" 2> "$folder/log" | tee "$folder/seen" || cat "$folder/log"
diff "$folder/seen" - <<'SEEN'
float32: alone and in a batch: the same; with 1 and with 2 threads: the same
int8: alone and in a batch: another by more than 0.05; with 1 and with 2 threads: another by more than 0.001
SEEN

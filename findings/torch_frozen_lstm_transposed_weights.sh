#!/usr/bin/env bash
# torch 2.13.0 on a CPU (x86-64, with a C++ compiler): torch.compile with freezing gives wrong outputs for an LSTM
# whose weights are transposed views, such as those of a Keras layer that were handed over with `.T`.
#
# Guess: how a tensor lies in memory changes speed, never a result; where an operation needs contiguous weights, it
# copies them. Not compiled, and compiled without freezing, it is so.
# Seen: with `torch._inductor.config.freezing`, the weights are put into oneDNN's order as if they were contiguous.
# There is no error and no warning; outputs, which are from -1 to 1, are wrong by more than 0.1. A linear layer with
# such weights is right. With contiguous copies of the same weights, the LSTM is right, too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$folder/frozen.py" <<'PY'
import sys

import torch

torch._dynamo.config.allow_rnn = True  # else LSTMs are left out of what is compiled
frozen = sys.argv[1] == "frozen"
torch._inductor.config.freezing = frozen


def transposed(module):
    """Hand over the module's weights as transposed views with the same values."""
    weights = {
        name: values.detach().T.contiguous().T if values.ndim == 2 else values.detach()
        for name, values in module.state_dict().items()
    }
    module.load_state_dict(weights, assign=True)
    return module


def first(output):
    return output[0] if isinstance(output, tuple) else output


torch.manual_seed(0)
X = torch.randn(5, 3, 8)
for name, module in [("LSTM", torch.nn.LSTM(8, 16).eval()), ("linear", torch.nn.Linear(8, 16).eval())]:
    for kind in ("contiguous", "transposed"):
        if kind == "transposed":
            transposed(module)
        with torch.no_grad():
            expected = first(module(X))
            distance = float((first(torch.compile(module)(X)) - expected).abs().max())
        says = "right" if distance < 1e-5 else "wrong by more than 0.1" if distance > 0.1 else "wrong"
        print(f"{'frozen' if frozen else 'compiled'}, {name}, {kind} weights: {says}")
        torch.compiler.reset()
PY
export TORCHINDUCTOR_CACHE_DIR="$folder/cache"
for way in compiled frozen; do
  "$folder/env/bin/python" "$folder/frozen.py" "$way" 2>> "$folder/log" || cat "$folder/log"
done | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
compiled, LSTM, contiguous weights: right
compiled, LSTM, transposed weights: right
compiled, linear, contiguous weights: right
compiled, linear, transposed weights: right
frozen, LSTM, contiguous weights: right
frozen, LSTM, transposed weights: wrong by more than 0.1
frozen, linear, contiguous weights: right
frozen, linear, transposed weights: right
SEEN

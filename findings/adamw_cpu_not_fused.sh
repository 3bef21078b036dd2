#!/usr/bin/env bash
# torch 2.13.0 on a CPU: `torch.optim.AdamW` with its defaults takes more than twice as long for a step as with
# `fused=True`, and gives the same weights but for rounding. Fine-tuning a transformer of 110 million parameters on a
# CPU with bfloat16 instructions, the default optimizer took a quarter to a third of the time.
#
# Guess: torch takes the fastest of its ways by itself ("for loop, foreach, fused"), and `fused` is for GPUs.
# Seen: left to itself it never takes the fused one, which CPUs have had since torch 2.4.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$folder/steps.py" <<'PY'
import statistics
import time

import torch

torch.set_num_threads(1)


def make(**settings):
    torch.manual_seed(0)
    weights = [torch.randn(1000, 1000).requires_grad_() for _ in range(30)]
    for weight in weights:
        weight.grad = torch.randn_like(weight)
    return weights, torch.optim.AdamW(weights, lr=1e-3, **settings)


def seconds(optimizer):
    start = time.perf_counter()
    optimizer.step()
    return time.perf_counter() - start


default, fused = make(), make(fused=True)
times = [(seconds(default[1]), seconds(fused[1])) for _ in range(12)][2:]
ratio = statistics.median(a / b for a, b in times)
apart = max(float((a - b).abs().max()) for a, b in zip(default[0], fused[0]))
print("torch", torch.__version__.partition("+")[0])
print("same weights but for rounding:", apart < 1e-5)
print("default takes more than twice as long:", ratio > 2)
print(f"times as long, median of 10 steps in turn: {ratio:.1f}")
PY
"$folder/env/bin/python" -W ignore "$folder/steps.py" | tee "$folder/seen"
diff <(grep -v '^times as long' "$folder/seen") - <<'SEEN'
torch 2.13.0
same weights but for rounding: True
default takes more than twice as long: True
SEEN

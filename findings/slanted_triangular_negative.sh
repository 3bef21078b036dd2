#!/usr/bin/env bash
# thinc 8.3.14: `slanted_triangular.v1` falls on past its lowest rate. After `num_steps` the line goes on
# downwards, through 0, and from there the optimizer climbs the loss. `warmup_linear.v1` stays at 0.
#
# Guess: after num_steps the rate stays at max_rate / ratio, the paper's lowest, or at 0.
# Seen: with 100 steps, the 100th rate is max_rate / 32, the 103rd is negative, and SGD at the 200th
#       raises a loss that it should lower.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet thinc==8.3.14
cat > "$folder/show.py" <<'PY'
from itertools import islice

import numpy
import thinc
from thinc.api import SGD, slanted_triangular, warmup_linear

print("thinc", thinc.__version__)
rates = list(islice(slanted_triangular(0.32, 100), 200))
print("rates 10, 100, 102, 103:", *(f"{rates[i - 1]:.4f}" for i in (10, 100, 102, 103)))
print("first negative:", next(i for i, rate in enumerate(rates, 1) if rate < 0))
print("lowest of 200 for warmup_linear:", min(islice(warmup_linear(0.32, 10, 100), 200)))

sgd = SGD(slanted_triangular(0.32, 100), use_averages=False)
for _ in range(199):
    sgd.step_schedules()
weights = numpy.ones(1, dtype="float32")
weights, _ = sgd((0, "W"), weights, 2 * weights)  # the gradient of weights ** 2
print("square of 1 after one step at the 200th rate:", f"{weights[0] ** 2:.2f}")
PY
"$folder/env/bin/python" -W ignore "$folder/show.py" | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
thinc 8.3.14
rates 10, 100, 102, 103: 0.3200 0.0100 0.0031 -0.0003
first negative: 103
lowest of 200 for warmup_linear: 0.0
square of 1 after one step at the 200th rate: 1.78
SEEN

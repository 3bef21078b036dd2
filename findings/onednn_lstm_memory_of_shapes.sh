#!/usr/bin/env bash
# torch 2.13.0 on a CPU (x86-64): for each new shape of its input, an LSTM without gradients keeps memory (in oneDNN,
# which prepares itself for every shape) that is not given back.
#
# Guess: once the largest batch was seen, a process that only predicts stays as large as it is.
# Seen: 300 shapes let it grow by a hundred megabytes and more, one shape 300 times by a few; so do 300 shapes with
# `torch.backends.mkldnn.flags(enabled=False)`. Whoever reads batches of all lengths has to pad them to few shapes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$folder/grow.py" <<'PY'
import gc
import os
import sys

import torch

way = sys.argv[1]
torch.set_num_threads(1)
torch.manual_seed(0)
lstm = torch.nn.LSTM(256, 256, bidirectional=True).eval()


def megabytes():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


shapes = [(length, batch) for length in range(5, 35) for batch in range(1, 11)]
with torch.no_grad(), torch.backends.mkldnn.flags(enabled=way != "without oneDNN"):
    lstm(torch.randn(*shapes[-1], 256))  # the largest
    before = megabytes()
    for shape in shapes:
        lstm(torch.randn(*(shapes[-1] if way == "one shape" else shape), 256))
    print(round(megabytes() - before))
PY
grow() { "$folder/env/bin/python" -W ignore "$folder/grow.py" "$1"; }
shapes=$(grow "shapes") one=$(grow "one shape") without=$(grow "without oneDNN")
echo "torch 2.13.0, 300 batches: of 300 shapes +$shapes MB, of one shape +$one MB, of 300 shapes without oneDNN +$without MB"
[ "$shapes" -gt 50 ] && [ "$one" -lt 25 ] && [ "$without" -lt 25 ] || { echo "this has changed"; exit 1; }

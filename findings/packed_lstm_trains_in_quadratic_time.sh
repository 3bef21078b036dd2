#!/usr/bin/env bash
# torch 2.13.0 on a CPU, float32, one thread: the backward pass of an LSTM over packed sequences of unequal lengths
# takes time that grows with the square of the length; of equal lengths, packed or not, it grows in proportion.
#
# Guess: packing leaves the padding out, so it can only save time in training; a document twice as long takes twice as
# long.
# Seen: with eight sequences of 4,000 to 2,250 steps, the backward pass took some 20 times as long as with those of
# 1,000 to 563, and a hundred times as long as that of the same sequences padded to 4,000. The forward pass grew in
# proportion. One sequence, or several of the same length, train at the pace of padded ones, packed or not, so a test
# with such a batch does not show it. Sentences are too short for it to matter; documents are not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$folder/packed.py" <<'PY'
import time

import torch
from torch.nn.utils.rnn import pack_padded_sequence

torch.set_num_threads(1)
torch.manual_seed(0)
lstm = torch.nn.LSTM(32, 32, batch_first=True)


def seconds(n_steps, kind):
    """CPU time of the forward and the backward pass over eight sequences, the longest of n_steps."""
    X = torch.randn(8, n_steps, 32, requires_grad=True)
    lengths = [n_steps - (i * n_steps // 16 if kind == "unequal" else 0) for i in range(8)]
    start = time.process_time()
    if kind == "padded":
        Y = lstm(X)[0]
    else:
        Y = lstm(pack_padded_sequence(X, torch.tensor(lengths), batch_first=True))[0].data
    middle = time.process_time()
    Y.sum().backward()
    return middle - start, time.process_time() - middle


print("torch", torch.__version__.partition("+")[0])
for kind in ("padded", "equal", "unequal"):
    seconds(1000, kind)  # what is done once
    short, long = seconds(1000, kind), seconds(4000, kind)
    print(f"({kind}: forward {short[0]:.3f} and {long[0]:.3f} s, backward {short[1]:.3f} and {long[1]:.3f} s)")
    if kind == "padded":
        padded = long[1]
    else:
        print(f"packed, {kind} lengths: backward 4 times the time of padded ones or more: {long[1] > 4 * padded}")
print(f"unequal, 4 times as long: forward 8 times the time or more: {long[0] > 8 * short[0]}")
print(f"unequal, 4 times as long: backward 8 times the time or more: {long[1] > 8 * short[1]}")
PY
"$folder/env/bin/python" -W ignore "$folder/packed.py" | tee "$folder/seen"
diff <(grep -v '^(' "$folder/seen") - <<'SEEN'
torch 2.13.0
packed, equal lengths: backward 4 times the time of padded ones or more: False
packed, unequal lengths: backward 4 times the time of padded ones or more: True
unequal, 4 times as long: forward 8 times the time or more: False
unequal, 4 times as long: backward 8 times the time or more: True
SEEN

#!/usr/bin/env bash
# torch 2.13.0 on a CPU (x86-64), float32, eval mode, one thread: a bidirectional LSTM gives a sequence other outputs,
# in the last bits, alone than packed with shorter sequences.
#
# Guess: the sequences of a batch do not meet in an LSTM, and packing leaves out the padding; so the outputs of a
# sequence are the same bits alone and in any batch.
# Seen: alone, packed or not, it has the same bits; packed with one shorter sequence or with 31, it has others, by less
# than 1e-6. On the CPU where this was written (AMD EPYC), sequences of the same length did not change the bits with
# oneDNN; with oneDNN off (`torch.backends.mkldnn.flags(enabled=False)`), they did. Whoever compares or caches outputs
# needs a tolerance.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$folder/batches.py" <<'PY'
import torch
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

torch.set_num_threads(1)
torch.manual_seed(0)
lstm = torch.nn.LSTM(100, 128, bidirectional=True).eval()
X = torch.randn(30, 100)
shorter = [torch.randn(int(length), 100) for length in torch.randint(3, 30, (31,))]
same_length = [torch.randn(30, 100) for _ in range(31)]


def packed_with(others):
    """The outputs of X, first of a packed batch."""
    return pad_packed_sequence(lstm(pack_sequence([X, *others], enforce_sorted=False))[0])[0][:, 0]


def stacked_with(others):
    """The outputs of X, first of a batch of sequences of one length."""
    return lstm(torch.stack([X, *others], 1))[0][:, 0]


def compare(name, outputs):
    apart = float((outputs - alone).abs().max())
    print(f"{name}: same bits: {torch.equal(outputs, alone)}, within 1e-6: {apart < 1e-6}")


print("torch", torch.__version__.partition("+")[0])
with torch.no_grad():
    alone = stacked_with([])
    compare("alone, again", stacked_with([]))
    compare("alone, packed", packed_with([]))
    compare("packed with 1 shorter", packed_with(shorter[:1]))
    compare("packed with 31 shorter", packed_with(shorter))
    compare("(not checked) with 31 of the same length", stacked_with(same_length))
    with torch.backends.mkldnn.flags(enabled=False):
        alone = stacked_with([])
        compare("(not checked) without oneDNN, with 31 of the same length", stacked_with(same_length))
PY
"$folder/env/bin/python" -W ignore "$folder/batches.py" | tee "$folder/seen"
diff <(grep -v '^(not checked)' "$folder/seen") - <<'SEEN'
torch 2.13.0
alone, again: same bits: True, within 1e-6: True
alone, packed: same bits: True, within 1e-6: True
packed with 1 shorter: same bits: False, within 1e-6: True
packed with 31 shorter: same bits: False, within 1e-6: True
SEEN

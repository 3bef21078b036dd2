#!/usr/bin/env bash
# thinc 8.3.14: `use_averages = true` (thinc's default, and a setting of spaCy's configs) does nothing for layers
# in a `PyTorchWrapper`. The optimizer does average their weights, under the key (id of the shim, name), but
# `PyTorchShim.use_params` looks for keys that are strings and begin with "pytorch_". So `spacy train`, which
# evaluates and saves in `nlp.use_params(optimizer.averages)`, keeps the averages of thinc's layers and the
# last weights of torch's, side by side in one model, such as one with `spacy.TorchBiLSTMEncoder.v1`.
#
# Guess: in `use_params(optimizer.averages)`, a wrapped layer predicts with its averages, as a thinc layer does.
# Seen: it predicts what it did before. The averages are there, and differ from the weights.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet thinc==8.3.14 torch==2.13.0
cat > "$folder/show.py" <<'PY'
import numpy
import thinc.about
import torch
from thinc.api import Adam, Linear, PyTorchWrapper


def show(name, model):
    X = numpy.ones((4, 2), dtype="float32")
    model.initialize(X, numpy.ones((4, 1), dtype="float32"))
    optimizer = Adam(0.05, use_averages=True)
    for step in range(40):
        Y, backprop = model.begin_update(X)
        backprop(Y - 3 * (step % 2))  # the target goes up and down, so that averages lag behind
        model.finish_update(optimizer)
        optimizer.step_schedules()
    weights = model.predict(X)
    with model.use_params(optimizer.averages):
        averaged = model.predict(X)
    print(f"{name}: {len(optimizer.averages)} averages, used: {bool((weights != averaged).any())}")
    return optimizer.averages


print("thinc", thinc.about.__version__)
show("thinc's Linear", Linear(1, 2))
torch.manual_seed(0)
layer = torch.nn.Linear(2, 1)
averages = show("torch's Linear in a PyTorchWrapper", PyTorchWrapper(layer))
weight = next(value for (_, name), value in averages.items() if name == "weight")
differ = bool((weight.reshape(-1) != layer.weight.detach().numpy().reshape(-1)).any())
print("its averages differ from its weights:", differ)
PY
"$folder/env/bin/python" -W ignore "$folder/show.py" | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
thinc 8.3.14
thinc's Linear: 2 averages, used: True
torch's Linear in a PyTorchWrapper: 2 averages, used: False
its averages differ from its weights: True
SEEN

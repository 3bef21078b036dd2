#!/usr/bin/env bash
# spaCy 3.8.18: only `spacy train` advances the schedules of an optimizer. The optimizer that
# `nlp.resume_training()` makes from a config with `warmup_linear.v1` (as spaCy's own quickstart writes for
# transformers) is at rate 0 and stays there: fine-tuning with `nlp.update` changes nothing and says nothing.
#
# Guess: a resumed training goes on at a small rate; or a rate of 0 is warned of.
# Seen: after 50 updates all weights are what they were, bit for bit, the loss is the same, and there is no
#       warning. With a fixed rate the same loop learns.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet spacy==3.8.18 thinc==8.3.14
cat > "$folder/show.py" <<'PY'
import warnings

import spacy
from spacy.training import Example
from thinc.api import Adam, Config, fix_random_seed

OPTIMIZER = """
[optimizer]
@optimizers = "Adam.v1"

[optimizer.learn_rate]
@schedules = "warmup_linear.v1"
initial_rate = 0.01
warmup_steps = 10
total_steps = 1000
"""


def run(**resumed_with):
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger")
    gold = {"tags": ["PRP", "VBP", "NNS"]}
    examples = [Example.from_dict(nlp.make_doc("We like trees"), gold)]
    nlp.initialize(lambda: examples)
    nlp.config["training"]["optimizer"] = Config().from_str(OPTIMIZER)["optimizer"]
    nlp._optimizer = None  # as after loading from disk
    before = nlp.get_pipe("tagger").model.to_bytes()
    sgd = nlp.resume_training(**resumed_with)
    losses = [nlp.update(examples, sgd=sgd)["tagger"] for _ in range(50)]
    same = nlp.get_pipe("tagger").model.to_bytes() == before
    print(f"rate {sgd.learn_rate}: weights the same: {same}, loss falls: {losses[-1] < losses[0]}")


print("spacy", spacy.__version__)
with warnings.catch_warnings():
    warnings.simplefilter("error", UserWarning)
    run()
run(sgd=Adam(0.001))
PY
"$folder/env/bin/python" -W ignore "$folder/show.py" | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
spacy 3.8.18
rate 0.0: weights the same: True, loss falls: False
rate 0.001: weights the same: False, loss falls: True
SEEN

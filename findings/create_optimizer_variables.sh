#!/usr/bin/env bash
# spaCy 3.8.18: `spacy train` resolves variables before it makes the optimizer, `Language.create_optimizer`
# does not. A config whose schedule ends at ${training.max_steps} therefore trains from the command line, and
# the same pipeline cannot be fine-tuned in Python.
#
# Guess: both read the same config and make the same optimizer.
# Seen: registry.resolve of the interpolated config gives the optimizer; nlp.create_optimizer() and
#       nlp.resume_training() raise ConfigValidationError, which names the variable as if it were a value:
#       "'${training.max_steps}' is not <class 'int'>".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet spacy==3.8.18 thinc==8.3.14 confection==1.3.4
cat > "$folder/show.py" <<'PY'
import spacy
from spacy.util import load_model_from_config, registry
from thinc.api import Config

CONFIG = """
[nlp]
lang = "xx"
pipeline = []

[training]
max_steps = 100

[training.optimizer]
@optimizers = "Adam.v1"

[training.optimizer.learn_rate]
@schedules = "warmup_linear.v1"
initial_rate = 0.01
warmup_steps = 10
total_steps = ${training.max_steps}
"""
print("spacy", spacy.__version__)
config = Config().from_str(CONFIG, interpolate=False)
nlp = load_model_from_config(config, auto_fill=True)
block = nlp.config.interpolate()["training"]["optimizer"]
print("as `spacy train` does it:", type(registry.resolve({"optimizer": block})["optimizer"]).__name__)
for name in ("create_optimizer", "resume_training"):
    try:
        print(f"nlp.{name}():", type(getattr(nlp, name)()).__name__)
    except Exception as error:
        shown = "total_steps" in str(error) and "'${training.max_steps}' is not" in str(error)
        print(f"nlp.{name}():", type(error).__name__, "names the variable:", shown)
PY
"$folder/env/bin/python" -W ignore "$folder/show.py" | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
spacy 3.8.18
as `spacy train` does it: Optimizer
nlp.create_optimizer(): ConfigValidationError names the variable: True
nlp.resume_training(): ConfigValidationError names the variable: True
SEEN

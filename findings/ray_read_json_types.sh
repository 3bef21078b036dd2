#!/usr/bin/env bash
# Ray 2.60.0 (pyarrow 26.0.1, pandas 3.1.1): `ray.data.read_json` changes values of JSON Lines that are strings, each of
# its two readers others: the default one makes datetimes of texts that look like dates, and with `lines=True` the ids
# "007" and "7" both become the number 7.
#
# Guess: a string in quotes stays a string; the readers differ in speed.
# Seen: neither keeps all of them, and nothing is said. Whoever needs ids and texts as they are has to read the lines
# with json.loads.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "ray[data]==2.60.0" pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6
cat > "$folder/read.py" <<'PY'
import json
import os
import sys

os.environ["RAY_AUTH_MODE"] = "disabled"
import ray

records = [{"id": "007", "text": "2024-01-02"}, {"id": "7", "text": "2024-01-03"}]
path = sys.argv[1]
with open(path, "w", encoding="utf8") as file:
    file.writelines(json.dumps(record) + "\n" for record in records)
ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
ray.data.DataContext.get_current().enable_progress_bars = False
default = ray.data.read_json(path).take_all()
lines = ray.data.read_json(path, lines=True).take_all()
print("ray", ray.__version__)
print("default:", [(row["id"], type(row["text"]).__name__) for row in default])
print("lines=True:", [(row["id"], row["text"]) for row in lines])
assert [row["id"] for row in default] == ["007", "7"], "this has changed"
assert {type(row["text"]).__name__ for row in default} == {"datetime"}, "this has changed"
assert [(row["id"], row["text"]) for row in lines] == [(7, "2024-01-02"), (7, "2024-01-03")], "this has changed"
PY
"$folder/env/bin/python" "$folder/read.py" "$folder/texts.jsonl" 2> "$folder/log" || { cat "$folder/log"; exit 1; }

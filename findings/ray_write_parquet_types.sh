#!/usr/bin/env bash
# Ray 2.60.0 (pyarrow 26.0.1, pandas 3.1.1): what `write_parquet` writes of one dataset cannot be read by pyarrow as
# one table if a column of the first block has nothing but empty lists, or nothing but None.
#
# Guess: a dataset has one schema, so its files have; that no document of a block has an entity changes nothing.
# Seen: each file has the types of its own block's values, here list<null>, and pyarrow takes the schema of the first
# file: `read_table` raises an error if that is the one without values, and reads all of them if it comes later.
# `ray.data.read_parquet` reads both. Tables with a schema, made in `map_batches`, are written as they are.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "ray[data]==2.60.0" pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6
cat > "$folder/write.py" <<'PY'
import os
import sys

os.environ["RAY_AUTH_MODE"] = "disabled"
import pyarrow
import ray

folder = sys.argv[1]
ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
ray.data.DataContext.get_current().enable_progress_bars = False
schema = pyarrow.schema([("text", pyarrow.string()), ("found", pyarrow.list_(pyarrow.string()))])


def names(row):
    return row | {"found": [word for word in row["text"].split() if word.istitle()]}


def names_as_table(batch):
    found = [[word for word in text.split() if word.istitle()] for text in batch["text"]]
    return pyarrow.table({"text": batch["text"].tolist(), "found": found}, schema=schema)


def first_name(row):
    return row | {"found": next((word for word in row["text"].split() if word.istitle()), None)}


def write(name, texts, work, by="map"):
    dataset = ray.data.from_items([{"text": text} for text in texts], override_num_blocks=2)
    getattr(dataset, by)(work).write_parquet(f"{folder}/{name}")
    assert len(ray.data.read_parquet(f"{folder}/{name}").take_all()) == 2, "this has changed"


write("no name first", ["it rains", "Ann left"], names)
write("no name last", ["Ann left", "it rains"], names)
write("no name first, as a table", ["it rains", "Ann left"], names_as_table, by="map_batches")
write("None first", ["it rains", "Ann left"], first_name)
print("ray", ray.__version__)
PY
cat > "$folder/read.py" <<'PY'
import sys

import pyarrow
import pyarrow.parquet

found = {}
for name in "no name first", "no name last", "no name first, as a table", "None first":
    try:
        found[name] = f"{pyarrow.parquet.read_table(f'{sys.argv[1]}/{name}').num_rows} rows"
    except pyarrow.ArrowNotImplementedError as error:
        found[name] = f"{type(error).__name__}: {error}"
print("pyarrow", pyarrow.__version__)
for name, result in found.items():
    print(f"{name}: {result}")
failed = [result != "2 rows" for result in found.values()]
assert failed == [True, False, False, True], "this has changed"
PY
"$folder/env/bin/python" "$folder/write.py" "$folder" 2> "$folder/log" || { cat "$folder/log"; exit 1; }
"$folder/env/bin/python" "$folder/read.py" "$folder"

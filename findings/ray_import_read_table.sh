#!/usr/bin/env bash
# Ray 2.60.0 (pyarrow 26.0.1, pandas 3.1.1): pyarrow's `read_table` reads a folder that `write_parquet` has written,
# and does not read it any more after `import ray.data`, if a column has arrays of one length in one file and of
# another in the next.
#
# Guess: importing a library does not change what another one reads; if it does, then the library reads its own files.
# Seen: without Ray the column is a list. `import ray.data` registers the type of an array, which has the shape in it,
# and pyarrow raises an ArrowTypeError: casting from one ArrowTensorTypeV2 to a "different" ArrowTensorTypeV2.
# `ray.data.read_parquet` reads it. Lists in place of arrays (`.tolist()`) are read by all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "ray[data]==2.60.0" pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6
cat > "$folder/write.py" <<'PY'
import os
import sys

os.environ["RAY_AUTH_MODE"] = "disabled"
import numpy
import ray

ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
ray.data.DataContext.get_current().enable_progress_bars = False
texts = ray.data.from_items([{"text": "it rains"}, {"text": "it does not"}], override_num_blocks=2)
for name, convert in ("arrays", numpy.array), ("lists", list):
    lengths = texts.map(lambda row, convert=convert: {"lengths": convert([len(word) for word in row["text"].split()])})
    lengths.write_parquet(f"{sys.argv[1]}/{name}")
    read = [list(row["lengths"]) for row in ray.data.read_parquet(f"{sys.argv[1]}/{name}").take_all()]
    assert sorted(read) == [[2, 4, 3], [2, 5]], "this has changed"
print("ray", ray.__version__)
PY
cat > "$folder/read.py" <<'PY'
import sys

import pyarrow
import pyarrow.parquet


def read(name):
    try:
        return pyarrow.parquet.read_table(f"{sys.argv[1]}/{name}")["lengths"].to_pylist()
    except pyarrow.ArrowTypeError as error:
        return f"ArrowTypeError: {error}"


expected = [[2, 5], [2, 4, 3]]
before = read("arrays")
import ray.data

after, lists = read("arrays"), read("lists")
print("pyarrow", pyarrow.__version__)
print("before import ray.data:", before)
print("after it:", after)
assert before == lists == expected, "this has changed"
assert after.startswith("ArrowTypeError: Casting from 'extension<ray.data.arrow_tensor_v2"), "this has changed"
PY
"$folder/env/bin/python" "$folder/write.py" "$folder" 2> "$folder/log" || { cat "$folder/log"; exit 1; }
"$folder/env/bin/python" "$folder/read.py" "$folder"

#!/usr/bin/env bash
# Ray 2.60.0 (pyarrow 26.0.1, pandas 3.1.1): `write_json` does not write the values of the dataset: numbers have ten
# decimals, so that 1.5e-11 is 0.0, infinity is null, a datetime is a number of milliseconds, and the integers of a
# list with a None in it are floats.
#
# Guess: what json.dumps writes: numbers that are read back as they were, NaN and infinity or an error.
# Seen: it is `pandas.DataFrame.to_json` with pandas' defaults, for one block at a time. A probability of
# a rare label becomes 0. `write_json(path, double_precision=15, date_format="iso")` helps with two of these.
# write_parquet keeps all of them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "ray[data]==2.60.0" pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6
cat > "$folder/write.py" <<'PY'
import datetime
import json
import os
import sys
from pathlib import Path

os.environ["RAY_AUTH_MODE"] = "disabled"
import ray

folder = Path(sys.argv[1])
ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
ray.data.DataContext.get_current().enable_progress_bars = False
row = {
    "rare": 1.5e-11,
    "third": 1 / 3,
    "loss": float("inf"),
    "day": datetime.datetime(2024, 1, 2),
    "heads": [7, None],
}
dataset = ray.data.from_items([row])


def written(name, **arguments):
    dataset.write_json(str(folder / name), **arguments)
    (path,) = (folder / name).glob("*.json")
    return path.read_text().strip()


default = written("default")
precise = json.loads(written("precise", double_precision=15, date_format="iso"))
dataset.write_parquet(str(folder / "parquet"))
(kept,) = ray.data.read_parquet(str(folder / "parquet")).take_all()
print("ray", ray.__version__)
print("row:", row)
print("write_json:", default)
print("with double_precision=15 and iso dates:", precise)
seen = '{"rare":0.0,"third":0.3333333333,"loss":null,"day":1704153600000,"heads":[7.0,null]}'
assert default == seen, "this has changed"
assert precise["rare"] == 1.5e-11 and precise["day"].startswith("2024-01-02T"), "this has changed"
assert kept == row, "this has changed"
PY
"$folder/env/bin/python" "$folder/write.py" "$folder" 2> "$folder/log" || { cat "$folder/log"; exit 1; }

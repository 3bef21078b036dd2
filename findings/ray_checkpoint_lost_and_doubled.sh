#!/usr/bin/env bash
# Ray 2.60.0 (pyarrow 26.0.1, pandas 3.1.1), `CheckpointConfig` (beta) of Ray Data: a job whose run failed with part of
# its rows written, run once more, writes the missing rows if it reads files. With `mode="overwrite"` it deletes the
# rows that are finished and leaves them out as finished, with `from_items` it writes them a second time, and with
# `limit(10)` it goes on to ten further rows.
#
# Guess: the second run completes the first, whatever the first step and the last are; what cannot be resumed is
# refused, or warned of, as other plans are ("Checkpointing will be disabled").
# Seen: of 20 rows 5 are left, 35 are there, and of 10 rows 15 are there. Both runs of `from_items` write checkpoints,
# and neither reads them. None of this raises an error, and no warning speaks of checkpoints.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "ray[data]==2.60.0" pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6
cat > "$folder/resume.py" <<'PY'
import json
import os
import sys
import time
import warnings
from pathlib import Path

os.environ["RAY_AUTH_MODE"] = "disabled"
import ray
from ray.data.checkpoint import CheckpointConfig

folder = Path(sys.argv[1])
rows = [{"id": f"doc{number:02}"} for number in range(20)]
source = folder / "source"
source.mkdir()
for start in range(0, 20, 5):
    lines = [json.dumps(row) + "\n" for row in rows[start : start + 5]]
    (source / f"{start:02}.jsonl").write_text("".join(lines))
ray.init(num_cpus=4, log_to_driver=False, include_dashboard=False)
context = ray.data.DataContext.get_current()
context.enable_progress_bars = False


def resumed(name, make, others, **arguments):
    """Ids written by two runs: in the first, the block that comes first fails once all `others` are written."""
    checkpoints, claimed, output = folder / f"{name}-done", folder / f"{name}-claimed", folder / name
    context.checkpoint_config = CheckpointConfig("id", str(checkpoints))

    def work(row):
        try:
            claimed.touch(exist_ok=False)
        except FileExistsError:
            return row
        for _ in range(600):
            done = [path for path in checkpoints.glob("*.parquet") if ".pending" not in path.name]
            if len(done) == others:
                raise RuntimeError("a service is down")
            time.sleep(0.1)
        os._exit(1)

    try:
        make().map(work).write_json(str(output), **arguments)
        raise SystemExit("the first run has to fail")
    except ray.exceptions.RayTaskError:
        pass
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make().map(work).write_json(str(output), **arguments)
    assert not [item for item in caught if "heckpoint" in str(item.message)], "this has changed: a warning"
    ids = [json.loads(line)["id"] for path in output.glob("*.json") for line in path.open()]
    return len(ids), len(set(ids))


def files():
    return ray.data.read_json(str(source), override_num_blocks=4)


def items():
    return ray.data.from_items(rows, override_num_blocks=4)


found = {
    "files": resumed("files", files, others=3),
    "files, overwrite": resumed("overwrite", files, others=3, mode="overwrite"),
    "from_items": resumed("items", items, others=3),
    "files, limit(10)": resumed("limit", lambda: files().limit(10), others=1),
}
print("ray", ray.__version__)
for case, (written, distinct) in found.items():
    print(f"{case}: rows {written}, distinct ids {distinct}")
assert list(found.values()) == [(20, 20), (5, 5), (35, 20), (15, 15)], "this has changed"
PY
"$folder/env/bin/python" "$folder/resume.py" "$folder" 2> "$folder/log" || { cat "$folder/log"; exit 1; }

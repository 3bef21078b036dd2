#!/usr/bin/env bash
# Ray 2.60.0 (pyarrow 26.0.1, pandas 3.1.1): with `max_errored_blocks = 1`, one row that raises an error in
# `map_batches(batch_size=1)` costs all rows of its file, and the job counts as a success: a `CheckpointConfig` (beta)
# with its defaults then deletes the list of what is done, so that the run after the repair writes the rest twice.
#
# Guess: with batches of one row, one row is missing; and run again, the job writes that row alone.
# Seen: 100 of 200 rows are missing, before the error and after it, and afterwards there are 300 rows. With
# `delete_checkpoint_on_success=False` the second run writes the missing 100 alone. How many rows are lost depends on
# the size of the files and on `target_max_block_size`; batches of one row do not make it one row.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "ray[data]==2.60.0" pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6
cat > "$folder/errors.py" <<'PY'
import os
import sys
from pathlib import Path

os.environ["RAY_AUTH_MODE"] = "disabled"
import ray
from ray.data.checkpoint import CheckpointConfig

folder = Path(sys.argv[1])
source = folder / "source"
source.mkdir()
for name in ("a", "b"):
    (source / f"{name}.txt").write_text("".join(f"{name}{number:02}\n" for number in range(100)))
ray.init(num_cpus=4, log_to_driver=False, include_dashboard=False)
context = ray.data.DataContext.get_current()
context.enable_progress_bars = False
context.max_errored_blocks = 1


def rows_after_each_run(name, **arguments):
    output, repaired = folder / name, folder / f"{name}-repaired"
    context.checkpoint_config = CheckpointConfig("text", str(folder / f"{name}-done"), **arguments)

    def work(batch):
        if "b50" in batch["text"].tolist() and not repaired.exists():
            raise ValueError("b50")
        return batch

    counts = []
    for _ in range(2):
        dataset = ray.data.read_text(str(source), override_num_blocks=2)
        dataset.map_batches(work, batch_size=1).write_json(str(output))
        counts.append(sum(len(path.read_text().splitlines()) for path in output.glob("*.json")))
        repaired.touch()
    return counts


default, kept = rows_after_each_run("default"), rows_after_each_run("kept", delete_checkpoint_on_success=False)
print("ray", ray.__version__)
print("rows of 200, after the run with one bad row and the run after the repair:", default)
print("the same with delete_checkpoint_on_success=False:", kept)
assert (default, kept) == ([100, 300], [100, 200]), "this has changed"
PY
"$folder/env/bin/python" "$folder/errors.py" "$folder" 2> "$folder/log" || { cat "$folder/log"; exit 1; }

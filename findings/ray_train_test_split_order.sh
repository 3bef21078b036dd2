#!/usr/bin/env bash
# Ray 2.60.0 (pyarrow 26.0.1, pandas 3.1.1): `train_test_split` without shuffling takes for the test part the rows of
# the block that was ready last. The same files are split differently when a task takes longer, so that texts of one
# run's test part are in the next one's training part.
#
# Guess: without `shuffle=True` the split depends on the dataset alone, and the test part is its end, as the example of
# the documentation shows.
# Seen: the test part is the first file if that takes longest. With `shuffle=True, seed=0` the split is the same in
# both runs, and with `execution_options.preserve_order = True` the test part is the last file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "ray[data]==2.60.0" pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6
cat > "$folder/split.py" <<'PY'
import os
import sys
import time
from pathlib import Path

os.environ["RAY_AUTH_MODE"] = "disabled"
import ray

folder = Path(sys.argv[1])
source = folder / "source"
source.mkdir()
for name in ("first", "last"):
    (source / f"{name}.txt").write_text("".join(f"{name} {number}\n" for number in range(5)))
ray.init(num_cpus=4, log_to_driver=False, include_dashboard=False)
context = ray.data.DataContext.get_current()
context.enable_progress_bars = False
runs = iter(range(100))


def test_part(slow, **arguments):
    """The texts of the test part if the file `slow` takes longer than the other one."""
    other = folder / f"{next(runs)}-other"

    def work(row):
        if row["text"].startswith(slow) and row["text"].endswith(" 0"):
            while not other.exists():
                time.sleep(0.1)
            time.sleep(3)
        if not row["text"].startswith(slow) and row["text"].endswith(" 4"):
            other.touch()
        return row

    dataset = ray.data.read_text(str(source), override_num_blocks=2).map(work)
    _, test = dataset.train_test_split(test_size=0.5, **arguments)
    return sorted(row["text"] for row in test.take_all())


plain = [test_part(slow) for slow in ("first", "last")]
seeded = [test_part(slow, shuffle=True, seed=0) for slow in ("first", "last")]
context.execution_options.preserve_order = True
ordered = [test_part(slow) for slow in ("first", "last")]
first, last = ([f"{name} {number}" for number in range(5)] for name in ("first", "last"))
print("ray", ray.__version__)
print("test part if the first file takes longer:", plain[0])
print("if the last one does:", plain[1])
assert plain == [first, last], "this has changed"
assert seeded[0] == seeded[1], "this has changed"
assert ordered == [last, last], "this has changed"
PY
"$folder/env/bin/python" "$folder/split.py" "$folder" 2> "$folder/log" || { cat "$folder/log"; exit 1; }

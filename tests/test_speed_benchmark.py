"""benchmarks/speed.py: one small run of the whole; no treebank is needed."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
pytest.importorskip("matplotlib", reason="matplotlib is not installed")

REPOSITORY = Path(__file__).parent.parent


@pytest.mark.slow
def test_small_run_writes_tables_and_a_chart(tmp_path) -> None:
    for split in ("train", "dev"):
        text = (REPOSITORY / "corpus" / f"en-{split}.conllu").read_text(encoding="utf8")
        (tmp_path / f"en_x-ud-{split}.conllu").write_text(text, encoding="utf8")
    command = [sys.executable, REPOSITORY / "benchmarks" / "speed.py", "--treebank", "en_x"]
    command += ["--data", tmp_path, "--work", tmp_path / "work", "--output", tmp_path / "S.md"]
    command += ["--config", REPOSITORY / "configs" / "demo.cfg"]
    command += ["--steps", 2, "--rounds", 1, "--tokens", 2000, "--long", 2000]
    command += ["--processes", 2, "--texts", 30]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split(" | ") for line in (tmp_path / "S.md").read_text().splitlines()]
    names = ["spaCy CNN", "spaCy BiLSTM", "demo", "demo, bfloat16"]
    names += ["demo, ONNX float32", "demo, ONNX int8"]
    speeds, gains, sizes = rows[8:14], rows[19:25], rows[-6:]
    assert [row[0].removeprefix("| ") for row in speeds if len(row) == 5] == names
    assert [row[0].removeprefix("| ") for row in gains] == names
    assert all(float(row[1].replace(",", "")) > 0 for row in gains)
    assert [row[0].removeprefix("| ") for row in sizes] == names
    assert all("(1.00)" in cell for cell in speeds[0][1:])
    assert all(float(row[1]) > 0 for row in sizes)
    assert (tmp_path / "S.svg").read_text().startswith("<?xml")

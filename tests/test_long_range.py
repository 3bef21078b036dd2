"""The long-range demonstration runs, and writes what it measured."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
SCRIPT = "benchmarks/long_range.py"


def run(*options: object, **environment: str) -> subprocess.CompletedProcess:
    """Run the script as a user would."""
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, options)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONIOENCODING": "utf8", **environment},
        capture_output=True,
        text=True,
        encoding="utf8",
        timeout=120,
    )


@pytest.fixture
def matplotlib() -> None:
    """Skip where there is nothing to draw with."""
    pytest.importorskip("matplotlib", reason="draws the plot: pip install matplotlib")


def test_near_is_learned_and_far_is_not(matplotlib: None, tmp_path: Path) -> None:
    output = tmp_path / "docs"
    options = ["--cell", "gru", "--distance", 1, "--distance", 32, "--seeds", 1, "--steps", 100]
    result = run(*options, "--output", output)
    assert result.returncode == 0, result.stderr
    text = (output / "long_range.md").read_text(encoding="utf8")
    rows = re.findall(r"^\| (\d+) \| ([\d.]+) \(([\d.]+)–([\d.]+)\) \|$", text, re.MULTILINE)
    assert [row[0] for row in rows] == ["1", "32"], text
    near, far = ([float(number) for number in row[1:]] for row in rows)
    assert near[0] >= 99.0
    assert 15.0 <= far[0] <= 35.0  # of four markers, at chance
    assert len(set(near)) == len(set(far)) == 1  # one seed: no spread
    assert f"{far[0]}%" in result.stderr
    assert "reaches 99%: 1 with `gru`" in text
    assert "all the same: none." in text
    assert "others did not: none." in text
    assert "(long_range.svg)" in text
    plot = (output / "long_range.svg").read_text(encoding="utf8")
    for shown in ("gru", "chance", "percent", "tokens from the marker"):
        assert shown in plot
    assert "lstm" not in plot
    assert "<dc:date>" not in plot


def test_missing_matplotlib_is_named_before_any_training(tmp_path: Path) -> None:
    (tmp_path / "matplotlib.py").write_text("raise ImportError('not here')", encoding="utf8")
    result = run("--output", tmp_path / "docs", PYTHONPATH=str(tmp_path))
    assert result.returncode == 1
    assert "pip install matplotlib" in result.stderr
    assert not (tmp_path / "docs").exists()

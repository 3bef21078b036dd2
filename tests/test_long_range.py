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


def rows(text: str) -> list[list[str]]:
    """Distance, median, worst, best, seeds that learned it, seeds: of every row of both tables."""
    numbers = r"^\| (\d+) \| ([\d.]+) \(([\d.]+)–([\d.]+)\), (\d+) of (\d+) \|$"
    return [list(row) for row in re.findall(numbers, text, re.MULTILINE)]


def test_near_is_learned_and_far_alone_is_not(matplotlib: None, tmp_path: Path) -> None:
    output = tmp_path / "docs"
    options = ["--cell", "gru", "--distance", 1, "--distance", 32, "--seeds", 1, "--steps", 100]
    result = run(*options, "--output", output)
    assert result.returncode == 0, result.stderr
    text = (output / "long_range.md").read_text(encoding="utf8")
    found = rows(text)
    # Learning at 1 and 32; remembering there, at the farthest taught and at twice that.
    assert [row[0] for row in found] == ["1", "32", "1", "32", "64", "128"], text
    near, far = ([float(number) for number in row[1:4]] for row in found[:2])
    assert near[0] >= 99.0
    assert 15.0 <= far[0] <= 35.0  # of four markers, at chance
    assert len(set(near)) == len(set(far)) == 1  # one seed: no spread
    assert [row[4:] for row in found[:2]] == [["1", "1"], ["0", "1"]]
    assert f"from 32 on, seed 0: {far[0]}%" in result.stderr
    worst = min(float(row[1]) for row in found[2:])
    assert f"from 1 to 64, seed 0: {worst}% at the worst distance" in result.stderr
    assert "(long_range.svg)" in text
    plot = (output / "long_range.svg").read_text(encoding="utf8")
    for shown in ("gru", "chance", "percent", "tokens from the marker", "farthest taught"):
        assert shown in plot
    assert "lstm" not in plot
    assert "<dc:date>" not in plot


def test_same_page_and_plot_again(matplotlib: None, tmp_path: Path) -> None:
    options = ["--distance", 1, "--seeds", 2, "--steps", 3, "--output"]
    for name in ("a", "b"):
        assert run(*options, tmp_path / name).returncode == 0
    first, second = (
        (tmp_path / name / "long_range.md").read_text(encoding="utf8") for name in ("a", "b")
    )
    assert rows(first) == rows(second)
    assert first.replace(str(tmp_path / "a"), "") == second.replace(str(tmp_path / "b"), "")
    plots = [(tmp_path / name / "long_range.svg").read_bytes() for name in ("a", "b")]
    assert plots[0] == plots[1]


def test_missing_matplotlib_is_named_before_any_training(tmp_path: Path) -> None:
    (tmp_path / "matplotlib.py").write_text("raise ImportError('not here')", encoding="utf8")
    result = run("--output", tmp_path / "docs", PYTHONPATH=str(tmp_path))
    assert result.returncode == 1
    assert "pip install matplotlib" in result.stderr
    assert not (tmp_path / "docs").exists()

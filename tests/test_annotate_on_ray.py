"""`lstm-tagger annotate --engine ray`: the same shards, done by actors."""

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import spacy

from spacy_lstm_tagger.annotate.on_ray import within

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed ([ray])"
)


def test_a_job_on_which_nothing_ends_is_given_up() -> None:
    def rows(pause: float) -> Iterator[int]:
        yield 1
        time.sleep(pause)
        yield 2

    assert list(within(60, rows(0))) == [1, 2]
    found = within(0.05, rows(30))
    assert next(found) == 1
    with pytest.raises(ValueError, match=r"no shard has ended for 0\.05 seconds.*--stall-limit"):
        next(found)


def test_errors_of_a_job_are_raised() -> None:
    def rows() -> Iterator[int]:
        yield 1
        raise KeyError("shard")

    found = within(60, rows())
    assert next(found) == 1
    with pytest.raises(KeyError, match="shard"):
        next(found)


def annotate(directory: Path, output: str, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            *(sys.executable, "-m", "spacy", "lstm-tagger", "annotate", str(directory / "model")),
            *(str(directory / "in.txt"), str(directory / output), "--shard-size", "0.0001"),
            *("--to", "jsonl", "-n", "2", *options),
        ],
        capture_output=True,
        text=True,
        encoding="utf8",
    )


@needs_ray
@pytest.mark.slow
def test_ray_writes_what_processes_write(tmp_path) -> None:
    spacy.blank("en").to_disk(tmp_path / "model")
    (tmp_path / "in.txt").write_text("I like green eggs\n" * 50)
    for output, engine in (("local", "local"), ("ray", "ray")):
        done = annotate(tmp_path, output, "--engine", engine)
        assert done.returncode == 0, done.stderr
    files = sorted(path.name for path in (tmp_path / "local").glob("*.jsonl"))
    assert len(files) > 5
    for name in files:
        assert (tmp_path / "ray" / name).read_bytes() == (tmp_path / "local" / name).read_bytes()
    counts = [
        json.loads((tmp_path / "ray" / "_annotate" / f"{name}").read_text())["docs"]
        for name in (file.replace(".jsonl", ".json") for file in files)
    ]
    assert sum(counts) == 50


@needs_ray
@pytest.mark.slow
def test_an_error_in_an_actor_is_one_line(tmp_path) -> None:
    spacy.blank("en").to_disk(tmp_path / "model")
    (tmp_path / "in.txt").write_text("I like green eggs\n" * 50)
    assert annotate(tmp_path, "out", "--plan").returncode == 0
    (tmp_path / "out" / "part-000002.jsonl" / "in the way").mkdir(parents=True)
    (tmp_path / "out" / "_annotate" / "part-000002.json").unlink(missing_ok=True)
    done = annotate(tmp_path, "out", "--engine", "ray")
    assert done.returncode == 1
    assert "Cannot annotate: " in done.stderr
    assert "part-000002.jsonl" in done.stderr
    assert "File " not in done.stderr


@needs_ray
@pytest.mark.slow
def test_sigterm_ends_a_job_on_ray_in_one_line(tmp_path) -> None:
    spacy.blank("en").to_disk(tmp_path / "model")
    (tmp_path / "in.txt").write_text("I like green eggs\n" * 200_000)
    args = ["in.txt", "out", "--to", "jsonl", "-n", "2", "--engine", "ray"]
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "annotate", "model", *args]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        deadline = time.monotonic() + 300
        while not any((tmp_path / "out").glob(".part*.tmp")):
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.terminate()
        said = process.communicate(timeout=300)[1]
    assert process.returncode == 143
    assert "Interrupted: what is written stays" in said
    assert "Traceback" not in said
    assert list((tmp_path / "out").rglob("*.tmp")) == []

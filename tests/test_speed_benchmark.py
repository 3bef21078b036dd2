"""benchmarks/speed.py: one small run of the whole; no treebank is needed."""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
pytest.importorskip("matplotlib", reason="matplotlib is not installed")

REPOSITORY = Path(__file__).parent.parent


PEER = """
from measuring.peers.interface import run
run(None, None, lambda args: print("loading") or {untrained})
"""


@pytest.fixture
def timer(monkeypatch, tmp_path) -> Callable:
    """A timer of a peer that makes its tagger by this expression."""
    monkeypatch.syspath_prepend(REPOSITORY / "benchmarks")
    peer_row = importlib.import_module("measuring.peer_row")
    peer_timer = importlib.import_module("measuring.peer_timer")

    def make(untrained: str) -> object:
        script = tmp_path / "peer.py"
        script.write_text(PEER.replace("{untrained}", untrained))
        command = [sys.executable, str(script)]
        monkeypatch.setattr(
            peer_row.PeerRow, "command", lambda _, *args: [*command, *map(str, args)]
        )
        row = peer_row.PeerRow("x", "X", "json", "no_script")
        return peer_timer.PeerTimer(row, tmp_path / "x", tmp_path / "no.conllu", [["a", "b"]])

    return make


def test_peer_tags_whenever_it_is_told_to(timer, tmp_path) -> None:
    with timer("list") as run:
        run()
        run()
        assert run.process.poll() is None
    assert run.process.poll() is not None
    assert json.loads((tmp_path / "x" / "words.json").read_text()) == [["a", "b"]]


def test_peer_that_leaves_words_out_is_no_peer(timer) -> None:
    with (
        timer("(lambda sentences: [])") as run,
        pytest.raises(Exception, match="there are words without tags"),
    ):
        run()


def test_peer_that_ends_is_unavailable(timer) -> None:
    with pytest.raises(Exception, match="it ended: ZeroDivisionError"):
        timer("1 / 0")


def test_peer_that_ends_while_it_is_timed_is_left_out(timer) -> None:
    speed = importlib.import_module("measuring.peer_speeds")
    docs = [Doc(Vocab(), words=["a", "b"])]
    with timer("(lambda sentences: 1 / 0)") as bad, timer("list") as good:
        timers = {"bad": bad, "good": good}
        seconds, failed = speed.time_peers(timers, {"ours": spacy.blank("en")}, docs, 2)
    assert set(seconds) == {"good", "ours"}
    assert failed == ["bad: it ended: ZeroDivisionError: division by zero"]


def test_peer_that_was_killed_is_left_out(timer) -> None:
    speed = importlib.import_module("measuring.peer_speeds")
    with timer("list") as killed:
        killed.process.kill()
        killed.process.wait()
        seconds, failed = speed.time_peers({"killed": killed}, {}, [], 1)
    assert seconds == {}
    assert [line.split(": ")[:2] for line in failed] == [["killed", "it ended"]]


def test_python_that_is_not_there_is_refused_before_any_training(tmp_path) -> None:
    command = [sys.executable, REPOSITORY / "benchmarks" / "speed.py", "--work", tmp_path / "work"]
    python = tmp_path / "no" / "python"
    command += ["--peers-python", python]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 2
    assert f"--peers-python is '{python}', but must be a Python" in done.stderr
    assert not (tmp_path / "work").exists()


@pytest.mark.slow
def test_small_run_writes_tables_and_a_chart(tmp_path) -> None:
    for split in ("train", "dev"):
        text = (REPOSITORY / "corpus" / f"en-{split}.conllu").read_text(encoding="utf8")
        (tmp_path / f"en_x-ud-{split}.conllu").write_text(text, encoding="utf8")
    command = [sys.executable, REPOSITORY / "benchmarks" / "speed.py", "--treebank", "en_x"]
    command += ["--data", tmp_path, "--work", tmp_path / "work", "--output", tmp_path / "S.md"]
    command += ["--config", REPOSITORY / "configs" / "demo.cfg"]
    command += ["--steps", 2, "--rounds", 1, "--tokens", 2000, "--long", 2000]
    command += ["--processes", 2, "--texts", 30, "--calls", 50]
    command += ["--earlier", REPOSITORY, "--earlier-steps", 2]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split(" | ") for line in (tmp_path / "S.md").read_text().splitlines()]
    names = ["spaCy CNN", "spaCy BiLSTM", "demo"]
    names += [] if "in which this machine cannot" in done.stdout else ["demo, bfloat16"]
    names += ["demo, auto", "demo, ONNX float32", "demo, ONNX int8"]
    tables = [i for i, row in enumerate(rows) if row[0].startswith("|---")]
    parts = (rows[i + 1 : i + 1 + len(names)] for i in tables)
    speeds, earlier, latencies, _, batches, gains, sizes = parts
    assert [row[0] for row in batches[:3]] == ["| 1", "| 10", "| 200"]
    assert earlier[0][0].startswith("| demo, ONNX int8, beside ")
    assert all(float(cell.strip(" |")) > 0 for cell in earlier[0][1:])
    assert [row[0].removeprefix("| ") for row in latencies] == names
    for _, p50, p99, cold, *_ in latencies:
        assert 0 < int(p50.replace(",", "")) <= int(p99.replace(",", ""))
        assert cold == "–" or int(cold.replace(",", "")) > 0
    steps = rows[tables[3] - 1 : tables[3] + 9]
    assert steps[0][0].removeprefix("| ") == "step"
    micros = {
        row[0].removeprefix("| "): [float(c.strip(" |")) for c in row[1:]] for row in steps[2:]
    }
    assert all(each[-1] > -0.5 for each in micros.values())
    assert micros["the network, in ONNX Runtime"][0] > 0
    assert [row[0].removeprefix("| ") for row in speeds if len(row) == 5] == names
    assert [row[0].removeprefix("| ") for row in gains] == names
    assert all(float(row[1].replace(",", "")) > 0 for row in gains)
    assert [row[0].removeprefix("| ") for row in sizes] == names
    assert all("(1.00)" in cell for cell in speeds[0][1:])
    assert all(float(row[1]) > 0 for row in sizes)
    assert "Flair's tagger with character language models" in (tmp_path / "S.md").read_text()
    assert (tmp_path / "S.svg").read_text().startswith("<?xml")

"""benchmarks/gpu.py: all of it in tiny on the CPU, and parts that fail or have no time."""

import copy
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import spacy
import torch
from spacy.tokens import Doc, DocBin
from thinc.api import get_current_ops, set_current_ops

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="measures memory as POSIX tells it")

REPOSITORY = Path(__file__).parent.parent
PROGRAM = REPOSITORY / "benchmarks" / "gpu.py"


def run(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, PROGRAM, *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


def rows_of(page: str) -> dict[str, list[list[str]]]:
    """Return the rows of each table, by the text above it."""
    tables: dict[str, list[list[str]]] = {}
    text = ""
    for line in page.splitlines():
        if line.startswith("|"):
            tables.setdefault(text, []).append(line.strip("| ").split(" | "))
        elif line:
            text = line
    return {text: rows[2:] for text, rows in tables.items()}


def test_dry_run(tmp_path) -> None:
    done = run("--dry-run", "--minutes", 60, "--output", tmp_path / "GPU.md")
    assert done.returncode == 0, done.stdout + done.stderr
    page = done.stdout[done.stdout.index("# On a GPU") :]
    assert "A dry run" in page
    assert "trained on en-train.conllu" in page
    assert "Failed" not in page
    assert "Left out" not in page
    trainings, speeds, memory, same = rows_of(page).values()
    assert [row[0] for row in trainings] == ["default", "spaCy CNN", "default, mixed precision"]
    on_gpu = ["spaCy CNN", "default", "default, auto"]
    on_cpu = ["default, on the CPU", "default, ONNX int8, on the CPU"]
    assert [row[0] for row in speeds] == on_gpu + on_cpu
    assert [row[0] for row in memory] == on_gpu
    for row in [*trainings, *memory, *([cell.split()[0] for cell in row] for row in speeds)]:
        assert all(float(cell.replace(",", "")) > 0 for cell in row[1:]), row
    places = ["GPU", "GPU, a doc at a time", "GPU, without TF32", "GPU, auto"]
    assert [row[:2] for row in same] == [
        *(["default", one] for one in places),
        ["spaCy CNN", "GPU"],
    ]
    assert [row[3] for row in same if row[1] != "GPU, auto"] == ["100.000"] * 4
    assert not (tmp_path / "GPU.md").exists()


def test_long_training(tmp_path) -> None:
    done = run("--dry-run", "--words", 600, "--config", REPOSITORY / "configs" / "demo.cfg")
    assert done.returncode == 0, done.stdout + done.stderr
    (rows,) = rows_of(done.stdout[done.stdout.index("# On a GPU") :]).values()
    assert [row[0] for row in rows] == ["demo, on the GPU", "demo, on the CPU"]
    assert all(int(row[5].replace(",", "")) >= 600 for row in rows)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a CUDA GPU")
def test_without_a_gpu_it_says_what_is_missing(tmp_path) -> None:
    done = run("--output", tmp_path / "GPU.md")
    assert done.returncode == 1
    assert "finds no CUDA GPU" in done.stderr
    assert "--dry-run" in done.stderr
    assert not (tmp_path / "GPU.md").exists()


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.syspath_prepend(PROGRAM.parent)
    return importlib.import_module("gpu")


@pytest.fixture
def parts(gpu, make_nlp, tmp_path) -> list:
    """A part that fails, and one that does not."""
    nlp = make_nlp()
    nlp.to_disk(tmp_path / "model")
    DocBin(docs=[Doc(nlp.vocab, words=["green", "ham"])]).to_disk(tmp_path / "dev.spacy")
    missing = {"kind": "export", "name": "x", "path": str(tmp_path / "no"), "output": "no"}
    tagger = {"path": str(tmp_path / "model"), "gpu": False}
    memory = {"kind": "memory", "name": "small", "tagger": tagger, "sizes": [3]}
    return [
        gpu.Part("exporting", 1.0, missing),
        gpu.Part("memory", 1.0, {**memory, "data": str(tmp_path / "dev.spacy")}),
    ]


def test_parts_fail_by_themselves(gpu, parts) -> None:
    results = gpu.Results(about={})
    gpu.run_parts(parts, 600, results, together=False)
    assert list(results.failed) == ["exporting"]
    assert "no" in results.failed["exporting"]
    assert results.memory["small"][3] > 0


def test_parts_that_take_too_long_or_have_no_time_are_named(gpu, parts) -> None:
    results = gpu.Results(about={})
    gpu.run_parts(parts[1:], 0.01, results, together=False)
    assert list(results.failed) == ["memory"]
    assert "not within" in results.failed["memory"]
    gpu.run_parts(parts, 300, results, end=time.monotonic() + 1, together=False)
    assert results.left_out == ["exporting", "memory"]
    page = gpu.gpu_report.report(gpu.argparse.Namespace(dry_run=False), results)
    assert "- Failed: memory: " in page
    assert "- Left out, for lack of time: exporting" in page


@pytest.fixture
def simulated(gpu, monkeypatch) -> Iterator[Any]:
    """The tasks, and a simulated GPU for them."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    simulation = importlib.import_module("simulated_gpu")
    memory = {"empty_cache": None, "reset_peak_memory_stats": None, "synchronize": None}
    for name, value in {**memory, "max_memory_allocated": 3 * 2**20}.items():
        monkeypatch.setattr(torch.cuda, name, lambda value=value: value)
    pool = SimpleNamespace(free_all_blocks=lambda: None, total_bytes=lambda: 2**20)
    cupy = SimpleNamespace(get_default_memory_pool=lambda: pool)
    monkeypatch.setattr(gpu.device, "cupy", cupy)
    with simulation.simulated_gpu(monkeypatch):
        ops = get_current_ops()
        monkeypatch.setattr(spacy, "require_gpu", lambda: set_current_ops(ops))
        yield importlib.import_module("measuring.gpu_tasks")


def test_tasks_on_a_simulated_gpu(simulated, make_nlp, randomize, tmp_path) -> None:
    spacy.require_cpu()
    nlp = make_nlp()
    randomize(nlp.get_pipe("lstm_tagger"))
    nlp.to_disk(tmp_path / "model")
    docs = [Doc(nlp.vocab, words=words) for words in (["green", "ham"], ["I", "like", "eggs"])]
    DocBin(docs=docs).to_disk(tmp_path / "dev.spacy")
    data, path = str(tmp_path / "dev.spacy"), str(tmp_path / "model")
    places = {"CPU": {"path": path, "gpu": False}, "GPU": {"path": path, "gpu": True}}
    alone = {"GPU, alone": {"path": path, "gpu": True, "batch": 1, "tf32": False}}
    rows = list(simulated.same(copy.deepcopy({**places, **alone}), data, docs=4, batch=3))
    assert [row["compared"] for row in rows] == ["CPU", "GPU", "GPU, alone"]
    assert all(row["share"] == 1 and row["difference"] < 1e-4 for row in rows)
    assert rows[0]["words"] == 10
    (found,) = simulated.memory(places["GPU"], data, [3])
    assert found == {"size": 3, "MiB": 4.0}
    timed = {name: {**settings, "docs": 4} for name, settings in places.items()}
    timed["gone"] = {"path": str(tmp_path / "gone"), "gpu": False, "docs": 4}
    missing, speeds = simulated.speeds(timed, data, [2], 1, 60.0)
    assert missing["missing"] == "gone"
    assert all(speeds["words a second"][name] > 0 for name in places)


def test_training_on_a_simulated_gpu(simulated, tmp_path) -> None:
    spacy.require_cpu()
    docs = [Doc(spacy.blank("en").vocab, words=["green", "ham"], tags=["J", "N"])]
    DocBin(docs=docs).to_disk(tmp_path / "x.spacy")
    paths = {"paths.train": str(tmp_path / "x.spacy"), "paths.dev": str(tmp_path / "x.spacy")}
    config = str(REPOSITORY / "configs" / "demo.cfg")
    output = str(tmp_path / "trained")
    *_, trained, scored = simulated.train(config, paths, gpu=True, output=output, steps=3)
    assert (trained["words"], trained["peak, MiB"]) == (6, 4.0)
    assert trained["steps a second"] > 0
    assert 0 <= scored["tag_acc"] <= 1
    spacy.require_cpu()
    assert [token.tag_ for token in spacy.load(output)("green ham")]


def test_tables_and_figures_are_written(gpu, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(gpu.gpu_report, "MEASURED", tmp_path / "gpu.json")
    results = gpu.Results(about={"gpu": "X"})
    results.add("speeds", "default", {"size": 256, "words a second": {"default": 1234.0}})
    args = gpu.argparse.Namespace(dry_run=False, output=tmp_path / "GPU.md")
    gpu.gpu_report.write(args, results)
    assert "| default | 1,234 |" in args.output.read_text()
    assert json.loads((tmp_path / "gpu.json").read_text())["speeds"]["256"] == {"default": 1234.0}


@pytest.mark.parametrize(("platform", "unit"), [("linux", 2**10), ("darwin", 1)])
def test_peak_of_the_process_is_in_mebibytes(gpu, platform, unit, monkeypatch) -> None:
    used = SimpleNamespace(ru_maxrss=3 * 2**20 // unit)
    monkeypatch.setattr(gpu.device, "STATUS", Path("no such file"))
    monkeypatch.setattr(gpu.device.sys, "platform", platform)
    monkeypatch.setattr(gpu.device.resource, "getrusage", lambda who: used)
    assert gpu.device.resident_peak() == 3


def test_cupy_is_the_one_for_torchs_cuda(gpu) -> None:
    assert gpu.device.cupy_for("12.8") == "cupy-cuda12x[ctk]"
    assert gpu.device.cupy_for("13.0") == "cupy-cuda13x[ctk]"
    assert gpu.device.cupy_for(None) == ""

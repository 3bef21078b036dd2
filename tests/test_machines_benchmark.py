"""benchmarks/machines.py: how far machines agree, and the page about them."""

import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import srsly

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="QEMU emulates CPUs for programs of Linux alone"
)


@pytest.fixture(autouse=True)
def measuring(monkeypatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    for name in [
        name for name in sys.modules if name.partition(".")[0] in ("measuring", "machines")
    ]:
        monkeypatch.delitem(sys.modules, name)


def run_of(tags: str, annotation: str, scores: list[float]) -> dict[str, numpy.ndarray]:
    rows = numpy.asarray(scores, dtype="float32")[:, None]
    return {
        "tags": numpy.asarray(tags.split()),
        "annotation": numpy.asarray(annotation.split()),
        "scores": rows,
        "probabilities": rows / 8,
    }


def test_words_and_scores_that_differ_are_counted() -> None:
    from measuring.machine_report import Agreement, compare

    native = run_of("N V N X", "a b c d", [1, 2, 3, 4])
    assert compare(native, native) == Agreement(4, 0, 0, 0.0, 0.0)
    other = run_of("N V J X", "a e f d", [1, 2.5, 3, 3.75])
    assert compare(native, other) == Agreement(
        words=4, tags=1, other=1, scores=0.5, probabilities=0.0625
    )


def test_runs_on_other_words_are_not_compared() -> None:
    from measuring.machine_report import compare

    with pytest.raises(ValueError, match=r"other shapes: .*\(2,\).* then .*\(1,\)"):
        compare(run_of("N V", "a b", [1, 2]), run_of("N", "a", [1]))


@pytest.mark.parametrize(
    ("program", "limit", "reason"),
    [
        ("import os, sys; print('no CPU', file=sys.stderr); os._exit(3)", 60, "3: no CPU"),
        ("import os; os.abort()", 60, "-6: no message"),
        ("import time; time.sleep(30)", 1, "stopped after 1 seconds"),
    ],
)
def test_machine_that_fails_is_named_with_the_reason(program, limit, reason) -> None:
    from machines import run_worker
    from measuring.taggers import Unavailable

    with pytest.raises(Unavailable, match=reason):
        run_worker([sys.executable, "-c", program], {}, {"models": {}}, limit)


def test_missing_emulator_says_how_to_get_it(tmp_path) -> None:
    from measuring.emulation import qemu
    from measuring.taggers import Unavailable

    with pytest.raises(Unavailable, match=r"qemu-aarch64.*apt-get install qemu-user.*--qemu"):
        qemu("aarch64", tmp_path)


def test_page_has_what_each_machine_said_and_why_one_is_missing() -> None:
    from measuring.machine_report import Agreement, Machine, report

    says = {"version": "2.9.1", "capability": "DEFAULT", "auto": "float32", "bfloat16": "refused"}
    about = {
        "instructions": ["ASIMD", "FPHP", "ASIMDDP"],
        "python": "3.11.2",
        "versions": {"numpy": "2.4", "onnxruntime": "1.32"},
        "torch": {**says, "bfloat16_claimed": True},
    }
    agreement = Agreement(words=200, tags=1, other=2, scores=0.25, probabilities=0.0)
    machines = {
        "native": Machine({**about, "torch": None}),
        "Arm": Machine(about, {"model, int8": agreement}),
        "old": Machine(failed="ONNX Runtime: /a/folder/python was stopped"),
    }
    page = report(machines, "10.0", "python benchmarks/machines.py")
    for row in (
        "QEMU 10.0, numpy 2.4, ONNX Runtime 1.32, spaCy ",
        "| native | ASIMD, dot product | 3.11.2 | – | – | – | – | – |",
        "| Arm | ASIMD, dot product | 3.11.2 | 2.9.1 | DEFAULT | yes | float32 | refused |",
        "| model, int8 | Arm | 200 | 99.50 % | 1 | 2 | 2.5e-01 | 0 |",
        "- old: ONNX Runtime: python was stopped",
    ):
        assert row in page
    assert "/a/folder" not in page


def test_native_runs_are_measured_and_a_cpu_without_an_emulator_is_listed(
    make_nlp, tmp_path
) -> None:
    make_nlp(steps=30).to_disk(tmp_path / "trained")
    lines = [f"{i}\t{word}" + "\t_" * 8 for i, word in enumerate(["I", "like", "green"], 1)]
    sentences = "\n\n".join(["\n".join(lines), "\n".join(lines[:2]), "\n".join(lines[:1])])
    (tmp_path / "en_ewt-ud-dev.conllu").write_text(f"{sentences}\n\n", encoding="utf8")
    command = [sys.executable, BENCHMARKS / "machines.py", "--models", "", "--sentences", "2"]
    command += ["--trained", tmp_path / "trained", "--data", tmp_path, "--work", tmp_path / "work"]
    command += ["--cpus", "Haswell", "--qemu", tmp_path, "--output", tmp_path]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    measured = srsly.read_json(tmp_path / "measured" / "machines.json")["machines"]
    assert "apt-get install qemu-user" in measured.pop("x86-64 with AVX2 (Haswell)")["failed"]
    assert [found["failed"] for found in measured.values()] == ["", "", ""]
    assert measured["native"]["about"]["torch"]["auto"] in ("float32", "bfloat16")
    for title in ("native, four threads", "native, a sentence at a time"):
        exact, rounded = (measured[title]["models"][f"trained, {p}"] for p in ("float32", "int8"))
        assert exact["words"] == rounded["words"] == 5  # the first and the second sentence
        assert exact["tags"] == rounded["tags"] == 0
        assert exact["scores"] < 1e-5
        assert rounded["scores"] < 0.3
    assert "| trained, int8 | native, four threads | 5 | 100.00 % |" in (
        tmp_path / "MACHINES.md"
    ).read_text(encoding="utf8")

"""What `make versions` is made of: small models that are saved and loaded, and its table."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
MODELS, TABLE = "tools/small_models.py", "tools/version_table.py"
KINDS = ["torch", "float32", "int8"]
VERSIONS = {
    **{"python": "3.10.9", "spacy": "3.8.18", "thinc": "8.3.14", "numpy": "2.2.6"},
    **{"torch": "none", "onnxruntime": "1.23.2"},
}
TESTS = """<testsuites><testsuite errors="1" failures="1" skipped="2" tests="9">
<testcase classname="tests.test_a" name="test_fine"/>
<testcase classname="tests.test_a" name="test_wrong"><failure/></testcase>
<testcase classname="tests.test_b" name="test_torn"><error/></testcase>
</testsuite></testsuites>"""


def run(*command: object) -> subprocess.CompletedProcess:
    parts = [sys.executable, *map(str, command)]
    return subprocess.run(parts, cwd=REPOSITORY, capture_output=True, text=True, encoding="utf8")


def load(*directories: Path) -> dict[str, dict[str, str]]:
    output = directories[0] / "loaded.json"
    loaded = run(MODELS, "load", output, *directories)
    assert loaded.returncode == 0, loaded.stderr
    return json.loads(output.read_text())


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    pytest.importorskip("torch", reason="torch is not installed (the extra [train])")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
    pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
    directory = tmp_path_factory.mktemp("small_models") / "saved"
    done = run(MODELS, "save", directory)
    assert done.returncode == 0, done.stderr
    return directory


def test_small_models_are_loaded_and_a_damaged_one_is_told(saved, tmp_path) -> None:
    damaged = shutil.copytree(saved, tmp_path / "damaged")
    shutil.copytree(saved / "int8", damaged / "float32", dirs_exist_ok=True)
    (damaged / "torch" / "config.cfg").unlink()
    loaded = load(saved, damaged)
    assert loaded["saved"] == dict.fromkeys(KINDS, "same")
    assert loaded["damaged"]["int8"] == "same"
    assert loaded["damaged"]["float32"].startswith("scores differ by ")
    assert loaded["damaged"]["torch"].startswith("OSError: [E053]")


def test_table_shows_each_environment_and_what_went_wrong(tmp_path) -> None:
    done = tmp_path / "3.10"
    done.mkdir()
    (done / "versions.json").write_text(json.dumps(VERSIONS))
    (done / "python").write_text("")
    (done / "tests.xml").write_text(TESTS)
    outcomes = {"torch": "needs torch", "float32": "same", "int8": "3 words differ"}
    (done / "loaded.json").write_text(json.dumps({"3.11": outcomes}))
    missing = tmp_path / "3.11-oldest"
    missing.mkdir()
    (missing / "install.log").write_text("Collecting\nERROR: No matching distribution\nnote")
    stopped = tmp_path / "3.12"
    stopped.mkdir()
    (stopped / "install.log").write_text("Collecting\nSuccessfully installed spacy\n")
    table = run(TABLE, tmp_path, "3.10", "3.11-oldest", "3.12", "2.1")
    assert table.returncode == 1
    assert table.stdout.splitlines()[2:] == [
        "| 3.10 | 3.10.9 | 3.8.18 | 8.3.14 | 2.2.6 | none | 1.23.2 | 5 passed, 2 failed, 2 skipped "
        "| 1 same, 1 needs torch, 1 not the same |",
        "| 3.11-oldest |  |  |  |  |  |  | could not be had: No matching distribution |  |",
        "| 3.12 |  |  |  |  |  |  | not run: stopped while it was installed |  |",
        "| 2.1 |  |  |  |  |  |  | could not be had: no python2.1 on PATH |  |",
        "",
        "3.10: tests.test_a::test_wrong failed",
        "3.10: tests.test_b::test_torn failed",
        "3.10: int8 of 3.11: 3 words differ",
    ]


def test_what_cannot_be_had_is_not_an_error(tmp_path) -> None:
    assert run(TABLE, tmp_path, "2.1").returncode == 0

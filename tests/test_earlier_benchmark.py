"""benchmarks/earlier.py: one small run, of this checkout against itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from spacy.tokens import Doc, DocBin

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")

REPOSITORY = Path(__file__).parent.parent


def run(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, REPOSITORY / "benchmarks" / "earlier.py", *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


def test_ratios_of_two_checkouts_are_printed(make_nlp, tmp_path) -> None:
    nlp = make_nlp()
    nlp.to_disk(tmp_path / "model")
    docs = [Doc(nlp.vocab, words=["I", "like", "ham"], sent_starts=[True, False, False])] * 3
    DocBin(docs=docs).to_disk(tmp_path / "dev.spacy")
    done = run(REPOSITORY, tmp_path / "model", tmp_path / "dev.spacy", "--rounds", 1)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "ready docs of a sentence",
        "texts of 10 sentences",
        "one sentence of 20 words at a time",
    ]
    for line in lines:
        ratio, earlier, now = map(float, re.findall(r"\d+\.\d+", line))
        assert ratio > 0
        assert min(earlier, now) >= 0


def test_what_a_checkout_cannot_load_is_said(tmp_path) -> None:
    (tmp_path / "model").mkdir()
    DocBin().to_disk(tmp_path / "dev.spacy")
    done = run(REPOSITORY, tmp_path / "model", tmp_path / "dev.spacy")
    assert done.returncode == 1
    assert "config.cfg" in done.stderr
    assert not done.stdout

"""`benchmarks/annotate.py`, on a few texts."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="pyarrow is not installed ([annotate])")

PROGRAM = Path(__file__).parent.parent / "benchmarks" / "annotate.py"


@pytest.mark.slow
def test_ways_take_turns_and_the_page_is_written(make_nlp, tmp_path) -> None:
    nlp = make_nlp([("I like ham", {"tags": ["N", "V", "N"]})], steps=5)
    nlp.to_disk(tmp_path / "small")
    lines = (json.dumps({"text": f"I like ham {i}"}) + "\n" for i in range(50))
    with gzip.open(tmp_path / "raw_en.jsonl.gz", "wt") as file:
        file.writelines(lines)
    command = [sys.executable, PROGRAM, tmp_path / "small", "--words", "400", "--rounds", "1"]
    command += ["--rate", f"{tmp_path / 'small'}=again", "--shards", "20", "--output", tmp_path]
    environment = {**os.environ, "SPACY_LSTM_TAGGER_DATA": str(tmp_path)}
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "measured" / "annotate.json").read_text())
    small = found["models"]["small"]
    assert small["differing"] == {"1 process": 0, "2 processes": 0}
    assert (small["tokens"], small["attributes"]) == (400, ["tag"])
    assert found["rates"].keys() == {"again"}
    page = (tmp_path / "ANNOTATE.md").read_text()
    assert page.startswith("# Annotating a corpus, measured\n")
    assert "\n| 2 processes | " in page
    assert "Of 20 shards" in page

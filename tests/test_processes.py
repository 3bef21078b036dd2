"""Several processes: none hangs, all agree, and training twice gives the same files.

Each test runs a script of its own, for a start method is chosen once a process, and a hang must
not take the other tests with it.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training import Example

PIPE_SCRIPT = """
import multiprocessing
import sys

import spacy
import torch

if __name__ == "__main__":
    model, method, threads = sys.argv[1:]
    multiprocessing.set_start_method(method)
    torch.set_num_threads(int(threads))
    nlp = spacy.load(model)
    torch.randn(600, 600) @ torch.randn(600, 600)  # starts the threads of the parent
    texts = ["I like green eggs", "Eat blue ham", "", "Ham"] * 10
    alone = [[token.tag_ for token in doc] for doc in nlp.pipe(texts)]
    assert torch.get_num_threads() == int(threads)
    docs = nlp.pipe(texts, n_process=2, batch_size=5)
    assert [[token.tag_ for token in doc] for doc in docs] == alone
    assert alone[0] == ["N", "V", "J", "N"]
    assert torch.get_num_threads() == int(threads)
    print("the same tags")
"""

FORKS_SCRIPT = """
import os
import sys
import threading
import time

import spacy

nlp = spacy.load(sys.argv[1])
text = " ".join(["word"] * 40)
nlp(text)


def fork():
    child = os.fork()
    if not child:
        nlp(text)
        os._exit(0)
    end = time.monotonic() + 30
    while not os.waitpid(child, os.WNOHANG)[0]:
        if time.monotonic() > end:
            os.kill(child, 9)
            sys.exit("a forked process hangs")
        time.sleep(0.002)


for _ in range(300):
    threads = [threading.Thread(target=nlp, args=(text,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fork()
print("all forked processes ended")
"""


def run(*command: object, timeout: int = 120, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_two_processes_after_torch_ran_with_threads(make_nlp, tmp_path, method: str) -> None:
    """A forked child of a parent with running torch threads once waited for them forever."""
    make_nlp(steps=40).to_disk(tmp_path / "model")
    script = tmp_path / "script.py"
    script.write_text(PIPE_SCRIPT)
    # the variable may stand at 1, and no more threads would start
    done = run(script, tmp_path / "model", method, 2, OMP_NUM_THREADS="2")
    assert done.returncode == 0, done.stderr
    assert "the same tags" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
def test_processes_forked_when_threads_have_just_ended(make_nlp, tmp_path) -> None:
    """Such a process could inherit a lock of MKL, held by a thread that was about to end."""
    data = [(" ".join(["word"] * 50), {"tags": [f"T{i}" for i in range(50)]})]
    make_nlp(data, model={"width": 256}).to_disk(tmp_path / "model")
    script = tmp_path / "script.py"
    script.write_text(FORKS_SCRIPT)
    done = run(script, tmp_path / "model", timeout=300, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    assert "all forked processes ended" in done.stdout


@pytest.fixture
def training_directory(small_config, train_data, tmp_path: Path) -> Path:
    """Return a directory with a config and a corpus that the config names."""
    nlp = spacy.blank("en")
    docs = [Example.from_dict(nlp.make_doc(text), gold).reference for text, gold in train_data]
    DocBin(docs=docs * 5).to_disk(tmp_path / "corpus.spacy")
    nlp.add_pipe("lstm_tagger", config=small_config)
    reader = {"@readers": "spacy.Corpus.v1", "path": "corpus.spacy"}
    optimizer = {"@optimizers": "Adam.v1", "use_averages": True}
    config = nlp.config.copy()
    config["corpora"] = {"train": reader, "dev": reader}
    config["training"].update(seed=3, dropout=0.3, max_steps=6, eval_frequency=3)
    config["training"]["optimizer"] = optimizer
    config.to_disk(tmp_path / "config.cfg")
    return tmp_path


def test_training_twice_gives_the_same_files(training_directory: Path) -> None:
    for output in ("first", "second"):
        done = subprocess.run(
            [sys.executable, "-m", "spacy", "train", "config.cfg", "--output", output],
            cwd=training_directory,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    first, second = training_directory / "first", training_directory / "second"
    files = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    assert Path("model-best/lstm_tagger/model") in files
    assert Path("model-last/lstm_tagger/model") in files
    assert files == sorted(p.relative_to(second) for p in second.rglob("*") if p.is_file())
    for file in files:
        assert (first / file).read_bytes() == (second / file).read_bytes(), file

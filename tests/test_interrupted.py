"""Training that is interrupted leaves models that load, and from which it goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training import Example

REPOSITORY = Path(__file__).parent.parent

if os.name != "posix":
    pytest.skip("signals and limits of files are those of POSIX", allow_module_level=True)

FULL_DISK = """
import resource
from pathlib import Path
from spacy.cli.train import train
from spacy_lstm_tagger.pipeline.tagger import LSTMTagger

to_disk, n_saved = LSTMTagger.to_disk, 0

def fill_and_save(self, path, **settings):
    global n_saved
    n_saved += 1
    if n_saved == 20:
        size = Path("output/model-best/lstm_tagger/model").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, -1))
    to_disk(self, path, **settings)

LSTMTagger.to_disk = fill_and_save
train("config.cfg", "output")
"""


@pytest.fixture
def corpus(small_config, train_data, tmp_path: Path) -> Path:
    """A directory with a corpus and a config that trains for long."""
    nlp = spacy.blank("en")
    docs = [Example.from_dict(nlp.make_doc(text), gold).reference for text, gold in train_data]
    DocBin(docs=docs * 5).to_disk(tmp_path / "corpus.spacy")
    nlp.add_pipe("lstm_tagger", config=small_config)
    reader = {"@readers": "spacy.Corpus.v1", "path": "corpus.spacy"}
    config = nlp.config.copy()
    config["corpora"] = {"train": reader, "dev": reader}
    config["training"].update(max_steps=100_000, patience=0, eval_frequency=5)
    config["training"]["optimizer"] = {"@optimizers": "Adam.v1", "learn_rate": 0.01}
    config.to_disk(tmp_path / "config.cfg")
    return tmp_path


def train(corpus: Path, *overrides: str) -> list[str]:
    return [sys.executable, "-m", "spacy", "train", "config.cfg", "--output", "output", *overrides]


def heed_interrupts() -> None:
    """Undo what a shell does to background jobs, which inherit that they ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def tags(path: Path) -> list[str]:
    return [token.tag_ for token in spacy.load(path)("Eat blue ham")]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=str)
def test_interrupted_training_leaves_models_that_load_and_learn_on(how, corpus: Path) -> None:
    output = corpus / "output"
    # spaCy removes the best model before it copies the last one there, after every evaluation that
    # is not worse: interrupted just then, there is none. So there is but one, long before.
    command = train(corpus, "--training.eval_frequency", "3000")
    with subprocess.Popen(
        command,
        cwd=corpus,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=heed_interrupts,
    ) as run:
        for _ in range(1200):
            if (output / "model-best" / "meta.json").exists() or run.poll() is not None:
                break
            time.sleep(0.1)
        time.sleep(1)
        run.send_signal(how)
        assert run.wait(60) != 0 or how == signal.SIGINT
    assert all(tags(output / "model-best"))
    if how == signal.SIGINT:  # spaCy saves once more; else there may be no last model
        assert all(tags(output / "model-last"))
        config = spacy.util.load_config(corpus / "config.cfg")
        config["components"]["lstm_tagger"] = {"source": str(output / "model-last")}
        config["training"]["max_steps"] = 40
        config.to_disk(corpus / "config.cfg")
        done = subprocess.run(train(corpus), cwd=corpus, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert tags(output / "model-last") == ["V", "J", "N"]
        assert spacy.load(output / "model-best").meta["performance"]["tag_acc"] == 1.0


def test_full_disk_while_training_leaves_the_best_model(corpus: Path) -> None:
    """A file may not grow beyond a limit, which stands for a disk that is full.

    It is full as the last model is saved, which spaCy copies to the best one only afterwards. spaCy
    writes the other files of the last model in place: of that, our component is whole.
    """
    (corpus / "full.py").write_text(FULL_DISK)
    done = subprocess.run(
        [sys.executable, "full.py"], cwd=corpus, capture_output=True, text=True, timeout=120
    )
    assert done.returncode != 0
    assert "File too large" in done.stderr or "File too large" in done.stdout
    assert tags(corpus / "output" / "model-best") == ["V", "J", "N"]
    nlp = spacy.load(corpus / "output" / "model-best")
    tagger = nlp.get_pipe("lstm_tagger")
    tagger.from_disk(corpus / "output" / "model-last" / "lstm_tagger", exclude=["vocab"])
    assert [token.tag_ for token in nlp("Eat blue ham")] == ["V", "J", "N"]


def test_soak_of_some_seconds() -> None:
    script = REPOSITORY / "benchmarks" / "soak.py"
    done = subprocess.run(
        [sys.executable, str(script), "--minutes", "0.1"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the same annotation in all" in done.stdout


def test_stream_of_unseen_words_in_memory_zones() -> None:
    script = REPOSITORY / "benchmarks" / "zones.py"
    done = subprocess.run(
        [sys.executable, str(script), "--words", "100000", "--unseen", "0.3"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "30% of them never seen before" in done.stdout

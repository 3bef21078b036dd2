"""Every command of `python -m spacy` that a user meets, as they would run it: without --code."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from click.testing import Result
from numpy.testing import assert_array_equal
from spacy.cli.debug_config import debug_config
from spacy.cli.init_config import fill_config
from spacy.cli.train import train as train_config
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training.converters import conllu_to_docs
from thinc.api import Config
from typer.testing import CliRunner

from spacy_lstm_tagger.cli import lstm_tagger_cli

REPOSITORY = Path(__file__).parent.parent
CORPUS = REPOSITORY / "corpus"
DEMO_CONFIG = REPOSITORY / "configs" / "demo.cfg"

# Enough for the two textbook sentences, in a second.
QUICK = {
    "training.max_steps": 40,
    "training.eval_frequency": 20,
    "training.dropout": 0.0,
    "components.lstm_tagger.model.min_word_freq": 1,
    "components.lstm_tagger.model.word_width": 16,
    "components.lstm_tagger.model.char_width": 8,
    "components.lstm_tagger.model.width": 16,
    "training.optimizer.learn_rate.schedule.warmup_steps": 1,
    "training.optimizer.learn_rate.schedule.initial_rate": 0.02,
}

# A vocabulary and labels from files, for a corpus that is streamed.
FROM_FILES = """[initialize.components]

[initialize.components.lstm_tagger]

[initialize.components.lstm_tagger.labels]
@readers = "spacy.read_labels.v1"
path = "{labels}"
require = true

[initialize.components.lstm_tagger.vocabulary]
@readers = "spacy.read_labels.v1"
path = "{vocabulary}"
require = true
"""

LABELS_FROM_FILE = """[initialize.components]

[initialize.components.lstm_tagger]

[initialize.components.lstm_tagger.labels]
@readers = "spacy.read_labels.v1"
path = "{labels}"
require = true
"""

SOURCED = """
[paths]
train = null
dev = null

[nlp]
lang = "en"
pipeline = ["sentencizer","lstm_tagger"]

[components]

[components.sentencizer]
factory = "sentencizer"

[components.lstm_tagger]
source = "{model}"
"""

PRETRAINED = """
[paths]
train = null
dev = null
raw_text = null
init_tok2vec = null

[nlp]
lang = "en"
pipeline = ["tok2vec","lstm_tagger"]

[components]

[components.tok2vec]
factory = "tok2vec"

[components.tok2vec.model]
@architectures = "spacy.Tok2Vec.v2"

[components.tok2vec.model.embed]
@architectures = "spacy.MultiHashEmbed.v2"
width = 16
attrs = ["NORM","SUFFIX"]
rows = [200,100]
include_static_vectors = false

[components.tok2vec.model.encode]
@architectures = "spacy-lstm-tagger.LSTMEncoder.v1"
width = 16
depth = 1

[components.lstm_tagger]
factory = "lstm_tagger"

[components.lstm_tagger.model]
@architectures = "spacy.Tagger.v2"

[components.lstm_tagger.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = 16

[corpora]

[corpora.pretrain]
@readers = "spacy.JsonlCorpus.v1"
path = ${paths.raw_text}

[corpora.train]
@readers = "spacy.Corpus.v1"
path = ${paths.train}

[corpora.dev]
@readers = "spacy.Corpus.v1"
path = ${paths.dev}

[pretraining]
component = "tok2vec"
corpus = "corpora.pretrain"
max_epochs = 2
n_save_every = null

[pretraining.objective]
@architectures = "spacy.PretrainCharacters.v1"
maxout_pieces = 2
hidden_size = 16
n_characters = 2

[initialize]
init_tok2vec = ${paths.init_tok2vec}
"""


def run_spacy(*args: object, cwd: Path | None = None, fails: bool = False) -> str:
    """Run `python -m spacy ...` in a process of its own and return what it printed.

    cwd: where to run it: not in the source tree, which would hide the installed package.
    fails: whether a non-zero exit code is what is expected.
    """
    command = [sys.executable, "-m", "spacy", *map(str, args)]
    result = subprocess.run(
        command,
        cwd=cwd or tempfile.gettempdir(),
        env={**os.environ, "OMP_NUM_THREADS": "1", "ANSI_COLORS_DISABLED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf8",
    )
    if (result.returncode != 0) is not fails:
        pytest.fail(f"{' '.join(command)}\nexited {result.returncode}:\n{result.stdout}")
    return result.stdout


def run_own(*args: object) -> Result:
    """Run `spacy lstm-tagger ...` in this process."""
    return CliRunner().invoke(lstm_tagger_cli, [str(arg) for arg in args])


def train(config: Path, output: Path, corpus: Path, *options: object) -> str:
    """Train on a corpus, evaluate on the same, for a few steps."""
    paths = ("--paths.train", corpus, "--paths.dev", corpus)
    return run_spacy("train", config, "--output", output, *paths, *options)


def train_here(
    config: Path, output: Path, corpus: Path, overrides: dict[str, Any] | None = None
) -> Language:
    """Do the same in this process, which saves starting one, and load the last model."""
    paths = {"paths.train": str(corpus), "paths.dev": str(corpus)}
    train_config(config, output, overrides={**paths, **(overrides or {})})
    return spacy.load(output / "model-last")


def docs_in(path: Path) -> list[Doc]:
    """Docs of a .spacy file."""
    return list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))


def tags_in(path: Path) -> list[list[str]]:
    """Tags of the docs of a .spacy file."""
    return [[token.tag_ for token in doc] for doc in docs_in(path)]


def files_in(directory: Path) -> dict[str, bytes]:
    """Contents of all files in a directory, by their relative path."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for what the tests of this module share."""
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="module")
def corpus(workspace: Path) -> Path:
    """The two textbook sentences, converted."""
    run_spacy("convert", CORPUS / "textbook.conllu", workspace, "--converter", "conllu", "-n", 1)
    return workspace / "textbook.spacy"


@pytest.fixture(scope="module")
def quick_config(workspace: Path, corpus: Path) -> Path:
    """demo.cfg, cut down, with the paths and the tokenizer filled in."""
    overrides = {**QUICK, "paths.train": str(corpus), "paths.dev": str(corpus)}
    config = Config().from_disk(DEMO_CONFIG, interpolate=False, overrides=overrides)
    path = workspace / "quick.cfg"
    config.to_disk(path)
    fill_config(path, path, silent=True)
    return path


@pytest.fixture(scope="module")
def trained(workspace: Path, corpus: Path, quick_config: Path) -> Path:
    """Output directory of `spacy train`."""
    output = workspace / "trained"
    train(quick_config, output, corpus)
    return output


@pytest.fixture(scope="module")
def model(trained: Path) -> Path:
    """A trained pipeline that knows the textbook sentences."""
    return trained / "model-last"


@pytest.fixture(scope="module")
def texts(workspace: Path) -> Path:
    """Four raw texts, one JSON object a line."""
    path = workspace / "texts.jsonl"
    sentences = ["The child drew a letter.", "Nobody drew that horse.", "Nobody opened a letter."]
    srsly.write_jsonl(path, [{"text": text} for text in [*sentences, " ".join(sentences)]])
    return path


@pytest.fixture(scope="module")
def labels_directory(workspace: Path, quick_config: Path) -> Path:
    """Output directory of `spacy init labels`."""
    run_spacy("init", "labels", quick_config, workspace / "labels")
    return workspace / "labels"


@pytest.fixture(scope="module")
def vocabulary_file(workspace: Path, corpus: Path) -> Path:
    """Output of `spacy lstm-tagger vocab`."""
    run_spacy("lstm-tagger", "vocab", corpus, workspace / "vocabulary.json")
    return workspace / "vocabulary.json"


@pytest.fixture(scope="module")
def pretraining_config(workspace: Path) -> Path:
    """A config whose shared encoder can be pretrained."""
    path = workspace / "partial-pretraining.cfg"
    path.write_text(PRETRAINED, encoding="utf8")
    full = workspace / "pretraining.cfg"
    run_spacy("init", "fill-config", path, full, "--pretraining")
    return full


@pytest.fixture(scope="module")
def pretrained(workspace: Path, pretraining_config: Path, texts: Path) -> Path:
    """Weights of the encoder from `spacy pretrain`."""
    output = workspace / "pretrained"
    run_spacy("pretrain", pretraining_config, output, "--paths.raw_text", texts)
    return output / "model-last.bin"


def write_with_initialization(config: Path, path: Path, block: str) -> Path:
    """Write a config whose [initialize] has a block more."""
    text = config.read_text(encoding="utf8").replace("[initialize.components]\n", block)
    path.write_text(text, encoding="utf8")
    return path


def test_convert_keeps_words_and_tags(corpus: Path) -> None:
    assert [[token.text for token in doc] for doc in docs_in(corpus)] == [
        ["The", "child", "drew", "a", "horse", "."],
        ["Nobody", "opened", "that", "letter", "."],
    ]
    assert tags_in(corpus) == [
        ["DT", "NN", "VBD", "DT", "NN", "."],
        ["NN", "VBD", "DT", "NN", "."],
    ]


def test_train_saves_the_best_and_the_last_model(trained: Path) -> None:
    for name in ("model-best", "model-last"):
        meta = srsly.read_json(trained / name / "meta.json")
        assert meta["pipeline"] == ["lstm_tagger"]
        assert meta["labels"]["lstm_tagger"] == [".", "DT", "NN", "VBD"]
        assert meta["performance"]["tag_acc"] == 1.0


def test_same_seed_gives_the_same_files(
    workspace: Path, corpus: Path, quick_config: Path, trained: Path
) -> None:
    again = workspace / "again"
    train(quick_config, again, corpus)
    assert files_in(again / "model-last") == files_in(trained / "model-last")


def test_another_seed_gives_other_weights(
    workspace: Path, corpus: Path, quick_config: Path, trained: Path
) -> None:
    other = workspace / "other"
    train_here(quick_config, other, corpus, {"system.seed": 1})
    model_file = Path("model-last") / "lstm_tagger" / "model"
    assert (other / model_file).read_bytes() != (trained / model_file).read_bytes()


@pytest.mark.parametrize(
    "command", [("evaluate",), ("evaluate", "--gold-preproc"), ("benchmark", "accuracy")]
)
def test_evaluation_writes_the_accuracy(
    command: tuple[str, ...], model: Path, corpus: Path, tmp_path: Path
) -> None:
    metrics = tmp_path / "metrics.json"
    output = run_spacy(*command, model, corpus, "--output", metrics)
    assert re.search(r"TAG +100\.00", output)
    assert srsly.read_json(metrics)["tag_acc"] == 1.0


def test_benchmark_speed_reports_words_per_second(model: Path, corpus: Path) -> None:
    output = run_spacy("benchmark", "speed", model, corpus, "--warmup", 1, "--batches", 30)
    assert re.search(r"Mean: [\d.]+ words/s", output)


def test_apply_writes_docs_with_tags(model: Path, texts: Path, tmp_path: Path) -> None:
    output = tmp_path / "tagged.spacy"
    run_spacy("apply", model, texts, output)
    assert tags_in(output)[:3] == [
        ["DT", "NN", "VBD", "DT", "NN", "."],
        ["NN", "VBD", "DT", "NN", "."],
        ["NN", "VBD", "DT", "NN", "."],
    ]


def test_apply_reads_docs_and_uses_processes(model: Path, corpus: Path, tmp_path: Path) -> None:
    output = tmp_path / "tagged.spacy"
    run_spacy("apply", model, corpus, output, "--n-process", 2)
    assert tags_in(output) == tags_in(corpus)


def test_debug_config_finds_no_fault(quick_config: Path) -> None:
    assert "Config is valid" in run_spacy("debug", "config", quick_config)


def test_debug_config_names_a_wrong_setting(quick_config: Path) -> None:
    wrong = ("--components.lstm_tagger.model.cell", "lstn")
    output = run_spacy("debug", "config", quick_config, *wrong, fails=True)
    assert "cell is 'lstn', but must be one of 'lstm', 'gru', 'rnn'" in output


def test_debug_data_reads_the_corpus(quick_config: Path, tmp_path: Path) -> None:
    for name in ("en-train", "en-dev"):
        text = (CORPUS / f"{name}.conllu").read_text(encoding="utf8")
        DocBin(docs=conllu_to_docs(text, n_sents=1)).to_disk(tmp_path / f"{name}.spacy")
    paths = ("--paths.train", tmp_path / "en-train.spacy", "--paths.dev", tmp_path / "en-dev.spacy")
    output = run_spacy("debug", "data", quick_config, *paths)
    assert "Pipeline can be initialized with data" in output
    assert "No overlap between training and evaluation data" in output
    assert "Training pipeline: lstm_tagger" in output


def test_debug_model_trains_and_predicts(quick_config: Path) -> None:
    options = ("--print-step0", "--print-step2", "--print-step3", "--dimensions", "--parameters")
    output = run_spacy("debug", "model", quick_config, "lstm_tagger", *options)
    assert "lstm_tagger_features>>lstm_tagger_network" in output
    assert "STEP 3 - prediction" in output
    assert "model looks good" in output


def test_debug_profile_runs_the_pipeline(model: Path, texts: Path, tmp_path: Path) -> None:
    output = run_spacy("debug", "profile", model, texts, cwd=tmp_path)
    assert "Profile stats" in output
    assert re.search(r"word_forms\.py:\d+\(forward\)", output)


def test_init_config_makes_a_config_that_trains(corpus: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.cfg"
    run_spacy("init", "config", config, "--lang", "en", "--pipeline", "lstm_tagger")
    debug_config(config, overrides={"paths.train": str(corpus), "paths.dev": str(corpus)})
    steps = ("--training.max_steps", 2, "--training.eval_frequency", 2)
    train(config, tmp_path / "output", corpus, *steps)
    assert spacy.load(tmp_path / "output" / "model-last").pipe_names[-1] == "lstm_tagger"


def test_fill_config_adds_the_defaults(tmp_path: Path) -> None:
    partial = tmp_path / "partial.cfg"
    partial.write_text(
        '[nlp]\nlang = "en"\npipeline = ["lstm_tagger"]\n\n'
        '[components]\n\n[components.lstm_tagger]\nfactory = "lstm_tagger"\n\n'
        "[components.lstm_tagger.model]\n"
        '@architectures = "spacy-lstm-tagger.LSTMTagger.v1"\nwidth = 64\ncell = "gru"\n',
        encoding="utf8",
    )
    run_spacy("init", "fill-config", partial, tmp_path / "full.cfg")
    tagger = Config().from_disk(tmp_path / "full.cfg", interpolate=False)["components"][
        "lstm_tagger"
    ]
    assert tagger["neg_prefix"] == "!"
    assert (tagger["model"]["width"], tagger["model"]["cell"]) == (64, "gru")
    assert (tagger["model"]["depth"], tagger["model"]["bidirectional"]) == (2, True)


def test_init_labels_writes_the_labels(labels_directory: Path) -> None:
    assert srsly.read_json(labels_directory / "lstm_tagger.json") == [".", "DT", "NN", "VBD"]


def test_training_reads_the_labels_file(quick_config: Path, corpus: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.json"
    srsly.write_json(labels, [".", "DT", "JJ", "NN", "VBD"])
    block = LABELS_FROM_FILE.format(labels=labels)
    config = write_with_initialization(quick_config, tmp_path / "labels.cfg", block)
    tagger = train_here(config, tmp_path / "output", corpus).get_pipe("lstm_tagger")
    assert tagger.labels == (".", "DT", "JJ", "NN", "VBD")


@pytest.mark.parametrize(
    "name", ["spacy-lstm-tagger.LSTMTagger.v1", "spacy-lstm-tagger.LSTMEncoder.v1"]
)
def test_find_function_knows_the_architectures(name: str) -> None:
    output = run_spacy("find-function", name, "--registry", "architectures")
    assert "spacy_lstm_tagger/architectures.py" in "".join(output.split())


@pytest.fixture(scope="module")
def sourced_config(workspace: Path, model: Path) -> Path:
    """A config that takes the trained tagger as it is."""
    partial, full = workspace / "partial-sourced.cfg", workspace / "sourced.cfg"
    partial.write_text(SOURCED.format(model=model), encoding="utf8")
    fill_config(full, partial)
    return full


def test_assemble_sources_a_trained_tagger(
    sourced_config: Path, model: Path, texts: Path, tmp_path: Path
) -> None:
    run_spacy("assemble", sourced_config, tmp_path / "assembled")
    original, assembled = spacy.load(model), spacy.load(tmp_path / "assembled")
    assert assembled.pipe_names == ["sentencizer", "lstm_tagger"]
    for line in srsly.read_jsonl(texts):
        doc = assembled(line["text"])
        assert [t.tag_ for t in doc] == [t.tag_ for t in original(line["text"])]


def test_training_resumes_from_a_sourced_tagger(
    sourced_config: Path, corpus: Path, tmp_path: Path
) -> None:
    steps = ("--training.max_steps", 4, "--training.eval_frequency", 2)
    output = train(sourced_config, tmp_path / "output", corpus, *steps, "--verbose")
    assert "Resuming training for: ['lstm_tagger']" in output
    meta = srsly.read_json(tmp_path / "output" / "model-last" / "meta.json")
    assert meta["performance"]["tag_acc"] == 1.0


def test_package_writes_an_installable_directory(model: Path, tmp_path: Path) -> None:
    run_spacy("package", model, tmp_path, "--build", "none", "--name", "textbook")
    package = tmp_path / "en_textbook-0.0.0"
    assert (package / "setup.py").is_file()
    assert (package / "en_textbook" / "en_textbook-0.0.0" / "lstm_tagger" / "model").is_file()


def test_training_starts_from_pretrained_weights(
    pretrained: Path, pretraining_config: Path, corpus: Path, tmp_path: Path
) -> None:
    options = (
        *("--paths.init_tok2vec", pretrained),
        *("--training.frozen_components", '["tok2vec"]'),
        *("--training.annotating_components", '["tok2vec"]'),
        *("--training.max_steps", 2, "--training.eval_frequency", 1),
    )
    train(pretraining_config, tmp_path / "output", corpus, *options)
    nlp = spacy.load(tmp_path / "output" / "model-last")
    encoder = nlp.get_pipe("tok2vec").model
    doc = nlp.make_doc("The child opened that letter.")
    (rows,) = encoder.predict([doc])
    (expected,) = encoder.copy().from_bytes(pretrained.read_bytes()).predict([doc])
    assert rows.any()
    assert_array_equal(rows, expected)


def test_pretrained_weights_can_be_trained_on(
    pretrained: Path, pretraining_config: Path, corpus: Path, tmp_path: Path
) -> None:
    overrides = {
        "paths.init_tok2vec": str(pretrained),
        "training.max_steps": 60,
        "training.eval_frequency": 20,
        "training.optimizer.learn_rate": 0.02,
    }
    nlp = train_here(pretraining_config, tmp_path / "output", corpus, overrides)
    assert nlp.meta["performance"]["tag_acc"] == 1.0


def test_vocab_counts_words_and_characters(vocabulary_file: Path) -> None:
    vocabulary = srsly.read_json(vocabulary_file)
    assert set(vocabulary) == {"words", "characters"}
    assert vocabulary["words"]["the"] == 1
    assert vocabulary["words"]["."] == 2
    assert sum(vocabulary["words"].values()) == 11
    assert vocabulary["characters"]["T"] == 1


def test_vocab_of_a_directory_is_that_of_its_files(
    corpus: Path, vocabulary_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "corpus" / "part").mkdir(parents=True)
    for number, doc in enumerate(docs_in(corpus)):
        DocBin(docs=[doc]).to_disk(tmp_path / "corpus" / "part" / f"{number}.spacy")
    run_own("vocab", tmp_path / "corpus", tmp_path / "vocabulary.json")
    assert srsly.read_json(tmp_path / "vocabulary.json") == srsly.read_json(vocabulary_file)


def test_a_streamed_corpus_trains_with_vocabulary_and_labels_from_files(
    quick_config: Path, corpus: Path, labels_directory: Path, vocabulary_file: Path, tmp_path: Path
) -> None:
    block = FROM_FILES.format(
        labels=labels_directory / "lstm_tagger.json", vocabulary=vocabulary_file
    )
    config = write_with_initialization(quick_config, tmp_path / "streamed.cfg", block)
    train(config, tmp_path / "output", corpus, "--training.max_epochs", -1)
    meta = srsly.read_json(tmp_path / "output" / "model-last" / "meta.json")
    assert meta["performance"]["tag_acc"] == 1.0


def test_a_given_vocabulary_takes_the_place_of_the_corpus(
    quick_config: Path, corpus: Path, labels_directory: Path, tmp_path: Path
) -> None:
    vocabulary = {"words": {"horse": 5, "zebra": 7}, "characters": {"h": 2, "z": 1}}
    srsly.write_json(tmp_path / "vocabulary.json", vocabulary)
    block = FROM_FILES.format(
        labels=labels_directory / "lstm_tagger.json", vocabulary=tmp_path / "vocabulary.json"
    )
    config = write_with_initialization(quick_config, tmp_path / "streamed.cfg", block)
    streamed = {"training.max_epochs": -1, "training.max_steps": 2}
    tagger = train_here(config, tmp_path / "output", corpus, streamed).get_pipe("lstm_tagger")
    (learned,) = [
        node.attrs["vocabulary"] for node in tagger.model.walk() if "vocabulary" in node.attrs
    ]
    assert learned.to_dict() == {**vocabulary, "language": "en"}


def test_tag_prints_a_table(model: Path) -> None:
    output = run_spacy("lstm-tagger", "tag", model, "The child drew a horse.")
    header, _, *rows = [line.split() for line in output.splitlines() if line.strip()]
    assert header == ["Word", "Tag", "Meaning", "Probability"]
    assert [row[:2] for row in rows] == [
        ["The", "DT"],
        ["child", "NN"],
        ["drew", "VBD"],
        ["a", "DT"],
        ["horse", "NN"],
        [".", "."],
    ]
    assert all(0.5 < float(row[-1]) <= 1.0 for row in rows)


@pytest.mark.parametrize("text", ["", " ", "\n", "好"])
def test_tag_of_any_text_is_no_error(text: str, model: Path) -> None:
    assert run_own("tag", model, text).exit_code == 0


def test_a_missing_corpus_is_an_error_at_the_command_line(tmp_path: Path) -> None:
    target = tmp_path / "vocabulary.json"
    output = run_spacy("lstm-tagger", "vocab", tmp_path / "no", target, fails=True)
    assert "does not exist" in output
    assert "Traceback" not in output
    assert not target.exists()


def assert_refused(result: Result, message: str, target: Path | None = None) -> None:
    """Assert that a command ended with one line, not with an exception, and wrote nothing."""
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert message in result.stderr
    assert (result.stdout, len(result.stderr.splitlines())) == ("", 1)
    assert target is None or not target.exists()


def test_vocab_of_an_empty_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    target = tmp_path / "vocabulary.json"
    done = run_own("vocab", tmp_path / "empty", target)
    assert_refused(done, "there are no .spacy files", target)


def test_vocab_of_no_words_is_an_error(tmp_path: Path) -> None:
    DocBin().to_disk(tmp_path / "none.spacy")
    target = tmp_path / "vocabulary.json"
    result = run_own("vocab", tmp_path / "none.spacy", target)
    assert_refused(result, "there are no words in it", target)


def test_vocab_of_another_kind_of_file_is_an_error(tmp_path: Path) -> None:
    target = tmp_path / "vocabulary.json"
    result = run_own("vocab", CORPUS / "textbook.conllu", target)
    assert_refused(result, "textbook.conllu", target)


def test_vocab_into_a_missing_directory_is_an_error(corpus: Path, tmp_path: Path) -> None:
    target = tmp_path / "missing" / "vocabulary.json"
    message = f"the directory {target.parent} does not exist"
    assert_refused(run_own("vocab", corpus, target), message, target)


def test_tag_with_a_missing_model_is_an_error(tmp_path: Path) -> None:
    assert_refused(run_own("tag", tmp_path / "no_model", "Hello"), "no_model")


def test_a_wrong_vocabulary_file_is_an_error(
    quick_config: Path,
    corpus: Path,
    labels_directory: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    labels = labels_directory / "lstm_tagger.json"
    block = FROM_FILES.format(labels=labels, vocabulary=labels)
    config = write_with_initialization(quick_config, tmp_path / "wrong.cfg", block)
    with pytest.raises(SystemExit):
        train_here(config, tmp_path / "output", corpus)
    assert "lstm_tagger -> vocabulary" in capsys.readouterr().out
    assert not (tmp_path / "output" / "model-last").exists()


def test_help_lists_the_commands() -> None:
    output = run_own("--help").output
    assert "vocab" in output
    assert "tag" in output

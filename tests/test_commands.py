"""All commands alike: one line for every user error, the pipeline's own way, nothing lost."""

import os
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from typer.testing import CliRunner

from spacy_lstm_tagger.cli import lstm_tagger_cli
from spacy_lstm_tagger.cli.calibrate import score_gold
from spacy_lstm_tagger.cli.pipelines import get_tagger, load_pipeline
from spacy_lstm_tagger.outputs.tag import TagOutput

SHARED_MODEL = """
[model]
@architectures = "spacy.Tagger.v2"
nO = null

[model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = 16
upstream = "*"
"""

SHARED_TOK2VEC = """
[model]
@architectures = "spacy.Tok2Vec.v2"

[model.embed]
@architectures = "spacy.MultiHashEmbed.v2"
width = 16
attrs = ["NORM"]
rows = [200]
include_static_vectors = false

[model.encode]
@architectures = "spacy-lstm-tagger.LSTMEncoder.v1"
width = 16
depth = 1
"""


def run(*arguments):
    return CliRunner().invoke(lstm_tagger_cli, list(map(str, arguments)))


@pytest.fixture
def gold(train_data):
    nlp = spacy.blank("en")
    return [
        Doc(nlp.vocab, words=text.split(), tags=annotation["tags"])
        for text, annotation in train_data
    ]


@pytest.fixture
def model(make_nlp, randomize, gold, tmp_path) -> Path:
    nlp = make_nlp()
    randomize(nlp.get_pipe("lstm_tagger"))
    nlp.to_disk(tmp_path / "model")
    DocBin(docs=gold * 5).to_disk(tmp_path / "dev.spacy")
    (tmp_path / "raw.txt").write_text("I like green eggs\n")
    return tmp_path / "model"


@pytest.fixture
def shared(train_data, make_examples):
    """A pipeline whose lstm_tagger reads the encoder of another component."""
    from thinc.api import Config

    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config=Config().from_str(SHARED_TOK2VEC))
    nlp.add_pipe("lstm_tagger", config=Config().from_str(SHARED_MODEL))
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(60):
        nlp.update(examples, sgd=optimizer)
    assert [t.tag_ for t in nlp("I like green eggs")] == ["N", "V", "J", "N"]
    return nlp


# Behind a shared encoder


def test_calibrate_runs_the_components_before_the_tagger(shared, gold, tmp_path) -> None:
    DocBin(docs=gold).to_disk(tmp_path / "dev.spacy")
    (scores, columns), _ = score_gold(shared, "lstm_tagger", tmp_path / "dev.spacy", TagOutput())
    doc = shared("I like green eggs")
    expected = shared.get_pipe("lstm_tagger").model.predict([doc])[0]
    assert numpy.array_equal(scores, expected)
    assert scores.argmax(axis=1).tolist() == columns.tolist()
    shared.to_disk(tmp_path / "model")
    done = run("calibrate", tmp_path / "model", tmp_path / "dev.spacy", tmp_path / "calibrated")
    assert done.exit_code == 0, done.output
    temperature = spacy.load(tmp_path / "calibrated").get_pipe("lstm_tagger").cfg["temperature"]
    assert temperature < 0.5  # it is right on every word: surer is better


def test_distill_and_tag_run_them_as_well(shared, tmp_path) -> None:
    shared.to_disk(tmp_path / "model")
    (tmp_path / "raw.txt").write_text("I like green eggs\n")
    model, raw, output = tmp_path / "model", tmp_path / "raw.txt", tmp_path / "taught.spacy"
    assert run("distill", model, raw, output).exit_code == 0
    (doc,) = DocBin().from_disk(output).get_docs(shared.vocab)
    assert [token.tag_ for token in doc] == ["N", "V", "J", "N"]
    table = run("tag", model, "I like green eggs").output
    assert [line.split()[1] for line in table.splitlines() if "eggs" in line] == ["N"]
    (row,) = [line.split() for line in table.splitlines() if "green" in line]
    assert float(row[-1]) > 0.5  # 0.333 for each tag if it had read nothing


def test_probabilities_of_docs_that_were_not_read_are_refused(shared) -> None:
    tagger = shared.get_pipe("lstm_tagger")
    with pytest.raises(ValueError, match=r"reads the output of a component before it.*nlp\.pipe"):
        tagger.predict_probabilities(shared.make_doc("I like eggs"))
    assert tagger.predict_probabilities(shared("I like eggs"))[0].shape == (3, 3)


# One line for every error


@pytest.mark.parametrize(
    "command", ["tag", "uncertain", "calibrate", "export", "distill", "report"]
)
def test_damaged_and_missing_models_are_one_line(command, model) -> None:
    weights = model / "lstm_tagger" / "model"
    weights.write_bytes(weights.read_bytes()[:-100])
    missing = model.with_name("missing")
    arguments = {
        "tag": ["text"],
        "uncertain": [model.with_name("raw.txt")],
        "calibrate": [model.with_name("dev.spacy"), model.with_name("out")],
        "export": [model.with_name("out")],
        "distill": [model.with_name("raw.txt"), model.with_name("out.spacy")],
        "report": [model.with_name("dev.spacy"), model.with_name("out.html")],
    }[command]
    for path, what in ((model, "damaged"), (missing, "missing")):
        done = run(command, path, *arguments)
        lines = [line for line in done.output.splitlines() if line.strip()]
        assert done.exit_code == 1, done.output
        assert len(lines) == 1, done.output
        assert f"cannot load the pipeline '{path}'" in lines[0]
        assert what in lines[0]
    assert not list(model.parent.glob("out*"))


def test_config_that_cannot_be_read_is_one_line(model) -> None:
    (model / "config.cfg").write_text("[nlp\n")
    done = run("tag", model, "text")
    assert done.exit_code == 1
    assert len(done.output.strip().splitlines()) == 1
    assert "cannot load the pipeline" in done.output


@pytest.mark.parametrize("command", ["uncertain", "calibrate"])
def test_component_must_be_an_lstm_tagger(command, model) -> None:
    nlp = spacy.load(model)
    nlp.add_pipe("tagger").add_label("N")
    nlp.get_pipe("tagger").initialize(
        lambda: [Example.from_dict(nlp.make_doc("a"), {"tags": ["N"]})]
    )
    nlp.to_disk(model)
    rest = {
        "uncertain": [model.with_name("raw.txt")],
        "calibrate": [model.with_name("dev.spacy"), model.with_name("out")],
    }[command]
    for name, what in (("tagger", "is no lstm_tagger"), ("ner", "is not in the pipeline")):
        done = run(command, model, *rest, "-c", name)
        assert done.exit_code == 1
        assert f"the component '{name}' {what}" in done.output
        assert "its lstm_taggers are ['lstm_tagger']" in done.output
        assert len(done.output.strip().splitlines()) == 1


def test_tagger_is_found_by_its_name(model) -> None:
    nlp = load_pipeline(str(model))
    assert get_tagger(nlp, "lstm_tagger") is nlp.get_pipe("lstm_tagger")
    with pytest.raises(ValueError, match="it has no lstm_tagger"):
        get_tagger(spacy.blank("en"), "lstm_tagger")


def test_calibrate_counts_docs_with_gold_tags(model, gold) -> None:
    """Every second doc without tags, of which one half was made once."""
    bare = Doc(gold[0].vocab, words=["no", "tags"])
    data, output = model.with_name("half.spacy"), model.with_name("calibrated")
    DocBin(docs=[gold[0], bare, gold[1], bare]).to_disk(data)
    done = run("calibrate", model, data, output)
    assert done.exit_code == 0, done.output
    DocBin(docs=[gold[0], bare]).to_disk(data)
    done = run("calibrate", model, data, model.with_name("other"))
    assert done.exit_code == 1
    assert "1 of the 2 docs" in done.output


# What lies beside the output is the user's own


def test_what_lies_beside_an_output_stays(model, gold) -> None:
    own = [
        model.with_name(name)
        for name in ("out.tmp", "calibrated.tmp", "taught.spacy.parts.used", "page.html.tmp")
    ]
    for path in own:
        path.mkdir()
        (path / "mine").write_text("mine")
    dev, raw = model.with_name("dev.spacy"), model.with_name("raw.txt")
    assert run("calibrate", model, dev, model.with_name("calibrated")).exit_code == 0
    assert run("distill", model, raw, model.with_name("taught.spacy")).exit_code == 0
    assert run("vocab", dev, model.with_name("out")).exit_code == 0
    assert run("report", model, dev, model.with_name("page.html")).exit_code == 0
    assert all((path / "mine").read_text() == "mine" for path in own)
    assert not list(model.parent.glob(".*.tmp"))


def test_directory_that_looks_like_parts_is_refused_and_stays(model) -> None:
    parts = model.with_name("taught.spacy.parts")
    parts.mkdir()
    (parts / "mine.txt").write_text("mine")
    done = run("distill", model, model.with_name("raw.txt"), model.with_name("taught.spacy"))
    assert done.exit_code == 1
    assert "has ['mine.txt'], which are not of an earlier run" in done.output
    assert (parts / "mine.txt").read_text() == "mine"


def test_files_have_the_permissions_of_others(model) -> None:
    assert run("vocab", model.with_name("dev.spacy"), model.with_name("v.json")).exit_code == 0
    output = model.with_name("page.html")
    assert run("report", model, model.with_name("dev.spacy"), output).exit_code == 0
    assert os.stat(output).st_mode == os.stat(model.with_name("v.json")).st_mode


def test_exit_code_reaches_the_shell(tmp_path) -> None:
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "tag", str(tmp_path / "none"), "text"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, len(done.stderr.strip().splitlines())) == (1, "", 1)


@pytest.mark.parametrize("name", [".keep", "notes.spacy", "1-2.spacy"])
def test_no_file_of_ones_own_in_the_place_of_parts_is_removed(name, model) -> None:
    parts = model.with_name("taught.spacy.parts")
    parts.mkdir()
    (parts / name).write_text("mine")
    done = run("distill", model, model.with_name("raw.txt"), model.with_name("taught.spacy"))
    assert done.exit_code == 1
    assert name in done.output
    assert (parts / name).read_text() == "mine"


def test_distillation_that_failed_before_its_first_part_is_not_in_the_way(model) -> None:
    output, empty = model.with_name("taught.spacy"), model.with_name("empty.txt")
    empty.write_text("")
    done = run("distill", model, empty, output)
    assert (done.exit_code, output.exists()) == (1, False)
    assert "no docs with words" in done.output
    assert run("distill", model, model.with_name("raw.txt"), output).exit_code == 0


def test_parts_of_a_teacher_that_was_trained_again_are_refused(model, monkeypatch) -> None:
    from spacy_lstm_tagger.cli import distill as command

    raw, output = model.with_name("raw.txt"), model.with_name("taught.spacy")
    raw.write_text("I like eggs\n" * 3)
    monkeypatch.setattr(command, "PART", 1)

    def stop(*args, **kwargs):
        raise ValueError("stopped")

    monkeypatch.setattr(command.Parts, "join", stop)
    assert run("distill", model, raw, output).exit_code == 1
    monkeypatch.undo()
    os.utime(model / "meta.json", (2_000_000_000, 2_000_000_000))
    done = run("distill", model, raw, output)
    assert done.exit_code == 1
    assert "other teachers, text or settings" in done.output


def test_inputs_are_not_written_over(model) -> None:
    dev = model.with_name("dev.spacy")
    before = dev.read_bytes()
    for arguments in (
        ["report", model, dev, dev],
        ["vocab", dev, dev],
        ["distill", model, dev, dev],
    ):
        done = run(*arguments)
        assert done.exit_code == 1
        assert "is an input of this command" in done.output
    assert dev.read_bytes() == before


def test_tag_shows_no_probability_of_another_tag(model, tmp_path) -> None:
    nlp = spacy.load(model)
    nlp.add_pipe("attribute_ruler").add([[{"TEXT": "ham"}]], {"TAG": "QQ"})
    nlp.to_disk(tmp_path / "ruled")
    lines = run("tag", tmp_path / "ruled", "green ham").output.splitlines()
    (ham,) = [line.split() for line in lines if line.startswith("ham")]
    (green,) = [line.split() for line in lines if line.startswith("green")]
    assert ham == ["ham", "QQ"]
    assert 0 < float(green[-1]) <= 1


def test_calibrate_refuses_a_model_that_gives_probabilities(
    train_data, make_examples, model
) -> None:
    from thinc.api import Config

    nlp = spacy.blank("en")
    config = Config().from_str(SHARED_MODEL.replace("nO = null", "nO = null\nnormalize = true"))
    nlp.add_pipe("tok2vec", config=Config().from_str(SHARED_TOK2VEC))
    nlp.add_pipe("lstm_tagger", config=config)
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(model)
    done = run("calibrate", model, model.with_name("dev.spacy"), model.with_name("out"))
    assert done.exit_code == 1
    assert "normalize = false" in done.output

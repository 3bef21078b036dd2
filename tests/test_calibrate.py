"""Calibration: the temperature, the error that it lowers, and the command."""

import subprocess
import sys

import numpy
import pytest
import spacy
from numpy.testing import assert_allclose
from spacy.tokens import Doc, DocBin
from thinc.api import NumpyOps

from spacy_lstm_tagger.cli.calibrate import score_gold
from spacy_lstm_tagger.outputs.tag import TagOutput
from spacy_lstm_tagger.pipeline.calibration import calibration_error, fit_temperature


def drawn(temperature: float, n: int = 20_000) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Scores, and gold tags drawn from their softmax at a temperature."""
    generator = numpy.random.default_rng(0)
    scores = generator.normal(scale=3.0, size=(n, 4))
    noise = generator.gumbel(size=scores.shape)
    return scores, (scores / temperature + noise).argmax(axis=1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_temperature_is_found_again(temperature: float) -> None:
    assert fit_temperature(*drawn(temperature)) == pytest.approx(temperature, rel=0.05)


def test_error_is_small_at_the_right_temperature_only() -> None:
    scores, gold = drawn(2.0)
    softmax = NumpyOps().softmax
    assert calibration_error(softmax(scores, temperature=2.0), gold) < 0.01
    assert calibration_error(softmax(scores), gold) > 0.1


def test_error_by_hand() -> None:
    probabilities = numpy.asarray([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [1.0, 0.0]])
    gold = numpy.asarray([0, 1, 0, 0])  # right, wrong, right, right
    expected = (abs(1.8 - 1) + abs(0.6 - 1) + abs(1.0 - 1)) / 4
    assert calibration_error(probabilities, gold) == pytest.approx(expected)


def run_calibrate(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "calibrate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def files(make_nlp, make_examples, randomize, tmp_path):
    nlp = make_nlp()
    randomize(nlp.get_pipe("lstm_tagger"))
    nlp.to_disk(tmp_path / "model")
    docs = [eg.reference for eg in make_examples(nlp)] * 5
    docs.append(Doc(nlp.vocab, words=["no", "tags"]))
    docs.append(Doc(nlp.vocab, words=["unknown", "tag"], tags=["XX", "N"]))
    DocBin(docs=docs).to_disk(tmp_path / "dev.spacy")
    DocBin(docs=docs[-2:-1]).to_disk(tmp_path / "untagged.spacy")
    return tmp_path


def test_command_keeps_tags_and_changes_probabilities_alone(files) -> None:
    done = run_calibrate(files / "model", files / "dev.spacy", files / "calibrated")
    assert done.returncode == 0, done.stdout + done.stderr
    before, after = spacy.load(files / "model"), spacy.load(files / "calibrated")
    temperature = after.get_pipe("lstm_tagger").cfg["temperature"]
    assert f"temperature {temperature:.3f}" in done.stderr
    text = "I like green eggs"
    assert [t.tag_ for t in before(text)] == [t.tag_ for t in after(text)]
    docs = [before.make_doc(text)]
    (raw,) = before.get_pipe("lstm_tagger").predict_probabilities(docs)
    (calibrated,) = after.get_pipe("lstm_tagger").predict_probabilities(docs)
    expected = raw ** (1 / temperature)
    assert_allclose(calibrated, expected / expected.sum(axis=1, keepdims=True), atol=1e-4)


@pytest.mark.parametrize(("fitted", "rises"), [(0.5, False), (2.0, True)])
def test_command_says_if_the_error_rises(fitted, rises, files, monkeypatch, capsys) -> None:
    from spacy_lstm_tagger.cli import calibrate

    monkeypatch.setattr(calibrate, "fit_temperature", lambda *scored: fitted)
    monkeypatch.setattr(calibrate, "_error", lambda scores, gold, temperature: temperature / 100)
    arguments = (str(files / "model"), files / "dev.spacy", files / "calibrated", "lstm_tagger")
    calibrate.calibrate_cli(*arguments, force=False)
    said = capsys.readouterr().err
    assert f"error {fitted:.2f} % (uncalibrated 1.00 %)" in said
    assert ("The calibration error of 'tag' is higher than uncalibrated" in said) is rises


def test_command_names_what_is_wrong(files) -> None:
    (files / "there").mkdir()
    there = run_calibrate(files / "model", files / "dev.spacy", files / "there")
    assert f"{files / 'there'} exists already" in there.stderr
    other = run_calibrate(files / "model", files / "dev.spacy", files / "out", "-c", "ner")
    assert "the component 'ner' is not in the pipeline (['lstm_tagger'])" in other.stderr
    untagged = run_calibrate(files / "model", files / "untagged.spacy", files / "out")
    assert "0 of the 1 docs of" in untagged.stderr
    assert "untagged.spacy have tokens with gold tags" in untagged.stderr
    for done in (there, other, untagged):
        assert (done.returncode, done.stdout) == (1, "")
        assert len(done.stderr.splitlines()) == 1
    assert not (files / "out").exists()


def test_rest_of_a_killed_run_does_not_get_into_the_output(files) -> None:
    rest = files / ".calibrated-0123abcd.tmp" / "ner"
    rest.mkdir(parents=True)
    before = set(files.iterdir())
    assert run_calibrate(files / "model", files / "dev.spacy", files / "calibrated").returncode == 0
    assert not (files / "calibrated" / "ner").exists()
    assert rest.is_dir()  # nothing that this run did not make is removed
    assert set(files.iterdir()) - before == {files / "calibrated"}


def test_tagged_white_space_is_not_scored(make_nlp, tmp_path) -> None:
    nlp = make_nlp(steps=20)
    nlp.get_pipe("lstm_tagger").add_label("_SP")
    words = ["I", "\n", "like", "ham"]
    docs = [Doc(nlp.vocab, words=words, tags=["N", "_SP", "V", "N"]) for _ in range(2)]
    blank = Doc(nlp.vocab, words=["\n"], tags=["_SP"])
    DocBin(docs=[*docs, blank]).to_disk(tmp_path / "gold.spacy")
    scored = score_gold(nlp, "lstm_tagger", tmp_path / "gold.spacy", TagOutput())
    assert [len(gold) for _, gold in scored] == [3, 3]

"""Uncertain tokens: the right ones, in forms that annotation tools read."""

import json
import subprocess
import sys

import pytest
import spacy
from spacy.tokens import Doc

from spacy_lstm_tagger.pipeline.kept_probabilities import add_extensions, save
from spacy_lstm_tagger.report.annotation_tasks import (
    label_studio_task,
    prodigy_task,
    uncertain_tokens,
)


@pytest.fixture
def doc() -> Doc:
    import numpy

    add_extensions()
    doc = Doc(
        spacy.blank("en").vocab,
        words=["I", "duck", ".", "You", "run"],
        spaces=[True, False, True, True, False],
        sent_starts=[True, False, False, True, False],
    )
    sure = [0.9, 0.1, 0.4, 0.8, 0.95]
    rows = numpy.asarray([[p, 1 - p] for p in sure], dtype="float32")
    save([doc], ["N", "V"], rows, True)
    return doc


def test_tokens_below_come_with_their_sentence(doc) -> None:
    found = [(s.text, [t.text for t in tokens]) for s, tokens in uncertain_tokens([doc], 0.85)]
    assert found == [("I duck.", ["."]), ("You run", ["You"])]
    assert list(uncertain_tokens([doc], 0.5)) == []


def test_doc_without_sentences_counts_as_one(doc) -> None:
    for token in doc:
        token.is_sent_start = None
    ((sentence, tokens),) = uncertain_tokens([doc], 0.85)
    assert sentence.text == doc.text
    assert [token.text for token in tokens] == [".", "You"]


def test_prodigy_task_counts_from_the_sentence(doc) -> None:
    task = prodigy_task(*list(uncertain_tokens([doc], 0.85))[1])
    (span,) = task["spans"]
    assert task["text"][span["start"] : span["end"]] == "You"
    assert (span["token_start"], span["token_end"], span["label"]) == (0, 0, "N")
    assert span["probability"] == 0.8
    assert [token["id"] for token in task["tokens"]] == [0, 1]
    assert "".join(t["text"] + " " * t["ws"] for t in task["tokens"]) == task["text"]
    assert task["meta"]["candidates"] == ["You: N 0.80, V 0.20"]


def test_label_studio_task_predicts_the_uncertain_tokens(doc) -> None:
    task = label_studio_task(*next(iter(uncertain_tokens([doc], 0.85))))
    (prediction,) = task["predictions"]
    (result,) = prediction["result"]
    value = result["value"]
    assert task["data"]["text"][value["start"] : value["end"]] == value["text"] == "."
    assert value["labels"] == ["V"]
    assert prediction["score"] == result["score"] == 0.6


@pytest.mark.parametrize("form", ["prodigy", "label-studio"])
def test_command_prints_a_task_a_line(form, make_nlp, randomize, tmp_path) -> None:
    nlp = make_nlp()
    randomize(nlp.get_pipe("lstm_tagger"))
    nlp.to_disk(tmp_path / "model")
    (tmp_path / "raw.txt").write_text("I like green eggs\nEat blue ham\n")
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "uncertain"]
    command += [str(tmp_path / "model"), str(tmp_path / "raw.txt"), "--format", form]
    done = subprocess.run([*command, "--below", "1"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    tasks = [json.loads(line) for line in done.stdout.splitlines()]
    texts = [task["text"] if form == "prodigy" else task["data"]["text"] for task in tasks]
    assert texts == ["I like green eggs", "Eat blue ham"]
    wrong = subprocess.run([*command, "--below", "2"], capture_output=True, text=True)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "--below is 2.0" in wrong.stderr
    assert len(wrong.stderr.splitlines()) == 1

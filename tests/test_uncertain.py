"""Uncertain tokens: the right ones, in forms that annotation tools read."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy
import pytest
import spacy
from spacy.tokens import Doc
from spacy.tokens.underscore import Underscore
from typer.testing import CliRunner

from spacy_lstm_tagger.cli import lstm_tagger_cli
from spacy_lstm_tagger.pipeline.kept_probabilities import add_extensions, save
from spacy_lstm_tagger.report.annotation_tasks import (
    all_sentences,
    prodigy_task,
    uncertain_tokens,
)
from spacy_lstm_tagger.report.label_studio import label_studio_task, labelling_config


@pytest.fixture
def doc() -> Doc:
    add_extensions()
    doc = Doc(
        spacy.blank("en").vocab,
        words=["I", "duck", ".", "You", "run"],
        spaces=[True, False, True, True, False],
        sent_starts=[True, False, False, True, False],
        tags=["N", "V", "V", "N", "N"],
    )
    sure = [0.9, 0.1, 0.4, 0.8, 0.95]
    rows = numpy.asarray([[p, 1 - p] for p in sure], dtype="float32")
    save([doc], ["N", "V"], rows, True)
    return doc


@pytest.fixture
def kept(monkeypatch):
    """Return a function that makes a doc whose tokens have these probabilities, or None."""
    add_extensions()

    def make(words: list[str], probabilities: list[float | None]) -> Doc:
        candidates = [None if p is None else [("N", p), ("V", 1 - p)] for p in probabilities]
        for name, values in (("tag_probability", probabilities), ("tag_candidates", candidates)):
            extension = (None, None, lambda token, values=values: values[token.i], None)
            monkeypatch.setitem(Underscore.token_extensions, name, extension)
        return Doc(spacy.blank("en").vocab, words=words)

    return make


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


def test_white_space_is_neither_listed_nor_a_sentence(kept) -> None:
    doc = kept(["I", "\n", "duck", "\n\n", " "], [0.4, 0.1, 0.9, 0.1, None])
    for token in doc:
        token.is_sent_start = token.i in (0, 3)
    ((sentence, tokens),) = all_sentences(doc, 0.5)
    assert [token.text for token in sentence] == ["I", "\n", "duck"]
    assert [token.text for token in tokens] == ["I"]
    assert list(all_sentences(kept(["\n"], [None]), 0.5)) == []


def test_tokens_made_after_tagging_are_not_listed(kept) -> None:
    ((_, tokens),) = uncertain_tokens(kept(["New York", "ducks", "it"], [None, 0.4, 0.9]), 0.5)
    assert [token.text for token in tokens] == ["ducks"]


def test_doc_without_any_probability_is_refused(kept) -> None:
    with pytest.raises(ValueError, match="'New York ducks ' has no probabilities"):
        list(uncertain_tokens(kept(["New York", "ducks"], [None, None]), 0.5))


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
    task = label_studio_task(*next(iter(uncertain_tokens([doc], 0.85))), "en_ducks-1.0.0")
    (prediction,) = task["predictions"]
    (region,) = prediction["result"]
    value = region["value"]
    assert task["data"]["text"][value["start"] : value["end"]] == value["text"] == "."
    assert value["labels"] == ["V"]
    assert prediction["score"] == region["score"] == 0.6
    assert prediction["model_version"] == "en_ducks-1.0.0"


def test_labelling_config_offers_each_tag_and_has_the_names_of_predictions(doc) -> None:
    tags = ["NN", "PRP$", '"', "''", "``", "<", "&", "$", "$(", "-LRB-", "a\tb"]
    view = ElementTree.fromstring(labelling_config(tags))
    (labels,), (text,) = view.findall("Labels"), view.findall("Text")
    assert [label.attrib for label in labels] == [{"value": tag} for tag in tags]
    task = label_studio_task(*next(iter(uncertain_tokens([doc], 0.85))), "en_ducks-1.0.0")
    region = task["predictions"][0]["result"][0]
    assert (labels.get("name"), labels.get("toName")) == (region["from_name"], region["to_name"])
    assert text.attrib == {"name": region["to_name"], "value": "$text"}


def test_tags_that_label_studio_reads_as_variables_are_shown_as_they_are() -> None:
    """Without `html`, the button of STTS's `$.` says "blank" (Label Studio 1.23.2)."""
    labels = ElementTree.fromstring(labelling_config(["$.", "$x<"])).find("Labels")
    assert [(label.get("value"), label.get("html")) for label in labels] == [
        ("$.", "$."),
        ("$x<", "$x&lt;"),
    ]


# The command


def run(*arguments):
    return CliRunner().invoke(lstm_tagger_cli, ["uncertain", *map(str, arguments)])


@pytest.fixture
def model(make_nlp, randomize, tmp_path) -> Path:
    nlp = make_nlp()
    randomize(nlp.get_pipe("lstm_tagger"))
    nlp.meta.update(name="ducks", version="1.2.3")
    nlp.to_disk(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def raw(tmp_path) -> Path:
    path = tmp_path / "raw.txt"
    path.write_text("I like green eggs\nEat blue ham\n")
    return path


def test_prodigy_tasks_are_printed_one_a_line(model, raw) -> None:
    done = run(model, raw, "--below", 1)
    assert done.exit_code == 0, done.output
    tasks = [json.loads(line) for line in done.stdout.splitlines()]
    assert [task["text"] for task in tasks] == ["I like green eggs", "Eat blue ham"]
    assert "2 of 2 sentences have a token below 1" in done.stderr


def test_label_studio_tasks_are_one_list_with_the_configuration_beside_it(model, raw) -> None:
    done = run(model, raw, "--below", 1, "--format", "label-studio")
    assert done.exit_code == 0, done.output
    tasks = json.loads(done.stdout)
    assert [task["data"]["text"] for task in tasks] == ["I like green eggs", "Eat blue ham"]
    assert {task["predictions"][0]["model_version"] for task in tasks} == {"en_ducks-1.2.3"}
    config = labelling_config(["J", "N", "V"])
    assert done.stderr.endswith(config)
    output, xml = raw.with_name("tasks.json"), raw.with_name("labels.xml")
    written = run(model, raw, "-b", 1, "-f", "label-studio", "-o", output, "-l", xml)
    assert (written.exit_code, written.stdout) == (0, "")
    assert output.read_text() == done.stdout
    assert xml.read_text() == config
    assert f"Paste what is in {xml}" in written.stderr


@pytest.mark.parametrize("form", ["prodigy", "label-studio"])
def test_nothing_to_list_says_so(form, model, raw) -> None:
    done = run(model, raw, "--below", 1e-6, "--format", form)
    assert done.exit_code == 0, done.output
    assert "0 of 2 sentences have a token below 1e-06" in done.stderr
    assert done.stdout.split() == ([] if form == "prodigy" else ["[", "]"])


def test_texts_are_split_into_sentences_unless_the_pipeline_does(model, raw) -> None:
    raw.write_text("I like eggs. Eat ham!\nEat ham, Mr. Ham\n")

    def texts(*arguments):
        done = run(model, raw, "-b", 1, *arguments)
        assert done.exit_code == 0, done.output
        return [json.loads(line)["text"] for line in done.stdout.splitlines()], done.stderr

    sentences = ["I like eggs.", "Eat ham!", "Eat ham, Mr. Ham"]
    found, said = texts()
    assert found == sentences
    assert said.count("sets no sentence boundaries") == 1
    assert "3 of 3 sentences" in said
    found, said = texts("--no-split")
    assert found == ["I like eggs. Eat ham!", "Eat ham, Mr. Ham"]
    assert "boundaries" not in said
    nlp = spacy.load(model)
    nlp.add_pipe("sentencizer", config={"punct_chars": [","]})
    nlp.to_disk(model)
    found, said = texts()
    assert found == ["I like eggs. Eat ham!", "Eat ham,", "Mr. Ham"]
    assert "boundaries" not in said


def test_white_space_between_words_is_no_word_to_tag(model, tmp_path) -> None:
    raw = tmp_path / "wrapped.jsonl"
    raw.write_text(json.dumps({"text": "I like\ngreen  eggs\n\n"}) + "\n")
    (task,) = map(json.loads, run(model, raw, "-b", 1).stdout.splitlines())
    words = [task["text"][span["start"] : span["end"]] for span in task["spans"]]
    assert words == ["I", "like", "green", "eggs"]


def test_bad_texts_end_the_command_or_are_skipped_and_named(model, tmp_path) -> None:
    raw, output = tmp_path / "raw.jsonl", tmp_path / "tasks.jsonl"
    raw.write_text('{"text": "Eat ham"}\n{"text": null}\n{"text": "I like eggs"}\n')
    output.write_text("old")
    done = run(model, raw, "-b", 1, "-o", output)
    assert (done.exit_code, done.stdout, output.read_text()) == (1, "", "old")
    assert f"{raw}, line 2" in done.stderr
    assert "✘" not in run(model, raw, "-b", 1).stdout
    done = run(model, raw, "-b", 1, "-o", output, "--skip-errors")
    assert (done.exit_code, done.stdout) == (0, "")
    texts = [json.loads(line)["text"] for line in output.read_text().splitlines()]
    assert texts == ["Eat ham", "I like eggs"]
    assert "Skipped 1 record" in done.stderr
    assert f"{raw}, line 2" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-b", "2"], "--below is 2.0, but must be above 0 up to 1"),
        (["-f", "brat"], "--format is 'brat', but must be one of prodigy, label-studio"),
        (["-l", "labels.xml"], "--labelling-config is for --format label-studio"),
        (["-f", "label-studio", "-o", "tasks.jsonl"], "name it tasks.json"),
        (["-f", "label-studio", "-o", "a.json", "-l", "a.json"], "name two files"),
        (["-o", "missing/tasks.jsonl"], "the directory missing does not exist"),
        (["-o", "raw.txt"], "raw.txt: it is an input of this command"),
    ],
)
def test_wrong_options_are_one_line(options, message, model, raw, monkeypatch) -> None:
    monkeypatch.chdir(raw.parent)
    done = run(model, "raw.txt", *options)
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert message in done.stderr
    assert sorted(path.name for path in raw.parent.iterdir()) == ["model", "raw.txt"]


def test_output_that_nobody_reads_ends_the_command_quietly(model, raw) -> None:
    raw.write_text("I like green eggs\n" * 500)
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "uncertain", str(model), str(raw)]
    with subprocess.Popen(
        [*command, "--below", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert json.loads(process.stdout.readline())["text"] == "I like green eggs"
        process.stdout.close()
        said = process.stderr.read()
    assert [line for line in said.splitlines() if "sentence boundaries" not in line] == []

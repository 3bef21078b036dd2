"""Commands and functions around pipelines that predict more than tags, or no tags at all."""

import json
from pathlib import Path

import pytest
import spacy
from click.testing import Result
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from thinc.api import fix_random_seed
from typer.testing import CliRunner

from spacy_lstm_tagger.cli import lstm_tagger_cli
from spacy_lstm_tagger.report.labels import labels_of
from spacy_lstm_tagger.report.rendering import render

ALL = ("tag", "pos", "morph", "lemma")
WORDS = ["Dogs", "bark"]
GOLD = {
    "tags": ["N", "VBP"],
    "pos": ["NOUN", "VERB"],
    "morphs": ["Number=Plur", "_"],
    "lemmas": ["dog", "bark"],
}


@pytest.fixture(scope="module")
def make_model(tmp_path_factory):
    """Return a function that trains and saves a pipeline that predicts these outputs."""
    made: dict[tuple[str, ...], Path] = {}

    def make(*outputs: str) -> Path:
        if outputs not in made:
            fix_random_seed(0)
            nlp = spacy.blank("en")
            model = {"word_width": 8, "char_width": 8, "width": 16, "depth": 1, "min_word_freq": 1}
            nlp.add_pipe("lstm_tagger", config={"model": model, "outputs": list(outputs)})
            gold = Example(Doc(nlp.vocab, words=WORDS), Doc(nlp.vocab, words=WORDS, **GOLD))
            optimizer = nlp.initialize(lambda: [gold])
            optimizer.learn_rate = 0.02
            for _ in range(30):
                nlp.update([gold], sgd=optimizer)
            made[outputs] = tmp_path_factory.mktemp("model") / "model"
            nlp.to_disk(made[outputs])
        return made[outputs]

    return make


def run(*arguments: object, code: int = 0) -> Result:
    done = CliRunner().invoke(lstm_tagger_cli, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done


def table(model: Path, text: str) -> tuple[list[str], dict[str, list[str]]]:
    header, line, *rows = run("tag", model, text).stdout.splitlines()
    ends = [i for i, mark in enumerate(f"{line}  ") if mark == " " and line[i - 1 : i] == "-"]
    starts = [i for i, mark in enumerate(line) if mark == "-" and line[i - 1 : i] in ("", " ")]
    places = list(zip(starts, [*ends[: len(starts) - 1], None], strict=True))
    names = [header[a:b].strip() for a, b in places]
    cells = {row[: ends[0]].strip(): [row[a:b].strip() for a, b in places[1:]] for row in rows}
    return names, cells


def test_tag_shows_all_that_is_predicted(make_model) -> None:
    names, rows = table(make_model(*ALL), "Dogs bark")
    assert names == ["Word", "Tag", "POS", "Features", "Lemma", "Meaning", "Probability"]
    assert rows["Dogs"][:4] == ["N", "NOUN", "Number=Plur", "dog"]
    assert rows["bark"][:5] == ["VBP", "VERB", "", "bark", "verb, non-3rd person singular present"]
    assert 0 < float(rows["bark"][5]) <= 1


@pytest.mark.parametrize(
    ("outputs", "names", "row"),
    [
        (("tag",), ["Word", "Tag", "Meaning", "Probability"], ["N", ""]),
        (("lemma",), ["Word", "Lemma"], ["dog"]),
        (("pos", "lemma"), ["Word", "POS", "Lemma", "Meaning"], ["NOUN", "dog", "noun"]),
    ],
)
def test_tag_shows_nothing_else(outputs, names, row, make_model) -> None:
    found, rows = table(make_model(*outputs), "Dogs bark")
    assert found == names
    assert rows["Dogs"][: len(row)] == row


def test_probabilities_are_those_of_the_component_that_predicts_tags(make_model, tmp_path) -> None:
    nlp = spacy.load(make_model("tag"))
    nlp.add_pipe("lstm_tagger", name="lemmas", source=spacy.load(make_model("lemma")))
    nlp.to_disk(tmp_path / "two")
    names, rows = table(tmp_path / "two", "Dogs bark")
    assert names == ["Word", "Tag", "Lemma", "Meaning", "Probability"]
    assert 0 < float(rows["Dogs"][-1]) <= 1
    assert labels_of(nlp) == {"N", "VBP", "!N", "!VBP"}


@pytest.mark.parametrize("form", ["prodigy", "label-studio"])
def test_uncertain_lists_tags_of_a_pipeline_that_predicts_more(form, make_model, tmp_path) -> None:
    (tmp_path / "raw.txt").write_text("Dogs bark\n")
    command = ("uncertain", make_model(*ALL), tmp_path / "raw.txt", "--below", 1, "--format", form)
    done = run(*command)
    (task,) = [json.loads(done.stdout)] if form == "prodigy" else json.loads(done.stdout)
    label = (
        task["spans"][0]["label"]
        if form == "prodigy"
        else task["predictions"][0]["result"][0]["value"]["labels"][0]
    )
    assert label == "N"
    if form == "label-studio":
        assert done.stderr.count("<Label ") == 2  # the tags, and nothing else


@pytest.mark.parametrize("text", ["Dogs bark\n", ""])
def test_uncertain_needs_tags(text, make_model, tmp_path) -> None:
    (tmp_path / "raw.txt").write_text(text)
    done = run("uncertain", make_model("pos", "lemma"), tmp_path / "raw.txt", code=1)
    assert "the component 'lstm_tagger' predicts ['pos', 'lemma'], not tags" in done.stderr
    assert (done.stdout, len(done.stderr.splitlines())) == ("", 1)


def test_calibrate_needs_tags(make_model, tmp_path) -> None:
    nlp = spacy.blank("en")
    DocBin(docs=[Doc(nlp.vocab, words=WORDS, **GOLD)] * 2).to_disk(tmp_path / "dev.spacy")
    done = run("calibrate", make_model("lemma"), tmp_path / "dev.spacy", tmp_path / "out", code=1)
    assert "predicts ['lemma'], not tags" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def loaded(make_model, *outputs: str) -> Language:
    return spacy.load(make_model(*outputs))


def test_render_shows_tags_or_else_parts_of_speech(make_model) -> None:
    pytest.importorskip("jinja2", reason="jinja2 is not installed (the extra [report])")
    shown = {
        outputs: render(loaded(make_model, *outputs)("Dogs bark"), jupyter=False)
        for outputs in (ALL, ("pos", "lemma"), ("lemma",))
    }
    assert ">VBP<" in shown[ALL]
    assert "VERB" not in shown[ALL]
    assert ">VERB<" in shown["pos", "lemma"]
    assert "Dogs" in shown["lemma",]

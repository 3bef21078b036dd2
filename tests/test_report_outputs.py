"""The report on what is predicted besides tags, or instead of them."""

import json
from pathlib import Path

import numpy
import pytest
import spacy
from click.testing import Result
from spacy.cli.evaluate import evaluate
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from typer.testing import CliRunner

from spacy_lstm_tagger.cli import lstm_tagger_cli
from spacy_lstm_tagger.report.answers import Answers, Gold, WordCounts
from spacy_lstm_tagger.report.other_outputs import OutputReport, measure_outputs

PLURAL, SINGULAR = "Number=Plur", "Number=Sing"
GOLD = Gold(
    words=["Dogs", "barked", " ", "loudly", "Dogs", "ran"],
    spaces=[True] * 6,
    tags=[""] * 6,
    lengths=numpy.asarray([4, 2]),
    others={
        "pos": ["NOUN", "VERB", "", "ADV", "NOUN", ""],
        "morph": [PLURAL, "Mood=Ind|Tense=Past", "", "_", PLURAL, "Tense=Past"],
        "lemma": ["dog", "bark", "", "", "dog", "run"],
    },
)
GIVEN = {
    "pos": ["NOUN", "NOUN", "SPACE", "ADV", "PROPN", "VERB"],
    "morph": [SINGULAR, "Tense=Past", "_", PLURAL, PLURAL, None],
    "lemma": ["dog", "barked", " ", "loudly", "Dogs", None],
}
COUNTS = WordCounts(lambda word: int(word == "Dogs"), 1, "as counted here")


@pytest.fixture
def by_hand() -> dict[str, OutputReport]:
    answers = Answers("mine", [""] * 6, None, None, GIVEN)
    return {report.name: report for report in measure_outputs(GOLD, [answers], [None], COUNTS)}


def test_accuracy_by_hand(by_hand) -> None:
    found = {name: report.taggers[0] for name, report in by_hand.items()}
    counted = {name: (each.accuracy.right, each.accuracy.n) for name, each in found.items()}
    assert counted == {"pos": (2, 4), "morph": (1, 4), "lemma": (1, 3)}
    assert found["pos"].left_out == {"no gold value": 1, "white space": 1}
    assert found["morph"].left_out == {"cut or joined by the pipeline": 1, "white space": 1}
    assert found["morph"].accuracy.accuracy == pytest.approx(2 * 1 / (4 + 5))
    seen = {name: [(s.name, s.right, s.n) for s in each.seen] for name, each in found.items()}
    assert seen["lemma"] == [("unseen", 0, 1), ("seen", 1, 2)]


def test_values_by_hand(by_hand) -> None:
    rows = {row.tag: row for row in by_hand["pos"].taggers[0].values}
    assert list(rows) == ["NOUN", "ADV", "VERB", "PROPN"]
    assert (rows["NOUN"].precision, rows["NOUN"].recall) == (0.5, 0.5)
    assert (rows["PROPN"].precision, rows["PROPN"].recall) == (0.0, None)
    features = {row.tag: row for row in by_hand["morph"].taggers[0].values}
    number, tense, mood = (features[name] for name in ("Number", "Tense", "Mood"))
    assert (number.right, number.predicted, number.support) == (1, 2, 2)  # "loudly" has no gold
    assert (tense.right, tense.predicted, tense.support) == (1, 1, 2)  # one word was joined
    assert (mood.precision, mood.recall) == (None, 0.0)
    assert by_hand["lemma"].taggers[0].values == []


def test_errors_by_hand(by_hand) -> None:
    def errors(name: str) -> list[tuple]:
        found = by_hand[name].taggers[0].errors
        return [(e.gold, e.predicted, e.n, e.share, e.words) for e in found]

    assert errors("lemma") == [
        ("bark", "barked", 1, 1.0, ["barked"]),
        ("dog", "Dogs", 1, 0.5, ["Dogs"]),
    ]
    assert errors("pos") == [
        ("NOUN", "PROPN", 1, 0.5, ["Dogs"]),
        ("VERB", "NOUN", 1, 1.0, ["barked"]),
    ]
    assert ("_", PLURAL, 1, 1.0, ["loudly"]) in errors("morph")


def test_two_pipelines_are_compared_on_what_both_set() -> None:
    one = Answers("one", [""] * 6, None, None, {"lemma": GIVEN["lemma"]})
    other = Answers("other", [""] * 6, None, None, {**GIVEN, "lemma": GOLD.others["lemma"]})
    pos, morph, lemma = measure_outputs(GOLD, [one, other], [None, None], None)
    assert (pos.taggers[0], morph.taggers[0], pos.comparison) == (None, None, None)
    assert pos.taggers[1].accuracy.right == 2
    assert (lemma.comparison.fixed, lemma.comparison.broken) == (2, 0)
    assert lemma.comparison.changes == []
    assert lemma.taggers[0].seen == []


# The command


@pytest.fixture(autouse=True)
def libraries() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (the extra [report])")
    pytest.importorskip("jinja2", reason="jinja2 is not installed (the extra [report])")


def run_report(*arguments: object, code: int = 0) -> Result:
    done = CliRunner().invoke(lstm_tagger_cli, ["report", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done


def gold_docs(nlp: Language) -> list[Doc]:
    one = Doc(
        nlp.vocab,
        words=["<b>Dogs", "barked", "\n", "loudly"],
        spaces=[True, False, False, False],
        tags=["N", "V", "_SP", "R"],
        pos=["NOUN", "VERB", "SPACE", "ADV"],
        morphs=["Number=Plur", "Mood=Ind|Tense=Past", "", "_"],
        lemmas=["<b>dog", "bark", "\n", "_"],
    )
    two = Doc(
        nlp.vocab,
        words=["Dogs", "ran"],
        spaces=[True, False],
        tags=["N", "V"],
        pos=["NOUN", ""],
        morphs=["Number=Plur", "Tense=Past"],
        lemmas=["dog", "run"],
    )
    return [one, two, Doc(nlp.vocab, words=["x"], spaces=[False])]


@pytest.fixture
def make_model(tmp_path, randomize):
    """Return a function that saves a pipeline with random weights that predicts these outputs."""

    def make(*outputs: str) -> Path:
        nlp = spacy.blank("en")
        model = {"word_width": 8, "char_width": 8, "width": 16, "depth": 1, "min_word_freq": 1}
        nlp.add_pipe("lstm_tagger", config={"model": model, "outputs": list(outputs)})
        examples = [Example(Doc(nlp.vocab, words=[t.text for t in d]), d) for d in gold_docs(nlp)]
        nlp.initialize(lambda: examples)
        randomize(nlp.get_pipe("lstm_tagger"))
        path = tmp_path / "-".join(outputs)
        nlp.to_disk(path)
        return path

    return make


@pytest.fixture
def dev(tmp_path) -> Path:
    DocBin(docs=gold_docs(spacy.blank("en"))).to_disk(tmp_path / "dev.spacy")
    return tmp_path / "dev.spacy"


def figures_of(path: Path) -> dict[str, dict]:
    report = json.loads(path.read_text(encoding="utf8"))
    return {output["name"]: output["taggers"][0] for output in report["outputs"]}


def test_figures_are_those_of_spacy_evaluate(make_model, dev, tmp_path) -> None:
    model = make_model("tag", "pos", "morph", "lemma")
    page = tmp_path / "out.html"
    done = run_report(model, dev, page, "--json", tmp_path / "out.json")
    docs = gold_docs(spacy.blank("en"))
    white_space, unknown = docs[0][2], docs[0][3]
    white_space.tag_ = white_space.pos_ = white_space.lemma_ = unknown.lemma_ = ""
    white_space.set_morph(None)
    DocBin(docs=docs).to_disk(tmp_path / "words.spacy")
    scores = evaluate(str(model), tmp_path / "words.spacy", gold_preproc=True)
    raw = evaluate(str(model), tmp_path / "words.spacy")
    found = figures_of(tmp_path / "out.json")
    assert list(found) == ["pos", "morph", "lemma"]
    for name, each in found.items():
        assert each["accuracy"]["accuracy"] == pytest.approx(scores[f"{name}_acc"])
        assert each["raw_text"] == pytest.approx(raw[f"{name}_acc"])
        assert f"{name}_acc: {100 * scores[f'{name}_acc']:.2f} %" in done.stderr
    assert 0 < found["lemma"]["accuracy"]["accuracy"] < 1
    per_feature = {row["tag"]: row for row in found["morph"]["values"]}
    assert per_feature.keys() == scores["morph_per_feat"].keys()
    for feature, expected in scores["morph_per_feat"].items():
        row = per_feature[feature]
        both = [(row["precision"], "p"), (row["recall"], "r"), (row["f"], "f")]
        assert [value or 0.0 for value, _ in both] == pytest.approx([expected[k] for _, k in both])
    text = page.read_text(encoding="utf8")
    assert [text.count(f'<section id="{name}"') for name in found] == [1, 1, 1]
    assert "&lt;b&gt;" in text
    assert "<b>" not in text


def test_a_tagger_of_tags_alone_has_no_other_section(make_model, dev, tmp_path) -> None:
    done = run_report(make_model("tag"), dev, tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text(encoding="utf8")
    assert 'class="output"' not in page
    assert "_acc" not in done.stderr.replace("tag_acc", "")


@pytest.mark.parametrize("outputs", [("lemma",), ("pos", "morph")])
def test_a_pipeline_without_tags_has_a_report_of_what_it_predicts(
    outputs, make_model, dev, tmp_path
) -> None:
    done = run_report(make_model(*outputs), dev, tmp_path / "out.html", "-j", tmp_path / "o.json")
    report = json.loads((tmp_path / "o.json").read_text(encoding="utf8"))
    assert (report["taggers"], report["comparison"]) == ([], None)
    assert list(figures_of(tmp_path / "o.json")) == list(outputs)
    page = (tmp_path / "out.html").read_text(encoding="utf8")
    assert 'id="tags"' not in page
    assert 'id="worst"' not in page
    assert [f'id="{name}"' in page for name in outputs] == [True] * len(outputs)
    assert done.stderr.count("_acc: ") == len(outputs)


def test_stock_components_are_reported_on_too(dev, tmp_path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("attribute_ruler").add_patterns(
        [{"patterns": [[{"LOWER": "dogs"}]], "attrs": {"POS": "NOUN", "LEMMA": "dog"}}]
    )
    nlp.to_disk(tmp_path / "rules")
    run_report(tmp_path / "rules", dev, tmp_path / "out.html", "--json", tmp_path / "out.json")
    found = figures_of(tmp_path / "out.json")
    assert {name: each["accuracy"]["right"] for name, each in found.items()} == {
        "pos": 1,
        "lemma": 1,
    }
    assert found["lemma"]["errors"][-1]["predicted"] == ""


def test_two_pipelines_without_tags_are_compared(make_model, dev, tmp_path) -> None:
    models = (make_model("pos", "lemma"), make_model("lemma"))
    run_report(models[0], dev, tmp_path / "out.html", "-c", models[1], "-j", tmp_path / "o.json")
    pos, lemma = json.loads((tmp_path / "o.json").read_text(encoding="utf8"))["outputs"]
    assert (pos["taggers"][1], pos["comparison"]) == (None, None)
    assert lemma["comparison"]["second"] == str(models[1])
    run_report(models[1], dev, tmp_path / "same.html", "-c", models[1])


def test_tags_are_not_compared_with_none(make_model, dev, tmp_path) -> None:
    models = (make_model("lemma"), make_model("tag", "lemma"))
    done = run_report(models[0], dev, tmp_path / "out.html", "--compare", models[1], code=1)
    assert f"{models[1]} sets tags (token.tag_), but {models[0]} does not" in done.stderr
    assert not (tmp_path / "out.html").exists()


def test_what_the_data_lacks_is_said(make_model, tmp_path) -> None:
    nlp = spacy.blank("en")
    tagged = Doc(nlp.vocab, words=["Dogs", "ran"], tags=["N", "V"])
    DocBin(docs=[tagged]).to_disk(tmp_path / "tags.spacy")
    DocBin(docs=[Doc(nlp.vocab, words=["a"], lemmas=["a"])]).to_disk(tmp_path / "lemmas.spacy")
    DocBin(docs=[Doc(nlp.vocab, words=["a"])]).to_disk(tmp_path / "nothing.spacy")
    model = make_model("tag", "lemma")
    done = run_report(model, tmp_path / "tags.spacy", tmp_path / "out.html")
    assert "none of the words has a gold lemma, so nothing is known of those" in done.stderr
    done = run_report(model, tmp_path / "lemmas.spacy", tmp_path / "out.html")
    assert "none of the words has a gold tag, so nothing is known of those" in done.stderr
    assert "lemma_acc: " in done.stderr
    done = run_report(make_model("lemma"), tmp_path / "tags.spacy", tmp_path / "no.html", code=1)
    assert "None of its 2 words has a gold lemma" in done.stderr

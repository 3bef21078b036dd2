"""The report: figures worked out by hand, and the command as a user runs it."""

import json
import re
import subprocess
import sys
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
from spacy_lstm_tagger.features.vocabulary import LEAST_RARE
from spacy_lstm_tagger.report.answers import Answers, Gold, WordCounts, ask, counts_of_model
from spacy_lstm_tagger.report.comparison import compare
from spacy_lstm_tagger.report.figures import Figures, measure
from spacy_lstm_tagger.report.resampling import RESAMPLES, resampled_shares

# Three sentences: of the words that are compared, 3 of 4, 2 of 2 and 0 of 1 are right.
GOLD = Gold(
    words=["The", "old", "man", "ran", "\n", "He", "fell", "Ouch", "!"],
    spaces=[True, True, True, False, False, True, False, False, False],
    tags=["D", "J", "N", "V", "", "P", "V", "U", ""],
    lengths=numpy.asarray([5, 2, 2]),
)
TAGS = ["D", "N", "N", "V", "S", "P", "V", "N", "N"]
SURE = [0.99, 0.55, 0.85, 0.95, 0.5, 0.99, 0.65, 0.35, 0.9]
SEEN = {"the": 7, "he": 2, "man": 1}
COUNTS = WordCounts(lambda word: SEEN.get(word.lower(), 0), 1, "as counted here")


@pytest.fixture
def figures() -> Figures:
    return measure(GOLD, Answers("mine", list(TAGS), numpy.asarray(SURE)), COUNTS)


def test_accuracy_by_hand(figures) -> None:
    assert (figures.n_sentences, figures.n_words) == (3, 7)
    assert figures.accuracy.accuracy == pytest.approx(5 / 7)
    assert 0 <= figures.accuracy.low < 5 / 7 < figures.accuracy.high <= 1
    assert (figures.sentences.right, figures.sentences.n) == (1, 3)
    assert figures.left_out == {"no gold tag": 1, "white space": 1}


def test_tags_by_hand(figures) -> None:
    rows = {row.tag: row for row in figures.tags}
    assert list(rows) == ["V", "N", "D", "P", "J", "U"]  # by support, then by how often given
    noun = rows["N"]
    assert (noun.support, noun.predicted, noun.right) == (1, 3, 1)
    assert (noun.precision, noun.recall, noun.f) == (pytest.approx(1 / 3), 1.0, 0.5)
    assert (rows["J"].precision, rows["J"].recall, rows["J"].f) == (None, 0.0, 0.0)
    assert sum(row.support for row in figures.tags) == figures.n_words


def test_confusions_by_hand(figures) -> None:
    found = [(c.gold, c.predicted, c.n, c.share, c.words) for c in figures.confusions]
    assert found == [("J", "N", 1, 1.0, ["old"]), ("U", "N", 1, 1.0, ["Ouch"])]


def test_groups_by_hand(figures) -> None:
    def counted(shares) -> list:
        return [(share.name, share.right, share.n) for share in shares]

    assert counted(figures.seen) == [("unseen", 2, 4), ("seen", 3, 3)]
    assert counted(figures.by_frequency) == [
        ("0", 2, 4),
        ("1", 1, 1),
        ("2–4", 1, 1),
        ("5–9", 1, 1),
    ]
    assert counted(figures.by_length) == [("1–5", 5, 7)]
    assert [share.accuracy for share in figures.seen] == [0.5, 1.0]


def test_reliability_by_hand(figures) -> None:
    filled = {round(b.low * 15): (b.n, b.accuracy) for b in figures.reliability.bins if b.n}
    assert filled == {5: (1, 0.0), 8: (1, 0.0), 9: (1, 1.0), 12: (1, 1.0), 14: (3, 1.0)}
    distances = [0.35, 0.55, 0.35, 0.15, 3 - 0.95 - 0.99 - 0.99]
    assert figures.reliability.error == pytest.approx(sum(distances) / 7)


def test_worst_sentences_have_most_errors(figures) -> None:
    assert [(s.number, s.wrong, s.n) for s in figures.worst] == [(3, 1, 1), (1, 1, 4)]
    old, newline = figures.worst[1].words[1], figures.worst[1].words[4]
    assert (old.text, old.gold, old.tag, old.right, old.confidence) == (
        "old",
        "J",
        "N",
        False,
        0.55,
    )
    assert newline.right is None
    limited = measure(GOLD, Answers("mine", list(TAGS), None), COUNTS, worst=1)
    assert [s.number for s in limited.worst] == [3]
    assert limited.reliability is None
    assert limited.worst[0].words[0].confidence is None


def test_words_that_a_pipeline_joined_are_left_out_and_cost_recall() -> None:
    tags = [None, None, *TAGS[2:]]
    figures = measure(GOLD, Answers("mine", tags, None))
    assert figures.left_out == {
        "no gold tag": 1,
        "cut or joined by the pipeline": 2,
        "white space": 1,
    }
    assert (figures.accuracy.right, figures.accuracy.n) == (4, 5)
    assert figures.accuracy.accuracy == pytest.approx(2 * 4 / (5 + 7))
    assert (figures.seen, figures.seen_means) == ([], None)


def test_resampling_draws_whole_sentences() -> None:
    right, n = numpy.asarray([[1.0, 0.0], [0.0, 0.0]]), numpy.asarray([[1.0, 3.0], [1.0, 0.0]])
    drawn = resampled_shares(right, n)
    assert drawn.shape == (RESAMPLES, 2)
    values, times = numpy.unique(drawn[:, 0], return_counts=True)
    assert values.tolist() == [0.0, 0.5, 1.0]  # of two sentences: none, one or two right ones
    assert times[1] == pytest.approx(RESAMPLES / 2, rel=0.15)
    assert numpy.isnan(drawn[:, 1]).sum() == times[0]  # only the first sentence has such words
    assert numpy.array_equal(drawn, resampled_shares(right, n), equal_nan=True)


def test_interval_is_that_of_the_binomial_for_sentences_of_one_word() -> None:
    n = 400
    tags = ["N"] * 300 + ["V"] * 100
    gold = Gold(["w"] * n, [True] * n, ["N"] * n, numpy.ones(n, dtype="int64"))
    share = measure(gold, Answers("mine", list(tags), None)).accuracy
    half = 1.96 * (0.75 * 0.25 / n) ** 0.5
    assert (share.low, share.high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.008)


def test_comparison_by_hand() -> None:
    other = ["D", "J", "V", "V", "X", "P", "V", "J", "X"]
    found = compare(GOLD, Answers("one", list(TAGS), None), Answers("two", list(other), None))
    assert (found.fixed, found.broken, found.both_wrong) == (1, 1, 1)
    # Both are in one sentence: whatever is drawn, one makes up for the other.
    assert [found.difference, found.low, found.high] == pytest.approx([0, 0, 0])
    changes = {c.effect: c for c in found.changes}
    assert list(changes) == ["fixed", "broken", "both wrong"]  # the gain comes first
    fixed = changes["fixed"]
    assert (fixed.before, fixed.first.text, fixed.after) == ("The ", "old", " man ran\n")
    assert (fixed.first.tag, fixed.second.tag, fixed.sentence) == ("N", "J", 1)
    assert changes["both wrong"].sentence == 3


def test_a_tagger_does_not_differ_from_itself() -> None:
    answers = Answers("one", list(TAGS), None)
    found = compare(GOLD, answers, answers)
    assert (found.difference, found.low, found.high, found.changes) == (0, 0, 0, [])


# The command


def run_report(*arguments) -> Result:
    return CliRunner().invoke(lstm_tagger_cli, ["report", *map(str, arguments)])


EVIL = "</script><script>alert(1)</script>"


def gold_docs(nlp: Language) -> list[Doc]:
    """Docs of one and of two sentences, without tags here and there, with dangerous words."""
    two = Doc(
        nlp.vocab,
        words=["I", "like", "ham", "Eat", "blue", "ham", "\n"],
        tags=["N", "V", "N", "V", "", "N", "_SP"],
        sent_starts=[True, False, False, True, False, False, False],
    )
    evil = Doc(nlp.vocab, words=["Eat", EVIL, "PRP$", "$"], tags=["V", "N", "PRP$", "<b>&$x$"])
    return [two, Doc(nlp.vocab, words=["green", "eggs"], tags=["J", "N"]), evil, Doc(nlp.vocab)]


@pytest.fixture
def files(make_nlp, randomize, tmp_path) -> Path:
    for seed, name in enumerate(("model", "other")):
        nlp = make_nlp()
        randomize(nlp.get_pipe("lstm_tagger"), seed)
        if name == "other":
            nlp.rename_pipe("lstm_tagger", "mine")
        nlp.to_disk(tmp_path / name)
    docs = gold_docs(nlp)
    DocBin(docs=docs).to_disk(tmp_path / "dev.spacy")
    DocBin(docs=[Doc(nlp.vocab, words=["no", "tags"])]).to_disk(tmp_path / "untagged.spacy")
    DocBin().to_disk(tmp_path / "empty.spacy")
    DocBin(docs=docs[1:2]).to_disk(tmp_path / "train.spacy")
    (tmp_path / "damaged.spacy").write_bytes(b"not a DocBin")
    (tmp_path / "data.txt").write_text("I like ham")
    spacy.blank("en").to_disk(tmp_path / "blank")
    return tmp_path


@pytest.fixture
def libraries() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (the extra [report])")
    pytest.importorskip("jinja2", reason="jinja2 is not installed (the extra [report])")


@pytest.mark.filterwarnings("ignore:.*training never showed")  # the tags that do harm
def test_accuracy_is_that_of_spacy_evaluate(files, libraries) -> None:
    page, figures = files / "out.html", files / "out.json"
    done = run_report(files / "model", files / "dev.spacy", page, "--json", figures)
    assert done.exit_code == 0, done.output
    docs = gold_docs(spacy.blank("en"))
    docs[0][-1].tag_ = ""  # spaCy counts tagged white space as missed
    DocBin(docs=docs).to_disk(files / "words.spacy")
    scores = evaluate(str(files / "model"), files / "words.spacy", gold_preproc=True)
    (tagger,) = json.loads(figures.read_text(encoding="utf8"))["taggers"]
    assert tagger["accuracy"]["accuracy"] == scores["tag_acc"]
    assert f"{100 * scores['tag_acc']:.2f} %" in done.stderr
    assert done.stdout == ""
    assert f"{100 * scores['tag_acc']:.2f} <small>%</small>" in page.read_text(encoding="utf8")
    assert tagger["n_sentences"] == 4
    assert tagger["left_out"] == {"no gold tag": 1, "white space": 1}


def test_page_needs_no_other_file_and_runs_no_strange_script(files, libraries) -> None:
    assert run_report(files / "model", files / "dev.spacy", files / "out.html").exit_code == 0
    page = (files / "out.html").read_text(encoding="utf8")
    assert EVIL not in page
    assert page.count("<script>") == page.count("</script>") == 1
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in page
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;$x$" in page
    links = re.findall(r"""(?:\s(?:src|srcset|xlink:href|href)=|url\()["']?([^"')>]+)""", page)
    assert [link for link in links if not link.startswith("#")] == ["data:,"]  # the icon
    assert "@import" not in page
    identifiers = re.findall(r'\sid="([^"]*)"', page)
    assert len(identifiers) == len(set(identifiers))


def test_reports_of_the_same_data_are_the_same(files, libraries) -> None:
    for name in ("one", "two"):
        output = files / f"{name}.html"
        assert run_report(files / "model", files / "dev.spacy", output).exit_code == 0
    assert (files / "one.html").read_bytes() == (files / "two.html").read_bytes()


def test_two_taggers_side_by_side(files, libraries) -> None:
    done = run_report(
        files / "model",
        files / "dev.spacy",
        files / "out.html",
        *("--compare", files / "other", "--json", files / "out.json"),
        *("--train", files / "train.spacy", "--worst", 1),
    )
    assert done.exit_code == 0, done.output
    report = json.loads((files / "out.json").read_text(encoding="utf8"))
    one, other = report["taggers"]
    assert report["comparison"]["difference"] == pytest.approx(
        other["accuracy"]["accuracy"] - one["accuracy"]["accuracy"]
    )
    assert other["reliability"]  # a component of another name gives probabilities, too
    assert {share["name"]: share["n"] for share in one["seen"]} == {"unseen": 9, "seen": 2}
    assert "same capitals, occurs in train.spacy" in one["seen_means"]
    assert len(one["worst"]) == 1
    page = (files / "out.html").read_text(encoding="utf8")
    assert 'id="changed"' in page
    difference = f"{100 * report['comparison']['difference']:+.2f} points"
    assert f"{files / 'other'} minus {files / 'model'}: {difference}" in done.stderr
    assert done.stderr.index("words fixed") < done.stderr.index("broken")
    assert page.index("words fixed") < page.index("broken</strong>")
    assert page.count("<svg") == 6  # one each of four kinds, and the confusions of both


def test_stock_tagger_has_no_probabilities(files, libraries, make_examples) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger")
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(files / "stock")
    done = run_report(
        files / "stock", files / "dev.spacy", files / "out.html", "--json", files / "out.json"
    )
    assert done.exit_code == 0, done.output
    (tagger,) = json.loads((files / "out.json").read_text(encoding="utf8"))["taggers"]
    assert tagger["reliability"] is None
    assert tagger["seen"] == []
    assert {w["confidence"] for s in tagger["worst"] for w in s["words"]} == {None}
    page = (files / "out.html").read_text(encoding="utf8")
    assert 'id="reliability"' not in page
    assert 'id="seen"' not in page


def test_exported_tagger_gives_the_same_figures(files, libraries) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
    pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
    from spacy_lstm_tagger.cli.export import export_cli

    export_cli(str(files / "model"), files / "exported", "float32")
    done = run_report(
        files / "model",
        files / "dev.spacy",
        files / "out.html",
        *("--compare", files / "exported", "--json", files / "out.json"),
    )
    assert done.exit_code == 0, done.output
    one, other = json.loads((files / "out.json").read_text(encoding="utf8"))["taggers"]
    assert other["tags"] == one["tags"]
    assert other["reliability"]["error"] == pytest.approx(one["reliability"]["error"], abs=1e-4)


@pytest.mark.parametrize(
    ("model", "data", "output", "message"),
    [
        ("model", "untagged.spacy", "out.html", "None of its 2 words has a gold tag"),
        ("model", "empty.spacy", "out.html", "It has no words"),
        ("model", "data.txt", "out.html", "nor does its name end in .spacy"),
        ("model", "damaged.spacy", "out.html", "Make one with `spacy convert`"),
        ("blank", "dev.spacy", "out.html", "none of which has set a tag"),
        ("nothing", "dev.spacy", "out.html", "cannot load the pipeline"),
        ("model", "dev.spacy", "nowhere/out.html", "does not exist"),
    ],
)
def test_bad_input_is_named_and_nothing_written(
    model, data, output, message, files, libraries
) -> None:
    before = sorted(files.rglob("*"))
    done = run_report(files / model, files / data, files / output, "--json", files / "out.json")
    assert done.exit_code == 1, done.output
    assert message in done.stderr
    assert (done.stdout, len(done.stderr.splitlines())) == ("", 1)
    assert isinstance(done.exception, SystemExit)
    assert sorted(files.rglob("*")) == before


def test_directory_as_output_is_refused(files) -> None:
    done = run_report(files / "model", files / "dev.spacy", files)
    assert done.exit_code == 2
    assert "is a directory" in " ".join(done.output.replace("│", "").split())


def test_missing_library_is_named_with_the_remedy(files, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = run_report(files / "model", files / "dev.spacy", files / "out.html")
    assert done.exit_code == 1
    assert 'pip install "spacy-lstm-tagger[report]"' in " ".join(done.output.split())
    assert "needs matplotlib" in " ".join(done.output.split())
    assert not (files / "out.html").exists()


def test_command_as_a_user_types_it(files, libraries) -> None:
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "report", "model", "dev.spacy"]
    done = subprocess.run([*command, "out.html"], cwd=files, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Wrote out.html" in done.stderr
    assert done.stdout == ""
    assert "<title>Tagging report: model on dev.spacy</title>" in (files / "out.html").read_text(
        encoding="utf8"
    )


def test_confidence_is_that_of_the_component(make_nlp, make_examples, randomize) -> None:
    nlp = make_nlp()
    tagger = nlp.get_pipe("lstm_tagger")
    randomize(tagger)
    gold, answers = ask(nlp, "mine", make_examples(nlp))
    docs = [eg.predicted for eg in make_examples(nlp)]
    expected = numpy.concatenate([p.max(axis=1) for p in tagger.predict_probabilities(docs)])
    assert answers.confidence == pytest.approx(expected, abs=1e-6)
    assert gold.lengths.tolist() == [4, 3]


def test_joined_tokens_have_no_answer(make_nlp, make_examples, randomize) -> None:
    nlp = make_nlp()
    randomize(nlp.get_pipe("lstm_tagger"))

    @Language.component("join_green_eggs")
    def join(doc: Doc) -> Doc:
        if len(doc) == 4:
            with doc.retokenize() as retokenizer:
                retokenizer.merge(doc[2:4])
        return doc

    nlp.add_pipe("join_green_eggs")
    _, answers = ask(nlp, "mine", make_examples(nlp))
    assert [tag is None for tag in answers.tags] == [False, False, True, True, *[False] * 3]
    assert numpy.isnan(answers.confidence[2:4]).all()


def test_seen_means_what_the_vocabulary_holds(make_nlp, train_data) -> None:
    rare = [f"word{i}" for i in range(LEAST_RARE)]
    more = [("eat ham", {"tags": ["V", "N"]}), (" ".join(rare), {"tags": ["N"] * len(rare)})]
    nlp = make_nlp([*train_data, *more], model={"min_word_freq": 2})
    counts = counts_of_model(nlp)
    assert counts.of(["Ham", "EAT", "like", *rare[:1]]).tolist() == [2, 2, 0, 0]
    assert "at least 2 times" in counts.meaning
    assert counts_of_model(spacy.blank("en")) is None


def test_seen_follows_the_casing_of_the_language(small_config) -> None:
    nlp = spacy.blank("tr")
    nlp.add_pipe("lstm_tagger", config=small_config)
    doc = Doc(nlp.vocab, words=["iyi", "ılık"], tags=["J", "J"])
    nlp.initialize(lambda: [Example(doc, doc)])
    assert counts_of_model(nlp).of(["İYİ", "ILIK", "IYI"]).tolist() == [1, 1, 0]


@pytest.mark.parametrize("tags", [list(GOLD.tags), ["X"] * 9, [""] * 9])
def test_page_of_a_tagger_that_is_always_right_or_never(tags, libraries) -> None:
    from spacy_lstm_tagger.report.build import Report
    from spacy_lstm_tagger.report.page import render_page

    page = render_page(Report("dev.spacy", [measure(GOLD, Answers("mine", tags, None))]))
    assert ("There is no error." in page) == (tags == GOLD.tags)


def test_many_tags_share_the_last_place_of_the_picture() -> None:
    from spacy_lstm_tagger.report.plots import MOST_TAGS, confusion_matrix

    tags = [f"T{i:03}" for i in range(60)]
    gold = Gold(["w"] * 60, [True] * 60, tags, numpy.asarray([60]))
    names, counts = confusion_matrix(measure(gold, Answers("mine", [*tags[1:], "T000"], None)))
    assert len(names) == MOST_TAGS
    assert names[-1] == "other"
    assert counts.sum() == 60
    assert counts[-1, -1] == 60 - MOST_TAGS

"""benchmarks/english.py: figures of English pipelines, and the page about them."""

import sys
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(autouse=True)
def measuring(monkeypatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    for name in [name for name in sys.modules if name.partition(".")[0] == "measuring"]:
        monkeypatch.delitem(sys.modules, name)


def test_accuracy_counts_each_output_of_gold_tokens_unseen_ones_and_raw_text() -> None:
    from measuring.annotation import measure_accuracy

    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("attribute_ruler")
    for word, tag, pos in (("I", "PRP", "PRON"), ("like", "VB", "VERB"), ("ham", "NN", "NOUN")):
        ruler.add([[{"ORTH": word}]], {"TAG": tag, "POS": pos})
    vocab = spacy.blank("en").vocab
    words, pos = ["I", "like", "ham"], ["PRON", "VERB", "NOUN"]
    gold = [
        Doc(vocab, words, [True, True, False], tags=["PRP", "VBP", "NN"], pos=pos),
        Doc(vocab, ["ham/ham"], [False], tags=["NN"], pos=["NOUN"]),  # which the tokenizer splits
    ]
    found = measure_accuracy(nlp, gold, ["email", "weblog"], {"I", "ham"})
    assert found.gold == {"tag": 50.0, "pos": 75.0}
    assert found.unseen == {"tag": 0.0, "pos": 50.0}
    assert found.genres == {"email": pytest.approx(200 / 3), "weblog": 0.0}
    # F-score; the parts of "ham/ham" are ham, twice the same, and a token without annotation
    assert found.raw["tag"] == pytest.approx(100 * 2 * 3 / (5 + 4))
    assert found.raw["pos"] == pytest.approx(100 * 2 * 4 / (5 + 4))
    assert found.tokens == pytest.approx(100 * 2 * 3 / (6 + 4))
    assert found.calibration is None


def test_calibration_error_is_that_of_the_most_probable_tags(make_nlp) -> None:
    from measuring.annotation import measure_accuracy

    nlp = make_nlp(steps=60)
    gold = Doc(nlp.vocab, ["I", "like", "ham"], [True, True, False], tags=["V", "V", "V"])
    rows = nlp.get_pipe("lstm_tagger").predict_probabilities(nlp("I like ham"))[0]
    found = measure_accuracy(nlp, [gold], [None], set())
    assert found.gold == {"tag": pytest.approx(100 / 3)}
    assert rows.max(axis=1).min() > 14 / 15  # so that all are in one bin
    assert found.calibration == pytest.approx(100 * (rows.max(axis=1).mean() - 1 / 3), abs=1e-4)


def figures():
    from measuring.annotation import Accuracy
    from measuring.english_report import CNN, Figures

    accuracies = {
        name: Accuracy({"tag": tag}, {"tag": 80.0}, {"tag": 90.0}, 99.0, {}, {}, None)
        for name, tag in (("en_ewt_lstm", 95.0), ("en_core_web_sm", 92.0))
    }
    speeds = {
        "en_ewt_lstm": 4000.0,
        "en_core_web_sm": 500.0,
        CNN: 900.0,
        "en_core_web_sm, tags alone": 1000.0,
    }
    return Figures(
        accuracies,
        {CNN: [94.0, 93.0], "UDPipe 1 (tag)": [93.5], "not measured": [90.0]},
        {"sentences": speeds, "texts": speeds},
        {"en_core_web_sm, tags alone": 800.0, "UDPipe 1 (tag)": 200.0},
        ["Stanza: not installed"],
        {"en_ewt_lstm": {"loaded": 1.25, "peak": 400.0, "long": 0.0}},
        {"en_ewt_lstm": 6.3},
    )


def test_picture_has_speeds_as_multiples_of_the_same_tagger() -> None:
    from measuring.english_report import picture_points

    assert picture_points(figures()) == {
        "en_ewt_lstm": (4.0, 95.0),
        "en_core_web_sm": (1.0, 92.0),
        "spaCy CNN trained on EWT": (0.9, 93.5),
        "UDPipe 1": (0.25, 93.5),
    }


def test_page_and_picture_are_written(tmp_path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (the extra [report])")
    from measuring.english_report import draw, report

    page = report(figures(), "python benchmarks/english.py")
    for row in (
        "| en_ewt_lstm | 95.00 | – | – | – | 80.00 | – | – | – | – |",
        "| en_core_web_sm | 500 (0.50) | 500 (0.50) |",
        "| UDPipe 1 (tag) | 200 | 0.25 |",
        "| en_ewt_lstm | 6.3 | 1.25 | 400 |",
        "- Stanza: not installed",
    ):
        assert row in page
    draw(tmp_path / "english.svg", figures())
    assert "en_ewt_lstm" in (tmp_path / "english.svg").read_text(encoding="utf8")

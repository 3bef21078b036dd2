"""benchmarks/subsets.py: parts of a treebank, and the page about taggers trained on them."""

import sys
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
SENTENCES = [
    ("answers-1", ["Do", "it"], ["VB", "PRP"]),
    ("email-1", ["Thanks"], ["NNS"]),
    ("answers-2", ["It", "is"], ["PRP", "VBZ"]),
    ("weblog-1", ["Green", "eggs"], ["JJ", "NNS"]),
]


def conllu(sentences: list) -> str:
    blocks = []
    for name, words, tags in sentences:
        rows = [
            "\t".join([str(i), word, "_", "X", tag, "_", "0" if i == 1 else "1", "dep", "_", "_"])
            for i, (word, tag) in enumerate(zip(words, tags, strict=True), start=1)
        ]
        blocks.append("\n".join([f"# sent_id = {name}", *rows]) + "\n\n")
    return "".join(blocks)


@pytest.fixture
def treebank(tmp_path, monkeypatch):
    """A treebank of four sentences, the last three of them in dev."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    for name in [name for name in sys.modules if name.partition(".")[0] == "measuring"]:
        monkeypatch.delitem(sys.modules, name)
    from measuring.devset import Treebank

    (tmp_path / "en_ewt-ud-train.conllu").write_text(conllu(SENTENCES), encoding="utf8")
    (tmp_path / "en_ewt-ud-dev.conllu").write_text(conllu(SENTENCES[1:]), encoding="utf8")
    return Treebank("en_ewt", tmp_path, tmp_path / "work")


def ids(treebank, split: str) -> list[str]:
    from measuring.treebank import read_conllu

    return [sentence.id for sentence in read_conllu(treebank.conllu(split))]


def test_first_sentences_are_scored_on_all_of_dev(treebank) -> None:
    from measuring.subsets import first_sentences

    part = first_sentences(treebank, 2)
    assert ids(part.treebank, "train") == ["answers-1", "email-1"]
    assert ids(part.treebank, "dev") == [s.id for s in part.gold] == [s[0] for s in SENTENCES[1:]]
    assert (part.n_words, part.treebank.lang) == (3, "en")


def test_a_genre_left_out_is_in_neither_split_and_scored_on(treebank) -> None:
    from measuring.subsets import without_genre

    part = without_genre(treebank, "answers")
    assert ids(part.treebank, "train") == ["email-1", "weblog-1"]
    assert ids(part.treebank, "dev") == ["email-1", "weblog-1"]
    assert [sentence.id for sentence in part.gold] == ["answers-1", "answers-2"]


def test_unseen_words_are_those_that_the_tagger_was_not_trained_on(treebank) -> None:
    from measuring.subsets import first_sentences

    class AllPronouns:
        nlp = spacy.blank("en")

        def tag(self, forms: dict[str, list[Doc]]) -> dict[str, list[list[str]]]:
            return {name: [["PRP"] * len(doc) for doc in docs] for name, docs in forms.items()}

    part = first_sentences(treebank, 2)
    scores = part.score(AllPronouns(), part.gold)
    assert scores["counts"] == {"words": 5, "unseen": 4}  # "It" is not "it"
    assert scores["accuracy"] == {"gold": 20.0, "unseen": 25.0}


def test_recipe_is_that_of_init_config_for_so_many_words(treebank) -> None:
    from measuring.subsets import fitted_config

    from spacy_lstm_tagger.cli.recipe_size import fit_to_size

    path = BENCHMARKS.parent / "configs" / "default.cfg"
    small, large = (fitted_config(path, n)("tr") for n in (2_000, 200_000))
    assert small["nlp"]["lang"] == "tr"
    assert small["training"]["max_steps"] < large["training"]["max_steps"] == 4200
    expected = {"training": large["training"], "components": large["components"]}
    assert fit_to_size(expected, "default", 2_000)
    assert small["training"] == expected["training"]


def test_page_has_a_row_for_each_size_and_a_lead(treebank, tmp_path) -> None:
    from measuring.runs import Result
    from measuring.subset_report import draw_curves, report
    from measuring.tables import TaggerResults

    def found(*accuracies: float) -> list[TaggerResults]:
        record = {"minutes": 1.5, "threads": 1}
        return [
            TaggerResults(key, key, [Result(0, {"accuracy": {"gold": x, "unseen": x}}, record)])
            for key, x in zip(("cnn", "default"), accuracies, strict=True)
        ]

    curves = {"en_ewt": {30: (400, found(60.0, 62.5)), 100: (1400, found(75.0, 78.0))}}
    page = report(curves, {"email": found(90.0, 91.0)}, "the command")
    assert "| 30 | 400 | 60.00 | 62.50 | +2.50 | 1.5 / 1.5 |" in page
    assert "| email | 90.00 | 91.00 | +1.00 | 90.00 | 91.00 | 1.5 / 1.5 |" in page
    draw_curves(tmp_path / "curves.svg", curves)
    assert "en_ewt" in (tmp_path / "curves.svg").read_text()

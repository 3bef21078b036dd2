"""The report says what gold tokens hide: raw text, unknown tags, badly converted data."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import spacy
from spacy.cli.evaluate import evaluate
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training.converters import conllu_to_docs
from typer.testing import CliRunner

from spacy_lstm_tagger.cli import lstm_tagger_cli
from spacy_lstm_tagger.report.answers import Answers, Gold, ask
from spacy_lstm_tagger.report.build import Report, build_report
from spacy_lstm_tagger.report.data_checks import check_data, check_figures
from spacy_lstm_tagger.report.figures import measure
from spacy_lstm_tagger.report.labels import labels_of
from spacy_lstm_tagger.report.raw_text import measure_raw_text


@pytest.fixture
def nlp(make_nlp, randomize) -> Language:
    nlp = make_nlp()
    randomize(nlp.get_pipe("lstm_tagger"))
    return nlp


@pytest.fixture
def report_on(nlp, tmp_path) -> Callable[..., Report]:
    """Return a function that makes the report of the pipeline on docs."""

    def report(*docs: Doc) -> Report:
        DocBin(docs=docs).to_disk(tmp_path / "dev.spacy")
        return build_report([("mine", nlp)], tmp_path / "dev.spacy")

    return report


def contraction(nlp: Language) -> Doc:
    """Two sentences; of their seven gold tokens, the tokenizer finds all but "don't"."""
    return Doc(
        nlp.vocab,
        words=["I", "don't", "like", "ham", "Eat", "it", "!"],
        spaces=[True, True, True, True, True, False, False],
        tags=["N", "V", "V", "N", "V", "N", "J"],
        sent_starts=[True, False, False, False, True, False, False],
    )


# Raw text


def test_raw_text_is_scored_as_by_spacy_evaluate(nlp, tmp_path) -> None:
    nlp.to_disk(tmp_path / "model")
    DocBin(docs=[contraction(nlp), contraction(nlp)]).to_disk(tmp_path / "dev.spacy")
    scores = evaluate(str(tmp_path / "model"), tmp_path / "dev.spacy")
    found = measure_raw_text(nlp, [contraction(nlp), contraction(nlp)])
    for name in ("token_r", "token_p", "token_f", "token_acc", "tag_acc"):
        assert getattr(found, name) == scores[name], name
    assert (found.n_words, found.token_r) == (14, 6 / 7)
    assert found.token_p == 6 / 8  # "do" and "n't" are none
    assert 0 < found.tag_acc < 1


def test_report_shows_raw_text_in_all_three_places(nlp, tmp_path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (the extra [report])")
    pytest.importorskip("jinja2", reason="jinja2 is not installed (the extra [report])")
    nlp.to_disk(tmp_path / "model")
    DocBin(docs=[contraction(nlp)]).to_disk(tmp_path / "dev.spacy")
    names = ("model", "dev.spacy", "out.html", "--json", "out.json")
    paths = [name if name.startswith("--") else str(tmp_path / name) for name in names]
    done = CliRunner().invoke(lstm_tagger_cli, ["report", *paths])
    assert done.exit_code == 0, done.output
    (tagger,) = json.loads((tmp_path / "out.json").read_text(encoding="utf8"))["taggers"]
    share = f"{100 * tagger['raw_text']['tag_acc']:.2f}"
    assert tagger["raw_text"]["token_r"] == 6 / 7
    assert f"on raw text: {share} %" in done.stderr
    assert "85.71 % of 7 gold tokens are found" in done.stderr
    page = (tmp_path / "out.html").read_text(encoding="utf8")
    assert f"{share} <small>%</small>" in page
    assert "85.71 % of the tokens found" in page
    assert "Before you trust these figures" in page
    assert "finds only 85.7 % of the gold tokens" in page
    assert "⚠" in done.stderr
    assert "finds only 85.7 % of the gold tokens" in done.stderr
    assert done.stdout == ""


def test_tokenizer_of_another_language_is_warned_of(nlp, report_on) -> None:
    words = ["我", "喜欢", "北京", "。"]
    chinese = Doc(nlp.vocab, words=words, spaces=[False] * 4, tags=["N", "V", "N", "J"])
    report = report_on(chinese)
    (figures,) = report.taggers
    assert figures.accuracy.n == 4
    assert figures.raw_text.token_r == 1 / 4  # the full stop
    (warning,) = report.warnings
    assert "mine: on raw text, the pipeline finds only 25.0 % of the gold tokens" in warning
    assert "tokenizer of the language" in warning


def test_fitting_tokenizer_is_not_warned_of(nlp, report_on) -> None:
    doc = Doc(nlp.vocab, words=["I", "like", "ham"], spaces=[1, 1, 0], tags=["N", "V", "N"])
    report = report_on(doc)
    assert report.taggers[0].raw_text.token_f == 1
    assert report.taggers[0].raw_text.tag_acc == report.taggers[0].accuracy.accuracy
    assert report.warnings == []


def test_data_without_spaces_has_no_raw_text_and_says_so(nlp, report_on) -> None:
    without = Doc(nlp.vocab, words=["I", "like", "ham"], tags=["N", "V", "N"])
    report = report_on(without)
    assert report.taggers[0].raw_text is None
    assert report.warnings == [
        "dev.spacy does not record where spaces are: nothing is known of raw text."
    ]
    both = report_on(without, contraction(nlp))
    assert both.taggers[0].raw_text.n_words == 7


def test_tokenizer_that_fails_costs_its_own_figures_alone(nlp, report_on) -> None:
    def fail(text: str) -> Doc:
        raise RuntimeError("Input is too long")

    nlp.tokenizer = fail
    report = report_on(contraction(nlp))
    assert report.taggers[0].accuracy.n == 7
    assert report.taggers[0].raw_text is None
    assert report.warnings == ["mine: cannot tag raw text: RuntimeError: Input is too long"]


def test_raw_text_has_no_maximum_length(nlp) -> None:
    nlp.max_length = 10
    assert measure_raw_text(nlp, [contraction(nlp)]).n_words == 7


def test_tagged_white_space_costs_no_accuracy(nlp, report_on) -> None:
    words = ["I", "like", "\n", "ham", "\n"]
    tags = ["N", "V", "_SP", "N", "_SP"]
    wrapped = Doc(nlp.vocab, words=words, spaces=[1, 0, 0, 0, 0], tags=tags)
    nlp.add_pipe("always_right")
    (figures,) = report_on(wrapped).taggers
    assert figures.left_out == {"white space": 2}
    assert (figures.accuracy.accuracy, figures.accuracy.n, figures.worst) == (1, 3, [])
    assert [share.name for share in figures.by_length] == ["1–5"]
    assert figures.raw_text.tag_acc == 1
    assert (figures.raw_text.n_words, figures.raw_text.token_r) == (3, 1)
    assert {row.tag for row in figures.tags} == {"N", "V"}


@Language.component("always_right")
def always_right(doc: Doc) -> Doc:
    for token in doc:
        token.tag_ = {"like": "V"}.get(token.text, "?" if token.is_space else "N")
    return doc


# Tags that training lacks


def test_words_whose_tag_training_never_showed_are_counted(nlp, report_on) -> None:
    tags = ["ADV", "N", "X", "X", "\\`", "!N"]
    doc = Doc(nlp.vocab, words=list("abcdef"), spaces=[True] * 6, tags=tags)
    report = report_on(doc)
    assert report.taggers[0].tags_without_label == {"X": 2, "ADV": 1, "\\`": 1}
    (warning,) = report.warnings
    assert "4 of 6 words have a tag that training never showed (X, ADV, \\`)" in warning


def test_many_unknown_tags_are_named_in_part() -> None:
    gold = Gold(["w"] * 9, [True] * 9, [f"T{i}" for i in range(9)], numpy.asarray([9]))
    figures = measure(gold, Answers("mine", ["T8"] * 9, None, frozenset({"T7"})))
    (warning,) = check_figures(figures)
    assert "7 of 9 words have a tag that training never showed (T0, T1, T2, T3, T4, …)" in warning


def test_tags_that_another_component_gives_are_not_unknown(nlp, report_on) -> None:
    ruler = nlp.add_pipe("attribute_ruler")
    ruler.add([[{"ORTH": "ham"}]], {"TAG": "FOOD"})
    words = ["I", "like", "ham"]
    doc = Doc(nlp.vocab, words=words, spaces=[True] * 3, tags=["N", "V", "FOOD"])
    assert report_on(doc).warnings == []


def test_labels_are_those_of_taggers_alone(nlp, make_examples) -> None:
    assert labels_of(nlp) == {"N", "V", "J", "!N", "!V", "!J"}
    assert labels_of(spacy.blank("en")) is None
    other = spacy.blank("en")
    other.add_pipe("senter")
    assert labels_of(other) is None
    other.add_pipe("tagger", config={"neg_prefix": "not "}).add_label("V")
    assert labels_of(other) == {"V", "not V"}


# Badly converted data

NO_TREES = "".join(
    f"# sent_id = {n}\n"
    + "".join(
        f"{i}\t{word}\t_\tX\t{tag}\t_\t_\t_\t_\t_\n"
        for i, (word, tag) in enumerate([("Eat", "V"), ("blue", "J"), ("ham", "N")], start=1)
    )
    + "\n"
    for n in range(7)
)


def test_treebank_without_trees_is_noticed(nlp, report_on) -> None:
    docs = list(conllu_to_docs(NO_TREES, n_sents=1, no_print=True))
    report = report_on(*docs)
    assert report.taggers[0].n_sentences == 21  # what spacy convert makes of seven
    (warning,) = report.warnings
    assert "21 of 21 sentences have one word only" in warning
    assert "python -m spacy lstm-tagger convert" in warning


def gold_of(words: list[str], lengths: list[int]) -> Gold:
    return Gold(words, [True] * len(words), ["N"] * len(words), numpy.asarray(lengths))


@pytest.mark.parametrize(
    ("lengths", "noticed"),
    [
        ([1] * 20, True),
        ([1] * 18 + [4] * 2, True),
        ([1] * 17 + [4] * 3, False),  # headlines, replies
        ([1] * 19, False),  # too few to say
        ([9], False),
    ],
)
def test_sentences_of_one_word_are_noticed_if_nearly_all_are(lengths, noticed) -> None:
    found = check_data(gold_of(["w"] * sum(lengths), lengths))
    assert ["one word only" in warning for warning in found] == [True] * noticed


def test_sentences_of_one_word_and_white_space_are_noticed() -> None:
    (warning,) = check_data(gold_of(["w", "\n"] * 20, [2] * 20))
    assert "20 of 20 sentences have one word only" in warning


@pytest.mark.parametrize(
    ("words", "noticed"), [(["_"] * 9 + ["."], True), (["_", "a", "b", "_", "c"], False)]
)
def test_treebank_without_its_words_is_noticed(words, noticed) -> None:
    found = check_data(gold_of(words, [len(words)]))
    assert len(found) == noticed
    assert all("words are `_`" in warning for warning in found)


# Tokens that change after tagging


@Language.factory("merge")
class Merge:
    def __init__(self, nlp: Language, name: str, start: int) -> None:
        self.start = start

    def __call__(self, doc: Doc) -> Doc:
        if len(doc) == 4:
            with doc.retokenize() as retokenizer:
                retokenizer.merge(doc[self.start : self.start + 2])
        return doc


@pytest.mark.parametrize("place", [slice(0, 2), slice(1, 3), slice(2, 4)])
def test_confidence_stays_with_its_token_behind_a_merge(place, nlp, make_examples) -> None:
    _, before = ask(nlp, "mine", make_examples(nlp))
    nlp.add_pipe("merge", config={"start": place.start})
    _, after = ask(nlp, "mine", make_examples(nlp))
    merged = numpy.zeros(7, dtype=bool)
    merged[place] = True
    assert numpy.isnan(after.confidence[merged]).all()
    assert after.confidence[~merged] == pytest.approx(before.confidence[~merged])


def test_page_marks_commands_as_code_and_escapes_the_rest(tmp_path) -> None:
    pytest.importorskip("jinja2", reason="jinja2 is not installed (the extra [report])")
    from spacy_lstm_tagger.report.templating import new_environment

    code = new_environment().filters["code"]
    assert code("`a <b>` & ``") == "<code>a &lt;b&gt;</code> &amp; ``"


def test_converted_sample_of_a_treebank_has_no_warning(nlp, read_treebank, report_on) -> None:
    report = report_on(*read_treebank("en_ewt-ud-dev.conllu")[:100])
    assert not any("one word only" in warning for warning in report.warnings)
    assert report.taggers[0].raw_text.token_r > 0.95


def test_path_of_the_data_may_be_a_directory(nlp, tmp_path) -> None:
    (tmp_path / "dev").mkdir()
    for name in ("a", "b"):
        DocBin(docs=[contraction(nlp)]).to_disk(Path(tmp_path / "dev" / f"{name}.spacy"))
    report = build_report([("mine", nlp)], tmp_path / "dev")
    assert report.taggers[0].raw_text.n_words == 14

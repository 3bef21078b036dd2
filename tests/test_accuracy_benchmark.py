"""The parts of benchmarks/accuracy.py, and one small run of it; no treebank is needed."""

import importlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import spacy
from spacy.tokens import Doc
from typer.testing import CliRunner

REPOSITORY = Path(__file__).parent.parent
NLTK = "nltk"

CONLLU = """\
# newdoc id = weblog-a.com_1
# sent_id = weblog-a.com_1-0001
# text = Don't wait.
1-2	Don't	_	_	_	_	_	_	_	_
1	Do	do	AUX	VB	_	3	aux	_	_
2	n't	not	PART	RB	_	3	advmod	_	_
3	wait	wait	VERB	VB	_	0	root	_	SpaceAfter=No
3.1	wait	wait	VERB	VB	_	_	_	_	_
4	.	.	PUNCT	.	_	3	punct	_	_

# sent_id = email-enron-2-0007
1	Thanks	thanks	NOUN	NN	_	0	root	_	_
"""


@pytest.fixture(scope="module")
def module() -> Callable[[str], ModuleType]:
    """Return a function that imports a module as the scripts in benchmarks/ do."""
    sys.path.insert(0, str(REPOSITORY / "benchmarks"))
    yield importlib.import_module
    sys.path.remove(str(REPOSITORY / "benchmarks"))


@pytest.fixture(scope="module")
def converted(module, tmp_path_factory) -> Path:
    """Return a directory with some of the bundled sentences as a treebank, converted."""
    directory = tmp_path_factory.mktemp("treebank")
    for split in ("train", "dev"):
        text = (REPOSITORY / "corpus" / f"en-{split}.conllu").read_text(encoding="utf8")
        path = directory / f"en_x-ud-{split}.conllu"
        path.write_text("\n\n".join(text.split("\n\n")[:80]) + "\n\n", encoding="utf8")
        module("measuring.training").convert(path, directory / "work")
    return directory


@pytest.fixture
def small_treebank(module, converted, tmp_path):
    """Return a copy of that treebank, nothing trained on it."""
    shutil.copytree(converted, tmp_path, dirs_exist_ok=True)
    return module("measuring.devset").Treebank("en_x", tmp_path, tmp_path / "work")


@pytest.fixture
def texts(module) -> list:
    """Return 40 equal texts of six words."""
    text = module("measuring.variants").Text
    words = ["Isabel", "quickly", "bought", "İstanbul", "tea", "!"]
    return [text(words, [True] * 6, ["NNP", "RB", "VBD", "NNP", "NN", "."]) for _ in range(40)]


@pytest.fixture
def devset(module):
    """Return a dev set of two sentences, in two genres; "fish" is unseen."""
    vocab = spacy.blank("en").vocab
    sentences = [("I", "PRP"), ("like", "VBP"), ("fish", "NN")], [("They", "PRP"), ("fish", "VBP")]
    docs = [Doc(vocab, [w for w, _ in s], tags=[t for _, t in s]) for s in sentences]
    genres = ["weblog", "email"]
    return module("measuring.devset").make_devset(docs, genres, {"I", "like", "They"}, "en")


class TagsNouns:
    """A tagger that says PRP of words with a capital, and NN of all others."""

    nlp = spacy.blank("en")

    def tag(self, forms: dict[str, list[Doc]]) -> dict[str, list[list[str]]]:
        return {
            name: [["PRP" if t.text.istitle() else "NN" for t in doc] for doc in docs]
            for name, docs in forms.items()
        }


# Figures


@pytest.mark.parametrize(
    ("n_first", "n_second", "p"),
    [(0, 0, 1.0), (3, 3, 1.0), (0, 5, 0.0625), (1, 9, 0.021484375), (8, 2, 0.109375)],
)
def test_mcnemar_gives_the_exact_binomial_probability(module, n_first, n_second, p) -> None:
    first = [True] * n_first + [False] * n_second + [True, False]
    second = [False] * n_first + [True] * n_second + [True, False]
    assert module("measuring.figures").mcnemar(first, second) == (n_first, n_second, p)


def test_mcnemar_of_many_words_agrees_with_the_normal_approximation(module) -> None:
    first, second = [True] * 1100 + [False] * 1000, [False] * 1100 + [True] * 1000
    p = module("measuring.figures").mcnemar(first, second).p
    assert p == pytest.approx(0.0307, abs=0.0003)  # z = 99 / sqrt(2100), two-sided


def test_mcnemar_refuses_different_numbers_of_words(module) -> None:
    with pytest.raises(ValueError, match="longer"):
        module("measuring.figures").mcnemar([True], [True, False])


@pytest.mark.parametrize(
    ("values", "text"),
    [([], "–"), ([94.786], "94.79"), ([94.0, 95.0, 96.0], "95.00 ± 1.00"), ([1, 1], "1.00 ± 0.00")],
)
def test_mean_and_spread(module, values, text) -> None:
    assert module("measuring.figures").mean_sd(values) == text


# Treebanks


def test_conllu_is_read_without_multiword_tokens_and_empty_nodes(module, tmp_path) -> None:
    treebank = module("measuring.treebank")
    path = tmp_path / "dev.conllu"
    path.write_text(CONLLU, encoding="utf8")
    first, second = treebank.read_conllu(path)
    assert first.words == ["Do", "n't", "wait", "."]
    assert first.tags == ["VB", "RB", "VB", "."]
    assert second.words == ["Thanks"]
    assert [treebank.genre(s.id) for s in (first, second)] == ["weblog", "email"]


@pytest.mark.parametrize("sentence_id", ["00001131_1", "", "unknown-1"])
def test_other_treebanks_have_no_genres(module, sentence_id) -> None:
    assert module("measuring.treebank").genre(sentence_id) is None


def test_a_missing_treebank_is_named_with_the_remedy(module, tmp_path) -> None:
    with pytest.raises(SystemExit, match=r"xx_none-ud-dev\.conllu is missing.*--data"):
        module("measuring.training").conllu_file(tmp_path, "xx_none", "dev")


def test_a_conversion_of_another_file_is_noticed(module, small_treebank) -> None:
    devset = module("measuring.devset")
    assert len(devset.read_devset(small_treebank).references) == 80
    small_treebank.conllu("dev").write_text(CONLLU, encoding="utf8")
    with pytest.raises(SystemExit, match=r"80 docs against 2\. Delete it"):
        devset.read_devset(small_treebank)


# Altered texts


def test_typos_are_the_same_every_time_and_keep_tokens_and_tags(module, texts) -> None:
    variants = module("measuring.variants")
    altered = variants.mistyped(texts, share=0.5)
    assert altered == variants.mistyped(texts, share=0.5)
    assert altered != variants.mistyped(texts, share=0.5, seed=1)
    for before, after in zip(texts, altered, strict=True):
        assert (after.tags, after.spaces) == (before.tags, before.spaces)
        assert len(after.words) == len(before.words)
        assert all(after.words)


def test_a_typo_is_one_edit_of_a_word_of_four_letters(module, texts) -> None:
    altered = module("measuring.variants").mistyped(texts, share=1.0)
    for before, after in zip(texts, altered, strict=True):
        for old, new in zip(before.words[:4], after.words[:4], strict=True):
            assert old != new
            assert abs(len(old) - len(new)) <= 1
            if len(old) == len(new):  # replaced: one letter; swapped: two
                assert sum(a != b for a, b in zip(old, new, strict=True)) <= 2
        assert after.words[4:] == before.words[4:]
    lengths = {len(text.words[0]) - len("Isabel") for text in altered}
    assert lengths == {-1, 0, 1}


def test_the_share_of_typos(module, texts) -> None:
    altered = module("measuring.variants").mistyped(texts * 25, share=0.1)
    n = sum(a != b for text in altered for a, b in zip(text.words, texts[0].words, strict=True))
    assert 320 <= n <= 480  # of 4,000 words that are long enough


@pytest.mark.parametrize("word", ["aaaa", "a1b2c3d4", "don't"])
def test_typos_of_odd_words(module, word) -> None:
    variants = module("measuring.variants")
    text = variants.Text([word, "xyz"], [True, True], ["NN", "NN"])
    for seed in range(30):
        (altered,) = variants.mistyped([text], share=1.0, seed=seed)
        assert altered.words[0] != word
        assert altered.words[1] == "xyz"


def test_case_follows_the_language(module, texts) -> None:
    variants = module("measuring.variants")
    lower, upper = variants.lower_cased(texts, "tr")[0], variants.upper_cased(texts, "tr")[0]
    assert lower.words[:4] == ["ısabel", "quickly", "bought", "istanbul"]
    assert upper.words[:4] == ["ISABEL", "QUİCKLY", "BOUGHT", "İSTANBUL"]
    assert variants.lower_cased(texts, "en")[0].words[0] == "isabel"
    assert variants.upper_cased(texts, "en")[0].words[1] == "QUICKLY"


def test_joined_docs_have_all_words_in_order(module, texts) -> None:
    docs = module("measuring.variants").joined(texts, 15)
    assert [len(doc.words) for doc in docs] == [90, 90, 60]
    assert [len(doc.words) for doc in docs] == [len(doc.tags) for doc in docs]
    assert docs[0].words == texts[0].words * 15


# Scores


def test_scores_of_a_known_tagger(module, devset) -> None:
    scores = module("measuring.scoring").score(TagsNouns(), devset)
    assert scores["right"] == "10110"
    accuracy = scores["accuracy"]
    assert accuracy["gold"] == accuracy["gold_10"] == accuracy["gold_500"] == pytest.approx(60)
    assert accuracy["raw"] == pytest.approx(60)
    assert accuracy["lower"] == accuracy["lower_10"] == pytest.approx(20)
    assert accuracy["unseen"] == pytest.approx(50)
    assert scores["genres"] == {"email": (2, 50.0), "weblog": (3, pytest.approx(200 / 3))}
    assert scores["tags"] == {"PRP": (2, 2, 2), "VBP": (2, 0, 0), "NN": (1, 3, 1)}
    assert scores["counts"] == {"words": 5, "sentences": 2, "unseen": 2, "typos": devset.n_typos}
    assert json.loads(json.dumps(scores))


# The report


@pytest.fixture
def page(module, devset) -> str:
    """Return a report of made-up runs: two taggers, two seeds, a peer that was stopped."""
    tables, runs = module("measuring.tables"), module("measuring.runs")
    scores = json.loads(json.dumps(module("measuring.scoring").score(TagsNouns(), devset)))
    better = {
        **scores,
        "accuracy": {**scores["accuracy"], "gold": 80.0},
        "tags": {"PRP": (2, 2, 2), "VBP": (2, 1, 1), "NN": (1, 2, 1)},
        "right": "11110",
    }
    record, sizes = {"minutes": 3.5, "threads": 1}, {"components": 6.04, "all": 6.5}
    taggers = [
        ("cnn", "spaCy CNN", [runs.Result(s, scores, record, sizes) for s in (0, 1)]),
        (
            "default",
            "`default.cfg`",
            [
                runs.Result(0, better, record, sizes, ("a remark",)),
                runs.Result(1, scores, record, sizes),
            ],
        ),
        (
            "stanza",
            "Stanza",
            [runs.Result(s, stopped="no model in /home/me/work/model.pt") for s in (0, 1)],
        ),
    ]
    results = {"en_x": [tables.TaggerResults(*tagger) for tagger in taggers]}
    return module("measuring.report").report(results, "python benchmarks/accuracy.py --seeds 0,1")


@pytest.mark.parametrize(
    "line",
    [
        "python benchmarks/accuracy.py --seeds 0,1",
        "| spaCy CNN | 2 | 60.00 ± 0.00 | – | 60.00 ± 0.00 | 50.00 ± 0.00 "
        "| 3.5 ± 0.0 | 1 | 6.0 | 6.5 |",
        "| Stanza | 0 | not trained, see the end | – | – | – | – | – | – | – |",
        "| tagger | email (2) | weblog (3) | edited (3) | web (2) |",
        "| `VBP` | 2 | 0.00 ± 0.00 | 33.33 ± 47.14 |",
        "| `default.cfg` | 1 | 0 | 1 |",
        "- `default.cfg`, en_x, seed 0: a remark",
        "- Stanza, en_x, seed 0, 1: no model in model.pt",
    ],
)
def test_the_report_has(page, line) -> None:
    assert line in page.splitlines()


def test_the_report_compares_errors(page) -> None:
    assert "| `default.cfg` | 2 | 70.00 ± 14.14 | -25 % |" in page


def test_the_report_names_versions_and_no_directories(page) -> None:
    assert f"spaCy {spacy.__version__}" in page
    assert "/home" not in page


@pytest.mark.parametrize(
    ("tag", "code"), [("NN", "`NN`"), ("``", "``` `` ```"), ("A|B", r"`A\|B`")]
)
def test_tags_are_written_as_code(module, tag, code) -> None:
    assert module("measuring.tables")._code(tag) == code


# The command


def test_a_wrong_tagger_is_answered_with_those_there_are(module) -> None:
    result = _invoke(module("accuracy"), "--taggers", "cnn,nonsense")
    assert result.exit_code == 2
    assert "no tagger nonsense; there are cnn, bilstm" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--seeds", "0;1", "--seeds is '0;1', but must be whole numbers"),
        ("--peers-python", "no/python", "--peers-python is 'no/python', but must be a Python"),
    ],
)
def test_wrong_options_are_explained(module, tmp_path, option, value, message) -> None:
    options = ["--work", tmp_path, "--output", tmp_path / "RESULTS.md", "--score-only"]
    result = _invoke(module("accuracy"), *options, option, value)
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())


def test_a_peer_without_its_library_is_listed(module, small_treebank, tmp_path) -> None:
    rows = module("measuring.peer_row")
    peer = rows.PeerRow("x", "X", "no_such_library", "no_script")
    result = _run(module, peer, small_treebank)
    assert "`no_such_library` is not installed" in result.stopped
    assert not list(tmp_path.rglob("stopped.txt"))  # once it is installed, it will be trained


def test_a_peer_out_of_time_is_listed_and_not_tried_again(
    module, small_treebank, monkeypatch
) -> None:
    rows, calls = module("measuring.peer_row"), []
    peer = rows.PeerRow("x", "X", "json", "no_script")

    def hang(command, env, log, timeout) -> None:
        calls.append(timeout)
        log.write_text("step 3\n---\n")
        raise rows.subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(rows.training, "run_logged", hang)
    for _ in range(2):
        result = _run(module, peer, small_treebank)
        assert "stopped after 0.5 minutes on 1 thread(s), without a model yet" in result.stopped
        assert "step 3" in result.stopped
    assert calls == [30.0]
    assert _run(module, peer, small_treebank, retry=True).stopped
    assert len(calls) == 2


def test_trains_scores_and_goes_on_where_it_was(
    module, small_treebank, monkeypatch, tmp_path, capfd
) -> None:
    accuracy, taggers = module("accuracy"), module("measuring.taggers")
    row = taggers.SpacyRow("cnn", "spaCy CNN", _short_config(module))
    monkeypatch.setattr(accuracy, "all_rows", lambda *_: [row])
    options = ["--corpora", "en_x", "--seeds", "3", "--data", small_treebank.data]
    options += ["--work", small_treebank.work, "--output", tmp_path / "RESULTS.md"]
    options += ["--kept", tmp_path / "kept"]
    assert "none was trained: `--score-only`" in _invoke(accuracy, *options, "--score-only").output
    result = _invoke(accuracy, *options)
    assert result.exit_code == 0, result.output
    directory = small_treebank.work / "en_x-cnn-3"
    assert "seed = 3" in (directory / "model-best" / "config.cfg").read_text()
    page = (tmp_path / "RESULTS.md").read_text(encoding="utf8")
    assert "| spaCy CNN | 1 |" in page
    assert str(tmp_path) not in page
    written = (directory / "scores.json").stat().st_mtime_ns
    assert _invoke(accuracy, *options).exit_code == 0
    assert (directory / "scores.json").stat().st_mtime_ns == written
    assert "earlier version" not in page
    shutil.rmtree(directory)  # what was kept needs no model
    assert _invoke(accuracy, *options, "--score-only").exit_code == 0
    assert (tmp_path / "RESULTS.md").read_text(encoding="utf8") == page
    changed = taggers.SpacyRow("cnn", "spaCy CNN", module("measuring.training").cnn_config)
    monkeypatch.setattr(accuracy, "all_rows", lambda *_: [changed])
    assert _invoke(accuracy, *options).exit_code == 0
    assert "earlier version of its config" in (tmp_path / "RESULTS.md").read_text(encoding="utf8")


def test_no_time_is_spent_on_more_seeds_of_what_was_stopped(module) -> None:
    accuracy, runs = module("accuracy"), module("measuring.runs")
    plan = runs.Plan(module("measuring.taggers").Budget(1, 0.5))
    good, stopped = runs.Result(0, scores={"right": "1"}), runs.Result(1, stopped="out of time")
    assert not accuracy._after([good], plan).no_training
    assert accuracy._after([good, stopped], plan).no_training == "seed 1 was stopped"


def test_a_failed_training_is_listed_with_its_last_message(module, small_treebank) -> None:
    def broken(lang: str):
        config = _short_config(module)(lang)
        config["training"]["optimizer"]["@optimizers"] = "nonsense.v1"
        return config

    row = module("measuring.taggers").SpacyRow("broken", "Broken", broken)
    result = _run(module, row, small_treebank)
    assert "`spacy train` ended with exit status 1" in result.stopped


def test_missing_vectors_are_named(module, small_treebank) -> None:
    config = _short_config(module)
    row = module("measuring.taggers").SpacyRow("vectors", "V", config, "no_such_vectors")
    result = _run(module, row, small_treebank)
    assert result.stopped == "no static vectors: the pipeline 'no_such_vectors' is not installed"


def test_missing_taught_texts_are_named(module, small_treebank, tmp_path) -> None:
    config = _short_config(module)
    row = module("measuring.taggers").SpacyRow("s", "S", config, taught=tmp_path / "t.spacy")
    result = _run(module, row, small_treebank)
    assert result.stopped.startswith("no texts labelled by a teacher")


def test_student_is_a_row_only_where_texts_are_labelled(module, tmp_path) -> None:
    accuracy = module("accuracy")
    without = [row.key for row in accuracy.all_rows(sys.executable, "v")]
    with_texts = [row.key for row in accuracy.all_rows(sys.executable, "v", tmp_path)]
    assert with_texts == [*without, "fast_student", "student"]


def test_nltk_trains_and_tags(module, small_treebank) -> None:
    pytest.importorskip(NLTK)
    row = module("measuring.peer_row").PeerRow("nltk", "NLTK", NLTK, "nltk_perceptron")
    result = _run(module, row, small_treebank)
    assert not result.stopped
    assert result.scores["accuracy"]["gold"] > 50


def _short_config(module) -> Callable:
    def config(lang: str):
        config = module("measuring.training").cnn_config(lang)
        config["training"].update(max_steps=20, eval_frequency=10)
        return config

    return config


def _run(module, row, treebank, **settings):
    runs, budget = module("measuring.runs"), module("measuring.taggers").Budget(1, 0.5)
    read_devset = module("measuring.devset").read_devset
    return runs.run(row, treebank, 0, lambda: read_devset(treebank), runs.Plan(budget, **settings))


def _invoke(accuracy: ModuleType, *args: object):
    app = accuracy.typer.Typer()
    app.command()(accuracy.main)
    return CliRunner().invoke(app, list(map(str, args)))

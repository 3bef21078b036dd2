"""The parts of benchmarks/treebanks.py, and one small run of it; no treebank is needed."""

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
from spacy.training.converters import conllu_to_docs
from spacy.vocab import Vocab
from typer.testing import CliRunner

REPOSITORY = Path(__file__).parent.parent
ALL = ("tag", "pos", "morph", "lemma")

CONLLU = """\
# sent_id = 1
# text = Don't go _ or.
1-2	Don't	_	_	_	_	_	_	_	_
1	Do	do	AUX	VB	VerbForm=Inf|Mood=Ind	3	aux	_	_
2	n't	not	PART	RB	_	3	advmod	_	_
3	go	go	VERB	VB	VerbForm=Inf	0	root	_	_
3.1	went	go	VERB	VBD	Tense=Past	_	_	_	_
4	_	_	SYM	_	_	3	obj	_	_
5-6	or.	_	_	_	_	_	_	_	SpaceAfter=No
5	or	_	X	_	_	3	goeswith	_	_
6	.	.	PUNCT	.	_	3	punct	_	_

# sent_id = 2
1	Thanks	thank	NOUN	NNS	Number=Plur	0	root	_	SpaceAfter=No|X=1
2	!	!	PUNCT	!	_	1	punct	_	_
"""


@pytest.fixture(scope="module")
def module() -> Callable[[str], ModuleType]:
    """Return a function that imports a module as the scripts in benchmarks/ do."""
    sys.path.insert(0, str(REPOSITORY / "benchmarks"))
    yield importlib.import_module
    sys.path.remove(str(REPOSITORY / "benchmarks"))


@pytest.fixture
def conllu(tmp_path) -> Path:
    """Return a file of two sentences with all that CoNLL-U has."""
    path = tmp_path / "xx_y-ud-train.conllu"
    path.write_text(CONLLU, encoding="utf8")
    return path


@pytest.fixture
def treebank(module, conllu):
    """Return a treebank whose dev split has words that its train split does not have."""
    dev = CONLLU.replace("Thanks\tthank", "Cheers\tcheer").replace("\tgo\tgo", "\tGO\tgo")
    (conllu.parent / "xx_y-ud-dev.conllu").write_text(dev, encoding="utf8")
    return module("measuring.joint.corpus").JointTreebank(
        "xx_y", conllu.parent, conllu.parent / "work"
    )


# Corpora


def test_words_are_read_without_multiword_tokens_and_empty_nodes(module, conllu) -> None:
    first, second = module("measuring.joint.corpus").read_words(conllu)
    assert [word.text for word in first] == ["Do", "n't", "go", "_", "or", "."]
    assert [word.text for word in second] == ["Thanks", "!"]
    assert [word.space for word in first] == [False, True, True, True, False, False]
    assert [word.space for word in second] == [False, True]


def test_what_is_not_annotated_is_not_set(module, conllu) -> None:
    first, _ = module("measuring.joint.corpus").read_words(conllu)
    assert [word.tag for word in first] == ["VB", "RB", "VB", "", "", "."]
    assert [word.lemma for word in first] == ["do", "not", "go", "_", "", "."]


def test_a_word_without_features_has_an_empty_morph_that_is_set(module, conllu) -> None:
    corpus = module("measuring.joint.corpus")
    doc = corpus.to_doc(next(corpus.read_words(conllu)), spacy.blank("xx").vocab)
    features = ["Mood=Ind|VerbForm=Inf", "", "VerbForm=Inf", "", "", ""]
    assert [str(token.morph) for token in doc] == features
    assert all(token.has_morph() for token in doc)


def test_docs_are_those_of_spacy_but_for_what_is_not_annotated(module, conllu) -> None:
    corpus = module("measuring.joint.corpus")
    vocab = spacy.blank("xx").vocab
    ours = [corpus.to_doc(words, vocab) for words in corpus.read_words(conllu)]
    theirs = list(conllu_to_docs(CONLLU, n_sents=1, no_print=True))
    differences = []
    for doc, other in zip(ours, theirs, strict=True):
        assert doc.text_with_ws == other.text_with_ws
        for token, same in zip(doc, other, strict=True):
            assert (token.text, token.pos_, str(token.morph)) == (
                *(same.text, same.pos_, str(same.morph)),
            )
            differences += [
                (token.text, name, getattr(token, name), getattr(same, name))
                for name in ("tag_", "lemma_")
                if getattr(token, name) != getattr(same, name)
            ]
    assert differences == [
        ("_", "tag_", "", "SYM"),
        ("or", "tag_", "", "X"),
        ("or", "lemma_", "", "_"),
    ]


@pytest.mark.parametrize(
    ("columns", "outputs"),
    [
        (("XX", "NOUN", "A=B", "x"), ALL),
        (("", "NOUN", "A=B", "x"), ("pos", "morph", "lemma")),
        (("XX", "NOUN", "", "x"), ("tag", "pos", "lemma")),
        (("XX", "", "", ""), ("tag",)),
    ],
)
def test_a_treebank_is_asked_only_for_what_it_has(module, columns, outputs) -> None:
    corpus = module("measuring.joint.corpus")
    sentences = [[corpus.Word("a", "", "", "", "", True)], [corpus.Word("x", *columns, True)]]
    assert corpus.annotated(sentences) == outputs


def test_sizes_of_a_treebank(module, treebank) -> None:
    sizes = module("measuring.joint.corpus").read_devset(treebank).counts
    assert sizes == {
        **{"train_sentences": 2, "train_words": 8, "dev_sentences": 2, "dev_words": 8},
        **{"unseen": 1, "tags": 5, "morphs": 4},  # the unseen word: "Cheers", but not "GO"
        **{"trees": 4, "frequent_trees": 1},  # do, thank, n't; the four that stay as they are
    }


def test_known_treebanks_annotate_what_the_list_says(module, treebank_directory) -> None:
    corpus = module("measuring.joint.corpus")
    found = 0
    for name in module("measuring.joint.treebanks").SOURCES:
        treebank = corpus.JointTreebank(name, treebank_directory, treebank_directory)
        if (treebank_directory / f"{name}-ud-train.conllu").is_file():
            assert treebank.outputs == corpus.annotated(treebank.sentences("train"))
            found += 1
    if not found:
        pytest.skip(f"no treebank in {treebank_directory} (SPACY_LSTM_TAGGER_DATA)")


def test_every_treebank_is_downloaded_by_the_project(module) -> None:
    project = (REPOSITORY / "project.yml").read_text(encoding="utf8")
    treebanks = module("measuring.joint.treebanks")
    for name, source in treebanks.SOURCES.items():
        for split in ("train", "dev"):
            path = f"{source.repository}/{treebanks.RELEASE}/{name}-ud-{split}.conllu"
            assert f"/UniversalDependencies/{path}" in project


# Scores


class Knows:
    """A tagger with the gold annotation, but for some words and attributes."""

    def __init__(self, **wrong: dict[str, str]) -> None:
        self.wrong = wrong

    def annotate(self, docs: list[Doc]) -> list[Doc]:
        copies = [Doc(Vocab()).from_bytes(doc.to_bytes()) for doc in docs]
        for doc in copies:
            for token in doc:
                for name, values in self.wrong.items():
                    if token.text in values:
                        value = values[token.text]
                        token.set_morph(value) if name == "morph" else setattr(token, name, value)
        return copies


def test_scores_of_the_gold_annotation(module, treebank) -> None:
    devset = module("measuring.joint.corpus").read_devset(treebank)
    accuracy = module("measuring.joint.scoring").score(Knows(), devset)["accuracy"]
    assert accuracy == dict.fromkeys((*ALL, "lemma_unseen"), 100.0)


def test_scores_count_annotated_words(module, treebank) -> None:
    devset = module("measuring.joint.corpus").read_devset(treebank)
    tagger = Knows(
        tag_={"or": "CC", "GO": "NN"},
        pos_={"or": "NOUN", "GO": "NOUN"},
        lemma_={"or": "or", "GO": "GO"},
        morph={"GO": "Not=Seen", "Do": ""},
    )
    accuracy = module("measuring.joint.scoring").score(tagger, devset)["accuracy"]
    assert accuracy["tag"] == pytest.approx(100 * 5 / 6)  # no XPOS: _, or
    assert accuracy["pos"] == pytest.approx(100 * 6 / 8)
    assert accuracy["lemma"] == pytest.approx(100 * 6 / 7)  # no lemma: or
    assert accuracy["morph"] == pytest.approx(100 * 6 / 8)
    assert accuracy["lemma_unseen"] == 100.0


def test_lemmas_of_unseen_words_are_scored_apart(module, treebank) -> None:
    devset = module("measuring.joint.corpus").read_devset(treebank)
    scores = module("measuring.joint.scoring").score(Knows(lemma_={"Cheers": "Cheers"}), devset)
    assert scores["accuracy"]["lemma_unseen"] == 0.0
    assert json.loads(json.dumps(scores)) == scores


def test_a_dev_set_without_unseen_words_has_no_score_for_them(module, treebank) -> None:
    shutil.copy(treebank.conllu("train"), treebank.conllu("dev"))
    devset = module("measuring.joint.corpus").read_devset(treebank)
    scores = module("measuring.joint.scoring").score(Knows(), devset)
    assert scores["accuracy"]["lemma_unseen"] is None


# Systems


@pytest.mark.parametrize(
    ("outputs", "pipeline"),
    [
        (ALL, ["tok2vec", "tagger", "morphologizer", "trainable_lemmatizer"]),
        (("pos", "morph", "lemma"), ["tok2vec", "morphologizer", "trainable_lemmatizer"]),
        (("tag", "lemma"), ["tok2vec", "tagger", "trainable_lemmatizer"]),
    ],
)
def test_spacys_components_share_one_cnn(module, outputs, pipeline) -> None:
    config = module("measuring.joint.rows").spacy_config(outputs, "tr")
    assert (config["nlp"]["lang"], config["nlp"]["pipeline"]) == ("tr", pipeline)
    assert config["components"]["tok2vec"]["model"]["encode"]["width"] == 96
    for name in pipeline[1:]:
        listener = config["components"][name]["model"]["tok2vec"]["@architectures"]
        assert listener == "spacy.Tok2VecListener.v1"
    assert config["corpora"]["train"]["gold_preproc"] and config["corpora"]["dev"]["gold_preproc"]


def test_no_tag_can_be_taken_for_a_negated_one(module) -> None:
    config = module("measuring.joint.rows").spacy_config(ALL, "xx")
    assert not "!".startswith(config["components"]["tagger"]["neg_prefix"])


def test_our_config_is_the_recommended_one_with_these_outputs(module) -> None:
    rows, training = module("measuring.joint.rows"), module("measuring.training")
    config = rows.our_config(("pos", "lemma"), None, "tr")
    assert config["components"]["lstm_tagger"]["outputs"] == ["pos", "lemma"]
    recommended = training.file_config(REPOSITORY / "configs" / "default.cfg", "tr")
    for each in (config, recommended):
        each["components"]["lstm_tagger"].pop("outputs", None)
    assert config == recommended


def test_short_trainings_have_a_shorter_schedule(module) -> None:
    config = module("measuring.joint.rows").our_config(ALL, 70, "tr")["training"]
    assert config["max_steps"] == config["optimizer"]["learn_rate"]["schedule"]["total_steps"] == 70


def test_udpipes_annotation_becomes_a_doc(module, treebank, monkeypatch) -> None:
    rows = module("measuring.joint.rows")
    row = rows.rows(ALL, ("python",))["udpipe"]

    def tag(self, directory: Path, sentences: list[list[str]]) -> list[list[list[str]]]:
        return [[["X", "NOUN", "B=C|A=B", f"{w}o"] for w in words] for words in sentences]

    monkeypatch.setattr(rows.UdpipeRow, "tag", tag)
    devset = module("measuring.joint.corpus").read_devset(treebank)
    docs = row.load(treebank.work, treebank).annotate(devset.references)
    (token, *_), _ = docs
    assert (token.tag_, token.pos_, token.lemma_) == ("X", "NOUN", "Doo")
    assert str(token.morph) == "A=B|B=C"
    assert [doc.text for doc in docs] == [doc.text for doc in devset.references]


def test_udpipe_trains_and_tags(module, treebank) -> None:
    pytest.importorskip("ufal.udpipe")
    runs, rows = module("measuring.runs"), module("measuring.joint.rows")
    score = module("measuring.joint.scoring").score
    plan = runs.Plan(module("measuring.taggers").Budget(1, 1.0), score=score)
    devset = module("measuring.joint.corpus").read_devset(treebank)
    row = rows.rows(ALL, (sys.executable,))["udpipe"]
    result = runs.run(row, treebank, 0, lambda: devset, plan)
    assert not result.stopped
    assert result.scores["accuracy"]["pos"] > 50
    assert result.sizes["all"] > 0


# The report


@pytest.fixture
def page(module) -> str:
    """Return a report of made-up runs on a treebank with all outputs and one without XPOS."""
    tables, runs = module("measuring.tables"), module("measuring.runs")
    sizes = {"train_words": 2000, "dev_words": 200, "unseen": 50, "tags": 7, "morphs": 10}
    sizes |= {"trees": 30, "frequent_trees": 12}
    no_tags = {**sizes, "tags": 0, "morphs": 1}

    def result(seed: int, counts: dict[str, int], **accuracy: float | None):
        record, size = {"minutes": 3.5, "threads": 1}, {"components": 6.04, "all": 6.5}
        return runs.Result(seed, {"accuracy": accuracy, "counts": counts}, record, size)

    def systems(spacy_runs: list, our_runs: list, udpipe_runs: list) -> list:
        return [
            tables.TaggerResults("spacy", "spaCy", spacy_runs),
            tables.TaggerResults("ours", "`lstm_tagger`", our_runs),
            tables.TaggerResults("udpipe", "UDPipe 1", udpipe_runs),
        ]

    results = {
        "tr_imst": systems(
            [result(s, sizes, tag=80.0 + s, lemma=90.0, lemma_unseen=None) for s in (0, 2)],
            [result(0, sizes, tag=86.2, lemma=92.5, lemma_unseen=None)],
            [runs.Result(0, stopped="no library in /home/me/venv/bin")],
        ),
        "mr_ufal": systems([result(0, no_tags, pos=100.0)], [result(0, no_tags, pos=99.0)], []),
    }
    return module("measuring.joint.report").report(results, "python benchmarks/treebanks.py")


@pytest.mark.parametrize(
    "line",
    [
        "python benchmarks/treebanks.py",
        "| tr_imst | UD_Turkish-IMST | agglutinative | Latin | CC BY-NC-SA 4.0 "
        "| 2,000 | 200 | 25 % | 7 | 10 | 30 (12) |",
        "| mr_ufal | UD_Marathi-UFAL | agglutinative | Devanagari | CC BY-SA 4.0 "
        "| 2,000 | 200 | 25 % | – | – | 30 (12) |",
        "| tr_imst | spaCy | 2 | 81.00 ± 1.41 | – | – | 90.00 ± 0.00 | – | 3.5 ± 0.0 | 6.5 |",
        "| tr_imst | UDPipe 1 | 0 | – | – | – | – | – | – | – |",
        "| tr_imst | `lstm_tagger` | -27 % | – | – | -25 % | – |",
        "| mr_ufal | `lstm_tagger` | – | – | – | – | – |",  # spaCy makes no error
        "- UDPipe 1, tr_imst, seed 0: no library in bin",
    ],
)
def test_the_report_has(page, line) -> None:
    assert line in page.splitlines()


# The command


def test_a_wrong_system_is_answered_with_those_there_are(module) -> None:
    result = _invoke(module("treebanks"), "--systems", "spacy,nonsense")
    assert result.exit_code == 2
    assert "no system nonsense; there are spacy, ours, udpipe" in _text(result)


def test_wrong_seeds_are_explained(module) -> None:
    result = _invoke(module("treebanks"), "--seeds", "0;1")
    assert result.exit_code == 2
    assert "--seeds is '0;1', but must be whole numbers" in _text(result)


def test_trains_scores_and_goes_on_where_it_was(module, tmp_path, monkeypatch) -> None:
    for split in ("train", "dev"):
        text = (REPOSITORY / "corpus" / f"en-{split}.conllu").read_text(encoding="utf8")
        part = "\n\n".join(text.split("\n\n")[:60]) + "\n\n"
        (tmp_path / f"en_x-ud-{split}.conllu").write_text(part, encoding="utf8")
    treebanks, rows = module("treebanks"), module("measuring.joint.rows")
    record = module("measuring.training").RECORD

    def short_rows(outputs, pythons, steps) -> dict:
        def config(lang: str):
            config = rows.spacy_config(outputs, lang)
            config["training"] |= {"max_steps": 4, "eval_frequency": 2}
            return config

        nowhere = ("no_such_library", "udpipe_tagger", pythons)
        return {
            "spacy": rows.PipelineRow("spacy", "spaCy", config),
            "udpipe": rows.UdpipeRow("udpipe", "UDPipe 1", *nowhere),
        }

    monkeypatch.setattr(treebanks, "rows", short_rows)
    options = ["--treebanks", "en_x", "--systems", "spacy,udpipe", "--seeds", "3,4"]
    options += ["--data", tmp_path, "--work", tmp_path / "work", "--kept", tmp_path / "kept"]
    options += ["--output", tmp_path / "TREEBANKS.md"]
    result = _invoke(treebanks, *options)
    assert result.exit_code == 0, result.output
    page = (tmp_path / "TREEBANKS.md").read_text(encoding="utf8")
    assert "| en_x | spaCy | 1 |" in page  # several seeds are for other treebanks
    assert "`no_such_library` is not installed" in page
    assert str(tmp_path) not in page
    (kept,) = (tmp_path / "kept").iterdir()
    assert set(json.loads(kept.read_text())["scores"]["accuracy"]) == {"tag", "pos"}
    (tmp_path / "work" / "en_x-spacy-3" / record).unlink()  # as if it was being trained
    part = _invoke(treebanks, *options, "--score-only", "--kept", tmp_path / "part")
    assert part.exit_code == 0, part.output
    assert not (tmp_path / "part").exists()
    shutil.rmtree(tmp_path / "work")  # what was kept needs no model
    result = _invoke(treebanks, *options, "--score-only")
    assert result.exit_code == 0, result.output
    again = (tmp_path / "TREEBANKS.md").read_text(encoding="utf8")
    assert [line for line in again.splitlines() if "| en_x |" in line] == [
        line for line in page.splitlines() if "| en_x |" in line
    ]


def _invoke(command: ModuleType, *args: object):
    app = importlib.import_module("typer").Typer()
    app.command()(command.main)
    return CliRunner().invoke(app, [str(arg) for arg in args])


def _text(result) -> str:
    return " ".join(result.output.replace("│", " ").split())

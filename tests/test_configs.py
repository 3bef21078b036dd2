"""The configs that come with the project: each is complete, valid and trains."""

import inspect
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy
import pytest
import spacy
from spacy.cli.debug_config import debug_config
from spacy.cli.init_config import fill_config
from spacy.cli.train import train
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.training.converters import conllu_to_docs
from spacy.util import load_model_from_config
from thinc.api import Config

from spacy_lstm_tagger.architectures import build_lstm_tagger_v1
from spacy_lstm_tagger.files.recipes import comments_of
from spacy_lstm_tagger.pipeline.factories import DEFAULT_MODEL
from spacy_lstm_tagger.training.soft_targets import set_soft_targets

REPOSITORY = Path(__file__).parent.parent
CORPUS = REPOSITORY / "corpus"
CONFIGS = REPOSITORY / "configs"
STUDENTS = ("fast_student", "student")
NAMES = ("default", "demo", "fast", "shared_tok2vec", *STUDENTS, "textbook", "vectors")

TAG_WEIGHTS = {"tag_acc": 1.0, "tag_micro_p": None, "tag_micro_r": None, "tag_micro_f": None}

FEW_STEPS = {"training.max_steps": 2, "training.eval_frequency": 1}


def run_spacy(*args: object) -> str:
    """Run `python -m spacy ...` in a process of its own and return what it printed."""
    command = [sys.executable, "-m", "spacy", *map(str, args)]
    result = subprocess.run(
        command,
        cwd=tempfile.gettempdir(),
        env={**os.environ, "OMP_NUM_THREADS": "1", "ANSI_COLORS_DISABLED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf8",
    )
    if result.returncode:
        pytest.fail(f"{' '.join(command)}\nexited {result.returncode}:\n{result.stdout}")
    return result.stdout


def read_config(name: str) -> Config:
    """A config as it is written, variables not filled in."""
    return Config().from_disk(CONFIGS / f"{name}.cfg", interpolate=False)


def read_corpus(name: str, limit: int | None = None) -> list[Doc]:
    """The first sentences of a bundled corpus, one a doc."""
    text = (CORPUS / f"{name}.conllu").read_text(encoding="utf8")
    return list(conllu_to_docs(text, n_sents=1, no_print=True))[:limit]


def tags_of(docs: Iterable[Doc]) -> list[list[str]]:
    """The tags of docs."""
    return [[token.tag_ for token in doc] for doc in docs]


def words_of(nlp: Language, docs: Iterable[Doc]) -> list[Doc]:
    """The docs again, with their words and nothing else."""
    return [Doc(nlp.vocab, words=[t.text for t in doc]) for doc in docs]


def accuracy_of(nlp: Language, gold: list[Doc]) -> float:
    """Share of tokens that a pipeline tags as in the gold docs, with the gold tokens."""
    examples = [Example(doc, ref) for doc, ref in zip(words_of(nlp, gold), gold, strict=True)]
    return nlp.evaluate(examples)["tag_acc"]


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the bundled corpora, and the first sentences of one, as .spacy files."""
    directory = tmp_path_factory.mktemp("corpora")
    for name in ("en-train", "en-dev", "zh-train", "zh-dev", "textbook"):
        DocBin(docs=read_corpus(name)).to_disk(directory / f"{name}.spacy")
    DocBin(docs=read_corpus("en-train", 40)).to_disk(directory / "few-train.spacy")
    DocBin(docs=read_corpus("en-dev", 10)).to_disk(directory / "few-dev.spacy")
    taught = read_corpus("en-dev", 10)
    for doc in taught:
        set_soft_targets(doc, ["NN", "VBD"], numpy.full((len(doc), 2), 0.5, dtype="float32"))
    DocBin(docs=taught, store_user_data=True).to_disk(directory / "taught.spacy")
    return directory


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline with static vectors of 12 numbers for the words of the corpus."""
    nlp = spacy.blank("en")
    random = numpy.random.default_rng(0)
    for doc in read_corpus("en-train", 40):
        for token in doc:
            nlp.vocab.set_vector(token.text, random.normal(size=12).astype("float32"))
    path = tmp_path_factory.mktemp("vectors") / "vectors"
    nlp.to_disk(path)
    return path


@pytest.fixture(scope="module")
def overrides(corpora: Path, vectors: Path) -> Callable[..., dict[str, Any]]:
    """Return a function that gives the paths which a config needs."""

    def give(name: str, train: str = "few-train", dev: str = "few-dev") -> dict[str, Any]:
        paths = {
            "paths.train": str(corpora / f"{train}.spacy"),
            "paths.dev": str(corpora / f"{dev}.spacy"),
        }
        if name == "vectors":
            paths["paths.vectors"] = str(vectors)
        if name in STUDENTS:
            paths["paths.taught"] = str(corpora / "taught.spacy")
        return paths

    return give


@pytest.fixture(scope="module")
def trained(overrides: Callable, tmp_path_factory: pytest.TempPathFactory) -> Callable:
    """Return a function that trains a config for a few steps, once, and loads the result."""
    pipelines: dict[str, Language] = {}

    def make(name: str) -> Language:
        if name not in pipelines:
            output = tmp_path_factory.mktemp(name)
            train(CONFIGS / f"{name}.cfg", output, overrides={**overrides(name), **FEW_STEPS})
            pipelines[name] = spacy.load(output / "model-last")
        return pipelines[name]

    return make


def test_every_config_is_tested() -> None:
    assert {path.name for path in CONFIGS.iterdir()} == {f"{name}.cfg" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_header_says_what_it_is_and_when_to_use_it(name: str) -> None:
    what, when, below, *_ = (CONFIGS / f"{name}.cfg").read_text(encoding="utf8").splitlines()
    assert what.startswith("# ")
    assert when.startswith("# Use it ")
    assert what.endswith(".") and when.endswith(".")
    assert below == ""


@pytest.mark.parametrize("name", NAMES)
def test_config_is_valid(name: str, overrides: Callable, tmp_path: Path) -> None:
    fill_config(tmp_path / "filled.cfg", CONFIGS / f"{name}.cfg")
    debug_config(tmp_path / "filled.cfg", overrides=overrides(name))


@pytest.mark.parametrize("name", NAMES)
def test_config_is_complete_but_for_the_tokenizer(name: str, tmp_path: Path) -> None:
    fill_config(tmp_path / "filled.cfg", CONFIGS / f"{name}.cfg")
    filled = Config().from_disk(tmp_path / "filled.cfg", interpolate=False)
    written = read_config(name)
    assert filled["nlp"].pop("tokenizer") == {"@tokenizers": "spacy.Tokenizer.v1"}
    if name != "shared_tok2vec":  # the component says what counts, see below
        assert written["training"].pop("score_weights") == {}
        assert filled["training"].pop("score_weights") == TAG_WEIGHTS
    assert filled == written


@pytest.mark.parametrize("name", [name for name in NAMES if name != "shared_tok2vec"])
def test_what_is_predicted_counts_in_equal_shares(name: str) -> None:
    config = read_config(name)
    outputs = ["tag", "pos", "morph", "lemma"]
    config["components"]["lstm_tagger"]["outputs"] = outputs
    weights = load_model_from_config(config, auto_fill=True).config["training"]["score_weights"]
    shares = dict.fromkeys([f"{output}_acc" for output in outputs], 0.25)
    assert weights == {**TAG_WEIGHTS, "morph_per_feat": None, **shares}


@pytest.mark.parametrize(
    ("lang", "tokenizer"),
    [
        ("en", "spacy.Tokenizer.v1"),
        ("xx", "spacy.Tokenizer.v1"),
        ("zh", "spacy.zh.ChineseTokenizer"),
        ("ja", "spacy.ja.JapaneseTokenizer"),
        ("ko", "spacy.ko.KoreanTokenizer"),
        ("th", "spacy.th.ThaiTokenizer"),
        ("vi", "spacy.vi.VietnameseTokenizer"),
    ],
)
def test_training_takes_the_tokenizer_of_the_language(
    lang: str, tokenizer: str, overrides: Callable
) -> None:
    config = read_config("demo")
    config["nlp"]["lang"] = lang
    try:
        nlp = load_model_from_config(config, auto_fill=True)  # as `spacy train` does
    except ImportError as error:
        pytest.skip(f"a library of the tokenizer is not installed: {error}")
    assert nlp.config["nlp"]["tokenizer"]["@tokenizers"] == tokenizer


def test_same_setting_has_the_same_comment_in_all_configs() -> None:
    of_default = comments_of((CONFIGS / "default.cfg").read_text(encoding="utf8"))
    assert of_default["nlp", "lang"][0].startswith("# spaCy's code of the language")
    for name in ("demo", "fast", *STUDENTS, "vectors"):
        comments = comments_of((CONFIGS / f"{name}.cfg").read_text(encoding="utf8"))
        shared = of_default.keys() & comments.keys()
        assert len(shared) >= len(of_default) - 2, name
        assert {place: comments[place] for place in shared} == {
            place: of_default[place] for place in shared
        }, name


@pytest.mark.parametrize("name", NAMES)
def test_config_trains(name: str, trained: Callable) -> None:
    nlp = trained(name)
    labels = set(nlp.get_pipe("lstm_tagger").labels)
    doc = nlp("The quick brown fox doesn't jump over 2 lazy dogs.")
    assert {"NN", "VBD", "."} <= labels
    assert {token.tag_ for token in doc} <= labels


@pytest.mark.parametrize("name", NAMES)
def test_config_shows_progress(name: str) -> None:
    assert read_config(name)["training"]["logger"]["progress_bar"] is True


def test_default_model_is_that_of_the_factory() -> None:
    assert read_config("default")["components"]["lstm_tagger"]["model"] == DEFAULT_MODEL


def test_default_model_is_that_of_the_architecture() -> None:
    parameters = inspect.signature(build_lstm_tagger_v1).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    architecture = {"@architectures": "spacy-lstm-tagger.LSTMTagger.v1"}
    assert {**architecture, **defaults} == DEFAULT_MODEL


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("fast", {"width": 160, "char_width": 100}),
        ("vectors", {"width": 400, "include_static_vectors": True}),
    ],
)
def test_recipes_differ_from_the_default_in_the_model_alone(name: str, settings: dict) -> None:
    expected = read_config("default")
    expected["components"]["lstm_tagger"]["model"].update(settings)
    assert read_config(name) == expected


def test_vectors_are_part_of_the_model(trained: Callable) -> None:
    nlp = trained("vectors")
    docs = [nlp.make_doc("The roads were closed.")]
    tagger = nlp.get_pipe("lstm_tagger")
    (before,) = tagger.model.predict(docs)
    before = before.copy()
    data = nlp.vocab.vectors.data
    kept = data.copy()
    data[:] = -10 * kept
    (after,) = tagger.model.predict(docs)
    data[:] = kept
    assert data.shape[1] == 12
    assert abs(before - after).max() > 0.0


def test_vectors_config_without_vectors_is_an_error(overrides: Callable, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"include_static_vectors is true.*no static vectors"):
        train(CONFIGS / "vectors.cfg", tmp_path, overrides={**overrides("demo"), **FEW_STEPS})
    assert not (tmp_path / "model-last").exists()


def test_textbook_config_is_the_classic_exercise() -> None:
    config = read_config("textbook")
    model = config["components"]["lstm_tagger"]["model"]
    assert (model["cell"], model["depth"], model["bidirectional"]) == ("lstm", 1, False)
    assert 2 <= model["word_width"] <= 6
    assert model["char_width"] == 0
    assert 3 <= model["width"] <= 6
    optimizer = config["training"]["optimizer"]
    assert (optimizer["@optimizers"], optimizer["learn_rate"]) == ("SGD.v1", 0.1)
    passes = config["training"]["max_steps"] / len(read_corpus("textbook"))
    assert 100 <= passes <= 999


def test_textbook_config_learns_both_sentences(overrides: Callable, tmp_path: Path) -> None:
    paths = overrides("textbook", train="textbook", dev="textbook")
    train(CONFIGS / "textbook.cfg", tmp_path, overrides=paths)
    nlp = spacy.load(tmp_path / "model-last")
    gold = read_corpus("textbook")
    assert nlp.meta["performance"]["tag_acc"] == 1.0
    assert tags_of(nlp.pipe(words_of(nlp, gold))) == tags_of(gold)
    assert tags_of([nlp("The child drew a horse.")]) == [["DT", "NN", "VBD", "DT", "NN", "."]]


def test_demo_config_tags_the_held_out_corpus(overrides: Callable, tmp_path: Path) -> None:
    train(CONFIGS / "demo.cfg", tmp_path, overrides=overrides("demo", "en-train", "en-dev"))
    assert accuracy_of(spacy.load(tmp_path / "model-best"), read_corpus("en-dev")) > 0.85


def test_chinese_trains_and_reads_raw_text_with_its_tokenizer(
    overrides: Callable, tmp_path: Path
) -> None:
    steps = {"training.max_steps": 100, "training.eval_frequency": 50, "nlp.lang": "zh"}
    paths = overrides("demo", train="zh-train", dev="zh-dev")
    with pytest.warns(UserWarning, match="tokenizer finds"):  # characters, not words
        train(CONFIGS / "demo.cfg", tmp_path, overrides={**paths, **steps})
    nlp = spacy.load(tmp_path / "model-last")
    assert nlp.lang == "zh"
    assert accuracy_of(nlp, read_corpus("zh-dev")) > 0.6
    assert [token.text for token in nlp("女儿好奇地问。")] == list("女儿好奇地问。")


def test_shared_config_has_one_recurrent_encoder(trained: Callable) -> None:
    nlp = trained("shared_tok2vec")
    shims = {
        name: sum(len(node.shims) for node in pipe.model.walk()) for name, pipe in nlp.pipeline
    }
    assert shims == {"tok2vec": 1, "lstm_tagger": 0, "morphologizer": 0}


def test_shared_config_feeds_both_components(trained: Callable) -> None:
    nlp = trained("shared_tok2vec")
    tok2vec = nlp.get_pipe("tok2vec")
    assert tok2vec.listening_components == ["lstm_tagger", "morphologizer"]
    doc = nlp("The city council approved a new budget.")
    assert doc.has_annotation("TAG")
    assert doc.has_annotation("POS")
    assert doc.tensor.shape == (8, tok2vec.model.get_dim("nO"))

"""`init-config`: recipes as complete, commented configs, in any language."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from spacy.cli.init_config import fill_config
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.util import DummyTokenizer, load_config_from_str, registry
from thinc.api import Config

from spacy_lstm_tagger.files.recipes import comments_of, header, read_recipe, recipes

RECIPES = (
    "default",
    "demo",
    "fast",
    "fast_student",
    "shared_tok2vec",
    "student",
    "textbook",
    "vectors",
)
FEW_STEPS = ("--training.max_steps", 2, "--training.eval_frequency", 1)


def run(*args: object, cwd: Path, code: int = 0) -> tuple[str, str]:
    """Run `python -m spacy ...` in a folder, and return what it printed on both channels."""
    result = subprocess.run(
        [sys.executable, "-m", "spacy", *map(str, args)],
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", "ANSI_COLORS_DISABLED": "1"},
        capture_output=True,
        text=True,
        encoding="utf8",
    )
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout, result.stderr


@pytest.fixture
def call(capsys):
    """Return a function that calls the command, and returns standard output and error."""
    from typer.testing import CliRunner

    from spacy_lstm_tagger.cli import lstm_tagger_cli

    def invoke(*args: object, code: int = 0) -> tuple[str, str]:
        result = CliRunner().invoke(lstm_tagger_cli, ["init-config", *map(str, args)])
        assert result.exit_code == code, result.output
        return result.stdout, result.stderr

    return invoke


def parse(text: str) -> Config:
    return Config().from_str(text, interpolate=False)


def test_without_a_name_the_recipes_are_listed_with_what_they_are(call) -> None:
    lines = call()[0].splitlines()
    assert [line.split()[0] for line in lines] == list(RECIPES)
    for line, name in zip(lines, RECIPES, strict=True):
        assert line.endswith(header(read_recipe(name))[0].removeprefix("# "))


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_is_written_is_complete_and_commented(recipe: str, call, tmp_path: Path) -> None:
    text, _ = call(recipe, "--lang", "zh")
    written = parse(text)
    assert header(text)[:2] == header(read_recipe(recipe))
    assert header(text)[2].endswith(f"init-config {recipe} --lang zh")
    assert comments_of(text).items() >= comments_of(read_recipe(recipe)).items()
    assert len(comments_of(text)) > 8
    (tmp_path / "config.cfg").write_text(text, encoding="utf8")
    fill_config(tmp_path / "filled.cfg", tmp_path / "config.cfg", silent=True)
    filled = Config().from_disk(tmp_path / "filled.cfg", interpolate=False)
    weights = filled["training"]["score_weights"]
    assert weights["tag_acc"] > 0
    if not written["training"]["score_weights"]:  # spaCy takes those of what is predicted
        weights.clear()
    assert filled == written
    assert written["nlp"]["tokenizer"]["@tokenizers"] == "spacy.zh.ChineseTokenizer"
    assert written["nlp"]["tokenizer"]["segmenter"] == "char"


def test_only_language_and_tokenizer_differ_from_the_recipe(call) -> None:
    written = parse(call("default", "--lang", "tr")[0])
    expected = parse(read_recipe("default"))
    expected["nlp"]["lang"] = "tr"
    expected["nlp"]["tokenizer"] = {"@tokenizers": "spacy.Tokenizer.v1"}
    assert written == expected


@pytest.mark.parametrize("lang", ["ja", "ko", "th", "vi"])
def test_config_is_written_if_a_library_of_the_tokenizer_is_missing(lang: str, call) -> None:
    text, errors = call("default", "--lang", lang)
    name = parse(text)["nlp"]["tokenizer"]["@tokenizers"]
    assert name.startswith(f"spacy.{lang}.")
    try:
        spacy.blank(lang).make_doc("1")
    except Exception as error:
        assert f"needs the tokenizer {name}, which cannot be used here yet: " in errors
        assert str(error).split()[0] in errors
        assert parse(text)["components"]["lstm_tagger"]["overwrite"] is True
    else:
        assert "cannot be used" not in errors


class TaggingTokenizer(DummyTokenizer):
    """A tokenizer that sets tags itself, as the Japanese one does."""

    def __init__(self, vocab) -> None:
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        words = text.split()
        return Doc(self.vocab, words=words, tags=["名詞"] * len(words))


@pytest.fixture
def tagging_language():
    """The code of a language whose tokenizer sets tags."""

    @registry.tokenizers("test.TaggingTokenizer")
    def make():
        return lambda nlp: TaggingTokenizer(nlp.vocab)

    class TaggedDefaults(Language.Defaults):
        config = load_config_from_str(
            '[nlp]\n\n[nlp.tokenizer]\n@tokenizers = "test.TaggingTokenizer"\n'
        )

    class Tagged(Language):
        lang = "qtg"
        Defaults = TaggedDefaults

    registry.languages.register("qtg", func=Tagged)
    return "qtg"


@pytest.mark.parametrize("recipe", ["default", "shared_tok2vec"])
def test_tags_of_the_tokenizer_are_overwritten(recipe: str, tagging_language: str, call) -> None:
    text, errors = call(recipe, "--lang", tagging_language)
    assert parse(text)["components"]["lstm_tagger"]["overwrite"] is True
    assert "test.TaggingTokenizer sets tags itself: overwrite = true" in errors


@pytest.mark.parametrize("lang", ["en", "zh", "xx"])
def test_tags_are_not_overwritten_elsewhere(lang: str, call) -> None:
    text, errors = call("default", "--lang", lang)
    assert parse(text)["components"]["lstm_tagger"]["overwrite"] is False
    assert errors == ""


def test_another_tokenizer_can_be_named(call) -> None:
    text, errors = call("default", "--lang", "ko", "--tokenizer", "spacy.Tokenizer.v1")
    assert parse(text)["nlp"]["tokenizer"] == {"@tokenizers": "spacy.Tokenizer.v1"}
    assert parse(text)["nlp"]["lang"] == "ko"
    assert errors == ""
    _, errors = call("default", "--tokenizer", "spacy.Tokeniser.v1", code=1)
    assert "spaCy knows no tokenizer 'spacy.Tokeniser.v1': name one such as" in errors


@pytest.mark.parametrize(
    ("recipe", "where"),
    [
        ("default", ("lstm_tagger", "model")),
        ("vectors", ("lstm_tagger", "model")),
        ("shared_tok2vec", ("tok2vec", "model", "embed")),
    ],
)
def test_vectors_are_read_if_they_are_named(recipe: str, where: tuple[str, ...], call) -> None:
    config = parse(call(recipe, "--vectors", "en_core_web_md")[0])
    assert config["paths"]["vectors"] == "en_core_web_md"
    section = config["components"]
    for key in where:
        section = section[key]
    assert section["include_static_vectors"] is True


@pytest.fixture
def train_file(tmp_path: Path) -> Path:
    """Three words with tags and parts of speech, one of them with a lemma."""
    vocab = spacy.blank("xx").vocab
    doc = Doc(
        vocab,
        words=["Dogs", "bark", ".", " "],
        tags=["N", "V", ".", "_SP"],
        pos=["NOUN", "VERB", "PUNCT", "SPACE"],
        morphs=[""] * 4,
        lemmas=["dog", "_", "", " "],
    )
    DocBin(docs=[doc]).to_disk(tmp_path / "train.spacy")
    return tmp_path / "train.spacy"


@pytest.mark.parametrize(
    "recipe", ["default", "demo", "fast", "fast_student", "student", "textbook", "vectors"]
)
def test_outputs_are_written_in_their_order_and_nothing_else_changes(recipe: str, call) -> None:
    text, errors = call(recipe, "--outputs", "lemma, tag,morph")
    written, expected = parse(text), parse(call(recipe)[0])
    assert expected["components"]["lstm_tagger"]["outputs"] == ["tag"]
    expected["components"]["lstm_tagger"]["outputs"] = ["tag", "morph", "lemma"]
    assert written == expected
    assert errors == ""
    assert header(text)[2].endswith(f"init-config {recipe} --lang en --outputs 'lemma, tag,morph'")
    nlp = spacy.util.load_model_from_config(parse(text).interpolate(), auto_fill=True)
    weights = nlp.config["training"]["score_weights"]
    assert {name: weight for name, weight in weights.items() if weight} == {
        "tag_acc": 0.33,
        "morph_acc": 0.33,
        "lemma_acc": 0.33,
    }


@pytest.mark.parametrize(
    ("recipe", "outputs", "error"),
    [
        ("default", "tag,lemmas", "'tag,lemmas', but there is no output 'lemmas': it must be one"),
        ("default", "", "--outputs is '', but there is no output ''"),
        ("default", "pos,tag,pos", "which has 'pos' twice: it must be one or several of tag,pos,"),
        ("shared_tok2vec", "tag,pos", "spacy.Tagger.v2 predicts tags alone: take another recipe"),
    ],
)
def test_outputs_that_cannot_be_are_refused(recipe: str, outputs: str, error: str, call) -> None:
    output, errors = call(recipe, "--outputs", outputs, code=1)
    assert (output, errors.count("\n")) == ("", 1)
    assert error in errors


def test_training_data_is_named_and_what_else_it_has_is_said(train_file: Path, call) -> None:
    text, errors = call("default", "--train", train_file)
    assert parse(text)["paths"]["train"] == str(train_file)
    assert parse(text)["components"]["lstm_tagger"]["outputs"] == ["tag"]
    assert f"{train_file} has pos and lemma as well: --outputs tag,pos,lemma would" in errors
    _, errors = call("default", "--train", train_file, "--outputs", "tag,pos,lemma")
    assert f"2 of the 3 words of {train_file} have no lemma (token.lemma; in" in errors
    assert "as well" not in errors


@pytest.mark.parametrize(
    ("outputs", "error"),
    [
        ("tag,morph", "'morph', but none of the 3 words of {} has a morphological feature (token"),
        ("tag,pos,morph,lemma", "Take 'morph' out of --outputs, or name a file that has them."),
    ],
)
def test_training_data_without_what_is_predicted_is_refused(
    outputs: str, error: str, train_file: Path, call
) -> None:
    output, errors = call("default", "--train", train_file, "--outputs", outputs, code=1)
    assert (output, errors.count("\n")) == ("", 1)
    assert error.format(train_file) in errors


def test_training_data_that_cannot_be_read_is_refused(tmp_path: Path, call) -> None:
    (tmp_path / "damaged.spacy").write_bytes(b"no docs")
    DocBin().to_disk(tmp_path / "empty.spacy")
    (tmp_path / "train.conllu").write_text("")
    for name, error in (("damaged", "it is damaged"), ("empty", "has no words")):
        assert error in call("default", "--train", tmp_path / f"{name}.spacy", code=1)[1]
    assert "convert" in call("default", "--train", tmp_path / "train.conllu", code=1)[1]


def test_lemmas_of_the_tokenizer_are_overwritten_only_by_lemmas(call) -> None:
    @registry.tokenizers("test.Lemmatizing")
    def make():
        class Lemmatizing(TaggingTokenizer):
            def __call__(self, text: str) -> Doc:
                return Doc(self.vocab, words=text.split(), lemmas=text.split())

        return lambda nlp: Lemmatizing(nlp.vocab)

    for outputs, overwrites in (("tag", False), ("tag,lemma", True)):
        options = ("--tokenizer", "test.Lemmatizing", "--outputs", outputs)
        text, errors = call("default", *options)
        assert parse(text)["components"]["lstm_tagger"]["overwrite"] is overwrites
        assert ("sets lemma itself: overwrite = true" in errors) is overwrites


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["defualt"], "there is no recipe 'defualt', but there are default, demo, fast,"),
        (
            ["default", "--lang", "kmrr"],
            "no language with the code 'kmrr'. Its codes are listed at",
        ),
    ],
)
def test_unknown_names_are_errors_with_the_remedy(args: list[str], error: str, call) -> None:
    output, errors = call(*args, code=1)
    assert output == ""
    assert error in errors
    assert errors.count("\n") == 1


def test_alias_of_a_language_is_its_code(call) -> None:
    assert parse(call("default", "--lang", "eng")[0])["nlp"]["lang"] == "en"


def test_existing_file_is_kept_unless_forced(call, tmp_path: Path) -> None:
    path = tmp_path / "config.cfg"
    path.write_text("mine", encoding="utf8")
    _, errors = call("default", "--output", path, code=1)
    assert "exists already: name another file, or add --force" in errors
    assert path.read_text(encoding="utf8") == "mine"
    _, errors = call("default", "--output", path, "--force")
    assert parse(path.read_text(encoding="utf8"))["nlp"]["lang"] == "en"
    assert f"spacy train {path} --output training --paths.train train.spacy" in errors


def test_recipes_are_those_of_the_repository() -> None:
    configs = Path(__file__).parent.parent / "configs"
    written = {path.stem: path.read_text(encoding="utf8") for path in configs.iterdir()}
    assert {name: read_recipe(name) for name in recipes()} == written


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the tokenizers' libraries
@pytest.mark.parametrize("lang", ["zh", "xx", "ja", "th", "vi"])
def test_it_trains_and_reads_raw_text_with_the_tokenizer_of_the_language(
    lang: str, tmp_path: Path
) -> None:
    text = {
        "zh": "我叫林小雨",
        "ja": "東京に行きました。",
        "th": "ผมรักคุณ",
        "vi": "Tôi là sinh viên",
    }
    library = {"ja": "sudachipy", "th": "pythainlp", "vi": "pyvi"}.get(lang)
    if library and importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    words, tags = ["学习", "书"], ["V", "N"]
    doc = Doc(spacy.blank("xx").vocab, words=words, tags=tags)
    DocBin(docs=[doc]).to_disk(tmp_path / "data.spacy")
    output, _ = run("lstm-tagger", "init-config", "demo", "--lang", lang, cwd=tmp_path)
    (tmp_path / "config.cfg").write_text(output, encoding="utf8")
    paths = ("--paths.train", "data.spacy", "--paths.dev", "data.spacy")
    run("train", "config.cfg", "--output", "out", *paths, *FEW_STEPS, cwd=tmp_path)
    nlp = spacy.load(tmp_path / "out" / "model-last")
    raw = text.get(lang, "a b")
    assert [token.text for token in nlp(raw)] == [t.text for t in spacy.blank(lang)(raw)]
    assert len(nlp(raw)) > 1
    assert {token.tag_ for token in nlp(raw)} <= {"V", "N"}

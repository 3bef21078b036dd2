"""The English models that ship, and the programs that make them."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training.converters import conllu_to_docs

MODELS = Path(__file__).parent.parent / "models"
NAMES = ("en_ewt_lstm", "en_ewt_lstm_fast")
DATA = Path(os.environ.get("SPACY_LSTM_TAGGER_DATA", MODELS.parent.parent / "shared" / "data"))
DEV = DATA / "en_ewt-ud-dev.conllu"

pytestmark = pytest.mark.light

with_make = pytest.mark.skipif(
    os.name != "posix" or shutil.which("make") is None, reason="make is not there, or is another"
)


def path_of(name: str) -> Path:
    (path,) = (MODELS / name / name).glob(f"{name}-*")
    return path


@pytest.fixture(scope="module")
def texts() -> ModuleType:
    spec = importlib.util.spec_from_file_location("texts", MODELS / "texts.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["texts"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NAMES)
def test_model_tags_a_sentence(name) -> None:
    doc = spacy.load(path_of(name))("She sold the old cars.")
    assert [t.tag_ for t in doc] == ["PRP", "VBD", "DT", "JJ", "NNS", "."]
    assert [t.pos_ for t in doc] == ["PRON", "VERB", "DET", "ADJ", "NOUN", "PUNCT"]
    if "lemma" in spacy.load(path_of(name)).get_pipe("lstm_tagger").cfg["outputs"]:
        assert [t.lemma_ for t in doc] == ["she", "sell", "the", "old", "car", "."]


@pytest.mark.parametrize("name", NAMES)
def test_model_is_small_and_says_what_it_is_made_of(name) -> None:
    files = [path for path in path_of(name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 8e6
    meta = json.loads((MODELS / name / "meta.json").read_text())
    assert (meta["lang"], f"en_{meta['name']}") == ("en", name)
    assert meta["license"] == "CC BY-SA 4.0"
    free = ("public domain", "CC0", "CC BY", "free for any use")
    for source in meta["sources"]:
        assert source["license"].startswith(free), source
        assert "NC" not in source["license"] and "ND" not in source["license"]
    assert any(line.startswith("spacy-lstm-tagger[onnx]") for line in meta["requirements"])


@pytest.mark.parametrize("name", NAMES)
def test_installing_a_model_changes_nothing_in_the_checkout(name) -> None:
    meta = (MODELS / name / "meta.json").read_text()  # which setup.py copies to these two
    assert (MODELS / name / name / "meta.json").read_text() == meta
    assert (path_of(name) / "meta.json").read_text() == meta


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_those_of_the_treebank(name) -> None:
    if not DEV.is_file():
        pytest.skip(f"{DEV} is missing: SPACY_LSTM_TAGGER_DATA names the treebanks' directory")
    nlp = spacy.load(path_of(name))
    text = "\n\n".join(DEV.read_text(encoding="utf8").split("\n\n")[::5]) + "\n\n"
    gold = list(conllu_to_docs(text, n_sents=1, no_print=True))
    docs = nlp.pipe(Doc(nlp.vocab, words=[token.text for token in doc]) for doc in gold)
    right = [
        a.tag_ == b.tag_ for x, y in zip(docs, gold, strict=True) for a, b in zip(x, y, strict=True)
    ]
    assert len(right) > 4000
    accuracy = json.loads((path_of(name) / "meta.json").read_text())["performance"]["tag_acc"]
    assert sum(right) / len(right) == pytest.approx(accuracy, abs=0.006)


def test_paragraphs_are_what_is_prose_in_markdown(texts) -> None:
    page = (
        "---\ntitle: A *page* of it\n---\n# A heading that is long enough to be a text\n\n"
        "We [went](https://example.org) to the **market** and bought some fish &amp; bread.\n\n"
        "    code = is_left_out(here)\n\nType `make` and wait for it to be done, please.\n\n"
        "- It is not that easy to find a good cheese in this town.\n\n"
        "<table><tr><td>The cells of a table are no text of ours.</td></tr></table>\n"
    )
    assert list(texts.texts_of(source(texts, "markdown"), [page])) == [
        "We went to the market and bought some fish & bread.",
        "It is not that easy to find a good cheese in this town.",
    ]


def source(texts: ModuleType, format_: str, field: str = "") -> object:
    return texts.Source("n", "k", "a/b", "0", ".", format_, "CC0", "LICENSE", 99, field)


@pytest.mark.parametrize(
    ("format_", "field", "file"),
    [
        ("lines", "", "This is what we are looking for.\n2 + 2\n"),
        ("lines", "", "This is what we are looking for.\tDas suchen wir.\n"),
        ("tokens", "", "This is what we are looking for .\t<::::> This\n"),
        ("json", "say", '[{"turns": [{"say": "This is what we are looking for.", "n": 1}]}]'),
        ("csv", "text", 'id,text\n1,"This is what we are looking for."\n'),
        (
            "stack exchange",
            "",
            '<row Id="1" Body="&lt;p&gt;This is what we are looking for.&lt;/p&gt;" />',
        ),
        ("html", "", "<h1>Title</h1><p>This is what we are\nlooking for.</p><pre>x = 1</pre>"),
    ],
)
def test_texts_are_read_from_every_format(texts, format_, field, file) -> None:
    found = list(texts.texts_of(source(texts, format_, field), [file]))
    assert found == ["This is what we are looking for."]


def test_texts_with_a_sentence_of_dev_are_found(texts, tmp_path) -> None:
    dev = tmp_path / "dev.conllu"
    dev.write_text("# text = It's the first time that we've met here, you know.\n# text = Yes.\n")
    found = texts.Dev(dev)
    assert found.occurs_in(
        "He said: “It’s the first time that we’ve met here – you know!” And left."
    )
    assert not found.occurs_in("Yes. It's the first time that we've met.")


def test_sources_are_free_for_any_use(texts) -> None:
    sources = texts.read_sources()
    assert len(sources) > 20
    for each in sources:
        assert each.licence.startswith(("public domain", "CC0", "CC BY")), each
        assert "NC" not in each.licence and "ND" not in each.licence
        assert len(each.commit) == 40
        assert each.format in texts.FORMATS


def run_make(*arguments: object) -> subprocess.CompletedProcess:
    command = ["make", *map(str, arguments)]
    # as if nothing had called it: `make test` hands its options and its depth down
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(command, cwd=MODELS, capture_output=True, text=True, env=env)


@with_make
def test_make_starts_from_nothing_and_ends_each_step_at_once(tmp_path) -> None:
    for split in ("train", "dev"):
        (tmp_path / f"en_ewt-ud-{split}.conllu").touch()
    work = tmp_path / "models"
    done = run_make("--dry-run", f"DATA={tmp_path}", f"WORK={work}", "PYTHON=python")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"mkdir -p {work}"
    transformer = f"{work}/all-mpnet-base-v2"
    made = [line for line in lines if line.endswith(f" {transformer}")]
    assert made == [f"mv {work}/unzipped/all-mpnet-base-v2 {transformer}"]


@with_make
def test_make_names_a_treebank_that_is_missing_with_the_remedy(tmp_path) -> None:
    work = tmp_path / "models"
    goal = work / "en_ewt-ud-train.spacy"
    done = run_make(f"DATA={tmp_path}", f"WORK={work}", "PYTHON=python", goal)
    assert done.returncode == 2
    assert f"{tmp_path}/en_ewt-ud-train.conllu is missing: name its directory" in done.stderr


@with_make
def test_make_takes_a_virtual_environment_anywhere(tmp_path) -> None:
    done = run_make("-C", "..", "--dry-run", "models", f"VENV={tmp_path}", f"DATA={tmp_path}")
    assert f'PYTHON="{tmp_path}/bin/python"' in done.stdout, done.stderr

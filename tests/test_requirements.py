"""What a saved pipeline requires of this project, and what happens where that is missing."""

import subprocess
import sys
from pathlib import Path

import pytest
import spacy
import srsly

from spacy_lstm_tagger import __version__
from spacy_lstm_tagger.files.recipes import recipes
from spacy_lstm_tagger.runtime.export import export_tagger

OTHERS = ("some-dictionary>=1.0", "spacy-lstm-tagger-words", "not a requirement !")


def required(directory: Path) -> list[str]:
    return srsly.read_json(directory / "meta.json")["requirements"]


def ours(extras: str) -> str:
    major, minor, _ = __version__.split(".", 2)
    return f"spacy-lstm-tagger[{extras}]>={__version__},<{major}.{int(minor) + 1}.0"


def test_a_model_of_torch_requires_torch(make_nlp, tmp_path) -> None:
    make_nlp().to_disk(tmp_path / "model")
    assert required(tmp_path / "model") == [ours("train")]


def test_in_8_bits_it_requires_what_int8_needs_as_well(make_nlp, tmp_path) -> None:
    make_nlp(model={"precision": "int8"}).to_disk(tmp_path / "model")
    assert required(tmp_path / "model") == [ours("export")]


def test_an_export_of_a_saved_pipeline_requires_onnx_runtime_alone(make_nlp, tmp_path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
    make_nlp(steps=1).to_disk(tmp_path / "trained")
    nlp = spacy.load(tmp_path / "trained")
    assert nlp.meta["requirements"] == [ours("train")]
    export_tagger(nlp, "lstm_tagger", "float32")
    nlp.to_disk(tmp_path / "exported")
    assert required(tmp_path / "exported") == [ours("onnx")]
    spacy.load(tmp_path / "exported").to_disk(tmp_path / "again")
    assert required(tmp_path / "again") == [ours("onnx")]


def test_a_pipeline_that_a_tagger_is_put_into_requires_it_as_well(make_nlp, tmp_path) -> None:
    other = spacy.blank("en")
    other.add_pipe("sentencizer")
    other.add_pipe("lstm_tagger", source=make_nlp(steps=1), name="words")
    other.to_disk(tmp_path / "other")
    assert required(tmp_path / "other") == [ours("train")]


def test_two_taggers_require_the_extras_of_both(make_nlp, tmp_path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
    nlp, exported = make_nlp(steps=1), make_nlp(steps=1)
    export_tagger(exported, "lstm_tagger", "float32")
    nlp.add_pipe("lstm_tagger", source=exported, name="exported")
    nlp.to_disk(tmp_path / "both")
    assert required(tmp_path / "both") == [ours("onnx,train")]


def test_a_shared_encoder_requires_torch(make_examples, tmp_path) -> None:
    config = spacy.util.load_config(recipes()["shared_tok2vec"])
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    nlp.remove_pipe("morphologizer")  # the examples have nothing for it to learn
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path / "model")
    assert required(tmp_path / "model") == [ours("train")]


def test_other_requirements_stay(make_nlp, tmp_path) -> None:
    nlp = make_nlp()
    nlp.meta["requirements"] = [*OTHERS, "spacy-lstm-tagger[train]>=0.0.9,<0.1.0"]
    nlp.to_disk(tmp_path / "model")
    assert required(tmp_path / "model") == [*OTHERS, ours("train")]
    spacy.load(tmp_path / "model").to_disk(tmp_path / "model")
    assert required(tmp_path / "model") == [*OTHERS, ours("train")]


def test_a_component_that_is_saved_by_itself_changes_nothing_around_it(make_nlp, tmp_path) -> None:
    contents = [
        {"meta.json": "{"},
        {"meta.json": "{", "other.cfg": ""},
        {"meta.json": "[]", "config.cfg": "[a]\n\n[a]\n"},
        {"meta.json": "{}", "config.cfg": "not a config"},
    ]
    for content in contents:
        for name, text in content.items():
            (tmp_path / name).write_text(text)
        make_nlp().get_pipe("lstm_tagger").to_disk(tmp_path / "tagger")
        assert {name: (tmp_path / name).read_text() for name in content} == content


@pytest.mark.parametrize(
    "by_hand",
    [
        "spacy-lstm-tagger[train,report] @ git+https://example.org/tagger.git",
        "spacy_lstm_tagger @ https://example.org/tagger.whl",
        "spacy-lstm-tagger[train,report]",
        "spacy-lstm-tagger==0.1.0",
        'spacy-lstm-tagger[train]>=0.1,<0.2; python_version < "4"',
    ],
)
def test_what_somebody_has_chosen_stays(by_hand, make_nlp, tmp_path) -> None:
    nlp = make_nlp()
    nlp.meta["requirements"] = [by_hand]
    nlp.to_disk(tmp_path / "model")
    assert required(tmp_path / "model") == [by_hand]


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, [ours("train")]), ([None, 3], [None, 3, ours("train")]), ("x", "x")],
)
def test_requirements_of_another_form_do_not_end_the_saving(
    before, after, make_nlp, tmp_path
) -> None:
    nlp = make_nlp()
    nlp.meta["requirements"] = before
    nlp.to_disk(tmp_path / "model")
    assert required(tmp_path / "model") == after
    assert spacy.load(tmp_path / "model").pipe_names == ["lstm_tagger"]


def test_variables_of_the_config_are_looked_up(make_nlp, tmp_path) -> None:
    make_nlp().to_disk(tmp_path / "model")
    config = tmp_path / "model" / "config.cfg"
    text = config.read_text().replace('precision = "float32"', "precision = ${vars.precision}")
    config.write_text(f'{text}\n[vars]\nprecision = "int8"\n')
    spacy.load(tmp_path / "model").to_disk(tmp_path / "again")
    assert required(tmp_path / "again") == [ours("export")]


@pytest.mark.parametrize("architecture", ["LSTMTagger.v1", "LSTMEncoder.v1"])
def test_without_torch_one_line_says_what_to_install(architecture: str) -> None:
    settings = "width=8" if architecture == "LSTMEncoder.v1" else ""
    code = f"""
import sys
sys.modules["torch"] = None
import spacy
try:
    spacy.registry.get("architectures", "spacy-lstm-tagger.{architecture}")({settings})
except ImportError as error:
    print(error)
"""
    (line,) = run_python(code).splitlines()
    assert line.startswith(
        "A tagger that is trained, or was not exported, needs torch, which cannot be imported ("
    )
    assert line.endswith('Install it with: pip install "spacy-lstm-tagger[train]"')


def test_without_torch_adding_and_loading_say_so_too(make_nlp, tmp_path) -> None:
    make_nlp().to_disk(tmp_path / "model")
    code = f"""
import sys
sys.modules["torch"] = None
import spacy
for attempt in (
    lambda: spacy.blank("en").add_pipe("lstm_tagger"),
    lambda: spacy.load({str(tmp_path / "model")!r}),
):
    try:
        attempt()
    except ImportError as error:
        print(error)
"""
    lines = run_python(code).splitlines()
    assert len(lines) == 2
    assert all('pip install "spacy-lstm-tagger[train]"' in line for line in lines)
    done = subprocess.run(
        [sys.executable, "-c", without_torch(tmp_path / "model")], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert 'pip install "spacy-lstm-tagger[train]"' in " ".join(done.stderr.split())


def without_torch(model: Path) -> str:
    """Return code that runs `lstm-tagger tag` where torch cannot be imported."""
    return f"""
import sys
sys.modules["torch"] = None
sys.argv = ["spacy", "lstm-tagger", "tag", {str(model)!r}, "A text"]
from spacy.cli import setup_cli
setup_cli()
"""


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout

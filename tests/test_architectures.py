"""Registered names, default settings, and light imports."""

import importlib.util
import inspect
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import spacy

import spacy_lstm_tagger
from spacy_lstm_tagger import architectures
from spacy_lstm_tagger.architectures import (
    build_lstm_encoder_v1,
    build_lstm_tagger_v1,
    build_onnx_tagger_v1,
)
from spacy_lstm_tagger.distill.corpus import build_distillation_corpus_v1

PACKAGE = Path(spacy_lstm_tagger.__file__).parent


def registered_names() -> list[str]:
    found = entry_points(group="spacy_architectures")
    return sorted(e.name for e in found if e.value.startswith("spacy_lstm_tagger."))


def test_names_are_registered() -> None:
    assert registered_names() == [
        "spacy-lstm-tagger.LSTMEncoder.v1",
        "spacy-lstm-tagger.LSTMTagger.v1",
        "spacy-lstm-tagger.OnnxTagger.v1",
    ]


@pytest.mark.parametrize("name", registered_names())
def test_name_leads_to_its_builder(name: str) -> None:
    """spacy-lstm-tagger.LSTMTagger.v1 leads to build_lstm_tagger_v1."""
    _, thing, version = name.split(".")
    words = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z][a-z]+", thing)
    builder = getattr(architectures, "_".join(["build", *map(str.lower, words), version]))
    assert spacy.registry.architectures.get(name) is builder


def test_reader_leads_to_its_builder() -> None:
    name = "spacy-lstm-tagger.DistillationCorpus.v1"
    assert spacy.registry.readers.get(name) is build_distillation_corpus_v1


@pytest.mark.parametrize("kind", ["architectures", "augmenters", "factories", "loggers", "readers"])
def test_settings_have_types_and_not_their_names(kind: str) -> None:
    """spaCy 3.8.2's config system, for one, cannot look a type up by its name."""
    points = [e for e in entry_points(group=f"spacy_{kind}") if "lstm" in e.name]
    assert points
    for point in points:
        parameters = inspect.signature(point.load()).parameters.values()
        assert [p.name for p in parameters if isinstance(p.annotation, str)] == [], point.name


def test_factory_is_an_entry_point() -> None:
    found = {e.name: e.value for e in entry_points(group="spacy_factories")}
    assert found["lstm_tagger"] == "spacy_lstm_tagger.pipeline.factories:make_lstm_tagger"


@pytest.mark.parametrize(
    "builder",
    [
        build_lstm_tagger_v1,
        build_lstm_encoder_v1,
        build_onnx_tagger_v1,
        build_distillation_corpus_v1,
    ],
)
def test_builder_takes_and_documents_keywords_alone(builder) -> None:
    for name, parameter in inspect.signature(builder).parameters.items():
        assert parameter.kind is parameter.KEYWORD_ONLY
        if name != "nO":
            assert re.search(rf"^{name} \(", inspect.getdoc(builder), re.MULTILINE), name


def test_tagger_has_what_the_component_needs() -> None:
    model = build_lstm_tagger_v1()
    assert model.has_ref("output_layer")
    assert callable(model.attrs["resize_output"])


def test_models_do_not_share_state() -> None:
    one, other = build_lstm_tagger_v1(), build_lstm_tagger_v1()
    shims = [model.get_ref("output_layer").shims[0] for model in (one, other)]
    assert shims[0] is not shims[1]
    assert shims[0].id != shims[1].id


def test_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    assert spacy_lstm_tagger.__version__ == version("spacy-lstm-tagger")


# Light imports: an import error in a registered module would break spaCy itself


def modules_without_torch() -> list[str]:
    """All modules of the package but those of `network`."""
    paths = [path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py")]
    names = [".".join(path.parts) for path in paths if path.parts[0] != "network"]
    return sorted(name.removesuffix(".__init__") for name in names if name != "__init__")


def test_spacy_works_without_torch() -> None:
    """As far as importing goes: thinc does without torch if it cannot be imported."""
    names = modules_without_torch()
    assert {"cli", "cli.export", "pipeline.tagger", "runtime.onnx_tagger"} <= set(names)
    if importlib.util.find_spec("onnx") is None:
        names.remove("runtime.onnx_graph")
    modules = ", ".join(f"spacy_lstm_tagger.{name}" for name in names)
    script = f"""
import sys
sys.modules["torch"] = None
import spacy
spacy.blank("en")
import {modules}
assert spacy.blank("en").has_factory("lstm_tagger")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_advice_on_odd_widths_fits_the_setting() -> None:
    build = spacy.registry.architectures.get("spacy-lstm-tagger.LSTMTagger.v1")
    with pytest.raises(ValueError, match="char_width is 127, but must be even") as error:
        build(char_width=127)
    assert "Use 126 or 128." in str(error.value)
    assert "bidirectional" not in str(error.value)
    with pytest.raises(ValueError, match=r"^width is 127, but must be even") as error:
        build(width=127)
    assert "Use 126 or 128, or one direction (bidirectional = false)." in str(error.value)
    with pytest.raises(ValueError, match=r"Use 2, or one direction"):
        build(width=1)

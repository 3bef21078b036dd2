"""Registered names, default settings, and light imports."""

import ast
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
from spacy_lstm_tagger.architectures import build_lstm_encoder_v1, build_lstm_tagger_v1
from spacy_lstm_tagger.distill.corpus import build_distillation_corpus_v1
from spacy_lstm_tagger.runtime import onnx_tagger
from spacy_lstm_tagger.runtime.onnx_tagger import build_onnx_tagger_v1

PACKAGE = Path(spacy_lstm_tagger.__file__).parent
HEAVY = {"torch", "cupy"}
LIGHT_MODULES = [
    "cli",
    "distill.corpus",
    "pipeline.factories",
    "features.extractor",
    "distill.teacher",
    "training.loss",
    "runtime.onnx_tagger",
    "pipeline.tagger",
    "pipeline.probabilities",
    "pipeline.kept_probabilities",
    "features.form_cache",
    "training.soft_targets",
    "features.vocabulary",
    "features.windows",
]


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
    module = onnx_tagger if thing == "OnnxTagger" else architectures
    builder = getattr(module, "_".join(["build", *map(str.lower, words), version]))
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
            assert re.search(rf"^    {name} \(", builder.__doc__, re.MULTILINE), name


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


def imports_of(path: Path) -> tuple[set[str], set[str]]:
    """Outside packages, and modules of this package, that importing the file imports."""
    outside, inside = set(), set()
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.Import):
            outside |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            if node.level == 0:
                outside.add(str(node.module).split(".")[0])
            else:
                package = path.parent if node.level == 1 else PACKAGE
                base = package / str(node.module).replace(".", "/") if node.module else package
                inside |= {str(found) for found in candidates(base, names)}
        pending.extend(ast.iter_child_nodes(node))
    return outside, inside


def candidates(base: Path, names: list[str]) -> list[Path]:
    paths = [base.with_suffix(".py"), base / "__init__.py"]
    paths += [base / f"{name}.py" for name in names]
    return [path for path in paths if path.is_file()]


def all_imports_of(path: Path) -> set[str]:
    """Outside packages imported by the file or by a module of this package it imports."""
    found, seen, pending = set(), set(), [str(path)]
    while pending:
        module = pending.pop()
        if module not in seen:
            seen.add(module)
            outside, inside = imports_of(Path(module))
            found |= outside
            pending.extend(inside)
    return found


@pytest.mark.parametrize("name", LIGHT_MODULES)
def test_module_does_not_import_torch(name: str) -> None:
    origin = importlib.util.find_spec(f"spacy_lstm_tagger.{name}").origin
    assert not HEAVY & all_imports_of(Path(origin))


def test_the_look_at_imports_sees_torch() -> None:
    assert "torch" in all_imports_of(PACKAGE / "architectures.py")


@pytest.mark.parametrize(
    ("name", "unknown"),
    [("features/windows", {"torch", "spacy"}), ("network/tagger_network", {"thinc", "spacy"})],
)
def test_module_knows_its_own_world_alone(name: str, unknown: set[str]) -> None:
    outside, _ = imports_of(PACKAGE / f"{name}.py")
    assert not unknown & outside


def test_spacy_works_without_torch() -> None:
    """As far as importing goes: thinc does without torch where it cannot be imported."""
    modules = ", ".join(f"spacy_lstm_tagger.{name}" for name in LIGHT_MODULES)
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

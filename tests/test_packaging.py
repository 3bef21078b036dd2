"""The wheel of the project, and models packaged and installed where only the wheel is known."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from numpy.testing import assert_allclose
from packaging.requirements import Requirement
from packaging.version import Version
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.training.converters import conllu_to_docs

import spacy_lstm_tagger

REPOSITORY = Path(__file__).parent.parent
PROJECT = "spacy-lstm-tagger"
FILES = ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
BUILT_FROM = ("spacy_lstm_tagger", "configs", *FILES)

TEXTS = [
    "The child drew a horse.",
    "Nobody opened that letter. Nobody drew a child!",
    "A horse opened the unknown letter…",
    "",
]

# What other environments are asked to run. Each prints JSON.
WHERE = """
import importlib.metadata, importlib.util, json
spec = importlib.util.find_spec("spacy_lstm_tagger")
distributions = importlib.metadata.distributions()
print(json.dumps({
    "modules": [spec.origin] if spec else [],
    "distributions": [
        str(found.locate_file("")) for found in distributions
        if found.metadata["Name"] == "spacy-lstm-tagger"
    ],
}))
"""
TAG = """
import json, sys
import spacy
nlp = spacy.load(sys.argv[1])
docs = list(nlp.pipe(json.loads(sys.argv[2])))
probabilities = nlp.get_pipe("lstm_tagger").predict_probabilities(docs)
print(json.dumps({
    "path": str(nlp.path),
    "tags": [[token.tag_ for token in doc] for doc in docs],
    "probabilities": [rows.tolist() for rows in probabilities],
}))
"""


def run(*command: object, **variables: str) -> str:
    """Run a command outside the source tree and return what it printed.

    variables: environment variables beside those of the tests.
    """
    result = subprocess.run(
        [str(part) for part in command],
        cwd=tempfile.gettempdir(),
        env={**os.environ, "OMP_NUM_THREADS": "1", "ANSI_COLORS_DISABLED": "1", **variables},
        capture_output=True,
        text=True,
        encoding="utf8",
    )
    if result.returncode:
        output = result.stdout + result.stderr
        pytest.fail(f"{' '.join(map(str, command))}\nexited {result.returncode}:\n{output}")
    return result.stdout


class Environment:
    """A fresh virtual environment with everything that is installed here, less this project.

    The installed packages are linked, one by one, into a directory on its path: neither the
    project nor the way to its source tree, which an editable installation knows, is among them.

    without: packages that are to be missing.
    """

    def __init__(self, path: Path, *, without: tuple[str, ...] = ()) -> None:
        if os.name != "posix":
            pytest.skip("links packages into an environment, which takes a right on Windows")
        venv.create(path, with_pip=False, symlinks=True)
        self.python = path / "bin" / "python"
        (self.site_packages,) = path.glob("lib/python*/site-packages")
        linked = path / "linked" / "site-packages"
        linked.mkdir(parents=True)
        for entry in installed_files():
            project = entry.name.partition("-")[0]  # of torch/ and of torch-2.2.0.dist-info/
            if project not in without and not (linked / entry.name).exists():
                (linked / entry.name).symlink_to(entry)
        (self.site_packages / "linked.pth").write_text(f"{linked}\n", encoding="utf8")

    def run_python(self, *args: object) -> str:
        """Run Python with nothing on its path but the environment."""
        return run(self.python, "-I", *args)

    def install(self, wheel: Path, *options: object) -> None:
        """Install a wheel and what it requires, without a network and other places of packages."""
        command = ("-m", "pip", "install", "--quiet", "--no-index", *options, wheel)
        run(self.python, "-I", *command, PIP_CONFIG_FILE=os.devnull, PIP_FIND_LINKS="")

    def where(self) -> dict[str, list[str]]:
        """Find the project."""
        return json.loads(self.run_python("-c", WHERE))

    def tag(self, model: object) -> dict[str, Any]:
        """Load a pipeline and tag the texts."""
        return json.loads(self.run_python("-c", TAG, model, json.dumps(TEXTS)))


def installed_files() -> Iterator[Path]:
    """Everything in the directories of installed packages, less what belongs to the project."""
    for directory in map(Path, sys.path):
        if directory.name in ("site-packages", "dist-packages"):
            for entry in sorted(directory.iterdir()):
                if entry.suffix != ".pth" and "spacy_lstm_tagger" not in entry.name:
                    yield entry


def build_wheel(source: Path, output: Path, setuptools: str) -> Path:
    build("--wheel", source, output, setuptools)
    (wheel,) = output.glob("*.whl")
    return wheel


def build(kind: str, source: Path, output: Path, setuptools: str) -> None:
    """Build with the setuptools at hand; where it is too old, a newer one is fetched."""
    try:
        at_hand = Version(version("setuptools")) >= Version(setuptools)
    except PackageNotFoundError:
        at_hand = False
    isolation = ["--no-isolation"] if at_hand else []
    run(sys.executable, "-m", "build", kind, *isolation, "--outdir", output, source)


def read_in_wheel(wheel: Path, name: str) -> str:
    """Text of the one file in a wheel whose path ends so."""
    with zipfile.ZipFile(wheel) as archive:
        (path,) = [path for path in archive.namelist() if path.endswith(name)]
        return archive.read(path).decode("utf8")


def requirements_in(wheel: Path) -> dict[str, Requirement]:
    """What a wheel requires, extras left out, by name."""
    lines = read_in_wheel(wheel, ".dist-info/METADATA").split("\n\n")[0].splitlines()
    found = [Requirement(line[15:]) for line in lines if line.startswith("Requires-Dist: ")]
    return {each.name: each for each in found if "extra" not in str(each.marker)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the project, built from a copy of its sources."""
    source = copy_sources(tmp_path_factory.mktemp("source"))
    return build_wheel(source, tmp_path_factory.mktemp("wheel"), setuptools="77")


def copy_sources(target: Path) -> Path:
    target.mkdir(exist_ok=True)
    for name in BUILT_FROM:
        if (REPOSITORY / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(REPOSITORY / name, target / name, ignore=ignored)
        else:
            shutil.copy(REPOSITORY / name, target / name)
    return target


@pytest.fixture(scope="module")
def nlp() -> Language:
    """A pipeline that has learned the textbook sentences."""
    text = (REPOSITORY / "corpus" / "textbook.conllu").read_text(encoding="utf8")
    nlp = spacy.blank("en", meta={"name": "textbook", "version": "1.2.3"})
    model = {
        "@architectures": "spacy-lstm-tagger.LSTMTagger.v1",
        "min_word_freq": 1,
        "word_width": 16,
        "char_width": 8,
        "width": 16,
        "depth": 1,
    }
    nlp.add_pipe("lstm_tagger", config={"model": model})
    gold = conllu_to_docs(text, n_sents=1, no_print=True)
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in gold]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.02
    for _ in range(40):
        nlp.update(examples, sgd=optimizer)
    return nlp


@pytest.fixture(scope="module")
def expected_tags(nlp: Language) -> list[list[str]]:
    """Tags of the texts from the pipeline as it was trained."""
    return [[token.tag_ for token in doc] for doc in nlp.pipe(TEXTS)]


@pytest.fixture(scope="module")
def publisher(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Where the project is installed from its wheel, to package models."""
    environment = Environment(tmp_path_factory.mktemp("publisher"))
    environment.install(wheel)
    return environment


@pytest.fixture(scope="module")
def package(
    publisher: Environment, nlp: Language, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Directory that `spacy package` makes of the pipeline."""
    directory = tmp_path_factory.mktemp("package")
    nlp.to_disk(directory / "model")
    model = directory / "model"
    publisher.run_python("-m", "spacy", "package", model, directory, "--build", "none")
    return directory / "en_textbook-1.2.3"


@pytest.fixture(scope="module")
def model_wheel(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the packaged pipeline."""
    return build_wheel(package, tmp_path_factory.mktemp("model_wheel"), setuptools="40.8")


@pytest.fixture(scope="module")
def user(wheel: Path, model_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Where the packaged pipeline is installed, and nothing of the project was before."""
    environment = Environment(tmp_path_factory.mktemp("user"))
    assert environment.where() == {"modules": [], "distributions": []}
    environment.install(model_wheel, "--find-links", wheel.parent)
    return environment


def test_tests_import_the_installed_package() -> None:
    direct_url = distribution(PROJECT).read_text("direct_url.json") or "{}"
    if json.loads(direct_url).get("dir_info", {}).get("editable"):
        pytest.skip("the project is installed as editable, not from its wheel")
    installed = Path(str(distribution(PROJECT).locate_file("spacy_lstm_tagger/__init__.py")))
    assert Path(spacy_lstm_tagger.__file__).resolve() == installed.resolve()
    assert not installed.resolve().is_relative_to(REPOSITORY.resolve() / "spacy_lstm_tagger")


def test_wheel_has_all_modules_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        paths = {path for path in archive.namelist() if ".dist-info/" not in path}
    modules = (REPOSITORY / "spacy_lstm_tagger").rglob("*.py")
    expected = {path.relative_to(REPOSITORY).as_posix() for path in modules}
    templates = (REPOSITORY / "spacy_lstm_tagger" / "report" / "templates").iterdir()
    pages = {path.relative_to(REPOSITORY).as_posix() for path in templates}
    assert "spacy_lstm_tagger/report/templates/report.html" in pages
    recipes = {
        f"spacy_lstm_tagger/configs/{path.name}" for path in (REPOSITORY / "configs").iterdir()
    }
    assert "spacy_lstm_tagger/configs/default.cfg" in recipes
    assert paths == {*expected, *pages, *recipes, "spacy_lstm_tagger/py.typed"}


def test_every_folder_is_named_as_a_package() -> None:
    """setuptools warns of others with files, and means to leave them out one day."""
    tomllib = pytest.importorskip("tomllib", reason="Python has it from 3.11 on")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf8"))
    named = {name.replace(".", "/") for name in project["tool"]["setuptools"]["packages"]}
    files = (REPOSITORY / "spacy_lstm_tagger").rglob("*.*")
    folders = {path.parent.relative_to(REPOSITORY).as_posix() for path in files if path.is_file()}
    folders = {folder for folder in folders if not folder.endswith("/__pycache__")}
    assert named == {*folders, "spacy_lstm_tagger/configs"}


def test_source_distribution_has_the_package_and_no_tests(tmp_path: Path) -> None:
    source = copy_sources(tmp_path / "source")
    (source / "tests").mkdir()
    (source / "tests" / "test_one.py").touch()
    build("--sdist", source, tmp_path / "dist", setuptools="77")
    (path,) = (tmp_path / "dist").glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"configs/default.cfg", "LICENSE", "spacy_lstm_tagger/py.typed"} <= names
    assert "spacy_lstm_tagger/report/templates/report.html" in names
    assert [name for name in names if name.startswith("tests")] == []


def test_installed_wheel_writes_a_config_and_converts_plain_data_that_train(
    publisher: Environment, tmp_path: Path
) -> None:
    names = [tmp_path / name for name in ("words.tsv", "words.spacy", "config.cfg", "output")]
    tsv, data, config, output = names
    tsv.write_text("The\tDT\nchild\tNN\n.\t.\n\nWho\tWP\n?\t.\n", encoding="utf8")
    command = ("-m", "spacy", "lstm-tagger")
    assert "demo " in publisher.run_python(*command, "init-config")
    publisher.run_python(*command, "init-config", "demo", "--output", config)
    publisher.run_python(*command, "convert", tsv, data)
    paths = ("--paths.train", data, "--paths.dev", data)
    steps = ("--training.max_steps", 2, "--training.eval_frequency", 1)
    publisher.run_python("-m", "spacy", "train", config, "--output", output, *paths, *steps)
    nlp = spacy.load(output / "model-last")
    assert nlp.get_pipe("lstm_tagger").labels == (".", "DT", "NN", "WP")


def test_wheel_names_its_module_for_spacy_package(wheel: Path) -> None:
    assert read_in_wheel(wheel, "top_level.txt").split() == ["spacy_lstm_tagger"]


def test_wheel_registers_its_functions(wheel: Path) -> None:
    parser = ConfigParser(delimiters="=")
    parser.read_string(read_in_wheel(wheel, "entry_points.txt"))
    assert {section: set(parser[section]) for section in parser.sections()} == {
        "spacy_factories": {"lstm_tagger", "lstm_tagger_pos", "lstm_tagger_recorder"},
        "spacy_architectures": {
            "spacy-lstm-tagger.lstmtagger.v1",
            "spacy-lstm-tagger.lstmencoder.v1",
            "spacy-lstm-tagger.onnxtagger.v1",
        },
        "spacy_augmenters": {"spacy-lstm-tagger.augmenter.v1"},
        "spacy_readers": {"spacy-lstm-tagger.distillationcorpus.v1"},
        "spacy_loggers": {"spacy-lstm-tagger.plotlogger.v1"},
        "spacy_cli": {"lstm-tagger"},
    }


def test_wheel_requires_what_is_imported(wheel: Path) -> None:
    assert set(requirements_in(wheel)) == {"spacy", "thinc", "numpy"}


def test_wheel_has_readme_and_licence(wheel: Path) -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf8")
    assert readme.strip() in read_in_wheel(wheel, ".dist-info/METADATA").replace("\r\n", "\n")
    assert "MIT License" in read_in_wheel(wheel, "LICENSE")


def test_publisher_has_the_project_from_the_wheel(publisher: Environment) -> None:
    assert publisher.where() == {
        "modules": [str(publisher.site_packages / "spacy_lstm_tagger" / "__init__.py")],
        "distributions": [str(publisher.site_packages)],
    }


def test_installed_wheel_makes_a_report(
    publisher: Environment, nlp: Language, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (the extra [report])")
    nlp.to_disk(tmp_path / "model")
    text = (REPOSITORY / "corpus" / "textbook.conllu").read_text(encoding="utf8")
    gold = DocBin(docs=conllu_to_docs(text, n_sents=1, no_print=True))
    gold.to_disk(tmp_path / "gold.spacy")
    names = [tmp_path / name for name in ("model", "gold.spacy", "out.html")]
    publisher.run_python("-m", "spacy", "lstm-tagger", "report", *names)
    assert "<h1>Tagging report</h1>" in names[2].read_text(encoding="utf8")


def test_package_requires_the_project(package: Path) -> None:
    requirements = srsly.read_json(package / "meta.json")["requirements"]
    ours = [Requirement(each) for each in requirements if each.startswith(PROJECT)]
    assert set().union(*(each.extras for each in ours)) == {"train"}
    for each in ours:
        assert each.name == PROJECT
        assert f">={version(PROJECT)}" in str(each.specifier)
        assert each.specifier.contains(version(PROJECT))


def test_model_wheel_requires_the_project(model_wheel: Path) -> None:
    assert {PROJECT, "spacy"} <= set(requirements_in(model_wheel))


def test_installing_the_model_brings_the_project(user: Environment) -> None:
    assert user.where() == {
        "modules": [str(user.site_packages / "spacy_lstm_tagger" / "__init__.py")],
        "distributions": [str(user.site_packages)],
    }


def test_installed_model_gives_the_same_tags(
    user: Environment, nlp: Language, expected_tags: list[list[str]]
) -> None:
    answer = user.tag("en_textbook")
    assert Path(answer["path"]).is_relative_to(user.site_packages)
    assert answer["tags"] == expected_tags
    assert answer["tags"][0] == ["DT", "NN", "VBD", "DT", "NN", "."]
    docs = list(nlp.pipe(TEXTS))
    probabilities = nlp.get_pipe("lstm_tagger").predict_probabilities(docs)
    for found, expected in zip(answer["probabilities"], probabilities, strict=True):
        assert len(found) == len(expected)
        if found:
            assert_allclose(found, expected, atol=1e-5)


def test_a_model_of_torch_cannot_be_installed_without_torch(
    wheel: Path, model_wheel: Path, tmp_path: Path
) -> None:
    environment = Environment(tmp_path / "environment", without=("torch",))
    with pytest.raises(pytest.fail.Exception, match="No matching distribution found for torch"):
        environment.install(model_wheel, "--find-links", wheel.parent)


def test_an_export_is_installed_and_tags_without_torch(
    wheel: Path,
    nlp: Language,
    expected_tags: list[list[str]],
    publisher: Environment,
    tmp_path: Path,
) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
    nlp.to_disk(tmp_path / "model")
    exported = tmp_path / "exported"
    publisher.run_python("-m", "spacy", "lstm-tagger", "export", tmp_path / "model", exported)
    publisher.run_python("-m", "spacy", "package", exported, tmp_path, "--build", "none")
    package = tmp_path / "en_textbook-1.2.3"
    model_wheel = build_wheel(package, tmp_path / "wheels", setuptools="40.8")
    environment = Environment(tmp_path / "environment", without=("torch", "onnx"))
    environment.install(model_wheel, "--find-links", wheel.parent)
    assert environment.tag("en_textbook")["tags"] == expected_tags
    missing = "import importlib.util as u; print([u.find_spec(m) for m in ('torch', 'onnx')])"
    assert environment.run_python("-c", missing).split() == ["[None,", "None]"]

"""What several test modules share: a small model, training data, the real treebanks."""

import os
import re
from collections.abc import Callable, Generator, Iterable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy
import pytest
import spacy
from hypothesis import settings
from packaging.version import Version
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.converters import conllu_to_docs
from thinc.api import Model, fix_random_seed

REPOSITORY = Path(__file__).parent.parent

WITHOUT_TORCH = find_spec("torch") is None
NEEDS_TORCH = re.compile(r"needs torch, which cannot be imported|No module named 'torch'")

COERCES = Version(version("confection")) < Version("1")
"""Whether spaCy's config system makes 512 of "512" and True of "yes" instead of refusing them."""

settings.register_profile("project", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("project")


def skip_for_want_of_torch(report: Any, path: Path) -> None:
    """Let a failure be a skip if torch is not installed, and that is what it says."""
    if WITHOUT_TORCH and report.failed and NEEDS_TORCH.search(report.longreprtext):
        report.outcome = "skipped"
        reason = "Skipped: torch is not installed (the extra [train])"
        report.longrepr = (str(path), 1, reason)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Skip modules that import torch where it is not installed."""
    report = yield
    skip_for_want_of_torch(report, collector.path)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Skip tests that need torch where it is not installed, but for those that may not need it."""
    report = yield
    if item.get_closest_marker("light") is None:
        skip_for_want_of_torch(report, item.path)
    return report


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests that another type is refused where the config system does not refuse it."""
    if COERCES and item.get_closest_marker("strict_types") is not None:
        pytest.skip("confection 0.1 makes the right type of values where it can")


@pytest.fixture(autouse=True)
def fixed_seed() -> None:
    """Make every test start from the same random numbers."""
    fix_random_seed(0)


@pytest.fixture
def small_config() -> dict[str, Any]:
    """Settings of a component whose model trains in milliseconds."""
    return {
        "model": {
            "@architectures": "spacy-lstm-tagger.LSTMTagger.v1",
            "word_width": 8,
            "min_word_freq": 1,
            "char_width": 8,
            "char_embed_width": 4,
            "max_characters": 8,
            "cell": "lstm",
            "width": 16,
            "depth": 1,
            "bidirectional": True,
        }
    }


@pytest.fixture
def train_data() -> list[tuple[str, dict[str, Any]]]:
    """Two sentences with three tags."""
    return [
        ("I like green eggs", {"tags": ["N", "V", "J", "N"]}),
        ("Eat blue ham", {"tags": ["V", "J", "N"]}),
    ]


@pytest.fixture
def make_examples(train_data: list) -> Callable[..., list[Example]]:
    """Return a function that makes examples, of the shared data unless told otherwise."""

    def make(nlp: Language, data: Iterable[tuple[str, dict]] = train_data) -> list[Example]:
        return [Example.from_dict(nlp.make_doc(text), dict(gold)) for text, gold in data]

    return make


@pytest.fixture
def make_nlp(small_config: dict, make_examples: Callable, train_data: list) -> Callable:
    """Return a function that makes an initialized pipeline with a small tagger.

    data: texts and annotations; steps: updates on them; seed: of weights and training;
    model: settings that differ from the small model's; further settings go to the component.
    """

    def make(
        data: list = train_data,
        *,
        steps: int = 0,
        seed: int = 0,
        drop: float = 0.0,
        model: dict | None = None,
        **settings: Any,
    ) -> Language:
        fix_random_seed(seed)
        nlp = spacy.blank("en")
        config = {"model": {**small_config["model"], **(model or {})}, **settings}
        nlp.add_pipe("lstm_tagger", config=config)
        examples = make_examples(nlp, data)
        optimizer = nlp.initialize(lambda: examples)
        optimizer.learn_rate = 0.01
        for _ in range(steps):
            nlp.update(examples, sgd=optimizer, drop=drop)
        return nlp

    return make


@pytest.fixture
def randomize() -> Callable[[Any], None]:
    """Return a function that gives a component or a model large random weights.

    A fresh tagger's output layer is zero, and all its scores with it: comparing them would prove
    nothing.
    """

    def fill(component: Any, seed: int = 0) -> None:
        import torch

        model: Model = getattr(component, "model", component)
        generator = torch.Generator().manual_seed(seed)
        for node in model.walk():
            for shim in node.shims:
                for parameter in shim.module.parameters():
                    parameter.data.normal_(std=0.5, generator=generator)
                shim.weights_changed()

    return fill


@pytest.fixture
def scores_of() -> Callable[..., list[numpy.ndarray]]:
    """Return a function that predicts the scores of docs, one array each."""

    def scores(component: Any, docs: list[Doc]) -> list[numpy.ndarray]:
        return [rows.copy() for rows in component.model.predict(docs)]

    return scores


@pytest.fixture
def weights_of() -> Callable[..., dict[str, numpy.ndarray]]:
    """Return a function that copies the weights of the tagger's network."""

    def weights(component: Any) -> dict[str, numpy.ndarray]:
        module = component.model.get_ref("output_layer").shims[0].module
        return {name: p.detach().numpy().copy() for name, p in module.named_parameters()}

    return weights


@pytest.fixture(scope="session")
def treebank_directory() -> Path:
    """Directory of the real treebanks, which are not part of the repository."""
    directory = Path(os.environ.get("SPACY_LSTM_TAGGER_DATA", REPOSITORY / "../shared/data"))
    if not directory.is_dir():
        pytest.skip(
            f"no treebanks in {directory}: set SPACY_LSTM_TAGGER_DATA to a directory with "
            "en_ewt-ud-dev.conllu"
        )
    return directory


@pytest.fixture(scope="session")
def read_treebank(treebank_directory: Path) -> Callable[[str], list[Doc]]:
    """Return a function that reads a treebank file, one sentence a doc."""

    def read(name: str) -> list[Doc]:
        path = treebank_directory / name
        if not path.is_file():
            pytest.skip(f"no {path}: set SPACY_LSTM_TAGGER_DATA to a directory that has it")
        return list(conllu_to_docs(path.read_text(encoding="utf8"), n_sents=1, no_print=True))

    return read

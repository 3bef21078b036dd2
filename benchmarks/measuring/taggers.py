"""Taggers that the benchmark compares: how each is trained and loaded."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Config

from . import training
from .devset import Treebank
from .scoring import Tagger, megabytes


class Stopped(Exception):
    """Reason why a tagger could not be trained."""


class Unavailable(Stopped):
    """Reason why a training could not even start. It is worth trying again once this is fixed."""


@dataclass(frozen=True)
class Budget:
    """Budget of a training: number of threads, and minutes after which a peer is stopped."""

    threads: int
    minutes: float


class Row(Protocol):
    """Tagger of the table."""

    @property
    def key(self) -> str:
        """Name in options and directories."""

    @property
    def title(self) -> str:
        """Name in the report."""

    def train(self, directory: Path, treebank: Treebank, seed: int, budget: Budget) -> None:
        """Train into a directory; raise Stopped if that is not possible."""

    def model(self, directory: Path) -> Path:
        """Return the path of the model in the directory, even before it is trained."""

    def load(self, directory: Path, treebank: Treebank) -> Tagger:
        """Load the model."""

    def sizes(self, directory: Path) -> dict[str, float]:
        """Return the megabytes of the trained components and of the whole model."""

    def settings(self, lang: str) -> str:
        """Return the present config of the tagger; empty if it has none."""

    def trained_settings(self, directory: Path) -> str:
        """Return the config that the model was trained with; empty if it has none."""


@dataclass(frozen=True)
class SpacyTagger:
    """Trained spaCy pipeline as a tagger."""

    nlp: Language

    def tag(self, forms: dict[str, list[Doc]]) -> dict[str, list[list[str]]]:
        """Return the tags of each doc, form by form.

        Each form is tagged by itself: in a batch with a long doc, spaCy's own recurrent encoder
        pads every doc to the length of that doc.
        """
        return {
            name: [[token.tag_ for token in doc] for doc in self.nlp.pipe(docs)]
            for name, docs in forms.items()
        }


@dataclass(frozen=True)
class SpacyRow:
    """Tagger that `spacy train` trains.

    config: Function from a language code to the tagger's config.
    vectors: Pipeline with static vectors to train with; None to train without them.
    taught: File that `lstm-tagger distill` wrote, in the language of the treebank; None if the
        config needs none.
    """

    key: str
    title: str
    config: Callable[[str], Config]
    vectors: str | None = None
    taught: Path | None = None

    def train(self, directory: Path, treebank: Treebank, seed: int, budget: Budget) -> None:
        """Train into a directory; raise Stopped if that is not possible."""
        overrides: list[Any] = ["--training.seed", seed, "--system.seed", seed]
        if self.vectors:
            _check_vectors(self.vectors, treebank.lang)
            overrides += ["--paths.vectors", self.vectors]
        if self.taught:
            if not self.taught.is_file():
                raise Unavailable(f"no texts labelled by a teacher: {self.taught} is missing")
            overrides += ["--paths.taught", self.taught]
        log = directory / "log.txt"
        try:
            training.train(
                *(directory, self.config(treebank.lang), treebank.corpora, *overrides),
                threads=budget.threads,
                log=log,
            )
        except subprocess.CalledProcessError as error:
            raise Stopped(
                f"`spacy train` ended with exit status {error.returncode}: {last_line(log)}"
            ) from error

    def model(self, directory: Path) -> Path:
        """Return the path of the model in the directory, even before it is trained."""
        return directory / "model-best"

    def load(self, directory: Path, treebank: Treebank) -> Tagger:
        """Load the pipeline; raise Unavailable if that fails."""
        try:
            return SpacyTagger(spacy.load(self.model(directory)))
        except (OSError, ValueError) as error:
            raise Unavailable(f"trained, but its model cannot be loaded: {error}") from error

    def sizes(self, directory: Path) -> dict[str, float]:
        """Return the megabytes of the trained components and of the whole pipeline."""
        model = self.model(directory)
        names = Config().from_disk(model / "config.cfg", interpolate=False)["nlp"]["pipeline"]
        components = megabytes(model, [f"{name}/**/*" for name in names])
        return {"components": components, "all": megabytes(model)}

    def settings(self, lang: str) -> str:
        """Return the present config of the tagger."""
        return self.config(lang).to_str(interpolate=False)

    def trained_settings(self, directory: Path) -> str:
        """Return the config that the model was trained with; empty if it is missing."""
        path = directory / "config.cfg"
        if not path.is_file():
            return ""
        return Config().from_disk(path, interpolate=False).to_str(interpolate=False)


def last_line(log: Path) -> str:
    """Return the last line of a log with a letter or digit in it."""
    text = log.read_text(encoding="utf8", errors="replace") if log.is_file() else ""
    lines = [line.strip() for line in text.splitlines() if any(map(str.isalnum, line))]
    return lines[-1] if lines else "its log is empty"


def _check_vectors(name: str, lang: str) -> None:
    """Raise Unavailable if the vectors are not installed, or are for another language."""
    try:
        found = spacy.load(name).lang
    except OSError as error:
        raise Unavailable(f"no static vectors: the pipeline '{name}' is not installed") from error
    if found != lang:
        raise Unavailable(f"no static vectors: those of '{name}' are for '{found}', not '{lang}'")

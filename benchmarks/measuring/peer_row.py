"""Tagger of another library as a row of the benchmark: a script of `peers` in another process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from . import training
from .devset import Treebank
from .scoring import Tagger, megabytes
from .taggers import Budget, Stopped, Unavailable, last_line

BENCHMARKS = Path(__file__).parent.parent

# Makes glibc keep large blocks for the next batch instead of giving them back to the system. Where
# page faults are expensive, as in virtual machines, Stanza then trains several times as fast.
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40)}


@dataclass(frozen=True)
class PeerRow:
    """Tagger of another library, which trains and tags in a process of its own.

    module: Module of the library to look for.
    script: Module in `peers` that trains and tags.
    pythons: Python interpreters to look in. The first that has the module is used.
    """

    key: str
    title: str
    module: str
    script: str
    pythons: tuple[str, ...] = (sys.executable,)

    @cached_property
    def python(self) -> str | None:
        """Python that has the module; None if there is none."""
        find = f"import importlib.util as u, sys; sys.exit(u.find_spec({self.module!r}) is None)"
        return next((p for p in self.pythons if _succeeds([p, "-c", find])), None)

    def train(self, directory: Path, treebank: Treebank, seed: int, budget: Budget) -> None:
        """Train into a directory; raise Stopped if that is not possible."""
        if self.model(directory).is_dir():
            shutil.rmtree(self.model(directory))  # left by a training that was stopped
        directory.mkdir(parents=True, exist_ok=True)
        start = time.perf_counter()
        try:
            self._run(
                *("train", "--model", self.model(directory), "--treebank", treebank.name),
                *("--train", treebank.conllu("train"), "--dev", treebank.conllu("dev")),
                *("--seed", seed, "--minutes", budget.minutes),
                budget=budget,
                log=directory / "log.txt",
            )
        except subprocess.CalledProcessError as error:
            line = last_line(directory / "log.txt")
            raise Stopped(f"exit status {error.returncode}: {line}") from error
        except subprocess.TimeoutExpired:
            self._out_of_time(directory, budget)
        training.write_record(directory, time.perf_counter() - start, budget.threads)

    def model(self, directory: Path) -> Path:
        """Return the path of the model in the directory, even before it is trained."""
        return directory / "model"

    def load(self, directory: Path, treebank: Treebank) -> Tagger:
        """Return the tagger. The peer's process loads the model when it tags."""
        return PeerTagger(spacy.blank(treebank.lang), self, directory)

    def sizes(self, directory: Path) -> dict[str, float]:
        """Return the size of the model in megabytes, without the logs beside it."""
        size = megabytes(self.model(directory), ("*.pt", "*.json"))
        return {"components": size, "all": size}

    def settings(self, lang: str) -> str:
        """Return an empty string: a peer's settings are in its script."""
        return ""

    def trained_settings(self, directory: Path) -> str:
        """Return an empty string, like `settings`."""
        return ""

    def tag(self, directory: Path, sentences: list[list[str]]) -> list[list[str]]:
        """Tag sentences, given as words."""
        with tempfile.TemporaryDirectory() as name:
            words, tags = Path(name) / "words.json", Path(name) / "tags.json"
            words.write_text(json.dumps(sentences), encoding="utf8")
            log = directory / "tagging.txt"
            try:
                self._run(
                    *("tag", "--model", self.model(directory), "--words", words, "--tags", tags),
                    log=log,
                )
            except subprocess.CalledProcessError as error:
                raise Unavailable(f"trained, but it failed to tag: {last_line(log)}") from error
            return json.loads(tags.read_text(encoding="utf8"))

    def command(self, *args: object) -> list[str]:
        """Return the command that runs its script; raise Unavailable if the library is missing."""
        if not self.python:
            raise Unavailable(
                f"`{self.module}` is not installed: `pip install {self.module}`, in an "
                "environment of its own named by `--peers-python`"
            )
        return [self.python, "-m", f"{__package__}.peers.{self.script}", *map(str, args)]

    def _run(self, *args: object, log: Path, budget: Budget | None = None) -> None:
        command = self.command(*args)
        threads = budget.threads if budget else None
        env = training.environment(threads, PYTHONPATH=str(BENCHMARKS), **KEEP_MEMORY)
        training.run_logged(command, env, log, timeout=60 * budget.minutes if budget else None)

    def _out_of_time(self, directory: Path, budget: Budget) -> None:
        """Keep the best model so far, with a note; raise Stopped if there is none."""
        stopped = f"stopped after {budget.minutes:g} minutes on {budget.threads} thread(s)"
        progress = f"its last message: {last_line(directory / 'log.txt')}"
        if not any(self.model(directory).glob("*.pt")):
            raise Stopped(f"{stopped}, without a model yet; {progress}")
        note = f"{stopped}, scored with its best model until then; {progress}"
        (self.model(directory) / "note.txt").write_text(note, encoding="utf8")


@dataclass(frozen=True)
class PeerTagger:
    """Trained tagger of another library."""

    nlp: Language
    row: PeerRow
    directory: Path

    def tag(self, forms: dict[str, list[Doc]]) -> dict[str, list[list[str]]]:
        """Return the tags of each doc, all from one call, because the process starts slowly."""
        words = [[token.text for token in doc] for docs in forms.values() for doc in docs]
        tags = iter(self.row.tag(self.directory, words))
        return {name: [next(tags) for _ in docs] for name, docs in forms.items()}


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0

"""`python -m spacy lstm-tagger distill`: trained pipelines label text for a student to learn."""

from __future__ import annotations

import hashlib
import json
import shutil
from itertools import islice
from pathlib import Path

import spacy
import typer
from spacy.cli._util import import_code
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.util import minibatch
from tqdm import tqdm
from wasabi import msg

from ..distill.teacher import Teacher, accuracies, label
from ..files.raw_text import read_docs, stored_docs
from . import lstm_tagger_cli
from .output import write_file

PART = 2000
"""Docs in one part of the output."""

ATTRS = ["TAG", "POS", "SPACY"]


@lstm_tagger_cli.command("distill")
def distill_cli(
    teachers: str = typer.Argument(
        ..., help="Names or paths of trained pipelines, several separated by commas"
    ),
    raw: Path = typer.Argument(
        ..., help="Text: .txt (a text a line), .jsonl, either with .gz, or .spacy", exists=True
    ),
    output: Path = typer.Argument(..., help="The .spacy file to write", dir_okay=False),
    temperature: float = typer.Option(
        1.0, "--temperature", "-t", help="Above 1: probabilities less sure; below 1: surer"
    ),
    kept: int = typer.Option(8, "--kept", "-k", help="Most probable tags kept of each token"),
    n_process: int = typer.Option(1, "--n-process", "-n", help="Processes of each teacher"),
    batch_size: int = typer.Option(64, "--batch-size", "-b", help="Docs in a batch"),
    limit: int = typer.Option(0, "--limit", "-l", help="Most docs to label, 0 for all"),
    dev: Path | None = typer.Option(
        None, "--dev", "-d", help="Gold .spacy file to try the teachers on first", exists=True
    ),
    code: Path | None = typer.Option(
        None, "--code", "-c", help="Python file with functions that the teachers need", exists=True
    ),
) -> None:
    """Label raw text with the tag probabilities of one or several trained pipelines.

    Several teachers' probabilities are averaged; with `--dev`, how accurate each of them and their
    mean are is printed first. A pipeline that gives no probabilities teaches its tags; parts of
    speech are kept where a teacher sets them. The output is made in parts, so that a run that was
    interrupted goes on where it stopped.
    """
    if not temperature > 0 or kept < 1 or n_process < 1 or batch_size < 1 or limit < 0:
        msg.fail(
            "--temperature must be above 0; --kept, --n-process and --batch-size at least 1; "
            "--limit at least 0",
            exits=1,
        )
    if output.suffix != ".spacy" or not output.parent.is_dir():
        msg.fail(
            f"Cannot write {output}: it must be a .spacy file in a directory that exists.", exits=1
        )
    try:
        import_code(code)
        loaded = [Teacher(_load(name), temperature) for name in teachers.split(",")]
        if dev:
            _try_on(dev, loaded, teachers.split(","), n_process, batch_size)
        text = [str(raw.resolve()), raw.stat().st_size]
        settings = [teachers, *text, temperature, kept, limit, ATTRS]
        parts = Parts(output, settings)
        docs = islice(read_docs(raw, loaded[0].nlp), limit or None)
        docs = islice(docs, len(parts), None)
        with tqdm(unit=" docs", initial=len(parts)) as progress:
            for part in minibatch(docs, PART):
                parts.add(label(part, loaded, kept, n_process=n_process, batch_size=batch_size))
                progress.update(len(part))
    except ValueError as error:
        msg.fail("Cannot distill", str(error), exits=1)
    n_docs, n_words = parts.join()
    msg.good(f"Wrote {n_docs} docs of {n_words} words to {output}")


class Parts:
    """The output in parts, each written whole or not at all.

    settings: what makes the output what it is; parts of other settings are refused.
    Raises ValueError for parts of another run.
    """

    def __init__(self, output: Path, settings: list) -> None:
        self.output = output
        digest = hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:16]
        self.directory = output.with_name(f"{output.name}.parts")
        present = self.directory / "settings"
        if present.is_file() and present.read_text() != digest:
            raise ValueError(
                f"{self.directory} holds parts of a run with other teachers, text or settings. "
                "Repeat that run to end it, or remove the directory."
            )
        self._used = output.with_name(f"{output.name}.parts.used")
        shutil.rmtree(self._used, ignore_errors=True)  # of a run that was killed
        self.directory.mkdir(exist_ok=True)
        write_file(present, digest.encode())

    def __len__(self) -> int:
        """Number of docs that are there."""
        return sum(int(path.stem.split("-")[1]) for path in self.paths())

    def paths(self) -> list[Path]:
        """The parts in their order."""
        return sorted(self.directory.glob("*.spacy"))

    def add(self, docs: list[Doc]) -> None:
        """Write one more part."""
        part = DocBin(attrs=ATTRS, store_user_data=True, docs=docs)
        name = f"{len(self.paths()):06}-{len(docs)}.spacy"
        write_file(self.directory / name, part.to_bytes())

    def join(self) -> tuple[int, int]:
        """Join the parts to the output and remove them. Returns the number of docs and words."""
        whole = DocBin(attrs=ATTRS, store_user_data=True)
        for path in self.paths():
            whole.merge(DocBin(store_user_data=True).from_disk(path))
        write_file(self.output, whole.to_bytes())
        self.directory.replace(self._used)  # at once: a run killed now would find some of them
        shutil.rmtree(self._used)
        return len(whole), sum(len(tokens) for tokens in whole.tokens)


def _try_on(
    dev: Path, teachers: list[Teacher], names: list[str], n_process: int, batch_size: int
) -> None:
    gold = [doc for doc in stored_docs(dev, teachers[0].nlp.vocab) if len(doc)]
    shares = accuracies(gold, teachers, n_process=n_process, batch_size=batch_size)
    names = [*names, "their mean"] if len(names) > 1 else names
    for name, share in zip(names, shares, strict=False):
        msg.info(f"{100 * share:.2f} % of the tags of {dev.name} right: {name}")


def _load(name: str) -> Language:
    try:
        return spacy.load(name)
    except OSError as error:
        raise ValueError(f"Cannot load the pipeline '{name}'. ({error})") from error

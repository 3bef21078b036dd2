"""`python -m spacy lstm-tagger distill`: label raw text with soft targets of trained pipelines."""

from __future__ import annotations

from itertools import islice
from math import inf
from pathlib import Path

import typer
from spacy.cli._util import import_code
from spacy.util import minibatch
from tqdm import tqdm

from ..distill.labelling import accuracies, label_each
from ..distill.parts import Parts, newest_change
from ..distill.teacher import Teacher
from ..files.raw_text import read_placed_docs, stored_docs
from . import lstm_tagger_cli, messages
from .bad_records import BadRecords
from .errors import fail, failing_in_one_line
from .pipelines import check_parent, load_pipeline

PART = 2000
"""Number of docs in a part of the output."""


@lstm_tagger_cli.command("distill")
def distill_cli(
    teachers: str = typer.Argument(
        ..., help="Names or paths of trained pipelines, several separated by commas"
    ),
    raw: Path = typer.Argument(
        ..., help="Text: .txt (one text a line), .jsonl, either with .gz, or .spacy", exists=True
    ),
    output: Path = typer.Argument(..., help="The .spacy file to write", dir_okay=False),
    temperature: float = typer.Option(
        1.0, "--temperature", "-t", help="Above 1 softens the probabilities, below 1 sharpens them"
    ),
    weights: str = typer.Option(
        "",
        "--weights",
        "-w",
        help="Weights of the teachers' probabilities in the mean, separated by commas; 0: only the "
        "teacher's other annotation counts. Equal ones if there are none",
    ),
    kept: int = typer.Option(8, "--kept", "-k", help="Most probable tags to keep of each token"),
    n_process: int = typer.Option(1, "--n-process", "-n", help="Processes for each teacher"),
    batch_size: int = typer.Option(64, "--batch-size", "-b", help="Docs in a batch"),
    limit: int = typer.Option(0, "--limit", "-l", help="Docs to label at most; 0 for all"),
    dev: Path | None = typer.Option(
        None, "--dev", "-d", help="Gold .spacy file to score the teachers on first", exists=True
    ),
    code: Path | None = typer.Option(
        None, "--code", "-c", help="Python file with functions that the teachers need", exists=True
    ),
    skip_errors: bool = typer.Option(
        False, "--skip-errors", help="Go on past texts that cannot be labelled, and list them"
    ),
) -> None:
    """Label raw text with soft targets: the tag probabilities of one or several trained pipelines.

    The probabilities of several teachers are averaged, with `--weights` if there are any. With
    `--dev`, the accuracy of each teacher and of their mean is printed first. A pipeline that gives
    no probabilities teaches its tags. Parts of speech, morphological features and lemmas are kept
    if a teacher sets them. The output is made in parts, so that an interrupted run can be
    continued: repeat the command, also with `--skip-errors` added.
    """
    if not temperature > 0 or kept < 1 or n_process < 1 or batch_size < 1 or limit < 0:
        fail(
            "--temperature must be above 0; --kept, --n-process and --batch-size at least 1; "
            "--limit at least 0"
        )
    with failing_in_one_line("Cannot distill"):
        check_parent(output, inputs=[raw, dev])
        if output.suffix != ".spacy":
            raise ValueError(f"cannot write {output}: its name must end in .spacy")
        import_code(code)
        names = [name.strip() for name in teachers.split(",")]
        of_each = _read_weights(weights, names)
        loaded = [
            Teacher(load_pipeline(name), temperature, weight)
            for name, weight in zip(names, of_each, strict=True)
        ]
        bad_records = BadRecords(skip=skip_errors)
        placed = read_placed_docs(raw, *(teacher.nlp for teacher in loaded), on_error=bad_records)
        if dev:
            _try_on(dev, loaded, names, n_process, batch_size)
        stamps = [newest_change(path) for path in (*map(Path, names), raw)]
        settings = [teachers, str(raw.resolve()), *stamps, temperature, *of_each, kept, limit]
        parts = Parts(output, settings)
        for message in parts.skipped():
            bad_records(message)
        placed = islice(islice(placed, limit or None), len(parts), None)
        with tqdm(unit=" docs", initial=len(parts), disable=None) as progress:
            for part in minibatch(placed, PART):
                skipped: list[str] = []
                docs = label_each(
                    part,
                    loaded,
                    kept,
                    n_process=n_process,
                    batch_size=batch_size,
                    on_error=bad_records.also_into(skipped),
                )
                parts.add(docs, skipped)
                progress.update(len(part))
        bad_records.report()
        n_docs, n_words = parts.join()
    messages.good(f"Wrote {n_docs} docs of {n_words} words to {output}")


def _read_weights(text: str, names: list[str]) -> list[float]:
    """Return a weight for each name. Raises ValueError if the text is not that."""
    try:
        weights = [float(part) for part in text.split(",")] if text else [1.0] * len(names)
    except ValueError:
        weights = []
    if len(weights) != len(names) or not all(0 <= weight < inf for weight in weights):
        raise ValueError(
            f"--weights is '{text}', but must be a number from 0 up for each of the teachers "
            f"({', '.join(names)}), separated by commas"
        )
    if not any(weights):
        raise ValueError(f"--weights is '{text}': one of them must be above 0")
    return weights


def _try_on(
    dev: Path, teachers: list[Teacher], names: list[str], n_process: int, batch_size: int
) -> None:
    gold = [doc for doc in stored_docs(dev, teachers[0].nlp.vocab) if len(doc)]
    shares = accuracies(gold, teachers, n_process=n_process, batch_size=batch_size)
    names = [*names, "their mean"] if len(names) > 1 else names
    for name, share in zip(names, shares, strict=False):
        messages.info(f"{100 * share:.2f} % of the tags of {dev.name} right: {name}")

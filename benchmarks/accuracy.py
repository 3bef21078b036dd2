"""Compare the accuracy of this package's taggers with others, several seeds each, in one command.

    python benchmarks/accuracy.py [--taggers cnn,default] [--corpora en_ewt] [--seeds 0,1,2]

Trains every tagger on every corpus with every seed, scores it on the dev split in many forms and
writes benchmarks/RESULTS.md. A model or score that is in --work already is not made again. So the
command can be interrupted and continued, and its days of work can be done in parts. The results of
each training are kept in --kept, one JSON file each. They are part of the repository: a later run
on another machine adds to them.

The taggers: cnn, bilstm, nltk, stanza, flair, those of the configs fast, default and vectors, and,
with --taught, those of the students, which learn from a teacher beside the treebank. The taggers of
NLTK, Stanza and Flair are trained if their library is found in this environment or in that of
--peers-python (`pip install nltk stanza flair` there, without spaCy). Otherwise they are listed
with the reason.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and numpy are loaded

import torch
import typer
from measuring import training
from measuring.devset import Treebank, read_devset
from measuring.peer_row import PeerRow
from measuring.report import report
from measuring.runs import Plan, Result, run
from measuring.tables import TaggerResults, Taggers
from measuring.taggers import Budget, Row, SpacyRow

CONFIGS = training.ROOT / "configs"
OURS = ("fast", "default", "vectors", "fast_student", "student")
STUDENTS = ("fast_student", "student")
"""Configs to compare, the last one only if there are texts labelled by a teacher."""


def main(
    taggers: str = typer.Option("all", help="Names separated by commas, or all"),
    corpora: str = typer.Option("en_ewt,tr_imst", help="Treebanks separated by commas"),
    seeds: str = typer.Option("0,1,2", help="Numbers separated by commas"),
    threads: int = typer.Option(1, min=1, help="Threads of each training"),
    limit: float = typer.Option(40.0, min=0.0, help="Minutes after which a peer is stopped"),
    score_only: bool = typer.Option(False, help="Train nothing"),
    rescore: bool = typer.Option(False, help="Score again models that have scores"),
    retry: bool = typer.Option(False, help="Train again taggers that were stopped or failed"),
    peers_python: str = typer.Option(sys.executable, help="Python that has the peers' libraries"),
    vectors: str = typer.Option("en_core_web_md", help="Pipeline with vectors, for vectors.cfg"),
    taught: Path | None = typer.Option(
        None, help="File that `lstm-tagger distill` wrote, for student.cfg, in the same language"
    ),
    data: Path = typer.Option(training.DATA, help="Directory of the CoNLL-U files"),
    work: Path = typer.Option(
        training.ROOT / "training" / "accuracy", help="Directory of models and scores"
    ),
    kept: Path = typer.Option(
        training.ROOT / "benchmarks" / "measured", help="Directory of the results so far"
    ),
    output: Path = typer.Option(
        training.ROOT / "benchmarks" / "RESULTS.md", help="The file to write"
    ),
) -> None:
    """Train and score taggers, and write a report."""
    if not shutil.which(peers_python):
        message = f"--peers-python is '{peers_python}', but must be a Python that can be run"
        raise typer.BadParameter(message)
    torch.set_num_threads(threads)
    rows = _chosen(taggers, all_rows(peers_python, vectors, taught and taught.resolve()))
    no_training = "`--score-only`" if score_only else ""
    plan = Plan(Budget(threads, limit), no_training, rescore, retry, kept)
    treebanks = [Treebank(name, data, work.resolve()) for name in corpora.split(",")]
    results = {
        treebank.name: _run_all(rows, treebank, _numbers(seeds), plan) for treebank in treebanks
    }
    command = [f"--taggers {taggers}", f"--corpora {corpora}", f"--seeds {seeds}"]
    command += [f"--threads {threads}", f"--limit {limit:g}"]
    if taught:
        command.append(f"--taught {taught.name}")
    text = report(results, " ".join(["python benchmarks/accuracy.py", *command]))
    output.write_text(text, encoding="utf8")
    print(f"Wrote {output}")


def all_rows(peers_python: str, vectors: str, taught: Path | None = None) -> list[Row]:
    """Return all taggers, in the order of the table.

    peers_python: Python that may have the libraries of the peers.
    vectors: pipeline with static vectors.
    taught: file that `lstm-tagger distill` wrote; None to leave out the student.
    """
    pythons = (sys.executable, peers_python)
    return [
        SpacyRow("cnn", "spaCy CNN", training.cnn_config),
        SpacyRow("bilstm", "spaCy `TorchBiLSTMEncoder.v1`", training.bilstm_config),
        PeerRow("nltk", "NLTK PerceptronTagger", "nltk", "nltk_perceptron", pythons),
        PeerRow("stanza", "Stanza, no pretraining", "stanza", "stanza_tagger", pythons),
        PeerRow("flair", "Flair, no pretraining", "flair", "flair_tagger", pythons),
        *(_our_row(name, vectors, taught) for name in OURS if taught or name not in STUDENTS),
    ]


def _our_row(name: str, vectors: str, taught: Path | None) -> SpacyRow:
    config = partial(training.file_config, CONFIGS / f"{name}.cfg")
    if name == "vectors":
        return SpacyRow(name, f"`{name}.cfg`, `{Path(vectors).name}`", config, vectors)
    if name in STUDENTS:
        return SpacyRow(name, f"`{name}.cfg`, with a teacher", config, taught=taught)
    return SpacyRow(name, f"`{name}.cfg`", config)


def _chosen(keys: str, rows: list[Row]) -> list[Row]:
    if keys == "all":
        return rows
    by_key = {row.key: row for row in rows}
    unknown = [key for key in keys.split(",") if key not in by_key]
    if unknown:
        raise typer.BadParameter(f"no tagger {', '.join(unknown)}; there are {', '.join(by_key)}")
    return [by_key[key] for key in keys.split(",")]


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        message = f"--seeds is '{text}', but must be whole numbers separated by commas: 0,1,2"
        raise typer.BadParameter(message) from error


def _run_all(rows: list[Row], treebank: Treebank, seeds: list[int], plan: Plan) -> Taggers:
    """Run every tagger with the first seed, then with the next, so that the table fills early."""
    devset = cache(lambda: read_devset(treebank))
    taggers = [TaggerResults(row.key, row.title, []) for row in rows]
    for seed in seeds:
        for row, tagger in zip(rows, taggers, strict=True):
            result = run(row, treebank, seed, devset, _after(tagger.results, plan))
            tagger.results.append(result)
            print(f"{treebank.name} {row.key} {seed}: {result.stopped or _accuracy(result.scores)}")
    return taggers


def _after(results: list[Result], plan: Plan) -> Plan:
    """Return a plan without training if the tagger was stopped with an earlier seed."""
    stopped = next((result.seed for result in results if result.stopped), None)
    if stopped is None or plan.no_training:
        return plan
    return replace(plan, no_training=f"seed {stopped} was stopped")


def _accuracy(scores: dict) -> str:
    return f"{scores['accuracy']['gold']:.2f}"


if __name__ == "__main__":
    typer.run(main)

"""Compare joint tagging with spaCy's and UDPipe's on treebanks of many languages, in one command.

    python benchmarks/treebanks.py [--treebanks en_ewt,tr_imst] [--systems spacy,ours] [--seeds 0]

Trains every system on every treebank: XPOS, UPOS, FEATS and lemma together, those that the treebank
has. Scores it on the dev split with gold tokens, one sentence a doc, and writes
benchmarks/TREEBANKS.md. A model or result that is there already is not made again. So the command
can be interrupted and continued, and its work can be done in parts. The results of each training
are kept in --kept, one JSON file each. They are part of the repository: a later run on another
machine adds to them.

`python -m spacy project assets --extra` downloads the treebanks to assets/, for --data.

The systems: spacy, its `tagger`, `morphologizer` and `trainable_lemmatizer` on one shared CNN;
ours, the `lstm_tagger` of configs/default.cfg, trained half as long on small treebanks; udpipe,
UDPipe 1, if `ufal.udpipe` is found in this environment or in that of --peers-python. Otherwise it
is listed with the reason.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and numpy are loaded

import torch
import typer
from measuring import training
from measuring.joint.corpus import JointTreebank, read_devset
from measuring.joint.report import report
from measuring.joint.rows import SYSTEMS, rows
from measuring.joint.scoring import score
from measuring.joint.treebanks import SOURCES
from measuring.runs import Plan, Result, run
from measuring.tables import TaggerResults, Taggers
from measuring.taggers import Budget


def main(
    treebanks: str = typer.Option(",".join(SOURCES), help="Names separated by commas"),
    systems: str = typer.Option(",".join(SYSTEMS), help="Names separated by commas"),
    seeds: str = typer.Option("0,1,2", help="Numbers separated by commas"),
    several: str = typer.Option(
        "en_ewt,tr_imst", help="Treebanks with all seeds; the others have the first alone"
    ),
    threads: int = typer.Option(1, min=1, help="Threads of each training"),
    limit: float = typer.Option(60.0, min=0.0, help="Minutes after which UDPipe is stopped"),
    score_only: bool = typer.Option(False, help="Train nothing"),
    rescore: bool = typer.Option(False, help="Score again models that have scores"),
    retry: bool = typer.Option(False, help="Train again systems that were stopped or failed"),
    peers_python: str = typer.Option(sys.executable, help="Python that has `ufal.udpipe`"),
    data: Path = typer.Option(training.DATA, help="Directory of the CoNLL-U files"),
    work: Path = typer.Option(
        training.ROOT / "training" / "treebanks", help="Directory of models and scores"
    ),
    kept: Path = typer.Option(
        training.ROOT / "benchmarks" / "measured" / "treebanks",
        help="Directory of the results so far",
    ),
    output: Path = typer.Option(
        training.ROOT / "benchmarks" / "TREEBANKS.md", help="The file to write"
    ),
) -> None:
    """Train and score joint taggers, and write a report."""
    if not shutil.which(peers_python):
        message = f"--peers-python is '{peers_python}', but must be a Python that can be run"
        raise typer.BadParameter(message)
    keys = systems.split(",")
    if unknown := [key for key in keys if key not in SYSTEMS]:
        message = f"no system {', '.join(unknown)}; there are {', '.join(SYSTEMS)}"
        raise typer.BadParameter(message)
    torch.set_num_threads(threads)
    no_training = "`--score-only`" if score_only else ""
    plan = Plan(Budget(threads, limit), no_training, rescore, retry, kept, score)
    first, *others = _numbers(seeds)
    pythons = (sys.executable, peers_python)
    results: dict[str, Taggers] = {}
    for name in treebanks.split(","):
        treebank = JointTreebank(name, data, work.resolve())
        chosen = [first, *others] if name in several.split(",") else [first]
        results[name] = _run_all(treebank, keys, chosen, pythons, plan)
    command = [f"--treebanks {treebanks}", f"--systems {systems}", f"--seeds {seeds}"]
    command += [f"--several {several}", f"--threads {threads}", f"--limit {limit:g}"]
    text = report(results, " ".join(["python benchmarks/treebanks.py", *command]))
    output.write_text(text, encoding="utf8")
    print(f"Wrote {output}")


def _run_all(
    treebank: JointTreebank, keys: list[str], seeds: list[int], pythons: tuple[str, ...], plan: Plan
) -> Taggers:
    """Run every system on a treebank, with the first seed, then with the next."""
    devset = cache(lambda: read_devset(treebank))
    by_key = rows(treebank.outputs, pythons, treebank.steps)
    taggers = [TaggerResults(key, by_key[key].title, []) for key in keys]
    for seed in seeds:
        for tagger in taggers:
            after = _after(tagger.results, plan)
            result = run(by_key[tagger.key], treebank, seed, devset, after)
            tagger.results.append(result)
            print(f"{treebank.name} {tagger.key} {seed}: {result.stopped or _scores(result)}")
    return taggers


def _after(results: list[Result], plan: Plan) -> Plan:
    """Return a plan without training if the system was stopped with an earlier seed."""
    stopped = next((result.seed for result in results if result.stopped), None)
    if stopped is None or plan.no_training:
        return plan
    return replace(plan, no_training=f"seed {stopped} was stopped")


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        message = f"--seeds is '{text}', but must be whole numbers separated by commas: 0,1,2"
        raise typer.BadParameter(message) from error


def _scores(result: Result) -> str:
    accuracy = result.scores["accuracy"].items()
    return " ".join(f"{name} {value:.2f}" for name, value in accuracy if value is not None)


if __name__ == "__main__":
    typer.run(main)

"""One tagger on one treebank with one seed: trained where needed, scored where needed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .devset import DevSet, Treebank
from .scoring import Scores, score
from .taggers import Budget, Row, Stopped, Unavailable
from .training import RECORD, read_record


@dataclass(frozen=True)
class Plan:
    """What to do where something is there already, or missing.

    no_training: Why nothing is to be trained; empty where it is.
    rescore: Score again.
    retry: Train again what was stopped.
    """

    budget: Budget
    no_training: str = ""
    rescore: bool = False
    retry: bool = False


@dataclass(frozen=True)
class Result:
    """What came of a run: scores, or why there are none.

    record: Minutes and threads of the training.
    sizes: Megabytes of the components and of all.
    """

    seed: int
    scores: Scores = field(default_factory=dict)
    record: dict[str, float] = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    stopped: str = ""


def run(
    row: Row, treebank: Treebank, seed: int, devset: Callable[[], DevSet], plan: Plan
) -> Result:
    """Train and score as far as that was not done; never raises Stopped."""
    directory = treebank.work / f"{treebank.name}-{row.key}-{seed}"
    try:
        _ensure_trained(row, directory, treebank, seed, plan)
        scores = _ensure_scored(row, directory, treebank, devset, plan)
    except Stopped as reason:
        return Result(seed, stopped=str(reason))
    return Result(
        *(seed, scores, read_record(directory), row.sizes(directory)),
        remarks=tuple(_remarks(row, directory, treebank)),
    )


def _ensure_trained(row: Row, directory: Path, treebank: Treebank, seed: int, plan: Plan) -> None:
    stopped = directory / "stopped.txt"
    if (directory / RECORD).is_file():
        return
    if stopped.is_file() and not plan.retry:
        raise Stopped(stopped.read_text(encoding="utf8"))
    if plan.no_training:
        if not row.model(directory).is_dir():
            raise Unavailable(f"no model, and none was trained: {plan.no_training}")
        return
    print(f"{time.strftime('%H:%M')} training {directory.name}", flush=True)
    stopped.unlink(missing_ok=True)
    try:
        row.train(directory, treebank, seed, plan.budget)
    except Unavailable:
        raise
    except Stopped as reason:
        stopped.write_text(str(reason), encoding="utf8")
        raise


def _ensure_scored(
    row: Row, directory: Path, treebank: Treebank, devset: Callable[[], DevSet], plan: Plan
) -> Scores:
    path = directory / "scores.json"
    files = row.model(directory).rglob("*")
    newest = max((file.stat().st_mtime for file in files if file.is_file()), default=0.0)
    if plan.rescore or not path.is_file() or path.stat().st_mtime < newest:
        print(f"{time.strftime('%H:%M')} scoring {directory.name}", flush=True)
        scores = score(row.load(directory, treebank), devset())
        path.write_text(json.dumps(scores), encoding="utf8")
    return json.loads(path.read_text(encoding="utf8"))


def _remarks(row: Row, directory: Path, treebank: Treebank) -> list[str]:
    note = row.model(directory) / "note.txt"
    remarks = [note.read_text(encoding="utf8")] if note.is_file() else []
    if row.changed(directory, treebank):
        remarks.append("trained with an earlier version of its config")
    if not read_record(directory):
        remarks.append("not trained by this command, or not to the end: training time unknown")
    return remarks

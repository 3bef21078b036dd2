"""Run one tagger on one treebank with one seed: train it if needed, score it if needed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from .devset import Treebank
from .scoring import Scores, score
from .taggers import Budget, Row, Stopped, Unavailable
from .training import RECORD, read_record


@dataclass(frozen=True)
class Plan:
    """Plan for models and scores that are there already, or missing.

    budget: Budget of each training.
    no_training: Reason to train nothing; empty to train.
    rescore: Whether to score again.
    retry: Whether to train again taggers that were stopped.
    kept: Directory of the results of earlier runs, on any machine, one JSON file each. A tagger
        with a result there is not trained, and it is scored again only if `rescore` is true. None
        if there is no such directory.
    score: Function from a loaded tagger and the dev set to its scores.
    """

    budget: Budget
    no_training: str = ""
    rescore: bool = False
    retry: bool = False
    kept: Path | None = None
    score: Callable[[Any, Any], Scores] = score


@dataclass(frozen=True)
class Result:
    """Result of a run: scores, or the reason why there are none.

    record: Minutes and threads of the training.
    sizes: Megabytes of the components and of the whole model.
    remarks: Remarks for the report.
    stopped: Reason why there are no scores; empty if there are some.
    settings: Config that it was trained with; empty if the row gives none.
    """

    seed: int
    scores: Scores = field(default_factory=dict)
    record: dict[str, float] = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    stopped: str = ""
    settings: str = ""


def run(row: Row, treebank: Treebank, seed: int, devset: Callable[[], Any], plan: Plan) -> Result:
    """Train and score a tagger unless that was done before; never raises Stopped.

    devset: Function that returns the dev set, called only if there is something to score.
    """
    name = f"{treebank.name}-{row.key}-{seed}"
    kept = plan.kept / f"{name}.json" if plan.kept else None
    if kept and kept.is_file() and not plan.rescore:
        result = Result(**json.loads(kept.read_text(encoding="utf8")))
    else:
        result = _run(row, treebank, treebank.work / name, seed, devset, plan)
        if kept and result.record:  # else it was stopped, or is not trained to the end yet
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(asdict(result), indent=1) + "\n", encoding="utf8")
    if result.settings not in ("", row.settings(treebank.lang)):
        old = "trained with an earlier version of its config"
        result = replace(result, remarks=(*result.remarks, old))
    return result


def _run(
    row: Row,
    treebank: Treebank,
    directory: Path,
    seed: int,
    devset: Callable[[], Any],
    plan: Plan,
) -> Result:
    try:
        _ensure_trained(row, directory, treebank, seed, plan)
        scores = _ensure_scored(row, directory, treebank, devset, plan)
    except Stopped as reason:
        return Result(seed, stopped=str(reason))
    return Result(
        *(seed, scores, read_record(directory), row.sizes(directory)),
        remarks=tuple(_remarks(row, directory)),
        settings=row.trained_settings(directory),
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
    row: Row, directory: Path, treebank: Treebank, devset: Callable[[], Any], plan: Plan
) -> Scores:
    path = directory / "scores.json"
    files = row.model(directory).rglob("*")
    newest = max((file.stat().st_mtime for file in files if file.is_file()), default=0.0)
    if plan.rescore or not path.is_file() or path.stat().st_mtime < newest:
        print(f"{time.strftime('%H:%M')} scoring {directory.name}", flush=True)
        scores = plan.score(row.load(directory, treebank), devset())
        path.write_text(json.dumps(scores), encoding="utf8")
    return json.loads(path.read_text(encoding="utf8"))


def _remarks(row: Row, directory: Path) -> list[str]:
    note = row.model(directory) / "note.txt"
    remarks = [note.read_text(encoding="utf8")] if note.is_file() else []
    if not read_record(directory):
        remarks.append("not trained by this command, or not to the end: training time unknown")
    return remarks

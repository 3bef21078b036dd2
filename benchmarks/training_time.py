"""Measure how long training takes to reach the best dev accuracy of spaCy's own tagger.

    python benchmarks/training_time.py [--config configs/default.cfg] [--rounds 1]

In each round, spaCy's tagger (`init config --optimize efficiency`) trains with `spacy train` until
it stops improving. Then the config's tagger trains until it is as good. Times are counted from the
start of the command, including initialization, with one thread each. The table goes to the console.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from measuring import training
from thinc.api import Config

ACCURACY = "TAG_ACC"
"""Column of the console logger. Which others there are depends on what is predicted."""


def main() -> None:
    """Train the taggers in turns, and print the times."""
    args = _arguments()
    lang = args.treebank.partition("_")[0]
    files = (training.conllu_file(args.data, args.treebank, s) for s in ("train", "dev"))
    corpora = tuple(training.convert(file, args.work) for file in files)
    cnn, ours = training.cnn_config(lang), training.file_config(args.config, lang)
    for config in (cnn, ours):
        config["training"].update(eval_frequency=args.every)
        config["training"]["logger"] = {"@loggers": "spacy.ConsoleLogger.v1", "progress_bar": False}
    print("| round | to reach | spaCy CNN, s (step) | lstm_tagger, s (step) | ratio |")
    print("|---|---|---|---|---|", flush=True)
    ratios = []
    for round_ in range(args.rounds):
        rows = list(_evaluations(cnn, corpora, args, round_))
        best = max(accuracy for _, _, accuracy in rows)
        theirs, their_step, _ = next(row for row in rows if row[2] == best)
        evaluations = _evaluations(ours, corpora, args, round_)
        reached = (row for row in evaluations if row[2] >= best)
        seconds, step, _ = next(reached, (float("inf"), 0, 0.0))
        evaluations.close()  # which ends the training
        ratios.append(seconds / theirs)
        print(
            f"| {round_} | {best:.2f} | {theirs:.0f} ({their_step}) | {seconds:.0f} ({step}) "
            f"| {ratios[-1]:.2f} |",
            flush=True,
        )
    print(f"\nMedian ratio: {statistics.median(ratios):.2f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=training.DATA)
    parser.add_argument("--treebank", default="en_ewt", help="such as en_ewt or tr_imst")
    parser.add_argument("--config", type=Path, default=training.ROOT / "configs" / "default.cfg")
    parser.add_argument("--work", type=Path, default=Path("training/time"))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--every", type=int, default=100, help="steps between evaluations")
    return parser.parse_args()


def _evaluations(
    config: Config, corpora: tuple[Path, ...], args: argparse.Namespace, seed: int
) -> Iterator[tuple[float, int, float]]:
    """Yield seconds, step and tag_acc of each evaluation; closing this ends the training."""
    path = args.work / "config.cfg"
    config.to_disk(path, interpolate=False)
    command = [sys.executable, "-u", "-m", "spacy", "train", path, "--training.seed", seed]
    command += ["--paths.train", corpora[0], "--paths.dev", corpora[1]]
    start = time.perf_counter()
    with subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        text=True,
        env=training.environment(1, PYTHONUNBUFFERED="1"),
    ) as process:
        try:
            for step, accuracy in read_rows(process.stdout):
                yield time.perf_counter() - start, step, accuracy
        finally:
            process.terminate()
    if process.returncode not in (0, -15):
        sys.exit(f"Training failed: {' '.join(map(str, command))}")


def read_rows(lines: Iterable[str]) -> Iterator[tuple[int, float]]:
    """Yield the step and the accuracy of each row that spaCy's console logger prints."""
    column = None
    for line in lines:
        cells = re.split(r" {2,}", line.strip())
        if ACCURACY in cells:
            column = cells.index(ACCURACY)
        elif column is not None and cells[0].isdigit() and len(cells) > column:
            yield int(cells[1]), float(cells[column])


if __name__ == "__main__":
    main()

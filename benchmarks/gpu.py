"""Test, train and time the tagger on an NVIDIA GPU, beside spaCy's own tagger.

    make gpu                                      # installs cupy for torch's CUDA, then runs this
    python benchmarks/gpu.py [--minutes 8]
    python benchmarks/gpu.py --words 3000000      # only train on so many words, on GPU and CPU
    python benchmarks/gpu.py --dry-run            # all of it in tiny, on the CPU; writes nothing

Runs the tests marked `gpu`. Trains a config in float32 and in mixed precision, and spaCy's tagger,
for some steps each. Times how fast the three tag, at several batch sizes, in turns with the tagger
on this machine's CPU. Measures the peak of memory, and compares tags and scores with those of the
CPU. Each part runs in a process of its own and has a share of the time; what fails or does not end
is named, and the others go on. Exits with 1 if anything failed. Trains on UD English EWT if it is
in --data, otherwise on the bundled corpus. Writes the tables to --output and the figures to
measured/gpu.json, if there is a GPU; those of --words go to the console alone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and numpy are loaded

from measuring import device, gpu_report, training
from measuring.gpu_report import CNN, Results
from measuring.gpu_tasks import MARK

BENCHMARKS = Path(__file__).parent

LEAST = 10.0
"""Seconds without which a part is not begun."""


class Sizes(NamedTuple):
    """How much is measured.

    steps: Steps of a training.
    docs: Docs that are tagged on the GPU, and on the CPU, in a turn.
    compared: Docs whose tags are compared.
    batches: Batch sizes.
    rounds: Rounds of timing.
    """

    steps: int = 200
    docs: tuple[int, int] = (8192, 1024)
    compared: int = 2000
    batches: tuple[int, ...] = (256, 1024, 4096, 8192)
    rounds: int = 3


TINY = Sizes(steps=2, docs=(6, 4), compared=6, batches=(2, 4), rounds=1)


class Part(NamedTuple):
    """A part of the measurement.

    title: What it is called if it fails or is left out.
    share: Share of all the time that it may take.
    task: What to do, see `measuring.gpu_tasks`.
    """

    title: str
    share: float
    task: dict[str, Any]


def main() -> None:
    """Do the parts, and write the tables."""
    args = _arguments()
    reason = device.missing()
    if reason and not args.dry_run:
        sys.exit(f"Nothing was measured: {reason}. With --dry-run, it all runs in tiny on the CPU.")
    results = Results(about={**device.facts(), "trained on": conllu_files(args)[0].name})
    with tempfile.TemporaryDirectory() as temporary:
        work = (args.work or Path(temporary)).resolve()  # the tasks run in another directory
        if args.words:
            run_parts(long_training(args, work), float("inf"), results, together=False)
        else:
            end = time.monotonic() + 60 * args.minutes
            run_tests(args, end, results)
            try:
                parts = make_parts(args, work)
            except subprocess.CalledProcessError as error:
                parts, results.failed["converting the corpora"] = [], str(error)
            run_parts(parts, 60 * args.minutes, results, end=end, together=args.dry_run)
    print(gpu_report.report(args, results), flush=True)
    if not (args.dry_run or args.words):
        gpu_report.write(args, results)
    sys.exit(1 if results.failed else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=training.DATA)
    parser.add_argument("--config", type=Path, default=training.ROOT / "configs" / "default.cfg")
    parser.add_argument("--minutes", type=float, default=8.0, help="for all of it")
    parser.add_argument("--words", type=int, default=0, help="train on so many words, and no more")
    parser.add_argument("--work", type=Path, help="directory to keep the pipelines in")
    parser.add_argument("--output", type=Path, default=BENCHMARKS / "GPU.md", help="to write to")
    parser.add_argument("--dry-run", action="store_true", help="in tiny on the CPU, if need be")
    args = parser.parse_args()
    if args.minutes <= 0:
        parser.error(f"--minutes is {args.minutes}, but must be more than 0")
    if args.words < 0:
        parser.error(f"--words is {args.words}, but must be at least 0")
    args.config = args.config.resolve()
    return args


def conllu_files(args: argparse.Namespace) -> list[Path]:
    """Return the files to train and to score on: EWT's, or those of the bundled corpus."""
    files = [args.data / f"en_ewt-ud-{split}.conllu" for split in ("train", "dev")]
    if args.dry_run or not all(path.is_file() for path in files):
        files = [training.ROOT / "corpus" / f"en-{split}.conllu" for split in ("train", "dev")]
    return files


def corpora(args: argparse.Namespace, work: Path) -> tuple[Path, Path]:
    """Return the same files, converted."""
    first, second = (training.convert(path, work) for path in conllu_files(args))
    return first, second


def make_parts(args: argparse.Namespace, work: Path) -> list[Part]:
    """Return all parts but the tests, those that others need before these."""
    sizes, gpu = (TINY if args.dry_run else Sizes()), not args.dry_run
    train, dev = corpora(args, work)
    cnn = work / "cnn.cfg"
    training.cnn_config("en").to_disk(cnn, interpolate=False)
    paths = {name: str(work / name) for name in ("ours", "cnn", "mixed", "int8")}
    common = {"paths.train": str(train), "paths.dev": str(dev)}
    mixed = {"components.lstm_tagger.model.mixed_precision": gpu}  # which a CPU refuses

    def training_of(name: str, config: Path, output: str, **more: object) -> dict[str, Any]:
        settings = {"config": str(config), "overrides": {**common, **more}, "output": output}
        return {"kind": "train", "name": name, "gpu": gpu, "steps": sizes.steps, **settings}

    name = args.config.stem
    ours, theirs = {"path": paths["ours"]}, {"path": paths["cnn"]}
    on_gpu, on_cpu = ({"docs": n} for n in sizes.docs)
    taggers = {
        CNN: {**theirs, "gpu": gpu, **on_gpu},
        name: {**ours, "gpu": gpu, **on_gpu},
        f"{name}, auto": {**ours, "gpu": gpu, "precision": "auto", **on_gpu},
        f"{name}, on the CPU": {**ours, "gpu": False, **on_cpu},
        f"{name}, ONNX int8, on the CPU": {"path": paths["int8"], "gpu": False, **on_cpu},
    }
    compared = {
        "CPU": {**ours, "gpu": False},
        "GPU": {**ours, "gpu": gpu},
        "GPU, a doc at a time": {**ours, "gpu": gpu, "batch": 1},
        "GPU, without TF32": {**ours, "gpu": gpu, "tf32": False},
        "GPU, auto": {**ours, "gpu": gpu, "precision": "auto"},
    }
    same = {"kind": "same", "data": str(dev), "docs": sizes.compared, "batch": 1024}
    memory = {"kind": "memory", "data": str(dev), "sizes": sizes.batches}
    of_memory = {key: settings for key, settings in taggers.items() if settings["gpu"] == gpu}
    return [
        Part(f"training {name}", 0.2, training_of(name, args.config, paths["ours"])),
        Part(f"training {CNN}", 0.2, training_of(CNN, cnn, paths["cnn"])),
        Part(
            "exporting it in int8",
            0.1,
            {"kind": "export", "name": name, "path": paths["ours"], "output": paths["int8"]},
        ),
        Part(
            "the same tags as on the CPU",
            0.15,
            {**same, "name": name, "taggers": compared},
        ),
        Part(
            "speed of tagging",
            0.3,
            {
                **{"kind": "speeds", "name": name, "taggers": taggers, "data": str(dev)},
                **{"sizes": sizes.batches, "rounds": sizes.rounds},
                "seconds": 0.25 * 60 * args.minutes,
            },
        ),
        Part(
            f"training {name} in mixed precision",
            0.2,
            training_of(f"{name}, mixed precision", args.config, paths["mixed"], **mixed),
        ),
        *(
            Part(f"memory of {key}", 0.1, {**memory, "name": key, "tagger": _without_docs(one)})
            for key, one in list(of_memory.items())[:3]
        ),
        Part(
            f"the same tags of {CNN} as on the CPU",
            0.1,
            {
                **{**same, "name": CNN},
                "taggers": {
                    "CPU": {**theirs, "gpu": False},
                    "GPU": {**theirs, "gpu": gpu},
                },
            },
        ),
    ]


def _without_docs(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key != "docs"}


def long_training(args: argparse.Namespace, work: Path) -> list[Part]:
    """Return trainings on many words, on the GPU and on the CPU."""
    train, dev = corpora(args, work)
    overrides = {"paths.train": str(train), "paths.dev": str(dev)}
    task = {"kind": "train", "config": str(args.config), "overrides": overrides, "output": None}
    places = {"on the GPU": not args.dry_run, "on the CPU": False}
    return [
        Part(
            f"training on {args.words:,} words {where}",
            1.0,
            {**task, "name": f"{args.config.stem}, {where}", "gpu": gpu, "words": args.words},
        )
        for where, gpu in places.items()
    ]


def run_tests(args: argparse.Namespace, end: float, results: Results) -> None:
    """Run the tests marked `gpu`. Without a GPU, they are skipped."""
    limit = min(0.35 * 60 * args.minutes, end - time.monotonic())
    command = [sys.executable, "-m", "pytest", "tests/test_gpu.py", "-m", "gpu", "-q"]
    command += ["-p", "no:cacheprovider", "-W", "default"]  # cupy may warn when it is imported
    start = time.monotonic()
    try:
        done = subprocess.run(
            command, cwd=training.ROOT, capture_output=True, text=True, timeout=limit
        )
    except subprocess.TimeoutExpired:
        results.failed["tests"] = f"not done after {limit:.0f} s"
        return
    *_, last = ["", *done.stdout.splitlines()]
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (\w+)", last)}
    results.tests = {**counts, "seconds": time.monotonic() - start}
    if done.returncode or not (counts.get("passed") or args.dry_run):
        print(done.stdout + done.stderr, flush=True)
        results.failed["tests"] = last.strip("= ") or f"exit status {done.returncode}"


def run_parts(
    parts: list[Part],
    seconds: float,
    results: Results,
    *,
    end: float = float("inf"),
    together: bool,
) -> None:
    """Run parts as long as there is time; take down their figures, failures, and those left out.

    seconds: Time of all of it.
    end: When it is over.
    together: Whether to run them all in one process, which saves the time of starting many.
    """
    groups = [parts] if together else [[part] for part in parts]
    for group in groups:
        left = end - time.monotonic()
        if left < LEAST:
            results.left_out += [part.title for part in group]
            continue
        share = sum(part.share for part in group)
        limit = min(share * seconds, left)
        for part in group:
            print(f"{part.title} ...", flush=True)
        unfinished = {(part.task["kind"], part.task["name"]): part.title for part in group}
        for found in run_tasks([part.task for part in group], limit):
            key = found.pop("kind"), found.pop("name")
            if "error" in found:
                results.failed[unfinished.pop(key)] = found["error"]
            elif "done" in found:
                del unfinished[key]
            else:
                results.add(*key, found)
        for title in unfinished.values():
            results.failed[title] = f"ended without a word, or not within {limit:.0f} s"


def run_tasks(tasks: list[dict[str, Any]], limit: float) -> Iterator[dict[str, Any]]:
    """Do tasks in a process of their own; yield their figures, also if it did not end in time."""
    command = [sys.executable, "-m", "measuring.gpu_tasks"]
    try:
        done = subprocess.run(
            command,
            cwd=BENCHMARKS,
            input=json.dumps(tasks),
            stdout=subprocess.PIPE,
            text=True,
            timeout=limit if limit < float("inf") else None,
        )
        lines = done.stdout.splitlines()
    except subprocess.TimeoutExpired as error:
        printed = error.stdout or b""
        lines = (printed if isinstance(printed, str) else printed.decode()).splitlines()
    for line in lines:
        if line.startswith(MARK):
            yield json.loads(line.removeprefix(MARK))


if __name__ == "__main__":
    main()

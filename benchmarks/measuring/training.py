"""Convert treebanks to `.spacy` files, build configs, and time trainings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from spacy.cli.init_config import init_config
from thinc.api import Config

ROOT = Path(__file__).parent.parent.parent
DATA = Path(os.environ.get("SPACY_LSTM_TAGGER_DATA", ROOT.parent / "shared" / "data"))
RECORD = "training.json"
GOLD_TOKENS = {"corpora": {name: {"gold_preproc": True} for name in ("train", "dev")}}


def conllu_file(data: Path, treebank: str, split: str) -> Path:
    """Return the path of a treebank's split; exit if it is missing."""
    source = data / f"{treebank}-ud-{split}.conllu"
    if not source.is_file():
        sys.exit(f"{source} is missing. Name the directory that has it with --data.")
    return source


def convert(source: Path, work: Path) -> Path:
    """Convert a CoNLL-U file if needed, one sentence a doc; return the path of the .spacy file."""
    target = work / f"{source.stem}.spacy"
    if not target.is_file() or target.stat().st_mtime < source.stat().st_mtime:
        work.mkdir(parents=True, exist_ok=True)
        run_spacy("convert", source, work, "--converter", "conllu", "-n", "1")
    return target


def cnn_config(lang: str) -> Config:
    """Return the config of spaCy's own tagger for CPUs, for training on gold tokens."""
    config = init_config(lang=lang, pipeline=["tagger"], optimize="efficiency")
    return config.merge(GOLD_TOKENS)


def bilstm_config(lang: str) -> Config:
    """Return the same config with spaCy's own recurrent encoder."""
    config = cnn_config(lang)
    tok2vec = config["components"]["tok2vec"]["model"]
    tok2vec["embed"]["width"] = 128
    tok2vec["encode"] = {
        "@architectures": "spacy.TorchBiLSTMEncoder.v1",
        "width": 128,
        "depth": 2,
        "dropout": 0.1,
    }
    return config


def file_config(path: Path, lang: str) -> Config:
    """Return the config of a file for a language, without filling in its variables."""
    config = Config().from_disk(path, interpolate=False)
    config["nlp"]["lang"] = lang
    return config


def train(
    directory: Path,
    config: Config,
    corpora: tuple[Path, Path],
    *overrides: object,
    threads: int,
    log: Path | None = None,
) -> None:
    """Train with the stock `spacy train`, and record how long it took (see `read_record`).

    corpora: The .spacy files to train on and to choose the best model on.
    overrides: More arguments, such as "--training.seed", 1.
    log: File for the output of the command; None for the console.
    RAISES subprocess.CalledProcessError: If the training fails.
    """
    directory.mkdir(parents=True, exist_ok=True)
    config.to_disk(directory / "config.cfg", interpolate=False)
    start = time.perf_counter()
    run_spacy(
        *("train", directory / "config.cfg", "--output", directory),
        *("--paths.train", corpora[0], "--paths.dev", corpora[1], *overrides),
        threads=threads,
        log=log,
    )
    write_record(directory, time.perf_counter() - start, threads)


def write_record(directory: Path, seconds: float, threads: int) -> None:
    """Record that a training is complete, with its wall time in minutes and number of threads.

    seconds: Wall time of the training.
    """
    record = {"minutes": round(seconds / 60, 1), "threads": threads}
    (directory / RECORD).write_text(json.dumps(record))


def read_record(directory: Path) -> dict[str, float]:
    """Return the record of a complete training; empty if there is none."""
    path = directory / RECORD
    return json.loads(path.read_text()) if path.is_file() else {}


def run_spacy(*args: object, threads: int | None = None, log: Path | None = None) -> None:
    """Run a spaCy command with this Python."""
    command = [sys.executable, "-m", "spacy", *map(str, args)]
    run_logged(command, environment(threads), log)


def environment(threads: int | None, **variables: str) -> dict[str, str]:
    """Return this process's environment, with the number of threads for numpy and torch."""
    env = {**os.environ, **variables}
    return env if threads is None else env | {"OMP_NUM_THREADS": str(threads)}


def run_logged(
    command: list[str],
    env: dict[str, str],
    log: Path | None,
    timeout: float | None = None,
    cwd: Path | None = None,
) -> None:
    """Run a command.

    log: File for its output; None for the console.
    timeout: Seconds after which it is stopped; None for no limit.
    cwd: Directory to run it in; None for this process's.
    RAISES subprocess.CalledProcessError: If the command fails.
    RAISES subprocess.TimeoutExpired: If it was stopped.
    """
    if log is None:
        subprocess.run(command, check=True, env=env, timeout=timeout, cwd=cwd)
        return
    with log.open("w", encoding="utf8") as file:
        subprocess.run(
            command,
            check=True,
            env=env,
            timeout=timeout,
            cwd=cwd,
            stdout=file,
            stderr=subprocess.STDOUT,
        )

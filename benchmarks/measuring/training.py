"""Treebanks to `.spacy` files, spaCy's own taggers as configs, and trainings with their time."""

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
    """Return the path of a treebank's split; exit where it is missing."""
    source = data / f"{treebank}-ud-{split}.conllu"
    if not source.is_file():
        sys.exit(f"{source} is missing. Name the directory that has it with --data.")
    return source


def convert(source: Path, work: Path) -> Path:
    """Convert a CoNLL-U file, one sentence a doc, unless that was done; return the .spacy file."""
    target = work / f"{source.stem}.spacy"
    if not target.is_file() or target.stat().st_mtime < source.stat().st_mtime:
        work.mkdir(parents=True, exist_ok=True)
        run_spacy("convert", source, work, "--converter", "conllu", "-n", "1")
    return target


def cnn_config(lang: str) -> Config:
    """Return the config of spaCy's own tagger for CPUs, to be trained on gold tokens."""
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
    """Return a config file's config for a language, its variables left open."""
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
    """Train by the stock `spacy train`; `read_record` says how long it took.

    corpora: The .spacy files to train on and to choose the best model by.
    overrides: More arguments, such as "--training.seed", 1.
    log: File that gets what the command prints; by default the console does.
    RAISES subprocess.CalledProcessError: Where the training failed.
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
    """Record that a training is complete: its wall time in minutes, its number of threads."""
    record = {"minutes": round(seconds / 60, 1), "threads": threads}
    (directory / RECORD).write_text(json.dumps(record))


def read_record(directory: Path) -> dict[str, float]:
    """Return the record of a complete training; empty where there is none."""
    path = directory / RECORD
    return json.loads(path.read_text()) if path.is_file() else {}


def run_spacy(*args: object, threads: int | None = None, log: Path | None = None) -> None:
    """Run a spaCy command by this Python."""
    command = [sys.executable, "-m", "spacy", *map(str, args)]
    run_logged(command, environment(threads), log)


def environment(threads: int | None, **variables: str) -> dict[str, str]:
    """Return this process's environment, with a number of threads for numpy and torch."""
    env = {**os.environ, **variables}
    return env if threads is None else env | {"OMP_NUM_THREADS": str(threads)}


def run_logged(
    command: list[str], env: dict[str, str], log: Path | None, timeout: float | None = None
) -> None:
    """Run a command; what it prints goes to a file where one is named.

    RAISES subprocess.CalledProcessError: Where it failed.
    RAISES subprocess.TimeoutExpired: Where it was stopped, after `timeout` seconds.
    """
    if log is None:
        subprocess.run(command, check=True, env=env, timeout=timeout)
        return
    with log.open("w", encoding="utf8") as file:
        subprocess.run(
            command, check=True, env=env, timeout=timeout, stdout=file, stderr=subprocess.STDOUT
        )

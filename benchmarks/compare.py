"""Accuracy and speed of this tagger beside spaCy's own, in one run.

    python benchmarks/compare.py [--treebank en_ewt] [--config configs/default.cfg]

Trains each tagger on a UD treebank's train split with the stock `spacy train` and its config's
own stopping rule, scores it on the dev split, then times all of them in turn on the dev
sentences as ready docs, one thread, and prints a Markdown table. Models are kept in --work, and
used again unless --retrain is given. The treebanks' CoNLL-U files are looked for in --data.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and numpy are loaded

import spacy
import torch
from spacy.cli.init_config import init_config
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Corpus
from thinc.api import Config

ROOT = Path(__file__).parent.parent
DATA = os.environ.get("SPACY_LSTM_TAGGER_DATA", str(ROOT.parent / "shared" / "data"))
GOLD_TOKENS = {"corpora": {name: {"gold_preproc": True} for name in ("train", "dev")}}


def main() -> None:
    """Train, score, time, print."""
    args = _arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    train, dev = (_convert(args, split) for split in ("train", "dev"))
    configs = {
        "spaCy CNN (`--optimize efficiency`)": ("cnn", _stock_config(args.lang)),
        "spaCy with `spacy.TorchBiLSTMEncoder.v1`": ("bilstm", _stock_bilstm(args.lang)),
        f"`lstm_tagger`, `{args.config.name}`": (
            args.config.stem,
            Config().from_disk(args.config, interpolate=False),
        ),
    }
    taggers, minutes = {}, {}
    for title, (name, config) in configs.items():
        config["nlp"]["lang"] = args.lang
        path = args.work / f"{args.treebank}-{name}"
        minutes[title] = _train(path, config, train, dev, args.retrain)
        taggers[title] = spacy.load(path / "model-best")
    torch.set_num_threads(1)
    speeds = _words_per_second(taggers, dev, args.rounds)
    reference = speeds[next(iter(configs))]
    print(
        f"\n{args.treebank} dev, {torch.get_num_threads()} thread, spaCy {spacy.__version__}, ",
        end="",
    )
    print(f"torch {torch.__version__}, speeds are medians of {args.rounds} rounds\n")
    print("| tagger | gold tokens | raw text | words/s | ratio | training, minutes |")
    print("|---|---|---|---|---|---|")
    for title, nlp in taggers.items():
        gold, raw = _accuracy(nlp, dev, gold=True), _accuracy(nlp, dev, gold=False)
        ratio = speeds[title] / reference
        print(
            f"| {title} | {gold:.2f} | {raw:.2f} | {speeds[title]:,.0f} | {ratio:.2f} "
            f"| {minutes[title]} |"
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(DATA), help="directory of the treebanks")
    parser.add_argument("--treebank", default="en_ewt", help="such as en_ewt or tr_imst")
    parser.add_argument("--config", type=Path, default=ROOT / "configs" / "default.cfg")
    parser.add_argument("--work", type=Path, default=Path("benchmark-models"))
    parser.add_argument("--rounds", type=int, default=7, help="of timing")
    parser.add_argument("--retrain", action="store_true", help="even where there is a model")
    args = parser.parse_args()
    args.lang = args.treebank.partition("_")[0]
    return args


def _convert(args: argparse.Namespace, split: str) -> Path:
    source = args.data / f"{args.treebank}-ud-{split}.conllu"
    if not source.is_file():
        sys.exit(f"{source} is missing. Name the directory that has it with --data.")
    _spacy("convert", source, args.work, "--converter", "conllu", "-n", "1")
    return args.work / f"{source.stem}.spacy"


def _stock_config(lang: str) -> Config:
    return init_config(lang=lang, pipeline=["tagger"], optimize="efficiency").merge(GOLD_TOKENS)


def _stock_bilstm(lang: str) -> Config:
    config = _stock_config(lang)
    tok2vec = config["components"]["tok2vec"]["model"]
    tok2vec["embed"]["width"] = 128
    tok2vec["encode"] = {
        "@architectures": "spacy.TorchBiLSTMEncoder.v1",
        "width": 128,
        "depth": 2,
        "dropout": 0.1,
    }
    return config


def _train(path: Path, config: Config, train: Path, dev: Path, retrain: bool) -> str:
    """Train where needed; the minutes it took, or took when the model was made."""
    took = path / "minutes.txt"
    if retrain or not took.is_file():
        path.mkdir(exist_ok=True)
        config.to_disk(path / "config.cfg", interpolate=False)
        start = time.perf_counter()
        _spacy(
            *("train", path / "config.cfg", "--output", path),
            *("--paths.train", train, "--paths.dev", dev),
            env={**os.environ, "OMP_NUM_THREADS": str(os.cpu_count() or 1)},
        )
        took.write_text(f"{(time.perf_counter() - start) / 60:.1f}")
    return took.read_text()


def _spacy(*args: object, env: dict[str, str] | None = None) -> None:
    command = [sys.executable, "-m", "spacy", *map(str, args)]
    subprocess.run(command, check=True, env=env)


def _accuracy(nlp: Language, dev: Path, *, gold: bool) -> float:
    examples = list(Corpus(dev, gold_preproc=gold)(nlp))
    return 100 * nlp.evaluate(examples)["tag_acc"]


def _words_per_second(taggers: dict[str, Language], dev: Path, rounds: int) -> dict[str, float]:
    """Median speed of each tagger; the taggers take turns, so that all share good times and bad."""
    seconds: dict[str, list[float]] = {title: [] for title in taggers}
    n_words = 0
    for round_ in range(rounds + 1):  # the first is to warm up
        for title, nlp in taggers.items():
            docs = [eg.predicted for eg in Corpus(dev, gold_preproc=True)(nlp)]
            n_words = sum(map(len, docs))
            start = time.perf_counter()
            _tag(nlp, docs)
            if round_:
                seconds[title].append(time.perf_counter() - start)
    return {title: n_words / statistics.median(times) for title, times in seconds.items()}


def _tag(nlp: Language, docs: list[Doc]) -> None:
    stream: Callable | object = docs
    for _, pipe in nlp.pipeline:
        stream = pipe.pipe(stream, batch_size=nlp.batch_size)
    for _ in stream:
        pass


if __name__ == "__main__":
    main()

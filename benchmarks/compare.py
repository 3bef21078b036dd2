"""Compare accuracy and speed of this tagger with spaCy's own, in one run.

    python benchmarks/compare.py [--treebank en_ewt] [--config configs/default.cfg]

Trains each tagger on the train split of a UD treebank with the stock `spacy train` and its config's
own stopping rule, and scores it on the dev split. Then times all of them in turn on the dev
sentences as ready docs with one thread, and prints a Markdown table. Models are kept in --work, and
used again unless --retrain is given. The CoNLL-U files of the treebanks are looked for in --data.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and numpy are loaded

import spacy
import torch
from measuring import training
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Corpus
from thinc.api import Config


def main() -> None:
    """Train, score and time the taggers, and print a table."""
    args = _arguments()
    files = (training.conllu_file(args.data, args.treebank, s) for s in ("train", "dev"))
    train, dev = (training.convert(file, args.work) for file in files)
    configs = {
        "spaCy CNN (`--optimize efficiency`)": ("cnn", training.cnn_config(args.lang)),
        "spaCy with `spacy.TorchBiLSTMEncoder.v1`": ("bilstm", training.bilstm_config(args.lang)),
        f"`lstm_tagger`, `{args.config.name}`": (
            args.config.stem,
            training.file_config(args.config, args.lang),
        ),
    }
    taggers, minutes = {}, {}
    for title, (name, config) in configs.items():
        path = args.work / f"{args.treebank}-{name}"
        minutes[title] = _train(path, config, (train, dev), args.retrain)
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
    parser.add_argument(
        "--data", type=Path, default=training.DATA, help="directory of the treebanks"
    )
    parser.add_argument("--treebank", default="en_ewt", help="such as en_ewt or tr_imst")
    parser.add_argument("--config", type=Path, default=training.ROOT / "configs" / "default.cfg")
    parser.add_argument("--work", type=Path, default=Path("training/compare"))
    parser.add_argument("--rounds", type=int, default=7, help="rounds of timing")
    parser.add_argument("--retrain", action="store_true", help="train even if there is a model")
    args = parser.parse_args()
    args.lang = args.treebank.partition("_")[0]
    return args


def _train(path: Path, config: Config, corpora: tuple[Path, Path], retrain: bool) -> float:
    """Train if needed; return the minutes that the training took."""
    if retrain or not training.read_record(path):
        training.train(path, config, corpora, threads=os.cpu_count() or 1)
    return training.read_record(path)["minutes"]


def _accuracy(nlp: Language, dev: Path, *, gold: bool) -> float:
    examples = list(Corpus(dev, gold_preproc=gold)(nlp))
    return 100 * nlp.evaluate(examples)["tag_acc"]


def _words_per_second(taggers: dict[str, Language], dev: Path, rounds: int) -> dict[str, float]:
    """Return the median speed of each tagger in words per second.

    The taggers take turns, so that all share the good and the bad times of the machine.
    """
    seconds: dict[str, list[float]] = {title: [] for title in taggers}
    n_words = 0
    for round_ in range(rounds + 1):  # the first round is to warm up
        for title, nlp in taggers.items():
            docs = [eg.predicted for eg in Corpus(dev, gold_preproc=True)(nlp)]
            n_words = sum(map(len, docs))
            start = time.perf_counter()
            _tag(nlp, docs)
            if round_:
                seconds[title].append(time.perf_counter() - start)
    return {title: n_words / statistics.median(times) for title, times in seconds.items()}


def _tag(nlp: Language, docs: list[Doc]) -> None:
    stream: Iterable[Doc] = docs
    for _, pipe in nlp.pipeline:
        stream = pipe.pipe(stream, batch_size=nlp.batch_size)
    for _ in stream:
        pass


if __name__ == "__main__":
    main()

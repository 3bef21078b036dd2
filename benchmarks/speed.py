"""Speed, memory and size of this tagger beside spaCy's own, in one run.

    python benchmarks/speed.py [--config configs/default.cfg ...] [--steps 0]

Trains each config and spaCy's two taggers on a UD treebank with `spacy train` (models are kept in
--work), loads ours in bfloat16 as well, exports them for ONNX Runtime in both precisions, and lets
all of them take turns, one thread each: on ready docs of a sentence, on texts of ten sentences, on
one sentence at a time, and on one long doc. Loading and peak memory are measured in processes of
their own. Writes the tables to --output and a bar chart beside it. Speeds of a shared machine are
good as ratios only.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and numpy are loaded

import spacy
import torch
from measuring import training
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from thinc.api import Config

CNN = "spaCy CNN"
BFLOAT16 = {"components": {"lstm_tagger": {"model": {"precision": "bfloat16"}}}}
NameT = TypeVar("NameT")
TaggerT = TypeVar("TaggerT")

ALONE = """
import json, pathlib, resource, sys, time
start = time.perf_counter()
import spacy
nlp = spacy.load(sys.argv[1], config=json.loads(sys.argv[3]))
nlp("One first sentence to tag .")
loaded = time.perf_counter() - start
n = int(sys.argv[2])
if n:
    from spacy.tokens import Doc
    words = json.loads(sys.stdin.read())
    doc = Doc(nlp.vocab, words=(words * (n // len(words) + 1))[:n])
    for _, pipe in nlp.pipeline:
        doc = pipe(doc)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
status = pathlib.Path("/proc/self/status")
if status.is_file():  # ru_maxrss counts the memory of the process that this one was forked from
    peak = int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
print(json.dumps({"loaded": loaded, "peak": peak}))
"""


def main() -> None:
    """Train, export, time, write."""
    args = _arguments()
    paths = _models(args)
    torch.set_num_threads(1)
    taggers = {name: spacy.load(path, config=config) for name, (path, config) in paths.items()}
    gold = _gold(args)
    words = [token.text for doc in gold for token in doc]
    texts = ["".join(d.text + " " for d in gold[i : i + 10]) for i in range(0, len(gold), 10)]
    sentence = next(doc for doc in gold if len(doc) == 20).text
    long_words = (words * (args.long // len(words) + 1))[: args.long]
    n_words = {
        "sentences": len(words),
        "texts": len(words),
        "long doc": args.long,
        "one sentence": 2000,
    }
    tasks: dict[str, Callable[[Language], Callable[[], object]]] = {
        "sentences": lambda nlp: _components(nlp, [_copy(nlp, doc) for doc in gold]),
        "texts": lambda nlp: lambda: list(nlp.pipe(texts)),
        "one sentence": lambda nlp: lambda: [nlp(sentence) for _ in range(100)],
        "long doc": lambda nlp: _components(nlp, [Doc(nlp.vocab, words=long_words)]),
    }
    speeds = {
        task: {
            name: n_words[task] / seconds
            for name, seconds in _take_turns(taggers, make, args.rounds).items()
        }
        for task, make in tasks.items()
    }
    several = {}
    if args.processes > 1:
        many = ([doc.text for doc in gold] * (args.texts // len(gold) + 1))[: args.texts]
        several = _processes(taggers, many, args)
    alone = {name: _alone(*path, args, words) for name, path in paths.items()}
    args.output.write_text(_report(args, speeds, several, alone, paths), encoding="utf-8")
    _chart(args.output.with_suffix(".svg"), speeds["sentences"])
    print(args.output.read_text(encoding="utf-8"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=training.DATA)
    parser.add_argument("--treebank", default="en_ewt", help="such as en_ewt or tr_imst")
    configs = training.ROOT / "configs"
    parser.add_argument("--config", type=Path, nargs="+", default=[configs / "default.cfg"])
    parser.add_argument("--work", type=Path, default=Path("training/speed"))
    parser.add_argument("--steps", type=int, default=0, help="of each training; 0: the config's")
    parser.add_argument("--rounds", type=int, default=7, help="of timing")
    parser.add_argument(
        "--processes", type=int, default=1, help="to compare with one; needs as many idle cores"
    )
    parser.add_argument("--texts", type=int, default=20_000, help="to compare processes with")
    parser.add_argument("--long", type=int, default=100_000, help="words of the long doc")
    parser.add_argument("--tokens", type=int, default=1_000_000, help="of the doc for peak memory")
    parser.add_argument(
        "--output", type=Path, default=training.ROOT / "benchmarks" / "SPEED.md", help="to write"
    )
    return parser.parse_args()


def _models(args: argparse.Namespace) -> dict[str, tuple[Path, dict]]:
    """Names of all pipelines, with their directories and the settings to load them with.

    They are trained and exported where that is needed.
    """
    lang = args.treebank.partition("_")[0]
    files = (training.conllu_file(args.data, args.treebank, s) for s in ("train", "dev"))
    corpora = tuple(training.convert(file, args.work) for file in files)
    stock = {CNN: training.cnn_config(lang), "spaCy BiLSTM": training.bilstm_config(lang)}
    ours = {path.stem: training.file_config(path, lang) for path in args.config}
    paths: dict[str, tuple[Path, dict]] = {}
    for name, config in {**stock, **ours}.items():
        path = args.work / f"{args.treebank}-{name.replace(' ', '-')}"
        if not training.read_record(path):
            training.train(path, _shortened(config, args.steps), corpora, threads=1)
        paths[name] = path / "model-best", {}
    for name in ours:
        trained = paths[name][0]
        paths[f"{name}, bfloat16"] = trained, BFLOAT16
        for precision in ("float32", "int8"):
            path = trained.parent / f"onnx-{precision}"
            shutil.rmtree(path, ignore_errors=True)
            training.run_spacy("lstm-tagger", "export", trained, path, "--precision", precision)
            paths[f"{name}, ONNX {precision}"] = path, {}
    return paths


def _shortened(config: Config, steps: int) -> Config:
    if steps:
        config["training"].update(max_steps=steps, eval_frequency=steps)
    return config


def _gold(args: argparse.Namespace) -> list[Doc]:
    path = args.work / f"{args.treebank}-ud-dev.spacy"
    return list(DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))


def _copy(nlp: Language, doc: Doc) -> Doc:
    spaces = [bool(token.whitespace_) for token in doc]
    return Doc(nlp.vocab, words=[token.text for token in doc], spaces=spaces)


def _components(nlp: Language, docs: list[Doc]) -> Callable[[], object]:
    def run() -> object:
        stream: Iterable[Doc] = docs
        for _, pipe in nlp.pipeline:
            stream = pipe.pipe(stream, batch_size=nlp.batch_size)
        return list(stream)

    return run


def _processes(
    taggers: dict[str, Language], texts: list[str], args: argparse.Namespace
) -> dict[str, tuple[float, float]]:
    """Median seconds of each in one process and in several."""
    numbers = (1, args.processes)

    def make(one: tuple[str, int]) -> Callable[[], object]:
        nlp, n = taggers[one[0]], one[1]
        return lambda: sum(len(doc) for doc in nlp.pipe(texts, n_process=n))

    turns = {(name, n): (name, n) for name in taggers for n in numbers}
    seconds = _take_turns(turns, make, min(args.rounds, 3))
    return {name: (seconds[name, 1], seconds[name, args.processes]) for name in taggers}


def _take_turns(
    taggers: dict[NameT, TaggerT], make: Callable[[TaggerT], Callable[[], object]], rounds: int
) -> dict[NameT, float]:
    """Median seconds of each; they take turns, so that all share good times and bad."""
    seconds: dict[NameT, list[float]] = {name: [] for name in taggers}
    for round_ in range(rounds + 1):  # the first is to warm up
        for name, tagger in taggers.items():
            run = make(tagger)
            start = time.perf_counter()
            run()
            if round_:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def _alone(
    path: Path, config: dict, args: argparse.Namespace, words: list[str]
) -> dict[str, float]:
    """Median seconds to load and tag a first doc, and MiB at the peak with and without a long one.

    In processes of their own.
    """

    def run(n: int) -> dict[str, float]:
        command = [sys.executable, "-c", ALONE, str(path), str(n), json.dumps(config)]
        done = subprocess.run(
            command, input=json.dumps(words), capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout.splitlines()[-1])

    short = [run(0) for _ in range(min(args.rounds, 3))]
    return {
        "loaded": statistics.median(one["loaded"] for one in short),
        "peak": short[0]["peak"],
        "long": run(args.tokens)["peak"],
    }


def _report(
    args: argparse.Namespace,
    speeds: dict[str, dict[str, float]],
    several: dict[str, tuple[float, float]],
    alone: dict[str, dict[str, float]],
    paths: dict[str, tuple[Path, dict]],
) -> str:
    lines = [
        "# Speed",
        "",
        f"{args.treebank} dev, one thread, spaCy {spacy.__version__}, torch {torch.__version__}; "
        f"medians of {args.rounds} alternating rounds. Written by `python benchmarks/speed.py`.",
        "",
        f"Words a second, and in brackets the ratio to {CNN}:",
        "",
        "| tagger | ready docs of a sentence | texts of 10 sentences | one sentence of 20 words "
        f"at a time | a doc of {args.long:,} words |",
        "|---|---|---|---|---|",
    ]
    for name in paths:
        cells = [
            f"{speeds[task][name]:,.0f} ({speeds[task][name] / speeds[task][CNN]:.2f})"
            for task in ("sentences", "texts", "one sentence", "long doc")
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    if several:
        lines += [
            "",
            f"Texts of a sentence a second, of {args.texts:,}, the start of processes included:",
            "",
            f"| tagger | one process | {args.processes} processes | gain |",
            "|---|---|---|---|",
        ]
    for name, times in several.items():
        single, more = (args.texts / seconds for seconds in times)
        lines.append(f"| {name} | {single:,.0f} | {more:,.0f} | {more / single:.2f} |")
    lines += [
        "",
        f"| tagger | directory, MB | load and tag a first sentence, s | peak memory, MiB | with a "
        f"doc of {args.tokens:,} words |",
        "|---|---|---|---|---|",
    ]
    for name, (path, _) in paths.items():
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6
        one = alone[name]
        lines.append(
            f"| {name} | {size:.1f} | {one['loaded']:.2f} | {one['peak']:,.0f} "
            f"| {one['long']:,.0f} |"
        )
    return "\n".join(lines) + "\n"


def _chart(path: Path, speeds: dict[str, float]) -> None:
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 0.5 + 0.4 * len(speeds)), layout="constrained")
    names = list(speeds)[::-1]
    bars = axes.barh(names, [speeds[name] / speeds[CNN] for name in names])
    axes.bar_label(bars, fmt="%.1f", padding=3)
    axes.set_xlabel(f"words a second, as a multiple of {CNN}'s (ready docs of a sentence)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()

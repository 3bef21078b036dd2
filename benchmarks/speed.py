"""Compare speed, memory and size of this tagger with spaCy's own, in one run.

    python benchmarks/speed.py [--config configs/default.cfg ...] [--steps 0]

Trains each config and spaCy's two taggers on a UD treebank with `spacy train`; models are kept in
--work. Loads ours in bfloat16 and with "auto" as well, and exports them for ONNX Runtime. All of
them then take turns with one thread each: on ready docs of a sentence, on texts of ten sentences,
on one sentence at a time, and on one long doc. Taggers of UDPipe 1, NLTK, Stanza and Flair take
turns with spaCy's and ours on a part of the sentences, if they are installed here or beside
--peers-python. The latency of single calls, the steps of the exports and sizes of batches are
measured, too. Loading and peak memory are measured in processes of their own. With --earlier, the
int8 exports that an earlier checkout makes of its own trained configs take turns, too. Writes the
tables to --output and a bar chart beside it. On a shared machine, only the ratios of speeds are
meaningful.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and numpy are loaded

import spacy
import torch
from measuring import training
from measuring.alone import measure_alone
from measuring.batch_sizes import words_a_second
from measuring.checkout import Checkout, Installed
from measuring.latency import forget_forms, latencies
from measuring.peer_speeds import beside_peers
from measuring.speed_report import CALLS, CNN, Measured, draw_bars, earlier_name, report
from measuring.steps import microseconds_a_word
from measuring.taggers import Unavailable
from measuring.turns import take_turns
from measuring.work import LONG_DOC, SENTENCES, Work, copy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from thinc.api import Config

PRECISIONS = ("bfloat16", "auto")


def main() -> None:
    """Train, export and time the taggers, and write the tables."""
    args = _arguments()
    paths = _models(args)
    torch.set_num_threads(1)
    taggers = {name: spacy.load(path, config=config) for name, (path, config) in paths.items()}
    gold = _gold(args)
    work = Work(gold, args.long)
    with ExitStack() as stack:
        earlier, missing = _earlier(args, stack)
        speeds = {
            task: {
                name: n_words / seconds
                for name, seconds in take_turns(
                    taggers if task == LONG_DOC else {**taggers, **earlier},
                    partial(work.prepare, task),
                    args.rounds,
                ).items()
            }
            for task, n_words in work.n_words.items()
        }
    train = training.conllu_file(args.data, args.treebank, "train")
    peers, missing_peers = beside_peers(
        taggers, gold[:: args.peers_every], train, args.work, args.peers_python, args.rounds
    )
    missing += missing_peers
    several = {}
    if args.processes > 1:
        many = ([doc.text for doc in gold] * (args.texts // len(gold) + 1))[: args.texts]
        several = _processes(taggers, many, args)
    ours = {name: nlp for name, nlp in taggers.items() if not name.startswith("spaCy")}
    latency = (
        latencies(taggers, work.sentence, calls=args.calls),
        latencies(ours, work.sentence, calls=args.calls, before=forget_forms),
    )
    exports = {name: nlp for name, nlp in taggers.items() if "ONNX" in name}
    steps = {
        name: microseconds_a_word(nlp, lambda nlp=nlp: [copy(nlp, doc) for doc in gold])
        for name, nlp in exports.items()
    }
    sizes = {
        name: words_a_second(nlp, gold, min(args.rounds, 3))
        for name, nlp in exports.items()
        if "int8" in name
    }
    alone = {
        name: measure_alone(*path, args.tokens, work.long_words, min(args.rounds, 3))
        for name, path in paths.items()
    }
    directories = {name: path for name, (path, _) in paths.items()}
    about = _about(work, taggers[CNN])
    measured = Measured(
        speeds, peers, missing, several, latency, steps, sizes, alone, directories, about
    )
    args.output.write_text(report(args, measured), encoding="utf-8")
    draw_bars(args.output.with_suffix(".svg"), speeds["sentences"])
    print(args.output.read_text(encoding="utf-8"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=training.DATA)
    parser.add_argument("--treebank", default="en_ewt", help="such as en_ewt or tr_imst")
    configs = training.ROOT / "configs"
    parser.add_argument("--config", type=Path, nargs="+", default=[configs / "default.cfg"])
    parser.add_argument("--work", type=Path, default=Path("training/speed"))
    parser.add_argument("--steps", type=int, default=0, help="steps of training; 0: the config's")
    parser.add_argument(
        "--earlier", type=Path, help="checkout of an earlier commit to compare with"
    )
    parser.add_argument(
        "--earlier-steps", type=int, default=0, help="steps of its trainings; 0: its configs'"
    )
    parser.add_argument("--rounds", type=int, default=7, help="rounds of timing")
    parser.add_argument(
        "--processes", type=int, default=1, help="compared with one; needs as many idle cores"
    )
    parser.add_argument("--calls", type=int, default=CALLS, help="of a single text, for latency")
    parser.add_argument("--texts", type=int, default=20_000, help="texts to compare processes with")
    parser.add_argument(
        "--peers-python", default=sys.executable, help="Python that has the peers' libraries"
    )
    parser.add_argument(
        "--peers-every", type=int, default=10, help="peers tag only every n-th sentence"
    )
    parser.add_argument("--long", type=int, default=100_000, help="words of the long doc")
    parser.add_argument(
        "--tokens", type=int, default=1_000_000, help="words of the doc for peak memory"
    )
    parser.add_argument(
        "--output", type=Path, default=training.ROOT / "benchmarks" / "SPEED.md", help="to write to"
    )
    args = parser.parse_args()
    if args.calls < 1:
        parser.error(f"--calls is {args.calls}, but must be at least 1")
    if not shutil.which(args.peers_python):
        message = f"--peers-python is '{args.peers_python}', but must be a Python that can be run"
        parser.error(message)
    return args


def _models(args: argparse.Namespace) -> dict[str, tuple[Path, dict]]:
    """Return the names of all pipelines, with their directories and the settings to load them with.

    Trains and exports them if needed.
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
        for precision in PRECISIONS:
            config = {"components": {"lstm_tagger": {"model": {"precision": precision}}}}
            if _runs(trained, config):
                paths[f"{name}, {precision}"] = trained, config
        for precision in ("float32", "int8"):
            path = trained.parent / f"onnx-{precision}"
            shutil.rmtree(path, ignore_errors=True)
            training.run_spacy("lstm-tagger", "export", trained, path, "--precision", precision)
            paths[f"{name}, ONNX {precision}"] = path, {}
    return paths


def _earlier(args: argparse.Namespace, stack: ExitStack) -> tuple[dict[str, Checkout], list[str]]:
    """Return the int8 exports of an earlier checkout, by names, and why some are missing.

    They are trained with its code and its configs, if needed.
    """
    if args.earlier is None:
        return {}, []
    pipelines, missing = {}, []
    splits = (args.work / f"{args.treebank}-ud-{split}.spacy" for split in ("train", "dev"))
    corpora = tuple(path.resolve() for path in splits)
    try:
        installed = stack.enter_context(Installed(args.earlier.resolve()))
    except Unavailable as error:
        return {}, [f"the earlier checkout: {error}"]
    for path in args.config:
        name = earlier_name(path.stem, installed.commit)
        directory = args.work / f"{args.treebank}-{path.stem}-{installed.commit}"
        try:
            installed.train(directory.resolve(), path.name, corpora, args.earlier_steps)
            model = directory / "model-best"
            pipelines[name] = stack.enter_context(Checkout(installed, model, corpora[1], "int8"))
        except Unavailable as error:
            missing.append(f"{name}: {error}")
    return pipelines, missing


def _runs(path: Path, config: dict) -> bool:
    """Return whether this machine can run a pipeline with these settings; print why if not."""
    try:
        spacy.load(path, config=config)("word")
    except ValueError as error:
        print(f"Left out: {path.parent.name} with {config}: {error}", flush=True)
        return False
    return True


def _shortened(config: Config, steps: int) -> Config:
    if steps:
        config["training"].update(max_steps=steps, eval_frequency=steps)
    return config


def _gold(args: argparse.Namespace) -> list[Doc]:
    path = args.work / f"{args.treebank}-ud-dev.spacy"
    return list(DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))


def _about(work: Work, cnn: Language) -> str:
    """Return what speeds depend on besides the machine, in a sentence."""
    n_words, n_docs, n_texts = work.n_words[SENTENCES], len(work.docs), len(work.texts)
    return (
        f"The {n_docs:,} sentences have {n_words / n_docs:.1f} words on average, the {n_texts:,} "
        f"texts {n_words / n_texts:.0f}; batches are of {cnn.batch_size:,} docs. "
        f"The CNN has a tag_acc of {100 * cnn.meta['performance'].get('tag_acc', 0):.2f} %."
    )


def _processes(
    taggers: dict[str, Language], texts: list[str], args: argparse.Namespace
) -> dict[str, tuple[float, float]]:
    """Return the median seconds of each tagger in one process and in several."""
    numbers = (1, args.processes)

    def make(one: tuple[str, int]) -> Callable[[], object]:
        nlp, n = taggers[one[0]], one[1]
        return lambda: sum(len(doc) for doc in nlp.pipe(texts, n_process=n))

    turns = {(name, n): (name, n) for name in taggers for n in numbers}
    seconds = take_turns(turns, make, min(args.rounds, 3))
    return {name: (seconds[name, 1], seconds[name, args.processes]) for name in taggers}


if __name__ == "__main__":
    main()

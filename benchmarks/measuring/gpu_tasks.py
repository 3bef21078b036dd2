"""What benchmarks/gpu.py measures, each task in a process of its own.

    python -m measuring.gpu_tasks < tasks.json

Reads a list of tasks, and prints a line of JSON for each figure as soon as it is known, so that
what is known by then outlives the end of the time, and a crash.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import spacy
import torch
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.tokens import Doc, DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import create_train_batches
from spacy.util import load_config, minibatch, registry, resolve_dot_names

from spacy_lstm_tagger.pipeline.probabilities import score_tokens

from .device import Device, resident_peak, without_tf32
from .turns import take_turns
from .work import copy, ready_docs

Figures = dict[str, Any]

MARK = "figures: "
"""Beginning of the lines that have figures. Libraries print others."""

WARM = 0.1
"""Share of the steps of a training that are not timed, ..."""

FIRST = 20
"""... or how many, if it ends after a number of words."""


def main() -> None:
    """Do the tasks that come in, one after another."""
    for task in json.load(sys.stdin):
        kind, name = task.pop("kind"), task.pop("name")
        try:
            for figures in TASKS[kind](**task):
                _print(kind, name, figures)
            _print(kind, name, {"done": True})
        except Exception as error:  # whatever a library raises: the other tasks go on
            traceback.print_exc()
            _print(kind, name, {"error": f"{type(error).__name__}: {error}"})


def _print(kind: str, name: str, figures: Figures) -> None:
    print(MARK + json.dumps({"kind": kind, "name": name, **figures}), flush=True)


def train(
    config: str,
    overrides: dict[str, Any],
    gpu: bool,
    output: str | None,
    steps: int | None = None,
    words: int | None = None,
) -> Iterator[Figures]:
    """Train as `spacy train` does, and save the pipeline.

    overrides: Settings that differ from the config's.
    output: Directory to save in; None not to.
    steps, words: Number of steps after which, or of words from which on training ends.
    """
    device = Device(gpu=gpu)
    device.use()
    torch.set_num_threads(1)
    start = time.perf_counter()
    loaded = load_config(Path(config), overrides=overrides, interpolate=False)
    nlp = init_nlp(loaded, use_gpu=0 if gpu else -1)
    filled = nlp.config.interpolate()
    settings = registry.resolve(filled["training"], schema=ConfigSchemaTraining)
    corpora = [settings["train_corpus"], settings["dev_corpus"]]
    train_corpus, dev_corpus = resolve_dot_names(filled, corpora)
    optimizer = settings["optimizer"]
    batches = create_train_batches(nlp, train_corpus, settings["batcher"], 0)
    device.forget_peak()
    yield {"initialized, s": time.perf_counter() - start}
    first = int(WARM * steps) if steps else FIRST
    n_words, timed = 0, (0, 0, time.perf_counter())  # steps, words, and when
    for step, (_, batch) in enumerate(batches):
        if (steps and step >= steps) or (words and n_words >= words):
            break
        if step == first:
            device.wait()
            timed = (step, n_words, time.perf_counter())
        nlp.update(batch, drop=settings["dropout"], sgd=optimizer)
        optimizer.step_schedules()
        n_words += sum(len(eg.predicted) for eg in batch)
    device.wait()
    seconds = time.perf_counter() - timed[2]
    yield {
        "steps a second": (step - timed[0]) / seconds,
        "words a second": (n_words - timed[1]) / seconds,
        "words": n_words,
        "peak, MiB": device.peak(),
        "process, MiB": resident_peak(),
        "trained, s": time.perf_counter() - start,
    }
    scores = nlp.evaluate(list(dev_corpus(nlp)))
    yield {"tag_acc": scores["tag_acc"]}
    if output is not None:
        nlp.to_disk(output)


def export(path: str, output: str) -> Iterator[Figures]:
    """Export a tagger in 8 bits for ONNX Runtime."""
    from spacy_lstm_tagger.runtime.export import export_tagger

    nlp = spacy.load(path)
    export_tagger(nlp, "lstm_tagger", "int8")
    nlp.to_disk(output)
    yield {"exported": True}


@dataclass
class Loaded:
    """A pipeline on its device, and the docs that it is timed on."""

    nlp: Language
    device: Device
    docs: list[Doc]

    @property
    def n_words(self) -> int:
        """Number of words of the docs."""
        return sum(map(len, self.docs))

    def run(self) -> Callable[[], object]:
        """Make untagged docs; return the function that tags them once."""
        self.device.use()
        tag = ready_docs(self.nlp, self.docs)

        def run() -> None:
            tag()
            self.device.wait()

        return run


def load(path: str, gpu: bool, precision: str | None = None) -> tuple[Language, Device]:
    """Load a pipeline on the GPU, or on the CPU.

    precision: Setting of our tagger; None for that of the saved model.
    """
    device = Device(gpu=gpu)
    device.use()
    model = {"precision": precision} if precision else {}
    config = {"components": {"lstm_tagger": {"model": model}}} if model else {}
    return spacy.load(path, config=config), device


def gold(path: str, n: int) -> list[Doc]:
    """Return so many docs of a file, over and over again if it has fewer."""
    docs = list(DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))
    return (docs * (n // len(docs) + 1))[:n]


def speeds(
    taggers: dict[str, dict[str, Any]], data: str, sizes: list[int], rounds: int, seconds: float
) -> Iterator[Figures]:
    """Time taggers in turns, at several batch sizes, as long as there is time for one more.

    taggers: Arguments of `load` by name, and "docs", the number of docs that each one tags. Those
        that cannot be loaded are named, and the others are timed.
    """
    torch.set_num_threads(1)
    start = time.perf_counter()
    loaded = {}
    for name, settings in taggers.items():
        docs = gold(data, settings.pop("docs"))
        try:
            loaded[name] = Loaded(*load(**settings), docs)
        except (OSError, ValueError) as error:  # such as one whose training failed
            yield {"missing": name, "reason": str(error)}
    if not loaded:
        raise ValueError("no tagger can be loaded")
    longest = 0.0
    for size in sizes:
        begin = time.perf_counter()
        if longest and begin + longest - start > seconds:
            return
        for one in loaded.values():
            one.nlp.batch_size = size
        taken = take_turns(loaded, Loaded.run, rounds)
        yield {
            "size": size,
            "words a second": {k: loaded[k].n_words / each for k, each in taken.items()},
        }
        longest = max(longest, time.perf_counter() - begin)


def memory(tagger: dict[str, Any], data: str, sizes: list[int]) -> Iterator[Figures]:
    """Measure the peak of memory while a tagger tags one batch of each size."""
    nlp, device = load(**tagger)
    for size in sizes:
        nlp.batch_size = size
        run = Loaded(nlp, device, gold(data, size)).run()
        device.forget_peak()
        run()
        yield {"size": size, "MiB": device.peak()}


def same(taggers: dict[str, dict[str, Any]], data: str, docs: int, batch: int) -> Iterator[Figures]:
    """Compare tags and scores with those of the first tagger.

    taggers: Arguments of `load` by name. "tf32": whether recurrent layers may compute in it;
        "batch": another number of docs in a batch.
    """
    wanted: numpy.ndarray | None = None
    for name, settings in taggers.items():
        tf32, size = settings.pop("tf32", True), settings.pop("batch", batch)
        nlp, device = load(**settings)
        unread = [copy(nlp, doc) for doc in gold(data, docs)]
        with contextlib.nullcontext() if tf32 else without_tf32(device):
            found = _scores(nlp, unread, size)
        if wanted is None:
            wanted = found
            yield {"compared": name, "share": 1.0, "difference": 0.0, "words": len(found)}
            continue
        equal = found.argmax(axis=1) == wanted.argmax(axis=1)
        difference = float(numpy.abs(found - wanted).max())
        yield {
            "compared": name,
            "share": float(equal.mean()),
            "difference": difference,
            "words": len(found),
        }


def _scores(nlp: Language, docs: list[Doc], size: int) -> numpy.ndarray:
    """Return the scores of all tags for all words, from the last component."""
    *earlier, (_, tagger) = nlp.pipeline
    scores = []
    for batch in minibatch(docs, size):
        for _, pipe in earlier:
            batch = list(pipe.pipe(batch, batch_size=size))
        scores.append(score_tokens(tagger, batch)[:, : len(tagger.labels)])
    return numpy.concatenate(scores)


TASKS: dict[str, Callable[..., Iterator[Figures]]] = {
    "train": train,
    "export": export,
    "speeds": speeds,
    "memory": memory,
    "same": same,
}

if __name__ == "__main__":
    main()

"""Compare the speed of an earlier checkout of this package with that of this one.

    git worktree add ../earlier COMMIT
    python benchmarks/earlier.py ../earlier PIPELINE DEV.spacy [--precision int8] [--rounds 7]

Both load the same trained pipeline, export it with their own code, unless the precision is "torch",
and take turns with one thread each, in processes of their own: on ready docs of a sentence, on
texts of ten sentences, and on one sentence at a time. A ratio above 1 says that this checkout is
faster. Unlike words a second, it travels from machine to machine. The factories and architectures
must be where this checkout has them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import typer

HERE = Path(__file__).parent.parent

TASKS = {
    "sentences": "ready docs of a sentence",
    "texts": "texts of 10 sentences",
    "one sentence": "one sentence of 20 words at a time",
}

WORKER = """
import os, pathlib, sys, tempfile, time
import spacy, torch
from spacy.tokens import Doc, DocBin
model, data, precision = sys.argv[1:]
torch.set_num_threads(1)
nlp = spacy.load(model)
if precision != "torch":
    from spacy_lstm_tagger.runtime.export import export_tagger, exportable
    for name in nlp.pipe_names:
        if exportable(nlp, name):
            export_tagger(nlp, name, precision)
    with tempfile.TemporaryDirectory() as directory:
        nlp.to_disk(directory)
        nlp = spacy.load(directory)
gold = [sent.as_doc() for doc in DocBin().from_disk(data).get_docs(nlp.vocab) for sent in doc.sents]
words = [[token.text for token in doc] for doc in gold]
texts = [" ".join(doc.text for doc in gold[i : i + 10]) for i in range(0, len(gold), 10)]
twenty = min(gold, key=lambda doc: abs(len(doc) - 20)).text
loaded = [m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "spacy_lstm_tagger"]
if other := [path for path in loaded if not pathlib.Path(path).is_relative_to(os.getcwd())]:
    sys.exit(f"{other[0]} is not of the checkout {os.getcwd()}")
print("ready", flush=True)
for task in map(str.strip, sys.stdin):
    docs = [Doc(nlp.vocab, words=each) for each in words] if task == "sentences" else []
    start = time.perf_counter()
    if task == "sentences":
        for _, pipe in nlp.pipeline:
            docs = pipe.pipe(docs, batch_size=nlp.batch_size)
        list(docs)
    elif task == "texts":
        list(nlp.pipe(texts))
    else:
        for _ in range(100):
            nlp(twenty)
    print(time.perf_counter() - start, flush=True)
"""


def main(
    checkout: Path = typer.Argument(..., help="The earlier checkout", exists=True),
    model: Path = typer.Argument(..., help="A trained pipeline that both can load", exists=True),
    data: Path = typer.Argument(..., help="A .spacy file of sentences", exists=True),
    precision: str = typer.Option("int8", help="int8, float32 (both exported) or torch"),
    rounds: int = typer.Option(7, min=1, help="Turns of each, after one to warm up"),
) -> None:
    """Print the ratio of the median times for each task."""
    arguments = [str(path.resolve()) for path in (model, data)]
    workers = [_start(path.resolve(), [*arguments, precision]) for path in (checkout, HERE)]
    try:
        for worker in workers:
            _answer(worker)
        for task, title in TASKS.items():
            seconds: list[list[float]] = [[], []]
            for turn in range(rounds + 1):
                for worker, times in zip(workers, seconds, strict=True):
                    worker.stdin.write(f"{task}\n")
                    worker.stdin.flush()
                    taken = float(_answer(worker))
                    if turn:
                        times.append(taken)
            earlier, now = map(median, seconds)
            print(f"{title}: {earlier / now:.2f} times as fast ({earlier:.3f} s, now {now:.3f} s)")
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def _start(checkout: Path, arguments: list[str]) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, *arguments],
        cwd=checkout,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _answer(worker: subprocess.Popen[str]) -> str:
    line = worker.stdout.readline()
    if not line:
        raise typer.Exit(1)  # its error is on the console
    return line


if __name__ == "__main__":
    typer.run(main)

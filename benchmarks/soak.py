"""Tag mixed traffic for a long time, and watch the memory and the annotation.

    python benchmarks/soak.py [--minutes 30] [--model PATH]

Each round tags short and huge docs in eight threads, in two processes, in memory zones full of
unseen words, in batches of ever new lengths and sizes, and with the model loaded again. Prints how
much memory the process held over time.
Ends with status 1 if a token's annotation differs from that of the first round, or if the memory at
the end exceeds the memory after the first tenth of the rounds, two at least, by more than GROWTH.
"""

from __future__ import annotations

import itertools
import os
import random
import resource
import sys
import threading
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and numpy are loaded

import spacy
import typer
from fuzzing.targets import trained
from spacy.language import Language
from spacy.tokens import Doc

GROWTH = 0.05
"""Share by which memory may grow: fragmentation, and memory that Python does not free at once."""

LEAST_GROWTH = 32
"""Growth of memory that is always allowed, in megabytes."""

THREADS, PROCESSES = 8, 2
BATCHES = 5
"""Number of batches of new lengths in a round."""

Annotation = tuple[str, str, str, str]
"""Tag, part of speech, features and lemma of a token."""

WORDS = ["I", "like", "green", "eggs", "unlike", "unreal", "liking", "ham", "👍", "wörds", "."]


def main(
    minutes: float = typer.Option(30.0, help="Minutes to tag for"),
    model: Path | None = typer.Option(None, help="Trained pipeline; by default a small random one"),
    seed: int = typer.Option(0, help="Seed of the traffic"),
) -> None:
    """Tag mixed traffic for a long time, and watch the memory and the annotation."""
    nlp = spacy.load(model) if model else trained()
    random_ = random.Random(seed)
    texts = traffic(random_)
    expected = annotations(nlp, texts)
    begin, held, rounds = time.monotonic(), [], 0
    while (passed := time.monotonic() - begin) < 60 * minutes or rounds < 3:
        different = one_round(nlp, texts, expected, random_)
        rounds += 1
        held.append((passed / 60, memory()))
        if different:
            sys.exit(f"round {rounds}: other annotation in {different}")
    warm = held[max(len(held) // 10, 1)][1]  # in the first round, threads fill their arenas
    print("| minutes | MB |\n|---|---|")
    for passed, size in [*held[:: max(len(held) // 10, 1)], held[-1]]:
        print(f"| {passed:.1f} | {size:.0f} |")
    words = rounds * sum(len(text.split()) for text in texts) * (THREADS + 2)
    print(
        f"{rounds} rounds in {(time.monotonic() - begin) / 60:.1f} minutes, some {words:,} words, "
        f"{THREADS} threads, {PROCESSES} processes, the same annotation in all; "
        f"{warm:.0f} MB when warm, {held[-1][1]:.0f} MB at the end"
    )
    if held[-1][1] > warm + max(GROWTH * warm, LEAST_GROWTH):
        sys.exit("the memory grew")


def one_round(
    nlp: Language, texts: list[str], expected: list[list[Annotation]], random_: random.Random
) -> list[str]:
    """Tag the texts in every way; return the names of the ways that gave a different annotation."""
    different = []
    found: list[list[list[Annotation]]] = [[] for _ in range(THREADS)]

    def work(i: int) -> None:
        found[i] = annotations(nlp, texts)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if any(tags != expected for tags in found):
        different.append("threads")
    piped = [annotation(doc) for doc in nlp.pipe(texts, n_process=PROCESSES, batch_size=4)]
    if piped != expected:
        different.append("processes")
    with nlp.memory_zone():
        for _ in range(20):
            nlp(" ".join(f"word{random_.randrange(10**9)}" for _ in range(50)))
        if annotations(nlp, texts) != expected:
            different.append("a memory zone")
    for _ in range(BATCHES):
        new = new_batch(random_)
        chosen = random_.choice(new)
        piped = [annotation(doc) for doc in nlp.pipe(new, batch_size=len(new))]
        if piped[new.index(chosen)] != annotations(nlp, [chosen])[0]:
            different.append("a batch of new lengths")
    tagger = nlp.get_pipe("lstm_tagger")
    tagger.from_bytes(tagger.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    if annotations(nlp, texts) != expected:
        different.append("a model loaded again")
    return different


def traffic(random_: random.Random) -> list[str]:
    """Return many short texts, some long ones and a huge one, in random order."""
    lengths = [*itertools.repeat(0, 1), *range(1, 30), 300, 700, 3000]
    random_.shuffle(lengths)
    return [" ".join(random_.choices(WORDS, k=length)) for length in lengths]


def new_batch(random_: random.Random) -> list[str]:
    """Return texts of a size of their own each time: up to 100 texts of about 1 to 500 words."""
    mean = 2 ** random_.uniform(0, 9)
    lengths = (int(random_.gauss(mean, mean / 3)) for _ in range(random_.randint(1, 100)))
    return [" ".join(random_.choices(WORDS, k=max(length, 1))) for length in lengths]


def annotations(nlp: Language, texts: list[str]) -> list[list[Annotation]]:
    """Return the annotation of every text."""
    return [annotation(nlp(text)) for text in texts]


def annotation(doc: Doc) -> list[Annotation]:
    """Return what was predicted of every token."""
    return [(token.tag_, token.pos_, str(token.morph), token.lemma_) for token in doc]


def memory() -> float:
    """Return the memory that the process holds now, in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    typer.run(main)

"""Tag a long stream full of unseen words inside memory zones, and watch the memory.

    python benchmarks/zones.py [--words 5000000] [--model PATH]

Every batch of texts is read in an `nlp.memory_zone()` of its own, as a server would do. Prints how
much memory the process held over time. Ends with status 1 if the median of the last fifth of the
stream exceeds that of the second fifth by more than GROWTH. The first fifth is left out, because
the caches and tables of words fill in it.
"""

from __future__ import annotations

import itertools
import random
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import soak  # sets the number of threads before torch and numpy are loaded
import spacy
import typer
from fuzzing.targets import trained

GROWTH = 0.05
"""Share by which memory may grow: fragmentation, and memory that Python does not free at once."""

LEAST_GROWTH = 16
"""Growth of memory that is always allowed, in megabytes."""

LENGTH, ZONE = 20, 500
"""Number of words in a text, and of texts in a zone."""

ROWS = 10


def main(
    words: int = typer.Option(5_000_000, help="Number of words in the stream"),
    unseen: float = typer.Option(0.1, help="Share of words that occur only once"),
    model: Path | None = typer.Option(None, help="Trained pipeline; by default a small random one"),
    seed: int = typer.Option(0, help="Seed of the stream"),
) -> None:
    """Tag a long stream full of unseen words in memory zones, and watch the memory."""
    nlp = spacy.load(model) if model else trained()
    known = [word for word in nlp.vocab.strings if word.isalpha()] or soak.WORDS
    known = random.Random(seed).sample(known, min(len(known), 20_000))
    n_zones = max(words // (LENGTH * ZONE), ROWS)
    begin, held = time.monotonic(), []
    for texts in zones(n_zones, known, unseen, random.Random(seed)):
        with nlp.memory_zone():
            n_tagged = sum(len(doc) for doc in nlp.pipe(texts) if doc.has_annotation("TAG"))
        if n_tagged < LENGTH * ZONE:
            sys.exit("there are words without tags")
        held.append(soak.memory())
    seconds = time.monotonic() - begin
    fifth = n_zones // 5
    second, last = (statistics.median(part) for part in (held[fifth : 2 * fifth], held[-fifth:]))
    print("| words | MB |\n|---|---|")
    for part in range(1, ROWS + 1):
        n = n_zones * part // ROWS
        print(f"| {n * LENGTH * ZONE:,} | {held[n - 1]:.0f} |")
    print(
        f"{n_zones * LENGTH * ZONE:,} words, {unseen:.0%} of them never seen before, in "
        f"{n_zones:,} zones and {seconds:.0f} s; median memory {second:.0f} MB in the "
        f"second fifth, {last:.0f} MB in the last"
    )
    if last > second + max(GROWTH * second, LEAST_GROWTH):
        sys.exit("the memory grew")


def zones(n: int, known: list[str], unseen: float, random_: random.Random) -> Iterator[list[str]]:
    """Yield the texts of each zone. The frequencies of known words follow Zipf's law.

    n: number of zones.
    unseen: share of words that occur only once.
    """
    frequencies = list(itertools.accumulate(1 / (rank + 1) for rank in range(len(known))))
    n_unseen = 0
    for _ in range(n):
        words = random_.choices(known, cum_weights=frequencies, k=LENGTH * ZONE)
        for i in range(len(words)):
            if random_.random() < unseen:
                n_unseen += 1
                words[i] = f"w{n_unseen:x}x"  # never the same again
        yield [" ".join(words[i : i + LENGTH]) for i in range(0, len(words), LENGTH)]


if __name__ == "__main__":
    typer.run(main)

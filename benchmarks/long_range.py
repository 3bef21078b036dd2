"""How far back each recurrent cell learns to look: accuracy against distance, measured and drawn.

    python benchmarks/long_range.py [--distance 1 --distance 8 ...] [--cell lstm ...] [--seeds 5]

A doc is some filler words, one of four marker words, more filler words and, `distance` tokens
behind the marker, the word "?". The right tag of "?" is the marker's tag, and nothing but memory
tells which it was. Trains a small tagger for every distance, cell and seed, all with the same
settings, and writes a table and a plot, `long_range.md` and `long_range.svg`, to --output.

Sources: Bengio et al. 1994, "Learning long-term dependencies with gradient descent is difficult"
(https://doi.org/10.1109/72.279181); Hochreiter and Schmidhuber 1997, "Long short-term memory"
(https://doi.org/10.1162/neco.1997.9.8.1735).
"""

from __future__ import annotations

import os
import random
import shlex
import statistics
import sys
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and numpy are loaded

try:
    from matplotlib import rc_context
    from matplotlib.figure import Figure
except ImportError:  # said before the training, not behind it
    sys.exit("matplotlib draws the plot, but is not installed. Install it: pip install matplotlib")

import spacy
import torch
import typer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Adam, fix_random_seed

MARKERS = ("north", "east", "south", "west")
CHANCE = 1 / len(MARKERS)
FILLERS = tuple(f"step{i}" for i in range(16))
LEAD = (4, 8)
"""Least and greatest number of filler words before the marker."""

WIDTH, LEARN_RATE, BATCH_SIZE, CHECK_EVERY = 32, 0.005, 16, 50
TEST_SIZE, CHECK_SIZE = 500, 100
SOLVED = 0.99
"""A distance counts as learned where every seed's accuracy reaches this."""

LOOKS = {"rnn": ("#D55E00", "s"), "gru": ("#009E73", "^"), "lstm": ("#0072B2", "o")}
"""Colour and marker of each cell in the plot."""

PAGE = """\
# How far back each cell learns to look

In a synthetic text, one of four marker words stands among random filler words, and the word "?"
some tokens behind it. The tag of "?" is the marker's tag: only memory can tell which of the four,
and guessing is right {chance:.0%} of the time.

![Accuracy against distance for each cell](long_range.svg)

Right tags of "?" in percent, {test_size} test docs a tagger: mean of {seeds} seeds, in brackets the
worst and the best.

{table}

Distances up to which every seed reaches {solved:.0%}: {reach}.
Farther ones that every seed learned all the same: {beyond}.
Those that some seeds learned and others did not: {split}.

Each tagger saw docs of its own distance alone and had at most {steps} updates, so what is measured
is learning: to find, that far from the error, the word that would have helped. A cell that did not
learn it here might still hold a word as long, had it been taught on shorter distances too.
Whether it is learned in time also hangs on the seed: no single point is a cell's limit.

All taggers: one layer of width {width}, left to right, words alone; Adam at {learn_rate},
{batch_size} new docs an update, ended early once all of {check_size} further docs are right.
spaCy {spacy}, torch {torch}.

    {command}
"""

Scores = dict[int, list[float]]
"""From distance, in rising order, to the accuracy, 0 to 1, of each seed."""

Accuracies = dict[str, Scores]
"""From cell to its scores."""


class Cell(str, Enum):
    """The cells, as choices on the command line."""

    rnn = "rnn"
    gru = "gru"
    lstm = "lstm"


def main(
    distance: list[int] = typer.Option([1, 2, 4, 8, 16, 32, 64], min=1, max=200, help="In tokens"),
    cell: list[Cell] = typer.Option(list(Cell), help="Cells to compare"),
    seeds: int = typer.Option(5, min=1, help="Taggers to train for each distance and cell"),
    steps: int = typer.Option(600, min=1, help="Most updates of a tagger"),
    output: Path = typer.Option(Path("docs"), file_okay=False, help="Directory to write to"),
) -> None:
    """Measure how far back each recurrent cell learns to look; write a table and a plot."""
    start = time.perf_counter()
    torch.set_num_threads(1)
    output.mkdir(parents=True, exist_ok=True)
    accuracies: Accuracies = {
        c.value: {
            d: [train_and_score(c.value, d, seed, steps) for seed in range(seeds)]
            for d in sorted(set(distance))
        }
        for c in dict.fromkeys(cell)
    }
    draw(accuracies, output / "long_range.svg")
    (output / "long_range.md").write_text(report(accuracies, steps), encoding="utf8")
    seconds = time.perf_counter() - start
    typer.echo(f"Wrote long_range.md and .svg to {output} after {seconds:.0f} s", err=True)


def train_and_score(cell: str, distance: int, seed: int, steps: int) -> float:
    """Train a fresh tagger until it has solved the task or had `steps` updates; test it.

    Every batch is newly drawn, and so are the docs that tell when to stop, and the test docs.
    """
    fix_random_seed(seed)
    data = random.Random(f"{distance} {seed}")  # the same docs for every cell
    nlp = make_nlp(cell)
    test, check, first = (
        make_examples(nlp, data, distance, n) for n in (TEST_SIZE, CHECK_SIZE, CHECK_SIZE)
    )
    nlp.initialize(lambda: first)
    optimizer = Adam(LEARN_RATE)
    for step in range(1, steps + 1):
        nlp.update(make_examples(nlp, data, distance, BATCH_SIZE), sgd=optimizer)
        if step % CHECK_EVERY == 0 and accuracy(nlp, check) == 1.0:
            break
    score = accuracy(nlp, test)
    typer.echo(f"{cell}, distance {distance}, seed {seed}: {score:.1%}, {step} updates", err=True)
    return score


def make_nlp(cell: str) -> Language:
    """A pipeline of one small tagger: words alone, one layer, reading from left to right."""
    nlp = spacy.blank("xx")
    model = {
        "@architectures": "spacy-lstm-tagger.LSTMTagger.v1",
        **{"word_width": WIDTH, "min_word_freq": 1, "affix_width": 0, "char_width": 0},
        **{"cell": cell, "width": WIDTH, "depth": 1, "bidirectional": False},
    }
    nlp.add_pipe("lstm_tagger", config={"model": model})
    return nlp


def make_examples(nlp: Language, data: random.Random, distance: int, n: int) -> list[Example]:
    """Draw `n` docs, each of a marker and, `distance` tokens behind it, a query at the end."""
    examples = []
    for _ in range(n):
        lead = data.randint(*LEAD)
        words = data.choices(FILLERS, k=lead + distance + 1)
        tags = ["STEP"] * len(words)
        words[lead], words[-1] = data.choice(MARKERS), "?"
        tags[lead] = tags[-1] = words[lead].upper()
        gold = Doc(nlp.vocab, words=words, tags=tags)
        examples.append(Example(Doc(nlp.vocab, words=words), gold))
    return examples


def accuracy(nlp: Language, examples: list[Example]) -> float:
    """Share of the queries, the last words of the docs, that get the right tag."""
    docs = nlp.pipe(Doc(nlp.vocab, words=[t.text for t in eg.reference]) for eg in examples)
    right = [doc[-1].tag_ == eg.reference[-1].tag_ for doc, eg in zip(docs, examples, strict=True)]
    return sum(right) / len(right)


def draw(accuracies: Accuracies, path: Path) -> None:
    """Draw each cell's mean accuracy, and that of every seed, against the distance."""
    distances = list(next(iter(accuracies.values())))
    # Text stays text, and nothing random or dated gets in: the same numbers give the same file.
    with rc_context({"svg.hashsalt": path.name, "svg.fonttype": "none", "font.size": 11}):
        figure = Figure(figsize=(7.5, 4.2), layout="constrained")
        axes = figure.add_subplot()
        for i, (cell, scores) in enumerate(accuracies.items()):
            colour, marker = LOOKS[cell]
            x = [d * 1.06 ** (i - 1) for d in distances]  # side by side, not on top of each other
            means = [100 * statistics.mean(scores[d]) for d in distances]
            axes.plot(x, means, marker, linestyle="-", color=colour, ms=7, label=cell)
            for seed in zip(*scores.values(), strict=True):
                axes.plot(x, [100 * s for s in seed], marker, color=colour, ms=4, alpha=0.5)
        axes.axhline(100 * CHANCE, color="0.4", linestyle="--", linewidth=1, label="chance")
        axes.set_xscale("log", base=2)
        axes.set_xticks(distances, [str(d) for d in distances])
        axes.minorticks_off()
        axes.set(ylim=(0, 105), ylabel="right tags, percent")
        axes.set_xlabel("tokens from the marker to the word whose tag it decides")
        axes.set_title("large points: mean, small ones: each seed", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="0.9")
        figure.legend(loc="outside right center", frameon=False)
        figure.savefig(path, metadata={"Date": None})


def report(accuracies: Accuracies, steps: int) -> str:
    """The page that goes with the plot, in Markdown."""
    by_distance = next(iter(accuracies.values()))
    rows = [["distance", *(f"`{cell}`" for cell in accuracies)], ["---"] * (len(accuracies) + 1)]
    for d in by_distance:
        rows.append([str(d), *(mean_and_range(scores[d]) for scores in accuracies.values())])
    return PAGE.format(
        table="\n".join(f"| {' | '.join(row)} |" for row in rows),
        reach=", ".join(f"{learned(accuracies[cell])} with `{cell}`" for cell in accuracies),
        beyond=listed(
            accuracies, lambda scores, d: all_learned(scores[d]) and not up_to(scores, d)
        ),
        split=listed(accuracies, lambda scores, d: min(scores[d]) < SOLVED <= max(scores[d])),
        seeds=len(next(iter(by_distance.values()))),
        command=shlex.join(["python", "benchmarks/long_range.py", *sys.argv[1:]]),
        **{"chance": CHANCE, "solved": SOLVED, "steps": steps, "width": WIDTH},
        **{"learn_rate": LEARN_RATE, "batch_size": BATCH_SIZE},
        **{"test_size": TEST_SIZE, "check_size": CHECK_SIZE},
        **{"spacy": spacy.__version__, "torch": torch.__version__.partition("+")[0]},
    )


def mean_and_range(scores: list[float]) -> str:
    """Such as "97.1 (95.4–98.6)", in percent."""
    low, mean, high = (f"{100 * f(scores):.1f}" for f in (min, statistics.mean, max))
    return f"{mean} ({low}–{high})"


def learned(scores: Scores) -> str:
    """The greatest distance up to which every seed learned the task, or "none"."""
    return str(max((d for d in scores if up_to(scores, d)), default="none"))


def up_to(scores: Scores, distance: int) -> bool:
    """Whether every seed learned this distance and all the shorter ones."""
    return all(all_learned(scores[d]) for d in scores if d <= distance)


def all_learned(seeds: list[float]) -> bool:
    """Whether the worst seed solved the task."""
    return min(seeds) >= SOLVED


def listed(accuracies: Accuracies, holds: Callable[[Scores, int], bool]) -> str:
    """The distances for which something holds, such as "8 and 16 with `gru`", or "none"."""
    found = {c: [str(d) for d in scores if holds(scores, d)] for c, scores in accuracies.items()}
    return ", ".join(f"{' and '.join(ds)} with `{c}`" for c, ds in found.items() if ds) or "none"


if __name__ == "__main__":
    typer.run(main)

"""Measure how far back each recurrent cell learns to look: accuracy against distance.

    python benchmarks/long_range.py [--distance 1 --distance 8 ...] [--cell lstm ...] [--seeds 5]

A doc has one of four marker words, filler words, and, some tokens after the marker, the word "?"
several times. The right tag of "?" is the marker's tag, which only memory can tell. Two questions
are kept apart. Learning: can a tagger learn this if it never saw a "?" nearer than `distance`
tokens? Remembering: how far does a tagger remember if it saw near ones, too? It is also tested on
distances that it never saw. Writes tables and a plot, `long_range.md` and `long_range.svg`, to
--output.

Sources: Bengio et al. 1994, "Learning long-term dependencies with gradient descent is difficult"
(https://doi.org/10.1109/72.279181); Hochreiter and Schmidhuber 1997, "Long short-term memory"
(https://doi.org/10.1162/neco.1997.9.8.1735); Bengio et al. 2009, "Curriculum learning"
(https://doi.org/10.1145/1553374.1553380).
"""

from __future__ import annotations

import math
import os
import random
import shlex
import statistics
import sys
import time
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and numpy are loaded

try:
    from matplotlib import rc_context
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ImportError:  # say so before the training, not after it
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
LEAD = (0, 8)
"""Minimum and maximum number of filler words before the marker."""
QUERIES = 8
"""Number of distances drawn for a doc. A distance drawn twice is asked once."""

WIDTH, LEARN_RATE, GRAD_CLIP, BATCH_SIZE, CHECK_EVERY = 32, 0.005, 1.0, 16, 50
TEST_SIZE, CHECK_SIZE = 200, 100
SOLVED = 0.99
"""A tagger whose accuracy reaches this has learned a distance."""

LOOKS = {"rnn": ("#D55E00", "s"), "gru": ("#009E73", "^"), "lstm": ("#0072B2", "o")}
"""Colour and marker of each cell in the plot."""

PAGE = """\
# How far back each cell learns to look

In a synthetic text, one of four marker words stands among random filler words. Some tokens after
it, the word "?" stands several times. The tag of "?" is the marker's tag. Only memory can tell
which of the four it is, and a guess is right {chance:.0%} of the time.

![Accuracy against distance for each cell, learning and remembering](long_range.svg)

All figures are the accuracy on "?" in percent, on {test_size} test docs for each tagger: the median
of {seeds} seeds, in brackets the worst and the best, and the number of seeds that learned it, that
is, reached {solved:.0%}. A tagger had at most {steps} updates.

## Learning from afar

Each tagger was trained and tested on distances from the given one to twice that. It never saw a "?"
nearer to its marker. So it had to find the word that mattered at that distance from the error. This
is where gradients vanish, and what textbooks mean by a short memory.

{learning}

Learning is mostly abrupt: at chance for some hundred updates, then right after one or two hundred
more. If seeds differ, a row tells how likely a cell is to learn within {steps} updates, not what it
is able to learn.

## Remembering, once trained from near to far

Each tagger was trained on distances from {nearest} to {farthest}, near ones as often as far ones
(on a logarithmic scale). It met greater distances only in the test.

{remembering}

## How to read this

The two plots differ only in the training data. A cell that is at chance on the left but right on
the right can remember a word that long, but did not learn to do so from far examples alone. Text
has near examples too, so the left plot alone is no reason to choose a cell. Compare the cells on
your own text.

All taggers have one layer of width {width}, read from left to right, and read words only. They
start from torch's initial weights. Training: Adam with a learning rate of {learn_rate}, gradients
clipped to {grad_clip}, {batch_size} new docs an update. It ends early once all of {check_size}
other docs are right. spaCy {spacy}, torch {torch}.

    {command}

## Also tried

These were tried by hand, with one to five seeds, in development versions of this script:

- One "?" a doc, at one exact distance: the same result as on the left, with more noise. In 600
  updates, `gru` learned distance 64 with all of five seeds, and 32 with none.
- From near to far as on the right, but with a tag for each filler word, too, given by the word
  before it: in 1000 updates, `gru` and `lstm` reached 100% at 256 with both seeds, `rnn` with one
  of two.
- From near to far, with 32 markers instead of four: slower with every cell, slowest with `lstm`. In
  1000 updates of one seed, at 256: `gru` 100%, `rnn` 64%, `lstm` 15%.
- Four markers a doc, each asked for by its name: in 1600 updates of one seed, no cell learned more
  than to repeat the latest one.
"""

Scores = dict[int, Sequence[float]]
"""Mapping from distance, in rising order, to the accuracy of each seed, from 0 to 1."""

Accuracies = dict[str, Scores]
"""Mapping from cell to its scores."""

Span = tuple[int, int]
"""Nearest and farthest distance, in tokens."""


class Cell(str, Enum):
    """Cells, as choices on the command line."""

    rnn = "rnn"
    gru = "gru"
    lstm = "lstm"


def main(
    distance: list[int] = typer.Option(
        [1, 2, 4, 8, 16, 32, 64], min=1, max=100, help="Distances in tokens"
    ),
    cell: list[Cell] = typer.Option(list(Cell), help="Cells to compare"),
    seeds: int = typer.Option(5, min=1, help="Taggers to train for each distance and cell"),
    steps: int = typer.Option(800, min=1, help="Maximum number of updates of a tagger"),
    output: Path = typer.Option(Path("docs"), file_okay=False, help="Directory to write to"),
) -> None:
    """Measure how far back each recurrent cell learns to look; write tables and a plot."""
    torch.set_num_threads(1)
    output.mkdir(parents=True, exist_ok=True)
    distances = sorted(set(distance))
    span = (distances[0], 2 * distances[-1])  # no farther than the farthest lesson of the others
    tested = [*distances, span[1], 2 * span[1]]
    learning: Accuracies = {}
    remembering: Accuracies = {}
    for c in dict.fromkeys(one.value for one in cell):
        learning[c] = {d: [learn(c, d, seed, steps) for seed in range(seeds)] for d in distances}
        shares = [remember(c, span, tested, seed, steps) for seed in range(seeds)]
        remembering[c] = dict(zip(tested, zip(*shares, strict=True), strict=True))
    draw(learning, remembering, output / "long_range.svg")
    page = report(learning, remembering, span, steps)
    (output / "long_range.md").write_text(page, encoding="utf8")
    minutes = time.process_time() / 60
    typer.echo(f"Wrote long_range.md and .svg to {output}; {minutes:.1f} minutes of work", err=True)


def learn(cell: str, distance: int, seed: int, steps: int) -> float:
    """Return the accuracy of a tagger at distances from `distance` to twice that.

    It is trained and tested at these distances.

    steps: maximum number of updates.
    """
    span = (distance, 2 * distance)
    nlp = train(cell, span, seed, steps)
    test = make_examples(nlp, random.Random(f"test {seed}"), TEST_SIZE, span)
    share = statistics.fmean(right for _, right in answers(nlp, test))
    typer.echo(f"{cell}, from {distance} on, seed {seed}: {share:.1%}", err=True)
    return share


def remember(cell: str, span: Span, tested: list[int], seed: int, steps: int) -> list[float]:
    """Return the accuracy at each of the distances `tested` of a tagger trained on all of `span`.

    steps: maximum number of updates.
    """
    nlp = train(cell, span, seed, steps)
    test = make_examples(nlp, random.Random(f"test {seed}"), TEST_SIZE, tested)
    found = answers(nlp, test)
    shares = [statistics.fmean(right for at, right in found if at == d) for d in tested]
    worst = f"{min(shares):.1%} at the worst distance"
    typer.echo(f"{cell}, from {span[0]} to {span[1]}, seed {seed}: {worst}", err=True)
    return shares


def train(cell: str, span: Span, seed: int, steps: int) -> Language:
    """Train a new tagger until it has solved the task or had `steps` updates.

    Every batch is newly drawn. So are the docs that tell when to stop.
    """
    fix_random_seed(seed)
    data = random.Random(f"{span} {seed}")  # the same docs for every cell
    nlp = make_nlp(cell)
    check, first = (make_examples(nlp, data, CHECK_SIZE, span) for _ in range(2))
    nlp.initialize(lambda: first)
    optimizer = Adam(LEARN_RATE, grad_clip=GRAD_CLIP)
    for step in range(1, steps + 1):
        nlp.update(make_examples(nlp, data, BATCH_SIZE, span), sgd=optimizer)
        if step % CHECK_EVERY == 0 and all(right for _, right in answers(nlp, check)):
            break
    return nlp


def make_nlp(cell: str) -> Language:
    """Build a pipeline of one small tagger: words only, one layer, reading from left to right."""
    nlp = spacy.blank("xx")
    model = {
        "@architectures": "spacy-lstm-tagger.LSTMTagger.v1",
        **{"word_width": WIDTH, "min_word_freq": 1, "affix_width": 0, "char_width": 0},
        **{"cell": cell, "width": WIDTH, "depth": 1, "bidirectional": False},
    }
    nlp.add_pipe("lstm_tagger", config={"model": model})
    return nlp


def make_examples(
    nlp: Language, data: random.Random, n: int, distances: Span | list[int]
) -> list[Example]:
    """Draw `n` docs with queries at random distances of a span, or at all distances of a list."""
    examples = []
    for _ in range(n):
        asked = distances if isinstance(distances, list) else random_distances(data, distances)
        lead, marker = data.randint(*LEAD), data.choice(MARKERS)
        words = data.choices(FILLERS, k=lead + max(asked) + 1)
        tags = ["STEP"] * len(words)
        words[lead] = marker
        for distance in asked:
            words[lead + distance] = "?"
        for place in (0, *asked):
            tags[lead + place] = marker.upper()
        gold = Doc(nlp.vocab, words=words, tags=tags)
        examples.append(Example(Doc(nlp.vocab, words=words), gold))
    return examples


def random_distances(data: random.Random, span: Span) -> list[int]:
    """Draw distances of a span, evenly on a logarithmic scale: near ones as often as far ones."""
    low, high = map(math.log, span)
    return [round(math.exp(data.uniform(low, high))) for _ in range(QUERIES)]


def answers(nlp: Language, examples: list[Example]) -> list[tuple[int, bool]]:
    """Return the distance of each "?" from the marker, and whether it gets the right tag."""
    found = []
    docs = nlp.pipe(Doc(nlp.vocab, words=[t.text for t in eg.reference]) for eg in examples)
    for doc, eg in zip(docs, examples, strict=True):
        marker = next(token.i for token in doc if token.text in MARKERS)
        for token, gold in zip(doc, eg.reference, strict=True):
            if token.text == "?":
                found.append((token.i - marker, token.tag_ == gold.tag_))
    return found


def draw(learning: Accuracies, remembering: Accuracies, path: Path) -> None:
    """Draw each cell's median accuracy, and that of every seed, against the distance."""
    # Text stays text, and there are no random ids or dates: the same numbers give the same file.
    with rc_context({"svg.hashsalt": path.name, "svg.fonttype": "none", "font.size": 11}):
        figure = Figure(figsize=(9.5, 4.4), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        draw_one(left, learning, "Learning: never taught nearer than this")
        draw_one(right, remembering, "Remembering: taught near ones too")
        farthest = list(next(iter(remembering.values())))[-2]
        right.axvline(farthest, color="0.4", linestyle=":", linewidth=1)
        right.text(farthest * 0.9, 45, "farthest taught", rotation=90, ha="right", color="0.3")
        left.set(ylim=(0, 105), ylabel="right tags, percent")
        figure.supxlabel("tokens from the marker to the word whose tag it decides", fontsize=11)
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False)
        figure.savefig(path, metadata={"Date": None})


def draw_one(axes: Axes, accuracies: Accuracies, title: str) -> None:
    """Draw one plot: lines through the medians, a small point for each seed."""
    distances = list(next(iter(accuracies.values())))
    for i, (cell, scores) in enumerate(accuracies.items()):
        colour, marker = LOOKS[cell]
        x = [d * 1.07 ** (i - 1) for d in distances]  # side by side, not on top of each other
        medians = [100 * statistics.median(scores[d]) for d in distances]
        axes.plot(x, medians, marker, linestyle="-", color=colour, ms=7, label=cell)
        for seed in zip(*scores.values(), strict=True):
            axes.plot(x, [100 * s for s in seed], marker, color=colour, ms=4, alpha=0.5)
    axes.axhline(100 * CHANCE, color="0.4", linestyle="--", linewidth=1, label="chance")
    axes.set_xscale("log", base=2)
    axes.set_xticks(distances, [str(d) for d in distances])
    axes.minorticks_off()
    axes.set_title(title, fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.9")


def report(learning: Accuracies, remembering: Accuracies, span: Span, steps: int) -> str:
    """Return the page that goes with the plot, in Markdown."""
    return PAGE.format(
        learning=table(learning),
        remembering=table(remembering),
        seeds=len(next(iter(next(iter(learning.values())).values()))),
        command=shlex.join(["python", "benchmarks/long_range.py", *sys.argv[1:]]),
        **{"nearest": span[0], "farthest": span[1]},
        **{"chance": CHANCE, "solved": SOLVED, "steps": steps, "width": WIDTH},
        **{"learn_rate": LEARN_RATE, "grad_clip": GRAD_CLIP, "batch_size": BATCH_SIZE},
        **{"test_size": TEST_SIZE, "check_size": CHECK_SIZE},
        **{"spacy": spacy.__version__, "torch": torch.__version__.partition("+")[0]},
    )


def table(accuracies: Accuracies) -> str:
    """Return a table with a row for each distance and a column for each cell."""
    rows = [["distance", *(f"`{cell}`" for cell in accuracies)], ["---"] * (len(accuracies) + 1)]
    for d in next(iter(accuracies.values())):
        rows.append([str(d), *(summary(scores[d]) for scores in accuracies.values())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def summary(scores: Sequence[float]) -> str:
    """Return the median, the worst and the best score, and the number of seeds that learned it.

    Example: "97.1 (25.4–100.0), 2 of 5".
    """
    low, median, high = (f"{100 * f(scores):.1f}" for f in (min, statistics.median, max))
    return f"{median} ({low}–{high}), {sum(s >= SOLVED for s in scores)} of {len(scores)}"


if __name__ == "__main__":
    typer.run(main)

"""Write ENGLISH.md and its picture: English pipelines, their accuracy, speed and size."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from wasabi import MarkdownRenderer

from .annotation import OUTPUTS, Accuracy
from .figures import mean_sd
from .report import environment
from .tables import NONE
from .work import SENTENCES, TEXTS, TITLES

CNN, TRANSFORMER, REFERENCE = "spaCy CNN trained on EWT", "transformer", "en_core_web_sm"
TAGS_ALONE = ", tags alone"
CROWDED = 0.25
"""Points of accuracy within which the name of a tagger would cover a faster one."""

INTRODUCTION = """
Written by the command below; do not edit. The dev split of UD English EWT 2.16; accuracy in
percent. spaCy's English pipelines were trained on OntoNotes, which has other texts and partly other
conventions, above all for features and lemmas. All others were trained on EWT's train split.
"""

GOLD = """
Gold tokens, one sentence a doc. *calibration*: expected calibration error of a tag's probability,
with a temperature that was fitted on the same sentences (each half with that of the other: see the
models' cards). UDPipe was trained for 5 of its 20 iterations.
"""

RAW = """
Raw text, a sentence at a time, as `spacy evaluate` counts it: F-score of what the tokenizer's own
tokens have, where they are aligned with gold ones. *tokens*: F-score of the tokens themselves.
"""

SPEED = """
Words a second on one thread, and in brackets the ratio to the tagger of `en_core_web_sm`; medians
of alternating rounds. A name alone is all that the pipeline annotates; of spaCy's without the
entity recognizer (its parts of speech need the parser).
"""

PEERS = """
Words a second on ready docs of a part of the sentences, in turns with the same tagger.
"""


SIZE = """
Of each pipeline as it is installed, spaCy's with their parser and entity recognizer.
"""


class Figures(NamedTuple):
    """What was measured.

    accuracies: of each pipeline.
    earlier: by tagger the accuracies of earlier trainings on EWT, in percent.
    speeds: words a second of each row, by task.
    peers: words a second beside other libraries' taggers.
    missing: why some of these are missing.
    alone: seconds to load each pipeline and to tag a first doc, and peak memory in MiB.
    sizes: megabytes of each pipeline.
    """

    accuracies: Mapping[str, Accuracy]
    earlier: Mapping[str, Sequence[float]]
    speeds: Mapping[str, Mapping[str, float]]
    peers: Mapping[str, float]
    missing: Sequence[str]
    alone: Mapping[str, Mapping[str, float]]
    sizes: Mapping[str, float]


def report(figures: Figures, command: str) -> str:
    """Return the page in Markdown.

    command: the command that makes the page.
    """
    md = MarkdownRenderer(no_emoji=True)
    md.add(md.title(1, "English pipelines, measured"))
    for text in (INTRODUCTION, md.code_block(command), environment()):
        md.add(text)
    md.add("![Accuracy of tags against speed](ENGLISH.svg)")
    md.add(md.title(2, "Accuracy"))
    md.add(GOLD)
    md.add(_gold_table(md, figures))
    md.add(RAW)
    md.add(_raw_table(md, figures))
    md.add(md.title(2, "Speed"))
    md.add(SPEED)
    md.add(_speed_table(md, figures))
    md.add(PEERS)
    rows = [
        [name, f"{speed:,.0f}", f"{_peer_ratio(figures, name):.2f}"]
        for name, speed in sorted(figures.peers.items(), key=lambda one: one[1])
    ]
    md.add(md.table(rows, ["tagger", "words a second", "ratio"], aligns=["l", "r", "r"]))
    if figures.missing:
        md.add(md.list(figures.missing))
    md.add(md.title(2, "Size"))
    md.add(SIZE)
    header = ["pipeline", "MB", "load and tag a first sentence, s", "peak memory, MiB"]
    rows = [
        [name, f"{figures.sizes[name]:.1f}", f"{one['loaded']:.2f}", f"{one['peak']:,.0f}"]
        for name, one in figures.alone.items()
    ]
    md.add(md.table(rows, header, aligns=["l", "r", "r", "r"]))
    return md.text + "\n"


def draw(path: Path, figures: Figures) -> None:
    """Draw the accuracy of tags against speed, as a multiple of the reference's."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"svg.hashsalt": path.name, "svg.fonttype": "none"})
    points = picture_points(figures)
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name, (speed, accuracy) in points.items():
        ours = name.startswith("en_ewt")
        axes.plot(speed, accuracy, "o", ms=8, color="tab:red" if ours else "tab:blue")
        crowded = any(
            1 < other / speed < 2.5 and abs(height - accuracy) < CROWDED
            for other, height in points.values()
        )
        side, offset = ("right", -9) if crowded else ("left", 9)
        axes.annotate(
            *(name, (speed, accuracy)),
            **{"xytext": (offset, 0), "textcoords": "offset points", "ha": side, "va": "center"},
        )
    axes.set_xscale("log")
    ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.margins(0.25, 0.12)
    axes.grid(linewidth=0.4)
    axes.set_xlabel(f"words a second, as a multiple of {REFERENCE}'s tagger (one thread)")
    axes.set_ylabel("accuracy of tags (XPOS), EWT dev, %")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def picture_points(figures: Figures) -> dict[str, tuple[float, float]]:
    """Return the speed of each tagger, as a multiple of the reference's, and its accuracy."""
    speeds = figures.speeds[SENTENCES]
    reference = speeds[f"{REFERENCE}{TAGS_ALONE}"]
    points = {
        name: (speeds.get(f"{name}{TAGS_ALONE}", speeds[name]) / reference, found.gold["tag"])
        for name, found in figures.accuracies.items()
    }
    for name, accuracies in figures.earlier.items():
        ratio = speeds[name] / reference if name in speeds else _peer_ratio(figures, name)
        if accuracies and ratio:
            points[name.partition(" (")[0]] = ratio, statistics.fmean(accuracies)
    return points


def _gold_table(md: MarkdownRenderer, figures: Figures) -> str:
    rows = [
        [
            name,
            *(_two(found.gold.get(output)) for output in OUTPUTS),
            *(_two(found.unseen.get(output)) for output in OUTPUTS),
            _two(found.calibration),
        ]
        for name, found in figures.accuracies.items()
    ]
    rows += [[name, mean_sd(found), *[NONE] * 8] for name, found in figures.earlier.items()]
    unseen = [f"{title}, unseen" for title in OUTPUTS.values()]
    header = ["pipeline", *OUTPUTS.values(), *unseen, "calibration"]
    return md.table(rows, header, aligns=["l", *["r"] * 9])


def _raw_table(md: MarkdownRenderer, figures: Figures) -> str:
    rows = [
        [name, _two(found.tokens), *(_two(found.raw.get(output)) for output in OUTPUTS)]
        for name, found in figures.accuracies.items()
    ]
    return md.table(rows, ["pipeline", "tokens", *OUTPUTS.values()], aligns=["l", *["r"] * 5])


def _speed_table(md: MarkdownRenderer, figures: Figures) -> str:
    rows = []
    for name in figures.speeds[SENTENCES]:
        cells = []
        for task in (SENTENCES, TEXTS):
            speed = figures.speeds[task][name]
            ratio = speed / figures.speeds[task][f"{REFERENCE}{TAGS_ALONE}"]
            cells.append(f"{speed:,.0f} ({ratio:.2f})")
        rows.append([name, *cells])
    return md.table(rows, ["row", TITLES[SENTENCES], TITLES[TEXTS]], aligns=["l", "r", "r"])


def _peer_ratio(figures: Figures, name: str) -> float:
    """Return how many times as fast as the reference a peer is; 0 if it is missing."""
    reference = figures.peers.get(f"{REFERENCE}{TAGS_ALONE}")
    return figures.peers.get(name, 0.0) / reference if reference else 0.0


def _two(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"

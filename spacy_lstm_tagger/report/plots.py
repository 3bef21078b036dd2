"""Plots of a report, with one tagger or two side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from .drawing import FIRST, INK, LINE, SECOND, WRONG, new_figure, printable, to_svg
from .figures import Figures
from .reliability import Reliability
from .shares import Share

MOST_TAGS = 40
"""Maximum number of rows of the confusion matrix; the rarest tags share the last one."""

NUMBERED = 20
"""Maximum number of tags for which counts are written into the confusion matrix."""

COLOURS = (FIRST, SECOND)
MARKERS = ("o", "D")


def plot_shares(groups: Sequence[Sequence[Share]], names: Sequence[str], title: str) -> str:
    """Plot the accuracy of one or two taggers on kinds of words, with intervals; return SVG.

    groups: shares of each tagger. The kinds of words are those of the first tagger.
    names: names of the taggers.
    """
    kinds = [share.name for share in groups[0]]
    with new_figure(4.6, 0.75 + 0.42 * len(kinds), title) as figure:
        axes = figure.add_subplot()
        shift = 0.13 * (len(groups) - 1)
        for nth, shares in enumerate(groups):
            found = {share.name: share for share in shares}
            rows = [row for row, kind in enumerate(kinds) if kind in found]
            shown = [found[kinds[row]] for row in rows]
            at = numpy.asarray(rows) + (2 * nth - 1) * shift
            middle, low, high = (
                numpy.asarray([100 * getattr(share, part) for share in shown])
                for part in ("accuracy", "low", "high")
            )
            colour, marker = COLOURS[nth], MARKERS[nth]
            axes.hlines(at, low, high, colors=colour, linewidth=2)
            axes.plot(
                middle, at, marker, color=colour, markersize=6, label=printable_name(names[nth])
            )
            for y, value in zip(at, middle, strict=True):
                text = axes.annotate(f"{value:.1f}", (value, y), (0, 4), textcoords="offset points")
                text.set(ha="center", va="bottom", fontsize=8)
        axes.set_yticks(range(len(kinds)), kinds)
        axes.set_ylim(len(kinds) - 0.5, -0.7)
        axes.set_xlabel("accuracy, %")
        axes.tick_params(length=0)
        axes.grid(axis="x", color=LINE, linewidth=0.6)
        axes.set_axisbelow(True)
        _legend(axes, len(groups))
        return to_svg(figure, title)


def plot_reliability(found: Sequence[Reliability], names: Sequence[str], title: str) -> str:
    """Plot a reliability diagram above the number of words of each probability; return SVG."""
    with new_figure(4.6, 4.6, title) as figure:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        above.plot([0, 100], [0, 100], "--", color=INK, linewidth=0.8)
        for nth, reliability in enumerate(found):
            bins = [each for each in reliability.bins if each.n]
            said = [100 * (each.confidence or 0.0) for each in bins]
            right = [100 * (each.accuracy or 0.0) for each in bins]
            line = f"-{MARKERS[nth]}"
            name = printable_name(names[nth])
            above.plot(said, right, line, color=COLOURS[nth], markersize=4, label=name)
            width = 100 / len(reliability.bins) / len(found)
            starts = [100 * each.low + nth * width for each in reliability.bins]
            total = sum(each.n for each in reliability.bins)
            heights = [100 * each.n / total for each in reliability.bins]
            below.bar(starts, heights, 0.85 * width, align="edge", color=COLOURS[nth])
        above.set_ylabel("right, %")
        above.set_xlim(0, 100)
        above.set_ylim(0, 104)
        below.set_ylabel("words, %")
        below.set_xlabel("probability of the tag, %")
        for axes in (above, below):
            axes.grid(color=LINE, linewidth=0.6)
            axes.set_axisbelow(True)
            axes.tick_params(length=0)
        _legend(above, len(found))
        return to_svg(figure, title)


def plot_confusions(figures: Figures, title: str) -> str:
    """Plot the confusion matrix; return SVG.

    Rows are gold tags, columns the tagger's. The rarest tags share the last row and column.
    """
    names, counts = confusion_matrix(figures)
    n = len(names)
    totals = counts.sum(axis=1, keepdims=True)
    parts = numpy.divide(counts, totals, out=numpy.zeros(counts.shape), where=totals > 0)
    with new_figure(7.2, 7.2, title) as figure:
        axes = figure.add_subplot()
        rows, columns = numpy.nonzero(counts)
        right = rows == columns
        side = 0.9 * 5.6 * 72 / n  # points
        for where, colour, strength in ((right, FIRST, 1.0), (~right, WRONG, 0.35)):
            if not where.any():  # no errors at all, or nothing but errors
                continue
            alpha = (0.15 + 0.85 * parts[rows[where], columns[where]] ** strength).tolist()
            x, y = columns[where], rows[where]
            axes.scatter(x, y, s=side**2, marker="s", color=colour, alpha=alpha, linewidths=0)
        if n <= NUMBERED:
            for y, x in zip(rows.tolist(), columns.tolist(), strict=True):
                axes.text(x, y, f"{counts[y, x]:,}", ha="center", va="center", fontsize=7)
        labels = [printable(name, longest=8) for name in names]
        axes.set_xticks(range(n), labels, rotation=90, fontsize=8)
        axes.set_yticks(range(n), labels, fontsize=8)
        axes.set_xlim(-0.5, n - 0.5)
        axes.set_ylim(n - 0.5, -0.5)
        axes.set_aspect("equal")
        axes.tick_params(length=0)
        axes.grid(color=LINE, linewidth=0.4)
        axes.set_axisbelow(True)
        axes.set_xlabel("tag given")
        axes.set_ylabel("gold tag")
        return to_svg(figure, title)


def confusion_matrix(figures: Figures) -> tuple[list[str], numpy.ndarray]:
    """Return the names of the tags, and the confusion matrix.

    The matrix has the number of words of each gold tag (row) and tag given (column), shape
    (n_names, n_names). The most frequent tags come first. If there are more than `MOST_TAGS`, the
    rarest share the last place.
    """
    tags = [row.tag for row in figures.tags]
    common = tags if len(tags) <= MOST_TAGS else tags[: MOST_TAGS - 1]
    names = list(common) if len(common) == len(tags) else [*common, "other"]
    places = {tag: min(i, len(names) - 1) for i, tag in enumerate(tags)}
    counts = numpy.zeros((len(names), len(names)), dtype="int64")
    for row in figures.tags:
        counts[places[row.tag], places[row.tag]] += row.right
    for pair in figures.confusions:
        counts[places[pair.gold], places[pair.predicted]] += pair.n
    return names, counts


def printable_name(name: str) -> str:
    """Return a tagger's name for a legend; only the end of a long path."""
    return printable(name if len(name) <= 30 else f"…{name[-29:]}", longest=30)


def _legend(axes: Any, n: int) -> None:
    """Add a legend above the axes if there is more than one tagger."""
    if n > 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=1, borderaxespad=0.2)

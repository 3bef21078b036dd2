"""Training curves as a standalone SVG file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from ..arrays import Floats1d
from ..extras import import_extra
from .drawing import ALONE, FIRST, LINE, new_figure, to_svg

TITLE = "Training: loss, scores on the development data and speed by steps"
COLOURS = (FIRST, "#b4540a", "#1d7a3c", "#7a3fa0", "#8a6d00", "#5a6375")
PAPER = "#ffffff"


def plot_curves(rows: Sequence[dict[str, Any]], scores: Sequence[str]) -> str:
    """Return a plot of loss per word, scores and words per second by training steps, as SVG.

    rows: one dict for each evaluation, as `plot_logger.Curves` keeps them.
    scores: names of the scores to draw, each from 0 to 1; "speed" is left out.
    """
    steps = _column(rows, "step")
    losses = [name for name in dict.fromkeys(n for row in rows for n in row) if _is_loss(name)]
    words = numpy.diff(_column(rows, "words"), prepend=0)
    with new_figure(6.4, 7.2, "curves") as figure:
        above, middle, below = figure.subplots(3, 1, sharex=True)
        _draw(above, steps, {n[5:]: _column(rows, n) / words for n in losses}, "loss per word")
        if any((_column(rows, n) > 0).any() for n in losses):
            ticker = import_extra("matplotlib.ticker")
            above.set_yscale("log")
            above.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
            above.yaxis.set_minor_locator(ticker.NullLocator())
            above.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        shown = {name: 100 * _column(rows, name) for name in scores if name != "speed"}
        _draw(middle, steps, _known(shown), "scores, %")
        speed = {"training": _column(rows, "words_per_second")}
        _draw(below, steps, speed, "words a second")
        below.update_datalim([(steps[0], 0.0)])  # the margin is a share of what is shown
        below.autoscale_view()
        below.set_ylim(bottom=0)
        below.set_xlabel("step")
        figure.align_ylabels()
        figure.patch.set_facecolor(PAPER)
        svg = to_svg(figure, TITLE, colours=ALONE, transparent=False)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{svg}\n'


def _draw(axes: Any, steps: Floats1d, curves: dict[str, Floats1d], label: str) -> None:
    """Draw curves of one kind: several with a legend, a single score named beside the axis."""
    for (name, values), colour in zip(curves.items(), COLOURS * len(curves), strict=False):
        axes.plot(steps, values, "-o", color=colour, markersize=3, linewidth=1.4, label=name)
    axes.set_ylabel(
        label if len(curves) != 1 or label != "scores, %" else f"{next(iter(curves))}, %"
    )
    axes.grid(color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, which="both")
    if len(curves) > 1:
        axes.legend(fontsize=8)


def _known(curves: dict[str, Floats1d]) -> dict[str, Floats1d]:
    """Return the curves with at least one point: a component may never have given a score."""
    return {name: values for name, values in curves.items() if numpy.isfinite(values).any()}


def _column(rows: Sequence[dict[str, Any]], name: str) -> Floats1d:
    """Return the numbers of a column, NaN for missing ones."""
    values = [row.get(name) for row in rows]
    return numpy.asarray([numpy.nan if value is None else float(value) for value in values])


def _is_loss(name: str) -> bool:
    return name.startswith("loss_")

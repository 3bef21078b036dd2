"""Page of a report: one self-contained HTML file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from .. import __version__
from .build import Report
from .figures import Figures
from .other_outputs import OutputFigures, OutputReport
from .plots import plot_confusions, plot_reliability, plot_shares
from .shares import Share
from .templating import as_markup, new_environment, read_static

PAIRS = 50
"""Maximum number of pairs of confused tags listed on the page."""

TITLES = {"pos": "Parts of speech", "morph": "Morphology", "lemma": "Lemmas"}
"""Title of the section of each output besides the tags."""


def render_page(report: Report) -> str:
    """Return the report as one HTML file that needs no other file.

    Raises ImportError if matplotlib or jinja2 is missing.
    """
    environment = new_environment()
    script = read_static("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("report.html").render(
        report=report,
        names=report.models,
        titles=TITLES,
        sections=[_section(output) for output in report.outputs],
        plots={name: as_markup(svg) for name, svg in _plots(report.taggers).items()},
        by_tag=[{row.tag: row for row in figures.tags} for figures in report.taggers],
        by_name=_by_name(report.taggers),
        most_pairs=PAIRS,
        style=read_static("report.css"),
        word_style=read_static("words.css"),
        script=script,
        script_digest=digest,
        version=__version__,
    )


def _section(output: OutputReport) -> dict[str, Any]:
    """Return an output's figures with the pipelines that set it, by their places."""
    present = [(nth, figures) for nth, figures in enumerate(output.taggers) if figures]
    kinds = [kind for kind in ("unseen", "seen") if any(kind in _named(f) for _, f in present)]
    return {
        "name": output.name,
        "comparison": output.comparison,
        "present": present,
        "seen": [(kind, [_named(figures).get(kind) for _, figures in present]) for kind in kinds],
        "by_value": [{row.tag: row for row in figures.values} for _, figures in present],
    }


def _named(figures: OutputFigures) -> dict[str, Share]:
    return {share.name: share for share in figures.seen}


def _plots(taggers: Sequence[Figures]) -> dict[str, str]:
    """Return the plots as SVG, by name. A plot without figures is left out."""
    names = [figures.model for figures in taggers]
    reliable = [figures for figures in taggers if figures.reliability]
    kinds = {
        "seen": ([figures.seen for figures in taggers], "Accuracy on seen and unseen words"),
        "by_length": (
            [figures.by_length for figures in taggers],
            "Accuracy by the number of words in the sentence",
        ),
        "by_frequency": (
            [figures.by_frequency for figures in taggers],
            "Accuracy by how often the word was seen in training",
        ),
    }
    plots = {
        name: plot_shares(groups, names, title)
        for name, (groups, title) in kinds.items()
        if groups and groups[0]
    }
    if reliable:
        plots["reliability"] = plot_reliability(
            [figures.reliability for figures in reliable if figures.reliability],
            [figures.model for figures in reliable],
            "Share of right tags by their probability",
        )
    for nth, figures in enumerate(taggers):
        plots[f"confusions{nth}"] = plot_confusions(
            figures, f"Confusion matrix: gold tags and tags given by {figures.model}"
        )
    return plots


def _by_name(taggers: Sequence[Figures]) -> dict[str, list[tuple[Any, ...]]]:
    """Return the shares of all taggers side by side, by the name of the table."""
    return {
        kind: list(zip(*(getattr(figures, kind) for figures in taggers), strict=False))
        for kind in ("seen", "by_frequency", "by_length")
    }

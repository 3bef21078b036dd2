"""The page of a report: one HTML file with everything in it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spacy.glossary import GLOSSARY

from .. import __version__
from ..extras import import_extra
from .build import Report
from .figures import Figures
from .plots import plot_confusions, plot_reliability, plot_shares

TEMPLATES = Path(__file__).parent / "templates"

PAIRS = 50
"""Most pairs of confused tags listed on the page."""


def render_page(report: Report) -> str:
    """The report as one HTML file that needs no others.

    Raises ImportError where matplotlib or jinja2 is missing.
    """
    environment = new_environment()
    script = (TEMPLATES / "report.js").read_text(encoding="utf8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    Markup = import_extra("markupsafe").Markup
    return environment.get_template("report.html").render(
        report=report,
        names=[figures.model for figures in report.taggers],
        plots={name: Markup(svg) for name, svg in _plots(report.taggers).items()},
        by_tag=[{row.tag: row for row in figures.tags} for figures in report.taggers],
        by_name=_by_name(report.taggers),
        most_pairs=PAIRS,
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf8")),
        word_style=Markup((TEMPLATES / "words.css").read_text(encoding="utf8")),
        script=Markup(script),
        script_digest=digest,
        version=__version__,
    )


def new_environment() -> Any:
    """What renders templates; all that they are given is escaped.

    Raises ImportError where jinja2 is missing.
    """
    jinja2 = import_extra("jinja2")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = _percent
    environment.filters["count"] = lambda n: f"{n:,}"
    environment.filters["points"] = lambda share: f"{100 * share:+.2f}".replace("-", "−")
    environment.filters["meaning"] = lambda tag: GLOSSARY.get(tag, "")
    return environment


def _percent(share: float | None, digits: int = 2) -> str:
    return "–" if share is None else f"{100 * share:.{digits}f}"


def _plots(taggers: Sequence[Figures]) -> dict[str, str]:
    """The plots as SVG, by name. What no tagger has figures for is not there."""
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
        if groups[0]
    }
    if reliable:
        plots["reliability"] = plot_reliability(
            [figures.reliability for figures in reliable if figures.reliability],
            [figures.model for figures in reliable],
            "Share of right tags by how probable they are said to be",
        )
    for nth, figures in enumerate(taggers):
        plots[f"confusions{nth}"] = plot_confusions(
            figures, f"Gold tags and tags given by {figures.model}"
        )
    return plots


def _by_name(taggers: Sequence[Figures]) -> dict[str, list[tuple[Any, ...]]]:
    """Shares of every tagger side by side, by the name of the table."""
    return {
        kind: list(zip(*(getattr(figures, kind) for figures in taggers), strict=False))
        for kind in ("seen", "by_frequency", "by_length")
    }

"""matplotlib figures as SVG text for a page, with the page's own colours."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..extras import import_extra

# Colours to draw with. In a page they become those of its style sheet, light or dark.
INK, LINE, FIRST, SECOND, WRONG = "#010203", "#040506", "#070809", "#0a0b0c", "#0d0e0f"

IN_PAGE = {
    INK: "currentColor",
    LINE: "var(--line)",
    FIRST: "var(--first)",
    SECOND: "var(--second)",
    WRONG: "var(--wrong)",
}
ALONE = {INK: "#1f2430", LINE: "#c9ced8", FIRST: "#0b62a8", SECOND: "#b4540a", WRONG: "#b3261e"}

SETTINGS = {
    "svg.fonttype": "none",  # text stays text, in the reader's font
    "font.family": "sans-serif",
    "font.size": 9,
    "text.parse_math": False,  # a tag such as "PRP$" is no formula
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


@contextmanager
def new_figure(width: float, height: float, name: str) -> Iterator[Any]:
    """A figure to draw and save in; matplotlib's settings are put back afterwards.

    width, height: in inches.
    name: makes the identifiers in the SVG its own.
    Raises ImportError where matplotlib is missing.
    """
    matplotlib = import_extra("matplotlib")
    Figure = import_extra("matplotlib.figure").Figure
    with matplotlib.rc_context({**SETTINGS, "svg.hashsalt": name}), warnings.catch_warnings():
        # A reader's browser has the letters that matplotlib's own font has not.
        warnings.filterwarnings("ignore", message="(Glyph|Matplotlib currently does not)")
        yield Figure(figsize=(width, height), layout="constrained")


def to_svg(
    figure: Any,
    title: str,
    *,
    colours: Mapping[str, str] = IN_PAGE,
    transparent: bool = True,
) -> str:
    """The figure as an `<svg>` element that says what it shows.

    title: read out in its place by screen readers.
    colours: what to draw with instead of this module's colours.
    transparent: whether to leave out the background.
    """
    output = io.StringIO()
    figure.savefig(output, format="svg", transparent=transparent, metadata={"Date": None})
    svg = output.getvalue()
    svg = svg[svg.index("<svg") :]
    (view,) = re.findall(r'viewBox="([^"]*)"', svg[: svg.index(">")])
    body = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index(">") + 1 :], flags=re.DOTALL)
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)  # it is for the whole page
    body = re.sub(r'<g id="[^"]*"', "<g", body)  # the same in every figure
    body = re.sub(r"font-family: [^;\"]*", "font-family: system-ui, sans-serif", body)
    for drawn, wanted in colours.items():
        body = body.replace(drawn, wanted)
    label = html.escape(title, quote=True)
    namespaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    head = f'<svg {namespaces} viewBox="{view}" role="img" aria-label="{label}">'
    return f"{head}<title>{label}</title>{body}".strip()


def printable(name: str, *, longest: int = 14) -> str:
    """A name as it can be drawn: of one line, not too long, without control characters."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in name) or "(none)"
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"

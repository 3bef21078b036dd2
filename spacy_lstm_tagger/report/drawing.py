"""Draw matplotlib figures as SVG text for a page, in the page's own colours."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..extras import import_extra

# Placeholder colours. In a page, those of its style sheet replace them, light or dark.
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
    "text.parse_math": False,  # a tag such as "PRP$" is not a formula
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
    """Yield a figure to draw and save inside the context.

    matplotlib's settings are restored afterwards.

    width, height: size in inches.
    name: salt of the identifiers in the SVG, so that they differ between figures.
    Raises ImportError if matplotlib is missing.
    """
    matplotlib = import_extra("matplotlib")
    Figure = import_extra("matplotlib.figure").Figure
    with matplotlib.rc_context({**SETTINGS, "svg.hashsalt": name}), warnings.catch_warnings():
        # The reader's browser has glyphs that matplotlib's own font lacks.
        warnings.filterwarnings("ignore", message="(Glyph|Matplotlib currently does not)")
        yield Figure(figsize=(width, height), layout="constrained")


def to_svg(
    figure: Any,
    title: str,
    *,
    colours: Mapping[str, str] = IN_PAGE,
    transparent: bool = True,
) -> str:
    """Return the figure as an `<svg>` element with a title.

    title: text that screen readers read in place of the figure.
    colours: final colour for each of this module's placeholder colours.
    transparent: whether to leave out the background.
    """
    output = io.StringIO()
    figure.savefig(output, format="svg", transparent=transparent, metadata={"Date": None})
    svg = output.getvalue()
    svg = svg[svg.index("<svg") :]
    (view,) = re.findall(r'viewBox="([^"]*)"', svg[: svg.index(">")])
    body = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index(">") + 1 :], flags=re.DOTALL)
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)  # applies to the whole page
    body = re.sub(r'<g id="[^"]*"', "<g", body)  # ids would repeat in every figure
    body = re.sub(r"font-family: [^;\"]*", "font-family: system-ui, sans-serif", body)
    for drawn, wanted in colours.items():
        body = body.replace(drawn, wanted)
    label = html.escape(title, quote=True)
    namespaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    head = f'<svg {namespaces} viewBox="{view}" role="img" aria-label="{label}">'
    return f"{head}<title>{label}</title>{body}".strip()


def printable(name: str, *, longest: int = 14) -> str:
    """Return a name that can be drawn: on one line, shortened, without control characters.

    longest: maximum number of characters.
    """
    shown = "".join(c if c.isprintable() else "\ufffd" for c in name) or "(none)"
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"

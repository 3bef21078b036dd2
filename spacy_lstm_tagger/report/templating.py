"""Templates that escape whatever they are given: words and tags may hold anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spacy.glossary import GLOSSARY

from ..extras import import_extra

TEMPLATES = Path(__file__).parent / "templates"


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


def read_static(name: str) -> Any:
    """A style sheet or script of ours, to be put into a page as it is."""
    return as_markup((TEMPLATES / name).read_text(encoding="utf8"))


def as_markup(text: str) -> Any:
    """Text of our own making that is not to be escaped."""
    return import_extra("markupsafe").Markup(text)


def _percent(share: float | None, digits: int = 2) -> str:
    return "–" if share is None else f"{100 * share:.{digits}f}"

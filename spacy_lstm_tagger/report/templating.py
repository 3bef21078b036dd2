"""Templates that escape all values: words and tags may hold anything, HTML included."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from spacy.glossary import GLOSSARY

from ..extras import import_extra
from ..outputs.morph import NONE

TEMPLATES = Path(__file__).parent / "templates"


def new_environment() -> Any:
    """Return the jinja2 environment of the templates, which escapes all values.

    Raises ImportError if jinja2 is missing.
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
    environment.filters["code"] = _code
    environment.filters["features"] = _features
    environment.filters["meaning"] = lambda tag: GLOSSARY.get(tag, "")
    return environment


def read_static(name: str) -> Any:
    """Return a style sheet or script of ours, marked as safe: it is not escaped."""
    return as_markup((TEMPLATES / name).read_text(encoding="utf8"))


def as_markup(text: str) -> Any:
    """Return text of our own making, marked as safe: it is not escaped."""
    return import_extra("markupsafe").Markup(text)


def _code(text: str) -> Any:
    """Return a text, escaped, with what stands between backticks marked as code."""
    escaped = str(import_extra("markupsafe").escape(text))
    return as_markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped))


def _features(value: str) -> Any:
    """Return a value, escaped, that a line may be broken behind each feature of."""
    if value == NONE:
        return "no features"
    escaped = str(import_extra("markupsafe").escape(value or "(none)"))
    return as_markup(escaped.replace("|", "|<wbr>"))


def _percent(share: float | None, digits: int = 2) -> str:
    return "–" if share is None else f"{100 * share:.{digits}f}"

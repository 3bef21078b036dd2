"""What of this project a saved pipeline needs, for the package that `spacy package` makes of it.

`spacy package` finds the projects that a pipeline's functions are from, but not their extras. It
keeps requirements that `meta.json` has. `Language.to_disk` writes that file and the config before
the components, which is when a tagger adds the extra there: whoever made the pipeline, and however
the tagger came into it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from configparser import Error as ConfigParserError
from pathlib import Path
from typing import Any

import srsly
from spacy.util import get_minor_version_range
from thinc.api import Config

from .. import __version__
from ..files.atomic import write_file

PROJECT = "spacy-lstm-tagger"
EXTRAS = {
    "spacy-lstm-tagger.LSTMTagger.v1": "train",
    "spacy-lstm-tagger.LSTMEncoder.v1": "train",
    "spacy-lstm-tagger.OnnxTagger.v1": "onnx",
}
"""The extra of this project that each architecture runs with."""

OURS = re.compile(rf"{PROJECT}\[(train|onnx|export)(,(train|onnx|export))*\]>=[\w.]+,<[\w.]+")
"""Requirement that saving writes."""

PLAIN = re.compile(rf"{PROJECT}>=[\w.]+,<[\w.]+")
"""Requirement that `spacy package` writes of a pipeline that an earlier version saved."""

EXTRA_IN_8_BITS = "export"
"""The extra that a model of torch needs with `precision = "int8"`."""


def add_requirement(pipeline: Path) -> None:
    """Let the `meta.json` of a saved pipeline require this project with the extras that it needs.

    pipeline: directory that `Language.to_disk` is writing. One that is no pipeline's, in which a
        component was saved by itself, is left as it is, and so is one in whose requirements
        somebody has named this project otherwise: by a URL, say, or with other extras.
    """
    meta_path = pipeline / "meta.json"
    try:
        meta = srsly.read_json(meta_path)
        extras = sorted(set(needed_extras(_config(pipeline / "config.cfg"))))
        before = meta.get("requirements") or []
    except (OSError, ValueError, AttributeError, ConfigParserError):  # files of something else
        return
    if not extras or not isinstance(before, list) or any(map(_is_by_hand, before)):
        return
    needed = f"{PROJECT}[{','.join(extras)}]{get_minor_version_range(__version__)}"
    after = [each for each in before if not _is_ours(each)] + [needed]
    if after != before:
        write_file(meta_path, srsly.json_dumps({**meta, "requirements": after}, indent=2).encode())


def _config(path: Path) -> Config:
    """Read the config of a pipeline; variables that lead nowhere stay as they are."""
    try:
        return Config().from_disk(path)
    except (ValueError, ConfigParserError):
        return Config().from_disk(path, interpolate=False)


def needed_extras(section: dict[str, Any]) -> Iterator[str]:
    """Yield the extras that the architectures in a section of a config run with."""
    if extra := EXTRAS.get(section.get("@architectures", "")):
        yield EXTRA_IN_8_BITS if section.get("precision") == "int8" else extra
    for value in section.values():
        if isinstance(value, dict):
            yield from needed_extras(value)


def _is_ours(requirement: Any) -> bool:
    """Return whether it is one that an earlier saving wrote."""
    return isinstance(requirement, str) and OURS.fullmatch(requirement) is not None


def _is_by_hand(requirement: Any) -> bool:
    """Return whether it asks for this project in a way that somebody has chosen, such as a URL."""
    name = requirement.lower().replace("_", "-") if isinstance(requirement, str) else ""
    return re.match(rf"{PROJECT}\s*(\[|@|;|$|[<>=~!])", name) is not None and not (
        _is_ours(requirement) or PLAIN.fullmatch(name)
    )

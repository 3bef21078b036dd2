"""What of this project a saved pipeline needs, for the package that `spacy package` makes of it.

`spacy package` finds the projects that a pipeline's functions are from, but not their extras. It
keeps requirements that `meta.json` has. `Language.to_disk` writes that file and the config before
the components, which is when a tagger adds the extra there: whoever made the pipeline, and however
the tagger came into it.
"""

from __future__ import annotations

from collections.abc import Iterator
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

EXTRA_IN_8_BITS = "export"
"""The extra that a model of torch needs with `precision = "int8"`."""


def add_requirement(pipeline: Path) -> None:
    """Let the `meta.json` of a saved pipeline require this project with the extras that it needs.

    pipeline: directory that `Language.to_disk` is writing. One without a config or meta.json, in
        which a component was saved by itself, is left as it is.
    """
    config_path, meta_path = pipeline / "config.cfg", pipeline / "meta.json"
    if not (config_path.is_file() and meta_path.is_file()):
        return
    extras = sorted(set(needed_extras(Config().from_disk(config_path, interpolate=False))))
    meta = srsly.read_json(meta_path)
    before = meta.get("requirements", [])
    needed = f"{PROJECT}[{','.join(extras)}]{get_minor_version_range(__version__)}"
    after = [each for each in before if not _names_extras(each)] + [needed]
    if extras and after != before:
        write_file(meta_path, srsly.json_dumps({**meta, "requirements": after}, indent=2).encode())


def needed_extras(section: dict[str, Any]) -> Iterator[str]:
    """Yield the extras that the architectures in a section of a config run with."""
    if extra := EXTRAS.get(section.get("@architectures", "")):
        yield EXTRA_IN_8_BITS if section.get("precision") == "int8" else extra
    for value in section.values():
        if isinstance(value, dict):
            yield from needed_extras(value)


def _names_extras(requirement: str) -> bool:
    """Return whether it is this project with extras, as an earlier saving wrote it."""
    return requirement.lower().replace("_", "-").startswith(f"{PROJECT}[")

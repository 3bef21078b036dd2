"""The output of a long run in parts: a run that was interrupted goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spacy.tokens import Doc, DocBin

from ..files.atomic import temporary_path, write_file
from ..outputs import known_outputs

OWN = re.compile(r"settings|\d{6,}-\d+\.spacy|\d{6,}-\d+\.skipped\.json|\..*-[0-9a-f]{8}\.tmp")
"""Names of files that a run makes in the directory of the parts."""


def stored_attrs() -> list[str]:
    """Return the token attributes that are stored: all that can be predicted, and spaces."""
    return [*(output.attr for output in known_outputs()), "SPACY"]


def newest_change(path: Path) -> int:
    """Return when a file, or the newest file in a directory, was written; 0 if there is none."""
    files = path.rglob("*") if path.is_dir() else [path]
    return max((file.stat().st_mtime_ns for file in files if file.is_file()), default=0)


class Parts:
    """The output in parts, each written whole or not at all, in the directory `OUTPUT.parts`.

    settings: what makes the output what it is; parts of other settings are refused.
    Raises ValueError if the directory holds parts of another run, or anything else.
    """

    def __init__(self, output: Path, settings: list[Any]) -> None:
        self.output = output
        self.attrs = stored_attrs()
        digest = hashlib.sha256(json.dumps([*settings, self.attrs]).encode()).hexdigest()[:16]
        self.directory = output.with_name(f"{output.name}.parts")
        present = self.directory / "settings"
        if strangers := self._strangers():
            raise ValueError(
                f"{self.directory} has {strangers[:3]}, which are not of an earlier run: the parts "
                "of the output would be written there. Move it, or name another output."
            )
        if self.paths() and (not present.is_file() or present.read_text("utf8") != digest):
            raise ValueError(
                f"{self.directory} holds parts of a run with other teachers, text or settings. "
                "Repeat that run to end it, or remove the directory."
            )
        self.directory.mkdir(exist_ok=True)
        write_file(present, digest.encode())

    def _strangers(self) -> list[str]:
        """Return the names of whatever in the directory is not of an earlier run."""
        if self.directory.exists() and not self.directory.is_dir():
            return [self.directory.name]
        names = [path.name for path in self.directory.glob("*")]
        return sorted(name for name in names if not OWN.fullmatch(name))

    def __len__(self) -> int:
        """Return the number of docs that the parts were made of, skipped ones included."""
        return sum(int(path.stem.split("-")[1]) for path in self.paths())

    def paths(self) -> list[Path]:
        """Return the parts in their order."""
        return sorted(self.directory.glob("*.spacy"))

    def skipped(self) -> list[str]:
        """Return what was said about the docs that were skipped, in their order."""
        found = [_skipped_path(path) for path in self.paths()]
        there = [path.read_text("utf8") for path in found if path.is_file()]
        return [message for text in there for message in json.loads(text)]

    def add(self, docs: list[Doc], skipped: Sequence[str] = ()) -> None:
        """Write one more part.

        skipped: a message about each of the docs that the part lacks.
        """
        part = DocBin(attrs=self.attrs, store_user_data=True, docs=docs)
        path = self.directory / f"{len(self.paths()):06}-{len(docs) + len(skipped)}.spacy"
        if skipped:  # written first: without its part it counts for nothing
            write_file(_skipped_path(path), json.dumps(skipped).encode())
        else:  # left by a process that was killed
            _skipped_path(path).unlink(missing_ok=True)
        write_file(path, part.to_bytes())

    def join(self) -> tuple[int, int]:
        """Join the parts to the output and remove them. Returns the number of docs and words.

        Raises ValueError if there are no docs in them.
        """
        if not self.paths():
            raise ValueError("the text has no docs with words: nothing was written")
        whole = DocBin(attrs=self.attrs, store_user_data=True)
        for path in self.paths():
            whole.merge(DocBin(store_user_data=True).from_disk(path))
        if not len(whole):
            self._remove()
            raise ValueError("all docs were skipped: nothing was written")
        write_file(self.output, whole.to_bytes())
        self._remove()
        return len(whole), sum(len(tokens) for tokens in whole.tokens)

    def _remove(self) -> None:
        # Renamed, and then removed: a run that was killed meanwhile would find some of the parts.
        used = temporary_path(self.directory)
        self.directory.replace(used)
        shutil.rmtree(used)


def _skipped_path(part: Path) -> Path:
    return part.with_suffix(".skipped.json")

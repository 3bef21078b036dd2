"""The output of a long run in parts: a run that was interrupted goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from spacy.tokens import Doc, DocBin

from ..files.atomic import temporary_path, write_file
from ..outputs import known_outputs


def stored_attrs() -> list[str]:
    """Return the token attributes that are stored: all that can be predicted, and spaces."""
    return [*(output.attr for output in known_outputs()), "SPACY"]


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
        if present.is_file() and present.read_text() != digest:
            raise ValueError(
                f"{self.directory} holds parts of a run with other teachers, text or settings. "
                "Repeat that run to end it, or remove the directory."
            )
        strangers = not present.is_file() and any(self.directory.glob("[!.]*"))
        if strangers or (self.directory.exists() and not self.directory.is_dir()):
            raise ValueError(
                f"{self.directory} is not empty, and not of an earlier run: the parts of the "
                "output would be written there. Move it, or name another output."
            )
        self.directory.mkdir(exist_ok=True)
        write_file(present, digest.encode())

    def __len__(self) -> int:
        """Return the number of docs that are there."""
        return sum(int(path.stem.split("-")[1]) for path in self.paths())

    def paths(self) -> list[Path]:
        """Return the parts in their order."""
        return sorted(self.directory.glob("*.spacy"))

    def add(self, docs: list[Doc]) -> None:
        """Write one more part."""
        part = DocBin(attrs=self.attrs, store_user_data=True, docs=docs)
        name = f"{len(self.paths()):06}-{len(docs)}.spacy"
        write_file(self.directory / name, part.to_bytes())

    def join(self) -> tuple[int, int]:
        """Join the parts to the output and remove them. Returns the number of docs and words."""
        whole = DocBin(attrs=self.attrs, store_user_data=True)
        for path in self.paths():
            whole.merge(DocBin(store_user_data=True).from_disk(path))
        write_file(self.output, whole.to_bytes())
        # Renamed, and then removed: a run that was killed meanwhile would find some of the parts.
        used = temporary_path(self.directory)
        self.directory.replace(used)
        shutil.rmtree(used)
        return len(whole), sum(len(tokens) for tokens in whole.tokens)

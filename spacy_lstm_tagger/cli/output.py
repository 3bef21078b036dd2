"""Write what a command makes as a whole or not at all."""

import os
import shutil
from pathlib import Path

from spacy.language import Language
from wasabi import msg


def check_new(directory: Path) -> None:
    """End the command unless the directory can be made."""
    if directory.exists():
        msg.fail(f"{directory} exists already: name a new directory", exits=1)
    if not directory.parent.is_dir():
        msg.fail(f"The directory {directory.parent} does not exist", exits=1)


def save_pipeline(nlp: Language, directory: Path) -> None:
    """Save a pipeline in a new directory, which appears once everything is in it."""
    beside = directory.with_name(f"{directory.name}.tmp")
    shutil.rmtree(beside, ignore_errors=True)  # of a run that was killed
    nlp.to_disk(beside)
    beside.replace(directory)


def write_file(path: Path, data: bytes) -> None:
    """Write a file, which appears, or replaces another, once everything is in it."""
    beside = path.with_name(f"{path.name}.tmp")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)

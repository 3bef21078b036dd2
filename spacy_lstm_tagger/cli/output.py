"""Write what a command makes as a whole or not at all."""

import shutil
from pathlib import Path

from spacy.language import Language
from wasabi import msg

from ..files.atomic import write_file

__all__ = ["check_new", "save_pipeline", "write_file"]


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

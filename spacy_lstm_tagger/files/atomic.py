"""Write a file, or the files of a directory, as a whole or not at all: processes get killed.

The new files of a directory are written into one beside the old ones, which is then renamed: that
is the one moment at which the old files give way. What was renamed but not yet moved into its place
when the process died is moved by the next one that reads or writes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

WRITING, WRITTEN = ".writing", ".written"
"""Names of the directory of new files, before and after all are complete."""


def temporary_path(path: Path) -> Path:
    """Return a path beside another that nobody uses, for what will be moved to the other."""
    return path.with_name(f".{path.name[:64]}-{secrets.token_hex(4)}.tmp")


def write_file(path: Path, data: bytes) -> None:
    """Write a file, which appears, or replaces another, once everything is in it.

    A process that is killed meanwhile leaves a hidden file beside it. Raises OSError if it cannot
    be written.
    """
    temporary = temporary_path(path)
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def replaced_whole(directory: Path) -> Iterator[Path]:
    """Yield a directory; what is written into it replaces the files of the same names.

    After an error inside the context, nothing has changed. Other files stay.
    """
    made = not directory.exists()
    directory.mkdir(exist_ok=True)
    finish_moving(directory)
    beside = directory / WRITING
    shutil.rmtree(beside, ignore_errors=True)  # of a process that was killed
    try:
        beside.mkdir()
        yield beside
        beside.rename(directory / WRITTEN)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        if made:
            with contextlib.suppress(OSError):
                directory.rmdir()
        raise
    finish_moving(directory)


def finish_moving(directory: Path) -> None:
    """Move into their places the files that a killed process left complete.

    Raises ValueError if they are there, but cannot be moved.
    """
    written = directory / WRITTEN
    if not written.is_dir():
        return
    try:
        _move(written, directory)
    except OSError as error:
        raise ValueError(
            f"The last save into {directory} was interrupted when its files were complete in "
            f"{written}, and they cannot be moved into their places. Make the directory "
            f"writable, or move them yourself. ({type(error).__name__}: {error})"
        ) from error


def _move(source: Path, target: Path) -> None:
    """Move all files of a directory, and remove it. Another process may be doing the same."""
    target.mkdir(exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        for path in sorted(source.iterdir()):
            if path.is_dir():
                _move(path, target / path.name)
            else:
                with contextlib.suppress(FileNotFoundError):
                    path.replace(target / path.name)
        source.rmdir()

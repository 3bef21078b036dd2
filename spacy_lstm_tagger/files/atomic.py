"""Write a file, or the files of a directory, atomically: as a whole or not at all.

A process may be killed at any moment. The new files of a directory are therefore written into a
subdirectory, which is then renamed. From that moment on, the new files are valid instead of the
old ones, and they are moved into their places. If the process is killed before that is done, the
next process that reads or writes the directory moves them.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

WRITING, WRITTEN = ".writing", ".written"
"""Names of the subdirectory of new files, before and after all of them are complete."""


def temporary_path(path: Path) -> Path:
    """Return an unused path beside `path`, for a file or directory that will be moved to `path`."""
    return path.with_name(f".{path.name[:64]}-{secrets.token_hex(4)}.tmp")


def write_file(path: Path, data: bytes) -> None:
    """Write a file atomically: it appears, or replaces another, once it is complete.

    A process that is killed meanwhile leaves a hidden file beside it.

    Raises OSError if the file cannot be written.
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
    """Yield a directory whose files replace those of the same names at the end of the context.

    Other files stay. After an error inside the context, nothing has changed.

    directory: directory of the old files; it is made if there is none.
    Raises ValueError if the files of an interrupted save cannot be moved into their places.
    """
    made = not directory.exists()
    directory.mkdir(exist_ok=True)
    finish_moving(directory)
    beside = directory / WRITING
    shutil.rmtree(beside, ignore_errors=True)  # left by a process that was killed
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
    """Move the complete files that a killed process left into their places.

    Raises ValueError if there are such files, but they cannot be moved.
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
    """Move all files of a directory, and remove it. Another process may do so at the same time."""
    target.mkdir(exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        for path in sorted(source.iterdir()):
            if path.is_dir():
                _move(path, target / path.name)
            else:
                with contextlib.suppress(FileNotFoundError):
                    path.replace(target / path.name)
        source.rmdir()

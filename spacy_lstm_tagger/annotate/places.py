"""Files on this machine or in a store that fsspec knows, such as s3://bucket/texts."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..extras import import_extra

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a file that has no room."""

ENDS = 1 << 16

BEHIND = 1 << 30
"""Place of the byte that is locked on Windows, where nobody could read what is locked."""

TEMPORARY = ".tmp"
"""How names of files end that are being written."""


def is_url(path: str) -> bool:
    """Return whether a path is one of fsspec's."""
    return "://" in path


def file_system(path: str) -> tuple[Any, str]:
    """Return the file system of a path, and the path in it.

    Raises ImportError if fsspec, or what it needs for that store, is missing.
    """
    fsspec = import_extra("fsspec", extra="annotate")
    file_system, inside = fsspec.core.url_to_fs(path)
    return file_system, inside


def join(directory: str, *names: str) -> str:
    """Return the path of a file in a directory."""
    if is_url(directory):
        return "/".join([directory.rstrip("/"), *names])
    return os.path.join(directory, *names)


def open_file(path: str) -> Any:
    """Open a file to read its bytes."""
    if not is_url(path):
        return open(path, "rb")
    files, inside = file_system(path)
    return files.open(inside, "rb")


def size(path: str) -> int:
    """Return the number of bytes of a file."""
    if not is_url(path):
        return Path(path).stat().st_size
    files, inside = file_system(path)
    return int(files.size(inside))


def digest_of_ends(path: str) -> str:
    """Return a digest of the first and last bytes of a file, `ENDS` of each."""
    found, n = hashlib.sha256(), size(path)
    with open_file(path) as file:
        found.update(file.read(ENDS))
        file.seek(max(0, n - ENDS))
        found.update(file.read(ENDS))
    return found.hexdigest()[:16]


def exists(path: str) -> bool:
    """Return whether there is a file or directory."""
    if not is_url(path):
        return Path(path).exists()
    files, inside = file_system(path)
    return bool(files.exists(inside))


def names_in(directory: str) -> list[str]:
    """Return the names of whatever is in a directory; none if there is no such directory."""
    if not is_url(directory):
        return sorted(os.listdir(directory)) if Path(directory).is_dir() else []
    files, inside = file_system(directory)
    if not files.isdir(inside):
        return []
    return sorted(str(path).rstrip("/").rpartition("/")[2] for path in files.ls(inside, False))


def make_directory(path: str) -> None:
    """Make a directory and those above it."""
    if not is_url(path):
        Path(path).mkdir(parents=True, exist_ok=True)
        return
    files, inside = file_system(path)
    files.makedirs(inside, exist_ok=True)


def remove(path: str) -> None:
    """Remove a file, if it is there."""
    if not is_url(path):
        Path(path).unlink(missing_ok=True)
        return
    files, inside = file_system(path)
    with contextlib.suppress(FileNotFoundError):
        files.rm_file(inside)


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """Hold a lock on a file, which is made if need be. The lock ends with the process, if killed.

    Stores of fsspec, and file systems without locks, have none: there, nothing is held.
    Raises ValueError if another run holds it.
    """
    if is_url(path):
        yield
        return
    with open(path, "a+", encoding="utf8") as file:
        try:
            _lock(file.fileno())
        except (BlockingIOError, PermissionError):
            file.seek(0)
            raise ValueError(
                f"another run ({file.read().strip() or 'just begun'}) is writing there, and holds "
                f"{path}: wait for its end, or name another directory"
            ) from None
        except OSError:
            pass
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}\n")
        file.flush()
        yield


def _lock(file: int) -> None:
    """Lock an open file, or raise an OSError at once."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file, BEHIND, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def written_whole(path: str, *, synced: bool = False) -> Iterator[Any]:
    """Yield a binary file that appears under its name at the end of the context.

    synced: whether its content is on the disk by then, so that a power cut loses nothing of it.
    After an error inside the context it is gone; a process that is killed meanwhile leaves a file
    whose name begins with a dot and ends in `.tmp`.
    """
    directory, name = path.rsplit("/", 1) if is_url(path) else os.path.split(path)
    temporary = join(directory, f".{name}-{platform.node()}-{os.getpid()}{TEMPORARY}")
    try:
        if is_url(path):
            files, inside = file_system(temporary)
            with files.open(inside, "wb") as file:
                yield file
            files.mv(inside, file_system(path)[1])
        else:
            with open(temporary, "wb") as file:
                yield file
                if synced:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            remove(temporary)
        if isinstance(error, OSError) and error.errno in FULL:
            raise OSError(
                error.errno,
                f"{os.strerror(error.errno)}. Make room, and repeat the command, which goes on "
                "with what is missing",
                path,
            ) from error
        raise

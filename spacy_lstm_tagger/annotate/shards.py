"""Cut the files of a corpus into shards: parts that are read, annotated and written by themselves.

Files of lines are cut at line ends, Parquet files between row groups. Compressed files and `.spacy`
files cannot be cut: each is one shard.
"""

from __future__ import annotations

import contextlib
import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..extras import import_extra
from . import places

BLOCK = 1 << 20
"""Bytes that are read at a time to find line ends."""

LINES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".txt": "txt"}
WHOLE = {".parquet": "parquet", ".pq": "parquet", ".spacy": "spacy"}
COMPRESSED = {".gz": "gzip", ".zst": "zstd"}
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""First bytes of files in UTF-16 and UTF-32."""


@dataclass(frozen=True)
class Shard:
    """Part of a file.

    name: name of its output, without a suffix.
    path: file, on this machine or of fsspec.
    kind: "jsonl", "txt", "parquet" or "spacy".
    start, end: bytes of a file of lines, row groups of a Parquet file; 0 and -1 for a whole file
        that cannot be cut.
    first_row: number of its first record in the file, from 1.
    size: bytes that it has of the file.
    """

    name: str
    path: str
    kind: str
    start: int
    end: int
    first_row: int
    size: int


def kind_of(path: str) -> str | None:
    """Return the kind of a file, as its name says; None for another one."""
    stem, suffix = _split(path.lower())
    if suffix in COMPRESSED:
        return LINES.get(_split(stem)[1])
    return LINES.get(suffix) or WHOLE.get(suffix)


def compression_of(path: str) -> str | None:
    """Return "gzip" or "zstd"; None for a file that is not compressed."""
    return COMPRESSED.get(_split(path.lower())[1])


def find_files(given: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the files of a corpus in their order, and those in its directories that are none.

    given: files, directories and globs. In directories, names that begin with a dot or an
        underscore are not looked at, as other readers of such directories do.
    Raises ValueError for a path where nothing is, for a file of another kind, and for one given
    twice.
    """
    found: list[str] = []
    others: list[str] = []
    for path in given:
        files = list(_expanded(path))
        known = [file for file in files if kind_of(file)]
        if not known:
            raise ValueError(_nothing_there(path, files))
        found += known
        others += [file for file in files if not kind_of(file)]
    for path, times in Counter(found).items():
        if times > 1:
            raise ValueError(f"{path} is given {times} times: name each file once")
    return found, others


def cut(paths: Iterable[str], size: int) -> Iterator[Shard]:
    """Yield the shards of files.

    size: bytes of a shard, about.
    Raises ValueError for a file that is not what its name says.
    """
    number = 0
    for path in paths:
        for start, end, first_row, n_bytes in _parts(path, size):
            kind = kind_of(path) or ""
            yield Shard(f"part-{number:06}", path, kind, start, end, first_row, n_bytes)
            number += 1


def _split(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.rpartition(".")
    return stem, dot + suffix


def _expanded(path: str) -> Iterator[str]:
    """Yield the files that a path means, with slashes on Windows as well: ids are made of them."""
    if not places.is_url(path):
        matches = [path] if Path(path).exists() else sorted(glob.glob(path, recursive=True))
        for match in matches:
            if Path(match).is_dir():
                inner = (file for file in Path(match).rglob("*") if file.is_file())
                seen = [file for file in inner if _is_seen(file.relative_to(match).parts)]
                found = [str(file) for file in sorted(seen, key=lambda file: file.parts)]
            else:
                found = [match]
            yield from (file.replace(os.sep, "/") for file in found)
        return
    files, inside = places.file_system(path)
    matches = [inside] if files.exists(inside) else sorted(files.glob(inside))
    for match in matches:
        for file in sorted(files.find(match)) if files.isdir(match) else [match]:
            if _is_seen(file[len(match) :].split("/")):
                yield files.unstrip_protocol(file)


def _is_seen(parts: Iterable[str]) -> bool:
    return not any(part.startswith((".", "_")) for part in parts)


def _nothing_there(path: str, files: list[str]) -> str:
    kinds = ", ".join([*LINES, *WHOLE])
    compressed = " and ".join(COMPRESSED)
    if not files:
        return f"there is nothing at {path}: name files, directories or globs"
    return (
        f"{files[0]} is none of {kinds} (lines also with {compressed}), as its name says. Rename "
        "it, or convert it to JSONL"
    )


def _parts(path: str, size: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the start, the end, the first row and the bytes of each part of a file."""
    kind, n_bytes = kind_of(path), places.size(path)
    if kind == "parquet":
        yield from _row_groups(path, size)
    elif kind == "spacy" or compression_of(path):
        if n_bytes:
            yield 0, -1, 1, n_bytes
    else:
        yield from _lines(path, size)


def _lines(path: str, size: int) -> Iterator[tuple[int, int, int, int]]:
    start = position = 0
    row = first_row = 1
    with places.open_file(path) as file:
        while block := file.read(BLOCK):
            if position == 0 and block.startswith(WIDE_MARKS):
                raise ValueError(
                    f"{path} begins with the bytes {block[:4]!r}, as text in UTF-16 or UTF-32 "
                    "does. Save it in UTF-8, or convert it: iconv -f UTF-16 -t UTF-8"
                )
            offset = 0
            # the first line end at which the shard is large enough
            while (end := block.find(b"\n", max(offset, start + size - position - 1))) >= 0:
                row += block.count(b"\n", offset, end + 1)
                yield start, position + end + 1, first_row, position + end + 1 - start
                start, first_row, offset = position + end + 1, row, end + 1
            row += block.count(b"\n", offset)
            position += len(block)
    if position > start:
        yield start, position, first_row, position - start


def _row_groups(path: str, size: int) -> Iterator[tuple[int, int, int, int]]:
    with open_parquet(path) as parquet:
        whole = parquet.metadata
    start, n_bytes, row, first_row = 0, 0, 1, 1
    n_groups = whole.num_row_groups
    for group in range(n_groups):
        metadata = whole.row_group(group)
        n_bytes += metadata.total_byte_size
        row += metadata.num_rows
        if n_bytes >= size or group == n_groups - 1:
            if row > first_row:
                yield start, group + 1, first_row, n_bytes
            start, n_bytes, first_row = group + 1, 0, row


@contextlib.contextmanager
def open_parquet(path: str) -> Iterator[Any]:
    """Open a Parquet file. Raises ValueError if it is none, or damaged."""
    pyarrow = import_extra("pyarrow", extra="annotate")
    parquet = import_extra("pyarrow.parquet", extra="annotate")
    try:
        with places.open_file(path) as file:
            yield parquet.ParquetFile(file)
    except pyarrow.ArrowException as error:
        raise ValueError(f"{path} is no Parquet file, or damaged: {error}") from error

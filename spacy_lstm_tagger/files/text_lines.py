"""Texts from files of lines: plain text and JSONL, as they come from other programs.

A bad line costs nothing but itself: it is reported with its number, and the next one is read.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

OnError = Callable[[str], None]
"""Function that is told which record cannot be used and why; reading goes on if it returns."""

KINDS = (".txt", ".jsonl")
BYTE_ORDER_MARK = "\ufeff"
SHOWN = 60
"""Number of characters of a wrong value that an error shows."""

GZIP_ERRORS = (gzip.BadGzipFile, EOFError, zlib.error)
WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""How JSON writes half of a surrogate pair; two of them may be a pair."""

# surrogateescape reads a byte that is not UTF-8 as half of a surrogate pair, from here on
FIRST_ESCAPE = 0xDC00


def read_texts(path: Path, kind: str, on_error: OnError) -> Iterator[tuple[int, str]]:
    """Yield the number of each line and its text; lines without a word are left out.

    kind: one of `KINDS`. Texts of ".txt" are stripped of white space.
    on_error: told of each line that is not in UTF-8, or holds no text.
    Raises ValueError if the file as a whole cannot be read.
    """
    parse = _plain_text if kind == ".txt" else _json_text
    number = 0
    try:
        with open_lines(path) as file:
            for number, line in enumerate(file, start=1):
                try:
                    text = parse(checked_line(line))
                except ValueError as error:
                    on_error(f"{path}, line {number}: {error}")
                    continue
                if text.strip():
                    yield number, text
    except GZIP_ERRORS as error:
        raise ValueError(
            f"{path} cannot be read after line {number}: it is damaged, or no gzip file. "
            f"({type(error).__name__}: {error})"
        ) from error


@contextlib.contextmanager
def open_lines(path: Path) -> Iterator[TextIO]:
    """Open a file whose bytes that are not UTF-8 become halves of surrogate pairs."""
    open_binary: Callable[..., Any] = gzip.open if path.suffix.lower() == ".gz" else open
    with open_binary(path, "rb") as raw:
        head = raw.peek(4)[:4]
        if head.startswith(WIDE_MARKS) or b"\0" in head:
            raise ValueError(
                f"{path} cannot be read: it begins with the bytes {head!r}, as text in UTF-16 or "
                "UTF-32 does. Save it in UTF-8, or convert it: iconv -f UTF-16 -t UTF-8"
            )
        with io.TextIOWrapper(raw, encoding="utf-8", errors="surrogateescape") as file:
            yield file


def checked_line(line: str) -> str:
    """Return a line of `open_lines`, without a byte order mark.

    Raises ValueError if it was not in UTF-8, or has halves of surrogate pairs.
    """
    line = line.removeprefix(BYTE_ORDER_MARK)
    try:
        line.encode()
    except UnicodeEncodeError as error:
        code = ord(line[error.start]) - FIRST_ESCAPE
        what = f"the byte 0x{code:02X}" if 0x80 <= code <= 0xFF else "half of a surrogate pair"
        raise ValueError(f"not in UTF-8: {what} is its character {error.start + 1}") from None
    return line


def _plain_text(line: str) -> str:
    return line.strip()


def _json_text(line: str) -> str:
    """Return the text of a JSON object; "" for an empty line. Raises ValueError if it has none."""
    text = json_record(line, "text")[0] if line.strip() else ""
    return text.removeprefix(BYTE_ORDER_MARK)


def json_record(line: str, key: str) -> tuple[str, dict[str, Any]]:
    """Return the text of a JSON object, and all that it has.

    key: the key of the text.
    Raises ValueError if it is no JSON object, or has no text that is one in Unicode.
    """
    form = f'not a JSON object with the key "{key}"'
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{form} ({type(error).__name__}: {error})") from None
    if not isinstance(record, dict):
        raise ValueError(f"{form}, but {_shown(record)}")
    if key not in record:
        raise ValueError(f"{form}; its keys are {_shown(list(record))}")
    if ESCAPED_HALF.search(line):  # it may be in another value, or in a key
        checked_line(json.dumps(record, ensure_ascii=False))
    return checked_text(record[key], key), record


def checked_text(value: object, key: str) -> str:
    """Return a value as it is. Raises ValueError if it is no text in Unicode."""
    if not isinstance(value, str):
        raise ValueError(f'"{key}" is {_shown(value)}, but must be a string, in quotes')
    checked_line(value)
    return value


def _shown(value: object) -> str:
    text = json.dumps(
        value, default=str
    )  # the names of JSON, such as null, and no letters but ASCII
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"

"""What commands print: messages on standard error, because the output may be going to a file."""

from __future__ import annotations

import errno
import os
import sys

import typer


def write_output(text: str) -> None:
    """Print text on standard output. What its encoding lacks becomes "?", as in spaCy's tables.

    If whoever reads the output has gone (`... | head -1`), the command ends without a message.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        print(text.encode(encoding, "replace").decode(encoding), flush=True)
    except OSError as error:
        if not _is_broken_pipe(error):
            raise
        # Python flushes standard output once more at its end, which must not fail again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None


def good(text: str) -> None:
    """Say what has been done."""
    _write("✔", text, "green")


def info(text: str) -> None:
    """Say what is worth knowing."""
    _write("ℹ", text, "blue")


def warn(text: str) -> None:
    """Say what may not be as it should be."""
    _write("⚠", text, "yellow")


def bad(text: str) -> None:
    """Say what is wrong, in one line."""
    _write("✘", " ".join(text.split()), "red")


def note(text: str) -> None:
    """Say more on the message before."""
    _write(" ", text, None)


def _write(sign: str, text: str, color: str | None) -> None:
    try:
        typer.secho(f"{sign} {text}", fg=color, err=True)
    except OSError as error:  # if nobody listens, the work goes on
        if not _is_broken_pipe(error):
            raise


def _is_broken_pipe(error: OSError) -> bool:
    """Return whether whoever read what is written has gone: on Windows, the argument is invalid."""
    return isinstance(error, BrokenPipeError) or error.errno == errno.EINVAL

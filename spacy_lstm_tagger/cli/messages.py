"""Messages of commands: on standard error, because the output may be going to a file."""

from __future__ import annotations

import typer


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
    typer.echo(f"  {text}", err=True)


def _write(sign: str, text: str, color: str) -> None:
    typer.secho(f"{sign} {text}", fg=color, err=True)

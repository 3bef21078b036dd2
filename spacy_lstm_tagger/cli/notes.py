"""Lines on standard error about what a command did; standard output is for data."""

from __future__ import annotations

import typer


def good(message: str) -> None:
    """Say that something is done."""
    typer.secho(f"✔ {message}", fg="green", err=True)


def note(message: str) -> None:
    """Say something that the user should know."""
    typer.secho(f"ℹ {' '.join(message.split())}", fg="blue", err=True)

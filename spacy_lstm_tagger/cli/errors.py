"""End a command with one line and exit code 1 if input or environment are at fault."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NoReturn

from . import messages


def fail(message: str) -> NoReturn:
    """End the command with one line on standard error: the output may be going to a file."""
    messages.bad(message)
    raise SystemExit(1)


@contextlib.contextmanager
def failing_in_one_line(task: str) -> Iterator[None]:
    """End the command with one line if anything inside the context is wrong for a known reason.

    task: what cannot be done, for the beginning of the line.
    """
    try:
        yield
    except (ImportError, OSError, ValueError) as error:
        fail(f"{task}: {error}")
    except Exception as error:  # whatever a component of the pipeline raises
        fail(f"{task}: {type(error).__name__}: {error}")

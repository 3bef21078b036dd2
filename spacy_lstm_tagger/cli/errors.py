"""End a command with one line if input or environment are at fault, or if it is interrupted."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any, NoReturn

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


class _Terminated(KeyboardInterrupt):
    """SIGTERM, as an exception."""


@contextlib.contextmanager
def interruptible(message: str) -> Iterator[None]:
    """End the command with one line at Ctrl-C or SIGTERM, with exit code 130 or 143.

    message: what becomes of the work.
    In a thread other than the main one, where Python delivers no signals, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(*_: Any) -> NoReturn:
        raise _Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except KeyboardInterrupt as error:
        messages.bad(f"Interrupted: {message}")
        number = signal.SIGTERM if isinstance(error, _Terminated) else signal.SIGINT
        raise SystemExit(128 + number) from None
    finally:
        signal.signal(signal.SIGTERM, before)

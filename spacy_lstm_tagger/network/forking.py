"""Prepare torch for forks of the process, as `nlp.pipe(n_process=2)` makes them.

A forked process has one thread, and copies of all locks that the threads of its parent held.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import torch

LONGEST_WAIT = 1.0
"""Longest wait before a fork, in seconds. The id of an ended thread may have been reused."""

_computed: set[int] = set()
"""System ids of the threads that have computed with torch."""


def note_thread() -> None:
    """Register this thread as computing with torch: a fork waits for it while it is ending."""
    _computed.add(threading.get_native_id())


def _wait_for_ended_threads() -> None:
    """Wait until threads that have ended for Python have ended for the system, too.

    In between, MKL frees their memory under a lock. A process that is forked meanwhile inherits the
    held lock, and waits forever in its first matrix product.
    """
    alive = {thread.native_id for thread in threading.enumerate()}
    ended = _computed - alive
    _computed.intersection_update(alive)
    end = time.monotonic() + LONGEST_WAIT
    while any(Path(f"/proc/self/task/{thread}").exists() for thread in ended):
        if time.monotonic() > end:
            break
        time.sleep(0.0005)


def _use_one_thread() -> None:
    """Limit torch to one thread in a forked process.

    The process inherits torch's thread pool without its threads, and would hang in it.
    Source: https://github.com/pytorch/pytorch/issues/17199
    """
    _computed.clear()
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_wait_for_ended_threads, after_in_child=_use_one_thread)

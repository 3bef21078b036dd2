"""What torch needs before and after a process forks, as `nlp.pipe(n_process=2)` does.

A forked process has one thread, and copies of what any thread of its parent had locked.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import torch

LONGEST_WAIT = 1.0
"""Most seconds to wait before a fork. A thread's id may have been given to another since."""

_computed: set[int] = set()
"""System ids of the threads that have computed with torch."""


def note_thread() -> None:
    """Note that this thread computes with torch, to be waited for before a fork once it ends."""
    _computed.add(threading.get_native_id())


def _wait_for_ended_threads() -> None:
    """Wait until threads that have ended for Python have ended for the system, too.

    In between, MKL gives back their memory under a lock. A process that is forked meanwhile finds
    it locked, and waits in its first matrix product forever.
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
    """A forked process inherits torch's thread pool without its threads, and would hang in it.

    https://github.com/pytorch/pytorch/issues/17199
    """
    _computed.clear()
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_wait_for_ended_threads, after_in_child=_use_one_thread)

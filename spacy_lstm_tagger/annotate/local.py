"""Annotate shards in processes of this machine."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for_end
from typing import Any

import spacy

from .annotation import Annotator
from .job import Job
from .shards import Shard
from .work import Counts, annotate_shard, own_session

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables that decide how many threads libraries use."""

MOST_ON_WINDOWS = 61
"""Processes of a pool, whose ends Windows can wait for."""

_loaded: dict[str, Any] = {}
"""What a worker has loaded."""


def n_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # fewer than there are, in many containers
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def annotate_locally(
    job: Job, shards: Sequence[Shard], processes: int
) -> Generator[tuple[Shard, Counts], None, None]:
    """Annotate shards in processes of one thread each; yield each shard that is done.

    Raises ValueError if a worker is killed, or whatever annotating a shard raises; what is done
    stays done.
    """
    context = multiprocessing.get_context("spawn")
    if sys.platform == "win32":
        processes = min(processes, MOST_ON_WINDOWS)
    with _one_thread_each(), contextlib.ExitStack() as stack:
        pool = ProcessPoolExecutor(processes, context, _start_worker, (job.without_shards(),))
        stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        waiting = iter(shards)
        running: dict[Future[Counts], Shard] = {}
        try:
            while True:
                # few at a time: what waits in the pool would be done before an error is seen
                while len(running) < 2 * processes and (shard := next(waiting, None)):
                    with _interrupts_waiting():
                        running[pool.submit(_work, shard)] = shard
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()
        except BrokenProcessPool as error:
            raise ValueError(
                "a worker was killed, perhaps because the memory was full. Repeat the command, "
                "which goes on with what is missing, with fewer --processes if so"
            ) from error
        except BaseException:
            for process in list((pool._processes or {}).values()):
                process.terminate()
            raise


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that are started inside the context use one thread."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _interrupts_waiting() -> Iterator[None]:
    """Let Ctrl-C wait for the end of the context, and not reach processes that are started in it.

    A terminal sends it to workers as well, which would each print a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker(job: Job) -> None:
    """Load the pipeline; end with the process that started this one."""
    own_session()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # this process is ended by the one that started it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _loaded["job"] = job
    _loaded["annotator"] = Annotator(spacy.load(job.model), job.options.attributes)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for_end([parent.sentinel])
        os._exit(1)


def _work(shard: Shard) -> Counts:
    job: Job = _loaded["job"]
    return annotate_shard(
        shard, job.output, job.options, _loaded["annotator"], job.schema, job.batch_size
    )

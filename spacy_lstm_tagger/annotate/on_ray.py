"""Annotate shards on Ray, on one machine or a cluster. Ray distributes shards, not documents."""

from __future__ import annotations

import contextlib
import logging
import queue
import signal
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import spacy

from ..extras import import_extra
from .annotation import Annotator
from .job import Job
from .shards import Shard
from .work import Counts, annotate_shard, own_session


def annotate_on_ray(
    job: Job,
    shards: Sequence[Shard],
    actors: int,
    *,
    address: str | None = None,
    gpus: float = 0,
    limit: float = 3600,
) -> Generator[tuple[Shard, Counts], None, None]:
    """Annotate shards in a pool of actors; yield each shard that is done.

    actors: their number; 0: one for each CPU that Ray has.
    address: of a cluster; None for this machine.
    gpus: GPUs of each actor.
    limit: seconds without a shard that ends after which the job is given up.
    Raises ImportError if Ray is missing, ValueError if the limit is reached or a shard fails.
    """
    ray = import_extra("ray", extra="ray")
    data = import_extra("ray.data", extra="ray")
    if started := not ray.is_initialized():
        on_sigterm = signal.getsignal(signal.SIGTERM)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        # Ray's own would end the command with exit code 15; outside of the main thread it sets none
        with contextlib.suppress(ValueError):
            signal.signal(signal.SIGTERM, on_sigterm)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = data.DataContext.get_current()
    context.enable_progress_bars = False
    actors = actors or int(ray.cluster_resources().get("CPU", 1))
    items = data.from_items(
        [{"shard": asdict(shard)} for shard in shards], override_num_blocks=len(shards)
    )
    done = items.map(
        ShardAnnotator,
        fn_constructor_args=(job.without_shards(), gpus > 0),
        compute=data.ActorPoolStrategy(size=min(actors, len(shards))),
        num_cpus=1,
        **({"num_gpus": gpus} if gpus else {}),
    )
    try:
        for row in within(limit, done.iter_rows()):
            if "error" in row:
                raise ValueError(row["error"])
            yield Shard(**row["shard"]), Counts(**row["counts"])
    finally:
        if started:
            ray.shutdown()


def within(limit: float, rows: Iterator[Any]) -> Iterator[Any]:
    """Yield rows; raise ValueError if the next one takes more seconds than a limit."""
    found: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def read() -> None:
        try:
            for row in rows:
                found.put(("row", row))
            found.put(("end", None))
        except BaseException as error:  # for the thread that waits
            found.put(("error", error))

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            what, value = found.get(timeout=limit)
        except queue.Empty:
            raise ValueError(
                f"no shard has ended for {limit:g} seconds. Look at the cluster (`ray status`: "
                "are there as many CPUs and GPUs as the actors need?), and repeat the command, "
                "which goes on with what is missing; if a shard takes longer, raise --stall-limit, "
                "or cut smaller ones (--shard-size)"
            ) from None
        if what == "error":
            raise value
        if what == "end":
            return
        yield value


class ShardAnnotator:
    """Actor that has loaded the pipeline once.

    gpu: whether to load it on the GPU that Ray has given the actor. Needs cupy.
    """

    def __init__(self, job: Job, gpu: bool = False) -> None:
        if gpu:
            spacy.require_gpu()
        self.job = job
        own_session()
        self.annotator = Annotator(spacy.load(job.model), job.options.attributes)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Annotate a shard, and return it with its counts, or the error."""
        job, shard = self.job, Shard(**row["shard"])
        try:
            counts = annotate_shard(
                shard, job.output, job.options, self.annotator, job.schema, job.batch_size
            )
        except (ValueError, OSError) as error:  # those that local processes say in a line
            return {"error": str(error)}
        return {"shard": row["shard"], "counts": asdict(counts)}

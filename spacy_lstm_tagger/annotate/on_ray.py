"""Annotate shards on Ray, on one machine or a cluster. Ray distributes shards, not documents."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import asdict
from typing import Any

import spacy

from ..extras import import_extra
from .annotation import Annotator
from .job import Job
from .shards import Shard
from .work import Counts, annotate_shard


def annotate_on_ray(
    job: Job, shards: Sequence[Shard], actors: int, *, address: str | None, gpus: float
) -> Generator[tuple[Shard, Counts], None, None]:
    """Annotate shards in a pool of actors; yield each shard that is done.

    address: of a cluster; None for this machine.
    gpus: GPUs of each actor.
    Raises ImportError if Ray is missing.
    """
    ray = import_extra("ray", extra="ray")
    data = import_extra("ray.data", extra="ray")
    if started := not ray.is_initialized():
        ray.init(address=address, log_to_driver=False)
    context = data.DataContext.get_current()
    context.enable_progress_bars = False
    items = data.from_items(
        [{"shard": asdict(shard)} for shard in shards], override_num_blocks=len(shards)
    )
    done = items.map(
        ShardAnnotator,
        fn_constructor_args=(job, gpus > 0),
        compute=data.ActorPoolStrategy(size=actors),
        num_cpus=1,
        **({"num_gpus": gpus} if gpus else {}),
    )
    try:
        for row in done.iter_rows():
            yield Shard(**row["shard"]), Counts(**row["counts"])
    finally:
        if started:
            ray.shutdown()


class ShardAnnotator:
    """Actor that has loaded the pipeline once.

    gpu: whether to load it on the GPU that Ray has given the actor. Needs cupy.
    """

    def __init__(self, job: Job, gpu: bool = False) -> None:
        if gpu:
            spacy.require_gpu()
        self.job = job
        self.annotator = Annotator(spacy.load(job.model), job.options.attributes)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Annotate a shard, and return it with its counts."""
        job, shard = self.job, Shard(**row["shard"])
        counts = annotate_shard(
            shard, job.output, job.options, self.annotator, job.schema, job.batch_size
        )
        return {"shard": row["shard"], "counts": asdict(counts)}

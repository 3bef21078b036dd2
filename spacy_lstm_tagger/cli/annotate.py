"""`python -m spacy lstm-tagger annotate`: annotate a corpus of any size."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import typer
from tqdm import tqdm

from ..annotate.annotation import COLUMNS, Annotator, Options
from ..annotate.job import MANIFEST, Job, open_job
from ..annotate.local import annotate_locally, n_cores
from ..annotate.on_ray import annotate_on_ray
from ..annotate.shards import Shard
from ..annotate.work import Counts, own_path
from ..annotate.writers import KINDS
from ..extras import import_extra
from ..pipeline.kept_probabilities import add_extensions
from . import lstm_tagger_cli, messages
from .columns import aligned
from .errors import fail, failing_in_one_line, interruptible
from .pipelines import load_pipeline

ENGINES = ("local", "ray")
GOES_ON = "what is written stays, and the same command goes on with what is missing"


@lstm_tagger_cli.command("annotate")
def annotate_cli(
    model: str = typer.Argument(..., help="Name or path of a trained pipeline, of any kind"),
    paths: list[str] = typer.Argument(
        ...,
        metavar="IN... OUT",
        help="Files, directories or globs of Parquet, JSONL, text (a text a line; both also with "
        ".gz or .zst) or .spacy; then the directory to write. All may be of fsspec: s3://...",
    ),
    to: str = typer.Option("parquet", "--to", help=f"What to write: {', '.join(KINDS)}"),
    text_column: str = typer.Option("text", "--text-column", help="Column of the texts"),
    id_column: str | None = typer.Option(
        None, "--id-column", help='Column of their ids; "id" if there is one, or made of file:row'
    ),
    attributes: str = typer.Option(
        "tag",
        "--attributes",
        "-a",
        help=f"What to write of tokens, some of {','.join(COLUMNS)}",
    ),
    engine: str = typer.Option("local", "--engine", "-e", help="local, or ray"),
    processes: int = typer.Option(
        0, "--processes", "-n", help="Processes or actors; 0: one for each core"
    ),
    address: str | None = typer.Option(None, "--address", help="Address of a Ray cluster"),
    gpus: float = typer.Option(0.0, "--gpus", help="GPUs of each actor of Ray"),
    stall_limit: float = typer.Option(
        3600.0,
        "--stall-limit",
        help="Seconds without a shard that ends after which a job on Ray is given up",
    ),
    shard_size: float = typer.Option(
        0.0,
        "--shard-size",
        help="Megabytes of input in a shard; 0: 1 to 16, so that each process has several",
    ),
    batch_size: int = typer.Option(1000, "--batch-size", "-b", help="Texts in a batch"),
    plan: bool = typer.Option(
        False, "--plan", help="Only cut the shards, and list them in OUT/_annotate/manifest.json"
    ),
    strict: bool = typer.Option(
        False, "--strict", help="End at the first shard with a record that cannot be used"
    ),
) -> None:
    """Annotate a corpus: files in, files out, each core at work, and resumable.

    The input is cut into shards, each of which is read, annotated and written by itself. A run
    that was interrupted goes on with the shards that are missing when the command is repeated.
    Columns of the input are kept. Records that cannot be used are listed in OUT/_annotate; the
    exit code is then 2.
    """
    *inputs, output = paths
    if not inputs:
        fail("name files to annotate, and behind them the directory to write")
    if to not in KINDS:
        fail(f"--to is '{to}', but must be one of {', '.join(KINDS)}")
    if engine not in ENGINES:
        fail(f"--engine is '{engine}', but must be one of {', '.join(ENGINES)}")
    if shard_size < 0 or batch_size < 1 or processes < 0 or gpus < 0 or stall_limit <= 0:
        fail(
            "--shard-size, --processes and --gpus must be 0 or more, --batch-size at least 1, "
            "--stall-limit above 0"
        )
    if output.startswith("memory:"):
        fail(
            f"OUT is '{output}', the memory of one process, but each worker has its own: name a "
            "directory, or a store that all processes reach, such as s3://bucket/tagged"
        )
    add_extensions()
    with interruptible(GOES_ON), failing_in_one_line("Cannot annotate"):
        if engine == "ray":
            import_extra("ray", extra="ray")  # raises an error before the work, not after it
        nlp = load_pipeline(model)
        named = filter(None, (name.strip() for name in attributes.split(",")))
        wanted = tuple(dict.fromkeys(named))
        Annotator(nlp, wanted)  # so does this
        with open_job(
            *(str(nlp.path) if Path(model).exists() else model, nlp, inputs, output),
            Options(to, text_column, id_column, wanted),
            shard_size=max(1, round(shard_size * 1e6)) if shard_size else None,
            batch_size=batch_size,
            processes=processes or n_cores(),
        ) as (job, others):
            if others:
                messages.info(f"Left out {len(others)} files of other kinds, such as {others[0]}")
            if plan:
                where = own_path(output, MANIFEST)
                messages.good(f"Planned {len(job.shards)} shards in {where}")
                return
            left = job.left()
            before = [shard for shard in job.shards if shard not in set(left)]
            for shard in before if strict else ():
                _check(job, shard, job.counts([shard]))
            if not left:
                messages.good(f"{output} is complete already")
            start, now = time.perf_counter(), Counts()
            if left:
                runs = (
                    annotate_on_ray(
                        job, left, processes, address=address, gpus=gpus, limit=stall_limit
                    )
                    if engine == "ray"
                    else annotate_locally(job, left, min(processes or n_cores(), len(left)))
                )
                with contextlib.closing(runs):
                    now = _run(job, runs, left, strict)
            total = _report(job, now, job.counts(before), time.perf_counter() - start)
    if total.bad:
        raise SystemExit(2)


def _run(job: Job, runs: Iterator[tuple[Shard, Counts]], left: list[Shard], strict: bool) -> Counts:
    """Let an engine do the shards that are left; return what it did."""
    total, start = Counts(), time.perf_counter()
    size = sum(shard.size for shard in left)
    with tqdm(total=size, unit="B", unit_scale=True, disable=None) as progress:
        for shard, counts in runs:
            total += counts
            a_second = total.words / (time.perf_counter() - start)
            progress.set_postfix_str(f"{total.docs:,} docs, {a_second:,.0f} words/s")
            progress.update(shard.size)
            if strict:
                _check(job, shard, counts)
    return total


def _check(job: Job, shard: Shard, counts: Counts) -> None:
    """Raise ValueError if a shard that is done has records that cannot be used."""
    if counts.bad:
        bad = own_path(job.output, f"{shard.name}.bad.jsonl")
        raise ValueError(
            f"{counts.bad} records of {shard.path} cannot be used, see {bad}. Without --strict, "
            "the same command goes on"
        )


def _report(job: Job, now: Counts, before: Counts, seconds: float) -> Counts:
    """Say what was done, now and before; return all of it."""
    rows = [
        ("now", f"{now.docs:,}", f"{now.words:,}", f"{now.bad:,}"),
        ("before", f"{before.docs:,}", f"{before.words:,}", f"{before.bad:,}"),
    ]
    shown = rows if before.docs or before.bad else rows[:1]
    messages.write_output(aligned(["", "Documents", "Tokens", "Not usable"], shown))
    if now.words:
        messages.info(f"{now.words / seconds:,.0f} tokens a second, start of processes included")
    total = now + before
    if total.bad:
        where = own_path(job.output, "*.bad.jsonl")
        messages.warn(f"{total.bad:,} records cannot be used: {where} says which, and why")
    messages.good(f"Wrote {len(job.shards)} shards to {job.output}")
    return total

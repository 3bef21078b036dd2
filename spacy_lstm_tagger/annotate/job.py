"""A job: which shards there are, what is done, and whether a directory holds the same job."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from spacy.language import Language

from . import places
from .annotation import Options
from .columns import Columns, common_schema, with_id_column
from .shards import Shard, cut, find_files, kind_of
from .work import OWN, Counts, output_path, own_path

MANIFEST, LOCK = "manifest.json", "lock"
SHARD_SIZES = (1_000_000, 16_000_000)
"""Bytes that shards have at least and at most if nothing else is asked for, about."""

SHARDS_OF_A_PROCESS = 8
"""So many, or more, so that processes end at about the same time."""


@dataclass(frozen=True)
class Job:
    """All that engines need.

    model: name or path that the pipeline is loaded by.
    schema: Arrow schema of the records, for Parquet; otherwise None.
    """

    model: str
    output: str
    options: Options
    shards: tuple[Shard, ...]
    schema: Any
    batch_size: int

    def left(self) -> list[Shard]:
        """Return the shards whose output, or what was counted in it, is not there."""
        there = set(places.names_in(self.output))
        counted = set(places.names_in(places.join(self.output, OWN)))
        return [
            shard
            for shard in self.shards
            if Path(output_path("", shard, self.options)).name not in there
            or f"{shard.name}.json" not in counted
        ]

    def without_shards(self) -> Job:
        """Return the job as workers need it, who are told their shards one by one."""
        return replace(self, shards=())

    def counts(self, shards: Sequence[Shard]) -> Counts:
        """Return what was done in shards whose output is there."""
        total = Counts()
        for shard in shards:
            with places.open_file(own_path(self.output, f"{shard.name}.json")) as file:
                total += Counts(**json.loads(file.read()))
        return total


@contextlib.contextmanager
def open_job(
    model: str,
    nlp: Language,
    inputs: Sequence[str],
    output: str,
    options: Options,
    *,
    shard_size: int | None,
    batch_size: int,
    processes: int = 1,
) -> Iterator[tuple[Job, list[str]]]:
    """Begin a job, or go on with the one that an output directory has, which is locked meanwhile.

    nlp: the pipeline, loaded.
    shard_size: bytes of a shard, about; None: those of the job that the directory has, or as many
        as give each process `SHARDS_OF_A_PROCESS`, within `SHARD_SIZES`.
    Yields the job, and files in input directories that are none to annotate.
    Raises ValueError if the directory holds another job or other files, if another run is at work
    on it, or if the inputs do not fit.
    """
    _check_output(output, inputs)
    files, others = find_files(inputs)
    kinds = {kind_of(file): file for file in files}
    if len(kinds) > 1:
        shown = " and ".join(f"{file} ({kind})" for kind, file in kinds.items())
        raise ValueError(f"the files are of several kinds, {shown}: annotate each kind by itself")
    columns = {file: Columns(file, options) for file in files}
    options = with_id_column(options, columns)
    about: dict[str, Any] = {
        "model": _digest(nlp),
        "options": {**asdict(options), "attributes": list(options.attributes)},
        "inputs": [[file, places.size(file), places.digest_of_ends(file)] for file in files],
    }
    schema = common_schema(columns, options) if options.kind == "parquet" else None
    manifest, shards = own_path(output, MANIFEST), list[Shard]()
    if not places.exists(manifest):
        if names := [name for name in places.names_in(output) if name != OWN]:
            raise ValueError(
                f"{output} has {names[0]}, but nothing of an earlier run: name a new directory"
            )
        n_bytes = sum(n for _, n, _ in about["inputs"])
        least, most = SHARD_SIZES
        fitting = min(max(n_bytes // (processes * SHARDS_OF_A_PROCESS), least), most)
        about["shard_size"] = shard_size or fitting
        shards = list(cut(files, about["shard_size"]))
    places.make_directory(places.join(output, OWN))
    with places.locked(own_path(output, LOCK)):
        if places.exists(manifest):
            with places.open_file(manifest) as file:
                before = json.loads(file.read())
            about["shard_size"] = shard_size or before.get("shard_size")
            _check_same(output, before, about)
            shards = [Shard(**shard) for shard in before["shards"]]
        else:
            listed = {**about, "shards": [asdict(shard) for shard in shards]}
            with places.written_whole(manifest) as file:
                file.write(json.dumps(listed, indent=1).encode())
        _remove_leftovers(output)
        try:
            yield Job(model, output, options, tuple(shards), schema, batch_size), others
        finally:
            with contextlib.suppress(OSError):  # the next run removes them
                _remove_leftovers(output)


def _check_output(output: str, inputs: Sequence[str]) -> None:
    """Raise ValueError if an output is a file, or would be read with the input the next time."""
    if places.is_url(output):
        return
    path = Path(output).resolve()
    if path.is_file():
        raise ValueError(f"{output} is a file: name the directory to write behind the input")
    for given in inputs:
        inside = not places.is_url(given) and path.is_relative_to(Path(given).resolve())
        if inside and Path(given).is_dir():
            raise ValueError(
                f"{output} is in {given}, and would be read with it the next time: name a "
                "directory beside it"
            )


def _digest(nlp: Language) -> str:
    """Return what tells a pipeline from others: its name and a digest of its files."""
    found = hashlib.sha256()
    directory = nlp.path
    files = sorted(directory.rglob("*"), key=lambda path: path.parts) if directory else []
    for path in files:
        if path.is_file() and "__pycache__" not in path.parts:
            found.update(path.relative_to(directory).as_posix().encode())
            found.update(path.read_bytes())
    name = f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}"
    return f"{name}, sha256 {found.hexdigest()[:16]}"


def _check_same(output: str, before: dict[str, Any], about: dict[str, Any]) -> None:
    """Raise ValueError, which says what differs, if an output directory holds another job."""
    for key, value in about.items():
        if before.get(key) != value:
            was, is_ = (json.dumps(one, ensure_ascii=False) for one in (before.get(key), value))
            if key in ("options", "inputs"):
                was, is_ = _difference(before.get(key), value)
            raise ValueError(
                f"{output} holds a job with another '{key}': {was}, now {is_}. Repeat that command "
                "to end it, or name a new directory"
            )


def _difference(before: Any, now: Any) -> tuple[str, str]:
    if isinstance(now, dict):
        pairs = [(f"{key} = {before.get(key)}", f"{key} = {now[key]}") for key in now]
    else:
        size = max(len(before), len(now))
        padded = ([*one, *["nothing"] * (size - len(one))] for one in (before, now))
        pairs = [(f"{a}", f"{b}") for a, b in zip(*padded, strict=True)]
    return next((pair for pair in pairs if pair[0] != pair[1]), (f"{before}", f"{now}"))


def _remove_leftovers(output: str) -> None:
    """Remove files that processes were writing when they were killed."""
    for directory in (output, places.join(output, OWN)):
        for name in places.names_in(directory):
            if name.startswith(".") and name.endswith(places.TEMPORARY):
                places.remove(places.join(directory, name))

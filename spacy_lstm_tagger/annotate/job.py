"""A job: which shards there are, what is done, and whether a directory holds the same job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from spacy.language import Language

from ..extras import import_extra
from . import places
from .annotation import Options, columns_of
from .records import lines_of, parse_line
from .shards import Shard, cut, find_files, kind_of, open_parquet
from .work import OWN, Counts, output_path, own_path
from .writers import ID, OTHERS, schema_of

MANIFEST = "manifest.json"
SHARD_SIZES = (1_000_000, 16_000_000)
"""Bytes that shards have at least and at most if nothing else is asked for, about."""

SHARDS_OF_A_PROCESS = 8
"""So many, or more, so that processes end at about the same time."""

SAMPLE = 1000
"""Records at the beginning of each file that the columns of Parquet output are taken from."""


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
) -> tuple[Job, list[str]]:
    """Begin a job, or go on with the one that an output directory has.

    nlp: the pipeline, loaded.
    shard_size: bytes of a shard, about; None: those of the job that the directory has, or as many
        as give each process `SHARDS_OF_A_PROCESS`, within `SHARD_SIZES`.
    Returns the job, and files in input directories that are none to annotate.
    Raises ValueError if the directory holds another job or other files, or the inputs do not fit.
    """
    _check_output(output, inputs)
    files, others = find_files(inputs)
    kinds = {kind_of(file): file for file in files}
    if len(kinds) > 1:
        shown = " and ".join(f"{file} ({kind})" for kind, file in kinds.items())
        raise ValueError(f"the files are of several kinds, {shown}: annotate each kind by itself")
    columns = {file: _Columns(file, options) for file in files}
    options = _with_id_column(options, columns)
    about: dict[str, Any] = {
        "model": _digest(nlp),
        "options": {**asdict(options), "attributes": list(options.attributes)},
        "inputs": [[file, places.size(file), places.digest_of_ends(file)] for file in files],
    }
    schema = _schema(columns, options) if options.kind == "parquet" else None
    manifest = own_path(output, MANIFEST)
    if places.exists(manifest):
        with places.open_file(manifest) as file:
            before = json.loads(file.read())
        about["shard_size"] = shard_size or before.get("shard_size")
        _check_same(output, before, about)
        shards = [Shard(**shard) for shard in before["shards"]]
        _remove_leftovers(output)
    else:
        if names := places.names_in(output):
            raise ValueError(
                f"{output} has {names[0]}, but nothing of an earlier run: name a new directory"
            )
        n_bytes = sum(n for _, n, _ in about["inputs"])
        least, most = SHARD_SIZES
        fitting = min(max(n_bytes // (processes * SHARDS_OF_A_PROCESS), least), most)
        about["shard_size"] = shard_size or fitting
        shards = list(cut(files, about["shard_size"]))
        places.make_directory(places.join(output, OWN))
        with places.written_whole(manifest) as file:
            text = json.dumps({**about, "shards": [asdict(shard) for shard in shards]}, indent=1)
            file.write(text.encode())
    return Job(model, output, options, tuple(shards), schema, batch_size), others


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


class _Columns:
    """Columns of a file: their names, and what their types are known from.

    Raises ValueError if it has no texts, or columns that are to be added.
    """

    def __init__(self, path: str, options: Options) -> None:
        self.path, self.sample = path, list[dict[str, Any]]()
        self.schema: Any = None
        kind = kind_of(path)
        if kind == "parquet":
            with open_parquet(path) as parquet:
                self.schema = parquet.schema_arrow
            self.names = list(self.schema.names)
            if len(set(self.names)) < len(self.names):
                twice = next(name for name in self.names if self.names.count(name) > 1)
                raise ValueError(f"{path} has several columns '{twice}'. Rename all but one")
            self._check_text_type(options)
        elif kind == "jsonl":
            self.sample = _first_records(path, options.text_column)
            self.names = list(dict.fromkeys(name for one in self.sample for name in one))
        else:
            self.names = [options.text_column]
        self.where = f" in its first {SAMPLE:,} records" if len(self.sample) == SAMPLE else ""
        if self.names and options.text_column not in self.names:
            raise ValueError(
                f"{path} has no column '{options.text_column}'{self.where}; it has "
                f"{', '.join(self.names)}. Name the column of the texts with --text-column"
            )
        added = columns_of(options.attributes) if options.kind in ("parquet", "jsonl") else []
        if kind == "jsonl" and options.kind == "parquet":
            added.append(OTHERS)
        # later objects of JSONL that have such columns cannot be used, and cost nothing else
        of_all = self.sample[0] if self.sample else self.names
        if taken := [name for name in added if name in of_all]:
            raise ValueError(
                f"{path} has a column '{taken[0]}' already, which is to be added. Rename it"
            )
        self.sample = [one for one in self.sample if not one.keys() & set(added)]

    def _check_text_type(self, options: Options) -> None:
        if options.text_column in self.names:
            kind = self.schema.field(options.text_column).type
            if str(kind) not in ("string", "large_string", "string_view"):
                raise ValueError(
                    f"the column '{options.text_column}' of {self.path} has the type {kind}, but "
                    "must be of texts (string)"
                )


def _first_records(path: str, text_column: str) -> list[dict[str, Any]]:
    whole = Shard("", path, "jsonl", 0, -1, 1, 0)
    found = []
    for line in islice(lines_of(whole), SAMPLE):
        try:
            found.append(parse_line(line.removeprefix(b"\xef\xbb\xbf"), "jsonl", text_column)[1])
        except ValueError:
            try:  # without a text it still has columns
                found.append(dict(json.loads(line)))
            except (ValueError, TypeError, RecursionError):
                continue
    return found


def _with_id_column(options: Options, columns: dict[str, _Columns]) -> Options:
    """Return the options with the column of ids, None if they are to be made.

    Raises ValueError if some files have the column and others have not.
    """
    name = options.id_column or ID
    having = [path for path, found in columns.items() if name in found.names]
    lacking = [path for path, found in columns.items() if found.names and path not in having]
    if lacking and (having or options.id_column):
        has = f", but {having[0]} has" if having else ""
        where = columns[lacking[0]].where
        raise ValueError(
            f"{lacking[0]} has no column '{name}'{where}{has}. Name it with --id-column"
        )
    return Options(options.kind, options.text_column, name if having else None, options.attributes)


def _schema(columns: dict[str, _Columns], options: Options) -> Any:
    """Return the Arrow schema of all files' records. Raises ValueError if two do not agree."""
    pyarrow = import_extra("pyarrow", extra="annotate")
    given = {path: found.schema for path, found in columns.items() if found.schema is not None}
    if given:
        schema = next(iter(given.values())).remove_metadata()
        for path, other in given.items():
            try:
                schema = pyarrow.unify_schemas([schema, other.remove_metadata()])
            except pyarrow.ArrowException as error:
                raise ValueError(
                    f"the columns of {path} are of other types than those of the files before: "
                    f"{error}. Annotate it by itself"
                ) from error
    else:
        samples = [record for found in columns.values() for record in found.sample]
        schema = schema_of(samples or [{options.text_column: ""}])
    if options.id_column is None:
        schema = schema.insert(0, pyarrow.field(ID, "string"))
    return schema


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

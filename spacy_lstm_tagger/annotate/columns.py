"""Columns of the files of a corpus, and the schema that all their records fit into."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

from ..extras import import_extra
from .annotation import Options, columns_of
from .records import lines_of, parse_line
from .shards import Shard, kind_of, open_parquet
from .writers import ID, OTHERS, schema_of

SAMPLE = 1000
"""Records at the beginning of each file that the columns of Parquet output are taken from."""


class Columns:
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


def with_id_column(options: Options, columns: dict[str, Columns]) -> Options:
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


def common_schema(columns: dict[str, Columns], options: Options) -> Any:
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
        of_all = set(schema.names).intersection(*(other.names for other in given.values()))
        schema = pyarrow.schema(
            [part if part.name in of_all else part.with_nullable(True) for part in schema]
        )
    else:
        samples = [record for found in columns.values() for record in found.sample]
        schema = schema_of(samples or [{options.text_column: ""}])
    if options.id_column is None:
        schema = schema.insert(0, pyarrow.field(ID, "string"))
    return schema

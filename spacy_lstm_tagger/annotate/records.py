"""Read the records of a shard in batches; what is wrong with one costs nothing but itself."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..extras import import_extra
from ..files.text_lines import checked_text, json_record
from . import places
from .json_values import json_rows, to_json
from .shards import Shard, compression_of, open_parquet

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SHOWN = 200
"""Number of characters that are kept of a record that cannot be used."""


@dataclass(frozen=True)
class Bad:
    """Record that cannot be used.

    row: its number in the file, from 1.
    reason: what is wrong with it.
    record: its beginning.
    """

    row: int
    reason: str
    record: str


@dataclass
class Batch:
    """Records that are annotated together.

    rows: number of each in its file, from 1.
    texts: text of each, or a doc of another vocabulary, of `.spacy` files.
    values: what each has, by column; empty if there is a table.
    table: the rows of a Parquet file, as they are there.
    bad: records between them that cannot be used.
    """

    rows: list[int] = field(default_factory=list)
    texts: list[str | Doc] = field(default_factory=list)
    values: list[dict[str, Any]] = field(default_factory=list)
    table: Any = None
    bad: list[Bad] = field(default_factory=list)

    def keep(self, kept: list[int]) -> None:
        """Leave out all records but those at some positions."""
        if len(kept) == len(self.rows):
            return
        self.rows = [self.rows[i] for i in kept]
        self.texts = [self.texts[i] for i in kept]
        if self.table is not None:
            self.table = self.table.take(kept)
        else:
            self.values = [self.values[i] for i in kept]

    def columns(self) -> list[dict[str, Any]]:
        """Return what each record has, by column, in types of JSON."""
        return self.values if self.table is None else json_rows(self.table)


def read_batches(
    shard: Shard, text_column: str, n_records: int, n_characters: int
) -> Iterator[Batch]:
    """Yield the records of a shard in their order.

    n_records, n_characters: a batch ends when it has so many.
    Raises ValueError if the file as a whole cannot be read.
    """
    if shard.kind == "parquet":
        yield from _table_batches(shard, text_column, n_records)
        return
    batch, length = Batch(), 0
    records = (_docs if shard.kind == "spacy" else _lines)(shard, text_column)
    for row, text, values in records:
        if isinstance(text, Bad):
            batch.bad.append(text)
        else:
            batch.rows.append(row)
            batch.texts.append(text)
            batch.values.append(values)
            length += len(text)
        if len(batch.rows) >= n_records or length >= n_characters:
            yield batch
            batch, length = Batch(), 0
    if batch.rows or batch.bad:
        yield batch


def parse_line(line: bytes, kind: str, text_column: str) -> tuple[str, dict[str, Any]]:
    """Return the text of a line, and all columns that it has.

    Raises ValueError if it is not in UTF-8, no JSON object, or has no text.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"not in UTF-8: the byte 0x{line[error.start]:02X} is its byte {error.start + 1}"
        ) from None
    if kind == "txt":
        return text, {text_column: text}
    return json_record(text, text_column)


def lines_of(shard: Shard) -> Iterator[bytes]:
    """Yield the lines of a shard, without line ends. Raises ValueError for a damaged file."""
    with places.open_file(shard.path) as raw:
        left = shard.end - shard.start if shard.end >= 0 else -1
        raw.seek(shard.start)
        try:
            for line in _decompressed(raw, compression_of(shard.path)):
                if left == 0:
                    return
                left -= len(line) if left > 0 else 0
                yield line.rstrip(b"\n").removesuffix(b"\r")
        except (gzip.BadGzipFile, EOFError, zlib.error, OSError) as error:
            if compression_of(shard.path) is None:
                raise
            raise ValueError(
                f"{shard.path} is damaged, or not compressed as its name says "
                f"({type(error).__name__}: {error})"
            ) from error


def _decompressed(raw: Any, compression: str | None) -> Any:
    if compression == "gzip":
        return gzip.GzipFile(fileobj=raw)
    if compression == "zstd":
        pyarrow = import_extra("pyarrow", extra="annotate")
        return io.BufferedReader(pyarrow.CompressedInputStream(raw, "zstd"))
    return raw


Record = tuple[int, str | Doc | Bad, dict[str, Any]]
"""Row, text and columns."""


def _lines(shard: Shard, text_column: str) -> Iterator[Record]:
    for row, line in enumerate(lines_of(shard), start=shard.first_row):
        if row == 1:
            line = line.removeprefix(BYTE_ORDER_MARK)
        if shard.kind == "jsonl" and not line.strip():
            continue  # as other readers of JSONL do
        try:
            yield (row, *parse_line(line, shard.kind, text_column))
        except ValueError as error:
            shown = line[: 4 * SHOWN].decode("utf-8", "replace")[:SHOWN]
            yield row, Bad(row, str(error), shown), {}


def _docs(shard: Shard, text_column: str) -> Iterator[Record]:
    with places.open_file(shard.path) as file:
        content = file.read()
    try:
        for row, doc in enumerate(DocBin().from_bytes(content).get_docs(Vocab()), start=1):
            yield row, doc, {text_column: doc.text}
    except Exception as error:  # whatever zlib, msgpack and numpy raise
        raise ValueError(
            f"{shard.path} is no .spacy file, or damaged ({type(error).__name__}: {error})"
        ) from error


def _table_batches(shard: Shard, text_column: str, n_records: int) -> Iterator[Batch]:
    pyarrow = import_extra("pyarrow", extra="annotate")
    groups, row = list(range(shard.start, shard.end)), shard.first_row
    with open_parquet(shard.path) as parquet:
        for part in parquet.iter_batches(n_records, row_groups=groups):
            batch = _table_batch(pyarrow.Table.from_batches([part]), text_column, row)
            row += len(part)
            yield batch


def _table_batch(table: Any, text_column: str, row: int) -> Batch:
    """Return the batch of the rows of a table; its bad records are those without a text.

    row: number of the first in the file.
    """
    texts = table.column(text_column).to_pylist()
    batch = Batch(list(range(row, row + len(texts))), texts, [], table)
    kept = []
    for i, text in enumerate(texts):
        try:
            checked_text(text, text_column)
            kept.append(i)
        except ValueError as error:
            shown = to_json(json_rows(table.slice(i, 1))[0])[:SHOWN]
            batch.bad.append(Bad(batch.rows[i], str(error), shown))
    batch.keep(kept)
    return batch

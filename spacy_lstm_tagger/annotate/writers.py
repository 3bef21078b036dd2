"""Write annotated records as Parquet, JSONL, CoNLL-U or `.spacy`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from spacy.tokens import Doc, DocBin

from ..extras import import_extra
from .annotation import Column, Options, columns_of
from .json_values import to_json
from .records import Batch

ID = "id"
OTHERS = "other_columns"
"""Column of Parquet files for what a JSONL record has beside the columns of the first records."""

KINDS: dict[str, str] = {
    "parquet": ".parquet",
    "jsonl": ".jsonl",
    "conllu": ".conllu",
    "spacy": ".spacy",
}
"""Kinds of output with their suffixes."""

STORED = ("TAG", "POS", "MORPH", "LEMMA", "HEAD", "DEP", "SENT_START", "ENT_IOB", "ENT_TYPE")
"""Attributes of tokens that docs are stored with, beside the tokens themselves."""

SAFE = 2**53
"""Whole numbers up to here are the same as floats."""

MOST_BITS = 63
"""Bits of whole numbers that `.spacy` files can store."""

Annotations = dict[str, Column]


class Writer(ABC):
    """Writer of one shard's output into an open file.

    schema: columns of Parquet files as `schema_of` gives them, without those of the annotation.
    """

    def __init__(self, file: Any, schema: Any, options: Options) -> None:
        self.file, self.schema, self.options = file, schema, options

    @abstractmethod
    def write(
        self, batch: Batch, ids: list[str] | None, docs: list[Doc], found: Annotations
    ) -> None:
        """Write a batch.

        ids: the ids that were made for the records; None if they have their own.
        found: what is written of the docs, by column.
        """

    def id_of(self, i: int, values: dict[str, Any], ids: list[str] | None) -> Any:
        """Return the id of the i-th record of a batch: its own, or the one that was made."""
        own = values.get(self.options.id_column or ID)
        return ids[i] if own is None and ids is not None else own

    def close(self) -> None:  # noqa: B027  (a hook)
        """Write what is left."""


class JsonLines(Writer):
    """An object a line: the columns of the record, and those of the annotation."""

    def write(
        self, batch: Batch, ids: list[str] | None, docs: list[Doc], found: Annotations
    ) -> None:
        """Write a batch."""
        rows = zip(*(column.rows() for column in found.values()), strict=True)
        for i, (values, row) in enumerate(zip(batch.columns(), rows, strict=True)):
            own = {ID: self.id_of(i, values, ids)} if ids else {}
            line = {**own, **values, **own, **dict(zip(found, row, strict=True))}
            self.file.write(to_json(line).encode() + b"\n")


class ConllU(Writer):
    """CoNLL-U, a doc after the other, with the columns of the record as comments."""

    def write(
        self, batch: Batch, ids: list[str] | None, docs: list[Doc], found: Annotations
    ) -> None:
        """Write a batch."""
        for i, (values, doc) in enumerate(zip(batch.columns(), docs, strict=True)):
            comments = {key: values[key] for key in values if key != self.options.text_column}
            self.file.write(conllu_of(doc, {**comments, ID: self.id_of(i, values, ids)}).encode())


class Docs(Writer):
    """The docs as spaCy stores them, with their ids in `doc.user_data["id"]`."""

    def __init__(self, file: Any, schema: Any, options: Options) -> None:
        super().__init__(file, schema, options)
        self.docs = DocBin(attrs=STORED, store_user_data=True)

    def write(
        self, batch: Batch, ids: list[str] | None, docs: list[Doc], found: Annotations
    ) -> None:
        """Keep a batch: it is written with the others at the end."""
        columns = batch.columns()
        for i, doc in enumerate(docs):
            own = self.id_of(i, columns[i], ids)
            if isinstance(own, int) and own.bit_length() > MOST_BITS:
                own = str(own)
            doc.user_data = {ID: own}
            self.docs.add(doc)

    def close(self) -> None:
        """Write all docs."""
        self.file.write(self.docs.to_bytes())


class Parquet(Writer):
    """Parquet with an explicit schema."""

    def __init__(self, file: Any, schema: Any, options: Options) -> None:
        super().__init__(file, schema, options)
        self.pyarrow = import_extra("pyarrow", extra="annotate")
        parquet = import_extra("pyarrow.parquet", extra="annotate")
        self.annotation = annotation_schema(options.attributes)
        self.whole = self.pyarrow.schema([*schema, *self.annotation])
        self.writer = parquet.ParquetWriter(file, self.whole, compression="zstd")

    def write(
        self, batch: Batch, ids: list[str] | None, docs: list[Doc], found: Annotations
    ) -> None:
        """Write a batch as a row group."""
        if batch.table is not None:
            columns = dict(zip(batch.table.column_names, batch.table.columns, strict=True))
            for part in self.schema:  # which other files have
                if part.name not in columns:
                    columns[part.name] = self.pyarrow.nulls(len(batch.rows), part.type)
        else:
            columns = fitted_columns(batch.values, self.schema)
        if ids is not None:
            pairs = zip(columns[ID].to_pylist(), ids, strict=True)
            full = [made if own is None else own for own, made in pairs]
            columns[ID] = self.pyarrow.array(full, "string")
        for part in self.annotation:
            offsets, values = found[part.name]
            flat = self.pyarrow.array(values, part.type.value_type)
            columns[part.name] = self.pyarrow.ListArray.from_arrays(offsets, flat)
        arrays = [columns[part.name] for part in self.whole]
        self.writer.write_table(self.pyarrow.Table.from_arrays(arrays, schema=self.whole))

    def close(self) -> None:
        """Write the footer."""
        self.writer.close()


WRITERS: dict[str, Callable[..., Writer]] = {
    "parquet": Parquet,
    "jsonl": JsonLines,
    "conllu": ConllU,
    "spacy": Docs,
}


def annotation_schema(attributes: Sequence[str]) -> list[Any]:
    """Return the Arrow fields of the annotation."""
    pyarrow = import_extra("pyarrow", extra="annotate")
    texts, whole = pyarrow.list_(pyarrow.string()), pyarrow.list_(pyarrow.int32())
    entity = pyarrow.struct(
        [("start", pyarrow.int32()), ("end", pyarrow.int32()), ("label", pyarrow.string())]
    )
    types = {
        "token_starts": whole,
        "token_ends": whole,
        "ents": pyarrow.list_(entity),
        "tag_probabilities": pyarrow.list_(pyarrow.float32()),
    }
    return [pyarrow.field(name, types.get(name, texts)) for name in columns_of(attributes)]


def schema_of(records: Sequence[dict[str, Any]]) -> Any:
    """Return the Arrow schema of JSON objects: texts, whole numbers, floats and truth values.

    A column with anything else, or of several types, is one of texts in JSON, as its metadata say.
    """
    pyarrow = import_extra("pyarrow", extra="annotate")
    names = list(dict.fromkeys(name for record in records for name in record))
    fields = []
    for name in names:
        values = [record[name] for record in records if record.get(name) is not None]
        kind = _type_of(values)
        if kind is None:
            fields.append(pyarrow.field(name, "string", metadata={"encoding": "json"}))
        else:
            fields.append(pyarrow.field(name, kind))
    return pyarrow.schema([*fields, pyarrow.field(OTHERS, "string", metadata={"encoding": "json"})])


def _type_of(values: Sequence[Any]) -> str | None:
    kinds = {type(value) for value in values}
    if kinds == {str}:
        return "string"
    if kinds == {bool}:
        return "bool"
    if kinds == {int} and all(abs(value) < 2**63 for value in values):
        return "int64"
    if kinds and kinds <= {int, float} and all(_fits(value, "double") for value in values):
        return "double"
    return None


def fitted_columns(rows: Sequence[dict[str, Any]], schema: Any) -> dict[str, Any]:
    """Return the columns of records as arrays; what does not fit is in `OTHERS`."""
    pyarrow = import_extra("pyarrow", extra="annotate")
    columns: dict[str, list[Any]] = {part.name: [] for part in schema}
    kinds = {part.name: "json" if part.metadata else str(part.type) for part in schema}
    for row in rows:
        others = {}
        for name, value in row.items():
            if name not in kinds or not _fits(value, kinds[name]):
                others[name] = value
        for name, column in columns.items():
            if name == OTHERS:
                column.append(to_json(others) if others else None)
            elif name in others or row.get(name) is None:
                column.append(None)
            elif kinds[name] == "json":
                column.append(to_json(row[name]))
            else:
                column.append(row[name])
    return {part.name: pyarrow.array(columns[part.name], part.type) for part in schema}


def _fits(value: Any, kind: str) -> bool:
    if value is None or kind == "json":
        return True
    if kind == "string":
        return isinstance(value, str)
    if kind == "bool":
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if kind == "int64":
        return isinstance(value, int) and abs(value) < 2**63
    return isinstance(value, float) or abs(value) <= SAFE


def conllu_of(doc: Doc, values: dict[str, Any]) -> str:
    """Return a doc in CoNLL-U: a sentence for each of its sentences, white space left out.

    values: what its record has beside the text, for comments.
    """
    comments = [f"# newdoc id = {_in_one_line(values.get(ID, ''))}"]
    comments += [
        f"# {_in_one_line(key)} = {_in_one_line(value)}"
        for key, value in values.items()
        if key != ID
    ]
    sentences = doc.sents if doc.has_annotation("SENT_START") and len(doc) else [doc[:]]
    blocks: list[str] = []
    for sentence in sentences:
        words = [token for token in sentence if not token.is_space]
        if not words:
            continue
        lines = [] if blocks else comments
        lines = [*lines, f"# text = {_in_one_line(sentence.text)}"]
        for number, token in enumerate(words, start=1):
            fields = [token.text, token.lemma_, token.pos_, token.tag_, str(token.morph)]
            misc = "_" if token.whitespace_ or token.i + 1 == len(doc) else "SpaceAfter=No"
            columns = [str(number), *(field or "_" for field in fields), "_", "_", "_", misc]
            lines.append("\t".join(columns))
        blocks.append("\n".join(lines) + "\n\n")
    return "".join(blocks) or "\n".join(comments) + "\n\n"


def _in_one_line(value: Any) -> str:
    text = value if isinstance(value, str) else to_json(value)
    return " ".join(text.split())

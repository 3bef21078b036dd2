"""Annotate one shard: the function that every engine calls."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from ..files.make_doc import make_doc
from ..files.raw_text import bare_doc
from ..settings import ENVIRONMENT_ERRORS
from . import places
from .annotation import Annotator, Options, columns_of
from .records import SHOWN, Bad, Batch, read_batches
from .shards import Shard
from .writers import KINDS, OTHERS, WRITERS

OWN = "_annotate"
"""Directory in the output of whatever is no output; other readers skip names that begin so."""

N_CHARACTERS = 1_000_000
"""Characters after which a batch ends, however few texts it has."""


@dataclass(frozen=True)
class Counts:
    """What was done in a shard, or in several."""

    docs: int = 0
    words: int = 0
    bad: int = 0
    seconds: float = 0.0

    def __add__(self, other: Counts) -> Counts:
        """Return the sums."""
        return Counts(
            self.docs + other.docs,
            self.words + other.words,
            self.bad + other.bad,
            self.seconds + other.seconds,
        )


def output_path(output: str, shard: Shard, options: Options) -> str:
    """Return where a shard's output is written."""
    return places.join(output, shard.name + KINDS[options.kind])


def own_path(output: str, name: str) -> str:
    """Return the path of a file of the job's own."""
    return places.join(output, OWN, name)


def annotate_shard(
    shard: Shard,
    output: str,
    options: Options,
    annotator: Annotator,
    schema: Any = None,
    batch_size: int = 1000,
) -> Counts:
    """Read a shard, annotate it and write its output, which appears when it is complete.

    Records that cannot be used are written to `_annotate/NAME.bad.jsonl`, the counts to
    `_annotate/NAME.json`, both before the output.

    output: directory of the output.
    schema: Arrow schema of the records, for Parquet.
    batch_size: number of texts in a batch.
    Raises ValueError if the file as a whole cannot be read, OSError if nothing can be written.
    """
    start, counts, bad = time.perf_counter(), Counts(), []
    with places.written_whole(output_path(output, shard, options), synced=True) as file:
        with contextlib.closing(WRITERS[options.kind](file, schema, options)) as writer:
            for batch in read_batches(shard, options.text_column, batch_size, N_CHARACTERS):
                _leave_out_own_columns(batch, options)
                with annotator.zone():
                    docs = _annotated(annotator.nlp, batch, batch_size)
                    ids = None if options.id_column else [_id(shard, row) for row in batch.rows]
                    writer.write(batch, ids, docs, annotator.annotations(docs))
                    counts += Counts(len(docs), sum(map(len, docs)), len(batch.bad))
                bad += batch.bad
        counts += Counts(seconds=time.perf_counter() - start)
        _write_bad(output, shard, bad)
        with places.written_whole(own_path(output, f"{shard.name}.json")) as own:
            own.write(json.dumps(asdict(counts)).encode())
    return counts


def own_session() -> None:
    """Let this process have a session of its own: of one, Linux may give all workers one core."""
    if hasattr(os, "setsid"):
        with contextlib.suppress(OSError):  # it leads a group of processes already
            os.setsid()


def _id(shard: Shard, row: int) -> str:
    return f"{shard.path}:{row}"


def _leave_out_own_columns(batch: Batch, options: Options) -> None:
    """Leave out records that have columns of the names of those to be added."""
    if batch.table is not None:
        return  # looked at before the work began
    if options.kind in ("spacy", "conllu"):
        return
    added = set(columns_of(options.attributes))
    if options.kind == "parquet":
        added.add(OTHERS)
    kept = []
    for i, values in enumerate(batch.values):
        if taken := added & values.keys():
            reason = f"it has a column '{min(taken)}' already, which is to be added"
            batch.bad.append(Bad(batch.rows[i], reason, str(values)[:SHOWN]))
        else:
            kept.append(i)
    batch.keep(kept)


def _annotated(nlp: Language, batch: Batch, batch_size: int) -> list[Doc]:
    """Annotate a batch; records on which the pipeline fails become bad ones."""
    docs: list[Doc | None] = []
    for i, text in enumerate(batch.texts):
        try:
            docs.append(_unannotated(text, nlp))
        except ValueError as error:
            docs.append(None)
            batch.bad.append(Bad(batch.rows[i], str(error), str(text)[:SHOWN]))
    good = [doc for doc in docs if doc is not None]
    try:
        annotated: Iterator[Doc | None] = iter(list(nlp.pipe(good, batch_size=batch_size)))
    except ENVIRONMENT_ERRORS:
        raise
    except Exception:  # whatever a component raises: find the records that it fails on
        annotated = _one_by_one(nlp, batch, docs)
    results = [next(annotated) if doc is not None else None for doc in docs]
    batch.keep([i for i, doc in enumerate(results) if doc is not None])
    batch.bad.sort(key=lambda one: one.row)
    return [doc for doc in results if doc is not None]


def _unannotated(text: str | Doc, nlp: Language) -> Doc:
    return bare_doc(nlp.vocab, text) if isinstance(text, Doc) else make_doc(text, nlp)


def _one_by_one(nlp: Language, batch: Batch, docs: Sequence[Doc | None]) -> Iterator[Doc | None]:
    for i, doc in enumerate(docs):
        if doc is None:
            continue
        try:  # with a new doc: the failed attempt may have changed this one
            yield nlp(_unannotated(batch.texts[i], nlp))
        except ENVIRONMENT_ERRORS:
            raise
        except Exception as error:
            reason = f"the pipeline failed ({type(error).__name__}: {error})"
            batch.bad.append(Bad(batch.rows[i], reason, doc.text[:SHOWN]))
            yield None


def _write_bad(output: str, shard: Shard, bad: Sequence[Bad]) -> None:
    path = own_path(output, f"{shard.name}.bad.jsonl")
    if not bad:
        places.remove(path)  # of an attempt before
        return
    lines = [json.dumps({"file": shard.path, **asdict(one)}, ensure_ascii=False) for one in bad]
    with places.written_whole(path) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())

"""`lstm-tagger annotate`: corpora in shards, each read, annotated and written by itself."""

import errno
import gzip
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from typer.testing import CliRunner

from spacy_lstm_tagger.annotate import local, places
from spacy_lstm_tagger.annotate.annotation import Annotator, Options
from spacy_lstm_tagger.annotate.columns import SAMPLE
from spacy_lstm_tagger.annotate.job import open_job
from spacy_lstm_tagger.annotate.on_ray import ShardAnnotator
from spacy_lstm_tagger.annotate.records import lines_of
from spacy_lstm_tagger.annotate.shards import cut, find_files
from spacy_lstm_tagger.annotate.work import annotate_shard
from spacy_lstm_tagger.cli import lstm_tagger_cli
from spacy_lstm_tagger.cli.annotate import GOES_ON

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed ([annotate])")
dataset = pytest.importorskip("pyarrow.dataset")
parquet = pytest.importorskip("pyarrow.parquet")

TEXTS = ["I like green eggs", "Eat blue ham", "", "I  like\nham", "Eat eggs. I like ham."]
ALL = ("tag", "pos", "lemma")


@pytest.fixture
def nlp(make_nlp) -> Language:
    """A pipeline that sets tags, parts of speech and lemmas."""
    data = [
        (
            "I like green eggs",
            {"tags": ["N", "V", "J", "N"], "lemmas": ["I", "like", "green", "egg"]},
        ),
        ("Eat blue ham", {"tags": ["V", "J", "N"], "lemmas": ["eat", "blue", "ham"]}),
    ]
    pos = {"N": "NOUN", "V": "VERB", "J": "ADJ"}
    data = [(text, {**gold, "pos": [pos[tag] for tag in gold["tags"]]}) for text, gold in data]
    return make_nlp(data, steps=40, outputs=["tag", "pos", "lemma"])


@pytest.fixture
def run(nlp, tmp_path):
    """Return a function that annotates files in this process, and returns the job."""
    return runner(nlp, tmp_path)


@pytest.fixture
def run_blank(tmp_path):
    """Return such a function with a pipeline that tokenizes, for which nothing is trained."""
    return runner(spacy.blank("en"), tmp_path)


def runner(nlp: Language, tmp_path: Path):
    nlp.to_disk(tmp_path / "model")
    model = str(tmp_path / "model")

    def annotate(*inputs: Path, output: str = "out", size: int = 10**6, **settings: Any):
        options = Options(
            settings.get("kind", "jsonl"),
            settings.get("text_column", "text"),
            settings.get("id_column"),
            settings.get("attributes", ALL if nlp.pipe_names else ()),
        )
        loaded = spacy.load(model)
        annotator = Annotator(loaded, options.attributes)
        with open_job(
            *(model, loaded, [str(path) for path in inputs], str(tmp_path / output), options),
            shard_size=size,
            batch_size=settings.get("batch", 2),
        ) as (job, others):
            for shard in job.left():
                annotate_shard(
                    shard, job.output, job.options, annotator, job.schema, job.batch_size
                )
        return job, others

    return annotate


def write_jsonl(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf8")
    return path


def read_jsonl(directory: Path) -> list[dict]:
    lines = [
        line
        for path in sorted(directory.glob("*.jsonl"))
        for line in path.read_text(encoding="utf8").split("\n")
    ]
    return [json.loads(line) for line in lines if line]


def bad(directory: Path) -> list[dict]:
    return read_jsonl(directory / "_annotate")


def expected(nlp: Language, texts: list[str]) -> list[dict]:
    return [
        {
            "tokens": [t.text for t in doc],
            "token_starts": [t.idx for t in doc],
            "token_ends": [t.idx + len(t) for t in doc],
            "tags": [t.tag_ for t in doc],
            "pos": [t.pos_ for t in doc],
            "lemmas": [t.lemma_ for t in doc],
        }
        for doc in nlp.pipe(texts)
    ]


# Shards


@given(st.lists(st.binary(max_size=9), max_size=30), st.integers(1, 40), st.booleans())
def test_shards_of_lines_have_each_line_once(tmp_path_factory, lines, size, ends) -> None:
    lines = [line.replace(b"\n", b"") for line in lines]
    content = b"\n".join(lines) + (b"\n" if ends else b"")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    path = tmp_path_factory.getbasetemp() / "lines.txt"
    path.write_bytes(content)
    shards = list(cut([str(path)], size))
    assert sum(shard.size for shard in shards) == len(content)
    assert all(shard.size >= size for shard in shards[:-1])
    found = [line for shard in shards for line in lines_of(shard)]
    wanted = content.split(b"\n") if content else []
    if wanted and not wanted[-1]:
        wanted.pop()
    assert found == [line.removesuffix(b"\r") for line in wanted]
    rows = [shard.first_row for shard in shards]
    counts = [len(list(lines_of(shard))) for shard in shards]
    assert rows == [1 + sum(counts[:i]) for i in range(len(counts))]
    assert [shard.name for shard in shards] == [f"part-{i:06}" for i in range(len(shards))]


def test_files_are_found_in_directories_and_by_globs(tmp_path) -> None:
    for name in ("b.jsonl", "lang=en/a.ndjson", "lang=en/README.md", "_old/a.jsonl", ".x/a.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}\n")
    names = ["b.jsonl", "lang=en/a.ndjson"]
    found, others = find_files([str(tmp_path)])
    assert found == [(tmp_path / name).as_posix() for name in names]
    assert others == [(tmp_path / "lang=en" / "README.md").as_posix()]
    assert find_files([str(tmp_path / "b*")])[0] == [(tmp_path / "b.jsonl").as_posix()]


@pytest.mark.skipif(os.name != "posix", reason="names of files have no backslashes here")
def test_paths_have_slashes_on_windows_as_well(tmp_path, monkeypatch) -> None:
    """The ids of records are made of them, and a job is continued by them."""
    (tmp_path / r"texts\a.jsonl").write_text("{}\n")
    monkeypatch.setattr(os, "sep", "\\")
    for given_path in (tmp_path, tmp_path / r"texts\a.jsonl", tmp_path / "*.jsonl"):
        assert find_files([str(given_path)])[0] == [f"{tmp_path}/texts/a.jsonl"]


@pytest.mark.parametrize(
    ("given_paths", "message"),
    [
        (["missing.jsonl"], "there is nothing at"),
        (["no*.jsonl"], "there is nothing at"),
        (["table.csv"], r"none of \.jsonl, .* as its name says"),
        (["a.jsonl", "a.jsonl"], "is given 2 times"),
    ],
)
def test_paths_that_cannot_be_annotated_are_named(given_paths, message, tmp_path) -> None:
    for name in ("a.jsonl", "table.csv"):
        (tmp_path / name).write_text("{}\n")
    with pytest.raises(ValueError, match=message):
        find_files([str(tmp_path / path) for path in given_paths])


# Records in, annotation out


@pytest.mark.parametrize("size", [1, 60, 10**6])
def test_annotation_is_that_of_the_pipeline_and_columns_are_kept(run, nlp, tmp_path, size) -> None:
    records = [
        {"id": f"00{i}", "text": text, "date": "2024-01-02", "nested": {"a": [1, 2.5, None]}}
        for i, text in enumerate(TEXTS)
    ]
    job, _ = run(write_jsonl(tmp_path / "in.jsonl", records), size=size)
    assert len(job.shards) == {1: 5, 60: 5}.get(size, 1)
    found = read_jsonl(tmp_path / "out")
    rows = zip(records, expected(nlp, TEXTS), strict=True)
    assert found == [{**record, **annotation} for record, annotation in rows]
    counts = job.counts(job.shards)
    assert (counts.docs, counts.bad) == (5, 0)
    assert counts.words == sum(len(row["tokens"]) for row in found)


@pytest.mark.parametrize(
    "suffix", [".txt", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".parquet", ".spacy"]
)
def test_every_kind_of_input_gives_the_same(suffix, run, nlp, tmp_path) -> None:
    texts = [text.replace("\n", " ") for text in TEXTS]
    path = tmp_path / f"in{suffix}"
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
    if suffix == ".txt":
        path.write_text("\r\n".join(texts) + "\n")
    elif suffix == ".jsonl.gz":
        path.write_bytes(gzip.compress(lines))
    elif suffix == ".ndjson":
        path.write_bytes(b"\xef\xbb\xbf" + lines)
    elif suffix == ".spacy":
        DocBin(docs=[nlp.make_doc(text) for text in texts]).to_disk(path)
    elif suffix == ".parquet":
        parquet.write_table(pyarrow.table({"text": texts}), path, row_group_size=2)
    else:
        with pyarrow.CompressedOutputStream(str(path), "zstd") as file:
            file.write(lines)
    job, _ = run(path, size=1)
    assert len(job.shards) == {".txt": 5, ".ndjson": 5, ".parquet": 3}.get(suffix, 1)
    found = read_jsonl(tmp_path / "out")
    assert [row["text"] for row in found] == texts
    assert [row["id"] for row in found] == [f"{path.as_posix()}:{i}" for i in range(1, 6)]
    for row, annotation in zip(found, expected(nlp, texts), strict=True):
        assert {key: row[key] for key in annotation} == annotation


def test_records_that_cannot_be_used_are_listed_and_cost_nothing_else(run, nlp, tmp_path) -> None:
    lines = [
        b'{"id": "007", "text": "Eat ham"}',
        b"not json",
        b'{"id": "7", "text": null}',
        b'{"id": "8"}',
        b"",
        b"[1]",
        '{"id": "9", "text": "Eat\u2028ham"}'.encode(),
        b'{"id": "10", "text": "\xe9"}',
        b'{"id": "11", "text": "\\ud800"}',
        b'{"id": "12", "text": "Eat ham", "tags": []}',
        b'{"id": "7", "text": "Eat blue ham"}\r',
    ]
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(lines))
    job, _ = run(tmp_path / "in.jsonl", size=70)
    assert len(job.shards) > 2
    found = read_jsonl(tmp_path / "out")
    assert [row["id"] for row in found] == ["007", "9", "7"]
    assert found[1]["text"] == "Eat\u2028ham"
    assert found[2]["tags"] == ["V", "J", "N"]
    listed = bad(tmp_path / "out")
    assert [one["row"] for one in listed] == [2, 3, 4, 6, 8, 9, 10]
    assert {one["file"] for one in listed} == {str(tmp_path / "in.jsonl")}
    form = 'not a JSON object with the key "text"'
    reasons = [form, '"text" is null', f'{form}; its keys are ["id"]', form, "byte 0xE9"]
    reasons += ["surrogate", "a column 'tags' already"]
    for one, reason in zip(listed, reasons, strict=True):
        assert reason in one["reason"]
    assert job.counts(job.shards).bad == 7


def test_a_byte_order_mark_in_a_text_is_a_character_of_it(run, tmp_path) -> None:
    text = "\ufeffEat ham"
    run(write_jsonl(tmp_path / "in.jsonl", [{"text": text}]))
    (found,) = read_jsonl(tmp_path / "out")
    assert found["text"] == text
    places_of_tokens = zip(found["token_starts"], found["token_ends"], strict=True)
    assert [text[start:end] for start, end in places_of_tokens] == found["tokens"]
    assert found["token_ends"][-1] == len(text)


def test_records_that_the_pipeline_fails_on_are_listed(nlp, tmp_path) -> None:
    @Language.component("fails_on_blue")
    def fails_on_blue(doc: Doc) -> Doc:
        if "blue" in doc.text:
            raise RuntimeError("blue")
        return doc

    nlp.add_pipe("fails_on_blue")
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": text} for text in TEXTS])
    (shard,) = cut([str(path)], 10**6)
    (tmp_path / "_annotate").mkdir()
    options = Options("jsonl", "text", None, ("tag",))
    path.rename(tmp_path / "in")  # so that what is read below is the output
    shard = replace(shard, path=str(tmp_path / "in"))
    counts = annotate_shard(shard, str(tmp_path), options, Annotator(nlp, ["tag"]), None, 3)
    assert (counts.docs, counts.bad) == (4, 1)
    texts = [row["text"] for row in read_jsonl(tmp_path)]
    assert texts == [text for text in TEXTS if "blue" not in text]
    (one,) = bad(tmp_path)
    assert one["row"] == 2
    assert "the pipeline failed (RuntimeError: blue)" in one["reason"]


# Parquet


def test_parquet_keeps_types_and_values(run, nlp, tmp_path) -> None:

    table = pyarrow.table(
        {
            "id": ["007", "7", None],
            "text": ["Eat ham", None, "I like ham"],
            "small": pyarrow.array([1, 2, 3], "int8"),
            "when": pyarrow.array([0, 1, 2], pyarrow.timestamp("us")),
            "tree": [[{"a": 1}], [], None],
        }
    )
    (tmp_path / "lang=en").mkdir()
    parquet.write_table(table, tmp_path / "lang=en" / "in.parquet")
    run(tmp_path / "lang=en", kind="parquet")
    found = parquet.ParquetFile(tmp_path / "out" / "part-000000.parquet").read()
    assert found.select(table.column_names).equals(table.take([0, 2]))
    assert found.column("tags").to_pylist() == [["V", "N"], ["N", "V", "N"]]
    assert [one["row"] for one in bad(tmp_path / "out")] == [2]
    assert dataset.dataset(tmp_path / "out").to_table().num_rows == 2


def test_json_in_parquet_loses_nothing(run, tmp_path) -> None:

    records = [
        {"text": "Eat", "whole": 7, "real": 1, "flag": True, "mixed": "a", "big": 2**70},
        {"text": "Eat", "whole": -1, "real": 0.5, "flag": None, "mixed": 1, "list": []},
        {"text": "Eat", "when": "2024-01-02"},
    ]
    late = {"text": "Eat", "whole": "x", "real": 2**60, "when": 3, "new": {"a": None}}
    path = write_jsonl(tmp_path / "in.jsonl", [*records, *[{"text": "I"}] * 1000, late])
    run(path, kind="parquet", attributes=("tag",))
    table = parquet.ParquetFile(tmp_path / "out" / "part-000000.parquet").read()
    kinds = {name: str(table.schema.field(name).type) for name in table.column_names}
    assert kinds["whole"] == "int64"
    assert (kinds["real"], kinds["flag"], kinds["when"]) == ("double", "bool", "string")
    json_columns = [f.name for f in table.schema if (f.metadata or {}).get(b"encoding") == b"json"]
    assert set(json_columns) == {"mixed", "big", "list", "other_columns"}
    rows = table.to_pylist()
    for row, record in zip([*rows[:3], rows[-1]], [*records, late], strict=True):
        values = {
            key: json.loads(value) if key in json_columns else value
            for key, value in row.items()
            if value is not None
            and key not in ("id", "tokens", "token_starts", "token_ends", "tags")
        }
        values.update(values.pop("other_columns", {}))
        assert values == {key: value for key, value in record.items() if value is not None}


def test_files_of_a_directory_may_differ_in_columns_and_be_empty(run, tmp_path) -> None:
    (tmp_path / "in" / "lang=en").mkdir(parents=True)
    (tmp_path / "in" / "a.jsonl").touch()
    write_jsonl(tmp_path / "in" / "b.jsonl", [{"text": "I eat", "n": 1}, {"text": "", "n": 2}])
    others = [{"text": "2024-01-02", "n": "x"}, {"text": "Eat", "m": [1]}]
    write_jsonl(tmp_path / "in" / "lang=en" / "c.ndjson", others)
    run(tmp_path / "in", kind="parquet", attributes=("tag",))
    rows = dataset.dataset(tmp_path / "out").to_table().to_pylist()
    assert [row["text"] for row in rows] == ["I eat", "", "2024-01-02", "Eat"]
    assert [json.loads(row["n"] or "null") for row in rows] == [1, 2, "x", None]
    assert [json.loads(row["m"] or "null") for row in rows] == [None, None, None, [1]]
    assert [row["tags"] for row in rows][:2] == [["N", "V"], []]
    assert [len(row["tags"]) for row in rows] == [2, 0, 5, 1]


def test_other_kinds_of_output(run, nlp, tmp_path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [{"id": "x", "text": t, "n": 1} for t in TEXTS])
    run(path, kind="spacy", output="docs")
    docs = list(
        DocBin(store_user_data=True)
        .from_disk(tmp_path / "docs/part-000000.spacy")
        .get_docs(nlp.vocab)
    )
    assert [[t.tag_ for t in doc] for doc in docs] == [r["tags"] for r in expected(nlp, TEXTS)]
    assert [doc.text for doc in docs] == TEXTS
    assert {doc.user_data["id"] for doc in docs} == {"x"}
    run(path, kind="conllu", output="conllu")
    text = (tmp_path / "conllu" / "part-000000.conllu").read_text()
    assert text.count("# newdoc id = x\n") == 5
    assert text.count("# n = 1\n") == 5
    assert "2\tlike\tlike\tVERB\tV\t_\t_\t_\t_\t_\n3\tgreen" in text
    assert "\n3\tham\tham\tNOUN\tN\t_\t_\t_\t_\t_\n\n" in text


IN_PARQUET = {
    "ns": ([1_700_000_000_123_456_789], pyarrow.timestamp("ns")),
    "zone": ([1_700_000_000_123_456_789], pyarrow.timestamp("ns", tz="Europe/Berlin")),
    "offset": ([1_700_000_000_120], pyarrow.timestamp("ms", tz="+02:00")),
    "date": ([19_724], pyarrow.date32()),
    "time": ([123_456_789], pyarrow.time64("ns")),
    "duration": ([-1_500_000_001], pyarrow.duration("ns")),
    "price": ([Decimal("1E+3")], pyarrow.decimal128(9, 2)),
    "bytes": ([b"\xff\x00a"], pyarrow.binary()),
    "category": (["x"], pyarrow.dictionary(pyarrow.int8(), pyarrow.string())),
    "map": ([[(1, b"a")]], pyarrow.map_(pyarrow.int8(), pyarrow.binary())),
    "nan": ([float("nan")], pyarrow.float64()),
    "nested": (
        [{"at": [1, None], "x": float("inf"), "flag": True}],
        pyarrow.struct(
            {"at": pyarrow.list_(pyarrow.timestamp("ns")), "x": "float64", "flag": "bool"}
        ),
    ),
    "none": ([None], pyarrow.decimal128(9, 2)),
}
IN_JSON = {
    "ns": "2023-11-14T22:13:20.123456789",
    "zone": "2023-11-14T22:13:20.123456789Z",
    "offset": "2023-11-14T22:13:20.120Z",
    "date": "2024-01-02",
    "time": "00:00:00.123456789",
    "duration": "PT-1.500000001S",
    "price": "1000.00",
    "bytes": "/wBh",
    "category": "x",
    "map": [[1, "YQ=="]],
    "nan": None,
    "nested": {"at": ["1970-01-01T00:00:00.000000001", None], "x": None, "flag": True},
    "none": None,
}


def no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def test_values_of_parquet_that_json_has_not_have_a_form_in_it(run_blank, tmp_path) -> None:
    columns = {name: pyarrow.array(*given) for name, given in IN_PARQUET.items()}
    table = pyarrow.table({"text": ["Eat", None], **{n: [*c] * 2 for n, c in columns.items()}})
    schema = pyarrow.schema({"text": "string", **{n: c.type for n, c in columns.items()}})
    parquet.write_table(table.cast(schema), tmp_path / "in.parquet")
    run_blank(tmp_path / "in.parquet")
    text = (tmp_path / "out" / "part-000000.jsonl").read_text()
    found = json.loads(text, parse_constant=no_constant)
    assert {name: found[name] for name in IN_JSON} == IN_JSON
    (one,) = bad(tmp_path / "out")
    assert one["row"] == 2
    assert IN_JSON["ns"] in one["record"]


def test_numbers_that_json_has_not_become_null_in_it(run_blank, tmp_path) -> None:
    lines = ['{"text": "Eat", "n": NaN, "mixed": -Infinity}', '{"text": "Eat", "mixed": [1e999]}']
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    run_blank(tmp_path / "in.jsonl")
    text = (tmp_path / "out" / "part-000000.jsonl").read_text()
    first, second = (json.loads(one, parse_constant=no_constant) for one in text.splitlines())
    assert (first["n"], first["mixed"], second["mixed"]) == (None, None, [None])
    run_blank(tmp_path / "in.jsonl", kind="parquet", output="table")
    rows = parquet.ParquetFile(tmp_path / "table" / "part-000000.parquet").read().to_pylist()
    assert math.isnan(rows[0]["n"])
    assert [row["mixed"] for row in rows] == ["null", "[null]"]


@pytest.mark.parametrize("name", ["zone", "price"])
def test_ids_of_any_type_can_be_written(name, run_blank, tmp_path) -> None:
    table = pyarrow.table({"id": pyarrow.array(*IN_PARQUET[name]), "text": ["Eat"]})
    parquet.write_table(table, tmp_path / "in.parquet")
    expected_id = IN_JSON[name]
    run_blank(tmp_path / "in.parquet", kind="spacy", output="docs")
    assert ids_of(tmp_path / "docs/part-000000.spacy")[0] == expected_id
    run_blank(tmp_path / "in.parquet", kind="conllu", output="conllu")
    text = (tmp_path / "conllu" / "part-000000.conllu").read_text()
    assert text.startswith(f"# newdoc id = {expected_id}\n")


def test_ids_too_large_for_spacy_files_are_texts_there(run_blank, tmp_path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [{"id": n, "text": "I"} for n in (7, 2**70)])
    run_blank(path, kind="spacy")
    assert ids_of(tmp_path / "out" / "part-000000.spacy") == [7, str(2**70)]


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "conllu", "spacy"])
def test_columns_that_only_late_records_have_are_kept(kind, run_blank, tmp_path) -> None:
    late = [{"text": "I", "id": "x", "n": 1}, {"text": "I", "id": 7}, {"text": "I", "id": None}]
    path = write_jsonl(tmp_path / "in.jsonl", [*[{"text": "I"}] * SAMPLE, *late])
    run_blank(path, kind=kind, batch=SAMPLE)
    assert bad(tmp_path / "out") == []
    made = [f"{path}:{row}" for row in (SAMPLE, SAMPLE + 3)]
    written = tmp_path / "out" / f"part-000000.{kind}"
    if kind == "parquet":
        rows = parquet.ParquetFile(written).read().to_pylist()[-4:]
        assert [row["id"] for row in rows] == [made[0], "x", f"{path}:{SAMPLE + 2}", made[1]]
        others = [json.loads(row["other_columns"] or "{}") for row in rows]
        assert others == [{}, {"n": 1}, {"id": 7}, {}]
        return
    if kind == "spacy":
        found = ids_of(written)[-4:]
    elif kind == "conllu":
        found = re.findall("# newdoc id = (.*)", written.read_text())[-4:]
        assert "# n = 1\n" in written.read_text()
    else:
        rows = read_jsonl(tmp_path / "out")[-4:]
        found = [row["id"] for row in rows]
        assert rows[1]["n"] == 1
    assert [str(one) for one in found] == [made[0], "x", "7", made[1]]


def test_columns_that_the_first_records_lack_are_said_so(run_blank, tmp_path) -> None:
    records = [*[{"text": "I"}] * SAMPLE, {"text": "I", "id": "x"}]
    with pytest.raises(ValueError, match=r"no column 'id' in its first 1,000 records\. Name it"):
        run_blank(write_jsonl(tmp_path / "in.jsonl", records), id_column="id")


def ids_of(path: Path) -> list[Any]:
    docs = DocBin(store_user_data=True).from_disk(path).get_docs(spacy.blank("en").vocab)
    return [doc.user_data["id"] for doc in docs]


def test_columns_without_nulls_may_be_lacking_in_other_files(run_blank, tmp_path) -> None:
    schema = pyarrow.schema(
        [
            pyarrow.field("text", "string", nullable=False),
            pyarrow.field("n", "int64", nullable=False),
        ]
    )
    table = pyarrow.table({"text": ["Eat"], "n": [1]}, schema)
    parquet.write_table(table, tmp_path / "a.parquet")
    parquet.write_table(table.select(["text"]), tmp_path / "b.parquet")
    run_blank(tmp_path / "a.parquet", tmp_path / "b.parquet", kind="parquet")
    found = dataset.dataset(tmp_path / "out").to_table()
    assert found.column("n").to_pylist() == [1, None]
    assert [found.schema.field(name).nullable for name in ("text", "n")] == [False, True]


# Before the work begins


def test_inputs_that_do_not_fit_are_refused_before_the_work(run, tmp_path) -> None:

    with_id = write_jsonl(tmp_path / "a.jsonl", [{"id": "1", "text": "Eat"}])
    without = write_jsonl(tmp_path / "b.jsonl", [{"text": "Eat"}])
    other = write_jsonl(tmp_path / "c.jsonl", [{"body": "Eat"}])
    taken = write_jsonl(tmp_path / "d.jsonl", [{"text": "Eat", "tags": "x"}])
    (tmp_path / "e.txt").write_text("Eat\n")
    (tmp_path / "f.txt").write_bytes("Eat\n".encode("utf-16"))
    (tmp_path / "g.parquet").write_text("Eat\n")
    for name, values in (("h", [1]), ("i", ["Eat"])):
        table = pyarrow.table({"text": ["Eat"], "n": values})
        parquet.write_table(table, tmp_path / f"{name}.parquet")
    parquet.write_table(pyarrow.table({"text": [1]}), tmp_path / "j.parquet")
    tables = [tmp_path / "h.parquet", tmp_path / "i.parquet"]
    for inputs, settings, message in (
        ([with_id, without], {}, "b.jsonl has no column 'id', but .*a.jsonl has"),
        ([without], {"id_column": "key"}, "has no column 'key'. Name it with --id-column"),
        ([other], {}, "has no column 'text'; it has body. Name .* --text-column"),
        ([taken], {}, "has a column 'tags' already"),
        ([without, tmp_path / "e.txt"], {}, "several kinds"),
        ([tmp_path / "f.txt"], {}, "UTF-16"),
        ([tmp_path / "g.parquet"], {}, "no Parquet file, or damaged"),
        (tables, {"kind": "parquet"}, "of other types than those of the files before"),
        ([tmp_path / "j.parquet"], {}, "has the type int64, but must be of texts"),
    ):
        with pytest.raises(ValueError, match=message):
            run(*inputs, **settings)
        assert not (tmp_path / "out").exists()


def test_attributes_that_cannot_be_written_are_refused() -> None:
    with pytest.raises(ValueError, match="no attribute 'tags'; there are tag, pos"):
        Annotator(spacy.blank("en"), ["tags"])
    with pytest.raises(ValueError, match="without an lstm_tagger there are no probabilities"):
        Annotator(spacy.blank("en"), ["probabilities"])


def test_any_pipeline_annotates_entities(tmp_path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "FOOD", "pattern": "green eggs"}])
    doc = nlp("I like green eggs")
    assert Annotator(nlp, ["ents"]).annotations([doc])["ents"].values == [
        {"start": 7, "end": 17, "label": "FOOD"}
    ]


# Resuming


def test_only_what_is_missing_is_done_again(run, tmp_path) -> None:
    records = [{"text": text} for text in TEXTS]
    path = write_jsonl(tmp_path / "in.jsonl", records)
    job, _ = run(path, size=1)
    before = read_jsonl(tmp_path / "out")
    names = sorted(p.name for p in (tmp_path / "out").glob("*.jsonl"))
    changed = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in names}
    (tmp_path / "out" / names[2]).unlink()
    (tmp_path / "out" / f".{names[3]}-99.tmp").write_text("half")
    run(path, size=1)
    assert read_jsonl(tmp_path / "out") == before
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["_annotate", *names]
    now = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in names}
    assert [name for name in names if now[name] != changed[name]] == [names[2]]
    assert job.left() == []


def test_a_full_disk_is_named_and_costs_nothing(run, tmp_path, monkeypatch) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": text} for text in TEXTS])
    synced = 0

    def sync(file: int) -> None:
        nonlocal synced
        synced += 1
        if synced == 3:
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", sync)
    with pytest.raises(OSError, match=r"Make room, and repeat the command.*part-000002.jsonl"):
        run(path, size=1)
    names = [f"part-{i:06}.jsonl" for i in range(5)]
    assert sorted(p.name for p in (tmp_path / "out").glob("[.p]*")) == names[:2]
    run(path, size=1)
    assert [row["text"] for row in read_jsonl(tmp_path / "out")] == TEXTS


def test_a_directory_that_cannot_be_made_is_named(run, tmp_path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": "Eat"}])
    with pytest.raises(OSError, match=r"in\.jsonl/out"):
        run(path, output="in.jsonl/out")


def test_a_shard_that_was_not_counted_is_done_again(run, tmp_path) -> None:
    job, _ = run(write_jsonl(tmp_path / "in.jsonl", [{"text": text} for text in TEXTS]), size=1)
    (tmp_path / "out" / "_annotate" / "part-000003.json").unlink()
    assert job.left() == [job.shards[3]]


def test_shards_are_small_enough_for_all_processes(nlp, tmp_path) -> None:
    nlp.to_disk(tmp_path / "model")
    path = tmp_path / "in.txt"
    path.write_text(("x" * 999 + "\n") * 40_000)  # 40 MB

    def shards(output: str, processes: int, size: int | None = None) -> list[int]:
        with open_job(
            *("model", spacy.load(tmp_path / "model"), [str(path)], str(tmp_path / output)),
            Options("jsonl", "text", None, ("tag",)),
            shard_size=size,
            batch_size=100,
            processes=processes,
        ) as (job, _):
            return [shard.size for shard in job.shards]

    assert shards("one", 1) == [5_000_000] * 8
    assert shards("one", 8) == [5_000_000] * 8  # those of the job that is there
    assert shards("eight", 8) == [1_000_000] * 40
    assert shards("asked", 8, 20_000_000) == [20_000_000] * 2


def test_another_job_in_the_same_directory_is_refused(run, nlp, tmp_path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": "Eat"}])
    run(path)
    with pytest.raises(ValueError, match=r"another 'options': attributes = .*, now attributes = "):
        run(path, attributes=("tag",))
    with pytest.raises(ValueError, match="another 'shard_size': 1000000, now 5"):
        run(path, size=5)
    write_jsonl(path, [{"text": "Eat"}, {"text": "ham"}])
    with pytest.raises(ValueError, match=r"another 'inputs': .*in.jsonl', 16, .*, now .*, 32, "):
        run(path)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes").touch()
    with pytest.raises(ValueError, match="has notes, but nothing of an earlier run"):
        run(path, output="used")


def test_a_second_run_in_the_same_directory_is_refused(run_blank, tmp_path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": "Eat"}])
    half = tmp_path / "out" / ".part-000000.jsonl-host-1.tmp"
    half.parent.joinpath("_annotate").mkdir(parents=True)  # of a run that was killed at once
    half.touch()
    with places.locked(str(tmp_path / "out" / "_annotate" / "lock")):
        half.unlink()
        message = rf"another run \(process {os.getpid()} on .*holds .*lock: wait for its end"
        with pytest.raises(ValueError, match=message):
            run_blank(path)
        assert [p.name for p in (tmp_path / "out").iterdir()] == ["_annotate"]
    run_blank(path)
    half.touch()
    with places.locked(str(tmp_path / "out" / "_annotate" / "lock")):
        with pytest.raises(ValueError, match=message):
            run_blank(path)
        assert half.exists()  # the other run is writing it
    run_blank(path)
    assert not half.exists()


def test_file_systems_without_locks_hold_nothing(tmp_path, monkeypatch) -> None:
    def lock(file: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(places, "_lock", lock)
    with places.locked(str(tmp_path / "lock")), places.locked("memory://lock"):
        assert (tmp_path / "lock").read_text().startswith(f"process {os.getpid()} on ")


def test_input_of_the_same_size_is_other_input(run, tmp_path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": "Eat"}])
    run(path)
    write_jsonl(path, [{"text": "ham"}])
    with pytest.raises(ValueError, match=r"another 'inputs'"):
        run(path)


def test_output_is_not_a_file_and_not_in_the_input(run, tmp_path) -> None:
    (tmp_path / "in").mkdir()
    path = write_jsonl(tmp_path / "in" / "a.jsonl", [{"text": "Eat"}])
    with pytest.raises(ValueError, match="would be read with it the next time"):
        run(tmp_path / "in", output="in/out")
    with pytest.raises(ValueError, match="is a file: name the directory to write"):
        run(path, output="in/a.jsonl")


def test_columns_that_parquet_output_adds_are_refused_in_json(run, tmp_path) -> None:
    records = [{"text": "Eat"}, {"text": "ham", "tags": ["x"]}, {"text": "Eat", "other_columns": 1}]
    with pytest.raises(ValueError, match="has a column 'other_columns' already"):
        run(write_jsonl(tmp_path / "a.jsonl", records[::-1]), kind="parquet")
    run(write_jsonl(tmp_path / "in.jsonl", records), kind="parquet")
    assert dataset.dataset(tmp_path / "out").to_table().column("text").to_pylist() == ["Eat"]
    assert [one["row"] for one in bad(tmp_path / "out")] == [2, 3]
    table = pyarrow.Table.from_arrays([pyarrow.array(["Eat"])] * 3, names=["text", "a", "a"])
    parquet.write_table(table, tmp_path / "in.parquet")
    with pytest.raises(ValueError, match="has several columns 'a'"):
        run(tmp_path / "in.parquet", output="other")


def test_half_a_surrogate_pair_anywhere_costs_its_record_alone(run, tmp_path) -> None:
    lines = [r'{"text": "Eat", "n": "\ud83d\ude00"}', r'{"text": "Eat", "n": "\ud83d"}']
    lines += [r'{"text": "Eat", "\uDE00": 1}', r'{"text": "ham"}']
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    run(tmp_path / "in.jsonl")
    assert [row["text"] for row in read_jsonl(tmp_path / "out")] == ["Eat", "ham"]
    assert [one["row"] for one in bad(tmp_path / "out")] == [2, 3]
    assert "surrogate" in bad(tmp_path / "out")[0]["reason"]


def test_another_model_is_refused(run, tmp_path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": "Eat"}])
    run(path)
    cfg = tmp_path / "model" / "lstm_tagger" / "cfg"
    cfg.write_text(cfg.read_text().replace('"temperature":1.0', '"temperature":2.0'))
    with pytest.raises(ValueError, match=r"another 'model': .*sha256"):
        run(path)


# As a command


def command(model: Path, *args: object) -> list[str]:
    return [sys.executable, "-m", "spacy", "lstm-tagger", "annotate", str(model), *map(str, args)]


def run_command(model: Path, *args: object) -> subprocess.CompletedProcess:
    done = subprocess.run(command(model, *args), capture_output=True, text=True, encoding="utf8")
    return done


@pytest.mark.slow
def test_command_uses_processes_and_says_what_was_done(nlp, tmp_path) -> None:
    nlp.to_disk(tmp_path / "model")
    records = [{"id": i, "text": TEXTS[i % 5]} for i in range(200)] + [{"id": 200}]
    path = write_jsonl(tmp_path / "in.jsonl", records)
    args = (path, tmp_path / "out", "--to", "jsonl", "--shard-size", "0.002", "-n", 2)
    assert run_command(tmp_path / "model", *args, "--plan").returncode == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["_annotate"]
    done = run_command(tmp_path / "model", *args)
    assert done.returncode == 2, done.stderr
    found = read_jsonl(tmp_path / "out")
    assert [row["id"] for row in found] == list(range(200))
    tags = [row["tags"] for row in expected(nlp, TEXTS)]
    assert [row["tags"] for row in found] == [tags[i % 5] for i in range(200)]
    assert "1 records cannot be used" in done.stderr
    done = run_command(tmp_path / "model", *args)
    assert "is complete already" in done.stderr
    done = run_command(tmp_path / "model", *args, "--strict")
    assert done.returncode == 1
    assert "1 records of" in done.stderr
    assert "cannot be used, see" in done.stderr
    done = run_command(tmp_path / "model", path, tmp_path / "strict", *args[2:], "--strict")
    assert done.returncode == 1
    assert "cannot be used, see" in done.stderr


def test_pools_are_no_larger_than_windows_can_wait_for(nlp, tmp_path, monkeypatch) -> None:
    nlp.to_disk(tmp_path / "model")
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": "Eat"}])
    options = Options("jsonl", "text", None, ("tag",))
    out = str(tmp_path / "out")
    with open_job(
        str(tmp_path / "model"), nlp, [str(path)], out, options, shard_size=9, batch_size=9
    ) as (job, _):
        pass
    started = []

    class Pool(ProcessPoolExecutor):
        def __init__(self, processes: int, *others: object) -> None:
            started.append(processes)
            super().__init__(processes, *others)  # it raises an error for more on Windows

    monkeypatch.setattr(local, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(sys, "platform", "win32")
    assert list(local.annotate_locally(job, [], 64)) == []
    assert started == [61]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="finds workers in /proc, which Linux has")
def test_killed_jobs_and_workers_lose_and_double_nothing(nlp, tmp_path) -> None:
    nlp.to_disk(tmp_path / "model")
    records = [{"id": i, "text": " ".join(TEXTS) * 3} for i in range(12_000)]
    path = write_jsonl(tmp_path / "in.jsonl", records)
    args = (path, tmp_path / "out", "--to", "jsonl", "--shard-size", "0.02", "-n", 2)
    rng = random.Random(0)
    for attempt in range(6):
        done = len(list((tmp_path / "out").glob("*.jsonl")))
        with subprocess.Popen(
            command(tmp_path / "model", *args), stderr=subprocess.PIPE, text=True
        ) as process:
            deadline = time.monotonic() + 120
            while len(list((tmp_path / "out").glob("*.jsonl"))) < done + 2:
                assert time.monotonic() < deadline
                assert process.poll() is None, process.communicate()[1]
                time.sleep(0.01)
            time.sleep(rng.random() / 3)
            workers = workers_of(process.pid)
            if attempt % 2:
                os.kill(workers[0], signal.SIGKILL)
                assert "a worker was killed" in process.communicate(timeout=120)[1]
            else:
                process.kill()
        for pid in workers:
            wait_for_end(pid)
    done = run_command(tmp_path / "model", *args)
    assert done.returncode == 0, done.stderr
    assert [row["id"] for row in read_jsonl(tmp_path / "out")] == list(range(12_000))
    assert [p.name for p in (tmp_path / "out").rglob("*") if p.suffix == ".tmp"] == []


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="finds workers in /proc, which Linux has")
def test_an_interrupted_job_says_so_and_leaves_nothing_half(tmp_path) -> None:
    spacy.blank("en").to_disk(tmp_path / "model")
    # in the background of a shell, it may be ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    records = [{"id": i, "text": " ".join(TEXTS) * 9} for i in range(6_000)]
    path, out = write_jsonl(tmp_path / "in.jsonl", records), tmp_path / "out"
    args = (path, out, "--to", "jsonl", "--shard-size", "0.2", "-n", 2, "-a", "tag")
    for number, at_work in ((signal.SIGINT, False), (signal.SIGINT, True), (signal.SIGTERM, True)):
        with subprocess.Popen(
            command(tmp_path / "model", *args),
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            deadline, workers = time.monotonic() + 300, list[int]()
            while not workers or (at_work and not any(out.glob(".part*.tmp"))):
                assert time.monotonic() < deadline
                assert process.poll() is None, process.communicate()[1]
                workers = workers_of(process.pid)
                time.sleep(0.001)
            if number == signal.SIGINT:
                os.killpg(process.pid, number)  # as a terminal does it
            else:
                process.send_signal(number)
            said = process.communicate(timeout=300)[1]
        assert process.returncode == 128 + number
        lines = [line for line in said.splitlines() if "B/s" not in line and "?B" not in line]
        assert lines == [f"✘ Interrupted: {GOES_ON}"]
        for pid in workers:
            wait_for_end(pid)
        assert [p.name for p in out.rglob("*.tmp")] == []
    done = run_command(tmp_path / "model", *args)
    assert done.returncode == 0, done.stderr
    assert [row["id"] for row in read_jsonl(out)] == list(range(6_000))


def test_output_in_memory_is_refused_in_one_line(tmp_path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": "Eat"}])
    done = CliRunner().invoke(lstm_tagger_cli, ["annotate", "model", str(path), "memory://out"])
    assert done.exit_code == 1
    assert "OUT is 'memory://out', the memory of one process" in done.output
    assert done.output.count("\n") == 1


def workers_of(pid: int) -> list[int]:
    """Processes that a process has started to work, not the one that watches its semaphores."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            line = (status.parent / "cmdline").read_text()
        except (OSError, ValueError):
            continue
        if parent == pid and "spawn_main" in line:
            found.append(int(status.parent.name))
    return sorted(found)


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


def test_missing_libraries_are_named(nlp, tmp_path) -> None:
    nlp.to_disk(tmp_path / "model")
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": "Eat"}])
    for library, args, extra in (
        ("pyarrow", (path, tmp_path / "out"), "annotate"),
        ("fsspec", ("memory://in.jsonl", tmp_path / "out"), "annotate"),
        ("ray", (path, tmp_path / "out", "--to", "jsonl", "--engine", "ray"), "ray"),
    ):
        code = f"import sys; sys.modules[{library!r}] = None; sys.argv = sys.argv[1:]\n"
        code += "from spacy.cli import setup_cli; setup_cli()"
        arguments = command(tmp_path / "model", *args)[2:]
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True
        )
        assert done.returncode == 1
        assert f'pip install "spacy-lstm-tagger[{extra}]"' in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("gpu", [False, True])
def test_an_actor_with_a_gpu_loads_the_pipeline_on_it(gpu, run, tmp_path, monkeypatch) -> None:
    job, _ = run(write_jsonl(tmp_path / "in.jsonl", [{"text": "Eat"}]))
    done, load = [], spacy.load
    monkeypatch.setattr(spacy, "require_gpu", lambda: done.append("GPU"))
    monkeypatch.setattr(spacy, "load", lambda path: done.append("loaded") or load(path))
    ShardAnnotator(job, gpu)
    assert done == ["GPU", "loaded"][not gpu :]


def test_places_of_fsspec_are_written_whole() -> None:
    pytest.importorskip("fsspec", reason="fsspec is not installed ([annotate])")
    path = "memory://annotate/part.txt"
    with pytest.raises(RuntimeError), places.written_whole(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert not places.exists(path)
    with places.written_whole(path) as file:
        file.write(b"whole")
    assert places.open_file(path).read() == b"whole"
    assert places.names_in("memory://annotate") == ["part.txt"]
    assert (places.size(path), places.join("memory://annotate/", "x")) == (5, "memory://annotate/x")
    places.remove(path)
    assert not places.exists(path)

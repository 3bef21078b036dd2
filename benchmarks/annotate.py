"""Annotate a corpus with `lstm-tagger annotate`: one process, two, Ray, and `nlp.pipe` in turns.

    python benchmarks/annotate.py [MODEL ...] [--words 2000000] [--rounds 3] [--ray]
        [--rate MODEL ...] [--documents 1000000] [--shards 10000]

What is asked for is measured; the rest of the page stays as it was.

For each MODEL: seconds from JSONL to Parquet of one process, of as many as there are cores, of
actors of Ray, and of the fastest `nlp.pipe` in one process, in turns; the work without what
starting takes (the same command for one text); whether all give the same annotation. Then memory
for many documents beside few, and seconds a shard for many shards. Core hours are those of one
process, of each `--rate MODEL`. Texts are the raw English of the data, as often as needed.
Writes ANNOTATE.md and measured/annotate.json to --output.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import unittest.mock
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import spacy
import typer
from measuring.report import environment
from spacy.language import Language
from wasabi import MarkdownRenderer

from spacy_lstm_tagger.annotate.annotation import COLUMNS, Annotator, Options
from spacy_lstm_tagger.annotate.job import open_job
from spacy_lstm_tagger.annotate.work import annotate_shard
from spacy_lstm_tagger.files.text_lines import read_texts

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("SPACY_LSTM_TAGGER_DATA", ROOT.parent / "shared" / "data"))
BATCH_SIZES = (50, 256, 1000)
"""Sizes that `nlp.pipe` is tried with before the turns; the fastest takes part."""

MODEL = "en_ewt_lstm"
"""What memory is measured with."""

COMMAND = """python benchmarks/annotate.py en_ewt_lstm --ray --rounds 1
python benchmarks/annotate.py --documents 1000000 --shards 10000
python benchmarks/annotate.py --rate en_ewt_lstm --rate PATH=default.float32 ..."""
"""What the page was made with."""


BATCH, SHARD_DOCS = 1000, 5_000
"""Texts in a batch of the command, and of the shard that is taken apart."""

INTRODUCTION = """
Written by the commands below; do not edit. Seconds are medians, of turns; *start* is what the
command takes for a single text, *work* the rest. The factors say how many times as fast; those in
brackets are of the work alone. *differ*: documents whose annotation is not what `nlp.pipe` gives
for the same batches. `nlp.pipe` is called once, in one process, which reads the texts and writes
nothing.
"""

SHORT = 40
"""Characters of the texts that memory is measured with."""

RATE_WORDS = 300_000
"""Words that rates of further models are measured with."""

OUTPUTS = ("one", "several", "ray")
"""Directories that the command writes."""

N_CORES = 2
"""Processes, and actors of Ray, beside one."""


def main(
    models: list[str] = typer.Argument(None, help="Pipelines that annotate the whole corpus"),
    words: int = typer.Option(2_000_000, help="Words of the corpus"),
    rounds: int = typer.Option(3, min=1, help="Times that each takes its turn"),
    ray: bool = typer.Option(False, "--ray", help="Let Ray take turns, too"),
    rate: list[str] = typer.Option([], help="Pipelines, or PATH=NAME, whose rate is measured"),
    documents: int = typer.Option(0, help="Documents that memory is measured with"),
    shards: int = typer.Option(0, help="Shards whose overhead is measured"),
    output: Path = typer.Option(ROOT / "benchmarks", help="Directory to write to"),
) -> None:
    """Measure all, and write the page."""
    measured = output / "measured" / "annotate.json"
    found: dict[str, Any] = {"models": {}, "rates": {}}
    if measured.exists():
        found = json.loads(measured.read_text(encoding="utf8"))
    found["environment"] = environment()
    measured.parent.mkdir(exist_ok=True)

    def keep() -> None:
        measured.write_text(json.dumps(found, indent=1) + "\n", encoding="utf8")

    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        texts = [text for _, text in read_texts(DATA / "raw_en.jsonl.gz", ".jsonl", print)]
        corpus = _write_corpus(directory / "corpus.jsonl", texts, n_words=words)
        part = _write_corpus(directory / "part.jsonl", texts, n_words=min(words, RATE_WORDS))
        one = _write_corpus(directory / "one.jsonl", texts, n_docs=1)
        for model in models or []:
            found["models"][Path(model).name] = _in_turns(
                model, corpus, one, directory, rounds, ray
            )
            keep()
        for model in rate:
            path, _, title = model.partition("=")
            found["rates"][title or path] = _tokens_a_second(path, part, one, directory)
            keep()
        if documents:
            short = [text[:SHORT] for text in texts]
            found["memory"] = {
                n: _peak_memory(
                    MODEL, _write_corpus(directory / "n.jsonl", short, n_docs=n), directory
                )
                for n in (10_000, documents)
            }
            keep()
        if shards:
            found["shard"] = _overhead(directory, shards)
            keep()
    page = _page(found)
    (output / "ANNOTATE.md").write_text(page + "\n", encoding="utf8")
    print(page)


def _write_corpus(
    path: Path, texts: Sequence[str], *, n_words: int | None = None, n_docs: int | None = None
) -> Path:
    """Write texts, again and again, until there are so many words or documents."""
    words = docs = 0
    with path.open("w", encoding="utf8") as file:
        for text in cycle(texts):
            if words >= n_words if n_words is not None else docs == n_docs:
                return path
            file.write(json.dumps({"id": docs, "text": text}, ensure_ascii=False) + "\n")
            words, docs = words + len(text.split()), docs + 1
    return path


def _in_turns(
    model: str, corpus: Path, one: Path, directory: Path, rounds: int, ray: bool
) -> dict[str, Any]:
    attributes = _attributes(model)
    best = min(BATCH_SIZES, key=lambda size: _pipe_seconds(model, corpus, size, n_docs=2000))
    ways: dict[str, Callable[[Path], float]] = {
        f"nlp.pipe, batches of {best}": lambda path: _pipe_seconds(model, path, best),
        "1 process": lambda path: _command(
            model, path, directory / OUTPUTS[0], attributes, "-n", "1"
        ),
        f"{N_CORES} processes": lambda path: _command(
            model, path, directory / OUTPUTS[1], attributes, "-n", str(N_CORES)
        ),
    }
    if ray:
        ways[f"{N_CORES} actors of Ray"] = lambda path: _command(
            *(model, path, directory / OUTPUTS[2], attributes, "-e", "ray", "-n", str(N_CORES))
        )
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    started: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, run in ways.items():
            started[way].append(run(one))
            seconds[way].append(run(corpus))
            print(model, way, f"{started[way][-1]:.1f} {seconds[way][-1]:.1f}", flush=True)
    nlp = spacy.load(model)
    return {
        "attributes": attributes,
        "tokens": _n_tokens(directory / OUTPUTS[0]),
        "seconds": {way: statistics.median(values) for way, values in seconds.items()},
        "start": {way: statistics.median(values) for way, values in started.items()},
        "differing": _differing(nlp, directory, list(ways)[1:], attributes),
        "parts": _parts(nlp, corpus, directory, attributes),
    }


def _attributes(model: str) -> list[str]:
    nlp = spacy.load(model)
    doc = next(iter(nlp.pipe(["She gave me three books yesterday."])))
    return [name for name in ("tag", "pos", "morph", "lemma") if doc.has_annotation(name.upper())]


def _pipe_seconds(model: str, path: Path, size: int, n_docs: int | None = None) -> float:
    """Return the seconds of a new process that does nothing but `nlp.pipe`."""
    code = "import json, sys, itertools, spacy; nlp = spacy.load(sys.argv[1])\n"
    code += "file = itertools.islice(open(sys.argv[2], encoding='utf8'), %s)\n"
    code += "texts = (json.loads(line)['text'] for line in file)\n"
    code += "for doc in nlp.pipe(texts, batch_size=%s): pass\n"
    start = time.perf_counter()
    _run([sys.executable, "-c", code % (n_docs, size), model, str(path)])
    return time.perf_counter() - start


def _command(model: str, path: Path, out: Path, attributes: Sequence[str], *options: str) -> float:
    """Return the seconds of the command, with a new directory."""
    _run(["rm", "-rf", str(out)])
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "annotate", model, str(path), str(out)]
    start = time.perf_counter()
    _run([*command, "-a", ",".join(attributes), *options])
    return time.perf_counter() - start


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "RAY_AUTH_MODE": "disabled"}
    done = subprocess.run(command, capture_output=True, text=True, env=one_thread, check=False)
    if done.returncode:
        raise RuntimeError(f"{command} failed: {done.stderr[-2000:]}")
    return done


def _n_tokens(out: Path) -> int:
    rows = pq.read_table(out, columns=["tokens"])
    return sum(len(one) for one in rows.column("tokens").to_pylist())


def _differing(
    nlp: Language, directory: Path, ways: Sequence[str], attributes: Sequence[str]
) -> dict[str, int]:
    """Return how many docs have other annotation than `nlp.pipe` gives the same batches, by way."""
    names = [COLUMNS[name] for name in attributes]
    known: dict[Any, list[dict[str, Any]]] = {}
    differing = dict.fromkeys(ways, 0)
    for way, out in zip(ways, OUTPUTS, strict=False):
        for path in sorted((directory / out).glob("*.parquet")):
            rows = pq.read_table(path, columns=["id", "text", *names]).to_pylist()
            shard = rows[0]["id"], rows[-1]["id"]
            if shard not in known:
                known[shard] = _annotated(nlp, rows, names)
            differing[way] += sum(a != b for a, b in zip(rows, known[shard], strict=True))
    return differing


def _annotated(
    nlp: Language, rows: list[dict[str, Any]], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return rows as `nlp.pipe` annotates their texts."""
    found = []
    docs = nlp.pipe((row["text"] for row in rows), batch_size=BATCH)
    for doc, row in zip(docs, rows, strict=True):
        values = {
            "tags": [token.tag_ for token in doc],
            "pos": [token.pos_ for token in doc],
            "morphs": [str(token.morph) for token in doc],
            "lemmas": [token.lemma_ for token in doc],
        }
        found.append({**row, **{name: values[name] for name in names}})
    return found


def _parts(
    nlp: Language, corpus: Path, directory: Path, attributes: Sequence[str]
) -> dict[str, Any]:
    """Return the seconds of a shard, and those that components take for the same texts."""
    path, options = directory / "shard.jsonl", Options("parquet", "text", None, tuple(attributes))
    with corpus.open(encoding="utf8") as file:
        path.write_text("".join(islice(file, SHARD_DOCS)), encoding="utf8")
        texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf8").splitlines()]
    with open_job(
        *("", nlp, [str(path)], str(directory / "shard"), options),
        shard_size=10**9,
        batch_size=BATCH,
    ) as (job, _):
        pass
    annotator = Annotator(nlp, attributes)
    seconds: dict[str, list[float]] = {"shard": [], "components": []}
    for _ in range(3):
        counts = annotate_shard(job.shards[0], job.output, job.options, annotator, job.schema)
        seconds["shard"].append(counts.seconds)
        components = 0.0
        for start in range(0, len(texts), BATCH):
            with annotator.zone():
                docs = [nlp.make_doc(text) for text in texts[start : start + BATCH]]
                before = time.perf_counter()
                list(nlp.pipe(docs, batch_size=BATCH))
                components += time.perf_counter() - before
        seconds["components"].append(components)
    return {part: statistics.median(values) for part, values in seconds.items()}


def _tokens_a_second(model: str, part: Path, one: Path, directory: Path) -> float:
    """Return the rate of one process, without starting."""
    out, attributes = directory / "rate", _attributes(model)
    start = _command(model, one, out, attributes, "-n", "1")
    seconds = _command(model, part, out, attributes, "-n", "1")
    return _n_tokens(out) / (seconds - start)


def _peak_memory(model: str, path: Path, directory: Path) -> float:
    """Return the megabytes that the largest process of a job had at most."""
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "annotate", model, str(path)]
    _run(["rm", "-rf", str(directory / "memory")])
    process = subprocess.Popen(  # so that it can be waited for with what it used
        [*command, str(directory / "memory"), "-n", str(N_CORES)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command} failed")
    return used.ru_maxrss / 1000


def _overhead(directory: Path, n: int) -> dict[str, float]:
    """Return the milliseconds that a shard of one text takes, with a blank pipeline."""
    spacy.blank("en").to_disk(directory / "blank")
    nlp, path = spacy.load(directory / "blank"), directory / "shards.txt"
    path.write_text("I like ham\n" * n)
    start = time.perf_counter()
    with open_job(
        *(str(directory / "blank"), nlp, [str(path)], str(directory / "shards")),
        Options("jsonl", "text", None, ("tag",)),
        shard_size=1,
        batch_size=1000,
    ) as (job, _):
        pass
    cut = time.perf_counter()
    annotator, syncing = Annotator(nlp, ["tag"]), 0.0
    sync = os.fsync

    def timed(file: int) -> None:
        nonlocal syncing
        before = time.perf_counter()
        sync(file)
        syncing += time.perf_counter() - before

    with unittest.mock.patch("os.fsync", timed):
        for shard in job.left():
            annotate_shard(shard, job.output, job.options, annotator)
    end = time.perf_counter()
    counts = job.counts(job.shards)
    assert (counts.docs, len(job.shards)) == (n, n)
    counted = time.perf_counter()
    return {
        "shards": n,
        "cutting": 1000 * (cut - start) / n,
        "doing": 1000 * (end - cut) / n,
        "syncing": 1000 * syncing / n,
        "counting": 1000 * (counted - end) / n,
    }


def _page(found: dict[str, Any]) -> str:
    md = MarkdownRenderer(no_emoji=True)
    md.add(md.title(1, "Annotating a corpus, measured"))
    md.add(INTRODUCTION)
    md.add(md.code_block(COMMAND))
    md.add(found["environment"])
    for model, one in found["models"].items():
        md.add(md.title(2, model))
        md.add(_turns_table(md, one))
        share, n = one["parts"]["components"] / one["parts"]["shard"], one["tokens"]
        md.add(
            f"{n:,} tokens; written: {', '.join(one['attributes'])}. Of the time of a process,\n"
            f"the pipeline's components take {share:.0%}; reading, tokenizing and writing the rest."
        )
    md.add(md.title(2, "Core hours"))
    rows = [
        [model, f"{rate:,.0f}", f"{1e9 / rate / 3600:.1f}"]
        for model, rate in found["rates"].items()
    ]
    header = ["pipeline", "tokens a second, one core", "core hours for 1,000,000,000 tokens"]
    md.add(md.table(rows, header, aligns=["l", "r", "r"]))
    md.add(
        "`default`: a tagger of `configs/default.cfg`, tags alone, in torch, with the `precision`\n"
        "named. The others write tags, parts of speech, features and lemmas; `en_core_web_sm`\n"
        "also parses, and finds entities."
    )
    md.add(md.title(2, "Many documents, many shards"))
    if memory := found.get("memory"):
        (few, least), (many, most) = ((int(n), peak) for n, peak in memory.items())
        md.add(
            f"The largest process had {least:.0f} MB at most for {few:,} documents, {most:.0f} MB\n"
            f"for {many:,}: {most / least:.2f} times (`{MODEL}`, texts of {SHORT} characters)."
        )
    if shard := found.get("shard"):
        md.add(
            f"Of {shard['shards']:,} shards with a short text each, cutting one took "
            f"{shard['cutting']:.2f} ms, doing it\n{shard['doing']:.2f} ms, of which "
            f"{shard['syncing']:.2f} ms wait for the disk to have the file, and counting what\nwas "
            f"done {shard['counting']:.2f} ms."
        )
    return md.text


def _turns_table(md: MarkdownRenderer, one: dict[str, Any]) -> str:
    seconds, start = one["seconds"], one["start"]
    work = {way: seconds[way] - start[way] for way in seconds}
    pipe, single = (next(way for way in seconds if way.startswith(a)) for a in ("nlp", "1 "))
    header = ["", "seconds", "start", "work", "to one process", "to nlp.pipe", "differ"]
    rows = []
    for way in seconds:
        differing = one["differing"].get(way)
        rows.append(
            [
                *(way, f"{seconds[way]:.1f}", f"{start[way]:.1f}", f"{work[way]:.1f}"),
                f"{seconds[single] / seconds[way]:.2f} ({work[single] / work[way]:.2f})",
                f"{seconds[pipe] / seconds[way]:.2f} ({work[pipe] / work[way]:.2f})",
                "" if differing is None else f"{differing:,}",
            ]
        )
    return md.table(rows, header, aligns=["l", *["r"] * 6])


if __name__ == "__main__":
    typer.run(main)

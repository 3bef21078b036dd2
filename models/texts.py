"""Collect the texts that the models are taught on: paragraphs of English, free for any use.

    python models/texts.py OUTPUT.jsonl.gz --dev en_ewt-ud-dev.conllu [--also MORE.jsonl.gz]
        [--from https://github.com/{owner}/{name}]

Reads the repositories that texts.yml names, at the commits that it names, and writes an object with
"text" and "source" a line, in random order. A repository is cloned without its history from what
--from makes of its name; that may be a directory with copies of the repositories. Left out are
mark-up, code, tables, headings, duplicates, what is hardly English prose, and every text with a
sentence of --dev that has at least eight words.

Needs markdown-it-py, which spaCy's command line brings.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import html
import io
import json
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import srsly
from markdown_it import MarkdownIt

GITHUB = "https://github.com/{owner}/{name}"
SOURCES = Path(__file__).with_name("texts.yml")
WORDS = (5, 300)
"""Minimum and maximum number of words of a text."""
LETTERS = 0.9
"""Minimum share of letters, spaces and common punctuation."""
DEV_WORDS = 8
"""Sentences of dev with so many words must not occur."""

FRONT_MATTER = re.compile(r"\A\s*(---|\+\+\+)\n.*?\n\1\s*\n", re.DOTALL)
TEMPLATE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
CODE_LIKE = re.compile(r"[{}<>\\|`]|::|\(\)|=>|->|==|https?://|www\.")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"“A-Z(])")
WORD = re.compile(r"\w+")
FREQUENT = frozenset(
    WORD.findall(
        "the of and to a in is that for it on was you with as i be are have this my at we not but "
        "he they or"
    )
)
"""Words of which English prose has many."""


class Paragraphs(HTMLParser):
    """Collects the paragraphs of HTML; what has code or a bare address in it is left out."""

    LEFT_OUT = frozenset(
        WORD.findall("pre table script style figure svg iframe head title h1 h2 h3 h4 h5 h6")
    )
    BLOCKS = frozenset(
        WORD.findall("p div li ul ol dl dt dd blockquote section article br hr body")
    )

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.parts: list[str] = []
        self.depth, self.spoilt = 0, False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Begin a paragraph, or a part that is left out."""
        self.depth += tag in self.LEFT_OUT
        self.spoilt |= tag == "code"
        if tag in self.BLOCKS | self.LEFT_OUT:
            self.close_paragraph()

    def handle_endtag(self, tag: str) -> None:
        """End a paragraph, or a part that is left out."""
        self.depth = max(0, self.depth - (tag in self.LEFT_OUT))
        if tag in self.BLOCKS:
            self.close_paragraph()

    def handle_data(self, data: str) -> None:
        """Collect text."""
        if not self.depth:
            self.parts.append(data)

    def close_paragraph(self) -> None:
        """Keep the paragraph so far."""
        text = " ".join("".join(self.parts).split())
        if text and not self.spoilt:
            self.found.append(text)
        self.parts, self.spoilt = [], False


class Source(NamedTuple):
    """Source of texts, as texts.yml describes it.

    repository, commit: owner/name on GitHub, and the hash of a commit.
    paths: regular expression for the files.
    format: one of FORMATS.
    field: key or column, for the formats that have some.
    words: maximum number of words taken.
    """

    name: str
    kind: str
    repository: str
    commit: str
    paths: str
    format: str
    licence: str
    stated_in: str
    words: int
    field: str = ""


def of_html(text: str, field: str = "") -> list[str]:
    """Return the paragraphs of HTML."""
    parser = Paragraphs()
    parser.feed(text)
    parser.close_paragraph()
    return parser.found


def of_markdown(text: str, field: str = "") -> list[str]:
    """Return the paragraphs of Markdown that end as sentences do."""
    text = TEMPLATE.sub("`template`", FRONT_MATTER.sub("", text.replace("\r\n", "\n")))
    found = of_html(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    return [paragraph for paragraph in found if paragraph[-1] in ".!?:;,)”\"'"]


def of_lines(text: str, field: str) -> list[str]:
    """Return the lines, or of each what is before its first tab."""
    return [line.partition("\t")[0] for line in text.splitlines()]


def of_json(text: str, field: str) -> list[str]:
    """Return all strings under a key, however deep."""

    def strings(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key == field and isinstance(inner, str):
                    yield inner
                else:
                    yield from strings(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from strings(inner)

    return list(strings(json.loads(text)))


def of_csv(text: str, field: str) -> list[str]:
    """Return the paragraphs of a column."""
    rows = csv.DictReader(io.StringIO(text))
    return [part for row in rows for part in re.split(r"\n\s*\n", row.get(field) or "")]


def of_stack_exchange(text: str, field: str) -> list[str]:
    """Return titles, and paragraphs of posts and comments, of a dump in XML."""
    found = []
    for name, value in re.findall(r'\s(Body|Text|Title)="([^"]*)"', text):
        content = html.unescape(value)
        found += of_html(content) if name == "Body" else [html.unescape(content)]
    return found


def of_tokens(text: str, field: str) -> list[str]:
    """Return the lines of a tokenized file, the tokens joined as they are usually written."""
    lines = []
    for line in of_lines(text, field):
        if '"' in line or "''" in line:  # which of them open is not known
            continue
        line = line.replace(" n't", "n't").replace("-LRB- ", "(").replace(" -RRB-", ")")
        line = re.sub(r" ('(?:s|m|d|re|ve|ll))\b", r"\1", line)
        line = re.sub(r"([(\[$]) ", r"\1", re.sub(r" ([.,;:!?%)\]])", r"\1", line))
        lines.append(re.sub(r"(\w) ([-/]) (\w)", r"\1\2\3", line))
    return lines


FORMATS: dict[str, Callable[[str, str], list[str]]] = {
    "markdown": of_markdown,
    "html": of_html,
    "lines": of_lines,
    "tokens": of_tokens,
    "json": of_json,
    "csv": of_csv,
    "stack exchange": of_stack_exchange,
}


def read_sources(path: Path = SOURCES) -> list[Source]:
    """Return the sources in texts.yml."""
    return [Source(**entry) for entry in srsly.read_yaml(path)]


def texts_of(source: Source, files: Iterable[str]) -> Iterator[str]:
    """Yield the texts of a source's files that are prose, long ones in parts."""
    for file in files:
        for paragraph in FORMATS[source.format](file, source.field):
            yield from filter(is_prose, _parts(" ".join(paragraph.split())))


def is_prose(text: str) -> bool:
    """Return whether a text looks like English prose of a fitting length."""
    words = text.split()
    if not WORDS[0] <= len(words) <= WORDS[1] or max(map(len, words)) > 45:
        return False
    if CODE_LIKE.search(text) or "\ufffd" in text:
        return False
    plain = sum(c.isalpha() or c in " '.,!?\"-’" for c in text)
    frequent = sum(word.lower().strip('.,!?"') in FREQUENT for word in words)
    return plain >= LETTERS * len(text) and (len(words) < 12 or frequent >= 0.12 * len(words))


def _parts(text: str, size: int = 250) -> list[str]:
    if len(text.split()) <= WORDS[1]:
        return [text]
    parts = [""]
    for sentence in SENTENCE_END.split(text):
        if len(f"{parts[-1]} {sentence}".split()) > size:
            parts.append("")
        parts[-1] = f"{parts[-1]} {sentence}".strip()
    return parts


def letters_of(text: str) -> str:
    """Return the letters and digits of a text, by which texts are compared."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


class Dev:
    """Sentences of a dev split that must not occur in texts."""

    def __init__(self, path: Path) -> None:
        self.by_start: dict[str, set[str]] = {}
        for line in path.read_text(encoding="utf8").splitlines():
            if line.startswith("# text ="):
                words = letters_of(line.partition("=")[2]).split()
                if len(words) >= DEV_WORDS:
                    self.by_start.setdefault(" ".join(words[:4]), set()).add(" ".join(words))

    def occurs_in(self, text: str) -> bool:
        """Return whether a sentence of dev is part of a text."""
        letters = letters_of(text)
        words = letters.split()
        starts = (" ".join(words[i : i + 4]) for i in range(len(words) - DEV_WORDS + 1))
        return any(
            sentence in letters for start in starts for sentence in self.by_start.get(start, ())
        )


def read_repository(source: Source, address: str) -> list[str]:
    """Return the texts of the files of a repository that fit the source's paths."""
    owner, name = source.repository.split("/")
    place = address.format(owner=owner, name=name)
    if Path(place).is_dir():
        return _read_files(place, source)
    with tempfile.TemporaryDirectory() as directory:
        _run(["git", "init", "--quiet", "--bare", directory])
        _run(["git", "-C", directory, "fetch", "--quiet", "--depth", "1", place, source.commit])
        return _read_files(directory, source)


def _read_files(repository: str, source: Source) -> list[str]:
    """Return the files of a repository on disk; sizes and hashes of all are listed first."""
    git = ["git", "-c", "safe.directory=*", "-C", repository]
    listed = _run([*git, "ls-tree", "-r", "-z", source.commit]).split("\0")
    entries = [entry.partition("\t") for entry in listed if entry]
    blobs = [
        description.split()[2]
        for description, _, path in sorted(entries, key=lambda entry: entry[2])
        if re.search(source.paths, path)
    ]
    # Copies may lack large files: what is missing is said, and is no error.
    command = [*git, "cat-file", "--batch"]
    data = subprocess.run(command, input="\n".join(blobs).encode(), capture_output=True).stdout
    files, place = [], 0
    while place < len(data):
        head, _, _ = data[place : place + 200].partition(b"\n")
        place += len(head) + 1
        if not head.endswith(b" missing"):
            size = int(head.split()[2])
            files.append(data[place : place + size].decode("utf8", "replace"))
            place += size + 1
    if len(files) < len(blobs):
        print(f"{source.name}: {len(blobs) - len(files)} of {len(blobs)} files are missing")
    return files


def _run(command: list[str]) -> str:
    """Run a command and return what it prints; exit if it fails."""
    done = subprocess.run(command, capture_output=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode("utf8", "replace")


def main() -> None:
    """Collect the texts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--dev", type=Path, required=True, help="CoNLL-U file that must not occur")
    parser.add_argument(
        "--also", type=Path, action="append", default=[], help="more texts, .jsonl.gz"
    )
    parser.add_argument("--from", dest="address", default=GITHUB, help="where repositories are")
    args = parser.parse_args()
    rng, dev = random.Random(0), Dev(args.dev)
    seen: set[str] = set()
    rows: list[tuple[str, str]] = []

    def add(name: str, texts: list[str], most: int) -> None:
        rng.shuffle(texts)
        n_words = n_texts = n_dev = 0
        for text in texts:
            letters = letters_of(text)
            if letters in seen or n_words + len(text.split()) > most:
                continue
            seen.add(letters)
            if dev.occurs_in(text):
                n_dev += 1
                continue
            rows.append((text, name))
            n_words, n_texts = n_words + len(text.split()), n_texts + 1
        print(f"{name}: {n_words} words, {n_texts} texts; {n_dev} with dev left out", flush=True)

    for source in read_sources():
        files = read_repository(source, args.address)
        add(source.name, list(texts_of(source, files)), source.words)
    for path in args.also:
        with gzip.open(path, "rt", encoding="utf8") as lines:
            others = [json.loads(line) for line in lines]
        for name in sorted({row["source"] for row in others}):
            add(name, [row["text"] for row in others if row["source"] == name], 10**9)
    rng.shuffle(rows)
    part = args.output.with_suffix(".part")
    with gzip.open(part, "wt", encoding="utf8") as file:
        for text, name in rows:
            file.write(json.dumps({"text": text, "source": name}, ensure_ascii=False) + "\n")
    part.replace(args.output)


if __name__ == "__main__":
    main()

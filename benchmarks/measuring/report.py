"""Write RESULTS.md: the figures, the method, the machine, and the taggers without figures."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable
from pathlib import Path

import spacy
import thinc
import torch
from wasabi import MarkdownRenderer

from . import tables
from .tables import Taggers
from .variants import TYPO_LETTERS, TYPO_SEED, TYPO_SHARE

PER_TAG = (tables.REFERENCE, "default", "student")

INTRODUCTION = """\
Written by the command below; do not edit. Every figure is `tag_acc` (XPOS) on the dev split in
percent, mean ± standard deviation of the seeds, unless its column says otherwise. All taggers are
trained on the train split, one sentence a doc with gold tokens; those that keep their best model
choose it on the dev split. Static vectors are used where a name says so."""

COUNTS = "{sentences:,} sentences, {words:,} words; {unseen:,} of them unseen, {typos:,} typos."

HEADLINE = """\
*errors*: how many more or fewer there are on gold tokens than the spaCy CNN makes. *raw text*: the
words are those of spaCy's tokenizer, as `spacy evaluate` scores them. *unseen words*: gold tokens
whose form, case included, is not in the train split. *minutes*: wall time of a training,
whatever else the machine did meanwhile.
*components*: what was trained, of *all* the model on disk (10^6 bytes)."""

ROBUSTNESS = f"""\
The same gold tokens, altered. *typos*: each word of at least {TYPO_LETTERS} letters has, with
probability {TYPO_SHARE} (seed {TYPO_SEED}), one letter deleted, doubled, replaced or swapped with
the next. The taggers read single sentences, or docs of ten."""

LONG_DOCS = """\
Gold tokens of so many sentences joined into one doc, with no sentence boundaries given."""

GENRES = """\
Accuracy on gold tokens by the genre in the sentence ids (in brackets: words). *edited*: newsgroup
and weblog, mostly journalism and essays; *web*: answers, email and reviews."""

TAGS = """\
F1 on gold tokens of each tag in the dev split."""

SIGNIFICANCE = """\
Exact two-sided McNemar test on gold tokens, each tagger's first seed against the CNN's first:
words that only one of the two gets right, and the probability of such a difference, or a greater
one, between taggers that are equally good."""


def report(by_treebank: dict[str, Taggers], command: str) -> str:
    """Return the page as Markdown.

    command: Command that the page names as its source.
    """
    md = MarkdownRenderer(no_emoji=True)
    md.add(md.title(1, "Accuracy, measured"))
    md.add(INTRODUCTION)
    md.add(md.code_block(command))
    md.add(environment())
    for treebank, taggers in by_treebank.items():
        _add_treebank(md, treebank, taggers)
    _add(md, "Remarks", "", md.list(listed_remarks(by_treebank)))
    _add(md, "Not trained", "", md.list(listed_stopped(by_treebank)))
    return md.text + "\n"


def environment() -> str:
    """Return the versions and the processor in one line."""
    return (
        f"spaCy {spacy.__version__}, thinc {thinc.__version__}, torch {torch.__version__}, "
        f"Python {platform.python_version()}; CPU: {_processor()}"
    )


def without_paths(text: str) -> str:
    """Shorten absolute paths to their last part: the directories of a machine are private."""
    return re.sub(r"(?<![\w.])(?:[A-Za-z]:)?(?:[/\\][\w.+~@-]+)+[/\\](?=[\w.+-])", "", text)


def _add_treebank(md: MarkdownRenderer, treebank: str, taggers: Taggers) -> None:
    md.add(md.title(2, treebank))
    counts = next((t.scored[0].scores["counts"] for t in taggers if t.scored), None)
    if counts:
        md.add(COUNTS.format(**counts))
    md.add(HEADLINE)
    md.add(tables.headline(taggers))
    _add(md, "Robustness", ROBUSTNESS, tables.robustness(taggers))
    _add(md, "Long docs", LONG_DOCS, tables.long_docs(taggers))
    _add(md, "Genres", GENRES, tables.genres(taggers))
    _add(md, "Tags", TAGS, tables.tags(taggers, PER_TAG))
    _add(md, "Significance", SIGNIFICANCE, tables.significance(taggers))


def _add(md: MarkdownRenderer, title: str, text: str, content: str) -> None:
    """Add a section unless it has no content."""
    if content:
        md.add(md.title(3 if text else 2, title))
        for part in filter(None, (text, content)):
            md.add(part)


def listed_remarks(by_treebank: dict[str, Taggers]) -> list[str]:
    """Return a line for each remark on a tagger."""
    return _listed(
        (treebank, t.title, run.seed, remark)
        for treebank, taggers in by_treebank.items()
        for t in taggers
        for run in t.results
        for remark in run.remarks
    )


def listed_stopped(by_treebank: dict[str, Taggers]) -> list[str]:
    """Return a line for each tagger that was not trained, with the reason."""
    return _listed(
        (treebank, t.title, run.seed, run.stopped)
        for treebank, taggers in by_treebank.items()
        for t in taggers
        for run in t.results
        if run.stopped
    )


def _listed(items: Iterable[tuple[str, str, int, str]]) -> list[str]:
    """Return a line for each tagger and text, with the seeds that it applies to."""
    seeds: dict[tuple[str, str, str], list[int]] = {}
    for treebank, title, seed, text in items:
        seeds.setdefault((treebank, title, without_paths(text)), []).append(seed)
    return [
        f"{title}, {treebank}, seed {', '.join(map(str, found))}: {text}"
        for (treebank, title, text), found in seeds.items()
    ]


def _processor() -> str:
    """Return the model of the processor, as far as the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        found = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()

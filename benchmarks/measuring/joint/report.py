"""Write TREEBANKS.md: the treebanks, and the accuracy of each system on each of them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from wasabi import MarkdownRenderer

from ..figures import mean_sd
from ..report import environment, listed_remarks, listed_stopped
from ..tables import NONE, TaggerResults, Taggers, find, markdown_table
from .scoring import UNSEEN
from .treebanks import RELEASE, SHORT, SOURCES

REFERENCE = "spacy"

COLUMNS = {
    "tag": "XPOS",
    "pos": "UPOS",
    "morph": "FEATS",
    "lemma": "lemma",
    UNSEEN: "lemma, unseen words",
}

INTRODUCTION = """\
Written by the command below; do not edit. Joint tagging: one model predicts XPOS, UPOS, FEATS and
lemma. All are trained on the train split with gold tokens, one sentence a doc, and without
pretrained vectors; they choose their best model on the dev split, and are scored on it: every
figure is an accuracy on its gold tokens in percent, as spaCy's scorer computes it (`tag_acc`,
`pos_acc`, `morph_acc`, `lemma_acc`), mean ± standard deviation if there are several seeds."""

TREEBANKS = f"""\
Universal Dependencies {RELEASE[1:]}: the train and dev files of the tag `{RELEASE}` in the
repositories of https://github.com/UniversalDependencies, which `project.yml` downloads and checks.
The words are syntactic words, without multiword tokens and empty nodes. *unseen*: words of the dev
split whose lower-cased form is not in the train split. *XPOS*, *FEATS*, *edit trees*: how many
different ones there are in the train split; the trees are those of spaCy's `trainable_lemmatizer`,
in brackets those that it learns, which occur three times. A value `_` counts as no annotation,
except in FEATS. So 27 % of the Uyghur words have no lemma. Of the Vietnamese words of dev, 44 %
have an XPOS that no word of train has: two tag sets. Vietnamese, Gothic and Uyghur are trained as
language `xx`."""

SYSTEMS = f"""\
*spaCy*: its `tagger`, `morphologizer` and `trainable_lemmatizer` on one shared CNN, as `spacy init
config --optimize efficiency` sets them up, but for `neg_prefix` (with `!`, the `tagger` cannot be
trained on a treebank that has a tag `!`, such as the Vietnamese one). *lstm_tagger*: this package's
`configs/default.cfg` with these outputs, trained for {SHORT:,} steps instead of 4,200 on treebanks
of less than 30,000 words. *UDPipe 1*: tagger and lemmatizer of `ufal.udpipe` with
its default options; it has no seeds. *minutes*: wall time of a training, whatever else the machine
did meanwhile. *MB*: the model on disk (10^6 bytes)."""

ERRORS = """\
How many more or fewer errors there are than spaCy makes, from the means."""


def report(by_treebank: dict[str, Taggers], command: str) -> str:
    """Return the page as Markdown.

    command: Command that the page names as its source.
    """
    md = MarkdownRenderer(no_emoji=True)
    md.add(md.title(1, "Joint tagging of many languages, measured"))
    md.add(INTRODUCTION)
    md.add(md.code_block(command))
    md.add(environment())
    _add(md, "Treebanks", TREEBANKS, treebank_table(by_treebank))
    _add(md, "Accuracy", SYSTEMS, accuracy_table(by_treebank))
    _add(md, "Errors beside spaCy's", ERRORS, error_table(by_treebank))
    _add(md, "Remarks", "", md.list(listed_remarks(by_treebank)))
    _add(md, "Not trained", "", md.list(listed_stopped(by_treebank)))
    return md.text + "\n"


def treebank_table(by_treebank: dict[str, Taggers]) -> str:
    """Return the table of the treebanks that have results; empty if there are none."""
    rows = []
    for name, taggers in by_treebank.items():
        counts = next((t.scored[0].scores["counts"] for t in taggers if t.scored), None)
        if counts:
            rows.append([name, *_about(name), *_sizes(counts)])
    header = ["treebank", "repository", "kind", "script", "licence", "words of train", "of dev"]
    header += ["unseen", "XPOS", "FEATS", "edit trees"]
    return markdown_table(rows, header, left=5) if rows else ""


def accuracy_table(by_treebank: dict[str, Taggers]) -> str:
    """Return the table of accuracies, a row for each treebank and system."""
    rows = []
    for name, taggers in by_treebank.items():
        for tagger in taggers:
            runs = tagger.scored
            minutes = [run.record["minutes"] for run in runs if run.record]
            rows.append(
                [
                    *(name, tagger.title, str(len(runs))),
                    *(mean_sd(accuracies(tagger, column)) for column in COLUMNS),
                    mean_sd(minutes, 1),
                    f"{runs[0].sizes['all']:.1f}" if runs else NONE,
                ]
            )
    header = ["treebank", "system", "seeds", *COLUMNS.values(), "minutes", "MB"]
    return markdown_table(rows, header, left=2)


def error_table(by_treebank: dict[str, Taggers]) -> str:
    """Return the table of errors beside the reference's; empty if there is nothing to compare."""
    rows = []
    for name, taggers in by_treebank.items():
        reference = find(taggers, REFERENCE)
        for tagger in taggers:
            if reference and tagger is not reference and tagger.scored and reference.scored:
                cells = (more_errors(tagger, reference, column) for column in COLUMNS)
                rows.append([name, tagger.title, *cells])
    return markdown_table(rows, ["treebank", "system", *COLUMNS.values()], left=2) if rows else ""


def accuracies(tagger: TaggerResults, column: str) -> list[float]:
    """Return the accuracy of each seed; empty if the treebank does not have that annotation."""
    values = (run.scores["accuracy"].get(column) for run in tagger.scored)
    return [value for value in values if value is not None]


def more_errors(tagger: TaggerResults, reference: TaggerResults, column: str) -> str:
    """Return by how many percent the mean error differs from the reference's."""
    both = [accuracies(each, column) for each in (tagger, reference)]
    if not all(both):
        return NONE
    ours, theirs = (100 - statistics.fmean(values) for values in both)
    return f"{100 * (ours / theirs - 1):+.0f} %" if theirs else NONE


def _about(name: str) -> list[str]:
    source = SOURCES.get(name)
    if not source:
        return [NONE] * 4
    return [source.repository, source.kind, source.script, source.licence]


def _sizes(counts: dict[str, int]) -> Iterable[str]:
    """Return the cells of the sizes."""
    for name in ("train_words", "dev_words"):
        yield f"{counts[name]:,}"
    yield f"{100 * counts['unseen'] / counts['dev_words']:.0f} %"
    yield f"{counts['tags']:,}" if counts["tags"] else NONE
    yield f"{counts['morphs']:,}" if counts["morphs"] > 1 else NONE
    yield f"{counts['trees']:,} ({counts['frequent_trees']:,})"


def _add(md: MarkdownRenderer, title: str, text: str, content: str) -> None:
    """Add a section unless it has no content."""
    if content:
        md.add(md.title(2, title))
        for part in filter(None, (text, content)):
            md.add(part)

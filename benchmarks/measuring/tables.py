"""Tables of the report, each from the results of all taggers on one treebank."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from wasabi import MarkdownRenderer

from .devset import LONG_DOCS
from .figures import mcnemar, mean_sd
from .runs import Result
from .treebank import EDITED, WEB

REFERENCE = "cnn"
"""Key of the tagger that all others are compared with."""

NONE = "–"


@dataclass(frozen=True)
class TaggerResults:
    """Results of all runs of one tagger on one treebank."""

    key: str
    title: str
    results: list[Result]

    @property
    def scored(self) -> list[Result]:
        """Results with scores."""
        return [result for result in self.results if result.scores]

    def accuracies(self, name: str) -> list[float]:
        """Return the accuracy of each seed in one form of the dev set."""
        values = (result.scores["accuracy"][name] for result in self.scored)
        return [value for value in values if value is not None]


Taggers = list[TaggerResults]


def headline(taggers: Taggers) -> str:
    """Return the table of accuracy on gold tokens and raw text, errors, time and size."""
    header = ["seeds", "gold tokens", "errors", "raw text", "unseen words", "minutes", "threads"]
    header += ["components, MB", "all, MB"]

    def cells(tagger: TaggerResults) -> list[str]:
        runs = tagger.scored
        if not runs:
            return ["0", "not trained, see the end", *[NONE] * (len(header) - 2)]
        threads = sorted({f"{run.record['threads']}" for run in runs if run.record})
        return [
            str(len(runs)),
            mean_sd(tagger.accuracies("gold")),
            _errors(tagger, find(taggers, REFERENCE)),
            mean_sd(tagger.accuracies("raw")),
            mean_sd(tagger.accuracies("unseen")),
            mean_sd([run.record["minutes"] for run in runs if run.record], 1),
            ", ".join(threads) or NONE,
            *(f"{runs[0].sizes[part]:.1f}" for part in ("components", "all")),
        ]

    return _table(taggers, header, cells)


def robustness(taggers: Taggers) -> str:
    """Return the table of accuracy on altered text, in single sentences and in docs of ten."""
    forms = {"gold": "as it is", "lower": "lower-cased", "upper": "upper-cased", "typos": "typos"}
    many = LONG_DOCS[0]
    columns = {
        **forms,
        "unseen": "unseen words",
        "unseen_lower": "unseen, lower-cased",
        **{f"{form}_{many}": f"{many} sentences, {title}" for form, title in forms.items()},
    }
    return _accuracies(taggers, columns)


def long_docs(taggers: Taggers) -> str:
    """Return the table of accuracy on docs of one, ten and many sentences, and its range."""
    columns = {"gold": "1 sentence", **{f"gold_{n}": f"{n} sentences" for n in LONG_DOCS}}

    def cells(tagger: TaggerResults) -> list[str]:
        values = [tagger.accuracies(name) for name in columns]
        spreads = [max(row) - min(row) for row in zip(*values, strict=True)]
        return [*map(mean_sd, values), mean_sd(spreads)]

    return _table(_scored(taggers), [*columns.values(), "largest difference"], cells)


def genres(taggers: Taggers) -> str:
    """Return the table of accuracy on each genre and group of genres; empty if none is known."""
    known: dict[str, tuple[int, float]] = next(
        (t.scored[0].scores["genres"] for t in _scored(taggers)), {}
    )
    if not known:
        return ""
    groups = {name: (name,) for name in known} | {"edited": EDITED, "web": WEB}
    groups = {title: part for title, part in groups.items() if _words(known, part)}
    header = [f"{title} ({_words(known, part):,})" for title, part in groups.items()]

    def cells(tagger: TaggerResults) -> list[str]:
        by_run = [run.scores["genres"] for run in tagger.scored]
        return [mean_sd([_mean_of(run, part) for run in by_run]) for part in groups.values()]

    return _table(_scored(taggers), header, cells)


def tags(taggers: Taggers, keys: Iterable[str]) -> str:
    """Return the table of the F1 of each tag, for the taggers of `keys` that have scores."""
    chosen = [t for t in (find(taggers, key) for key in keys) if t and t.scored]
    if not chosen:
        return ""
    header = ["tag", "words", *(t.title for t in chosen)]
    rows = []
    for tag, (support, *_) in chosen[0].scored[0].scores["tags"].items():
        values = [[_f1(*run.scores["tags"][tag]) for run in t.scored] for t in chosen]
        rows.append([_code(tag), f"{support:,}", *map(mean_sd, values)])
    return markdown_table(rows, header)


def significance(taggers: Taggers) -> str:
    """Return the table of McNemar's test of each tagger's first run against the reference's."""
    reference = find(taggers, REFERENCE)
    if not reference or not reference.scored:
        return ""
    marks = _marks(reference)

    def cells(tagger: TaggerResults) -> list[str]:
        test = mcnemar(_marks(tagger), marks)
        return [f"{test.only_first:,}", f"{test.only_second:,}", f"{test.p:.2g}"]

    others = [tagger for tagger in _scored(taggers) if tagger is not reference]
    return _table(others, ["right alone", f"{reference.title} right alone", "p"], cells)


def find(taggers: Taggers, key: str) -> TaggerResults | None:
    """Return the tagger with a key; None if there is none."""
    return next((tagger for tagger in taggers if tagger.key == key), None)


def _table(taggers: Taggers, header: list[str], cells: Callable[[TaggerResults], list[str]]) -> str:
    rows = [[tagger.title, *cells(tagger)] for tagger in taggers]
    return markdown_table(rows, ["tagger", *header])


def markdown_table(rows: list[list[str]], header: list[str], left: int = 1) -> str:
    """Render a table, its first `left` columns aligned left and the others right."""
    aligns: list[Literal["l", "r", "c"]] = ["l" if i < left else "r" for i in range(len(header))]
    return MarkdownRenderer().table(rows, header, aligns)


def _accuracies(taggers: Taggers, columns: dict[str, str]) -> str:
    return _table(
        _scored(taggers),
        list(columns.values()),
        lambda tagger: [mean_sd(tagger.accuracies(name)) for name in columns],
    )


def _scored(taggers: Taggers) -> Taggers:
    return [tagger for tagger in taggers if tagger.scored]


def _errors(tagger: TaggerResults, reference: TaggerResults | None) -> str:
    """Return by how many percent the mean error differs from the reference's."""
    if not reference or tagger is reference or not reference.scored:
        return NONE
    ours, theirs = (100 - statistics.fmean(t.accuracies("gold")) for t in (tagger, reference))
    return f"{100 * (ours / theirs - 1):+.0f} %" if theirs else NONE


def _marks(tagger: TaggerResults) -> list[bool]:
    return [mark == "1" for mark in tagger.scored[0].scores["right"]]


def _words(by_genre: dict[str, tuple[int, float]], part: Iterable[str]) -> int:
    return sum(by_genre[name][0] for name in part if name in by_genre)


def _mean_of(by_genre: dict[str, tuple[int, float]], part: Iterable[str]) -> float:
    words = [by_genre[name] for name in part if name in by_genre]
    return sum(n * percent for n, percent in words) / sum(n for n, _ in words)


def _code(tag: str) -> str:
    """Format a tag as code in a table. XPOS has tags such as `` and |."""
    tag = tag.replace("|", "\\|")
    return f"``` {tag} ```" if "`" in tag else f"`{tag}`"


def _f1(support: int, guessed: int, both: int) -> float:
    return 200 * both / (support + guessed)

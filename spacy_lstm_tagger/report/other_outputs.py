"""Figures of what pipelines predict besides tags: parts of speech, features, lemmas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from ..outputs.morph import NONE, features_of
from .answers import Answers, Gold, WordCounts
from .comparison import Comparison, compare
from .figures import left_out, seen_and_unseen
from .per_value import Confusion, TagFigures, confusions, per_value, rows_of
from .raw_text import RawText
from .shares import Marks, Share, accuracy, mark


@dataclass(frozen=True)
class OutputFigures:
    """Figures of one pipeline for one output.

    model: name of the pipeline.
    n_words: number of words that are compared.
    left_out: reason to number of tokens that are not compared for that reason.
    accuracy: accuracy on all words, equal to spaCy's score such as `lemma_acc`, but for white
        space with a gold value, and words whose gold lemma is "_".
    raw_text: the same on raw text; None if it is unknown.
    seen_means: definition of "seen", for readers; None if counts in training are unknown.
    values: of parts of speech, figures of each; of morphology, figures of each feature, equal to
        spaCy's `morph_per_feat`; of lemmas none.
    errors: values given for another, the most frequent first.
    """

    model: str
    n_sentences: int
    n_words: int
    left_out: dict[str, int]
    accuracy: Share
    raw_text: float | None
    seen_means: str | None
    seen: list[Share]
    values: list[TagFigures]
    errors: list[Confusion]


@dataclass(frozen=True)
class OutputReport:
    """Figures of all pipelines for one output.

    name: name of the output: "pos", "morph" or "lemma".
    taggers: figures of each pipeline; None for one that does not set it.
    comparison: comparison of the second with the first, if both set it. Lists no changes.
    """

    name: str
    taggers: list[OutputFigures | None]
    comparison: Comparison | None


def measure_outputs(
    gold: Gold,
    answers: Sequence[Answers],
    raw_texts: Sequence[RawText | None],
    counts: WordCounts | None,
) -> list[OutputReport]:
    """Return the figures of every output that a pipeline sets and the data has.

    answers: of each pipeline. raw_texts: its figures on raw text.
    counts: counts of words in training; None if they are unknown.
    """
    reports = []
    for name in present(gold, answers):
        of_gold, theirs = of_output(gold, answers, name)
        figures = [
            None if each is None else _measure(name, of_gold, each, raw, counts)
            for each, raw in zip(theirs, raw_texts, strict=True)
        ]
        both = [each for each in theirs if each is not None]
        comparison = compare(of_gold, *both, limit=0) if len(both) > 1 else None
        reports.append(OutputReport(name, figures, comparison))
    return reports


def present(gold: Gold, answers: Sequence[Answers]) -> list[str]:
    """Return the names of the outputs that a pipeline sets and the data has."""
    return [
        name
        for name, values in gold.others.items()
        if any(values) and any(name in each.others for each in answers)
    ]


def of_output(
    gold: Gold, answers: Sequence[Answers], name: str
) -> tuple[Gold, list[Answers | None]]:
    """Return gold and given values of an output in the place of the tags."""
    theirs = [
        Answers(each.name, each.others[name], None) if name in each.others else None
        for each in answers
    ]
    return gold._replace(tags=gold.others[name]), theirs


def _measure(
    name: str, gold: Gold, answers: Answers, raw: RawText | None, counts: WordCounts | None
) -> OutputFigures:
    """Return the figures of an output, whose values stand in the place of the tags."""
    marks = mark(gold, answers)
    values = {"pos": per_value, "morph": per_feature}.get(name)
    return OutputFigures(
        model=answers.name,
        n_sentences=marks.n_sentences,
        n_words=int(marks.compared.sum()),
        left_out=left_out(marks, "no gold value"),
        accuracy=accuracy(marks),
        raw_text=None if raw is None else raw.others[name],
        seen_means=counts.meaning if counts else None,
        seen=seen_and_unseen(gold, marks, counts) if counts else [],
        values=values(gold, answers, marks) if values else [],
        errors=confusions(gold, answers, marks),
    )


def per_feature(gold: Gold, answers: Answers, marks: Marks) -> list[TagFigures]:
    """Return the figures of each morphological feature, the most frequent first.

    As in spaCy's `morph_per_feat`, words whose gold value is that of no features are not counted,
    and words that the pipeline has cut or joined are missed.
    """
    support: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for i in numpy.flatnonzero(marks.tagged).tolist():
        if gold.tags[i] == NONE:
            continue
        wanted = features_of(gold.tags[i])
        given = features_of(answers.tags[i] or NONE)
        support.update(wanted.keys())
        predicted.update(given.keys())
        right.update(feature for feature, value in wanted.items() if given.get(feature) == value)
    return rows_of(support, predicted, right)

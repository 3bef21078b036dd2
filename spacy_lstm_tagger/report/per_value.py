"""Figures of each tag, or each value of another output, and which were given for another."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy

from .answers import Answers, Gold
from .shares import Marks


@dataclass(frozen=True)
class TagFigures:
    """Precision, recall and F of one tag.

    support: number of words with this gold tag.
    predicted: number of words given this tag.
    right: number of words with this gold tag that were given it.
    precision, recall: None if there is nothing to divide by.
    """

    tag: str
    support: int
    predicted: int
    right: int
    precision: float | None
    recall: float | None
    f: float


@dataclass(frozen=True)
class Confusion:
    """Confusion of the gold tag `gold` with the tag `predicted`.

    n: number of tokens confused.
    share: share of the tokens with this gold tag that are confused.
    words: the most frequent confused words, at most three.
    """

    gold: str
    predicted: str
    n: int
    share: float
    words: list[str]


def per_value(gold: Gold, answers: Answers, marks: Marks) -> list[TagFigures]:
    """Return the figures of each tag, the most frequent gold tags first."""
    support: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for i in numpy.flatnonzero(marks.compared).tolist():
        support[gold.tags[i]] += 1
        predicted[answers.tags[i] or ""] += 1
        right[gold.tags[i]] += int(marks.right[i])
    return rows_of(support, predicted, right)


def rows_of(
    support: Counter[str], predicted: Counter[str], right: Counter[str]
) -> list[TagFigures]:
    """Return the figures of each value from its counts, see `TagFigures`."""
    found = sorted({*support, *predicted}, key=lambda tag: (-support[tag], -predicted[tag], tag))
    return [
        TagFigures(
            tag=tag,
            support=support[tag],
            predicted=predicted[tag],
            right=right[tag],
            precision=right[tag] / predicted[tag] if predicted[tag] else None,
            recall=right[tag] / support[tag] if support[tag] else None,
            f=2 * right[tag] / (support[tag] + predicted[tag]),
        )
        for tag in found
    ]


def confusions(gold: Gold, answers: Answers, marks: Marks) -> list[Confusion]:
    """Return every pair of confused tags, the most frequent first."""
    words: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for i in numpy.flatnonzero(marks.compared & ~marks.right).tolist():
        words[gold.tags[i], answers.tags[i] or ""][gold.words[i]] += 1
    support = Counter(gold.tags[i] for i in numpy.flatnonzero(marks.compared).tolist())
    pairs = sorted(words, key=lambda pair: (-words[pair].total(), pair))
    return [
        Confusion(
            gold=pair[0],
            predicted=pair[1],
            n=words[pair].total(),
            share=words[pair].total() / support[pair[0]],
            words=[word for word, _ in words[pair].most_common(3)],
        )
        for pair in pairs
    ]

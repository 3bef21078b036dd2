"""Figures of a tagger on gold tokens: accuracy, confusions, reliability, worst sentences."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy

from .answers import Answers, Gold, WordCounts
from .labels import tags_without_label
from .per_value import Confusion, TagFigures, confusions, per_value
from .raw_text import RawText
from .reliability import Reliability, reliability_of
from .sentences import Sentence, worst_sentences
from .shares import Marks, Share, accuracy, mark, shares, whole_sentences

LENGTHS = (1, 6, 11, 21, 31, 41, 61)
"""Minimum number of words of each group of sentences by length."""

FREQUENCIES = (1, 2, 5, 10, 100, 1000)
"""Minimum count in training of each group of words by frequency."""

WORST = 25
"""Default number of worst sentences to list."""


@dataclass(frozen=True)
class Figures:
    """All figures of one tagger.

    model: name of the pipeline.
    n_words: number of words that are compared.
    n_tagged: number of words with a gold tag.
    left_out: reason to number of tokens that are not compared for that reason.
    tags_without_label: gold tags that training never showed to number of words.
    accuracy: accuracy on all words, equal to spaCy's `tag_acc` but for tagged white space.
    raw_text: figures on raw text; None if they are unknown.
    sentences: share of sentences without a wrong tag.
    seen_means: definition of "seen", for readers; None if counts in training are unknown.
    """

    model: str
    n_sentences: int
    n_words: int
    n_tagged: int
    left_out: dict[str, int]
    tags_without_label: dict[str, int]
    accuracy: Share
    raw_text: RawText | None
    sentences: Share
    seen_means: str | None
    seen: list[Share]
    by_frequency: list[Share]
    by_length: list[Share]
    tags: list[TagFigures]
    confusions: list[Confusion]
    reliability: Reliability | None
    worst: list[Sentence]


def measure(
    gold: Gold,
    answers: Answers,
    counts: WordCounts | None = None,
    *,
    worst: int = WORST,
    raw_text: RawText | None = None,
) -> Figures:
    """Return the figures of a tagger.

    counts: counts of words in training; None if they are unknown.
    raw_text: figures on raw text; None if they are unknown.
    worst: number of sentences to list, those with the most errors.
    Raises ValueError if no token can be compared.
    """
    marks = mark(gold, answers)
    if not marks.compared.any():
        raise ValueError("None of the words with a gold tag is a word of the pipeline's docs.")
    tagged = [gold.tags[i] for i in numpy.flatnonzero(marks.tagged).tolist()]
    return Figures(
        model=answers.name,
        n_sentences=marks.n_sentences,
        n_words=int(marks.compared.sum()),
        n_tagged=len(tagged),
        left_out=left_out(marks, "no gold tag"),
        tags_without_label=tags_without_label(tagged, answers.tags, answers.labels),
        accuracy=accuracy(marks),
        raw_text=raw_text,
        sentences=whole_sentences(marks),
        seen_means=counts.meaning if counts else None,
        seen=seen_and_unseen(gold, marks, counts) if counts else [],
        by_frequency=_by_frequency(gold, marks, counts) if counts else [],
        by_length=_by_length(marks),
        tags=per_value(gold, answers, marks),
        confusions=confusions(gold, answers, marks),
        reliability=reliability_of(answers, marks),
        worst=worst_sentences(gold, answers, marks, worst),
    )


def left_out(marks: Marks, without: str) -> dict[str, int]:
    """Return how many tokens are not compared, by the reason.

    without: what words without a gold value are called.
    """
    reasons = {
        without: int((marks.word & ~marks.tagged).sum()),
        "cut or joined by the pipeline": int((marks.tagged & ~marks.compared).sum()),
        "white space": int((~marks.word).sum()),
    }
    return {reason: n for reason, n in reasons.items() if n}


def seen_and_unseen(gold: Gold, marks: Marks, counts: WordCounts) -> list[Share]:
    """Return the accuracy on words that training did not have, and on those that it had."""
    return shares(["unseen", "seen"], (counts.of(gold.words) > 0).astype(int), marks)


def _by_frequency(gold: Gold, marks: Marks, counts: WordCounts) -> list[Share]:
    starts = [n for n in FREQUENCIES if n > counts.least]
    names = [f"below {counts.least}" if counts.least > 1 else "0", *_ranges(counts.least, starts)]
    kinds = numpy.searchsorted([counts.least, *starts], counts.of(gold.words), side="right")
    return shares(names, kinds, marks)


def _by_length(marks: Marks) -> list[Share]:
    kinds = numpy.searchsorted(LENGTHS[1:], marks.per_sentence(marks.word), side="right")
    return shares(_ranges(LENGTHS[0], list(LENGTHS[1:])), kinds[marks.sentence], marks)


def _ranges(first: int, starts: list[int]) -> list[str]:
    """Return the names of groups that begin at these numbers: "1–5", "6–10", "11 and more"."""
    edges = [first, *starts]
    inner = [
        str(low) if high == low + 1 else f"{low:,}–{high - 1:,}" for low, high in pairwise(edges)
    ]
    return [*inner, f"{edges[-1]:,} and more"]

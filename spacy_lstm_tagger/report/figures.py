"""Figures of a tagger on gold tokens: accuracy, confusions, reliability, worst sentences."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy

from .answers import Answers, Gold, WordCounts
from .labels import tags_without_label
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
    left_out = {
        "no gold tag": int((marks.word & ~marks.tagged).sum()),
        "cut or joined by the pipeline": int((marks.tagged & ~marks.compared).sum()),
        "white space": int((~marks.word).sum()),
    }
    tagged = [gold.tags[i] for i in numpy.flatnonzero(marks.tagged).tolist()]
    return Figures(
        model=answers.name,
        n_sentences=marks.n_sentences,
        n_words=int(marks.compared.sum()),
        n_tagged=len(tagged),
        left_out={reason: n for reason, n in left_out.items() if n},
        tags_without_label=tags_without_label(tagged, answers.tags, answers.labels),
        accuracy=accuracy(marks),
        raw_text=raw_text,
        sentences=whole_sentences(marks),
        seen_means=counts.meaning if counts else None,
        seen=_seen(gold, marks, counts) if counts else [],
        by_frequency=_by_frequency(gold, marks, counts) if counts else [],
        by_length=_by_length(marks),
        tags=_tags(gold, answers, marks),
        confusions=_confusions(gold, answers, marks),
        reliability=reliability_of(answers, marks),
        worst=worst_sentences(gold, answers, marks, worst),
    )


def _seen(gold: Gold, marks: Marks, counts: WordCounts) -> list[Share]:
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


def _tags(gold: Gold, answers: Answers, marks: Marks) -> list[TagFigures]:
    """Return the figures of each tag, the most frequent gold tags first."""
    support: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for i in numpy.flatnonzero(marks.compared).tolist():
        support[gold.tags[i]] += 1
        predicted[answers.tags[i] or ""] += 1
        right[gold.tags[i]] += int(marks.right[i])
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


def _confusions(gold: Gold, answers: Answers, marks: Marks) -> list[Confusion]:
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

"""Figures of a tagger on gold tokens: how often it is right, where it is not, how sure it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy

from ..pipeline.calibration import BINS, binned
from .answers import Answers, Gold, WordCounts
from .sentences import Sentence, worst_sentences
from .shares import Marks, Share, accuracy, mark, shares, whole_sentences

LENGTHS = (1, 6, 11, 21, 31, 41, 61)
"""Where groups of sentences by their number of words begin."""

FREQUENCIES = (1, 2, 5, 10, 100, 1000)
"""Where groups of words by their count in training begin."""

WORST = 25


@dataclass(frozen=True)
class TagFigures:
    """How well one tag is found. Precision or recall is None where it would divide by 0."""

    tag: str
    support: int
    predicted: int
    right: int
    precision: float | None
    recall: float | None
    f: float


@dataclass(frozen=True)
class Confusion:
    """How often `gold` was tagged `predicted`.

    share: of the tokens with this gold tag, those confused.
    words: the commonest words so confused, at most three.
    """

    gold: str
    predicted: str
    n: int
    share: float
    words: list[str]


@dataclass(frozen=True)
class Bin:
    """Tags whose probability is from `low` to `high`. The means are None where there are none."""

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Reliability:
    """How far probabilities are to be trusted. error: the expected calibration error."""

    error: float
    confidence: float
    bins: list[Bin]


@dataclass(frozen=True)
class Figures:
    """All figures of one tagger.

    accuracy: is spaCy's `tag_acc`.
    left_out: number of words that are not compared, by the reason.
    """

    model: str
    n_sentences: int
    n_words: int
    left_out: dict[str, int]
    accuracy: Share
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
    gold: Gold, answers: Answers, counts: WordCounts | None = None, *, worst: int = WORST
) -> Figures:
    """The figures of a tagger.

    counts: how often words were seen in training; None where that is not known.
    worst: most sentences to list, those with most errors.
    Raises ValueError where no token can be compared.
    """
    marks = mark(gold, answers)
    if not marks.compared.any():
        raise ValueError("None of the words with a gold tag is a word of the pipeline's docs.")
    untagged, unaligned = ~marks.tagged, numpy.asarray([tag is None for tag in answers.tags])
    left_out = {
        "no gold tag": int(untagged.sum()),
        "cut or joined by the pipeline": int((marks.tagged & unaligned).sum()),
        "whitespace": int((marks.tagged & ~unaligned & ~marks.compared).sum()),
    }
    return Figures(
        model=answers.name,
        n_sentences=marks.n_sentences,
        n_words=int(marks.compared.sum()),
        left_out={reason: n for reason, n in left_out.items() if n},
        accuracy=accuracy(marks),
        sentences=whole_sentences(marks),
        seen_means=counts.meaning if counts else None,
        seen=_seen(gold, marks, counts) if counts else [],
        by_frequency=_by_frequency(gold, marks, counts) if counts else [],
        by_length=_by_length(gold, marks),
        tags=_tags(gold, answers, marks),
        confusions=_confusions(gold, answers, marks),
        reliability=_reliability(answers, marks),
        worst=worst_sentences(gold, answers, marks, worst),
    )


def _seen(gold: Gold, marks: Marks, counts: WordCounts) -> list[Share]:
    return shares(["unseen", "seen"], (counts.of(gold.words) > 0).astype(int), marks)


def _by_frequency(gold: Gold, marks: Marks, counts: WordCounts) -> list[Share]:
    starts = [n for n in FREQUENCIES if n > counts.least]
    names = [f"below {counts.least}" if counts.least > 1 else "0", *_ranges(counts.least, starts)]
    kinds = numpy.searchsorted([counts.least, *starts], counts.of(gold.words), side="right")
    return shares(names, kinds, marks)


def _by_length(gold: Gold, marks: Marks) -> list[Share]:
    kinds = numpy.searchsorted(LENGTHS, gold.lengths, side="right") - 1
    return shares(_ranges(LENGTHS[0], list(LENGTHS[1:])), numpy.repeat(kinds, gold.lengths), marks)


def _ranges(first: int, starts: list[int]) -> list[str]:
    """Names of groups that begin at these numbers: "1–5", "6–10", "11 and more"."""
    edges = [first, *starts]
    inner = [
        str(low) if high == low + 1 else f"{low:,}–{high - 1:,}" for low, high in pairwise(edges)
    ]
    return [*inner, f"{edges[-1]:,} and more"]


def _tags(gold: Gold, answers: Answers, marks: Marks) -> list[TagFigures]:
    """Figures of each tag, the commonest gold tags first."""
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
    """Every pair of tags that was confused, the commonest first."""
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


def _reliability(answers: Answers, marks: Marks) -> Reliability | None:
    if answers.confidence is None:
        return None
    known = marks.compared & numpy.isfinite(answers.confidence)
    if not known.any():
        return None
    confidence = answers.confidence[known]
    n, said, found = binned(confidence, marks.right[known])
    bins = [
        Bin(
            low=i / BINS,
            high=(i + 1) / BINS,
            n=int(n[i]),
            confidence=float(said[i] / n[i]) if n[i] else None,
            accuracy=float(found[i] / n[i]) if n[i] else None,
        )
        for i in range(BINS)
    ]
    error = float(numpy.abs(said - found).sum() / n.sum())
    return Reliability(error, float(confidence.mean()), bins)

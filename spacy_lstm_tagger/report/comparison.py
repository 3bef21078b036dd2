"""Comparison of two taggers on the same gold tokens: how they differ, and on which words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from .answers import Answers, Gold
from .resampling import interval
from .sentences import Word, word_at
from .shares import Marks, accuracy, mark, resampled_accuracy

CHANGES = 100
"""Maximum number of words listed for each kind of change."""

CONTEXT = 6
"""Words shown on either side of a changed word."""


@dataclass(frozen=True)
class Change:
    """A word that the two taggers tag differently.

    effect: "fixed" (only the second is right), "broken" (only the first is), "both wrong".
    sentence: number of the sentence in the data, counted from 1.
    before, after: text around the word, within its sentence.
    first, second: the word with each tagger's tag.
    """

    effect: str
    sentence: int
    before: str
    after: str
    first: Word
    second: Word


@dataclass(frozen=True)
class Comparison:
    """Comparison of the second tagger with the first.

    first, second: names of the taggers.
    difference: accuracy of the second tagger less that of the first.
    low, high: 95 % interval of the difference, by bootstrap over the same samples of sentences.
    fixed, broken, both_wrong: numbers of words that are tagged differently, by effect.
    changes: some of these words.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    fixed: int
    broken: int
    both_wrong: int
    changes: list[Change]


def compare(gold: Gold, first: Answers, second: Answers, *, limit: int = CHANGES) -> Comparison:
    """Compare two taggers' answers to the same gold tokens.

    limit: maximum number of words to list for each effect, the first ones in the data.
    """
    one, other = mark(gold, first), mark(gold, second)
    drawn = resampled_accuracy(other) - resampled_accuracy(one)
    both = one.compared & other.compared
    tags = zip(first.tags, second.tags, strict=True)
    differ = both & numpy.asarray([a != b for a, b in tags])
    effects = {
        "fixed": differ & other.right,
        "broken": differ & one.right,
        "both wrong": differ & ~one.right & ~other.right,
    }
    low, high = interval(drawn)
    return Comparison(
        first=first.name,
        second=second.name,
        difference=accuracy(other).accuracy - accuracy(one).accuracy,
        low=low,
        high=high,
        fixed=int(effects["fixed"].sum()),
        broken=int(effects["broken"].sum()),
        both_wrong=int(effects["both wrong"].sum()),
        changes=[
            _change(effect, i, gold, (first, one), (second, other))
            for effect, where in effects.items()
            for i in numpy.flatnonzero(where)[:limit].tolist()
        ],
    )


def _change(
    effect: str, i: int, gold: Gold, first: tuple[Answers, Marks], second: tuple[Answers, Marks]
) -> Change:
    sentence = int(first[1].sentence[i])
    end = int(gold.lengths[: sentence + 1].sum())
    start = end - int(gold.lengths[sentence])
    return Change(
        effect=effect,
        sentence=sentence + 1,
        before=_text(gold, max(start, i - CONTEXT), i),
        after=" " * gold.spaces[i] + _text(gold, i + 1, min(end, i + 1 + CONTEXT)),
        first=word_at(gold, *first, i),
        second=word_at(gold, *second, i),
    )


def _text(gold: Gold, start: int, end: int) -> str:
    words = zip(gold.words[start:end], gold.spaces[start:end], strict=True)
    return "".join(word + " " * space for word, space in words)

"""Sentences with gold tags and a tagger's tags side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from .answers import Answers, Gold
from .shares import Marks


@dataclass(frozen=True)
class Word:
    """Token of a sentence.

    space: whether a space follows.
    tag: tag given; None if the pipeline has cut or joined the token.
    confidence: probability of the tag; None if it is unknown.
    right: whether the tag is right; None if the token is left out.
    """

    text: str
    space: bool
    gold: str
    tag: str | None
    confidence: float | None
    right: bool | None


@dataclass(frozen=True)
class Sentence:
    """Sentence with its errors.

    number: number of the sentence in the data, counted from 1.
    n: number of words that are compared.
    wrong: number of wrong tags.
    """

    number: int
    n: int
    wrong: int
    words: list[Word]


def worst_sentences(gold: Gold, answers: Answers, marks: Marks, limit: int) -> list[Sentence]:
    """Return the sentences with the most errors, at most `limit`; the shorter first in a tie."""
    wrong = marks.per_sentence(marks.compared & ~marks.right).astype(int)
    n = marks.per_sentence(marks.compared).astype(int)
    order = numpy.lexsort((n, -wrong))[:limit]
    ends = numpy.cumsum(gold.lengths)
    return [
        Sentence(
            number=i + 1,
            n=int(n[i]),
            wrong=int(wrong[i]),
            words=[
                word_at(gold, answers, marks, j)
                for j in range(int(ends[i] - gold.lengths[i]), int(ends[i]))
            ],
        )
        for i in order.tolist()
        if wrong[i]
    ]


def word_at(gold: Gold, answers: Answers, marks: Marks, i: int) -> Word:
    """Return the token of index `i`, counted over all sentences."""
    sure = float("nan") if answers.confidence is None else float(answers.confidence[i])
    return Word(
        text=gold.words[i],
        space=gold.spaces[i],
        gold=gold.tags[i],
        tag=answers.tags[i],
        confidence=None if numpy.isnan(sure) else sure,
        right=bool(marks.right[i]) if marks.compared[i] else None,
    )

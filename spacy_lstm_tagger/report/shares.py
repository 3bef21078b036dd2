"""Accuracy on all tokens and on kinds of tokens, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy
from spacy.scorer import PRFScore

from ..arrays import Floats1d, Ints1d
from .answers import Answers, Gold
from .resampling import interval, resampled_shares


@dataclass(frozen=True)
class Share:
    """Share of tokens, or of sentences, that are right.

    n: number of tokens, or of sentences.
    right: number of right ones.
    low, high: 95 % interval of the accuracy, by bootstrap over sentences.
    """

    name: str
    n: int
    right: int
    accuracy: float
    low: float
    high: float


class Marks(NamedTuple):
    """Marks of each token: whether its tag can be compared, and whether it is right.

    All arrays have shape (n_tokens,).

    sentence: index of the token's sentence.
    word: whether the token is a word: not white space, which has no gold tag of interest.
    tagged: whether the token is a word with a gold tag.
    compared: whether the tag can be compared: the token is a word with a gold tag, and is the same
        token in the pipeline's doc.
    right: whether the tag is compared and right.
    n_sentences: number of sentences.
    """

    sentence: Ints1d
    word: numpy.ndarray
    tagged: numpy.ndarray
    compared: numpy.ndarray
    right: numpy.ndarray
    n_sentences: int

    def per_sentence(self, values: numpy.ndarray) -> Ints1d:
        """Return the sum of the tokens' values over each sentence, shape (n_sentences,).

        values: value of each token, shape (n_tokens,).
        """
        return numpy.bincount(self.sentence, weights=values, minlength=self.n_sentences)


def mark(gold: Gold, answers: Answers) -> Marks:
    """Mark each token by comparing its tag with its gold tag."""
    word = numpy.asarray([not word.isspace() for word in gold.words])
    tagged = word & numpy.asarray([bool(tag) for tag in gold.tags])
    found = numpy.asarray([tag is not None for tag in answers.tags])
    same = numpy.asarray([a == b for a, b in zip(gold.tags, answers.tags, strict=True)])
    compared = tagged & found
    sentence = numpy.repeat(numpy.arange(len(gold.lengths)), gold.lengths)
    return Marks(sentence, word, tagged, compared, compared & same, len(gold.lengths))


def shares(names: list[str], kinds: Ints1d, marks: Marks) -> list[Share]:
    """Return the accuracy on each kind of token; kinds without tokens are left out.

    names: names of the kinds.
    kinds: index in `names` of each token's kind, shape (n_tokens,).
    """
    size = marks.n_sentences * len(names)
    cells = marks.sentence * len(names) + kinds
    n, right = (
        numpy.bincount(cells, weights=chosen, minlength=size).reshape(-1, len(names))
        for chosen in (marks.compared, marks.right)
    )
    drawn = resampled_shares(right, n)
    totals = zip(names, n.sum(axis=0), right.sum(axis=0), drawn.T, strict=True)
    return [
        Share(name, int(all_), int(good), float(good / all_), *interval(values))
        for name, all_, good, values in totals
        if all_
    ]


def resampled_accuracy(marks: Marks) -> Floats1d:
    """Return the accuracy in samples of sentences, shape (RESAMPLES,)."""
    n = (marks.per_sentence(marks.compared) + marks.per_sentence(marks.tagged)) / 2
    return resampled_shares(marks.per_sentence(marks.right)[:, None], n[:, None])[:, 0]


def accuracy(marks: Marks) -> Share:
    """Return the accuracy as spaCy's scorer computes it.

    It is an F-score: a gold tag that cannot be compared lowers recall. White space is not counted;
    spaCy counts it as missed if it has a gold tag.
    """
    n, right, tagged = (int(x.sum()) for x in (marks.compared, marks.right, marks.tagged))
    score = PRFScore(tp=right, fp=n - right, fn=tagged - right).fscore
    return Share("all words", n, right, score, *interval(resampled_accuracy(marks)))


def whole_sentences(marks: Marks) -> Share:
    """Return the share of sentences without a wrong tag, among sentences with compared tags."""
    n = marks.per_sentence(marks.compared)
    perfect = (n > 0) & (n == marks.per_sentence(marks.right))
    drawn = resampled_shares(perfect[:, None], (n > 0)[:, None])[:, 0]
    total, good = int((n > 0).sum()), int(perfect.sum())
    return Share("whole sentences", total, good, good / total, *interval(drawn))

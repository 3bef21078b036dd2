"""Accuracy of all that a pipeline annotates, on UD English EWT's dev split."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy
from spacy.language import Language
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example

from spacy_lstm_tagger.pipeline.calibration import binned

from .work import copy

OUTPUTS = {"tag": "XPOS", "pos": "UPOS", "morph": "FEATS", "lemma": "lemma"}
"""What can be annotated, and what treebanks call it."""


class Accuracy(NamedTuple):
    """Figures of a pipeline on gold docs, a sentence each, in percent.

    gold: accuracy of each output on gold tokens.
    unseen: the same on tokens whose form is not in the train split.
    raw: accuracy of each output on the tokenizer's own tokens.
    tokens: F-score of these: spans of characters that are gold tokens.
    genres: accuracy of tags on gold tokens by genre.
    worst: F-score of the tags with the lowest ones, of those that are frequent enough.
    calibration: expected calibration error of the tags' probabilities; None if it has none.
    """

    gold: dict[str, float]
    unseen: dict[str, float]
    raw: dict[str, float]
    tokens: float
    genres: dict[str, float]
    worst: dict[str, float]
    calibration: float | None


def measure_accuracy(
    nlp: Language, gold: Sequence[Doc], genres: Sequence[str | None], seen: set[str]
) -> Accuracy:
    """Score a pipeline.

    gold: gold docs, a sentence each.
    genres: genre of each; None if it is unknown.
    seen: words of the train split.
    """
    tagged = list(nlp.pipe(copy(nlp, doc) for doc in gold))
    right: dict[str, list[bool]] = defaultdict(list)
    unseen: dict[str, list[bool]] = defaultdict(list)
    by_genre: dict[str, list[bool]] = defaultdict(list)
    found = [output for output in predicted(tagged) if output in predicted(gold)]
    for genre, doc, reference in zip(genres, tagged, gold, strict=True):
        for token, gold_token in zip(doc, reference, strict=True):
            for output in found:
                if wanted := value(gold_token, output):
                    right[output].append(value(token, output) == wanted)
                    if gold_token.text not in seen:
                        unseen[output].append(right[output][-1])
                    if output == "tag" and genre:
                        by_genre[genre].append(right[output][-1])
    raw = [Example(nlp(doc.text), doc) for doc in gold]
    return Accuracy(
        {output: percent(marks) for output, marks in right.items()},
        {output: percent(marks) for output, marks in unseen.items()},
        {
            output: 100 * Scorer.score_token_attr(raw, output, getter=value)[f"{output}_acc"]
            for output in found
        },
        100 * Scorer.score_tokenization(raw)["token_f"],
        {genre: percent(marks) for genre, marks in sorted(by_genre.items())},
        _worst(tagged, gold),
        _calibration_error(nlp, gold, tagged),
    )


def predicted(docs: Sequence[Doc]) -> list[str]:
    """Return the names of what some docs have, be it predicted or gold."""
    attrs = {output: output.upper() for output in OUTPUTS}
    return [key for key, attr in attrs.items() if any(doc.has_annotation(attr) for doc in docs)]


def value(token: Any, output: str) -> str:
    """Return what a token has of an output, as a treebank writes it."""
    if output == "morph":
        return str(token.morph) or "_"
    return getattr(token, f"{output}_")


def percent(marks: Sequence[bool]) -> float:
    """Return how many of the marks are true, in percent."""
    return 100 * sum(marks) / len(marks)


def _worst(
    tagged: Sequence[Doc], gold: Sequence[Doc], n: int = 6, least: int = 30
) -> dict[str, float]:
    """Return the F-score of the n tags with the lowest ones, of those in gold `least` times."""
    wanted = [token.tag_ for doc in gold for token in doc]
    given = [token.tag_ for doc in tagged for token in doc]
    both = Counter(a for a, b in zip(wanted, given, strict=True) if a == b)
    n_wanted, n_given = Counter(wanted), Counter(given)
    scores = {
        tag: 200 * both[tag] / (number + n_given[tag])
        for tag, number in n_wanted.items()
        if number >= least
    }
    return {tag: scores[tag] for tag in sorted(scores, key=scores.__getitem__)[:n]}


def _calibration_error(nlp: Language, gold: Sequence[Doc], tagged: Sequence[Doc]) -> float | None:
    taggers = [pipe for _, pipe in nlp.pipeline if hasattr(pipe, "predict_probabilities")]
    if not taggers:
        return None
    rows = numpy.concatenate(taggers[0].predict_probabilities(tagged))
    tags = [token.tag_ for doc in gold for token in doc]
    labels = taggers[0].labels
    right = numpy.array([labels[i] == tag for i, tag in zip(rows.argmax(1), tags, strict=True)])
    n, confidence, accuracy = binned(rows.max(axis=1), right)
    return 100 * float(numpy.abs(confidence - accuracy).sum() / n.sum())

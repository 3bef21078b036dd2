"""Score a trained tagger on a dev set, as plain data for a JSON file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import compress
from pathlib import Path
from typing import Any, Protocol

from spacy.language import Language
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example

from .devset import DevSet
from .variants import Text

Scores = dict[str, Any]


class Tagger(Protocol):
    """A trained tagger."""

    @property
    def nlp(self) -> Language:
        """Pipeline that gives docs their vocabulary and raw text its tokens."""

    def tag(self, forms: dict[str, list[Doc]]) -> dict[str, list[list[str]]]:
        """Return the tags of each doc of each form of the dev set."""


def score(tagger: Tagger, devset: DevSet) -> Scores:
    """Tag the dev set in all its forms, and return all scores, in percent."""
    forms = {name: _docs(tagger.nlp, texts) for name, texts in devset.forms.items()}
    forms["raw"] = [tagger.nlp.make_doc(doc.text) for doc in devset.references]
    tags = tagger.tag(forms)
    raw = _raw_accuracy(forms["raw"], tags.pop("raw"), devset.references)
    right = {
        name: [a == b for a, b in zip(_flat(guesses), devset.tags, strict=True)]
        for name, guesses in tags.items()
    }
    return {
        "accuracy": {
            **{name: _percent(marks) for name, marks in right.items()},
            "raw": raw,
            "unseen": _percent(compress(right["gold"], devset.unseen)),
            "unseen_lower": _percent(compress(right["lower"], devset.unseen)),
        },
        "genres": _by_genre(right["gold"], devset.genres),
        "tags": _by_tag(devset.tags, list(_flat(tags["gold"]))),
        "right": "".join("01"[mark] for mark in right["gold"]),
        "counts": {
            "words": len(devset.tags),
            "sentences": len(devset.references),
            "unseen": sum(devset.unseen),
            "typos": devset.n_typos,
        },
    }


def megabytes(directory: Path, patterns: Iterable[str] = ("**/*",)) -> float:
    """Return the size of a directory's files on disk in megabytes (10^6 bytes)."""
    files = {file for pattern in patterns for file in directory.glob(pattern)}
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def _docs(nlp: Language, texts: Iterable[Text]) -> list[Doc]:
    return [Doc(nlp.vocab, words=text.words, spaces=text.spaces) for text in texts]


def _raw_accuracy(docs: list[Doc], tags: list[list[str]], references: list[Doc]) -> float:
    """Return the accuracy on the tokenizer's own tokens, as `spacy evaluate` computes it."""
    examples = [
        Example(
            Doc(ref.vocab, [t.text for t in doc], [bool(t.whitespace_) for t in doc], tags=row), ref
        )
        for doc, row, ref in zip(docs, tags, references, strict=True)
    ]
    return 100 * Scorer.score_token_attr(examples, "tag")["tag_acc"]


def _by_genre(right: list[bool], genres: list[str | None]) -> dict[str, tuple[int, float | None]]:
    """Return the number of words and the accuracy of each genre."""
    names = sorted({genre for genre in genres if genre})
    marks = {
        name: [r for r, genre in zip(right, genres, strict=True) if genre == name] for name in names
    }
    return {name: (len(part), _percent(part)) for name, part in marks.items()}


def _by_tag(gold: list[str], guesses: list[str]) -> dict[str, tuple[int, int, int]]:
    """Return how often each tag is the gold tag, how often it is guessed, and how often both."""
    support, guessed = Counter(gold), Counter(guesses)
    both = Counter(a for a, b in zip(gold, guesses, strict=True) if a == b)
    return {tag: (n, guessed[tag], both[tag]) for tag, n in support.most_common()}


def _percent(marks: Iterable[bool]) -> float | None:
    marks = list(marks)
    return 100 * sum(marks) / len(marks) if marks else None


def _flat(rows: Iterable[list[str]]) -> Iterable[str]:
    return (tag for row in rows for tag in row)

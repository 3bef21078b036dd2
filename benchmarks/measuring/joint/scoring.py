"""Score joint taggers on gold tokens, as plain data for a JSON file."""

from __future__ import annotations

from typing import Any, Protocol

from spacy.scorer import Scorer
from spacy.tokens import Doc, Token
from spacy.training import Example

from .corpus import JointDevSet

UNSEEN = "lemma_unseen"


class JointTagger(Protocol):
    """A trained joint tagger."""

    def annotate(self, docs: list[Doc]) -> list[Doc]:
        """Return docs of the same words as annotated docs, with its own annotation."""


def score(tagger: JointTagger, devset: JointDevSet) -> dict[str, Any]:
    """Return the accuracy of each output in percent, as spaCy's scorer computes it.

    Words without gold annotation do not count. `lemma_unseen` is the accuracy of the lemmas of
    words whose lower-cased form is not in the train split.
    """
    docs = tagger.annotate(devset.references)
    examples = [Example(*pair) for pair in zip(docs, devset.references, strict=True)]
    accuracy = {name: _accuracy(examples, name) for name in devset.outputs}
    if "lemma" in devset.outputs:
        accuracy[UNSEEN] = _unseen_lemmas(docs, devset)
    return {"accuracy": accuracy, "counts": devset.counts}


def _accuracy(examples: list[Example], output: str) -> float | None:
    """Return the accuracy in percent; None if no word is annotated."""
    # `Scorer.score_token_attr_per_feat` would need docs with the vocabulary of the references
    getter = _morph if output == "morph" else getattr
    accuracy = Scorer.score_token_attr(examples, output, getter=getter)[f"{output}_acc"]
    return None if accuracy is None else 100 * accuracy


def _morph(token: Token, attr: str) -> int:
    """Return the hash of the features. Without features, it is not 0: they are set, if empty."""
    return token.morph.key


def _unseen_lemmas(docs: list[Doc], devset: JointDevSet) -> float | None:
    pairs = [
        (token.lemma_, gold.lemma_)
        for doc, reference in zip(docs, devset.references, strict=True)
        for token, gold in zip(doc, reference, strict=True)
    ]
    marks = [
        guess == lemma
        for (guess, lemma), unseen in zip(pairs, devset.unseen, strict=True)
        if unseen and lemma
    ]
    return 100 * sum(marks) / len(marks) if marks else None

"""Tag probabilities of any of spaCy's taggers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spacy.pipeline.tagger import Tagger
from spacy.tokens import Doc
from thinc.types import Floats2d


def tag_probabilities(tagger: Tagger, docs: Sequence[Doc]) -> list[Floats2d]:
    """The probability of every label for every token, without modifying the docs.

    Returns one array of shape (n_tokens, n_labels) for each doc, columns in the order of the
    tagger's labels, rows summing to 1.
    """
    xp = tagger.model.ops.xp
    if not any(len(doc) for doc in docs):
        return [xp.zeros((0, len(tagger.labels)), dtype="float32") for doc in docs]
    output = tagger.model.maybe_get_ref("output_layer")
    if output is not None and output.attrs.get("softmax_normalize"):
        return tagger.model.predict(docs)  # spacy.Tagger.v2 with normalize = true
    return [softmax(xp, scores) for scores in tagger.model.predict(docs)]


def softmax(xp: Any, scores: Floats2d) -> Floats2d:
    """The probabilities of unnormalized log-probabilities, shape (n_tokens, n_labels)."""
    exponentials = xp.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)

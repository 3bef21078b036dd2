"""Tokens with an uncertain tag as tasks for annotators.

Sources of the formats: https://prodi.gy/docs/api-interfaces#ner_manual (Prodigy) and
https://labelstud.io/guide/predictions (Label Studio, a text with labels).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from spacy.tokens import Doc, Span, Token

from ..pipeline.arguments import each_doc
from ..pipeline.kept_probabilities import add_extensions


def uncertain_tokens(docs: Iterable[Doc], below: float) -> Iterator[tuple[Span, list[Token]]]:
    """Yield sentences with their tokens whose most probable tag is less probable than `below`.

    Sentences without such tokens are left out.

    docs: docs tagged with `save_probabilities`. A doc without sentence boundaries counts as one
        sentence.
    below: threshold of the probability, above 0 and at most 1.
    Raises TypeError if an item is not a doc, ValueError if a doc has no probabilities.
    """
    add_extensions()
    for doc in each_doc(docs, "uncertain_tokens"):
        if len(doc) and doc[0]._.tag_probability is None:
            raise ValueError(
                f"The doc {doc.text[:40]!r} has no probabilities. Set the tagger's "
                "save_probabilities to true, or to a number, before it tags."
            )
        sentences = doc.sents if doc.has_annotation("SENT_START") else [doc[:]]
        for sentence in sentences:
            tokens = [token for token in sentence if token._.tag_probability < below]
            if tokens:
                yield sentence, tokens


def prodigy_task(sentence: Span, tokens: list[Token]) -> dict[str, Any]:
    """Return a task for Prodigy's `ner_manual` or `pos_manual`.

    Offsets are counted from the start of the sentence.
    """
    return {
        "text": sentence.text,
        "tokens": [
            {
                "text": token.text,
                "id": token.i - sentence.start,
                "start": token.idx - sentence.start_char,
                "end": token.idx - sentence.start_char + len(token),
                "ws": bool(token.whitespace_),
            }
            for token in sentence
        ],
        "spans": [
            {
                "start": token.idx - sentence.start_char,
                "end": token.idx - sentence.start_char + len(token),
                "token_start": token.i - sentence.start,
                "token_end": token.i - sentence.start,
                "label": token._.tag_candidates[0][0],
                "probability": round(token._.tag_probability, 4),
            }
            for token in tokens
        ],
        "meta": {"candidates": [_candidates(token) for token in tokens]},
    }


def label_studio_task(sentence: Span, tokens: list[Token]) -> dict[str, Any]:
    """Return a task for Label Studio with predictions for `<Labels name="tag" toName="text">`."""
    return {
        "data": {"text": sentence.text},
        "predictions": [
            {
                "score": round(min(token._.tag_probability for token in tokens), 4),
                "result": [
                    {
                        "from_name": "tag",
                        "to_name": "text",
                        "type": "labels",
                        "score": round(token._.tag_probability, 4),
                        "value": {
                            "start": token.idx - sentence.start_char,
                            "end": token.idx - sentence.start_char + len(token),
                            "text": token.text,
                            "labels": [token._.tag_candidates[0][0]],
                        },
                    }
                    for token in tokens
                ],
            }
        ],
    }


def _candidates(token: Token) -> str:
    tags = ", ".join(f"{tag} {value:.2f}" for tag, value in token._.tag_candidates)
    return f"{token.text}: {tags}"

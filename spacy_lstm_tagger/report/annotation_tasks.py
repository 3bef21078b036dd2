"""Tokens with an uncertain tag, and their sentences as tasks for Prodigy.

Source of the format: https://prodi.gy/docs/api-interfaces#ner_manual.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from spacy.tokens import Doc, Span, Token

from ..pipeline.arguments import each_doc
from ..pipeline.kept_probabilities import add_extensions


def uncertain_tokens(docs: Iterable[Doc], below: float) -> Iterator[tuple[Span, list[Token]]]:
    """Yield sentences with their tokens whose most probable tag is less probable than `below`.

    Sentences without such tokens are left out. White-space tokens, and tokens that were made after
    tagging (by a merge or a split), have no uncertain tag.

    docs: docs tagged with `save_probabilities`. A doc without sentence boundaries counts as one
        sentence: set them before, with a parser, a senter or a sentencizer in the pipeline.
    below: threshold of the probability, above 0 and at most 1.
    Raises TypeError if an item is not a doc, ValueError if a doc has no probabilities.
    """
    return ((sentence, tokens) for sentence, tokens in all_sentences(docs, below) if tokens)


def all_sentences(docs: Iterable[Doc], below: float) -> Iterator[tuple[Span, list[Token]]]:
    """Yield sentences as `uncertain_tokens` does, those without uncertain tokens too.

    Sentences of white space alone are left out.
    """
    add_extensions()
    for doc in each_doc(docs, "uncertain_tokens"):
        probabilities = [None if token.is_space else token._.tag_probability for token in doc]
        if not all(token.is_space for token in doc) and all(p is None for p in probabilities):
            raise ValueError(
                f"The doc {doc.text[:40]!r} has no probabilities. Set the tagger's "
                "save_probabilities to true, or to a number, before it tags."
            )
        sentences = doc.sents if doc.has_annotation("SENT_START") else [doc[:]]
        for sentence in sentences:
            if not all(token.is_space for token in sentence):
                kept = zip(sentence, probabilities[sentence.start : sentence.end], strict=True)
                yield sentence, [token for token, p in kept if p is not None and p < below]


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


def _candidates(token: Token) -> str:
    tags = ", ".join(f"{tag} {value:.2f}" for tag, value in token._.tag_candidates)
    return f"{token.text}: {tags}"

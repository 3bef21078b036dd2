"""Training texts as people really type them: in lower case, in capitals, with slips of the keys."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.iob_utils import doc_to_biluo_tags

LETTERS = "abcdefghijklmnopqrstuvwxyz"

SHORTEST = 4
"""Words of fewer letters are never mistyped: what is left of them would often be another word."""


def build_noisy_text_augmenter_v1(
    *, lower_case: float = 0.0, upper_case: float = 0.0, typos: float = 0.0
) -> Callable[[Language, Example], Iterator[Example]]:
    """Build an augmenter for `spacy.Corpus.v1` that now and then alters how a text is written.

    Tokens, tags and every other annotation stay; so does gold tokenization, unlike with
    `spacy.lower_case.v1`, which has the altered text tokenized anew.

    lower_case (float): Share of examples that are lower-cased, from 0 to 1.
    upper_case (float): Share of examples that are upper-cased, from 0 to 1; together with
        `lower_case` at most 1.
    typos (float): Share of words of at least four letters that get one slip, from 0 to 1: a
        letter left out, doubled, replaced by another, or two neighbours swapped.
    RETURNS (Callable): From the pipeline and an example to one example.
    RAISES ValueError: Where a share is out of its range.
    """
    shares = {"lower_case": lower_case, "upper_case": upper_case, "typos": typos}
    for name, share in shares.items():
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"{name} is {share}, but must be a share from 0 to 1.")
    if lower_case + upper_case > 1.0:
        raise ValueError(
            f"lower_case + upper_case is {lower_case + upper_case}, but must be at most 1: "
            "no text is in both."
        )
    return partial(augment, lower_case=lower_case, upper_case=upper_case, typos=typos)


def augment(
    nlp: Language, example: Example, *, lower_case: float, upper_case: float, typos: float
) -> Iterator[Example]:
    """Yield the example, altered as `build_noisy_text_augmenter_v1` says."""
    text = list(example.reference.text)
    draw = random.random()
    if draw < lower_case:
        text = [character.lower() for character in text]
    elif draw < lower_case + upper_case:
        text = [character.upper() for character in text]
    for token in example.reference if typos else ():
        if random.random() < typos:
            _mistype(text, token.idx, len(token))
    yield example if text == list(example.reference.text) else _rewritten(example, text)


def _mistype(text: list[str], start: int, length: int) -> None:
    """Let the keys slip once in the word at `start`, the text being a list of characters."""
    if length < SHORTEST or not all(c.isalpha() for c in text[start : start + length]):
        return
    i = random.randrange(start, start + length - 1)
    slip = random.choice(("omit", "double", "replace", "swap"))
    if slip == "omit":
        text[i] = ""
    elif slip == "double":
        text[i] *= 2
    elif slip == "replace":
        letter = random.choice(LETTERS)
        text[i] = letter.upper() if text[i].isupper() else letter
    else:
        text[i], text[i + 1] = text[i + 1], text[i]


def _rewritten(example: Example, text: list[str]) -> Example:
    """The same tokens and annotations over a text altered character by character."""
    predicted, reference = example.predicted, example.reference
    if predicted.text != reference.text:
        return example  # no telling which character is which
    words, gold_words = _words(predicted, text), _words(reference, text)
    if not (all(words) and all(gold_words)):
        return example  # the letter left out was a token of its own
    annotations = example.to_dict()
    annotations["token_annotation"]["ORTH"] = gold_words
    entities = doc_to_biluo_tags(reference, missing="-")
    annotations["doc_annotation"]["entities"] = [
        "O" if token.ent_iob_ == "O" else entity
        for token, entity in zip(reference, entities, strict=True)
    ]
    spaces = [bool(token.whitespace_) for token in predicted]
    return Example.from_dict(Doc(predicted.vocab, words=words, spaces=spaces), annotations)


def _words(doc: Doc, text: list[str]) -> list[str]:
    return ["".join(text[token.idx : token.idx + len(token)]) for token in doc]

"""Speed of `nlp.pipe` from raw text with batches of several sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from spacy.language import Language
from spacy.tokens import Doc

from .turns import take_turns

BATCH_SIZES = (1, 16, 64, 256, 1000, 4000)
SENTENCES_A_TEXT = (1, 10, 200)


def words_a_second(nlp: Language, docs: Sequence[Doc], rounds: int) -> dict[int, dict[int, float]]:
    """Return words a second for each number of sentences a text, and each batch size."""
    n_words = sum(map(len, docs))
    speeds = {}
    for number in SENTENCES_A_TEXT:
        starts = range(0, len(docs), number)
        texts = ["".join(f"{doc.text} " for doc in docs[i : i + number]) for i in starts]
        make = partial(_pipe, nlp, texts)
        seconds = take_turns({size: size for size in BATCH_SIZES}, make, rounds)
        speeds[number] = {size: n_words / taken for size, taken in seconds.items()}
    return speeds


def _pipe(nlp: Language, texts: Sequence[str], size: int) -> Callable[[], object]:
    return lambda: [None for _ in nlp.pipe(texts, batch_size=size)]

"""Survey of the training examples: gold values, words, and a few examples to try things on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from spacy.errors import Errors
from spacy.tokens import Doc
from spacy.training import Example, validate_examples

from ..features.vocabulary import Vocabulary
from ..outputs.gold import GoldCombinations
from .augmenter import is_added

SAMPLE = 10
"""Examples that the model is initialized with, as many as spaCy's tagger takes."""


class Survey(NamedTuple):
    """Findings of a survey of the training examples.

    sample: the first examples that have words; one without, if there are none.
    gold: the gold values that occur, and which of them together.
    vocabulary: counts of words and characters, without those that augmentation added.
    """

    sample: list[Example]
    gold: GoldCombinations
    vocabulary: Vocabulary


def survey(
    get_examples: Callable[[], Iterable[Example]],
    attrs: Sequence[str],
    method: str,
    language: str = "",
) -> Survey:
    """Read the examples, once: that takes long.

    attrs: names of the token attributes whose gold values are wanted.
    method: name of the caller, for spaCy's own errors about what is no function or no example.
    language: code of the pipeline's language, by which words are lower-cased.
    """
    examples = get_examples() if callable(get_examples) else None
    if not examples:
        raise TypeError(Errors.E930.format(method=method, obj=get_examples))
    if not isinstance(examples, Iterable):
        validate_examples(examples, method)  # raises its error
    first: list[Example] = []
    sample: list[Example] = []
    gold = GoldCombinations(attrs)

    def docs() -> Iterator[Doc]:
        nonlocal first
        for eg in examples:
            validate_examples([eg], method)
            gold.add(eg.reference)
            first = first or [eg]
            if len(sample) < SAMPLE and not all(token.is_space for token in eg.predicted):
                sample.append(eg)
            if not is_added(eg):
                yield eg.predicted

    vocabulary = Vocabulary.from_docs(docs(), language=language)
    return Survey(sample or first, gold, vocabulary)

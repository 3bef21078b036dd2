"""Survey of the training examples: gold values, words, and a few examples to try things on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from spacy.errors import Errors
from spacy.tokens import Doc
from spacy.training import Example, validate_examples

from ..features.vocabulary import Vocabulary
from ..features.white_space import white_space_tokens
from ..outputs.gold import GoldCombinations
from .augmenter import is_added, is_gold

SAMPLE = 50
"""Number of examples that things are tried on."""


class Survey(NamedTuple):
    """Findings of a survey of the training examples.

    sample: the first examples that have words; one without, if there are none.
    gold: the gold values that occur, and which of them together.
    vocabulary: counts of words and characters.
    n_docs: number of examples that have words.
    n_single: number of those that have a single word.

    What augmentation has added is not counted, nor in the sample if there is anything else.
    """

    sample: list[Example]
    gold: GoldCombinations
    vocabulary: Vocabulary
    n_docs: int
    n_single: int

    @property
    def n_words(self) -> int:
        """Number of words in all examples."""
        return sum(self.vocabulary.words.values())


def survey(
    get_examples: Callable[[], Iterable[Example]],
    attrs: Sequence[str],
    method: str,
    language: str = "",
) -> Survey:
    """Read the examples, once: that takes long.

    attrs: names of the token attributes whose gold values are wanted, besides TAG and POS.
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
    gold = GoldCombinations(list(dict.fromkeys(["TAG", "POS", *attrs])))
    lengths: Counter[int] = Counter()

    def docs() -> Iterator[Doc]:
        nonlocal first
        for eg in examples:
            validate_examples([eg], method)
            gold.add(eg.reference, added=not is_gold(eg))
            first = first or [eg]
            if is_added(eg):
                continue
            n_words = len(eg.predicted) - len(white_space_tokens([eg.predicted]))
            lengths[n_words] += 1
            if n_words and len(sample) < SAMPLE:
                sample.append(eg)
            yield eg.predicted

    vocabulary = Vocabulary.from_docs(docs(), language=language)
    n_docs = lengths.total() - lengths[0]
    return Survey(sample or first, gold, vocabulary, n_docs, lengths[1])

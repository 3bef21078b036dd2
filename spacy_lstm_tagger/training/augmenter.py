"""Augment training texts as people write: passages longer than a sentence, other case, typos."""

# Annotations are evaluated, not strings: spaCy's config system reads them to check settings.
import random
from collections import deque
from collections.abc import Callable, Iterator

from spacy.language import Language
from spacy.training import Example

from .alterations import Alteration, lowered, mistyped, uppered, words_of
from .copies import join, with_words
from .soft_targets import soft_labels

LONGEST = 10
"""Maximum number of examples in a passage."""

ADDED = "spacy-lstm-tagger: added by augmentation"
"""Key in the `user_data` of the predicted docs of all added examples."""


def build_augmenter_v1(
    *,
    passages: float = 0.0,
    lower_case: float = 0.0,
    upper_case: float = 0.0,
    typos: float = 0.0,
) -> Callable[[Language, Example], Iterator[Example]]:
    """Build an augmenter for `spacy.Corpus.v1` that adds examples to those of the corpus.

    `spacy train` reads a corpus once, not once an epoch. So an augmenter that replaces an example
    by its altered copy, as `spacy.lower_case.v1` does, loses the example. This one keeps it. A copy
    has the tokens, tags and all other annotations of the example, also with gold tokenization. A
    passage has those of its tokens and spans; what is said of a whole text, such as its
    categories, is missing from it.

    The case of letters is that of the pipeline's language: in Turkish, iyi has the capitals İYİ.
    Added examples are trained on, but their words are not counted for the vocabulary: a misspelled
    word stays unknown, and a word that occurs once stays rare.

    passages (float): Share of examples, from 0 to 1, that are added again at the end of a passage,
        after one to nine of the examples before them in the corpus. A tagger trained on single
        sentences thus learns to read across their boundaries.
    lower_case (float): Share of examples that get a lower-cased copy, from 0 to 1.
    upper_case (float): Share of examples that get an upper-cased copy, from 0 to 1.
    typos (float): Share of examples that get a copy with typos, from 0 to 1. In some words of at
        least four letters, one letter is left out, doubled, replaced by another, or swapped with
        its neighbour.
    RETURNS (Callable): Function from the pipeline and an example to that example and the added
        ones.
    RAISES ValueError: If a share is out of its range.
    """
    shares = {
        "passages": passages,
        "lower_case": lower_case,
        "upper_case": upper_case,
        "typos": typos,
    }
    for name, share in shares.items():
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"{name} is {share}, but must be a share from 0 to 1.")
    return Augmenter(**shares)


class Augmenter:
    """Augmenter that adds examples, see `build_augmenter_v1`. Keeps the last ones for passages."""

    def __init__(
        self, *, passages: float, lower_case: float, upper_case: float, typos: float
    ) -> None:
        self.passages = passages
        self.alterations = ((lower_case, lowered), (upper_case, uppered), (typos, mistyped))
        self.last: deque[Example] = deque(maxlen=LONGEST)

    def __call__(self, nlp: Language, example: Example) -> Iterator[Example]:
        """Yield the example, then the added ones."""
        yield example
        for added in self._added(example, nlp.lang):
            mark_added(added)
            yield added

    def _added(self, example: Example, language: str) -> Iterator[Example]:
        for share, alter in self.alterations:
            if random.random() < share:
                yield from _copy(example, alter, language)
        if self.last and not _same_vocabs(self.last[-1], example):
            self.last.clear()  # the corpus is read for another pipeline now
        self.last.append(example)
        if random.random() < self.passages:
            yield from _passage(list(self.last)[-random.randint(2, LONGEST) :])


def mark_added(example: Example) -> None:
    """Mark an example as added to those of the corpus: its words are not counted."""
    example.predicted.user_data[ADDED] = True


def is_added(example: Example) -> bool:
    """Return whether `mark_added` marked the example."""
    return ADDED in example.predicted.user_data


def is_gold(example: Example) -> bool:
    """Return whether the annotation is a corpus's own: of no added example, nor of a teacher."""
    return not is_added(example) and soft_labels(example.reference) is None


def _copy(example: Example, alter: Alteration, language: str) -> Iterator[Example]:
    """Yield an altered copy of the example, unless nothing is altered or a token loses all."""
    predicted, reference = example.predicted, example.reference
    if predicted.text != reference.text:
        return  # the characters cannot be matched
    text = alter(example, language)
    words, gold_words = words_of(predicted, text), words_of(reference, text)
    if "".join(text) != reference.text and all(words) and all(gold_words):
        yield Example(with_words(predicted, words), with_words(reference, gold_words))


def _passage(examples: list[Example]) -> Iterator[Example]:
    """Yield the examples joined into one, unless there is only one."""
    if len(examples) > 1:
        yield Example(
            join([eg.predicted for eg in examples]), join([eg.reference for eg in examples])
        )


def _same_vocabs(one: Example, other: Example) -> bool:
    predicted = one.predicted.vocab is other.predicted.vocab
    return predicted and one.reference.vocab is other.reference.vocab

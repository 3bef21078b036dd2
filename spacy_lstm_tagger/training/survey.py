"""What the training examples hold: their tags, their words, and a few of them to try things on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from spacy.attrs import POS
from spacy.errors import Errors
from spacy.tokens import Doc
from spacy.training import Example, validate_examples

from ..features.vocabulary import Vocabulary
from .augmenter import is_added

SAMPLE = 10
"""Examples that the model is initialized with, as many as spaCy's tagger takes."""


class Survey(NamedTuple):
    """What was found in the training examples.

    sample: the first examples that have tokens; one without, if there are none.
    tags: all gold tags, those that only say what a tag is not as well.
    vocabulary: counts of words and characters, without those that augmentation added.
    has_pos: whether any token has a part of speech.
    """

    sample: list[Example]
    tags: set[str]
    vocabulary: Vocabulary
    has_pos: bool


def survey(get_examples: Callable[[], Iterable[Example]], method: str) -> Survey:
    """Read the examples, once: that takes long.

    method: name of the caller, for spaCy's own errors about what is no function or no example.
    """
    examples = get_examples() if callable(get_examples) else None
    if not examples:
        raise TypeError(Errors.E930.format(method=method, obj=get_examples))
    if not isinstance(examples, Iterable):
        validate_examples(examples, method)  # raises its error
    first: list[Example] = []
    sample: list[Example] = []
    tags: set[str] = set()
    pos: set[int] = set()

    def docs() -> Iterator[Doc]:
        nonlocal first
        for eg in examples:
            validate_examples([eg], method)
            tags.update(token.tag_ for token in eg.reference)
            pos.update(eg.reference.to_array(POS).tolist())
            first = first or [eg]
            if len(sample) < SAMPLE and len(eg.predicted):
                sample.append(eg)
            if not is_added(eg):
                yield eg.predicted

    vocabulary = Vocabulary.from_docs(docs())
    return Survey(sample or first, tags - {""}, vocabulary, has_pos=bool(pos - {0}))


def labels_among(tags: set[str], neg_prefix: str | None) -> list[str]:
    """The tags less those that only say what a tag is not, sorted."""
    return sorted(tag for tag in tags if not (neg_prefix and _negates(tag, neg_prefix, tags)))


def _negates(tag: str, prefix: str, tags: set[str]) -> bool:
    return tag.startswith(prefix) and tag[len(prefix) :] in tags

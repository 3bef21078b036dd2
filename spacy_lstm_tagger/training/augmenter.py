"""Augment training texts as people write: passages longer than a sentence, other case, typos."""

# Annotations are evaluated, not strings: spaCy's config system reads them to check settings.
import random
from collections import deque
from collections.abc import Callable, Iterator

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.iob_utils import doc_to_biluo_tags

LETTERS = "abcdefghijklmnopqrstuvwxyz"

SHORTEST = 4
"""Minimum number of letters in a mistyped word: a shorter one would often become another word."""

MISTYPED = 0.15
"""Share of words of at least `SHORTEST` letters that are mistyped in a text with typos."""

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
    has the tokens, tags and all other annotations of the example, also with gold tokenization.
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
        self.alterations = ((lower_case, _lowered), (upper_case, _uppered), (typos, _mistyped))
        self.last: deque[Example] = deque(maxlen=LONGEST)

    def __call__(self, nlp: Language, example: Example) -> Iterator[Example]:
        """Yield the example, then the added ones."""
        yield example
        for added in self._added(example):
            mark_added(added)
            yield added

    def _added(self, example: Example) -> Iterator[Example]:
        for share, alter in self.alterations:
            if random.random() < share:
                text = alter(example.reference)
                if "".join(text) != example.reference.text:
                    yield from _copy(example, text)
        self.last.append(example)
        if random.random() < self.passages:
            yield from _passage(list(self.last)[-random.randint(2, LONGEST) :])


def mark_added(example: Example) -> None:
    """Mark an example as added to those of the corpus: its words are not counted."""
    example.predicted.user_data[ADDED] = True


def is_added(example: Example) -> bool:
    """Return whether `mark_added` marked the example."""
    return ADDED in example.predicted.user_data


def _passage(examples: list[Example]) -> Iterator[Example]:
    """Yield the examples joined into one, unless there is only one."""
    if len(examples) > 1:
        yield Example(
            Doc.from_docs([eg.predicted for eg in examples]),
            Doc.from_docs([eg.reference for eg in examples]),
        )


# A text is altered character by character, so that it can be split into the same tokens again.


def _lowered(doc: Doc) -> list[str]:
    return [character.lower() for character in doc.text]


def _uppered(doc: Doc) -> list[str]:
    return [character.upper() for character in doc.text]


def _mistyped(doc: Doc) -> list[str]:
    text = list(doc.text)
    for token in doc:
        if len(token) >= SHORTEST and token.is_alpha and random.random() < MISTYPED:
            _mistype(text, random.randrange(token.idx, token.idx + len(token) - 1))
    return text


def _mistype(text: list[str], i: int) -> None:
    """Make one typo, at the letter `i` or between it and the next."""
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


def _copy(example: Example, text: list[str]) -> Iterator[Example]:
    """Yield a copy of the example with an altered text, unless its tokens cannot be found there."""
    predicted, reference = example.predicted, example.reference
    if predicted.text != reference.text:
        return  # the characters cannot be matched
    words, gold_words = _words(predicted, text), _words(reference, text)
    if not (all(words) and all(gold_words)):
        return  # the letter left out was a token of its own
    annotations = example.to_dict()
    annotations["token_annotation"]["ORTH"] = gold_words
    entities = doc_to_biluo_tags(reference, missing="-")
    annotations["doc_annotation"]["entities"] = [
        "O" if token.ent_iob_ == "O" else entity
        for token, entity in zip(reference, entities, strict=True)
    ]
    spaces = [bool(token.whitespace_) for token in predicted]
    yield Example.from_dict(Doc(predicted.vocab, words=words, spaces=spaces), annotations)


def _words(doc: Doc, text: list[str]) -> list[str]:
    return ["".join(text[token.idx : token.idx + len(token)]) for token in doc]

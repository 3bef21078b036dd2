"""Vocabulary of a tagger: the words, affixes and characters of its training docs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import srsly
from spacy.attrs import ORTH
from spacy.tokens import Doc
from thinc.api import Model
from thinc.model import deserialize_attr, serialize_attr

UNKNOWN = 0
"""Row of the unknown word, affix and character in its embedding table. Known ones start at 1."""

PREFIX_LENGTHS = (1, 2, 3)
SUFFIX_LENGTHS = (1, 2, 3, 4)
"""Number of letters of the prefixes and suffixes that have embeddings."""

N_AFFIXES = len(PREFIX_LENGTHS) + len(SUFFIX_LENGTHS)
"""Number of affixes of every form, known or unknown."""

MOST = 2**62
"""Maximum count that is accepted: an array of 64-bit integers can hold it."""

MIN_AFFIX_FREQ = 3
"""Minimum number of distinct words with an affix. Rarer affixes are unknown."""

LEAST_RARE = 100
"""Minimum number of rare words that share the row of the unknown word. Fewer would teach it their
own tags, not those of unknown words. If there are fewer, each has a row of its own, and only word
dropout trains the row of the unknown word."""


class Vocabulary:
    """Vocabulary of words, characters and affixes, with their rows and counts in training.

    Words are lower-cased, characters are kept as they are. Rows are in the order of falling count,
    then of code points, so that the same counts always give the same rows.

    words: lower-cased word to the number of times it was seen in training, each at least 1.
    characters: character to the number of distinct word forms it was seen in, each at least 1.
    affixes: prefix ("un-") or suffix ("-ing") to the number of distinct lower-cased words it was
        seen in, each at least 1; `pruned` finds them.
    """

    def __init__(
        self,
        words: Mapping[str, int] | None = None,
        characters: Mapping[str, int] | None = None,
        affixes: Mapping[str, int] | None = None,
    ) -> None:
        self.words = _by_count("words", words or {})
        self.characters = _by_count("characters", characters or {})
        self.affixes = _by_count("affixes", affixes or {})
        self._word_rows = _rows(self.words)
        self._character_rows = _rows(self.characters)
        self._affix_rows = _rows(self.affixes)

    @classmethod
    def from_docs(cls, docs: Iterable[Doc]) -> Vocabulary:
        """Build a vocabulary of all words and characters of the docs, however rare.

        White-space tokens are no words.
        """
        forms: Counter[str] = Counter()
        for doc in docs:
            strings = doc.vocab.strings
            for orth, count in doc.count_by(ORTH).items():
                forms[strings[orth]] += count
        words: Counter[str] = Counter()
        characters: Counter[str] = Counter()
        for form, count in forms.items():
            if form.isspace():
                continue
            words[form.lower()] += count
            characters.update(set(form))
        return cls(words, characters)

    @classmethod
    def from_dict(cls, data: Any) -> Vocabulary:
        """Build a vocabulary from the dict that `to_dict` returned.

        data: tables of counts under the keys "words", "characters" and, optionally, "affixes".
        Raises ValueError if the data is anything else.
        """
        keys = {"words", "characters"}
        if not isinstance(data, Mapping) or set(data) - {"affixes"} != keys:
            found = sorted(data) if isinstance(data, Mapping) else type(data).__name__
            raise ValueError(
                "A vocabulary must be a mapping with the keys 'characters' and 'words', but found "
                f"{found}. Write one with `python -m spacy lstm-tagger vocab`."
            )
        return cls(data["words"], data["characters"], data.get("affixes"))

    def to_dict(self) -> dict[str, dict[str, int]]:
        """Return the counts as plain dicts, for JSON or msgpack."""
        tables = {"words": self.words, "characters": self.characters, "affixes": self.affixes}
        return {
            name: dict(counts) for name, counts in tables.items() if counts or name != "affixes"
        }

    def pruned(self, min_word_freq: int, *, affixes: bool = False) -> Vocabulary:
        """Return a vocabulary without the words seen fewer than `min_word_freq` times.

        These words share the row of the unknown word. If there are fewer than `LEAST_RARE`, they
        are kept.

        affixes: whether to find the affixes, among all words before any is dropped.
        """
        words = {word: n for word, n in self.words.items() if n >= min_word_freq}
        if len(self.words) - len(words) < LEAST_RARE:
            words = self.words
        return Vocabulary(words, self.characters, _common_affixes(self.words) if affixes else None)

    @property
    def n_words(self) -> int:
        """Number of word rows, including the unknown word's."""
        return len(self.words) + 1

    @property
    def n_characters(self) -> int:
        """Number of character rows, including the unknown character's."""
        return len(self.characters) + 1

    @property
    def n_affixes(self) -> int:
        """Number of affix rows, including the unknown affix's; 0 if there are no affixes."""
        return len(self.affixes) + 1 if self.affixes else 0

    def word_row(self, form: str) -> int:
        """Return the row of a word form, whatever its case."""
        return self._word_rows.get(form.lower(), UNKNOWN)

    def word_count(self, form: str) -> int:
        """Return how often the lower-cased form was seen in training; 0 for an unknown word."""
        return self.words.get(form.lower(), 0)

    def character_rows(self, text: str) -> list[int]:
        """Return the rows of the text's characters."""
        rows = self._character_rows
        return [rows.get(character, UNKNOWN) for character in text]

    def affix_rows(self, form: str) -> list[int]:
        """Return the rows of a form's `N_AFFIXES` affixes, whatever its case."""
        return [self._affix_rows.get(affix, UNKNOWN) for affix in _affixes(form.lower())]

    def __bool__(self) -> bool:
        return bool(self.words or self.characters)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]


def _affixes(word: str) -> list[str]:
    """Return the prefixes, then the suffixes, by rising length; "" if longer than the word."""
    length = len(word)
    return [
        *(f"{word[:n]}-" if n <= length else "" for n in PREFIX_LENGTHS),
        *(f"-{word[-n:]}" if n <= length else "" for n in SUFFIX_LENGTHS),
    ]


def _common_affixes(words: Iterable[str]) -> dict[str, int]:
    found = Counter(affix for word in words for affix in set(_affixes(word)) if affix)
    return {affix: n for affix, n in found.items() if n >= MIN_AFFIX_FREQ}


def _rows(counts: Mapping[str, int]) -> dict[str, int]:
    return {key: row for row, key in enumerate(counts, start=1)}


def _by_count(what: str, counts: Any) -> dict[str, int]:
    if not isinstance(counts, Mapping):
        raise ValueError(f"Vocabulary {what} must map to counts, but found {type(counts)}.")
    if not _all_sound(counts):
        for key, count in counts.items():
            if not (isinstance(key, str) and key and isinstance(count, int) and 0 < count <= MOST):
                raise ValueError(
                    f"Vocabulary {what} must map non-empty strings to whole numbers of at least 1, "
                    f"but found {key!r}: {count!r}."
                )
    falling = sorted(sorted(counts), key=counts.__getitem__, reverse=True)  # a stable sort
    return {key: counts[key] for key in falling}


def _all_sound(counts: Mapping[Any, Any]) -> bool:
    """Return whether all counts are valid. Without a Python loop, so that models load faster."""
    if not counts:
        return True
    types = set(map(type, counts)) == {str} and set(map(type, counts.values())) == {int}
    return types and "" not in counts and 0 < min(counts.values()) <= max(counts.values()) <= MOST


# thinc saves and loads the attributes of a model's nodes with these two functions.


@serialize_attr.register(Vocabulary)
def _vocabulary_to_bytes(_: Any, value: Vocabulary, name: str, model: Model[Any, Any]) -> bytes:
    return srsly.msgpack_dumps(value.to_dict())


@deserialize_attr.register(Vocabulary)
def _vocabulary_from_bytes(_: Any, value: bytes, name: str, model: Model[Any, Any]) -> Vocabulary:
    return Vocabulary.from_dict(srsly.msgpack_loads(value))

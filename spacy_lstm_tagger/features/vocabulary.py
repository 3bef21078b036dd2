"""The words, affixes and characters that a tagger knows, learned from its training docs."""

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
"""Row of the unknown word, affix and character. Known ones start at row 1."""

PREFIX_LENGTHS = (1, 2, 3)
SUFFIX_LENGTHS = (1, 2, 3, 4)
"""Letters of the beginnings and endings of a word that have rows of their own."""

N_AFFIXES = len(PREFIX_LENGTHS) + len(SUFFIX_LENGTHS)
"""Number of affixes that every form has, be they known or not."""

MOST = 2**62
"""Greatest count: beyond 64 bits, no array could hold it."""

MIN_AFFIX_FREQ = 3
"""Affixes of fewer distinct words are unknown."""

LEAST_RARE = 100
"""Rare words that it takes to share a row. Fewer would teach it their own tags, not those of
unknown words: then each has a row of its own, and only word dropout trains the unknown word's."""


class Vocabulary:
    """Rows and training counts of words, characters and affixes.

    Words are kept lower-cased, characters as they are. Rows are given by falling count and then
    by code point, so that the same counts always give the same rows.

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
        """Count every word and character of the docs, however rare."""
        forms: Counter[str] = Counter()
        for doc in docs:
            strings = doc.vocab.strings
            for orth, count in doc.count_by(ORTH).items():
                forms[strings[orth]] += count
        words: Counter[str] = Counter()
        characters: Counter[str] = Counter()
        for form, count in forms.items():
            words[form.lower()] += count
            characters.update(set(form))
        return cls(words, characters)

    @classmethod
    def from_dict(cls, data: Any) -> Vocabulary:
        """Read what `to_dict` wrote, or its words and characters alone.

        Raises ValueError where the data is anything but such tables of counts.
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
        """Plain dicts of counts, for JSON or msgpack."""
        tables = {"words": self.words, "characters": self.characters, "affixes": self.affixes}
        return {
            name: dict(counts) for name, counts in tables.items() if counts or name != "affixes"
        }

    def pruned(self, min_word_freq: int, *, affixes: bool = False) -> Vocabulary:
        """Drop the words seen fewer than `min_word_freq` times: they share the unknown word.

        Fewer than `LEAST_RARE` of them are kept.
        affixes: whether to find the affixes, among all words before they are dropped.
        """
        words = {word: n for word, n in self.words.items() if n >= min_word_freq}
        if len(self.words) - len(words) < LEAST_RARE:
            words = self.words
        return Vocabulary(words, self.characters, _common_affixes(self.words) if affixes else None)

    @property
    def n_words(self) -> int:
        """Number of word rows, the unknown word's among them."""
        return len(self.words) + 1

    @property
    def n_characters(self) -> int:
        """Number of character rows, the unknown character's among them."""
        return len(self.characters) + 1

    @property
    def n_affixes(self) -> int:
        """Number of affix rows, the unknown affix's among them; 0 if there are no affixes."""
        return len(self.affixes) + 1 if self.affixes else 0

    def word_row(self, form: str) -> int:
        """Row of a word form, whatever its case."""
        return self._word_rows.get(form.lower(), UNKNOWN)

    def word_count(self, form: str) -> int:
        """How often the lower-cased form was seen in training: 0 for the unknown word."""
        return self.words.get(form.lower(), 0)

    def character_rows(self, text: str) -> list[int]:
        """Rows of the text's characters."""
        rows = self._character_rows
        return [rows.get(character, UNKNOWN) for character in text]

    def affix_rows(self, form: str) -> list[int]:
        """Rows of a form's `N_AFFIXES` affixes, whatever its case."""
        return [self._affix_rows.get(affix, UNKNOWN) for affix in _affixes(form.lower())]

    def __bool__(self) -> bool:
        return bool(self.words or self.characters)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]


def _affixes(word: str) -> list[str]:
    """Prefixes, then suffixes, by rising length; "" for those longer than the word."""
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
    falling = sorted(sorted(counts), key=counts.__getitem__, reverse=True)  # ties keep their order
    return {key: counts[key] for key in falling}


def _all_sound(counts: Mapping[Any, Any]) -> bool:
    """Whether all is as it should be, told without a Python loop: models are loaded sooner."""
    if not counts:
        return True
    types = set(map(type, counts)) == {str} and set(map(type, counts.values())) == {int}
    return types and "" not in counts and 0 < min(counts.values()) <= max(counts.values()) <= MOST


# thinc saves and loads the attributes of a model's nodes through these two.


@serialize_attr.register(Vocabulary)
def _vocabulary_to_bytes(_: Any, value: Vocabulary, name: str, model: Model[Any, Any]) -> bytes:
    return srsly.msgpack_dumps(value.to_dict())


@deserialize_attr.register(Vocabulary)
def _vocabulary_from_bytes(_: Any, value: bytes, name: str, model: Model[Any, Any]) -> Vocabulary:
    return Vocabulary.from_dict(srsly.msgpack_loads(value))

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

from .casing import Casing, casing_of
from .counts import by_count

UNKNOWN = 0
"""Row of the unknown word, affix and character in its embedding table. Known ones start at 1."""

PREFIX_LENGTHS = (1, 2, 3)
SUFFIX_LENGTHS = (1, 2, 3, 4)
"""Number of letters of the prefixes and suffixes that have embeddings."""

N_AFFIXES = len(PREFIX_LENGTHS) + len(SUFFIX_LENGTHS)
"""Number of affixes of every form, known or unknown."""

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

    A form is the known word that its lower-cased form is. If that is unknown, a form in capitals is
    the most frequent known word with these capitals: STRASSE is "straße", ΑΝΘΡΩΠΟΣ is "άνθρωπος".
    Row, count and affixes of a form are those of this word.

    words: lower-cased word to the number of times it was seen in training, each at least 1.
    characters: character to the number of distinct word forms it was seen in, each at least 1.
    affixes: prefix ("un-") or suffix ("-ing") to the number of distinct lower-cased words it was
        seen in, each at least 1; `pruned` finds them.
    language: code of the language that the words were lower-cased by; None if it is unknown. Then
        the general rules hold, and capitals are only lower-cased, as in earlier versions.
    """

    def __init__(
        self,
        words: Mapping[str, int] | None = None,
        characters: Mapping[str, int] | None = None,
        affixes: Mapping[str, int] | None = None,
        *,
        language: str | None = None,
    ) -> None:
        self.words = by_count("words", words or {})
        self.characters = by_count("characters", characters or {})
        self.affixes = by_count("affixes", affixes or {})
        self._word_rows = _rows(self.words)
        self._character_rows = _rows(self.characters)
        self._affix_rows = _rows(self.affixes)
        self.language = language
        self._lower = casing_of(language or "").lower
        self._capitals: dict[str, str] | None = None if language else {}

    @classmethod
    def from_docs(cls, docs: Iterable[Doc], *, language: str | None = None) -> Vocabulary:
        """Build a vocabulary of all words and characters of the docs, however rare.

        White-space tokens are no words.
        language: code of the language to lower-case words by; None or "" if it is unknown.
        """
        forms: Counter[str] = Counter()
        for doc in docs:
            strings = doc.vocab.strings
            for orth, count in doc.count_by(ORTH).items():
                forms[strings[orth]] += count
        lower = casing_of(language or "").lower
        words: Counter[str] = Counter()
        characters: Counter[str] = Counter()
        for form, count in forms.items():
            if form.isspace():
                continue
            words[lower(form)] += count
            characters.update(set(form))
        return cls(words, characters, language=language or None)

    @classmethod
    def from_dict(cls, data: Any) -> Vocabulary:
        """Build a vocabulary from the dict that `to_dict` returned.

        data: tables of counts under the keys "words", "characters" and, optionally, "affixes"; and
            optionally the "language", a code.
        Raises ValueError if the data is anything else.
        """
        keys = {"words", "characters"}
        if not isinstance(data, Mapping) or set(data) - {"affixes", "language"} != keys:
            found = sorted(data) if isinstance(data, Mapping) else type(data).__name__
            raise ValueError(
                "A vocabulary must be a mapping with the keys 'characters' and 'words', but found "
                f"{found}. Write one with `python -m spacy lstm-tagger vocab`."
            )
        language = data.get("language")
        if "language" in data and not (isinstance(language, str) and language):
            raise ValueError(
                f"A vocabulary's 'language' must be a code such as 'tr', but found {language!r}. "
                "Write it again with `python -m spacy lstm-tagger vocab --lang CODE`."
            )
        return cls(data["words"], data["characters"], data.get("affixes"), language=language)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain dicts, and the language if known, for JSON or msgpack."""
        data: dict[str, Any] = {"words": dict(self.words), "characters": dict(self.characters)}
        if self.affixes:
            data["affixes"] = dict(self.affixes)
        if self.language:
            data["language"] = self.language
        return data

    def for_language(self, language: str) -> Vocabulary:
        """Return a vocabulary for a pipeline, of the same words.

        language: code of the pipeline's language; "" if it has none.
        Raises ValueError if that language lower-cases words by other rules.
        """
        ours, theirs = casing_of(self.language or ""), casing_of(language)
        if ours.name != theirs.name:
            counted = f"the language '{self.language}'" if self.language else "no language"
            raise ValueError(
                f"The words of the vocabulary were lower-cased for {counted} ({ours.name} rules), "
                f"but the pipeline's language is '{language}' ({theirs.name} rules). Count them "
                f"again with `python -m spacy lstm-tagger vocab --lang {language or 'xx'}`."
            )
        known = language or self.language
        return Vocabulary(self.words, self.characters, self.affixes, language=known)

    def pruned(self, min_word_freq: int, *, affixes: bool = False) -> Vocabulary:
        """Return a vocabulary without the words seen fewer than `min_word_freq` times.

        These words share the row of the unknown word. If there are fewer than `LEAST_RARE`, they
        are kept.

        affixes: whether to find the affixes, among all words before any is dropped.
        """
        words = {word: n for word, n in self.words.items() if n >= min_word_freq}
        if len(self.words) - len(words) < LEAST_RARE:
            words = self.words
        found = _common_affixes(self.words) if affixes else None
        return Vocabulary(words, self.characters, found, language=self.language)

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

    def word_of(self, form: str) -> str:
        """Return the known word that a form is, whatever its case; else the lower-cased form."""
        word = self._lower(form)
        if word in self._word_rows:
            return word
        if self._capitals is None:  # made when first needed, so that models load faster
            self._capitals = _by_capitals(self.words, casing_of(self.language or ""))
        return self._capitals.get(form, word)

    def word_row(self, form: str) -> int:
        """Return the row of a word form, whatever its case."""
        return self._word_rows.get(self.word_of(form), UNKNOWN)

    def word_count(self, form: str) -> int:
        """Return how often a form's word was seen in training; 0 for an unknown word."""
        return self.words.get(self.word_of(form), 0)

    def character_rows(self, text: str) -> list[int]:
        """Return the rows of the text's characters."""
        rows = self._character_rows
        return [rows.get(character, UNKNOWN) for character in text]

    def affix_rows(self, form: str) -> list[int]:
        """Return the rows of a form's `N_AFFIXES` affixes, whatever its case."""
        return [self._affix_rows.get(affix, UNKNOWN) for affix in _affixes(self.word_of(form))]

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


def _by_capitals(words: Iterable[str], casing: Casing) -> dict[str, str]:
    """Return those words by their capitals that are not the lower-cased form of these.

    words: by falling count; of several with the same capitals the first is taken.
    """
    found: dict[str, str] = {}
    for word in words:
        capitals = casing.upper(word)
        if casing.lower(capitals) != word:
            found.setdefault(capitals, word)
    return found


def _rows(counts: Mapping[str, int]) -> dict[str, int]:
    return {key: row for row, key in enumerate(counts, start=1)}


# thinc saves and loads the attributes of a model's nodes with these two functions.


@serialize_attr.register(Vocabulary)
def _vocabulary_to_bytes(_: Any, value: Vocabulary, name: str, model: Model[Any, Any]) -> bytes:
    return srsly.msgpack_dumps(value.to_dict())


@deserialize_attr.register(Vocabulary)
def _vocabulary_from_bytes(_: Any, value: bytes, name: str, model: Model[Any, Any]) -> Vocabulary:
    return Vocabulary.from_dict(srsly.msgpack_loads(value))

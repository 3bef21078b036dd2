"""Casing of whole words by the rules of their language."""

import pytest

from spacy_lstm_tagger.features.casing import casing_of
from spacy_lstm_tagger.features.vocabulary import Vocabulary

LETTERS = str.maketrans(
    "abcçdefgğhıijklmnoöpqrsştuüvwxyzâîû", "ABCÇDEFGĞHIİJKLMNOÖPQRSŞTUÜVWXYZÂÎÛ"
)
"""The Turkish alphabet as taught in school, with the letters of loan words: an oracle."""


@pytest.mark.parametrize(
    ("language", "word", "lowered"),
    [
        ("tr", "İstanbul", "istanbul"),
        ("tr", "ISPARTA", "ısparta"),
        ("az", "IĞDIR", "ığdır"),
        ("tr", "I\u0307stanbul", "istanbul"),  # the dot as a mark of its own
        ("tr", "I\u0323\u0307", "i\u0323"),
        ("tr", "I\u0301\u0307", "ı\u0301\u0307"),  # the dot is not that of the I
        ("tr", "\u0307", "\u0307"),
        ("lt", "Ìsas", "i\u0307\u0300sas"),
        ("lt", "I\u0301J\u0301Į\u0303", "i\u0307\u0301j\u0307\u0301į\u0307\u0303"),
        ("lt", "IŠ", "iš"),
        ("lt", "I\u0323", "i\u0323"),
        ("el", "ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
        ("en", "ΟΔΟΣ", "οδος"),
        ("de", "STRASSE", "strasse"),
        ("en", "ISTANBUL", "istanbul"),
        ("", "İ", "i\u0307"),
    ],
)
def test_lower(language: str, word: str, lowered: str) -> None:
    assert casing_of(language).lower(word) == lowered


@pytest.mark.parametrize(
    ("language", "word", "uppered"),
    [
        ("tr", "iyi", "İYİ"),
        ("az", "ışıq", "IŞIQ"),
        ("lt", "i\u0307\u0301", "I\u0301"),
        ("lt", "\u0307a\u0307", "\u0307A\u0307"),
        ("el", "άνθρωπος", "ΑΝΘΡΩΠΟΣ"),
        ("el", "ἄνθρωπος", "ΑΝΘΡΩΠΟΣ"),
        ("el", "μάιος", "ΜΑΪΟΣ"),
        ("el", "ΐ", "Ϊ"),
        ("el", "καΐκι", "ΚΑΪΚΙ"),
        ("el", "ᾳ", "ΑΙ"),
        ("el", "ή", "Ή"),
        ("el", "ἢ", "Ή"),
        ("el", "η", "Η"),
        ("el", "τιμή", "ΤΙΜΗ"),
        ("el", "και/ή", "ΚΑΙ/Ή"),
        ("el", "caféς", "CAFÉΣ"),
        ("de", "Straße", "STRASSE"),
        ("en", "ﬁsh", "FISH"),
        ("", "iyi", "IYI"),
    ],
)
def test_upper(language: str, word: str, uppered: str) -> None:
    assert casing_of(language).upper(word) == uppered


@pytest.mark.parametrize("pair", [("tr", "az"), ("tr", "tur"), ("el", "ell"), ("en", "xx")])
def test_languages_that_share_their_rules(pair: tuple[str, str]) -> None:
    assert casing_of(pair[0]).name == casing_of(pair[1]).name


def test_languages_that_do_not() -> None:
    assert len({casing_of(language).name for language in ("tr", "lt", "el", "en")}) == 4


def test_turkish_words_get_the_capitals_of_the_alphabet(read_treebank) -> None:
    """UD_Turkish-IMST r2.16. Python's own capitals are wrong for 29.5 % of the words."""
    words = [t.text for doc in read_treebank("tr_imst-ud-train.conllu") for t in doc]
    wrong = dict.fromkeys(("tr", ""), 0)
    for word in words:
        for language in wrong:
            wrong[language] += casing_of(language).upper(word) != word.translate(LETTERS)
    assert wrong["tr"] == 0
    assert 0.29 < wrong[""] / len(words) < 0.30


def test_turkish_capitals_are_lower_cased_to_the_same_words(read_treebank) -> None:
    words = [t.text for doc in read_treebank("tr_imst-ud-train.conllu") for t in doc]
    small = [word for word in words if word.isalpha() and word == casing_of("tr").lower(word)]
    assert len(small) > 20_000
    assert [casing_of("tr").lower(word.translate(LETTERS)) for word in small] == small


def test_known_turkish_words_stay_known_in_capitals(read_treebank) -> None:
    """38 % of the known words of dev were unknown, or taken for others, in capitals."""
    train = read_treebank("tr_imst-ud-train.conllu")
    words = [t.text for doc in read_treebank("tr_imst-ud-dev.conllu") for t in doc]
    vocabulary = Vocabulary.from_docs(train, language="tr")
    known = [word for word in words if vocabulary.word_row(word)]
    assert len(known) > 7_000
    for word in known:
        assert vocabulary.word_row(word.translate(LETTERS)) == vocabulary.word_row(word)

"""Rules that make a lemma of a word: found for every pair, applied to other words, or not."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spacy_lstm_tagger.features.casing import casing_of
from spacy_lstm_tagger.outputs.lemma_rules import CASES, KEEP, LOWER, WHOLE, LemmaRule, rule_of

LANGUAGES = ("en", "tr", "el", "lt")
GENERAL = casing_of("en")


def texts(alphabet=None):
    letters = st.characters(exclude_categories=["Cs"]) if alphabet is None else alphabet
    return st.text(letters, min_size=1, max_size=12).filter(lambda text: not text.isspace())


@given(texts(), texts(), st.sampled_from(LANGUAGES))
@example("I", "ı", "tr")
@example("ΟΔΌΣ", "οδός", "el")
@example("ß", "S", "en")
@example("ﬁ", "FIT", "en")
def test_rule_of_a_word_makes_its_lemma(word: str, lemma: str, language: str) -> None:
    casing = casing_of(language)
    assert rule_of(word, lemma, casing).apply(word, casing) == lemma


@given(texts("abBİIıi "), texts("abBİIıi "), st.sampled_from(LANGUAGES))
def test_rule_makes_the_lemma_if_word_and_lemma_are_alike(word, lemma, language) -> None:
    casing = casing_of(language)
    rule = rule_of(word, lemma, casing)
    assert rule.apply(word, casing) == lemma
    assert rule.end == WHOLE or rule.shortest() >= 1


@given(texts(), texts(), texts())
def test_rule_gives_another_word_a_lemma_or_nothing_but_never_an_empty_one(
    word: str, lemma: str, other: str
) -> None:
    found = rule_of(word, lemma, GENERAL).apply(other, GENERAL)
    assert found is None or (found and not found.isspace())


@given(texts())
def test_two_rules_apply_to_every_word(word: str) -> None:
    assert LOWER.apply(word, GENERAL) == word.lower()
    assert KEEP.apply(word, GENERAL) == word


@pytest.mark.parametrize(
    ("word", "lemma", "rule"),
    [
        ("eggs", "egg", LemmaRule("lower", 0, "", 1, "")),
        ("Eggs", "egg", LemmaRule("lower", 0, "", 1, "")),
        ("EGGS", "egg", LemmaRule("lower", 0, "", 1, "")),
        ("tried", "try", LemmaRule("lower", 0, "", 3, "y")),
        ("cities", "city", LemmaRule("lower", 0, "", 3, "y")),
        ("gedeelt", "deelen", LemmaRule("lower", 2, "", 1, "en")),
        ("the", "the", LOWER),
        ("The", "the", LOWER),
        ("Smith", "Smith", KEEP),
        ("SMITH", "Smith", LemmaRule("title", 0, "", 0, "")),
        ("NATO", "NATO", KEEP),
        ("nato", "NATO", LemmaRule("upper", 0, "", 0, "")),
        ("iPhone", "iPhone", KEEP),
        ("is", "be", LemmaRule("keep", 0, "", WHOLE, "be")),
        ("went", "go", LemmaRule("keep", 0, "", WHOLE, "go")),
    ],
)
def test_rule_is_the_one_that_holds_for_most_words(word, lemma, rule) -> None:
    assert rule_of(word, lemma, GENERAL) == rule
    assert rule.apply(word, GENERAL) == lemma


def test_words_that_inflect_alike_share_their_rule_in_any_case() -> None:
    pairs = [("tried", "try"), ("Cities", "city"), ("STUDIES", "study"), ("flies", "fly")]
    assert len({rule_of(word, lemma, GENERAL) for word, lemma in pairs}) == 1
    names = [("Smiths", "Smith"), ("Alpers", "Alper")]
    assert len({rule_of(word, lemma, GENERAL) for word, lemma in names}) == 1


def test_rule_does_not_apply_to_words_that_are_too_short() -> None:
    rule = rule_of("tried", "try", GENERAL)
    assert rule.shortest() == 4
    assert rule.apply("died", GENERAL) == "dy"
    assert rule.apply("ied", GENERAL) is None
    assert rule.apply("a", GENERAL) is None
    assert rule_of("is", "be", GENERAL).apply("a", GENERAL) == "be"


def test_rule_that_leaves_white_space_alone_does_not_apply() -> None:
    rule = rule_of("a b", "a ", GENERAL)  # the lemma has a space at its end
    assert rule.apply("a b", GENERAL) == "a "
    assert rule.apply(" b", GENERAL) is None


@pytest.mark.parametrize(
    ("language", "word", "lemma"),
    [
        ("tr", "IŞIKLAR", "ışık"),
        ("tr", "İYİYİM", "iyi"),
        ("el", "οδός", "ΟΔΟΣ"),
        ("lt", "JÌ", "ji\u0307\u0300"),
    ],
)
def test_case_is_changed_by_the_rules_of_the_language(language, word, lemma) -> None:
    casing = casing_of(language)
    rule = rule_of(word, lemma, casing)
    assert rule.apply(word, casing) == lemma
    assert (rule.prefix, rule.suffix) == ("", "")
    general = rule_of(word, lemma, GENERAL)
    assert general.apply(word, GENERAL) == lemma
    assert general.prefix + general.suffix  # it has to replace letters


def test_every_rule_says_what_it_does() -> None:
    assert str(rule_of("tried", "try", GENERAL)) == "lower, -3+y at the end"
    circumfix = "lower, -2+ at the beginning, -1+en at the end"
    assert str(rule_of("gemacht", "machen", GENERAL)) == circumfix
    assert str(rule_of("is", "be", GENERAL)) == "=be"
    assert set(CASES) == {"lower", "keep", "title", "upper"}

"""The vocabulary: counting, rows, bytes, and what it refuses."""

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_lstm_tagger.features.extractor import FeatureExtractor
from spacy_lstm_tagger.features.vocabulary import LEAST_RARE, UNKNOWN, Vocabulary

RARE = [chr(0x4E00 + i) for i in range(LEAST_RARE)]
"""Words of one character each, so that no two of them share an affix."""

Counts = st.dictionaries(st.text(min_size=1, max_size=5), st.integers(1, 1000), max_size=8)


def learn(*sentences: str) -> Vocabulary:
    vocab = Vocab()
    return Vocabulary.from_docs(Doc(vocab, words=sentence.split()) for sentence in sentences)


def test_words_are_counted_without_regard_to_case() -> None:
    assert learn("Ham ham HAM eggs").words == {"ham": 3, "eggs": 1}


def test_characters_are_counted_once_a_distinct_form_as_they_are() -> None:
    assert learn("aab aab Ab").characters == {"b": 2, "A": 1, "a": 1}


def test_counts_are_summed_over_docs_of_any_vocab() -> None:
    docs = [Doc(Vocab(), words=["ham", "eggs"]), Doc(Vocab(), words=["eggs"]), Doc(Vocab())]
    assert Vocabulary.from_docs(docs).words == {"eggs": 2, "ham": 1}


def test_nothing_is_known_of_no_docs() -> None:
    vocabulary = learn()
    assert not vocabulary
    assert (vocabulary.n_words, vocabulary.n_characters) == (1, 1)
    assert vocabulary.word_row("ham") == UNKNOWN
    assert vocabulary.character_rows("ham") == [UNKNOWN] * 3


def test_rows_fall_by_count_and_then_by_code_point() -> None:
    vocabulary = learn("b a c c b z Z z")
    assert list(vocabulary.words) == ["z", "b", "c", "a"]
    assert [vocabulary.word_row(word) for word in ["z", "b", "c", "a"]] == [1, 2, 3, 4]


def test_rows_do_not_depend_on_the_order_of_docs() -> None:
    one, other = learn("a b", "b c"), learn("c b", "b a")
    assert list(one.words.items()) == list(other.words.items())
    assert list(one.characters.items()) == list(other.characters.items())


def test_lookup_ignores_case() -> None:
    vocabulary = learn("Ham ham eggs")
    assert vocabulary.word_row("HAM") == vocabulary.word_row("ham") == 1
    assert vocabulary.word_count("HAM") == 2


def test_unknown_words_and_characters_have_row_zero() -> None:
    vocabulary = learn("ham")
    assert vocabulary.word_row("bacon") == UNKNOWN == 0
    assert vocabulary.word_count("bacon") == 0
    assert vocabulary.character_rows("hZ")[1] == UNKNOWN
    assert UNKNOWN not in vocabulary.character_rows("ham")


def test_sizes_count_the_unknown_row() -> None:
    vocabulary = learn("ab c")
    assert (vocabulary.n_words, vocabulary.n_characters) == (3, 4)


def test_pruning_drops_rare_words_and_no_characters() -> None:
    vocabulary = learn("ham ham eggs x", *RARE[2:]).pruned(2)
    assert vocabulary.words == {"ham": 2}
    assert "x" in vocabulary.characters
    assert vocabulary.word_row("eggs") == UNKNOWN


def test_a_few_rare_words_are_kept() -> None:
    """They would teach the unknown word's row their own tags, not those of unknown words."""
    vocabulary = learn("ham ham eggs x", *RARE[3:])
    assert sum(n < 2 for n in vocabulary.words.values()) == LEAST_RARE - 1
    assert vocabulary.pruned(2).words == vocabulary.words


def test_affixes_are_those_of_three_distinct_words() -> None:
    text = "walking talking king King making unmade undone untied of or on a"
    vocabulary = learn(text, *RARE).pruned(5, affixes=True)
    assert vocabulary.words == {}
    assert {a: n for a, n in vocabulary.affixes.items() if len(a) > 2} == {
        "-king": 4, "-ing": 4, "-ng": 4, "un-": 3,
    }  # fmt: skip
    assert vocabulary.affixes["o-"] == 3
    assert vocabulary.affixes["-g"] == 4
    assert "a-" not in vocabulary.affixes
    assert vocabulary.n_affixes == len(vocabulary.affixes) + 1


def test_affix_rows_are_prefixes_then_suffixes() -> None:
    vocabulary = Vocabulary({}, {}, {"u-": 9, "un-": 8, "-g": 7, "-ing": 6})
    assert vocabulary.affix_rows("UNDOING") == [1, 2, 0, 3, 0, 4, 0]
    assert vocabulary.affix_rows("g") == [0, 0, 0, 3, 0, 0, 0]
    assert vocabulary.affix_rows("") == [0] * 7


def test_affixes_are_found_only_when_asked_for() -> None:
    vocabulary = learn("walking talking making").pruned(1)
    assert vocabulary.affixes == {}
    assert vocabulary.n_affixes == 0


def test_one_word_of_ten_thousand_characters_is_counted() -> None:
    assert learn("x" * 10_000).characters == {"x": 1}


@pytest.mark.parametrize("word", ["İstanbul", "ΑΣ", "Straße", "🙂", "e\u0301", "\x00", "ǅ"])
def test_any_script_is_found_again(word: str) -> None:
    vocabulary = Vocabulary.from_docs([Doc(Vocab(), words=[word])])
    assert vocabulary.word_row(word) == 1
    assert UNKNOWN not in vocabulary.character_rows(word)


@given(Counts, Counts, Counts)
def test_dict_round_trip_keeps_everything(words: dict, characters: dict, affixes: dict) -> None:
    vocabulary = Vocabulary(words, characters, affixes)
    again = Vocabulary.from_dict(vocabulary.to_dict())
    assert again == vocabulary
    assert list(again.words) == list(vocabulary.words)
    assert list(again.characters) == list(vocabulary.characters)
    assert list(again.affixes) == list(vocabulary.affixes)


@given(Counts)
def test_every_known_word_has_a_row_of_its_own(words: dict) -> None:
    vocabulary = Vocabulary({word.lower(): n for word, n in words.items()})
    rows = {vocabulary.word_row(word) for word in vocabulary.words if word == word.lower()}
    assert all(0 < row < vocabulary.n_words for row in rows)


def test_equality_is_that_of_counts() -> None:
    assert learn("a b") == learn("b a")
    assert learn("a b") != learn("a b b")
    assert learn("a") != "a"


def test_model_saves_and_loads_its_vocabulary() -> None:
    settings = {
        "min_word_freq": 1,
        "max_characters": 8,
        "affixes": True,
        "include_static_vectors": False,
    }
    model = FeatureExtractor(**settings)
    model.attrs["vocabulary"] = learn("Ham and eggs \u2014 ham")
    loaded = FeatureExtractor(**settings).from_bytes(model.to_bytes())
    assert loaded.attrs["vocabulary"] == model.attrs["vocabulary"]
    assert list(loaded.attrs["vocabulary"].words) == list(model.attrs["vocabulary"].words)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, r"mapping with the keys 'characters' and 'words', but found NoneType"),
        ([], r"but found list"),
        ({}, r"but found \[\]"),
        ({"words": {}}, r"but found \['words'\]"),
        ({"words": {}, "characters": {}, "more": {}}, r"but found \['characters', 'more', 'words'"),
        ({"words": ["ham"], "characters": {}}, r"words must map to counts, but found .*list"),
        ({"words": {}, "characters": 3}, r"characters must map to counts, but found .*int"),
        ({"words": {"ham": 0}, "characters": {}}, r"words.*at least 1, but found 'ham': 0"),
        ({"words": {"ham": "2"}, "characters": {}}, r"words.*but found 'ham': '2'"),
        ({"words": {"ham": 1.5}, "characters": {}}, r"words.*but found 'ham': 1.5"),
        ({"words": {"": 1}, "characters": {}}, r"words.*non-empty strings.*but found '': 1"),
        ({"words": {}, "characters": {7: 1}}, r"characters.*but found 7: 1"),
    ],
)
def test_malformed_vocabulary_is_refused(data, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Vocabulary.from_dict(data)


def test_malformed_vocabulary_is_refused_by_initialize(small_config, make_examples) -> None:
    nlp = spacy.blank("en")
    tagger = nlp.add_pipe("lstm_tagger", config=small_config)
    examples = make_examples(nlp)
    with pytest.raises(ValueError, match="mapping with the keys 'characters' and 'words'"):
        tagger.initialize(lambda: examples, nlp=nlp, vocabulary={"ham": 1})


def test_empty_vocabulary_is_refused_by_initialize(small_config, make_examples) -> None:
    nlp = spacy.blank("en")
    tagger = nlp.add_pipe("lstm_tagger", config=small_config)
    examples = make_examples(nlp)
    with pytest.raises(ValueError, match="no vocabulary"):
        tagger.initialize(lambda: examples, nlp=nlp, vocabulary={"words": {}, "characters": {}})

"""The vocabulary: counting, rows, bytes, and what it refuses."""

from pathlib import Path

import pytest
import spacy
import srsly
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_lstm_tagger.cli import lstm_tagger_cli
from spacy_lstm_tagger.features.extractor import FeatureExtractor
from spacy_lstm_tagger.features.vocabulary import LEAST_RARE, UNKNOWN, Vocabulary

RARE = [chr(0x4E00 + i) for i in range(LEAST_RARE)]
"""Words of one character each, so that no two of them share an affix."""

Counts = st.dictionaries(st.text(min_size=1, max_size=5), st.integers(1, 1000), max_size=8)


def learn(*sentences: str, language: str | None = None) -> Vocabulary:
    vocab = Vocab()
    docs = (Doc(vocab, words=sentence.split()) for sentence in sentences)
    return Vocabulary.from_docs(docs, language=language)


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


KNOWN = [
    ("tr", "ışık", "Işık", "IŞIK"),
    ("tr", "iyi", "İyi", "İYİ"),
    ("lt", "i\u0307\u0301", "I\u0301", "I\u0301"),
    ("el", "άνθρωπος", "Άνθρωπος", "ΑΝΘΡΩΠΟΣ"),
    ("el", "άνθρωπος", "ΆΝΘΡΩΠΟΣ", "ΑΝΘΡΩΠΟΣ"),
    ("de", "straße", "Straße", "STRASSE"),
    ("de", "straße", "STRAßE", "STRASSE"),
    ("en", "ham", "Ham", "HAM"),
    ("xx", "ışık", "ışık", "IŞIK"),
]
"""Languages, words, their forms with a first capital and in capitals."""


@pytest.mark.parametrize(("language", "word", "title", "capitals"), KNOWN)
def test_what_is_known_stays_known_in_capitals(language, word, title, capitals) -> None:
    common = f"{word[:1]}x {word[:1]}y {word}"
    vocabulary = learn(common, word, language=language).pruned(1, affixes=True)
    vocabulary = Vocabulary(
        vocabulary.words,
        vocabulary.characters,
        {f"{word[:1]}-": 9, f"-{word[-1:]}": 8},
        language=language,
    )
    row, affixes = vocabulary.word_row(word), vocabulary.affix_rows(word)
    assert row != UNKNOWN != affixes[0]
    for form in (title, capitals):
        assert vocabulary.word_of(form) == word
        assert vocabulary.word_row(form) == row
        assert vocabulary.word_count(form) == 2
        assert vocabulary.affix_rows(form) == affixes


@pytest.mark.parametrize(("language", "word", "title", "capitals"), KNOWN)
def test_it_does_so_in_what_was_saved_and_pruned(language, word, title, capitals) -> None:
    vocabulary = Vocabulary.from_dict(learn(word, *RARE, language=language).to_dict()).pruned(1)
    assert vocabulary.word_row(capitals) == vocabulary.word_row(word) != UNKNOWN


def test_words_are_counted_as_their_language_writes_them() -> None:
    assert learn("IŞIK Işık ışık İyi", language="tr").words == {"ışık": 3, "iyi": 1}
    assert learn("IŞIK Işık ışık", language="en").words == {"işik": 1, "işık": 1, "ışık": 1}


def test_the_lower_cased_form_comes_before_other_words_in_these_capitals() -> None:
    vocabulary = learn("masse maße maße", language="de")
    assert vocabulary.word_of("MASSE") == "masse"


def test_of_several_words_in_these_capitals_the_most_frequent_is_meant() -> None:
    vocabulary = learn("νόμος νόμος νομός", language="el")
    assert vocabulary.word_of("ΝΟΜΟΣ") == "νόμος"
    assert vocabulary.word_of("Νομοσ") == "νομοσ"


def test_an_unknown_form_is_lower_cased_for_its_affixes() -> None:
    vocabulary = Vocabulary({}, {}, {"-ık": 5, "ı-": 5}, language="tr")
    assert vocabulary.word_row("IŞIK") == UNKNOWN
    assert vocabulary.affix_rows("IŞIK") == vocabulary.affix_rows("ışık")
    assert any(vocabulary.affix_rows("IŞIK"))


def test_without_a_language_capitals_are_lower_cased_and_no_more() -> None:
    """As in the models of earlier versions, whose scores must not change."""
    vocabulary = learn("straße ışık")
    assert "language" not in vocabulary.to_dict()
    assert vocabulary.word_row("STRASSE") == vocabulary.word_row("IŞIK") == UNKNOWN
    assert vocabulary.word_row("Straße") != UNKNOWN


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


@pytest.mark.parametrize("language", ["tr", "en"])
def test_dict_round_trip_keeps_the_language(language: str) -> None:
    vocabulary = learn("IŞIK", language=language)
    again = Vocabulary.from_dict(vocabulary.to_dict())
    assert again == vocabulary != learn("IŞIK", language="de")
    assert again.language == again.pruned(1).language == language


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
        "by_sentence": False,
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
        ({"words": {}, "characters": {}, "language": 7}, r"'language' must be a code.*found 7"),
        ({"words": {}, "characters": {}, "language": ""}, r"must be a code.*found ''"),
        ({"words": {}, "characters": {}, "language": None}, r"must be a code.*found None"),
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


def count(tmp_path: Path, *arguments: object) -> Result:
    """Result of `lstm-tagger vocab` for a corpus with one word, IŞIK."""
    DocBin(docs=[Doc(Vocab(), words=["IŞIK"])]).to_disk(tmp_path / "corpus.spacy")
    files = (tmp_path / "corpus.spacy", tmp_path / "vocabulary.json")
    return CliRunner().invoke(lstm_tagger_cli, ["vocab", *map(str, [*files, *arguments])])


@pytest.mark.parametrize(
    ("arguments", "word", "language"),
    [((), "işik", None), (("--lang", "tr"), "ışık", "tr"), (("--lang", "en"), "işik", "en")],
)
def test_the_command_counts_words_in_a_language(arguments, word, language, tmp_path) -> None:
    assert count(tmp_path, *arguments).exit_code == 0
    written = srsly.read_json(tmp_path / "vocabulary.json")
    assert written["words"] == {word: 1}
    assert written.get("language") == language
    assert Vocabulary.from_dict(written).word_row("IŞIK") == 1


def test_the_command_refuses_a_language_that_spacy_does_not_know(tmp_path) -> None:
    result = count(tmp_path, "--lang", "qqq")
    assert result.exit_code == 1
    assert "qqq" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "vocabulary.json").exists()


def initialize(language: str, vocabulary: Vocabulary, config, make_examples) -> Vocabulary:
    """Vocabulary of a tagger that is initialized with another."""
    nlp = spacy.blank(language)
    tagger = nlp.add_pipe("lstm_tagger", config=config)
    examples = make_examples(nlp)
    tagger.initialize(lambda: examples, nlp=nlp, vocabulary=vocabulary.to_dict())
    return tagger.model.get_ref("features").attrs["vocabulary"]


@pytest.mark.parametrize(
    ("counted", "pipeline", "message"),
    [
        (None, "tr", r"for no language \(general rules\).*'tr' \(Turkic rules\).*vocab --lang tr`"),
        ("en", "el", r"language 'en' \(general rules\).*'el' \(Greek rules\).*vocab --lang el`"),
        ("tr", "de", r"'tr' \(Turkic rules\).*'de' \(general rules\).*vocab --lang de`"),
        ("lt", "az", r"'lt' \(Lithuanian rules\).*'az' \(Turkic rules\).*vocab --lang az`"),
    ],
)
def test_a_vocabulary_lower_cased_by_other_rules_is_refused(
    counted, pipeline, message, small_config, make_examples
) -> None:
    with pytest.raises(ValueError, match=message):
        initialize(pipeline, learn("ham", language=counted), small_config, make_examples)


@pytest.mark.parametrize(
    ("counted", "pipeline"), [(None, "en"), ("xx", "de"), ("az", "tr"), ("el", "el")]
)
def test_a_vocabulary_lower_cased_by_the_same_rules_is_that_of_the_pipeline(
    counted, pipeline, small_config, make_examples
) -> None:
    found = initialize(pipeline, learn("ham", language=counted), small_config, make_examples)
    assert found == learn("ham", language=pipeline)


@pytest.mark.parametrize("language", ["tr", "en"])
def test_the_vocabulary_of_examples_is_that_of_the_pipelines_language(
    language: str, small_config
) -> None:
    nlp = spacy.blank(language)
    tagger = nlp.add_pipe("lstm_tagger", config=small_config)
    doc = Doc(nlp.vocab, words=["IŞIK", "İyi"], tags=["N", "J"])
    nlp.initialize(lambda: [Example(Doc(nlp.vocab, words=["IŞIK", "İyi"]), doc)])
    learned = tagger.model.get_ref("features").attrs["vocabulary"]
    assert learned == learn("IŞIK İyi", language=language)
    again = spacy.blank(language)
    again.add_pipe("lstm_tagger", config=small_config)
    again.from_bytes(nlp.to_bytes())
    assert again.get_pipe("lstm_tagger").model.get_ref("features").attrs["vocabulary"] == learned

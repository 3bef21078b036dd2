"""The augmenter for noisy text: what its copies alter, and all that they leave alone."""

import random

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Corpus, Example

from spacy_lstm_tagger.training.augmenter import build_augmenter_v1, is_added

WORDS = ["Maria", "can't", "visit", "Straße", "17", ",", "I", "DISLIKE", "walking", "."]
TAGS = ["NNP", "MD", "VB", "NNP", "CD", ",", "PRP", "VBP", "VBG", "."]
SPACES = [True, True, True, True, False, True, True, True, False, False]


@pytest.fixture
def nlp():
    random.seed(0)
    return spacy.blank("en")


@pytest.fixture
def example(nlp):
    reference = Doc(nlp.vocab, words=WORDS, spaces=SPACES, tags=TAGS)
    reference.ents = [Span(reference, 0, 1, label="PERSON")]
    predicted = Doc(nlp.vocab, words=WORDS, spaces=SPACES)
    return Example(predicted, reference)


def copies_of(nlp, example, **shares):
    first, *copies = build_augmenter_v1(**shares)(nlp, example)
    assert first is example
    return copies


def altered(nlp, example, **shares):
    """The copy, or the example where nothing could be altered."""
    copies = copies_of(nlp, example, **shares)
    assert len(copies) < 2
    return copies[0] if copies else example


def texts(doc):
    return [token.text for token in doc]


def test_registered():
    assert spacy.registry.augmenters.get("spacy-lstm-tagger.Augmenter.v1") is (build_augmenter_v1)


def test_nothing_asked_nothing_added(nlp, example):
    assert copies_of(nlp, example) == []


def test_each_alteration_makes_a_copy_of_its_own(nlp, example):
    copies = copies_of(nlp, example, lower_case=1.0, upper_case=1.0)
    assert [copy.predicted[0].text for copy in copies] == ["maria", "MARIA"]


def test_a_copy_that_is_the_same_is_not_made(nlp):
    doc = Doc(nlp.vocab, words=["all", "lower"], tags=["X", "X"])
    example = Example(Doc(nlp.vocab, words=["all", "lower"]), doc)
    assert copies_of(nlp, example, lower_case=1.0) == []


@pytest.mark.parametrize(
    ("share", "change"), [("lower_case", str.lower), ("upper_case", str.upper)]
)
def test_case(nlp, example, share, change):
    result = altered(nlp, example, **{share: 1.0})
    assert texts(result.reference) == texts(result.predicted) == [change(w) for w in WORDS]
    assert [t.tag_ for t in result.reference] == TAGS
    assert [bool(t.whitespace_) for t in result.predicted] == SPACES
    assert [(e.start, e.end, e.label_) for e in result.reference.ents] == [(0, 1, "PERSON")]
    assert not any(t.tag_ for t in result.predicted)
    assert texts(example.predicted) == WORDS  # the original is left as it was


@pytest.mark.parametrize(
    ("language", "share", "words", "expected"),
    [
        ("tr", "upper_case", ["Bu", "iyi", "ışık"], ["BU", "İYİ", "IŞIK"]),
        ("tr", "lower_case", ["İstanbul", "ISPARTA"], ["istanbul", "ısparta"]),
        ("az", "upper_case", ["iki"], ["İKİ"]),
        ("lt", "lower_case", ["I\u0301"], ["i\u0307\u0301"]),
        ("el", "upper_case", ["Ο", "άνθρωπος", "ή"], ["Ο", "ΑΝΘΡΩΠΟΣ", "Ή"]),
        ("el", "lower_case", ["Ο", "ΔΡΟΜΟΣ", "ΤΟΥΣ"], ["ο", "δρομος", "τους"]),
        ("de", "upper_case", ["Die", "Straße"], ["DIE", "STRASSE"]),
        ("en", "upper_case", ["iyi"], ["IYI"]),
    ],
)
def test_case_is_that_of_the_pipelines_language(language, share, words, expected):
    nlp = spacy.blank(language)
    reference = Doc(nlp.vocab, words=words, tags=["X"] * len(words))
    result = altered(nlp, Example(Doc(nlp.vocab, words=words), reference), **{share: 1.0})
    assert texts(result.predicted) == texts(result.reference) == expected


@pytest.mark.parametrize(
    ("language", "share", "ours", "theirs", "expected"),
    [
        ("de", "upper_case", ["Stra", "ßen"], ["Straßen"], (["STRA", "SSEN"], ["STRASSEN"])),
        ("de", "upper_case", ["Fußball"], ["Fuß", "ball"], (["FUSSBALL"], ["FUSS", "BALL"])),
        ("el", "lower_case", ["ΟΔ", "ΟΣ"], ["ΟΔΟΣ"], (["οδ", "ος"], ["οδος"])),
        ("el", "lower_case", ["ΟΔΟΣ"], ["ΟΔΟ", "Σ"], (["οδος"], ["οδο", "ς"])),
        ("el", "lower_case", ["ΤΟΥΣ", "ΕΦΗΒΟΥΣ"], ["ΤΟΥΣΕΦΗΒΟΥΣ"], (["τουσ", "εφηβους"], None)),
    ],
)
def test_case_of_words_that_are_split_in_two_ways(language, share, ours, theirs, expected):
    nlp = spacy.blank(language)
    spaces = {n: [False] * n for n in (1, 2)}
    reference = Doc(nlp.vocab, words=theirs, spaces=spaces[len(theirs)], tags=["X"] * len(theirs))
    predicted = Doc(nlp.vocab, words=ours, spaces=spaces[len(ours)])
    result = altered(nlp, Example(predicted, reference), **{share: 1.0})
    assert result.predicted.text == result.reference.text
    assert texts(result.predicted) == expected[0]
    assert texts(result.reference) == (expected[1] or ["".join(expected[0])])
    assert result.get_aligned("TAG", as_string=True) == ["X"] * len(ours)


def test_typos_spare_short_words_and_what_is_no_word(nlp, example):
    changed = 0
    for _ in range(50):
        result = altered(nlp, example, typos=1.0)
        if result is example:
            continue
        changed += 1
        for old, new, gold in zip(
            WORDS, texts(result.predicted), texts(result.reference), strict=True
        ):
            assert new == gold
            if len(old) < 4 or not old.isalpha():
                assert new == old
            else:
                assert abs(len(new) - len(old)) <= 1
        assert [t.tag_ for t in result.reference] == TAGS
    assert changed > 10


def test_every_kind_of_typo(nlp):
    seen = set()
    for _ in range(2000):
        doc = Doc(nlp.vocab, words=["abcd"], tags=["X"])
        result = altered(nlp, Example(Doc(nlp.vocab, words=["abcd"]), doc), typos=1.0)
        seen.add(result.predicted[0].text)
    assert {"acd", "aabcd", "bacd"} <= seen
    assert any(len(word) == 4 and sorted(word) != list("abcd") for word in seen)


def test_share_of_examples(nlp, example):
    n = sum(len(copies_of(nlp, example, lower_case=0.25)) for _ in range(1000))
    assert 200 < n < 300


def test_own_tokenization_stays_aligned(nlp):
    """Predicted tokens that differ from the gold ones get the same letters."""
    reference = Doc(nlp.vocab, words=["Wednesdays", "cannot"], tags=["NNS", "MD"])
    predicted = Doc(nlp.vocab, words=["Wednesdays", "can", "not"], spaces=[True, False, True])
    for _ in range(50):
        result = altered(nlp, Example(predicted, reference), typos=1.0)
        assert result.predicted.text == result.reference.text
        assert len(result.predicted) == 3
        assert result.get_aligned("TAG", as_string=True)[0] == "NNS"


def test_a_token_is_never_emptied(nlp):
    reference = Doc(nlp.vocab, words=["abcd"], tags=["X"])
    predicted = Doc(nlp.vocab, words=["a", "b", "cd"], spaces=[False, False, True])
    for _ in range(100):
        result = altered(nlp, Example(predicted, reference), typos=1.0)
        assert all(texts(result.predicted))
        assert len(result.predicted) == 3


def test_different_texts_are_left_alone(nlp):
    reference = Doc(nlp.vocab, words=["Hello", "World"], tags=["UH", "NN"])
    predicted = Doc(nlp.vocab, words=["Hello", "World"], spaces=[False, True])
    example = Example(predicted, reference)
    assert altered(nlp, example, upper_case=1.0) is example


def test_empty_doc(nlp):
    example = Example(Doc(nlp.vocab), Doc(nlp.vocab))
    assert altered(nlp, example, lower_case=1.0, typos=1.0) is example


def test_missing_annotation_stays_missing(nlp):
    reference = Doc(nlp.vocab, words=["Some", "Words"], tags=["", "NNS"])
    example = Example(Doc(nlp.vocab, words=["Some", "Words"]), reference)
    result = altered(nlp, example, upper_case=1.0)
    assert [t.tag_ for t in result.reference] == ["", "NNS"]
    assert not result.reference.has_annotation("ENT_IOB")


def test_in_a_corpus_with_gold_tokens(nlp, tmp_path):
    doc = Doc(nlp.vocab, words=["Don't", "E-Mail", "me@X.org"], tags=["A", "B", "C"])
    DocBin(docs=[doc]).to_disk(tmp_path / "train.spacy")
    corpus = Corpus(
        tmp_path / "train.spacy",
        gold_preproc=True,
        augmenter=build_augmenter_v1(lower_case=1.0),
    )
    original, example = corpus(nlp)
    assert texts(original.predicted) == ["Don't", "E-Mail", "me@X.org"]
    assert texts(example.predicted) == ["don't", "e-mail", "me@x.org"]
    assert example.get_aligned("TAG", as_string=True) == ["A", "B", "C"]


def test_same_seed_same_text(nlp, example):
    def run():
        random.seed(5)
        return [altered(nlp, example, typos=0.5).predicted.text for _ in range(20)]

    assert run() == run()


def make_example(nlp, text):
    words = text.split()
    reference = Doc(nlp.vocab, words=words, tags=[word.upper() for word in words])
    return Example(Doc(nlp.vocab, words=words), reference)


def test_passages_end_with_the_example_and_begin_with_those_before_it(nlp):
    augmenter = build_augmenter_v1(passages=1.0)
    lengths = set()
    for i in range(200):
        first, *added = augmenter(nlp, make_example(nlp, f"a{i} b{i}"))
        assert texts(first.predicted) == [f"a{i}", f"b{i}"]
        assert len(added) == (i > 0)
        for passage in added:
            n = len(passage.predicted) // 2
            lengths.add(n)
            expected = [f"{letter}{k}" for k in range(i - n + 1, i + 1) for letter in "ab"]
            assert texts(passage.predicted) == texts(passage.reference) == expected
            tags = [word.upper() for word in expected]
            assert passage.get_aligned("TAG", as_string=True) == tags
            assert not any(token.tag_ for token in passage.predicted)
    assert lengths == set(range(2, 11))


def test_passages_are_made_of_originals(nlp):
    augmenter = build_augmenter_v1(passages=1.0, lower_case=1.0)
    list(augmenter(nlp, make_example(nlp, "One")))
    _, copy, passage = augmenter(nlp, make_example(nlp, "Two"))
    assert texts(copy.predicted) == ["two"]
    assert texts(passage.predicted) == ["One", "Two"]


def test_passages_keep_their_tokenization_aligned(nlp):
    augmenter = build_augmenter_v1(passages=1.0)
    for _ in range(2):
        reference = Doc(nlp.vocab, words=["You", "cannot"], tags=["PRP", "MD"])
        predicted = Doc(nlp.vocab, words=["You", "can", "not"], spaces=[True, False, True])
        *_, last = augmenter(nlp, Example(predicted, reference))
    assert last.predicted.text == last.reference.text
    assert last.get_aligned("TAG", as_string=True) == ["PRP", "MD", "MD"] * 2


def test_an_empty_doc_in_a_passage(nlp):
    augmenter = build_augmenter_v1(passages=1.0)
    list(augmenter(nlp, Example(Doc(nlp.vocab), Doc(nlp.vocab))))
    *_, last = augmenter(nlp, make_example(nlp, "One"))
    assert texts(last.predicted) == ["One"]


def test_words_of_added_examples_are_not_counted(nlp, small_config):
    tagger = nlp.add_pipe("lstm_tagger", config=small_config)
    originals = [make_example(nlp, text) for text in ("Alpha beta", "gamma beta delta")]
    augmenter = build_augmenter_v1(passages=1.0, upper_case=1.0, typos=1.0)
    examples = [added for eg in originals for added in augmenter(nlp, eg)]
    assert [is_added(eg) for eg in examples].count(False) == 2 < len(examples)
    nlp.initialize(lambda: examples)
    vocabulary = tagger.model.layers[0].attrs["vocabulary"]
    assert vocabulary.words == {"beta": 2, "alpha": 1, "gamma": 1, "delta": 1}


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"lower_case": 1.5}, "lower_case is 1.5, but must be a share from 0 to 1"),
        ({"upper_case": -0.1}, "upper_case is -0.1"),
        ({"typos": 2}, "typos is 2"),
        ({"passages": -1}, "passages is -1"),
    ],
)
def test_shares_out_of_range(shares, message):
    with pytest.raises(ValueError, match=message):
        build_augmenter_v1(**shares)

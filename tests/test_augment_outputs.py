"""Augmented copies keep all annotation, and add nothing to what is known of lemmas."""

import random

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from spacy_lstm_tagger.features.casing import casing_of
from spacy_lstm_tagger.outputs.lemma import LemmaOutput
from spacy_lstm_tagger.outputs.lemma_rules import LemmaRule, rule_of
from spacy_lstm_tagger.training.augmenter import build_augmenter_v1, is_added

LOC, NONE = "Case=Loc|Number=Sing", "_"
TURKISH = {
    "words": ["İstanbul'da", "Irmaklar", "sıcaktı", "ve", "."],
    "tags": ["Prop", "Noun", "Adj", "Conj", "Punc"],
    "pos": ["PROPN", "NOUN", "ADJ", "CCONJ", "PUNCT"],
    "morphs": [LOC, "Case=Nom|Number=Plur", "Tense=Past", "", NONE],
    "lemmas": ["İstanbul", "ırmak", "sıcak", "", "."],
}
SHARES = ("lower_case", "upper_case", "typos")
ALTERED = {
    "lower_case": ["istanbul'da", "ırmaklar", "sıcaktı", "ve", "."],
    "upper_case": ["İSTANBUL'DA", "IRMAKLAR", "SICAKTI", "VE", "."],
}


@pytest.fixture
def nlp() -> Language:
    random.seed(0)
    return spacy.blank("tr")


@pytest.fixture
def example(nlp) -> Example:
    reference = Doc(nlp.vocab, **TURKISH)
    reference[3].set_morph(None)  # nothing is known of its features
    return Example(Doc(nlp.vocab, words=TURKISH["words"]), reference)


def annotation(doc: Doc) -> list[tuple[str, ...]]:
    return [
        (t.tag_, t.pos_, (str(t.morph) or NONE) if t.has_morph() else "", t.lemma_) for t in doc
    ]


def typed(nlp: Language, example: Example, share: str) -> Example:
    """The copy, once one has a typo."""
    augmenter = build_augmenter_v1(**{share: 1.0})
    return next(copy for _ in range(100) for copy in list(augmenter(nlp, example))[1:])


@pytest.mark.parametrize("share", SHARES)
def test_a_copy_keeps_part_of_speech_features_and_lemma(share, nlp, example) -> None:
    copy = typed(nlp, example, share)
    words = [token.text for token in copy.reference]
    assert words != TURKISH["words"]
    assert words == ALTERED.get(share, words)
    assert annotation(copy.reference) == annotation(example.reference)
    assert annotation(copy.reference)[0] == ("Prop", "PROPN", LOC, "İstanbul")
    assert annotation(copy.reference)[3:] == [
        ("Conj", "CCONJ", "", ""),
        ("Punc", "PUNCT", NONE, "."),
    ]


def test_a_passage_keeps_them(nlp, example) -> None:
    augmenter = build_augmenter_v1(passages=1.0)
    *_, passage = [eg for _ in range(2) for eg in augmenter(nlp, example)]
    assert annotation(passage.reference) == 2 * annotation(example.reference)


def test_rules_of_copies_in_another_case_make_the_same_lemma() -> None:
    casing = casing_of("tr")
    for words in (TURKISH["words"], *ALTERED.values()):
        for word, lemma in zip(words, TURKISH["lemmas"], strict=True):
            assert not lemma or rule_of(word, lemma, casing).apply(word, casing) == lemma
    title = LemmaRule("title", 0, "", 3, "")
    assert rule_of("İSTANBUL'DA", "İstanbul", casing) == title
    assert rule_of("istanbul'da", "İstanbul", casing) == title
    assert rule_of("IRMAKLAR", "ırmak", casing) == LemmaRule("lower", 0, "", 3, "")


@pytest.mark.parametrize("steps", [0, 2])
def test_words_of_copies_are_not_in_the_table_of_lemmas(steps, nlp, example) -> None:
    """Neither by initialization nor by updates, which spaCy gives copies of the examples."""
    augmenter = build_augmenter_v1(lower_case=1.0, upper_case=1.0, typos=1.0, passages=1.0)
    examples = [eg for _ in range(5) for eg in augmenter(nlp, example)]
    assert sum(map(is_added, examples)) > 10
    model = {"word_width": 8, "char_width": 8, "width": 16, "depth": 1, "min_word_freq": 1}
    tagger = nlp.add_pipe(
        "lstm_tagger", config={"model": model, "outputs": ["tag", "pos", "morph", "lemma"]}
    )
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer)
    known = {word for word, lemma in zip(TURKISH["words"], TURKISH["lemmas"], strict=True) if lemma}
    assert set(tagger.cfg["lemma_table"]) == known - {"ve"}


def test_copies_with_typos_add_no_rules(nlp, example) -> None:
    augmenter = build_augmenter_v1(typos=1.0)
    examples = [eg for _ in range(50) for eg in augmenter(nlp, example)]
    rules = []
    for given in ([example], examples):
        tagger = spacy.blank("tr").add_pipe("lstm_tagger", config={"outputs": ["tag", "lemma"]})
        tagger.initialize(lambda given=given: given)
        rules.append(LemmaOutput().labels(tagger.cfg))
    assert rules[0] == rules[1]
    assert len({eg.reference.text for eg in examples}) > 5

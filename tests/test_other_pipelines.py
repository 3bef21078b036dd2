"""A trained tagger in the place of another pipeline's tagger, and components behind it."""

import importlib.util

import pytest
import spacy
from spacy.language import Language
from spacy.pipeline import merge_entities

POS_DATA = [
    ("I like green eggs", {"tags": ["N", "V", "J", "N"], "pos": ["PRON", "VERB", "ADJ", "NOUN"]})
]


@Language.component("needs_parts_of_speech", requires=["token.pos", "token.tag"])
def needs_parts_of_speech(doc):
    """Stand for spaCy's rule lemmatizer: it does nothing without parts of speech."""
    for token in doc:
        token.lemma_ = f"{token.text}/{token.pos_}"
    return doc


def stock_pipeline(make_examples):
    """Make a pipeline like spaCy's: a tagger, an attribute ruler and what needs them."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger")
    nlp.add_pipe("needs_parts_of_speech")
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    ruler = nlp.add_pipe("attribute_ruler", before="needs_parts_of_speech")
    ruler.add([[{"TAG": "N"}]], {"POS": "NOUN"})
    ruler.add([[{"IS_SPACE": True}]], {"TAG": "_SP", "POS": "SPACE"})
    return nlp


def put_into(nlp, trained):
    nlp.add_pipe("lstm_tagger", source=trained, before="tagger")
    nlp.remove_pipe("tagger")
    return nlp


def test_a_trained_tagger_takes_the_place_of_a_stock_tagger(
    make_nlp, make_examples, tmp_path
) -> None:
    trained = make_nlp(steps=60)
    nlp = put_into(stock_pipeline(make_examples), trained)
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert loaded.pipe_names == ["lstm_tagger", "attribute_ruler", "needs_parts_of_speech"]
    for pipeline in (nlp, loaded):
        doc = pipeline("I like\ngreen eggs")
        assert [token.tag_ for token in doc] == ["N", "V", "_SP", "J", "N"]
        assert [token.pos_ for token in doc] == ["NOUN", "", "SPACE", "", "NOUN"]
        assert doc[0].lemma_ == "I/NOUN"


def test_an_attribute_ruler_overwrites_predicted_parts_of_speech(make_nlp, make_examples) -> None:
    trained = make_nlp(POS_DATA, steps=60, outputs=["tag", "pos"])
    assert trained("I like")[0].pos_ == "PRON"
    doc = put_into(stock_pipeline(make_examples), trained)("I like green eggs")
    # what the ruler has a rule for is the ruler's; what it has none for is kept
    assert [token.pos_ for token in doc] == ["NOUN", "VERB", "ADJ", "NOUN"]


def test_components_that_need_tags_find_them_in_the_analysis(make_nlp) -> None:
    nlp = make_nlp()
    nlp.add_pipe("lstm_tagger_pos")
    nlp.add_pipe("needs_parts_of_speech")
    assert nlp.analyze_pipes()["problems"] == {name: [] for name in nlp.pipe_names}
    nlp.remove_pipe("lstm_tagger_pos")
    assert nlp.analyze_pipes()["problems"]["needs_parts_of_speech"] == ["token.pos"]


def test_entities_merged_behind_the_tagger_keep_other_words_probabilities(make_nlp) -> None:
    nlp = make_nlp(steps=60, save_probabilities=1)
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "FOOD", "pattern": "green eggs"}])
    plain = nlp("I like green eggs and eat ham")
    merged = merge_entities(nlp("I like green eggs and eat ham"))
    assert [token.text for token in merged] == ["I", "like", "green eggs", "and", "eat", "ham"]
    expected = [plain[i]._.tag_candidates for i in (0, 1, 4, 5, 6)]
    found = [token._.tag_candidates for token in merged]
    assert found == [*expected[:2], None, *expected[2:]]
    assert merged[4]._.tag_candidates[0][0] == merged[4].tag_


def test_it_goes_into_en_core_web_sm(make_nlp, tmp_path) -> None:
    if importlib.util.find_spec("en_core_web_sm") is None:
        pytest.skip("en_core_web_sm is not installed")
    nlp = put_into(spacy.load("en_core_web_sm"), make_nlp())
    nlp.to_disk(tmp_path)
    doc = spacy.load(tmp_path)("I like green eggs.\nEat ham!")
    assert all(token.tag_ and token.pos_ and token.lemma_ for token in doc)

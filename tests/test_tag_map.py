"""Parts of speech from tags: learned, set where none is, saved and loaded, refused."""

import pytest
import spacy
import srsly
from numpy.testing import assert_almost_equal
from spacy.tokens import Doc
from spacy.training import Example

from spacy_lstm_tagger.pipeline.tag_map import TagMap

TRAIN = [
    (["I", "have", "eggs"], ["PRP", "VB", "NN"], ["PRON", "VERB", "NOUN"]),
    (["I", "eat", "ham"], ["PRP", "VB", "NN"], ["PRON", "VERB", "NOUN"]),
    (["I", "Have", "eaten"], ["PRP", "VB", "VBN"], ["PRON", "AUX", "VERB"]),
    (["you", "have", "eaten"], ["PRP", "VB", "VBN"], ["PRON", "AUX", "VERB"]),
    (["sing", "sing"], ["VB", "VB"], ["VERB", "VERB"]),
    (["rarely"], ["VB"], ["ADV"]),  # once is not enough for a word of its own
]


@pytest.fixture
def examples(nlp) -> list[Example]:
    found = []
    for words, tags, pos in TRAIN:
        reference = Doc(nlp.vocab, words=words, tags=tags, pos=pos)
        found.append(Example(Doc(nlp.vocab, words=words), reference))
    return found


@pytest.fixture
def nlp():
    return spacy.blank("en")


@pytest.fixture
def tag_map(nlp, examples) -> TagMap:
    component = nlp.add_pipe("lstm_tagger_pos")
    component.initialize(lambda: examples, nlp=nlp)
    return component


def pos_of(component, nlp, words, tags, pos=None) -> list[str]:
    return [token.pos_ for token in component(Doc(nlp.vocab, words=words, tags=tags, pos=pos))]


def test_tags_and_words_have_their_most_frequent_part_of_speech(tag_map) -> None:
    assert tag_map.tags == {"NN": "NOUN", "PRP": "PRON", "VB": "VERB", "VBN": "VERB"}
    assert tag_map.words == {"VB": {"have": "AUX"}}


def test_parts_of_speech_are_set(tag_map, nlp) -> None:
    words, tags = ["HAVE", "go", "ham", "have", "x", "y"], ["VB", "VB", "NN", "VBN", "??", ""]
    assert pos_of(tag_map, nlp, words, tags) == ["AUX", "VERB", "NOUN", "VERB", "", ""]
    assert pos_of(tag_map, nlp, [], []) == []


def test_words_are_lower_cased_as_their_language_does() -> None:
    nlp = spacy.blank("tr")
    component = nlp.add_pipe("lstm_tagger_pos")
    words, tags = ["ılık", "ılık", "Ilık", "su", "ev", "yol", "iyi"], ["X"] * 7
    pos = ["ADJ"] * 3 + ["NOUN"] * 4
    doc = Doc(nlp.vocab, words=words, tags=tags, pos=pos)
    component.initialize(lambda: [Example(Doc(nlp.vocab, words=words), doc)], nlp=nlp)
    assert component.words == {"X": {"ılık": "ADJ"}}
    assert pos_of(component, nlp, ["ILIK", "Ilık", "İLİK"], ["X"] * 3) == ["ADJ", "ADJ", "NOUN"]


def test_what_another_component_set_stays_unless_told_otherwise(tag_map, nlp) -> None:
    arguments = ["ham", "eggs"], ["NN", "NN"], ["PROPN", ""]
    assert pos_of(tag_map, nlp, *arguments) == ["PROPN", "NOUN"]
    tag_map.overwrite = True
    assert pos_of(tag_map, nlp, *arguments) == ["NOUN", "NOUN"]


def test_learned_behind_a_tagger_and_scored(small_config, examples, nlp, tmp_path) -> None:
    nlp.add_pipe("lstm_tagger", config=small_config)
    nlp.add_pipe("lstm_tagger_pos")
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(40):
        nlp.update(examples, sgd=optimizer)
    scores = nlp.evaluate(examples)
    assert scores["tag_acc"] == 1.0
    assert_almost_equal(scores["pos_acc"], 13 / 15)  # but for "have" as a verb, and "rarely"
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert [t.pos_ for t in loaded("I eat ham")] == ["PRON", "VERB", "NOUN"]
    assert [t.pos_ for t in list(loaded.pipe(["I eat ham"] * 2, n_process=2))[1]] == [
        "PRON",
        "VERB",
        "NOUN",
    ]


def test_bytes_and_disk_keep_the_table(tag_map, tmp_path) -> None:
    tag_map.to_disk(tmp_path / "a")
    for loaded in (
        TagMap().from_bytes(tag_map.to_bytes()),
        TagMap().from_disk(tmp_path / "a"),
    ):
        assert (loaded.tags, loaded.words) == (tag_map.tags, tag_map.words)


@pytest.mark.parametrize(
    "damaged",
    [
        {},
        [],
        {"tags": {"NN": 1}, "words": {}},
        {"tags": {}, "words": {"NN": "NOUN"}},
        {"tags": {"NN": "NOUNS"}, "words": {}},
    ],
)
def test_damaged_table_is_refused_and_the_present_one_stays(damaged, tag_map, tmp_path) -> None:
    before = dict(tag_map.tags)
    with pytest.raises(ValueError, match="missing or damaged"):
        tag_map.from_bytes(srsly.msgpack_dumps(damaged))
    srsly.write_json(tmp_path / "tag_map.json", damaged)
    with pytest.raises(ValueError, match="missing or damaged"):
        tag_map.from_disk(tmp_path)
    with pytest.raises(ValueError, match="missing or damaged"):
        tag_map.from_disk(tmp_path / "nowhere")
    assert tag_map.tags == before


def test_nothing_to_learn_is_said(nlp) -> None:
    component = nlp.add_pipe("lstm_tagger_pos")
    doc = Doc(nlp.vocab, words=["a"], tags=["DT"])
    with pytest.raises(ValueError, match=r"both a tag and a part of speech.*UPOS"):
        component.initialize(lambda: [Example(doc, doc)])
    with pytest.raises(ValueError, match="The table is empty"):
        component(doc)

"""Saving and loading: every kind of network comes back with the same scores."""

import copy
import pickle
from pathlib import Path

import pytest
import spacy
import srsly
from numpy.testing import assert_array_equal
from spacy.language import Language
from thinc.api import Adam

from spacy_lstm_tagger.pipeline.tagger import LSTMTagger

TEXTS = ["I like green eggs", "Eat blue ham", "", "Ham", "Something quite different !"]
COMBINATIONS = [
    (cell, depth, bidirectional)
    for cell in ("lstm", "gru", "rnn")
    for depth in (1, 2, 3)
    for bidirectional in (True, False)
]


@pytest.fixture
def assert_same_scores(scores_of):
    """Return a function that compares the scores of two pipelines exactly."""

    def check(one: Language, other: Language) -> None:
        docs, other_docs = ([nlp.make_doc(t) for t in TEXTS] for nlp in (one, other))
        tagger, other_tagger = one.get_pipe("lstm_tagger"), other.get_pipe("lstm_tagger")
        assert tagger.labels == other_tagger.labels
        found = scores_of(other_tagger, other_docs)
        for rows, other_rows in zip(scores_of(tagger, docs), found, strict=True):
            assert_array_equal(rows, other_rows)
        assert any(rows.any() for rows in found)

    return check


@pytest.fixture
def blank(small_config):
    """Return a function that makes a pipeline whose small tagger has no weights yet."""

    def make(**model) -> Language:
        nlp = spacy.blank("en")
        config = {**small_config, "model": {**small_config["model"], **model}}
        nlp.add_pipe("lstm_tagger", config=config)
        return nlp

    return make


@pytest.mark.parametrize(("cell", "depth", "bidirectional"), COMBINATIONS)
def test_every_network_trains_saves_and_loads(
    cell, depth, bidirectional, make_nlp, make_examples, assert_same_scores, tmp_path
) -> None:
    model = {"cell": cell, "depth": depth, "bidirectional": bidirectional}
    nlp = make_nlp(model=model)
    examples, optimizer = make_examples(nlp), Adam(0.01)
    first = nlp.update(examples, sgd=optimizer, drop=0.1)["lstm_tagger"]
    for _ in range(15):
        last = nlp.update(examples, sgd=optimizer, drop=0.1)["lstm_tagger"]
    assert last < first
    nlp.to_disk(tmp_path)
    assert_same_scores(nlp, spacy.load(tmp_path))


@pytest.mark.parametrize(
    "model",
    [
        {"char_width": 0},
        {"min_word_freq": 3},
        {"affix_width": 0},
        {"affix_width": 5},
        {"max_characters": 2},
        {"width": 1, "bidirectional": False},
        {"word_width": 1, "char_width": 2, "char_embed_width": 1, "width": 2},
    ],
    ids=str,
)
def test_unusual_sizes_train_save_and_load(model, make_nlp, assert_same_scores, tmp_path) -> None:
    nlp = make_nlp(model=model, steps=3, drop=0.1)
    nlp.to_disk(tmp_path)
    assert_same_scores(nlp, spacy.load(tmp_path))


def test_pipeline_bytes_round_trip(make_nlp, blank, assert_same_scores) -> None:
    nlp = make_nlp(steps=5)
    assert_same_scores(nlp, blank().from_bytes(nlp.to_bytes()))


def test_component_bytes_round_trip(make_nlp, blank, assert_same_scores) -> None:
    nlp, other = make_nlp(steps=5), blank()
    tagger = other.get_pipe("lstm_tagger")
    assert tagger.from_bytes(nlp.get_pipe("lstm_tagger").to_bytes()) is tagger
    assert_same_scores(nlp, other)


def test_component_disk_round_trip(make_nlp, blank, assert_same_scores, tmp_path) -> None:
    nlp, other = make_nlp(steps=5), blank()
    nlp.get_pipe("lstm_tagger").to_disk(tmp_path)
    tagger = other.get_pipe("lstm_tagger")
    assert tagger.from_disk(tmp_path) is tagger
    assert_same_scores(nlp, other)


def test_component_takes_its_directory_as_a_string(make_nlp, blank, tmp_path) -> None:
    nlp, other = make_nlp(steps=1), blank()
    nlp.get_pipe("lstm_tagger").to_disk(str(tmp_path))
    other.get_pipe("lstm_tagger").from_disk(str(tmp_path))
    assert other.get_pipe("lstm_tagger").labels == ("J", "N", "V")


def test_excluded_fields_are_neither_saved_nor_missed(make_nlp, blank, tmp_path) -> None:
    nlp, other = make_nlp(steps=1), blank()
    nlp.get_pipe("lstm_tagger").to_disk(tmp_path, exclude=["vocab", "model"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cfg"]
    with pytest.raises(ValueError, match="no file 'model'"):
        other.get_pipe("lstm_tagger").from_disk(tmp_path, exclude=["vocab"])
    other.get_pipe("lstm_tagger").from_disk(tmp_path, exclude=["vocab", "model"])
    assert other.get_pipe("lstm_tagger").labels == ("J", "N", "V")


def test_pipeline_loads_into_one_that_has_another_model(make_nlp, assert_same_scores) -> None:
    nlp = make_nlp(steps=5)
    other = make_nlp([("Quite different words", {"tags": ["A", "B", "C"]})], steps=2)
    other.from_bytes(nlp.to_bytes())
    assert_same_scores(nlp, other)


def test_settings_of_the_component_are_saved(make_nlp, tmp_path) -> None:
    nlp = make_nlp(overwrite=True, neg_prefix="not-", label_smoothing=0.1)
    nlp.to_disk(tmp_path)
    cfg = spacy.load(tmp_path).get_pipe("lstm_tagger").cfg
    assert cfg == nlp.get_pipe("lstm_tagger").cfg
    assert (cfg["overwrite"], cfg["neg_prefix"], cfg["label_smoothing"]) == (True, "not-", 0.1)


def test_vocabulary_comes_back_in_the_same_order(make_nlp, tmp_path) -> None:
    nlp = make_nlp([("b a c c Ż 🙂 \u0301", {"tags": list("NNNNNNN")})])
    nlp.to_disk(tmp_path)
    found = spacy.load(tmp_path).get_pipe("lstm_tagger").model.layers[0].attrs["vocabulary"]
    saved = nlp.get_pipe("lstm_tagger").model.layers[0].attrs["vocabulary"]
    assert list(found.words.items()) == list(saved.words.items())
    assert list(found.characters.items()) == list(saved.characters.items())


def test_saving_what_was_loaded_gives_the_same_bytes(make_nlp, blank) -> None:
    saved = make_nlp(steps=2).get_pipe("lstm_tagger").to_bytes(exclude=["vocab"])
    tagger = blank().get_pipe("lstm_tagger").from_bytes(saved)
    assert tagger.to_bytes(exclude=["vocab"]) == saved


def test_same_seed_gives_the_same_files(make_nlp, tmp_path) -> None:
    for name in ("one", "other"):
        make_nlp(steps=5, drop=0.3).to_disk(tmp_path / name)
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*"))
    assert Path("lstm_tagger/model") in files
    for file in files:
        if (tmp_path / "one" / file).is_file():
            one, other = (tmp_path / name / file for name in ("one", "other"))
            assert one.read_bytes() == other.read_bytes(), file


def test_model_that_has_no_weights_yet_saves_and_loads(blank, tmp_path) -> None:
    nlp = blank()
    nlp.get_pipe("lstm_tagger").add_label("A")
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path).get_pipe("lstm_tagger")
    assert loaded.labels == ("A",)
    with pytest.raises(ValueError, match="no weights yet"):
        loaded(nlp.make_doc("Ham"))


def test_loaded_pipeline_trains_on(make_nlp, make_examples, tmp_path) -> None:
    make_nlp(steps=2).to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    examples, optimizer = make_examples(nlp), nlp.resume_training()
    optimizer.learn_rate = 0.01
    for _ in range(30):
        nlp.update(examples, sgd=optimizer)
    assert [token.tag_ for token in nlp("Eat blue ham")] == ["V", "J", "N"]


def test_loaded_pipeline_takes_new_labels(make_nlp, assert_same_scores, tmp_path) -> None:
    make_nlp(steps=20).to_disk(tmp_path / "old")
    nlp = spacy.load(tmp_path / "old")
    nlp.get_pipe("lstm_tagger").add_label("X")
    assert [token.tag_ for token in nlp("Eat blue ham")] == ["V", "J", "N"]
    nlp.to_disk(tmp_path / "new")
    loaded = spacy.load(tmp_path / "new")
    assert loaded.get_pipe("lstm_tagger").labels == ("J", "N", "V", "X")
    assert_same_scores(nlp, loaded)


def test_loading_takes_no_random_numbers(make_nlp, blank) -> None:
    import torch

    saved, nlp = make_nlp(steps=1).to_bytes(), blank()
    before = torch.get_rng_state()
    nlp.from_bytes(saved)
    assert torch.equal(torch.get_rng_state(), before)


def test_deep_copy_gives_the_same_scores(make_nlp, scores_of) -> None:
    nlp = make_nlp(steps=5)
    tagger = nlp.get_pipe("lstm_tagger")
    docs = [nlp.make_doc(text) for text in TEXTS]
    found = scores_of(copy.deepcopy(tagger), docs)
    for rows, other in zip(scores_of(tagger, docs), found, strict=True):
        assert_array_equal(rows, other)


def test_pickled_model_gives_the_same_scores(make_nlp) -> None:
    nlp = make_nlp(steps=5)
    model = nlp.get_pipe("lstm_tagger").model
    again = pickle.loads(pickle.dumps(model))
    docs = [nlp.make_doc(text) for text in TEXTS]
    for rows, other in zip(model.predict(docs), again.predict(docs), strict=True):
        assert_array_equal(rows, other)


def test_pickled_component_gives_the_same_tags(make_nlp) -> None:
    nlp = make_nlp(steps=20)
    again = pickle.loads(pickle.dumps(nlp.get_pipe("lstm_tagger")))
    assert isinstance(again, LSTMTagger)
    doc = again(nlp.make_doc("Eat blue ham"))
    assert [again.labels[i] for i in again.predict([doc])[0]] == ["V", "J", "N"]


def test_saved_model_says_its_sizes(make_nlp) -> None:
    message = srsly.msgpack_loads(make_nlp().get_pipe("lstm_tagger").model.to_bytes())
    ((shim,),) = [shims for shims in message["shims"] if shims]
    sizes = srsly.msgpack_loads(shim)["sizes"]
    assert sizes["n_columns"] == 3
    assert sizes["n_words"] == 8

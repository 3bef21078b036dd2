"""Every mistake gets one clear error that loses nothing; odd but valid docs get none."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import spacy
import srsly
import torch
from numpy.testing import assert_array_equal
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import SGD

from spacy_lstm_tagger.architectures import build_lstm_encoder_v1, build_lstm_tagger_v1
from spacy_lstm_tagger.features.windows import WINDOW

TEXTS = ["I like green eggs", "Eat blue ham", "Something quite different !"]

# Settings

CELL = r"cell is 'lstmm', but must be one of 'lstm', 'gru', 'rnn'.*\[model\] block"
WHOLE = "{} is {}, but must be a whole number of at least {}, without quotes"
EVEN = "{} is {}, but must be even"

BAD_TAGGER_SETTINGS = [
    ({"cell": "lstmm"}, CELL),
    ({"cell": "LSTM"}, "cell is 'LSTM', but must be one of"),
    ({"cell": None}, "cell is None, but must be one of"),
    ({"width": 0}, WHOLE.format("width", 0, 1)),
    ({"width": -2}, WHOLE.format("width", -2, 1)),
    ({"width": "64"}, WHOLE.format("width", "'64'", 1)),
    ({"width": 64.0}, WHOLE.format("width", "64.0", 1)),
    ({"width": True}, WHOLE.format("width", True, 1)),
    ({"width": None}, WHOLE.format("width", None, 1)),
    ({"width": 65}, EVEN.format("width", 65) + r".*Use 64 or 66, or one direction \(bidirectional"),
    ({"depth": 0}, WHOLE.format("depth", 0, 1)),
    ({"depth": -1}, WHOLE.format("depth", -1, 1)),
    ({"depth": "2"}, WHOLE.format("depth", "'2'", 1)),
    ({"bidirectional": 1}, "bidirectional is 1, but must be true or false"),
    ({"bidirectional": "false"}, "bidirectional is 'false', but must be true or false"),
    ({"mixed_precision": "no"}, "mixed_precision is 'no', but must be true or false"),
    ({"word_width": 0}, WHOLE.format("word_width", 0, 1)),
    ({"min_word_freq": 0}, WHOLE.format("min_word_freq", 0, 1)),
    ({"affix_width": -1}, WHOLE.format("affix_width", -1, 0)),
    ({"affix_width": "16"}, "affix_width is '16', but must be a whole number"),
    ({"char_width": -2}, WHOLE.format("char_width", -2, 0)),
    ({"char_width": 7}, EVEN.format("char_width", 7)),
    ({"char_embed_width": 0}, WHOLE.format("char_embed_width", 0, 1)),
    ({"max_characters": 1}, WHOLE.format("max_characters", 1, 2)),
    ({"include_static_vectors": "yes"}, "include_static_vectors is 'yes', but must be true or"),
]
RECURRENT = {"cell", "width", "depth", "bidirectional", "mixed_precision"}


@pytest.mark.parametrize(("settings", "message"), BAD_TAGGER_SETTINGS, ids=str)
def test_tagger_refuses_setting(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_lstm_tagger_v1(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [case for case in BAD_TAGGER_SETTINGS if set(case[0]) <= RECURRENT],
    ids=str,
)
def test_encoder_refuses_setting(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_lstm_encoder_v1(**{"width": 8, **settings})


def test_odd_width_is_fine_in_one_direction() -> None:
    build_lstm_tagger_v1(width=65, bidirectional=False)
    build_lstm_encoder_v1(width=65, bidirectional=False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"width": "64"}, r"width", marks=pytest.mark.strict_types),
        ({"depth": 0}, "depth is 0, but must be a whole number"),
        ({"cell": "lstmm"}, "cell is 'lstmm', but must be one of"),
        ({"widht": 64}, r"widht"),
    ],
    ids=str,
)
def test_mistake_in_a_config_is_named(small_config, settings: dict, message: str) -> None:
    """spaCy's config system checks types itself: its error names the setting, too."""
    config = {"model": {**small_config["model"], **settings}}
    nlp = spacy.blank("en")
    with pytest.raises(ValueError, match=message):
        nlp.add_pipe("lstm_tagger", config=config)
    assert nlp.pipe_names == []


@pytest.mark.parametrize("value", [-0.1, 1.0, 2])
def test_label_smoothing_out_of_range(small_config, value: float) -> None:
    with pytest.raises(ValueError, match=rf"\[lstm_tagger\] label_smoothing is {value}.*less than"):
        spacy.blank("en").add_pipe("lstm_tagger", config={**small_config, "label_smoothing": value})


# Initialization


@pytest.fixture
def nlp(small_config) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config=small_config)
    return nlp


def test_static_vectors_without_a_table(small_config, make_examples) -> None:
    nlp = spacy.blank("en")
    small_config["model"]["include_static_vectors"] = True
    nlp.add_pipe("lstm_tagger", config=small_config)
    examples = make_examples(nlp)
    message = r"include_static_vectors is true.*no static vectors.*\[initialize\] vectors"
    with pytest.raises(ValueError, match=message):
        nlp.initialize(lambda: examples)


def test_static_vectors_taken_away_after_training(small_config, make_examples) -> None:
    nlp = spacy.blank("en")
    nlp.vocab.reset_vectors(width=3)
    nlp.vocab.set_vector("ham", numpy.ones(3, dtype="float32"))
    small_config["model"]["include_static_vectors"] = True
    nlp.add_pipe("lstm_tagger", config=small_config)
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    nlp("Eat blue ham")
    nlp.vocab.reset_vectors(width=0)
    with pytest.raises(ValueError, match="vectors"):
        nlp("Eat blue ham")
    nlp.vocab.reset_vectors(width=5)
    nlp.vocab.set_vector("ham", numpy.ones(5, dtype="float32"))
    with pytest.raises(ValueError, match="vectors"):
        nlp("Eat blue ham")


def test_no_labels(nlp) -> None:
    examples = [Example.from_dict(nlp.make_doc(text), {}) for text in TEXTS]
    with pytest.raises(ValueError, match=r"lstm_tagger.*None of the \d+ words"):
        nlp.initialize(lambda: examples)


def test_no_examples(nlp) -> None:
    with pytest.raises(TypeError, match="E930"):
        nlp.get_pipe("lstm_tagger").initialize(lambda: [], nlp=nlp)


@pytest.mark.parametrize("n_empty", [1, 20])
def test_empty_docs_before_all_others(nlp, make_examples, n_empty: int) -> None:
    empty = [Example(nlp.make_doc(""), nlp.make_doc("")) for _ in range(n_empty)]
    examples = [*empty, *make_examples(nlp)]
    nlp.initialize(lambda: examples)
    nlp.update(examples)
    assert nlp.get_pipe("lstm_tagger").predict_probabilities([nlp("I")])[0].shape == (1, 3)


def test_no_tokens(nlp) -> None:
    examples = [Example.from_dict(nlp.make_doc(""), {}) for _ in range(3)]
    with pytest.raises(ValueError, match=r"no vocabulary.*at least one token"):
        nlp.get_pipe("lstm_tagger").initialize(lambda: examples, nlp=nlp, labels=["A"])


def test_tagger_architecture_under_the_stock_factory(small_config, make_examples) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger", config=small_config)
    examples = make_examples(nlp)
    message = r"LSTMTagger\.v1 has no vocabulary.*factory = \"lstm_tagger\".*LSTMEncoder\.v1"
    with pytest.raises(ValueError, match=message):
        nlp.initialize(lambda: examples)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a CUDA GPU")
def test_mixed_precision_on_a_cpu(small_config, make_examples) -> None:
    nlp = spacy.blank("en")
    small_config["model"]["mixed_precision"] = True
    nlp.add_pipe("lstm_tagger", config=small_config)
    examples = make_examples(nlp)
    message = r"mixed_precision is true.*CPU.*--gpu-id 0.*mixed_precision = false"
    with pytest.raises(ValueError, match=message):
        nlp.initialize(lambda: examples)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a CUDA GPU")
def test_mixed_precision_of_the_encoder_on_a_cpu() -> None:
    model = build_lstm_encoder_v1(width=8, mixed_precision=True)
    with pytest.raises(ValueError, match="mixed_precision is true"):
        model.initialize(X=[numpy.zeros((2, 5), dtype="float32")])


NO_WEIGHTS = r"no weights yet.*nlp\.initialize\(\).*spacy train.*spacy\.load\(\)"


@pytest.mark.parametrize(
    "use",
    [
        lambda nlp: nlp("Ham"),
        lambda nlp: list(nlp.pipe(["Ham"])),
        lambda nlp: nlp.get_pipe("lstm_tagger").predict([nlp.make_doc("Ham")]),
        lambda nlp: nlp.get_pipe("lstm_tagger").predict_probabilities([nlp.make_doc("Ham")]),
    ],
    ids=["call", "pipe", "predict", "predict_probabilities"],
)
def test_prediction_before_initialization(nlp, use: Callable[[Language], Any]) -> None:
    nlp.get_pipe("lstm_tagger").add_label("A")
    with pytest.raises(ValueError, match=NO_WEIGHTS):
        use(nlp)


def test_update_before_initialization(nlp) -> None:
    nlp.get_pipe("lstm_tagger").add_label("N")
    example = Example.from_dict(nlp.make_doc("Ham"), {"tags": ["N"]})
    with pytest.raises(ValueError, match=NO_WEIGHTS):
        nlp.get_pipe("lstm_tagger").update([example])


# Training


@pytest.mark.parametrize("method", ["nlp", "component"])
def test_unseen_gold_tag(make_nlp, make_examples, weights_of, method: str) -> None:
    nlp = make_nlp(steps=3)
    tagger = nlp.get_pipe("lstm_tagger")
    examples = make_examples(nlp, [("Eat ham", {"tags": ["V", "N"]}), ("Oh", {"tags": ["Q"]})])
    before = weights_of(tagger)
    update = nlp.update if method == "nlp" else tagger.update
    message = r"\[lstm_tagger\] The gold tags \['Q'\] are not among the component's labels"
    with pytest.raises(ValueError, match=message):
        update(examples, sgd=SGD(0.1))
    for name, weights in weights_of(tagger).items():
        assert_array_equal(weights, before[name])
    assert nlp.update(examples[:1], sgd=SGD(0.1))["lstm_tagger"] > 0


def test_examples_that_are_none(make_nlp) -> None:
    nlp = make_nlp()
    for method in ("update", "rehearse"):
        with pytest.raises(TypeError, match=r"E978.*"):
            getattr(nlp.get_pipe("lstm_tagger"), method)([nlp.make_doc("Ham")])


# Loading


@pytest.fixture
def saved(make_nlp, tmp_path: Path) -> Path:
    """Return the directory of a component with three labels and strings of its own."""
    nlp = make_nlp([("Run home fast", {"tags": ["A", "B", "C"]})], seed=7)
    nlp.get_pipe("lstm_tagger").to_disk(tmp_path / "saved")
    return tmp_path / "saved"


@pytest.fixture
def unharmed(make_nlp, randomize, scores_of) -> tuple[Language, Callable[[], None]]:
    """Return a pipeline, and a function that checks that it is as it was."""
    nlp = make_nlp()
    tagger = nlp.get_pipe("lstm_tagger")
    randomize(tagger)
    docs = [nlp.make_doc(text) for text in TEXTS]
    tags = [[token.tag_ for token in nlp(text)] for text in TEXTS]
    scores, cfg, strings = scores_of(tagger, docs), dict(tagger.cfg), list(nlp.vocab.strings)
    saved = tagger.to_bytes(exclude=["vocab"])

    def check() -> None:
        assert [string for string in strings if string not in nlp.vocab.strings] == []
        assert [doc.text for doc in docs] == TEXTS
        assert tagger.cfg == cfg
        for one, other in zip(scores_of(tagger, docs), scores, strict=True):
            assert_array_equal(one, other)
        assert [[token.tag_ for token in nlp(text)] for text in TEXTS] == tags
        assert tagger.to_bytes(exclude=["vocab"]) == saved

    return nlp, check


def change_model(path: Path, change: Callable[[dict], None]) -> None:
    message = srsly.msgpack_loads((path / "model").read_bytes())
    change(message)
    (path / "model").write_bytes(srsly.msgpack_dumps(message))


def change_shim(message: dict, change: Callable[[dict], None]) -> None:
    for shims in message["shims"]:
        for i, data in enumerate(shims):
            shim = srsly.msgpack_loads(data)
            change(shim)
            shims[i] = srsly.msgpack_dumps(shim)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def truncate_weights(path: Path) -> None:
    def halve(shim: dict) -> None:
        shim["state"] = shim["state"][: len(shim["state"]) // 2]

    change_model(path, lambda message: change_shim(message, halve))


def enlarge(path: Path) -> None:
    change_model(
        path,
        lambda message: change_shim(message, lambda shim: shim["sizes"].update(n_words=99)),
    )


def pickle_weights(path: Path) -> None:
    def replace(shim: dict) -> None:
        shim["state"] = pickle.dumps({"words.weight": print}, protocol=2)

    change_model(path, lambda message: change_shim(message, replace))


def drop_nodes(path: Path) -> None:
    change_model(path, lambda message: message["nodes"].pop())


def spoil_vocabulary(path: Path) -> None:
    def spoil(message: dict) -> None:
        for attrs in message["attrs"]:
            if "vocabulary" in attrs:
                attrs["vocabulary"] = srsly.msgpack_dumps({"words": {"x": -1}, "characters": {}})

    change_model(path, spoil)


def take_other_labels(path: Path) -> None:
    cfg = srsly.read_json(path / "cfg")
    srsly.write_json(path / "cfg", {**cfg, "labels": ["A", "B"]})


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "no cfg": lambda path: (path / "cfg").unlink(),
    "no model": lambda path: (path / "model").unlink(),
    "empty model": lambda path: (path / "model").write_bytes(b""),
    "truncated model": lambda path: truncate(path / "model"),
    "truncated cfg": lambda path: truncate(path / "cfg"),
    "text for a model": lambda path: (path / "model").write_text("<html>Not found</html>"),
    "truncated weights": truncate_weights,
    "wrong sizes": enlarge,
    "pickled weights": pickle_weights,
    "missing nodes": drop_nodes,
    "spoiled vocabulary": spoil_vocabulary,
    "cfg of another model": take_other_labels,
}
MESSAGES = {
    "no cfg": r"\[lstm_tagger\] The model directory .*saved has no file 'cfg'.*Copy it again",
    "no model": r"\[lstm_tagger\] The model directory .*saved has no file 'model'.*Copy it again",
    "cfg of another model": (
        r"\[lstm_tagger\] The model scores \{'tag': 3\} labels.* but 'cfg' lists \{'tag': 2\}"
    ),
}


@pytest.mark.parametrize("exclude", [["vocab"], []], ids=["without vocab", "with vocab"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_directory_changes_nothing(saved, unharmed, damage, exclude) -> None:
    nlp, check = unharmed
    DAMAGES[damage](saved)
    message = MESSAGES.get(damage, r"\[lstm_tagger\] Cannot load the component.*train again")
    with pytest.raises(ValueError, match=message):
        nlp.get_pipe("lstm_tagger").from_disk(saved, exclude=exclude)
    check()


def test_directory_that_does_not_exist(unharmed, tmp_path) -> None:
    nlp, check = unharmed
    with pytest.raises(ValueError, match=r"\[lstm_tagger\] The model directory .*nowhere has no"):
        nlp.get_pipe("lstm_tagger").from_disk(tmp_path / "nowhere")
    check()


@pytest.mark.parametrize("settings", [{"cell": "gru"}, {"width": 8}, {"depth": 2}], ids=str)
def test_weights_of_other_settings_change_nothing(saved, make_nlp, scores_of, settings) -> None:
    nlp = make_nlp(model=settings, steps=2)
    tagger = nlp.get_pipe("lstm_tagger")
    docs = [nlp.make_doc(text) for text in TEXTS]
    before = scores_of(tagger, docs)
    message = r"\[lstm_tagger\] Cannot load the component.*with other \[model\] settings"
    with pytest.raises(ValueError, match=message):
        tagger.from_disk(saved, exclude=["vocab"])
    for one, other in zip(scores_of(tagger, docs), before, strict=True):
        assert_array_equal(one, other)
    assert tagger.labels == ("J", "N", "V")


@pytest.mark.parametrize("data", [b"", b"\xc1", srsly.msgpack_dumps({"cfg": "{", "model": b""})])
def test_damaged_bytes_change_nothing(unharmed, data: bytes) -> None:
    nlp, check = unharmed
    with pytest.raises(ValueError, match=r"\[lstm_tagger\]"):
        nlp.get_pipe("lstm_tagger").from_bytes(data)
    check()


def test_truncated_bytes_change_nothing(unharmed, make_nlp) -> None:
    nlp, check = unharmed
    other = make_nlp([("Run home fast", {"tags": ["A", "B", "C"]})])
    data = other.get_pipe("lstm_tagger").to_bytes()
    with pytest.raises(ValueError, match=r"\[lstm_tagger\]"):
        nlp.get_pipe("lstm_tagger").from_bytes(data[: len(data) // 2])
    check()


def test_failed_load_keeps_the_static_vectors(saved, unharmed) -> None:
    """spaCy loads the vocabulary before the model."""
    nlp, check = unharmed
    nlp.vocab.reset_vectors(width=3)
    nlp.vocab.set_vector("ham", numpy.ones(3, dtype="float32"))
    truncate(saved / "model")
    with pytest.raises(ValueError, match=r"\[lstm_tagger\] Cannot load"):
        nlp.get_pipe("lstm_tagger").from_disk(saved)
    assert nlp.vocab.vectors_length == 3
    assert nlp.vocab["ham"].vector.all()
    check()


def test_damaged_strings_change_nothing(saved, unharmed) -> None:
    nlp, check = unharmed
    truncate(saved / "vocab" / "strings.json")
    with pytest.raises(ValueError, match=r"\[lstm_tagger\] Cannot load"):
        nlp.get_pipe("lstm_tagger").from_disk(saved)
    check()


def test_component_that_failed_to_load_trains_on(saved, unharmed, make_examples) -> None:
    nlp, _ = unharmed
    truncate(saved / "model")
    with pytest.raises(ValueError, match=r"\[lstm_tagger\] Cannot load"):
        nlp.get_pipe("lstm_tagger").from_disk(saved, exclude=["vocab"])
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    for _ in range(40):
        nlp.update(make_examples(nlp), sgd=optimizer)
    assert [token.tag_ for token in nlp("Eat blue ham")] == ["V", "J", "N"]


def test_unbuilt_component_that_failed_to_load_can_be_initialized(
    nlp, saved, make_examples
) -> None:
    truncate_weights(saved)
    with pytest.raises(ValueError, match=r"\[lstm_tagger\] Cannot load"):
        nlp.get_pipe("lstm_tagger").from_disk(saved, exclude=["vocab"])
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    assert nlp.get_pipe("lstm_tagger").labels == ("J", "N", "V")
    assert len(nlp("Eat blue ham")) == 3


# Odd docs: no error, right shapes


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["ham"],
        [" "],
        ["\n", "\t", "  "],
        ["x" * 10_000],
        ["ham"] * (WINDOW + 1),
        ["\x00"],
        ["\u0301", "\u0301\u0301e", "e\u0301"],
        ["🙂", "👩‍👩‍👧", "🇹🇷", "\ufe0f"],
        ["\u200b", "\u202e", "\ufeff", "\ufffd"],
        ["ⴰⵎⴰⵣⵉⵖ", "ᚠᛇᚻ", "𒀀𒀁", "𝔥𝔞𝔪", "한국", "ไทย", "السلام", "İıǅß"],
        ["\U0010ffff", "\ue000"],
    ],
    ids=lambda words: ascii(words)[:30],
)
def test_odd_doc_is_tagged_and_learned(make_nlp, words: list[str]) -> None:
    nlp = make_nlp(steps=1)
    tagger = nlp.get_pipe("lstm_tagger")
    doc = Doc(nlp.vocab, words=words)
    assert [len(guesses) for guesses in tagger.predict([doc])] == [len(words)]
    assert [rows.shape for rows in tagger.predict_probabilities([doc])] == [(len(words), 3)]
    for token in tagger(doc):
        assert token.tag_ == "_SP" if token.is_space else token.tag_ in tagger.labels
    gold = doc.copy()
    losses = tagger.update([Example(Doc(nlp.vocab, words=words), gold)], sgd=SGD(0.1), drop=0.2)
    assert numpy.isfinite(losses["lstm_tagger"])


@pytest.mark.parametrize("words", [["🙂"], ["x" * 10_000], ["\x00", "\u0301"]])
def test_tagger_is_initialized_with_odd_docs_alone(nlp, words: list[str]) -> None:
    doc = Doc(nlp.vocab, words=words)
    gold = Doc(nlp.vocab, words=words, tags=["N"] * len(words))
    nlp.initialize(lambda: [Example(doc, gold)])
    assert [token.tag_ for token in nlp.get_pipe("lstm_tagger")(doc.copy())] == ["N"] * len(words)


def test_tagger_is_not_initialized_with_white_space_alone(nlp) -> None:
    gold = Doc(nlp.vocab, words=[" "], tags=["N"])
    with pytest.raises(ValueError, match="None of the 0 words"):
        nlp.initialize(lambda: [Example(nlp.make_doc(" "), gold)])


@pytest.mark.parametrize("text", ["", " ", "\n\n \t", "Ham"])
def test_small_text_is_tagged(make_nlp, text: str) -> None:
    nlp = make_nlp(steps=1)
    doc = nlp(text)
    assert all(token.tag_ for token in doc)
    assert doc.text == text


def test_empty_batches(make_nlp) -> None:
    nlp = make_nlp(steps=1)
    tagger = nlp.get_pipe("lstm_tagger")
    assert list(nlp.pipe([])) == []
    assert list(tagger.pipe([])) == []
    assert list(tagger.predict([])) == []
    assert tagger.predict_probabilities([]) == []
    assert tagger.update([]) == {"lstm_tagger": 0.0}
    assert nlp.update([]) == {}
    tagger.set_annotations([], [])


def test_batches_of_empty_docs(make_nlp) -> None:
    nlp = make_nlp(steps=1)
    tagger = nlp.get_pipe("lstm_tagger")
    docs = [nlp.make_doc("") for _ in range(3)]
    assert [columns.shape for columns in tagger.predict(docs)] == [(0,)] * 3
    assert [rows.shape for rows in tagger.predict_probabilities(docs)] == [(0, 3)] * 3
    assert [len(doc) for doc in tagger.pipe(docs)] == [0, 0, 0]
    assert tagger.update([Example(doc, doc) for doc in docs]) == {"lstm_tagger": 0.0}


def test_empty_docs_among_others(make_nlp, make_examples) -> None:
    nlp = make_nlp(steps=1)
    tagger = nlp.get_pipe("lstm_tagger")
    texts = ["", "Eat ham", "", "", "Ham", ""]
    docs = [nlp.make_doc(text) for text in texts]
    assert [len(rows) for rows in tagger.predict(docs)] == [0, 2, 0, 0, 1, 0]
    assert [rows.shape for rows in tagger.model.predict(docs)] == [(len(doc), 3) for doc in docs]
    data = [("", {}), ("Eat ham", {"tags": ["V", "N"]}), ("", {})]
    assert tagger.update(make_examples(nlp, data), sgd=SGD(0.1))["lstm_tagger"] > 0


def test_misaligned_docs_are_learned_from(make_nlp) -> None:
    nlp = make_nlp(steps=1)
    gold = {"words": ["I", "like", "green", "eggs"], "tags": ["N", "V", "J", "N"]}
    predicted = Doc(nlp.vocab, words=["Ili", "kegreen", "eggs"], spaces=[False, True, False])
    example = Example.from_dict(predicted, gold)
    assert numpy.isfinite(nlp.update([example], sgd=SGD(0.1))["lstm_tagger"])
    assert "tag_acc" in nlp.evaluate([example])

"""What a component has learned besides weights: kept as long as it fits, never longer."""

import sys
import threading

import numpy
import pytest
import spacy
import srsly
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import Doc
from spacy.training import Example

TEXTS = ["I like green eggs", "Eat blue ham"]


# The temperature


def test_every_key_is_declared_with_its_default(make_nlp) -> None:
    cfg = make_nlp().get_pipe("lstm_tagger").cfg
    assert (cfg["temperature"], cfg["save_probabilities"], cfg["teacher_weight"]) == (1.0, False, 1)


def test_initialize_forgets_the_temperature(make_nlp, make_examples) -> None:
    nlp = make_nlp()
    nlp.get_pipe("lstm_tagger").cfg["temperature"] = 0.5
    nlp.initialize(lambda: make_examples(nlp))
    assert nlp.get_pipe("lstm_tagger").cfg["temperature"] == 1.0


@pytest.mark.parametrize("way", ["disk", "bytes"])
def test_loading_an_uncalibrated_model_forgets_the_temperature(way, make_nlp, tmp_path) -> None:
    """Models that earlier versions saved have no such key."""
    nlp, tagger = make_nlp(), make_nlp().get_pipe("lstm_tagger")
    tagger.cfg["temperature"] = 0.5
    source = nlp.get_pipe("lstm_tagger")
    del source.cfg["temperature"]
    if way == "disk":
        source.to_disk(tmp_path / "tagger")
        tagger.from_disk(tmp_path / "tagger")
    else:
        tagger.from_bytes(source.to_bytes())
    assert tagger.cfg["temperature"] == 1.0


def test_parts_of_speech_of_tags_are_forgotten_too(make_nlp, make_examples) -> None:
    def examples(nlp, pos):
        words = ["a", "b"]
        reference = Doc(nlp.vocab, words=words, tags=["N", "V"], pos=pos)
        return [Example(Doc(nlp.vocab, words=words), reference)]

    nlp = spacy.blank("en")
    model = {"@architectures": "spacy-lstm-tagger.LSTMTagger.v1", "width": 8}
    config = {"model": model, "outputs": ["tag", "pos"]}
    tagger = nlp.add_pipe("lstm_tagger", config=config)
    nlp.initialize(lambda: examples(nlp, ["NOUN", "VERB"]))
    assert tagger.cfg["pos_of_tags"] == {"N": ["NOUN"], "V": ["VERB"]}
    nlp.initialize(lambda: examples(nlp, ["PROPN", "VERB"]))
    assert tagger.cfg["pos_of_tags"] == {"N": ["PROPN"], "V": ["VERB"]}


def test_get_loss_changes_no_setting_and_update_learns(make_nlp) -> None:
    data = [("a b", {"tags": ["N", "V"], "pos": ["NOUN", "VERB"]})]
    nlp = make_nlp(data, outputs=["tag", "pos"])
    tagger = nlp.get_pipe("lstm_tagger")
    gold = {"tags": ["N", "V"], "pos": ["PROPN", "AUX"]}
    examples = [Example.from_dict(nlp.make_doc("a b"), gold)]
    before = srsly.json_dumps(tagger.cfg)
    scores, _ = tagger.model.begin_update([eg.predicted for eg in examples])
    tagger.get_loss(examples, scores)
    assert srsly.json_dumps(tagger.cfg) == before
    nlp.update(examples)
    assert tagger.cfg["pos_of_tags"] == {"N": ["NOUN", "PROPN"], "V": ["VERB", "AUX"]}


# Errors about the environment


def test_missing_library_is_not_called_a_damaged_file(saved_export, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as if it were not installed
    with pytest.raises(ImportError, match=r"onnxruntime.*pip install") as caught:
        spacy.load(saved_export)
    assert "damaged" not in str(caught.value)


@pytest.fixture
def saved_export(request):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
    return request.path.parent / "saved_models" / "onnx_float32"


@pytest.mark.parametrize("error", [MemoryError("no room"), PermissionError("not yours")])
def test_errors_of_the_machine_pass_through_and_change_nothing(
    error, make_nlp, monkeypatch, weights_of
) -> None:
    import torch

    tagger, other = make_nlp().get_pipe("lstm_tagger"), make_nlp(seed=1).get_pipe("lstm_tagger")
    data, before = other.to_bytes(), weights_of(tagger)

    def fail(*args, **kwargs):
        monkeypatch.undo()  # the component's own weights are restored with it
        raise error

    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(type(error), match=str(error)):
        tagger.from_bytes(data)
    for name, values in weights_of(tagger).items():
        assert_array_equal(values, before[name])


def test_interrupted_loading_changes_nothing(make_nlp, monkeypatch, weights_of) -> None:
    import torch

    tagger, other = make_nlp().get_pipe("lstm_tagger"), make_nlp(seed=1).get_pipe("lstm_tagger")
    data, before = other.to_bytes(), weights_of(tagger)

    def interrupt(*args, **kwargs):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "load", interrupt)
    with pytest.raises(KeyboardInterrupt):
        tagger.from_bytes(data)
    for name, values in weights_of(tagger).items():
        assert_array_equal(values, before[name])


# Threads


def test_predictor_of_weights_that_changed_meanwhile_is_not_kept(make_nlp, scores_of) -> None:
    """Another thread changes the weights while this one makes what it predicts with."""
    nlp = make_nlp()
    tagger = nlp.get_pipe("lstm_tagger")
    shim = tagger.model.get_ref("output_layer").shims[0]
    docs = [nlp.make_doc(text) for text in TEXTS]
    make_predictor = shim.make_predictor

    def change_weights() -> None:
        shim.module.output.bias.data += 1.0
        shim.module.words.weight.data += 1.0
        shim.weights_changed()

    def slowly(module):
        made = make_predictor(module)
        shim.make_predictor = make_predictor
        other = threading.Thread(target=change_weights)
        other.start()
        other.join()
        return made

    shim.make_predictor = slowly
    shim.weights_changed()
    scores_of(tagger, docs)
    found = numpy.vstack(scores_of(tagger, docs))
    shim.weights_changed()  # nothing is kept from before
    assert_allclose(found, numpy.vstack(scores_of(tagger, docs)), atol=1e-6)


# Labels


@pytest.mark.parametrize("nO", [2, 4])
def test_number_of_tags_in_the_settings_must_be_that_of_the_labels(nO, small_config, make_examples):
    nlp = spacy.blank("en")
    config = {"model": {**small_config["model"], "nO": nO}}
    nlp.add_pipe("lstm_tagger", config=config)
    with pytest.raises(ValueError, match=rf"nO = {nO}, but there are 3 labels. Set nO = null"):
        nlp.initialize(lambda: make_examples(nlp))


def test_number_of_tags_in_the_settings_may_be_right(small_config, make_examples) -> None:
    nlp = spacy.blank("en")
    tagger = nlp.add_pipe("lstm_tagger", config={"model": {**small_config["model"], "nO": 3}})
    nlp.initialize(lambda: make_examples(nlp))
    assert tagger.model.get_dim("nO") == 3
    tagger.add_label("X")
    assert tagger.model.get_dim("nO") == 4


def test_a_tagger_only_grows(make_nlp) -> None:
    tagger = make_nlp().get_pipe("lstm_tagger")
    with pytest.raises(ValueError, match="can grow only"):
        tagger.set_output(2)


# The window


def test_window_belongs_to_the_saved_model(make_nlp, randomize, scores_of, tmp_path) -> None:
    """A later version may have another default."""
    nlp = make_nlp(model={"window": 200})
    tagger = nlp.get_pipe("lstm_tagger")
    randomize(tagger)
    shim = tagger.model.get_ref("output_layer").shims[0]
    for parameter in shim.module.encoder.parameters():
        parameter.data *= 8  # so that it remembers for longer than the context of a window
    docs = [Doc(nlp.vocab, words=["ham", "eggs", "like"] * 250)]
    before = scores_of(tagger, docs)
    nlp.to_disk(tmp_path / "model")
    config = spacy.util.load_config(tmp_path / "model" / "config.cfg")
    assert config["components"]["lstm_tagger"]["model"]["window"] == 200
    del config["components"]["lstm_tagger"]["model"]["window"]
    config.to_disk(tmp_path / "model" / "config.cfg")
    loaded = spacy.load(tmp_path / "model")
    assert_array_equal(scores_of(loaded.get_pipe("lstm_tagger"), docs)[0], before[0])
    tagger.model.get_ref("output_layer").attrs["window"] = 512
    assert numpy.abs(scores_of(tagger, docs)[0] - before[0]).max() > 1e-4


def test_window_is_exported(make_nlp, randomize, scores_of) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
    from spacy_lstm_tagger.runtime.export import export_tagger

    nlp = make_nlp(model={"window": 200})
    randomize(nlp.get_pipe("lstm_tagger"))
    docs = [Doc(nlp.vocab, words=["ham", "eggs", "like"] * 250)]
    before = scores_of(nlp.get_pipe("lstm_tagger"), docs)
    export_tagger(nlp, "lstm_tagger", "float32")
    assert_allclose(scores_of(nlp.get_pipe("lstm_tagger"), docs)[0], before[0], atol=1e-4)


@pytest.mark.parametrize(
    "window", [0, 127, pytest.param("512", marks=pytest.mark.strict_types), True, 10**9]
)
def test_odd_windows_are_refused(window, small_config) -> None:
    config = {"model": {**small_config["model"], "window": window}}
    with pytest.raises(ValueError, match="window"):
        spacy.blank("en").add_pipe("lstm_tagger", config=config)


@pytest.mark.parametrize(("attr", "value"), [("window", 64), ("window", 0), ("context", -1)])
def test_odd_windows_in_files_are_refused(attr, value, make_nlp) -> None:
    tagger, other = make_nlp().get_pipe("lstm_tagger"), make_nlp().get_pipe("lstm_tagger")
    tagger.model.get_ref("output_layer").attrs[attr] = value
    with pytest.raises(ValueError, match=f"{attr} is"):
        other.from_bytes(tagger.to_bytes())
    assert other.model.get_ref("output_layer").attrs["window"] == 512


# Precision


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_int8_is_for_the_lstm_alone(cell, small_config, make_nlp) -> None:
    from spacy_lstm_tagger.runtime.export import export_tagger

    config = {"model": {**small_config["model"], "cell": cell, "precision": "int8"}}
    expected = f"int8 is for the cell 'lstm' alone, but this tagger's cell is '{cell}'"
    with pytest.raises(ValueError, match=expected):
        spacy.blank("en").add_pipe("lstm_tagger", config=config)
    with pytest.raises(ValueError, match=expected):
        export_tagger(make_nlp(model={"cell": cell}), "lstm_tagger", "int8")


# What fails changes nothing


def test_failed_initialize_leaves_a_trained_component_as_it_was(make_nlp, scores_of) -> None:
    data = [("I like eggs", {"tags": ["N", "V", "N"], "pos": ["PRON", "VERB", "NOUN"]})]
    nlp = make_nlp(data, steps=5, outputs=["tag", "pos"])
    tagger = nlp.get_pipe("lstm_tagger")
    tagger.cfg["temperature"] = 0.5
    docs = [nlp.make_doc("I like eggs")]
    before, saved = scores_of(tagger, docs)[0], tagger.to_bytes(exclude=["vocab"])
    other = Example.from_dict(nlp.make_doc("you eat ham"), {"tags": ["P", "V", "N"]})
    with pytest.raises(ValueError, match="no token of the training examples has a part of speech"):
        tagger.initialize(lambda: [other])
    tagger.model.get_ref("output_layer").shims[0].weights_changed()
    assert_array_equal(scores_of(tagger, docs)[0], before)
    assert tagger.to_bytes(exclude=["vocab"]) == saved


def test_initializing_an_export_is_refused_and_changes_nothing(saved_export, scores_of) -> None:
    nlp = spacy.load(saved_export)
    tagger = nlp.get_pipe("lstm_tagger")
    docs = [nlp.make_doc("I like eggs")]
    before = scores_of(tagger, docs)[0]
    tags = [tagger.labels[0]] * 2
    with pytest.raises(ValueError, match="exported tagger cannot be initialized"):
        tagger.initialize(lambda: [Example.from_dict(nlp.make_doc("a b"), {"tags": tags})])
    tagger.model.get_ref("output_layer").shims[0].set_graphs(
        tagger.model.get_ref("output_layer").shims[0].graphs
    )
    assert_array_equal(scores_of(tagger, docs)[0], before)


def test_model_of_another_number_of_labels_is_loaded(make_nlp, scores_of, tmp_path) -> None:
    """As when a label that was added is to be taken back."""
    nlp = make_nlp(model={"nO": 3})
    tagger = nlp.get_pipe("lstm_tagger")
    docs = [nlp.make_doc(text) for text in TEXTS]
    before = scores_of(tagger, docs)
    nlp.to_disk(tmp_path / "three")
    tagger.add_label("X")
    nlp.to_disk(tmp_path / "four")
    tagger.from_disk(tmp_path / "three" / "lstm_tagger", exclude=["vocab"])
    assert tagger.labels == ("J", "N", "V")
    assert_array_equal(numpy.vstack(scores_of(tagger, docs)), numpy.vstack(before))
    assert len(spacy.load(tmp_path / "four").get_pipe("lstm_tagger").labels) == 4


def test_rehearsal_does_not_outlive_the_weights(make_nlp) -> None:
    nlp = make_nlp()
    tagger = nlp.get_pipe("lstm_tagger")
    for change in (lambda: tagger.from_bytes(tagger.to_bytes()), lambda: None):
        nlp.resume_training()
        assert tagger._rehearsal_model is not None
        change()
    tagger.initialize(lambda: [Example.from_dict(nlp.make_doc("a"), {"tags": ["N"]})])
    assert tagger._rehearsal_model is None


def test_predictions_for_other_docs_are_refused(make_nlp) -> None:
    nlp = make_nlp()
    tagger = nlp.get_pipe("lstm_tagger")
    docs = [nlp.make_doc(text) for text in TEXTS]
    with pytest.raises(ValueError, match="There are 1 docs, but predictions for 2"):
        tagger.set_annotations(docs[:1], tagger.predict(docs))


@pytest.mark.parametrize("value", ["yes", -1, 0.5])
def test_odd_settings_at_run_time_are_named(value, make_nlp) -> None:
    nlp = make_nlp()
    nlp.get_pipe("lstm_tagger").cfg["save_probabilities"] = value
    with pytest.raises(ValueError, match="save_probabilities is"):
        nlp("ham")


def test_probabilities_of_an_earlier_run_are_not_kept(make_nlp) -> None:
    nlp = make_nlp(steps=20)
    tagger = nlp.get_pipe("lstm_tagger")
    doc = nlp.make_doc("I like green eggs")
    for kept, n in ((1, 1), (True, 3), (2, 2)):
        tagger.cfg["save_probabilities"] = kept
        doc = nlp(doc)
        assert len(doc[0]._.tag_candidates) == n
    assert doc._.tag_probabilities is None


def test_untrained_component_says_so(small_config) -> None:
    nlp = spacy.blank("en")
    tagger = nlp.add_pipe("lstm_tagger", config=small_config)
    assert [len(columns) for columns in tagger.predict([nlp.make_doc("")])] == [0]
    with pytest.raises(ValueError, match="no weights yet"):
        nlp("ham")

"""Predicting in fewer than 32 bits: the same tags, the same weights."""

import copy
import pickle
import sys

import numpy
import pytest
import spacy
import torch
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import Doc

from spacy_lstm_tagger.architectures import build_lstm_tagger_v1
from spacy_lstm_tagger.network.precision import computes_bfloat16, make_predictor
from spacy_lstm_tagger.runtime.session import QuantizedEncoder

TEXTS = ["I like green eggs", "", "Eat blue ham", "ham", "ham and eggs " * 40]


def runs_bfloat16() -> bool:
    try:
        with torch.autocast("cpu", torch.bfloat16):
            torch.nn.LSTM(4, 4)(torch.zeros(1, 1, 4))
    except RuntimeError:
        return False
    return True


needs_bfloat16 = pytest.mark.skipif(
    not runs_bfloat16(), reason="this CPU cannot compute LSTM layers in bfloat16"
)
FEW_BITS = [pytest.param("bfloat16", marks=needs_bfloat16), "int8"]


def scores(nlp, texts=TEXTS) -> list[numpy.ndarray]:
    return nlp.get_pipe("lstm_tagger").model.predict([nlp.make_doc(text) for text in texts])


def tags(nlp, texts=TEXTS) -> list[list[str]]:
    return [[token.tag_ for token in doc] for doc in nlp.pipe(texts)]


@pytest.fixture
def load(make_nlp, tmp_path):
    """Return a function that loads one trained pipeline in a precision."""
    make_nlp(steps=30).to_disk(tmp_path / "model")

    def loaded(precision: str, **settings):
        model = {"precision": precision, **settings}
        config = {"components": {"lstm_tagger": {"model": model}}}
        return spacy.load(tmp_path / "model", config=config)

    return loaded


@pytest.mark.parametrize("precision", FEW_BITS)
def test_tags_stay_and_scores_change_little(precision, load) -> None:
    full, low = load("float32"), load(precision)
    assert tags(low) == tags(full)
    for expected, found in zip(scores(full), scores(low), strict=True):
        assert found.dtype == "float32"
        assert found.shape == expected.shape
        assert_allclose(found, expected, atol=0.3)
    assert not numpy.array_equal(scores(low)[0], scores(full)[0])  # it is not float32 after all


@pytest.mark.parametrize(
    ("precision", "cell"),
    [("bfloat16", "gru"), ("bfloat16", "rnn"), ("int8", "lstm")],
)
def test_every_cell_predicts(precision, cell, make_nlp) -> None:
    nlp = make_nlp(steps=30, model={"cell": cell, "bidirectional": False})
    expected = tags(nlp)
    tagger = nlp.get_pipe("lstm_tagger")
    shim = tagger.model.get_ref("output_layer").shims[0]
    shim.make_predictor.keywords["precision"] = precision
    shim.weights_changed()
    assert tags(nlp) == expected


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_eight_bits_are_refused_for_cells_that_would_be_read_in_float32(cell) -> None:
    with pytest.raises(ValueError, match=rf"int8.*'lstm' alone.*'{cell}'.*Use float32.*\"lstm\""):
        build_lstm_tagger_v1(precision="int8", cell=cell)


def test_static_vectors_are_read_in_eight_bits(small_config, make_examples, randomize) -> None:
    nlp = spacy.blank("en")
    for i, word in enumerate(["ham", "eggs", "green"]):
        nlp.vocab.set_vector(word, numpy.full(5, i + 1.0, dtype="float32"))
    small_config["model"].update(include_static_vectors=True, precision="int8")
    tagger = nlp.add_pipe("lstm_tagger", config=small_config)
    nlp.initialize(lambda: make_examples(nlp))
    randomize(tagger)
    (before,) = scores(nlp, ["green ham"])
    nlp.vocab.set_vector("ham", numpy.full(5, -9.0, dtype="float32"))
    (after,) = scores(nlp, ["green ham"])
    assert abs(after - before).max() > 0.01


@pytest.mark.parametrize("precision", FEW_BITS)
def test_weights_stay_float32(precision, load) -> None:
    full, low = load("float32"), load(precision)
    tags(low)
    assert (
        low.get_pipe("lstm_tagger").model.to_bytes()
        == full.get_pipe("lstm_tagger").model.to_bytes()
    )


@pytest.mark.parametrize("precision", FEW_BITS)
def test_changed_weights_are_used(precision, load, make_examples) -> None:
    nlp = load(precision)
    before = scores(nlp)[0]
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.05
    nlp.update(make_examples(nlp), sgd=optimizer)
    assert abs(scores(nlp)[0] - before).max() > 0.01


@pytest.mark.parametrize("precision", FEW_BITS)
def test_copies_and_pickles_predict_the_same(precision, load) -> None:
    model = load(precision).get_pipe("lstm_tagger").model
    docs = [Doc(load("float32").vocab, words=["green", "ham"])]
    (expected,) = model.predict(docs)
    for copied in (model.copy(), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_array_equal(copied.predict(docs)[0], expected)


@pytest.mark.parametrize("precision", FEW_BITS)
def test_processes_give_the_same_tags(precision, load) -> None:
    nlp = load(precision)
    expected = tags(nlp)
    found = [[token.tag_ for token in doc] for doc in nlp.pipe(TEXTS, n_process=2, batch_size=2)]
    assert found == expected


@pytest.mark.parametrize("precision", FEW_BITS)
def test_no_tokens_at_all(precision, load) -> None:
    assert [len(found) for found in scores(load(precision), ["", ""])] == [0, 0]


def test_machine_that_cannot_compute_in_bfloat16_is_told_what_to_use(load, monkeypatch) -> None:
    def fail(*args, **kwargs):
        raise RuntimeError("could not create a primitive descriptor")

    nlp = load("bfloat16")
    monkeypatch.setattr(torch.nn.LSTM, "forward", fail)
    with pytest.raises(ValueError, match=r"precision is 'bfloat16'.*Use 'auto'.*primitive"):
        nlp("green ham")


@pytest.mark.parametrize("has_it", [pytest.param(True, marks=needs_bfloat16), False])
def test_auto_asks_the_processor(has_it, load, monkeypatch) -> None:
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: has_it, raising=False)
    expected = scores(load("bfloat16" if has_it else "float32"))
    for one, other in zip(scores(load("auto")), expected, strict=True):
        assert_array_equal(one, other)


def test_auto_is_float32_if_onednn_does_not_use_what_the_processor_has(load, monkeypatch) -> None:
    """As with ONEDNN_MAX_CPU_ISA=AVX2, or in an emulator that claims too much."""

    def fail(*args, **kwargs):
        raise RuntimeError("could not create a primitive descriptor")

    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    expected = scores(load("auto"))
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.nn.LSTM, "forward", fail)
    for one, other in zip(scores(load("auto")), expected, strict=True):
        assert_array_equal(one, other)


@pytest.mark.parametrize("has_onednn", [True, False])
def test_instructions_for_bfloat16_are_of_use_with_onednn_alone(has_onednn, monkeypatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: has_onednn)
    assert computes_bfloat16(torch.device("cpu")) is has_onednn


def test_bfloat16_that_onednn_may_emulate_is_not_asked_for(monkeypatch) -> None:
    """Arm, and AVX-512 without instructions for bfloat16."""
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False, raising=False)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    assert not computes_bfloat16(torch.device("cpu"))


def test_torch_that_cannot_tell_computes_in_float32(monkeypatch) -> None:
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert not computes_bfloat16(torch.device("cpu"))


def test_unknown_precision_is_named() -> None:
    message = "precision is 'int4', but must be one of 'float32', 'bfloat16', 'int8', 'auto'"
    with pytest.raises(ValueError, match=message):
        build_lstm_tagger_v1(precision="int4")


@pytest.mark.parametrize("library", ["onnx", "onnxruntime"])
def test_eight_bits_without_their_libraries_say_what_to_install(library, load, monkeypatch) -> None:
    nlp = load("int8")
    for name in [name for name in sys.modules if name.startswith(f"{library}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    extra = "export" if library == "onnx" else "onnx"
    message = rf'needs {library}, which cannot.*pip install "spacy-lstm-tagger\[{extra}\]"'
    with pytest.raises(ImportError, match=message):
        nlp("green ham")


def test_eight_bits_are_refused_on_a_gpu(load) -> None:
    network = load("float32").get_pipe("lstm_tagger").model.get_ref("output_layer").shims[0].module
    with pytest.raises(ValueError, match=r"precision is 'int8'.*GPU"):
        make_predictor(network.to("meta"), precision="int8", quantize=QuantizedEncoder)


@pytest.mark.parametrize("precision", ["float32", *FEW_BITS])
def test_docs_of_one_length_are_tagged_as_among_others(precision, load) -> None:
    nlp = load(precision)
    for text, expected in zip(TEXTS[2:], scores(nlp)[2:], strict=True):
        for found in scores(nlp, [text, text]):
            assert_allclose(found, expected, atol=1e-5 if precision == "float32" else 0.3)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch is without oneDNN")
def test_float32_prepacks_weights_once(load) -> None:
    nlp = load("float32")
    shim = nlp.get_pipe("lstm_tagger").model.get_ref("output_layer").shims[0]
    expected = tags(nlp)
    predictor = shim._derived.predictor
    assert tags(nlp) == expected
    assert shim._derived.predictor is predictor is not shim.module
    assert predictor.output.weight is shim.module.output.weight

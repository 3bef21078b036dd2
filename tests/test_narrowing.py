"""Narrower layers in int8 and with `auto`: they compute almost the same from fewer numbers."""

from __future__ import annotations

import copy
from functools import partial

import numpy
import pytest
import spacy
import torch
from numpy.testing import assert_allclose, assert_array_equal

from spacy_lstm_tagger.narrowing import PROJECTION, narrowed
from spacy_lstm_tagger.network import narrow_network, precision

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")

DATA = [
    ("I like green eggs", {"tags": ["N", "V", "J", "N"], "lemmas": ["I", "like", "green", "egg"]}),
    ("Eat blue ham", {"tags": ["V", "J", "N"], "lemmas": ["eat", "blue", "ham"]}),
]
TEXTS = ["I like green eggs", "", "Eat blue ham", "unheard-of wörds 👍!"]


@pytest.fixture
def make_wide(small_config, make_examples, randomize):
    """Return a function that makes a tagger whose rows are wider than its first layer's gates."""

    def make(*, precision="float32", cell="lstm", vectors=False, width=8, **settings):
        nlp = spacy.blank("en")
        if vectors:
            for word in ("ham", "eggs", "green"):
                nlp.vocab.set_vector(word, numpy.full(5, len(word), dtype="float32"))
        model = {"word_width": 60, "char_width": 20, "width": width, "cell": cell, "depth": 2}
        small_config["model"].update(model, precision=precision, include_static_vectors=vectors)
        small_config["model"].update(settings)
        small_config["outputs"] = ["tag", "lemma"]
        tagger = nlp.add_pipe("lstm_tagger", config=small_config)
        nlp.initialize(lambda: make_examples(nlp, DATA))
        randomize(tagger)
        return nlp

    return make


def shim_of(nlp):
    return nlp.get_pipe("lstm_tagger").model.get_ref("output_layer").shims[0]


def scores(nlp) -> list[numpy.ndarray]:
    return nlp.get_pipe("lstm_tagger").model.predict([nlp.make_doc(text) for text in TEXTS])


def first_layer(weights) -> numpy.ndarray:
    return weights["encoder.layers.0.forwards.weight_ih_l0"]


def run_graphs(weights, cell) -> tuple[numpy.ndarray, numpy.ndarray, int]:
    """Return what three forms add to states, the scores of two sentences, and the rows' width."""
    from spacy_lstm_tagger.runtime.onnx_graph import embed_graph, encode_graph
    from spacy_lstm_tagger.runtime.onnx_shim import OnnxShim

    shim = OnnxShim(1)
    graphs = {
        "embed": embed_graph(weights, small=False),
        "encode": encode_graph(weights, cell=cell, quantized=False),
    }
    layer = weights["deferred.output.weight"], weights["deferred.output.bias"]
    shim.set_graphs(graphs, layer, weights.get("vectors.weight"))
    rows = shim.run(
        "embed",
        {
            "words": numpy.asarray([[0], [1], [2]]),
            "characters": numpy.asarray([[1, 2, 3], [3, 2, 1]]),
            "lengths": numpy.asarray([2, 1, 2], dtype="int32"),
        },
    )
    vectors = numpy.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    read = shim.with_vectors(rows, vectors)
    tokens = numpy.asarray([[0, 1], [2, 0], [1, 1]])
    inputs = {"rows": read[tokens], "lengths": numpy.asarray([3, 2], dtype="int32")}
    return rows[:, -shim.state_width :], shim.run("encode", inputs), read.shape[1]


@pytest.mark.parametrize(
    ("cell", "vectors"), [("lstm", False), ("lstm", True), ("gru", False), ("rnn", True)]
)
def test_all_of_the_weights_in_narrower_rows_compute_the_same(cell, vectors, make_wide) -> None:
    weights = shim_of(make_wide(cell=cell, vectors=vectors)).weights()
    states, expected, width = run_graphs(weights, cell)
    same_states, found, narrow = run_graphs(narrowed(weights, kept=1.0), cell)
    assert narrow < width
    assert states.shape == (3, 96)
    assert_allclose(same_states, states, atol=1e-5)
    assert_allclose(found, expected, atol=1e-4)


def test_enough_of_the_weights_is_kept_in_as_few_numbers_as_that_takes(make_wide) -> None:
    weights = shim_of(make_wide()).weights()
    names = [f"encoder.layers.0.{side}.weight_ih_l0" for side in ("forwards", "backwards")]
    wanted = numpy.concatenate([weights[name] for name in names])
    widths = {}
    for kept in (0.5, 0.9):
        fewer = narrowed(weights, kept=kept) if kept == 0.5 else narrowed(weights)
        found = numpy.concatenate([fewer[name] for name in names]) @ fewer[PROJECTION]
        assert numpy.sum((wanted - found) ** 2) <= (1 - kept) * numpy.sum(wanted**2)
        widths[kept] = len(fewer[PROJECTION])
    assert widths[0.5] == 16  # 32 rows of random numbers: half of their squares in 16 of them
    assert widths[0.9] == 32


LATER = f"encoder.layers.1.{PROJECTION}"


def test_later_layers_read_a_projection_if_it_spares_arithmetic(make_wide) -> None:
    weights = shim_of(make_wide(width=64)).weights()
    fewer = narrowed(weights)
    names = [f"encoder.layers.1.{side}.weight_ih_l0" for side in ("forwards", "backwards")]
    wanted, found = (numpy.concatenate([w[name] for name in names]) for w in (weights, fewer))
    assert found.size + fewer[LATER].size < wanted.size
    assert numpy.sum((wanted - found @ fewer[LATER]) ** 2) <= 0.15 * numpy.sum(wanted**2)
    assert LATER not in narrowed(weights, kept_later=1.0)
    assert LATER not in narrowed(shim_of(make_wide(width=8)).weights())


def test_graph_with_a_narrow_later_layer_computes_what_the_product_does(make_wide) -> None:
    weights = narrowed(shim_of(make_wide(width=64)).weights(), kept=1.0)
    product = {k: v for k, v in weights.items() if k != LATER}
    for side in ("forwards", "backwards"):
        name = f"encoder.layers.1.{side}.weight_ih_l0"
        product[name] = weights[name] @ weights[LATER]
    _, expected, _ = run_graphs(product, "lstm")
    _, found, _ = run_graphs(weights, "lstm")
    assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("cell", "vectors"), [("lstm", False), ("lstm", True), ("gru", False), ("rnn", True)]
)
def test_auto_with_all_of_the_weights_computes_the_same(
    cell, vectors, make_wide, monkeypatch
) -> None:
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device: False)
    full = make_wide(cell=cell, vectors=vectors)
    monkeypatch.setattr(narrow_network, "narrowed", partial(narrowed, kept=1.0))
    auto = make_wide(cell=cell, vectors=vectors, precision="auto")
    shim_of(auto).module.load_state_dict(shim_of(full).module.state_dict())
    shim_of(auto).weights_changed()
    for found, expected in zip(scores(auto), scores(full), strict=True):
        assert_allclose(found, expected, atol=1e-4)
    assert shim_of(auto).cache._kept.rows.shape[1] < shim_of(full).cache._kept.rows.shape[1]


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_auto_reads_layers_of_any_number_and_direction(
    depth, bidirectional, make_wide, monkeypatch
) -> None:
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device: False)
    settings = {"depth": depth, "bidirectional": bidirectional, "width": 64}
    full = make_wide(**settings)
    keep = partial(narrowed, kept=0.999, kept_later=0.999)
    monkeypatch.setattr(narrow_network, "narrowed", keep)
    auto = make_wide(precision="auto", **settings)
    shim_of(auto).module.load_state_dict(shim_of(full).module.state_dict())
    shim_of(auto).weights_changed()
    for found, expected in zip(scores(auto), scores(full), strict=True):
        assert_allclose(found, expected, atol=0.2)


def test_torch_with_a_narrow_later_layer_computes_what_the_product_does(make_wide) -> None:
    network = shim_of(make_wide(width=64)).module
    narrow = narrow_network.narrow_network(network)
    product = copy.deepcopy(narrow)
    product.encoder.layers[1].projection = None
    for side in ("forwards", "backwards"):
        layer = getattr(narrow.encoder.layers[1], side)
        full = torch.nn.LSTM(64, 32)
        arrays = dict(layer.state_dict())
        arrays["weight_ih_l0"] = arrays["weight_ih_l0"] @ narrow.encoder.layers[1].projection.weight
        full.load_state_dict(arrays)
        setattr(product.encoder.layers[1], side, full)
    X = torch.randn(5, 3, narrow.read_width)
    with torch.inference_mode():
        for i in (0, 1):
            found, expected = (n.encoder.layers[i](X, None) for n in (narrow, product))
            assert_allclose(found, expected, atol=1e-5)
            X = found
        prepared = precision.prepacked(narrow)
        assert_allclose(
            prepared.encoder.layers[1](X, None), narrow.encoder.layers[1](X, None), atol=1e-5
        )


def test_tags_of_auto_without_bfloat16_do_not_depend_on_other_docs(make_wide, monkeypatch) -> None:
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device: False)
    nlp = make_wide(precision="auto", width=64)
    predict = nlp.get_pipe("lstm_tagger").model.predict
    for text, found in zip(TEXTS, scores(nlp), strict=True):
        assert_allclose(found, predict([nlp.make_doc(text)])[0], atol=1e-5)


def test_auto_reads_a_single_doc_in_float32_and_several_in_bfloat16(make_wide, monkeypatch) -> None:
    """With the cell "gru", which every CPU computes in bfloat16."""
    nlp = make_wide(cell="gru", precision="auto", width=64)
    predict = nlp.get_pipe("lstm_tagger").model.predict

    def found(has_bfloat16: bool):
        monkeypatch.setattr(precision, "computes_bfloat16", lambda device: has_bfloat16)
        shim_of(nlp).weights_changed()
        return predict([nlp.make_doc(TEXTS[0])])[0], scores(nlp)

    alone, together = found(True)
    expected, expected_together = found(False)
    assert_array_equal(alone, expected)
    assert any((one != two).any() for one, two in zip(together, expected_together, strict=True))
    for one, two in zip(together, expected_together, strict=True):
        assert_allclose(one, two, atol=0.3)


@pytest.mark.parametrize("precision", ["float32", "auto", "int8"])
def test_predicting_draws_no_random_numbers(precision, make_wide) -> None:
    nlp = make_wide(precision=precision, width=64)
    shim_of(nlp).weights_changed()
    state = torch.get_rng_state()
    scores(nlp)
    assert torch.equal(torch.get_rng_state(), state)


def test_threads_that_make_a_predictor_at_once_share_the_first_one(make_wide) -> None:
    shim = shim_of(make_wide(precision="auto"))
    derived = shim._derived
    first, second = (shim.make_predictor(shim.module) for _ in range(2))
    assert derived.keep(first) is first
    assert derived.keep(second) is first is derived.predictor


def test_rows_that_would_not_become_narrower_stay(make_nlp) -> None:
    weights = shim_of(make_nlp()).weights()
    assert narrowed(weights, kept=1.0) is weights


def with_rounded_tables(nlp) -> None:
    """Round the tables to the 8 bits in which an export in int8 keeps them."""
    from spacy_lstm_tagger.runtime.onnx_graph import quantized_rows

    shim = shim_of(nlp)
    for name, values in shim.module.state_dict().items():
        if name in ("words.weight", "affixes.weight", "characters.embedding.weight"):
            codes, scales = quantized_rows(values.numpy())
            values.copy_(torch.from_numpy(codes * scales.astype("float32")))
    shim.weights_changed()


@pytest.mark.parametrize("vectors", [False, True])
def test_an_export_reads_what_the_torch_tagger_reads_in_int8(vectors, make_wide, tmp_path) -> None:
    from spacy_lstm_tagger.runtime.export import export_tagger

    nlp = make_wide(precision="int8", vectors=vectors)
    with_rounded_tables(nlp)
    expected = scores(nlp)
    width = first_layer(shim_of(nlp).weights()).shape[1]
    export_tagger(nlp, "lstm_tagger", "int8")
    nlp.to_disk(tmp_path / "exported")
    exported = spacy.load(tmp_path / "exported")
    assert shim_of(exported).session("encode").widths["rows"] < width
    for found, wanted in zip(scores(exported), expected, strict=True):
        assert_allclose(found, wanted, atol=0.05)


def test_kept_rows_are_narrow(make_wide) -> None:
    nlp = make_wide(precision="int8")
    scores(nlp)
    network = shim_of(nlp).module
    kept = shim_of(nlp).cache._kept.rows
    assert kept.shape[1] < network.row_width + network.state_width


def test_training_and_float32_read_full_rows(make_wide, make_examples) -> None:
    nlp = make_wide(precision="int8")
    scores(nlp)
    before = {name: values.copy() for name, values in shim_of(nlp).weights().items()}
    nlp.update(make_examples(nlp, DATA), sgd=nlp.create_optimizer())
    after = shim_of(nlp).weights()
    assert {k: v.shape for k, v in after.items()} == {k: v.shape for k, v in before.items()}
    assert (first_layer(after) != first_layer(before)).any()
    full = make_wide(precision="float32")
    scores(full)
    network = shim_of(full).module
    assert shim_of(full).cache._kept.rows.shape[1] == network.row_width + network.state_width


def test_weights_that_are_not_finite_are_named(make_wide) -> None:
    weights = shim_of(make_wide()).weights()
    first_layer(weights)[0, 0] = numpy.nan
    with pytest.raises(ValueError, match=r"not finite.*diverged.*lower learning rate"):
        narrowed(weights)

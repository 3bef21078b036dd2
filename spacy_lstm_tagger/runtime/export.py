"""Export a trained tagger: replace it by one that runs on ONNX Runtime."""

from __future__ import annotations

from typing import Any

from spacy.language import Language
from thinc.api import Model

from ..extras import import_extra
from ..narrowing import narrowed
from .onnx_shim import OnnxShim

PRECISIONS = ("float32", "int8")
QUANTIZABLE = "lstm"
"""The only cell whose layers ONNX Runtime can quantize to 8-bit integers."""


def exportable(nlp: Language, name: str) -> bool:
    """Return whether a component of the pipeline has a network that can be exported."""
    model = getattr(nlp.get_pipe(name), "model", None)
    if not isinstance(model, Model) or model.maybe_get_ref("features") is None:
        return False
    return "cell" in model.get_ref("output_layer").attrs


def export_tagger(nlp: Language, name: str, precision: str) -> None:
    """Replace the trained tagger by its export.

    nlp: pipeline, changed in place.
    name: name of the trained tagger in the pipeline.
    precision: one of `PRECISIONS`.
    Raises ValueError if the network's cell cannot be computed in that precision, ImportError if
    onnx is missing.
    """
    trained, config = nlp.get_pipe(name), dict(nlp.get_pipe_config(name))
    features, network = _layers(trained.model)
    check_quantizable(network.attrs["cell"], precision)
    # imported here, because this module is imported even if onnx is missing
    import_extra("onnx", extra="export")
    from .onnx_graph import embed_graph, encode_graph

    exported = {
        "@architectures": "spacy-lstm-tagger.OnnxTagger.v1",
        "max_characters": features.attrs["max_characters"],
        "affixes": features.attrs["affixes"],
        "include_static_vectors": features.attrs["include_static_vectors"],
        "by_sentence": config["model"].get("by_sentence", False),
    }
    nlp.replace_pipe(name, config.pop("factory"), config={**config, "model": exported})
    tagger = nlp.get_pipe(name)
    tagger.cfg.update(trained.cfg)
    onnx_features, onnx_network = _layers(tagger.model)
    onnx_features.attrs["vocabulary"] = features.attrs["vocabulary"]
    for attr in ("columns", "deferred", "window", "context"):
        onnx_network.attrs[attr] = network.attrs[attr]
    trained_shim: Any = network.shims[0]  # a TaggerShim, whose module is not imported here
    weights, quantized = trained_shim.weights(), precision == "int8"
    if quantized:
        weights = narrowed(weights)
    graphs = {
        "embed": embed_graph(weights, small=quantized),
        "encode": encode_graph(weights, cell=network.attrs["cell"], quantized=quantized),
    }
    layer = trained_shim.deferred_layer() if network.attrs["deferred"] else None
    _onnx_shim(onnx_network).set_graphs(graphs, layer, weights.get("vectors.weight"))
    for node in (onnx_network, tagger.model):
        node.set_dim("nO", network.get_dim("nO"), force=True)


def check_quantizable(cell: str, precision: str) -> None:
    """Raise ValueError if layers of this cell cannot be computed in this precision.

    cell: "lstm", "gru" or "rnn".
    precision: one of `PRECISIONS`.
    """
    if precision == "int8" and cell != QUANTIZABLE:
        raise ValueError(
            f"int8 is for the cell '{QUANTIZABLE}' alone, but this tagger's cell is '{cell}': ONNX "
            "Runtime would compute its recurrent layers in float32. Use float32, or train a "
            f'tagger with cell = "{QUANTIZABLE}".'
        )


def _onnx_shim(network: Model[Any, Any]) -> OnnxShim:
    (shim,) = network.shims
    assert isinstance(shim, OnnxShim)
    return shim


def _layers(model: Model[Any, Any]) -> tuple[Model[Any, Any], Model[Any, Any]]:
    return model.get_ref("features"), model.get_ref("output_layer")

"""Layer that runs a tagger exported by `lstm-tagger export` on ONNX Runtime, without torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from thinc.api import Model

from ..arrays import Floats2d, Ints1d
from ..features.extractor import DocFeatures, FormFeatures, scores_of_docs
from ..features.windows import CONTEXT, WINDOW, Block, make_blocks, plan_reading, read_blocks
from .onnx_shim import OnnxShim

BLOCK = 1024
"""Maximum number of places in a padded batch. ONNX Runtime projects the whole batch at once, and
the result of a larger one would not fit into a CPU's cache."""


def onnx_tagger(*, nO: int | None, threads: int) -> Model[DocFeatures, list[Floats2d]]:
    """Return a layer that runs the graphs of an exported tagger, and cannot be trained.

    Input: features of n docs. Output: n arrays of logits, shape (n_tokens, n_columns), the columns
    of all blocks side by side, and states in the place of deferred blocks, see `torch_tagger`.

    nO: number of columns of the first block; None to take it from the export.
    threads: number of threads of ONNX Runtime.
    """
    return Model(
        "lstm_tagger_onnx",
        forward,
        init=init,
        dims={"nO": nO},
        attrs={
            "columns": {"tag": 0},
            "deferred": [],
            "window": WINDOW,
            "context": CONTEXT,
        },
        shims=[OnnxShim(threads)],
    )


def init(model: Model[Any, Any], X: Any = None, Y: Any = None) -> None:
    """Raise ValueError: an exported tagger cannot be initialized."""
    raise ValueError(
        "An exported tagger cannot be initialized or trained. To train other components beside "
        "it, leave it out: nlp.update(..., exclude=[NAME]), or frozen_components in a config. To "
        "train the tagger, train the pipeline that it was exported from, and export it again."
    )


def forward(
    model: Model[Any, Any], X: DocFeatures, is_train: bool
) -> tuple[list[Floats2d], Callable[[Any], list[Any]]]:
    """Return the logits, and states, of each doc, shape (n_tokens, ...); zeros for white space.

    Raises ValueError if `is_train` is true.
    """
    if is_train:
        init(model)
    return scores_of_docs(_scores(model, X), X, model.ops.alloc), _no_backprop


def _scores(model: Model[Any, Any], X: DocFeatures) -> Floats2d:
    (shim,), attrs = model.shims, model.attrs
    assert isinstance(shim, OnnxShim)
    if not len(X.forms):
        columns = [n for k, n in attrs["columns"].items() if k not in attrs["deferred"]]
        return numpy.zeros((0, sum(columns) + shim.state_width), dtype="float32")
    rows = shim.cache.look_up(X.keys, lambda missing: _embed(shim, X.extract(missing)))
    read = shim.with_vectors(rows, X.vectors)
    plan = plan_reading(X.lengths, window=attrs["window"], context=attrs["context"], block=BLOCK)

    def encode(block: Block) -> Floats2d:
        forms = X.forms[block.items]
        inputs = {"rows": read[forms], "lengths": block.lengths.astype("int32")}
        if "vectors" in shim.session("encode").ranks:  # as in earlier exports
            inputs["vectors"] = X.vectors[forms]
        Y = shim.run("encode", inputs)  # (longest, n_sequences, n_columns)
        return Y.reshape(-1, Y.shape[2])

    scores = read_blocks(plan, encode)
    if shim.state_width:
        scores[:, -shim.state_width :] += rows[:, -shim.state_width :][X.forms]
    return scores


def _embed(shim: OnnxShim, X: FormFeatures) -> Floats2d:
    """Return the embedding of each form, shape (n_forms, width)."""
    blocks = make_blocks(numpy.cumsum(X.n_characters) - X.n_characters, X.n_characters)
    outputs = [
        shim.run(
            "embed",
            {
                **{name: rows[block.sequences] for name, rows in X.tables.items()},
                "characters": X.characters[block.items],
                "lengths": block.lengths.astype("int32"),
            },
        )
        for block in blocks
    ]
    order: Ints1d = numpy.concatenate([block.sequences for block in blocks])
    rows = numpy.empty((len(order), outputs[0].shape[1]), dtype="float32")
    rows[order] = numpy.concatenate(outputs)
    return rows


def _no_backprop(dY: Any) -> list[Any]:
    return []

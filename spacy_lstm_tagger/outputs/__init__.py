"""Outputs, the annotations that are predicted: one file each, and a table of all.

The network, its thinc wrapper, the loss, the probabilities, rehearsal, distillation and the ONNX
graph know blocks of columns, but no output by name. Adding one takes its file and a line here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from thinc.api import Model

from .lemma import LemmaOutput
from .morph import MorphOutput
from .output import Cfg, Output
from .pos import PosOutput
from .scores import DeferredLayer, Scores
from .tag import TagOutput

OUTPUTS: dict[str, type[Output]] = {
    "tag": TagOutput,
    "pos": PosOutput,
    "morph": MorphOutput,
    "lemma": LemmaOutput,
}
"""Every output by its name, after those that it depends on. Deferred ones come last."""


def make_outputs(names: Iterable[str]) -> list[Output]:
    """Make the outputs of these names.

    Raises ValueError for a name that is not registered, or names in another order than in
    `OUTPUTS`: outputs may depend on those before them.
    """
    names = list(names)
    if unknown := [name for name in names if name not in OUTPUTS]:
        raise ValueError(
            f"The model predicts {unknown}, but this version of spacy-lstm-tagger knows only "
            f"{list(OUTPUTS)}. Install the version that it was saved with, or a newer one."
        )
    if names != (ordered := [name for name in OUTPUTS if name in names]):
        raise ValueError(f"The model predicts {names}, but their order must be {ordered}.")
    return [OUTPUTS[name]() for name in names]


def known_outputs() -> list[Output]:
    """Make one of every output that there is."""
    return make_outputs(OUTPUTS)


def check_names(name: str, names: Any) -> list[str]:
    """Return the names of outputs in the order of `OUTPUTS`.

    name: the component's, for messages.
    Raises ValueError unless they are distinct names of outputs, at least one.
    """
    known = list(OUTPUTS)
    sound = isinstance(names, list | tuple) and len(names) > 0
    if not sound or any(n not in known or names.count(n) > 1 for n in names):
        raise ValueError(
            f"[{name}] outputs is {names!r}, but must be a list of at least one of {known}, each "
            "at most once. Correct it in the component's block of the config."
        )
    return [n for n in known if n in names]


def columns_of(model: Model[Any, Any], width: int = 0) -> dict[str, int]:
    """Return how many columns of a model's scores each block has, in their order.

    A model of another architecture predicts tags alone.

    width: number of columns of its scores, if it is known: such a model may not say.
    """
    layer = model.maybe_get_ref("output_layer")
    columns = layer.attrs.get("columns") if layer is not None else None
    return dict(columns) if columns else {"tag": model.maybe_get_dim("nO") or width}


def outputs_of(columns: Mapping[str, int]) -> list[str]:
    """Return the names of the outputs that blocks of columns belong to."""
    return list(dict.fromkeys(block.partition(":")[0] for block in columns))


def deferred_of(columns: Mapping[str, int]) -> list[str]:
    """Return the names of the blocks whose scores are computed only for tokens that need them."""
    outputs = {name: OUTPUTS[name].deferred for name in outputs_of(columns) if name in OUTPUTS}
    return [block for block in columns if outputs.get(block.partition(":")[0])]


def columns_for(outputs: Iterable[Output], cfg: Cfg) -> dict[str, int]:
    """Return how many columns each block of outputs has."""
    return {block: n for output in outputs for block, n in output.columns(cfg).items()}


def check_model(name: str, model: Model[Any, Any], names: Iterable[str]) -> None:
    """Raise ValueError if a model cannot have outputs of these names.

    name: the component's, for messages.
    """
    layer = model.maybe_get_ref("output_layer")
    if list(names) != ["tag"] and (layer is None or "columns" not in layer.attrs):
        raise ValueError(
            f"[{name}] outputs is {list(names)}, but the [model] block names an architecture that "
            "predicts tags alone. Use spacy-lstm-tagger.LSTMTagger.v1, or outputs = ['tag']."
        )


def check_resizable(model: Model[Any, Any], name: str) -> None:
    """Raise ValueError for a model with columns of outputs that cannot get more of them.

    name: the component's, for the message.
    """
    layer = model.maybe_get_ref("output_layer")
    if layer is not None and "columns" in layer.attrs and "resize_columns" not in model.attrs:
        raise ValueError(
            f"[{name}] An exported tagger cannot be trained, and takes no labels. Train the "
            "pipeline that it was exported from, and export it again."
        )


def set_columns(model: Model[Any, Any], columns: Mapping[str, int]) -> None:
    """Tell a model how many columns each block has; models of other architectures know."""
    layer = model.maybe_get_ref("output_layer")
    if layer is not None and "columns" in layer.attrs:
        layer.attrs["columns"] = dict(columns)
        layer.attrs["deferred"] = deferred_of(columns)


def scores_of(model: Model[Any, Any], rows: Any) -> Scores:
    """Return a model's scores of tokens for outputs to read.

    rows: what it predicts, docs one after another, an array of numpy.
    """
    columns = columns_of(model, rows.shape[1])
    if not (deferred := deferred_of(columns)):
        return Scores(rows, columns)
    shim: Any = model.get_ref("output_layer").shims[0]
    return Scores(rows, columns, deferred, DeferredLayer(*shim.deferred_layer()))

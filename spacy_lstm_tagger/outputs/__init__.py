"""Outputs, the annotations that are predicted: one file each, and a table of all.

The network, its thinc wrapper, the loss, the probabilities, rehearsal, distillation and the ONNX
graph know blocks of columns, but no output by name. Adding one takes its file and a line here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from thinc.api import Model

from .output import Output
from .pos import PosOutput
from .tag import TagOutput

OUTPUTS: dict[str, type[Output]] = {"tag": TagOutput, "pos": PosOutput}
"""Every output by its name. The first is that of the component's labels."""


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


def columns_of(model: Model[Any, Any]) -> dict[str, int]:
    """Return how many columns of a model's scores each output has, in their order.

    A model of another architecture predicts tags alone.
    """
    layer = model.maybe_get_ref("output_layer")
    columns = layer.attrs.get("columns") if layer is not None else None
    return dict(columns) if columns else {"tag": model.maybe_get_dim("nO") or 0}


def set_columns(model: Model[Any, Any], columns: dict[str, int]) -> None:
    """Tell a model how many columns each output has; models of other architectures know."""
    layer = model.maybe_get_ref("output_layer")
    if layer is not None and "columns" in layer.attrs:
        layer.attrs["columns"] = dict(columns)

"""The two PyTorch networks as thinc layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, cast

from thinc.api import Model, PyTorchGradScaler, PyTorchWrapper_v3

from ..arrays import Floats2d
from ..features.extractor import DocFeatures
from ..features.windows import CONTEXT
from .converters import convert_encoded, convert_features, convert_rows, convert_scores
from .precision import Quantize, make_predictor
from .recurrent import RecurrentEncoder
from .shim import LateTorchShim, shim_of
from .tagger_network import make_network
from .tagger_shim import TaggerShim, tagger_shim


class Precision(NamedTuple):
    """Numeric precision of training and of predicting.

    mixed: whether to train in mixed precision.
    grad_scaler: the gradient scaler for it, None for the default.
    predicting: what to predict in, one of `precision.PRECISIONS`.
    """

    mixed: bool
    grad_scaler: PyTorchGradScaler | None
    predicting: str = "float32"


def torch_tagger(
    *,
    nO: int | None,
    window: int,
    precision: Precision,
    quantize: Quantize,
    **settings: Any,
) -> Model[DocFeatures, list[Floats2d]]:
    """Wrap a `TaggerNetwork` with these settings.

    Input: features of n docs. Output: n arrays of shape (n_tokens, n_columns), the columns of all
    blocks side by side: probabilities in training, logits otherwise. The gradient to propagate
    back is that of the logits, as for thinc's Softmax_v2 and SequenceCategoricalCrossentropy.

    The attribute "columns" has the number of columns of each block. The last blocks may be
    deferred, those named in the attribute "deferred": but in training, the network gives states
    instead, from which the shim's `deferred_layer` makes their scores.

    nO: number of columns of the first block, None to take it from `Y` in `initialize`.
    window: most tokens in one sequence, see `windows`.
    quantize: see `precision.Quantize`.
    """
    shim = TaggerShim(
        partial(make_network, **settings),
        partial(make_predictor, precision=precision.predicting, quantize=quantize),
        mixed_precision=precision.mixed,
        grad_scaler=precision.grad_scaler,
    )
    model = _wrap("lstm_tagger_network", shim, convert_features, convert_scores, window)
    model.init = init_tagger
    model.set_dim("nO", cast(int, nO))  # None: not known yet
    model.attrs.update({"columns": {"tag": 0}, "deferred": []})
    model.attrs["cell"] = settings["cell"]
    return model


def torch_encoder(
    *, width: int, window: int, precision: Precision, **settings: Any
) -> Model[list[Floats2d], list[Floats2d]]:
    """Wrap a `RecurrentEncoder` with these settings.

    Input: n arrays of shape (n_tokens, nI). Output: n arrays of shape (n_tokens, width).
    """
    shim: LateTorchShim[RecurrentEncoder] = LateTorchShim(
        partial(RecurrentEncoder, width=width, **settings),
        mixed_precision=precision.mixed,
        grad_scaler=precision.grad_scaler,
    )
    model = _wrap("lstm_encoder", shim, convert_rows, convert_encoded, window)
    model.init = init_encoder
    model.set_dim("nO", width)
    return model


def _wrap(
    name: str,
    shim: LateTorchShim[Any],
    convert_inputs: Callable[..., Any],
    convert_outputs: Callable[..., Any],
    window: int,
) -> Model[Any, Any]:
    """Give thinc's wrapper a module that is made late, and a dropout rate that thinc can set."""
    model: Model[Any, Any] = PyTorchWrapper_v3(
        cast(Any, None), convert_inputs=convert_inputs, convert_outputs=convert_outputs
    )
    model.name = name
    model.shims[0] = shim
    model.attrs.update({"dropout_rate": 0.0, "window": window, "context": CONTEXT})
    return model


def init_tagger(
    model: Model[Any, Any], X: DocFeatures | None = None, Y: list[Floats2d] | None = None
) -> None:
    """Make the network with fresh weights, for the sizes of `X` and as many labels as `Y`.

    `Y` says how many columns the first block has; the others have those of attrs["columns"].
    """
    if X is None:
        raise ValueError("Cannot initialize the network without a sample of docs.")
    if Y is not None:
        model.set_dim("nO", Y[0].shape[1])
    first, *others = model.attrs["columns"]
    columns = {**model.attrs["columns"], first: model.get_dim("nO")}
    if empty := [name for name in others if not columns[name]]:
        raise ValueError(
            f"The blocks {empty} of spacy-lstm-tagger.LSTMTagger.v1 have no columns yet. The "
            "component 'lstm_tagger' says how many: use factory = \"lstm_tagger\"."
        )
    model.attrs["columns"] = columns
    tagger_shim(model).build({**X.sizes, **_sizes(model, columns)})


def init_encoder(model: Model[Any, Any], X: list[Floats2d] | None = None, Y: object = None) -> None:
    """Make the network for rows as wide as those of `X`, unless it is there already.

    `spacy pretrain` initializes its model twice.
    """
    if X is not None and model.has_dim("nI") is None:
        model.set_dim("nI", X[0].shape[1])
    shim = shim_of(model)
    if shim.sizes is None:
        shim.build({"input_width": model.get_dim("nI")})


def _sizes(model: Model[Any, Any], columns: Mapping[str, int]) -> dict[str, int]:
    n_deferred = sum(columns[block] for block in model.attrs["deferred"])
    return {"n_columns": sum(columns.values()) - n_deferred, "n_deferred": n_deferred}


def resize_tagger(model: Model[Any, Any], columns: Mapping[str, int]) -> None:
    """Add columns behind the present ones of each block, whose weights stay as they are.

    A network without weights is left as it is: it gets its columns when it is initialized.
    columns: number of columns of each block from now on, no less than now.
    """
    shim = tagger_shim(model)
    if shim.sizes is None:
        return
    present: dict[str, int] = model.attrs["columns"]
    wanted = {**present, **columns}
    if any(wanted[name] < n for name, n in present.items()):
        raise ValueError(f"A tagger can grow only, but has {present} columns, not {dict(columns)}.")
    shim.module.grow(present, wanted, model.attrs["deferred"])
    shim.resize({**shim.sizes, **_sizes(model, wanted)})
    model.attrs["columns"] = wanted
    model.set_dim("nO", next(iter(wanted.values())), force=True)

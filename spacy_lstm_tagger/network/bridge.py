"""The two PyTorch networks as thinc layers: arrays to tensors and back, in both directions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy
import torch
from thinc.api import Model, PyTorchGradScaler, PyTorchWrapper_v3, torch2xp, xp2torch
from thinc.types import ArgsKwargs, Floats2d, Ints1d, Ints2d
from torch import Tensor

from ..features import windows
from ..features.extractor import DocFeatures, FormFeatures
from .precision import lower
from .recurrent import Block, RecurrentEncoder
from .shim import LateTorchShim
from .tagger_network import Forms, TaggerNetwork


class Precision(NamedTuple):
    """Numbers of how many bits to compute with.

    mixed: whether to train in mixed precision.
    grad_scaler: the gradient scaler for it, None for the default.
    predicting: what to predict in, one of `lowering.PRECISIONS`.
    """

    mixed: bool
    grad_scaler: PyTorchGradScaler | None
    predicting: str = "float32"


def torch_tagger(
    *, nO: int | None, precision: Precision, **settings: Any
) -> Model[DocFeatures, list[Floats2d]]:
    """Wrap a `TaggerNetwork` with these settings.

    Input: features of n docs. Output: n arrays of shape (n_tokens, nO + n_pos): probabilities in
    training, of tags and of parts of speech, unnormalized log-probabilities (logits) otherwise.
    The gradient to propagate back is that of the logits, as for thinc's Softmax_v2 and
    SequenceCategoricalCrossentropy.
    """
    model: Model = PyTorchWrapper_v3(
        None, convert_inputs=convert_features, convert_outputs=convert_scores
    )
    model.set_dim("nO", nO)
    make_module = partial(TaggerNetwork, **settings)
    _complete(model, "lstm_tagger_network", init_tagger, make_module, precision)
    model.shims[0].lower = partial(lower, precision=precision.predicting, cell=settings["cell"])
    return model


def torch_encoder(
    *, width: int, precision: Precision, **settings: Any
) -> Model[list[Floats2d], list[Floats2d]]:
    """Wrap a `RecurrentEncoder` with these settings.

    Input: n arrays of shape (n_tokens, nI). Output: n arrays of shape (n_tokens, width).
    """
    model: Model = PyTorchWrapper_v3(
        None, convert_inputs=convert_rows, convert_outputs=convert_encoded
    )
    model.set_dim("nO", width)
    make_module = partial(RecurrentEncoder, width=width, **settings)
    return _complete(model, "lstm_encoder", init_encoder, make_module, precision)


def _complete(
    model: Model, name: str, init: Callable, make_module: Callable, precision: Precision
) -> Model:
    """Give thinc's wrapper a module that is made late, and a dropout rate that thinc can set."""
    model.name = name
    model.init = init
    model.shims[0] = LateTorchShim(
        make_module, mixed_precision=precision.mixed, grad_scaler=precision.grad_scaler
    )
    model.attrs["dropout_rate"] = 0.0
    return model


def init_tagger(
    model: Model, X: DocFeatures | None = None, Y: list[Floats2d] | None = None
) -> None:
    """Make the network with fresh weights, for the sizes of `X` and as many tags as `Y`."""
    if X is None:
        raise ValueError("Cannot initialize the network without a sample of docs.")
    if Y is not None:
        model.set_dim("nO", Y[0].shape[1])
    model.shims[0].build({**X.sizes._asdict(), "n_tags": model.get_dim("nO")})


def init_encoder(model: Model, X: list[Floats2d] | None = None, Y: object = None) -> None:
    """Make the network for rows as wide as those of `X`, unless it is there already.

    `spacy pretrain` initializes its model twice.
    """
    if X is not None and model.has_dim("nI") is None:
        model.set_dim("nI", X[0].shape[1])
    if model.shims[0].sizes is None:
        model.shims[0].build({"input_width": model.get_dim("nI")})


def resize_tagger(model: Model, nO: int) -> None:
    """Add tags behind the present ones, whose weights stay as they are."""
    shim: LateTorchShim = model.shims[0]
    if shim.sizes is not None:
        shim.module.grow_output(nO)
        shim.resize({**shim.sizes, "n_tags": nO})
    if model.has_dim("nO"):
        model.set_dim("nO", nO, force=True)


# Converters: thinc calls them around the network's forward pass; each returns what it converted
# and a callback for the way back. They are module-level functions so that models can be pickled,
# which processes that are spawned, not forked, rely on.


def convert_features(
    model: Model, X: DocFeatures, is_train: bool
) -> tuple[ArgsKwargs, Callable[[ArgsKwargs], list]]:
    """Features to the arguments of `TaggerNetwork.forward`."""
    shim: LateTorchShim = model.shims[0]
    device = shim.device
    kept = not is_train and device.type == "cpu" and shim.sizes is not None
    if shim.sizes and len(X.forms) and X.sizes.vector_width != shim.sizes["vector_width"]:
        raise ValueError(
            f"The static vectors of this pipeline have {X.sizes.vector_width} numbers, but the "
            f"tagger was trained with vectors of {shim.sizes['vector_width']}. Load the pipeline "
            "together with the vectors that it was trained with."
        )
    blocks, rows = _plan(X.lengths, device)
    forms = _embedded(shim, X) if kept else _forms(X.of_all(), device)
    inputs = ArgsKwargs(
        args=(forms, _tensor(X.vectors, device), _tensor(X.forms, device), blocks, rows),
        kwargs={"dropout": _dropout_rate(model, is_train)},
    )
    return inputs, _no_gradient


def _embedded(shim: LateTorchShim, X: DocFeatures) -> Tensor:
    """What the network makes of each distinct form, as far as possible from the last time."""
    cpu = torch.device("cpu")

    @torch.no_grad()
    def embed(missing: Ints1d) -> Floats2d:
        return shim.module.embed(_forms(X.extract(missing), cpu), 0.0).numpy()

    return torch.from_numpy(shim.table.look_up(X.keys, embed))


def _forms(X: FormFeatures, device: torch.device) -> Forms:
    spelled = windows.make_blocks(numpy.cumsum(X.n_characters) - X.n_characters, X.n_characters)
    order = numpy.concatenate([X.words[:0], *(block.sequences for block in spelled)])
    return Forms(
        words=_tensor(X.words, device),
        counts=_tensor(X.counts, device),
        blocks=[_block(X.characters[block.items], block, device) for block in spelled],
        ends=[_tensor(block.ends, device) for block in spelled],
        ranks=_tensor(_inverse(order), device),
        affixes=_tensor(X.affixes, device),
    )


def convert_scores(
    model: Model, X_Yt: tuple[DocFeatures, Tensor], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], ArgsKwargs]]:
    """Logits to one array of scores for each doc; gradients of logits on the way back."""
    X, Yt = X_Yt
    Y = _probabilities(Yt.detach().float(), model.get_dim("nO")) if is_train else Yt.float()
    return _split(torch2xp(Y), X.lengths), partial(_gradient_of, Yt, model.ops)


def _probabilities(Yt: Tensor, n_tags: int) -> Tensor:
    """Softmax of tags, and of the parts of speech behind them."""
    if Yt.shape[1] == n_tags:
        return torch.softmax(Yt, dim=1)
    return torch.cat([torch.softmax(Y, dim=1) for Y in Yt.tensor_split([n_tags], dim=1)], dim=1)


def convert_rows(
    model: Model, X: list[Floats2d], is_train: bool
) -> tuple[ArgsKwargs, Callable[[ArgsKwargs], list[Floats2d]]]:
    """Rows of docs to the arguments of `RecurrentEncoder.forward`."""
    device = model.shims[0].device
    lengths = numpy.asarray([len(rows) for rows in X], dtype="int64")
    Xt = xp2torch(model.ops.flatten(X), requires_grad=is_train, device=device)
    blocks, rows = _plan(lengths, device)
    inputs = ArgsKwargs(args=(Xt, blocks, rows), kwargs={"dropout": _dropout_rate(model, is_train)})

    def get_dX(d_inputs: ArgsKwargs) -> list[Floats2d]:
        return _split(torch2xp(d_inputs.args[0]), lengths)

    return inputs, get_dX


def convert_encoded(
    model: Model, X_Yt: tuple[list[Floats2d], Tensor], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], ArgsKwargs]]:
    """Encoded rows to one array for each doc; gradients on the way back."""
    X, Yt = X_Yt
    lengths = numpy.asarray([len(rows) for rows in X], dtype="int64")
    return _split(torch2xp(Yt), lengths), partial(_gradient_of, Yt, model.ops)


def _gradient_of(Yt: Tensor, ops: Any, dY: list[Floats2d]) -> ArgsKwargs:
    dYt = xp2torch(ops.flatten(dY), device=Yt.device).to(Yt.dtype).reshape(Yt.shape)
    return ArgsKwargs(args=((Yt,),), kwargs={"grad_tensors": (dYt,)})


def _no_gradient(d_inputs: ArgsKwargs) -> list:
    return []


def _dropout_rate(model: Model, is_train: bool) -> float:
    return float(model.attrs["dropout_rate"] or 0.0) if is_train else 0.0


def _plan(lengths: Ints1d, device: torch.device) -> tuple[list[Block], Tensor]:
    plan = windows.plan_reading(lengths)
    blocks = [_block(block.items, block, device) for block in plan.blocks]
    return blocks, _tensor(plan.rows, device)


def _block(items: Ints2d, block: windows.Block, device: torch.device) -> Block:
    even = block.lengths[0] == block.lengths[-1]  # the longest comes first
    return Block(_tensor(items, device), None if even else _tensor(block.turned, device))


def _split(Y: Floats2d, lengths: Ints1d) -> list[Floats2d]:
    ends = numpy.cumsum(lengths).tolist()
    return [Y[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]


def _inverse(permutation: Ints1d) -> Ints1d:
    inverse = numpy.empty_like(permutation)
    inverse[permutation] = numpy.arange(len(permutation))
    return inverse


def _tensor(array: Any, device: torch.device) -> Tensor:
    return torch.as_tensor(array, device=device)

"""Arrays to tensors and back, in both directions.

thinc calls these around a network's forward pass. Each returns what it converted and a callback
for the way back. They are module-level functions so that models can be pickled, which processes
that are spawned, not forked, rely on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy
import torch
from thinc.api import Model, torch2xp, xp2torch
from thinc.types import ArgsKwargs
from torch import Tensor

from ..arrays import Floats2d, Ints1d, Ints2d
from ..features import windows
from ..features.extractor import DocFeatures, FormFeatures, scores_of_docs
from .recurrent import PaddedBatch
from .shim import shim_of
from .tagger_shim import LazyForms, tagger_shim
from .word_forms import Forms


def convert_features(
    model: Model[Any, Any], X: DocFeatures, is_train: bool
) -> tuple[ArgsKwargs, Callable[[ArgsKwargs], list[Any]]]:
    """Return the arguments of `TaggerNetwork.forward`; to predict, with `LazyForms`."""
    shim = tagger_shim(model)
    device = shim.device
    if shim.sizes and len(X.forms) and X.sizes["vector_width"] != shim.sizes["vector_width"]:
        raise ValueError(
            f"The static vectors of this pipeline have {X.sizes['vector_width']} numbers, but the "
            f"tagger was trained with vectors of {shim.sizes['vector_width']}. Load the pipeline "
            "together with the vectors that it was trained with."
        )
    extract = partial(_extract, X, device, coarse=not is_train)
    forms = extract(numpy.arange(len(X.keys))) if is_train else LazyForms(X.keys, extract)
    batches, rows = _plan(model, X.lengths, device, coarse=not is_train)
    inputs = ArgsKwargs(
        args=(forms, _tensor(X.vectors, device), _tensor(X.forms, device), batches, rows),
        kwargs={"dropout": _dropout_rate(model)} if is_train else {},
    )
    return inputs, _no_gradient


def _extract(X: DocFeatures, device: torch.device, indices: Ints1d, *, coarse: bool) -> Forms:
    return form_tensors(X.extract(indices), device, coarse=coarse)


def form_tensors(X: FormFeatures, device: torch.device, *, coarse: bool = False) -> Forms:
    """Return the features of word forms as tensors.

    coarse: see `windows.make_blocks`.
    """
    starts = numpy.cumsum(X.n_characters) - X.n_characters
    spelled = windows.make_blocks(starts, X.n_characters, coarse=coarse)
    order = numpy.concatenate([X.counts[:0], *(block.sequences for block in spelled)])
    return Forms(
        tables={name: _tensor(rows, device) for name, rows in X.tables.items()},
        counts=_tensor(X.counts, device),
        batches=[_padded(X.characters[block.items], block, device) for block in spelled],
        ends=[_tensor(block.ends, device) for block in spelled],
        ranks=_tensor(_inverse(order), device),
    )


def convert_scores(
    model: Model[Any, Any], X_Yt: tuple[DocFeatures, Tensor], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], ArgsKwargs]]:
    """Return one array of scores for each doc; on the way back, gradients of logits.

    In training, scores are probabilities: those of each block sum to 1. Otherwise they are logits,
    and states in the place of deferred blocks. White space, which the network does not read, has
    zeros.
    """
    X, Yt = X_Yt
    Y = Yt.float()
    if is_train:
        blocks = Yt.detach().float().split(list(model.attrs["columns"].values()), dim=1)
        Y = torch.cat([torch.softmax(block, dim=1) for block in blocks], dim=1)
    scores = scores_of_docs(torch2xp(Y), X, model.ops.alloc)
    return scores, partial(_gradient_of, Yt, model.ops, read=X.read)


def convert_rows(
    model: Model[Any, Any], X: list[Floats2d], is_train: bool
) -> tuple[ArgsKwargs, Callable[[ArgsKwargs], list[Floats2d]]]:
    """Return the arguments of `RecurrentEncoder.forward`; on the way back, gradients of rows."""
    ops: Any = model.ops
    device, lengths = shim_of(model).device, _lengths(X)
    Xt = xp2torch(ops.flatten(X), requires_grad=is_train, device=device)
    batches, rows = _plan(model, lengths, device, coarse=not is_train)
    dropout = _dropout_rate(model) if is_train else 0.0
    inputs = ArgsKwargs(args=(Xt, batches, rows), kwargs={"dropout": dropout})

    def get_dX(d_inputs: ArgsKwargs) -> list[Floats2d]:
        return _split(torch2xp(d_inputs.args[0]), lengths)

    return inputs, get_dX


def convert_encoded(
    model: Model[Any, Any], X_Yt: tuple[list[Floats2d], Tensor], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], ArgsKwargs]]:
    """Return one array of encoded rows for each doc; on the way back, their gradients."""
    X, Yt = X_Yt
    return _split(torch2xp(Yt.detach().float()), _lengths(X)), partial(_gradient_of, Yt, model.ops)


def _gradient_of(
    Yt: Tensor, ops: Any, dY: list[Floats2d], *, read: Ints1d | None = None
) -> ArgsKwargs:
    rows = ops.flatten(dY) if read is None else ops.flatten(dY)[read]
    # In float32 whatever Yt is in: mixed precision scales gradients before it rounds them.
    dYt = xp2torch(rows, device=Yt.device).reshape(Yt.shape)
    return ArgsKwargs(args=((Yt,),), kwargs={"grad_tensors": (dYt,)})


def _no_gradient(d_inputs: ArgsKwargs) -> list[Any]:
    return []


def _dropout_rate(model: Model[Any, Any]) -> float:
    return float(model.attrs["dropout_rate"] or 0.0)


def _plan(
    model: Model[Any, Any], lengths: Ints1d, device: torch.device, *, coarse: bool
) -> tuple[list[PaddedBatch], Tensor]:
    """Return the plan to read docs, in coarse blocks to predict: torch keeps something for each
    shape, and other than in training there is no end of new texts.
    """
    window, context = model.attrs["window"], model.attrs["context"]
    plan = windows.plan_reading(lengths, window=window, context=context, coarse=coarse)
    batches = [_padded(block.items, block, device) for block in plan.blocks]
    return batches, _tensor(plan.rows(), device)


def _padded(items: Ints2d, block: windows.Block, device: torch.device) -> PaddedBatch:
    reversal = None if block.even else _tensor(block.reversal, device)
    return PaddedBatch(_tensor(items, device), reversal)


def _lengths(X: list[Floats2d]) -> Ints1d:
    return numpy.asarray([len(rows) for rows in X], dtype="int64")


def _split(Y: Any, lengths: Ints1d) -> list[Floats2d]:
    ends = numpy.cumsum(lengths).tolist()
    return [Y[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]


def _inverse(permutation: Ints1d) -> Ints1d:
    inverse = numpy.empty_like(permutation)
    inverse[permutation] = numpy.arange(len(permutation))
    return inverse


def _tensor(array: Any, device: torch.device) -> Tensor:
    return torch.as_tensor(array, device=device)

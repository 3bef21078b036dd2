"""Narrow what the recurrent layers read, after training.

The input weights of a layer are split in two: a projection of what it reads, and narrower input
weights. What the first layer reads depends on a word form alone: it is projected once for each
form, and kept. What a later one reads is projected for every token, which together with its
narrower weights takes less arithmetic than its full ones.

Sources: truncated singular value decomposition, as in Xue et al. 2013
(https://www.isca-archive.org/interspeech_2013/xue13_interspeech.html); a rotation before 8-bit
integers, as in Ashkboos et al. 2024 (https://arxiv.org/abs/2404.00456).
"""

from __future__ import annotations

import numpy

PROJECTION = "projection.weight"
"""Name of the projection among the weights, shape (width, row width); a later layer's is named
`encoder.layers.1.projection.weight`, and so on."""

KEPT = 0.9
"""Share of the squared input weights of the first layer that is kept."""

KEPT_LATER = 0.85
"""The same for later layers."""

STEP = 16
"""Widths are multiples of so many, as a CPU's registers are, or all that there are."""

Weights = dict[str, numpy.ndarray]


def narrowed(weights: Weights, *, kept: float = KEPT, kept_later: float = KEPT_LATER) -> Weights:
    """Return the weights of a network that computes almost the same from fewer numbers.

    If there are static vectors, they are projected to the same width, and added to the row. The
    first layer stays as it is if it would not read fewer numbers, a later one if no arithmetic
    would be spared.

    weights: state dict of a `TaggerNetwork`.
    kept, kept_later: share of the squared input weights of the first layer and of the later ones
        that must stay, over 0 and up to 1.
    Raises ValueError for weights that are not finite.
    """
    result = _first_narrowed(weights, kept)
    layer = 1
    while names := _input_weights(weights, layer):
        into = numpy.concatenate([weights[name] for name in names])
        projection, narrow = _split(into, kept_later)
        if projection.size + narrow.size < into.size:
            parts = numpy.split(narrow, len(names))
            result = {**result, **dict(zip(names, parts, strict=True))}
            result[f"encoder.layers.{layer}.{PROJECTION}"] = projection
        layer += 1
    return result


def _first_narrowed(weights: Weights, kept: float) -> Weights:
    names = _input_weights(weights, 0)
    into = numpy.concatenate([weights[name] for name in names])
    vectors = weights.get("vectors.weight")
    projection, narrow = _split(into, kept)
    if len(projection) >= into.shape[1]:
        return weights
    row_width = into.shape[1] - (0 if vectors is None else len(vectors))
    result = {**weights, **dict(zip(names, numpy.split(narrow, len(names)), strict=True))}
    result[PROJECTION] = projection[:, :row_width]
    if vectors is not None:
        result["vectors.weight"] = projection[:, row_width:] @ vectors
    return result


def _input_weights(weights: Weights, layer: int) -> list[str]:
    """Return the names of a layer's input weights, one for each direction; none without a layer."""
    prefix = f"encoder.layers.{layer}."
    return [name for name in weights if name.startswith(prefix) and "weight_ih" in name]


def _split(into: numpy.ndarray, kept: float) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Return a projection, shape (width, n_in), and narrow input weights, shape (n_out, width).

    into: input weights, shape (n_out, n_in).
    """
    if not numpy.isfinite(into).all():
        raise ValueError(
            "The input weights of a recurrent layer are not finite: training has diverged. Train "
            "again with a lower learning rate."
        )
    left, values, right = numpy.linalg.svd(into, full_matrices=False)
    shares = numpy.cumsum(values**2) / numpy.sum(values**2)
    enough = int(numpy.searchsorted(shares, kept)) + 1
    width = -(-enough // STEP) * STEP
    scale = numpy.sqrt(values[:width, None])
    rotation = _rotation(len(scale))
    return rotation @ (scale * right[:width]), (rotation @ (scale * left[:, :width].T)).T


def _rotation(width: int) -> numpy.ndarray:
    """Return an orthogonal matrix, always the same.

    It changes nothing but to spread what the first singular vectors carry over all the numbers, so
    that none is so much larger than the others that 8 bits do not suffice for both.
    """
    random = numpy.random.default_rng(0).normal(size=(width, width))
    return numpy.linalg.qr(random)[0].astype("float32")

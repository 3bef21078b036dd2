"""A module's weights to bytes and back: nothing is unpickled, and no size is believed."""

from __future__ import annotations

import contextlib
import io
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ..settings import ENVIRONMENT_ERRORS


def save_weights(state: Mapping[str, Tensor]) -> bytes:
    """Return the weights of a module's state dict as a file of torch's."""
    buffer = io.BytesIO()
    torch.save({name: values.cpu() for name, values in state.items()}, buffer)
    return buffer.getvalue()


def load_weights(data: bytes) -> dict[str, Tensor]:
    """Return the weights that `save_weights` wrote, on the CPU.

    Raises ValueError, or whatever torch's reader raises, if they are anything else.
    """
    check_archive(data)
    weights = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    check_weights(weights)
    return weights


@contextlib.contextmanager
def without_errors_of_the_file() -> Iterator[None]:
    """Turn whatever a damaged file raises inside the context into a ValueError that says so.

    Errors about the environment pass through unchanged.
    """
    try:
        yield
    except pickle.UnpicklingError:  # torch's own message advises to read them all the same
        raise ValueError(
            "The network's weights hold something other than numbers, or are damaged. They "
            "were refused: reading more than numbers could run code."
        ) from None
    except ENVIRONMENT_ERRORS:
        raise
    except Exception as error:  # torch.load raises whatever its zip reader raises
        raise ValueError(
            "The network's weights are damaged, or do not fit the [model] settings. "
            f"({type(error).__name__}: {error})"
        ) from error


def check_archive(data: bytes) -> None:
    """Raise ValueError if torch's file is damaged, or would take more memory than it has bytes.

    torch compresses nothing, but would read what is: a file of some megabytes could fill the
    memory. Nor does it look at checksums.
    """
    if data[:1] == pickle.PROTO:
        raise pickle.UnpicklingError  # torch's file of before 2020, a mere pickle
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise ValueError("the weights are compressed, as torch never saves them")
        damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f"{damaged} has another checksum than when it was saved")


def check_weights(weights: Any) -> None:
    """Raise ValueError if anything but plain tables of finite numbers was loaded."""
    for name, values in weights.items():
        plain = (
            isinstance(values, Tensor)
            and (values.dtype, values.layout) == (torch.float32, torch.strided)
            and values.device.type == "cpu"
            and values.is_contiguous()
        )
        if not plain or not bool(torch.isfinite(values).all()):
            raise ValueError(f"{name} is no table of finite numbers in float32")

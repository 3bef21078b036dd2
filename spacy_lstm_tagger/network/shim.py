"""A PyTorch module inside a thinc model: built late, averaged, copied, saved and loaded safely."""

from __future__ import annotations

import contextlib
import copy
import io
import pickle
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import srsly
import torch
from thinc.api import (
    PyTorchGradScaler,
    PyTorchShim,
    get_torch_default_device,
    torch2xp,
    xp2torch,
)
from thinc.shims import Shim
from thinc.types import ArgsKwargs, FloatsXd
from torch import nn

from ..features.form_cache import FormTable
from .forking import note_thread


class LateTorchShim(PyTorchShim):
    """Hold a module whose sizes are known only once there is data, or a saved model.

    Differs from thinc's PyTorchShim in that
    - the module is made by `build` or `from_bytes`, and its sizes are saved with its weights;
    - `predict` leaves the shared module's mode alone, so that threads do not disturb each other;
    - gradients outlive `finish_update`, as `nlp.rehearse` expects;
    - parameter averages reach the module: thinc's optimizer files them under (shim.id, name),
      a key that PyTorchShim.use_params never looks for;
    - a copy has an id of its own, else two shims share one optimizer state;
    - weights are read with weights_only=True, into a new module that replaces the present one
      only once everything has proved sound.

    make_module: called with the sizes as keywords, returns the module.
    mixed_precision: whether to train in mixed precision. Needs a CUDA device.
    grad_scaler: scaler for mixed precision, None for the default one.
    lower: called with the module when it is first to predict with its present weights; returns
        what is then called in its place. None: the module itself.

    table: what the module makes of each word; cleared when the weights change.
    """

    def __init__(
        self,
        make_module: Callable[..., nn.Module],
        *,
        mixed_precision: bool = False,
        grad_scaler: PyTorchGradScaler | None = None,
        lower: Callable[[Any], Callable] | None = None,
    ) -> None:
        super().__init__(None, mixed_precision=mixed_precision, grad_scaler=grad_scaler)
        self.make_module = make_module
        self.lower = lower
        self._lowered: Callable | None = None
        self.sizes: dict[str, int] | None = None
        self.table = FormTable()

    @property
    def module(self) -> nn.Module:
        """The module. Raises ValueError where there is none yet."""
        if self._model is None:
            raise ValueError(
                "The network has no weights yet. Call nlp.initialize() with examples, train it "
                "with `spacy train`, or load a trained pipeline with spacy.load()."
            )
        return self._model

    @property
    def device(self) -> torch.device:
        """Device of the module's weights; thinc's present one where there is no module yet."""
        return get_torch_default_device() if self._model is None else super().device

    def build(self, sizes: dict[str, int]) -> None:
        """Make a new module with fresh weights on thinc's present device."""
        self.check_precision()
        self._replace(self.make_module(**sizes).to(get_torch_default_device()), sizes)

    def resize(self, sizes: dict[str, int]) -> None:
        """Note that the module has been given these sizes."""
        self._replace(self.module, sizes)

    def check_precision(self) -> None:
        """Raise ValueError where mixed precision is asked for on a CPU."""
        if self._mixed_precision and get_torch_default_device().type != "cuda":
            raise ValueError(
                "mixed_precision is true, but training runs on the CPU, which cannot do it. "
                "Train on a GPU (spacy train --gpu-id 0), or set mixed_precision = false."
            )

    def weights_changed(self) -> None:
        """Forget what the old weights made of words. Call this after altering weights by hand."""
        self.table.clear()
        self._lowered = None

    def predict(self, inputs: ArgsKwargs) -> Any:
        """Run the module without keeping anything for backpropagation."""
        note_thread()
        module, lowered = self.module, self._lowered  # another thread may change the weights
        if lowered is None:
            lowered = self._lowered = self.lower(module) if self.lower else module
        with torch.inference_mode(), self._few_bits():
            return lowered(*inputs.args, **inputs.kwargs)

    def _few_bits(self) -> contextlib.AbstractContextManager:
        if not self._mixed_precision or self.device.type != "cuda":
            return contextlib.nullcontext()
        return torch.autocast("cuda", torch.float16)

    def begin_update(self, inputs: ArgsKwargs) -> tuple[Any, Callable]:
        """Run the module; return its output and a callback for backpropagation."""
        note_thread()
        self.check_precision()
        _ = self.module
        return super().begin_update(inputs)

    def finish_update(self, optimizer: Any) -> None:
        """Update the weights with their gradients, if there is a module.

        Gradients are dropped, not zeroed in place as PyTorchShim does: `nlp.rehearse` keeps them
        and applies them only later.
        """
        if self._model is None:
            return
        for name, parameter in self._model.named_parameters():
            if parameter.grad is not None and not self._grad_scaler.found_inf:
                weights, _ = optimizer(
                    (self.id, name), torch2xp(parameter.data), torch2xp(parameter.grad)
                )
                _set_values(parameter, weights)
            parameter.grad = None
        self._grad_scaler.update()
        self.weights_changed()

    @contextlib.contextmanager
    def use_params(self, params: dict[tuple[int, str], FloatsXd]) -> Iterator[None]:
        """Use other values, such as averages, inside the context; restore even after an error."""
        backup: list[tuple[nn.Parameter, torch.Tensor]] = []
        try:
            if self._model is not None:
                for name, parameter in self._model.named_parameters():
                    value = params.get((self.id, name))
                    if value is not None:
                        backup.append((parameter, parameter.data.clone()))
                        _set_values(parameter, value)
            self.weights_changed()
            yield
        finally:
            for parameter, data in backup:
                parameter.data.copy_(data)
            self.weights_changed()

    def to_device(self, device_type: str, device_id: int) -> None:
        """Move the module, if there is one."""
        if self._model is not None:
            super().to_device(device_type, device_id)
            self.weights_changed()

    def copy(self) -> LateTorchShim:
        """A deep copy under an id of its own."""
        return copy.deepcopy(self)

    def __deepcopy__(self, memo: dict) -> LateTorchShim:
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        copied.__dict__ = copy.deepcopy(self.__getstate__(), memo)
        copied._take_new_id()
        return copied

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_lowered": None}  # it may hold what cannot be copied

    def to_bytes(self) -> bytes:
        """Sizes and weights; no sizes and no weights where there is no module."""
        state = b""
        if self._model is not None:
            buffer = io.BytesIO()
            torch.save({k: v.cpu() for k, v in self._model.state_dict().items()}, buffer)
            state = buffer.getvalue()
        return srsly.msgpack_dumps({"config": self.cfg, "sizes": self.sizes, "state": state})

    def from_bytes(self, bytes_data: bytes) -> LateTorchShim:
        """Load sizes and weights.

        Raises ValueError where the bytes are damaged or do not fit the settings; the present
        module is then kept.
        """
        try:
            message = srsly.msgpack_loads(bytes_data)
            sizes, state = message["sizes"], message["state"]
            module = None if sizes is None else self._load(sizes, state)
        except pickle.UnpicklingError:  # torch's own message advises to read them all the same
            raise ValueError(
                "The network's weights hold something other than numbers, or are damaged. They "
                "were refused: reading more than numbers could run code."
            ) from None
        except Exception as error:  # torch.load raises whatever its zip reader raises
            raise ValueError(
                "The network's weights are damaged, or do not fit the [model] settings. "
                f"({type(error).__name__}: {error})"
            ) from error
        self._replace(module, sizes)
        self.cfg = message["config"]
        self._grad_scaler.to_(self.device)
        return self

    def check_sizes(self, sizes: dict[str, int], *, vectors: bool) -> None:
        """Raise ValueError where the network was made for other sizes, but for vectors' width.

        vectors: whether there are static vectors.
        """
        if self.sizes is None:
            return
        wanted = {**sizes, "vector_width": self.sizes["vector_width"] if vectors else 0}
        if wanted != self.sizes:
            raise ValueError(f"the network has the sizes {self.sizes}, but should have {wanted}")

    def _load(self, sizes: dict[str, int], state: bytes) -> nn.Module:
        check_archive(state)
        weights = torch.load(io.BytesIO(state), map_location="cpu", weights_only=True)
        check_weights(weights)
        with torch.device("meta"):  # no memory and no random numbers before the sizes have proved
            module = self.make_module(**sizes)
        module.load_state_dict(weights, strict=True, assign=True)
        return module.to(get_torch_default_device())

    def _replace(self, module: nn.Module | None, sizes: dict[str, int] | None) -> None:
        self._model = module
        self.sizes = sizes
        self.weights_changed()
        self._take_new_id()

    def _take_new_id(self) -> None:
        """Part from optimizer state that belongs to other weights: it is filed under the id."""
        with Shim.global_id_lock:
            Shim.global_id += 1
            self.id = Shim.global_id


def check_archive(state: bytes) -> None:
    """Raise ValueError where torch's file would take more memory than it has bytes, or is damaged.

    torch compresses nothing, but would read what is: a file of some megabytes could fill the
    memory. Nor does it look at checksums.
    """
    if state[:1] == pickle.PROTO:
        raise pickle.UnpicklingError  # torch's file of before 2020, a mere pickle
    with zipfile.ZipFile(io.BytesIO(state)) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise ValueError("the weights are compressed, as torch never saves them")
        damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f"{damaged} has another checksum than when it was saved")


def check_weights(weights: Any) -> None:
    """Raise ValueError where anything but plain tables of finite numbers was loaded."""
    for name, values in weights.items():
        plain = (
            isinstance(values, torch.Tensor)
            and (values.dtype, values.layout) == (torch.float32, torch.strided)
            and values.device.type == "cpu"
            and values.is_contiguous()
        )
        if not plain or not bool(torch.isfinite(values).all()):
            raise ValueError(f"{name} is no table of finite numbers in float32")


def _set_values(parameter: nn.Parameter, values: FloatsXd) -> None:
    """Set a parameter's values in place: cuDNN wants a layer's weights to stay side by side."""
    data = xp2torch(values, device=parameter.device)
    if data.data_ptr() != parameter.data.data_ptr():  # else the optimizer worked in place
        parameter.data.copy_(data)

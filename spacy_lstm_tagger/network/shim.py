"""A PyTorch module inside a thinc model: built late, averaged, copied, saved and loaded safely."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import srsly
import torch
from thinc.api import (
    Model,
    PyTorchGradScaler,
    PyTorchShim,
    get_torch_default_device,
    torch2xp,
    xp2torch,
)
from thinc.shims import Shim
from thinc.types import ArgsKwargs, FloatsXd
from torch import nn

from .forking import note_thread
from .weights import load_weights, save_weights, without_errors_of_the_file

ModuleT = TypeVar("ModuleT", bound=nn.Module)


class LateTorchShim(PyTorchShim, Generic[ModuleT]):
    """Hold a module whose sizes are known only once there is data, or a saved model.

    Differs from thinc's PyTorchShim in that
    - the module is made by `build` or `from_bytes`, and its sizes are saved with its weights;
    - `predict` leaves the shared module's mode alone, so that threads do not disturb each other;
    - gradients outlive `finish_update`, as `nlp.rehearse` expects;
    - parameter averages reach the module: thinc's optimizer files them under (shim.id, name),
      a key that PyTorchShim.use_params never looks for;
    - a copy has an id of its own, else two shims share one optimizer state;
    - weights are read into a new module that replaces the present one only once everything has
      proved sound.

    make_module: called with the sizes as keywords, returns the module.
    mixed_precision: whether to train in mixed precision. Needs a CUDA device.
    grad_scaler: scaler for mixed precision, None for the default one.
    """

    def __init__(
        self,
        make_module: Callable[..., ModuleT],
        *,
        mixed_precision: bool = False,
        grad_scaler: PyTorchGradScaler | None = None,
    ) -> None:
        super().__init__(None, mixed_precision=mixed_precision, grad_scaler=grad_scaler)
        self.make_module = make_module
        self.sizes: dict[str, int] | None = None

    @property
    def module(self) -> ModuleT:
        """The module. Raises ValueError if there is none yet."""
        if self._model is None:
            raise ValueError(
                "The network has no weights yet. Call nlp.initialize() with examples, train it "
                "with `spacy train`, or load a trained pipeline with spacy.load()."
            )
        return self._model

    @property
    def device(self) -> torch.device:
        """Device of the module's weights; thinc's present one if there is no module yet."""
        return get_torch_default_device() if self._model is None else super().device

    def build(self, sizes: dict[str, int]) -> None:
        """Make a new module with fresh weights on thinc's present device."""
        self.check_precision()
        self._replace(self._make(sizes, get_torch_default_device()), sizes)

    def resize(self, sizes: dict[str, int]) -> None:
        """Note that the module has been given these sizes."""
        self._replace(self.module, sizes)

    def check_precision(self) -> None:
        """Raise ValueError if mixed precision is asked for on a CPU."""
        if self._mixed_precision and get_torch_default_device().type != "cuda":
            raise ValueError(
                "mixed_precision is true, but training runs on the CPU, which cannot do it. "
                "Train on a GPU (spacy train --gpu-id 0), or set mixed_precision = false."
            )

    def weights_changed(self) -> None:
        """Forget whatever was computed from the old weights. Call this after altering weights."""

    def predict(self, inputs: ArgsKwargs) -> Any:
        """Run the module without keeping anything for backpropagation."""
        note_thread()
        with torch.inference_mode(), self._autocast():
            return self.module(*inputs.args, **inputs.kwargs)

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if not self._mixed_precision or self.device.type != "cuda":
            return contextlib.nullcontext()
        return torch.autocast("cuda", torch.float16)

    def begin_update(self, inputs: ArgsKwargs) -> tuple[Any, Callable[..., Any]]:
        """Run the module; return its output and a callback for backpropagation."""
        note_thread()
        self.check_precision()
        _ = self.module
        with torch.enable_grad():  # another library may have switched gradients off
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
            self._grad_scaler.to_(self.device)
            self.weights_changed()

    def copy(self) -> LateTorchShim[ModuleT]:
        """Return a deep copy under an id of its own."""
        return copy.deepcopy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> LateTorchShim[ModuleT]:
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        copied.__dict__ = copy.deepcopy(self.__getstate__(), memo)
        copied._take_new_id()
        if copied._model is not None:
            for module in copied._model.modules():
                if isinstance(module, nn.RNNBase):  # cuDNN wants its weights side by side again
                    module.flatten_parameters()
        return copied

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)

    def to_bytes(self) -> bytes:
        """Return sizes and weights; neither if there is no module."""
        state = b"" if self._model is None else save_weights(self._model.state_dict())
        return srsly.msgpack_dumps({"config": self.cfg, "sizes": self.sizes, "state": state})

    def from_bytes(self, bytes_data: bytes) -> LateTorchShim[ModuleT]:
        """Load sizes and weights.

        Raises ValueError if the bytes are damaged or do not fit the settings; the present module
        is then kept.
        """
        with without_errors_of_the_file():
            message = srsly.msgpack_loads(bytes_data)
            sizes, module = message["sizes"], None
            if sizes is not None:
                sizes, module = self._load(sizes, message["state"])
        self._replace(module, sizes)
        self.cfg = message["config"]
        self._grad_scaler.to_(self.device)
        return self

    def _load(self, sizes: dict[str, int], state: bytes) -> tuple[dict[str, int], ModuleT]:
        weights = load_weights(state)
        sizes = self.sizes_of_saved(sizes, weights)
        # No memory and no random numbers before the sizes have proved sound.
        module = self._make(sizes, torch.device("meta"))
        module.load_state_dict(weights, strict=True, assign=True)
        return sizes, module.to(get_torch_default_device())

    def _make(self, sizes: dict[str, int], device: torch.device) -> ModuleT:
        """Make a module in float32, whatever other libraries have made torch's defaults."""
        with torch.device(device):
            return self.make_module(**sizes).to(torch.float32)

    def sizes_of_saved(
        self, sizes: dict[str, int], weights: dict[str, torch.Tensor]
    ) -> dict[str, int]:
        """Return the sizes in today's terms, if an earlier version saved them."""
        return sizes

    def _replace(self, module: ModuleT | None, sizes: dict[str, int] | None) -> None:
        self._model = module
        self.sizes = sizes
        self.weights_changed()
        self._take_new_id()

    def _take_new_id(self) -> None:
        """Part from optimizer state that belongs to other weights: it is filed under the id."""
        with Shim.global_id_lock:
            Shim.global_id += 1
            self.id = Shim.global_id


def shim_of(model: Model[Any, Any]) -> LateTorchShim[Any]:
    """Return the shim of a layer that `bridge` made."""
    (shim,) = model.shims
    assert isinstance(shim, LateTorchShim)
    return shim


def _set_values(parameter: nn.Parameter, values: FloatsXd) -> None:
    """Set a parameter's values in place: cuDNN wants a layer's weights to stay side by side."""
    data = xp2torch(values, device=parameter.device)
    if data.data_ptr() != parameter.data.data_ptr():  # else the optimizer worked in place
        parameter.data.copy_(data)

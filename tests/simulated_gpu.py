"""A GPU that is simulated on the CPU: what cupy and torch refuse on a GPU is refused here, too.

Arrays stand for cupy's: they are converted to numpy by `get` alone, and cannot be mixed with
numpy's. Tensors stand for torch's on "cuda:0": they cannot be mixed with those on the CPU. Both
compute with numpy and torch on the CPU, and share memory where the real ones do.

What it cannot show: the numbers of a GPU's own kernels, cuDNN, and how fast or large anything is.
"""

from __future__ import annotations

import contextlib
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import thinc.backends
import thinc.util
import torch
from numpy.lib.mixins import NDArrayOperatorsMixin
from thinc.api import CupyOps, NumpyOps, get_current_ops, set_current_ops
from thinc.shims import pytorch_grad_scaler
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

CUDA = torch.device("cuda", 0)

# Arrays


class DeviceArray(NDArrayOperatorsMixin):
    """Stand for `cupy.ndarray`."""

    __array_priority__ = 100

    def __init__(self, data: Any) -> None:
        self._data = numpy.asarray(data)

    def get(self) -> numpy.ndarray:
        return self._data.copy()

    def __array__(self, *args: Any, **kwargs: Any) -> numpy.ndarray:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Use `.get()`.")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return _on_host(getattr(ufunc, method))(*inputs, **kwargs)

    def __array_function__(self, func: Any, kinds: Any, args: Any, kwargs: Any) -> Any:
        return _on_host(func)(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # __array_interface__ above all
            raise AttributeError(name)
        value = getattr(self._data, name)
        return _on_host(value) if callable(value) else _wrapped(value)

    def __getitem__(self, index: Any) -> DeviceArray:
        return DeviceArray(self._data[_index(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        places = index if isinstance(index, tuple) else (index,)
        by_array = any(isinstance(i, list | numpy.ndarray | DeviceArray) for i in places)
        if not by_array:  # cupy copies numpy's arrays to places given by arrays, and there alone
            _refuse_numpy(value)
        self._data[_index(index)] = value._data if isinstance(value, DeviceArray) else value

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[DeviceArray]:
        return map(DeviceArray, self._data)

    def __float__(self) -> float:
        return float(self._data)

    def __int__(self) -> int:
        return int(self._data)

    def __bool__(self) -> bool:
        return bool(self._data)

    def __deepcopy__(self, memo: Any) -> DeviceArray:
        return DeviceArray(self._data.copy())

    def toDlpack(self) -> DeviceTensor:
        return DeviceTensor(torch.from_numpy(self._data))


def _wrapped(value: Any) -> Any:
    return DeviceArray(value) if isinstance(value, numpy.ndarray | numpy.generic) else value


def _refuse_numpy(value: Any) -> None:
    if isinstance(value, numpy.ndarray) and value.ndim:
        raise TypeError(f"Unsupported type {type(value)}")


def _index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(map(_index, index))
    return index._data if isinstance(index, DeviceArray) else index


def _on_host(func: Callable[..., Any], *, takes_numpy: bool = False) -> Callable[..., Any]:
    """Return a function of numpy's for arrays of the device alone, as cupy has it."""

    def of_device(value: Any) -> Any:
        if not takes_numpy:
            _refuse_numpy(value)
        return value._data if isinstance(value, DeviceArray) else value

    def run(*args: Any, **kwargs: Any) -> Any:
        given = pytree.tree_map(of_device, (args, kwargs))
        return pytree.tree_map(_wrapped, func(*given[0], **given[1]))

    return run


TAKE_NUMPY = ("array", "asarray", "ascontiguousarray", "split", "save")
"""Functions of cupy that take arrays of numpy."""


class Library(types.ModuleType):
    """Stand for the module `cupy`."""

    ndarray = DeviceArray

    def __init__(self, host: Any = numpy) -> None:
        super().__init__("cupy")
        self._host = host

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._host, name)
        if isinstance(value, types.ModuleType):
            return Library(value)
        if isinstance(value, type) or not callable(value):
            return value
        return _on_host(value, takes_numpy=name in TAKE_NUMPY)


class SimulatedOps(CupyOps):
    """Thinc's operations on such arrays; numpy's kernels stand for those of CUDA."""

    xp = Library()


def _kernel(name: str) -> Callable[..., Any]:
    return lambda self, *args, **kwargs: _on_host(getattr(NumpyOps(), name))(*args, **kwargs)


for _name in set(vars(CupyOps)) - {"__init__", "asarray", "gemm", "to_numpy", "position_encode"}:
    if isinstance(vars(CupyOps)[_name], types.FunctionType):
        setattr(SimulatedOps, _name, _kernel(_name))

# Tensors


class DeviceTensor(torch.Tensor):
    """Stand for a tensor on "cuda:0". For torch itself it is on the device "meta"."""

    device = CUDA
    is_cuda = True
    is_cpu = is_meta = False

    @staticmethod
    def __new__(cls, data: torch.Tensor) -> DeviceTensor:
        assert not isinstance(data, DeviceTensor)
        with torch.inference_mode(False):  # a view of weights is none of inference
            return torch.Tensor._make_wrapper_subclass(
                cls,
                data.shape,
                strides=data.stride(),
                storage_offset=data.storage_offset(),
                dtype=data.dtype,
                device="meta",
            )

    def __init__(self, data: torch.Tensor) -> None:
        self._on_host = data.detach()

    def __repr__(self, *args: Any, **kwargs: Any) -> str:
        return f"DeviceTensor({self._on_host})"

    def numpy(self, *args: Any, **kwargs: Any) -> numpy.ndarray:
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu().")

    def tolist(self) -> Any:
        return self._on_host.tolist()

    def data_ptr(self) -> int:
        return self._on_host.data_ptr()

    def __deepcopy__(self, memo: dict[int, Any]) -> torch.Tensor:
        if id(self) not in memo:
            copied = DeviceTensor(self._on_host.clone())
            is_parameter = isinstance(self, torch.nn.Parameter)
            memo[id(self)] = torch.nn.Parameter(copied) if is_parameter else copied
        return memo[id(self)]

    @classmethod
    def __torch_dispatch__(cls, func: Any, kinds: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        anywhere = func is torch.ops.aten.copy_.default

        def on_host(value: Any) -> Any:
            if isinstance(value, DeviceTensor):
                return value._on_host
            if isinstance(value, torch.Tensor) and value.ndim and not anywhere:
                raise RuntimeError(
                    f"{func}: expected all tensors to be on the same device, but found at least "
                    "two devices, cuda:0 and cpu!"
                )
            return value

        if "device" in kwargs:
            kwargs["device"] = "cpu"
        given = pytree.tree_map(on_host, (args, kwargs))
        result = func(*given[0], **given[1])
        known = {
            id(one._on_host): one
            for one in pytree.tree_leaves((args, kwargs))
            if isinstance(one, DeviceTensor)
        }

        def on_device(value: Any) -> Any:
            if not isinstance(value, torch.Tensor):
                return value
            # itself, if it was changed in place
            return known[id(value)] if id(value) in known else DeviceTensor(value)

        return pytree.tree_map(on_device, result)


LAYERS = ("linear", "lstm", "gru", "rnn_tanh")
"""Functions that autocast computes in 16 bits."""


class Cuda(TorchFunctionMode):
    """Make tensors for "cuda:0", and move them to it and back; stand for autocast.

    reduced: what layers compute in; None for what their weights are in.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reduced: torch.dtype | None = None

    @contextlib.contextmanager
    def autocast(
        self, device_type: str, dtype: torch.dtype = torch.float16, enabled: bool = True
    ) -> Iterator[None]:
        """Stand for `torch.autocast`."""
        assert device_type == "cuda"
        before, self.reduced = self.reduced, dtype if enabled else None
        yield
        self.reduced = before

    def __torch_function__(self, func: Any, kinds: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if self.reduced is not None and name in LAYERS:
            # of recurrent layers in 16 bits, cuDNN computes those in float16 alone
            dtype = self.reduced if name == "linear" else torch.float16
            args = pytree.tree_map(
                lambda one: one.to(dtype) if isinstance(one, torch.Tensor) else one, args
            )
        if func is torch.Tensor.cpu:
            func, args = torch.Tensor.to, (args[0], torch.device("cpu"))
        if func is torch.Tensor.cuda:
            func, args = torch.Tensor.to, (args[0], CUDA)
        if func is torch.Tensor.to:
            return self._moved(*args, **kwargs)
        if func is torch.Tensor.__setitem__ and not isinstance(args[2], torch.Tensor):
            args = (*args[:2], torch.tensor(args[2]))  # else torch puts it on "meta"
        device = kwargs.get("device")
        if device is not None and torch.device(device).type == "cuda":
            return DeviceTensor(func(*args, **{**kwargs, "device": "cpu"}))
        return func(*args, **kwargs)

    def _moved(self, tensor: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        device, dtype, *_ = torch._C._nn._parse_to(*args, **kwargs)
        result = tensor if dtype is None else tensor.to(dtype=dtype)
        if device is None or device.type == result.device.type:
            return result
        if device.type == "cuda":
            return DeviceTensor(result)
        assert isinstance(result, DeviceTensor)
        return result._on_host.to(device, copy=True)


@contextlib.contextmanager
def simulated_gpu(monkeypatch: Any) -> Iterator[None]:
    """Let thinc and torch use the simulated GPU inside the context."""
    before, mode = get_current_ops(), Cuda()
    monkeypatch.setattr(thinc.util, "cupy", SimulatedOps.xp)
    monkeypatch.setattr(thinc.util, "has_cupy", True)
    monkeypatch.setattr(thinc.util, "cupy_from_dlpack", lambda t: DeviceArray(t._on_host.numpy()))
    monkeypatch.setattr(thinc.backends, "CupyOps", SimulatedOps)
    monkeypatch.setattr(pytorch_grad_scaler, "has_torch_amp", True)
    monkeypatch.setattr(torch.utils.dlpack, "to_dlpack", lambda t: t)
    from_dlpack = torch.utils.dlpack.from_dlpack
    monkeypatch.setattr(
        torch.utils.dlpack,
        "from_dlpack",
        lambda t: t if isinstance(t, DeviceTensor) else from_dlpack(t),
    )
    monkeypatch.setattr(torch, "autocast", mode.autocast)
    monkeypatch.setattr(torch._C, "_is_any_autocast_enabled", lambda: mode.reduced is not None)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    properties = types.SimpleNamespace(major=8)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    monkeypatch.setattr(torch.backends.cudnn, "is_acceptable", lambda tensor: False)
    set_current_ops(SimulatedOps())
    try:
        with mode:
            yield
    finally:
        set_current_ops(before)

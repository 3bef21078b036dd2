"""The GPU or the CPU: choose it, wait for it, and ask how much memory was used on it.

    python -m measuring.device

Prints the requirement of the cupy that is for the installed torch, for `make gpu`.
"""

from __future__ import annotations

import contextlib
import platform
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import spacy
import torch
from thinc.compat import cupy, has_cupy_gpu

STATUS = Path("/proc/self/status")
"""What Linux says of this process."""


class Device:
    """Where a tagger computes.

    gpu: Whether it is the GPU; otherwise it is the CPU.
    """

    def __init__(self, *, gpu: bool) -> None:
        self.gpu = gpu

    def use(self) -> None:
        """Let spaCy make and load pipelines on it from now on."""
        if self.gpu:
            spacy.require_gpu()
        else:
            spacy.require_cpu()

    def wait(self) -> None:
        """Wait until all that it was asked for is done."""
        if self.gpu:
            torch.cuda.synchronize()

    def forget_peak(self) -> None:
        """Measure the peak from now on. That of a CPU is of the process."""
        if self.gpu:
            torch.cuda.empty_cache()
            cupy.get_default_memory_pool().free_all_blocks()
            torch.cuda.reset_peak_memory_stats()

    def peak(self) -> float:
        """Return the peak in MiB: what torch allocated, and cupy's pool; of a CPU, the process's.

        Most of cupy's memory is torch's, too: thinc lets the two share a pool if there is torch.
        """
        if self.gpu:
            pool = cupy.get_default_memory_pool().total_bytes()
            return (torch.cuda.max_memory_allocated() + pool) / 2**20
        return resident_peak()


def resident_peak() -> float:
    """Return the peak of the memory of this process, in MiB."""
    if STATUS.is_file():  # ru_maxrss counts the memory of the process that this one came from
        return int(STATUS.read_text().split("VmHWM:")[1].split()[0]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024  # bytes of what getrusage counts
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


@contextlib.contextmanager
def without_tf32(device: Device) -> Iterator[None]:
    """Let recurrent layers compute in float32 throughout, not in TF32, as torch has it."""
    if not device.gpu:
        yield
        return
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


def missing() -> str | None:
    """Return why nothing can run on a GPU here; None if it can."""
    if not torch.cuda.is_available():
        return (
            f"torch {torch.__version__} finds no CUDA GPU. Take a machine with an NVIDIA GPU and a "
            "torch for CUDA, which the environment variable TORCH names for make"
        )
    if not has_cupy_gpu:
        return (
            "spaCy runs on a GPU with cupy alone. Install the one for torch's CUDA: pip install "
            f"'{cupy_for(torch.version.cuda)}'"
        )
    return None


def cupy_for(cuda: str | None) -> str:
    """Return the requirement of the cupy for a version of CUDA, with the libraries it needs.

    "" without CUDA.
    """
    return f"cupy-cuda{cuda.partition('.')[0]}x[ctk]" if cuda else ""


def facts() -> dict[str, Any]:
    """Return what figures of the GPU depend on."""
    if missing():
        return {"gpu": "none", "cpu": platform.machine()}
    properties: Any = torch.cuda.get_device_properties(0)
    return {
        "gpu": properties.name,
        "memory, MiB": properties.total_memory // 2**20,
        "capability": f"{properties.major}.{properties.minor}",
        "CUDA": torch.version.cuda,
        "cuDNN": torch.backends.cudnn.version(),
        "cupy": cupy.__version__,
    }


if __name__ == "__main__":
    print(cupy_for(torch.version.cuda))

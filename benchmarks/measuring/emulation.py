"""CPUs that QEMU emulates, with Python and the wheels that run on them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from .taggers import Unavailable

LIBRARIES = ("spacy", "thinc", "numpy", "onnxruntime")
"""What is installed for Arm, in the versions that are installed here."""

TORCH_NEEDS = ("filelock", "fsspec", "jinja2", "networkx", "sympy", "typing-extensions")
"""What torch imports. Other requirements of its wheels are for GPUs."""

PLATFORMS = [f"manylinux_2_{i}_aarch64" for i in range(28, 16, -1)] + ["manylinux2014_aarch64"]


def qemu(target: str, folder: Path | None) -> Path:
    """Return the path of QEMU's emulator of a CPU for programs.

    target: "x86_64" or "aarch64".
    folder: where to look for it; None for the directories of PATH.
    Raises Unavailable if it is not there.
    """
    name = f"qemu-{target}"
    if found := shutil.which(name, path=None if folder is None else str(folder)):
        return Path(found).resolve()
    raise Unavailable(
        f"{name} is not in {folder or 'PATH'}. Install it with `apt-get install qemu-user`, or "
        "name its folder with --qemu"
    )


def qemu_version(emulator: Path) -> str:
    """Return the version of an emulator, such as "10.0.13"."""
    said = subprocess.run([emulator, "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split("version ")[1].split()[0]


class ArmPython:
    """A Python for Arm in a folder, from Debian's packages, with wheels from the package index.

    What is in the folder already is used as it is.

    folder: where all of it is.
    torch: requirement of a build of torch for the CPU.
    Raises Unavailable if something cannot be had.
    """

    def __init__(self, folder: Path, torch: str) -> None:
        self.root, self.wheels = folder / "root", folder / "wheels"
        if not self.root.is_dir():
            _unpack_python(folder, self.root)
        (self.python,) = (
            path for path in self.root.glob("usr/bin/python3.*") if path.suffix[1:].isdigit()
        )
        if not self.wheels.is_dir():
            unfinished = folder / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            self._install(unfinished, [f"{name}=={version(name)}" for name in LIBRARIES])
            self._install(unfinished, [torch], "--no-deps")
            self._install(unfinished, TORCH_NEEDS)
            unfinished.rename(self.wheels)

    def command(self, emulator: Path, cpu: str) -> list[str]:
        """Return the command that runs this Python on a CPU."""
        return [*map(str, (emulator, "-cpu", cpu, "-L", self.root, self.python))]

    def _install(self, target: Path, requirements: Sequence[str], *options: str) -> None:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target)]
        command += ["--upgrade", "--implementation", "cp", "--only-binary=:all:", *options]
        command += ["--python-version", self.python.name.removeprefix("python")]
        for platform in PLATFORMS:
            command += ["--platform", platform]
        _run([*command, *requirements])


def _unpack_python(folder: Path, root: Path) -> None:
    """Unpack Debian's Python for Arm, with all that it needs; nothing is installed."""
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise Unavailable("Python for Arm is that of Debian's packages, but there is no apt-get")
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    apt = ["apt-get", "--quiet", "-o", "Debug::NoLocking=1"]
    for setting in (
        *("APT::Architecture=arm64", "APT::Architectures=arm64"),
        *(f"Dir::State::Lists={folder / 'lists'}", f"Dir::State::status={folder / 'status'}"),
        f"Dir::Cache={folder / 'cache'}",
    ):
        apt += ["-o", setting]
    _run([*apt, "update"])
    install = ["install", "--yes", "--download-only", "--no-install-recommends"]
    _run([*apt, *install, "python3", "libstdc++6"])
    unfinished = folder / "unpacked"
    for archive in sorted((folder / "cache" / "archives").glob("*.deb")):
        _run(["dpkg", "-x", str(archive), str(unfinished)])
    unfinished.rename(root)


def _run(command: list[str]) -> None:
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Unavailable(f"`{' '.join(command[:4])} ...` failed: {said[-1] if said else ''}")

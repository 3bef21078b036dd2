"""Code of another checkout of this package, to train and time taggers in processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from . import training
from .taggers import Unavailable, last_line

PARTS = ("pyproject.toml", "README.md", "LICENSE", "configs", "spacy_lstm_tagger")
"""What a checkout is installed from. The build would leave files in the checkout itself."""

BENCHMARKS = Path(__file__).parent.parent


class Installed(AbstractContextManager):
    """Checkout of this package, installed in a temporary directory.

    checkout: Its directory.
    RAISES Unavailable: If it cannot be installed.

    `environment` is that of a process that imports the checkout's code, with one thread; `commit`
    is the abbreviated hash of what is checked out, or the name of the directory.
    """

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        command = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True)
        self.commit = done.stdout.strip() or checkout.name
        self.files = tempfile.TemporaryDirectory()
        self.target = Path(self.files.name) / "installed"
        path = os.pathsep.join([str(self.target), str(BENCHMARKS)])
        self.environment = training.environment(1, PYTHONPATH=path)
        try:
            self._install()
        except Unavailable:
            self.files.cleanup()
            raise

    def train(self, directory: Path, config: str, corpora: tuple[Path, ...], steps: int) -> None:
        """Train with the checkout's code and config, unless that is done already.

        directory: Directory of the pipeline.
        config: Name of a file in the checkout's `configs`.
        corpora: The .spacy files to train on, and to choose the best model on.
        steps: Number of steps; 0: the config's.
        RAISES Unavailable: If the checkout has no such config, or the training fails.
        """
        if training.read_record(directory):
            return
        path, log = self.checkout / "configs" / config, directory / "log.txt"
        if not path.is_file():
            raise Unavailable(f"there is no configs/{config} in it")
        directory.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "spacy", "train", path, "--output", directory]
        command += ["--paths.train", corpora[0], "--paths.dev", corpora[1]]
        command += (
            ["--training.max_steps", steps, "--training.eval_frequency", steps] if steps else []
        )
        start = time.perf_counter()
        try:
            training.run_logged(list(map(str, command)), self.environment, log, cwd=self.target)
        except subprocess.CalledProcessError as error:
            raise Unavailable(f"its training failed: {last_line(log)}") from error
        training.write_record(directory, time.perf_counter() - start, 1)

    def __exit__(self, *_: object) -> None:
        """Remove what was installed."""
        self.files.cleanup()

    def _install(self) -> None:
        source = self.target.with_name("source")
        source.mkdir()
        for name in PARTS:
            path = self.checkout / name
            if path.is_dir():
                shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif path.is_file():
                shutil.copy(path, source / name)
            else:
                message = f"'{self.checkout}' is not a checkout of this package: it has no '{name}'"
                raise Unavailable(message)
        command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation"]
        command += ["--quiet", "--target", str(self.target), str(source)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise Unavailable(f"'{self.checkout}' cannot be installed:\n{done.stderr}")


class Checkout(AbstractContextManager):
    """Trained pipeline in a process that runs the code of a checkout, with one thread.

    installed: The checkout.
    model: Directory of the pipeline. Settings that the checkout does not know are left out.
    data: A .spacy file with sentences.
    precision: What the checkout exports the pipeline to, "int8" or "float32"; or "torch".
    RAISES Unavailable: If the checkout cannot load or export the pipeline.
    """

    def __init__(self, installed: Installed, model: Path, data: Path, precision: str) -> None:
        arguments = [installed.target, model.resolve(), data.resolve(), precision]
        self.log = tempfile.TemporaryFile("w+", encoding="utf8")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", "measuring.checkout_worker", *map(str, arguments)],
            cwd=installed.target,
            env=installed.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        try:
            self._wait()
        except Unavailable:
            self.__exit__()
            raise

    def prepare(self, task: str) -> Callable[[], None]:
        """Make the docs or texts of a task; return the function that tags them once.

        task: One of `measuring.work.TITLES`.
        """
        self._tell(task)
        return lambda: self._tell("run")

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()
        self.log.close()

    def _tell(self, line: str) -> None:
        print(line, file=self.process.stdin, flush=True)
        self._wait()

    def _wait(self) -> None:
        if not self.process.stdout.readline():
            self.process.wait()
            self.log.seek(0)
            lines = self.log.read().split("\n")
            raise Unavailable(f"it ended: {next(filter(None, reversed(lines)), '')}")

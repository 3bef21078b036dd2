"""A tagger of another library that tags when it is told to: `peers ... time` in another process."""

from __future__ import annotations

import json
import subprocess
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from . import training
from .peer_row import BENCHMARKS, KEEP_MEMORY, PeerRow
from .peers.interface import READY, Sentences
from .taggers import Unavailable, last_line


class PeerTimer(AbstractContextManager):
    """A process with an untrained tagger of the library's usual size.

    row: Names the library, and the Pythons that may have it.
    directory: Where its files may lie.
    train: CoNLL-U file, for words, characters and tags.
    sentences: What is to be tagged, as words.
    RAISES Unavailable: Where the library is not installed, or the tagger could not be made.

    `ended` says whether the process has ended by itself.
    """

    ended = False

    def __init__(self, row: PeerRow, directory: Path, train: Path, sentences: Sentences) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.log = directory / "log.txt"
        words = directory / "words.json"
        words.write_text(json.dumps(sentences), encoding="utf8")
        args = ("time", "--train", train, "--words", words, "--model", directory)
        with self.log.open("w", encoding="utf8") as log:
            self.process = subprocess.Popen(
                row.command(*args),
                env=training.environment(1, PYTHONPATH=str(BENCHMARKS), **KEEP_MEMORY),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            while self._line() != READY:
                pass  # some libraries print what they do
        except Unavailable:
            self.__exit__()
            raise

    def __call__(self) -> None:
        """Tag all sentences once.

        RAISES Unavailable: Where the process has ended, as one does that runs out of memory.
        """
        with suppress(BrokenPipeError):  # what it wrote last says more
            print(file=self.process.stdin, flush=True)
        float(self._line())

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()

    def _line(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            self.ended = True
            raise Unavailable(f"it ended: {last_line(self.log)}")
        return line.strip()

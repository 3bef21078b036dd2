"""Timer of a tagger of another library, which runs `peers ... time` in another process."""

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
    """Process with an untrained tagger of the library's usual size. A call tags all sentences.

    row: Row that names the library, and the Pythons that may have it.
    directory: Directory for its files.
    train: CoNLL-U file, for words, characters and tags.
    sentences: Sentences to tag, as words.
    RAISES Unavailable: If the library is not installed, or the tagger cannot be made.

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

        RAISES Unavailable: If the process has ended, for example because it ran out of memory.
        """
        with suppress(BrokenPipeError):  # the last line of its log says more
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

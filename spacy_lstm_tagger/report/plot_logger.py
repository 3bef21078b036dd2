"""Training logger that draws curves of loss, scores and speed after every evaluation."""

# Annotations are evaluated, not strings: spaCy's config system reads them to check settings.
import csv
import io
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import IO, Any

from spacy.language import Language
from spacy.training.loggers import console_logger

from ..extras import import_extra
from ..files.atomic import write_file


def build_plot_logger_v1(path: str, progress_bar: bool = False) -> Callable[..., Any]:
    """Build a logger that prints what `spacy.ConsoleLogger.v1` prints, and draws curves.

    path (str): Path without the suffix. The curves go to `path`.svg, their numbers to `path`.csv.
        Files of an earlier training are replaced.
    progress_bar (bool): Whether to show a progress bar until the next evaluation.
    RETURNS (Callable): Function that sets up logging. It raises OSError if the directory of
        `path` cannot be made.
    RAISES ImportError: If matplotlib is missing.
    """
    import_extra("matplotlib")
    setup_console = console_logger(progress_bar=progress_bar)

    def setup_logger(
        nlp: Language, stdout: IO[str] = sys.stdout, stderr: IO[str] = sys.stderr
    ) -> tuple[Callable[[dict[str, Any] | None], None], Callable[[], None]]:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        print_step, finalize = setup_console(nlp, stdout, stderr)
        weights = nlp.config["training"]["score_weights"]
        curves = Curves([name for name, weight in weights.items() if weight is not None])

        def log_step(info: dict[str, Any] | None) -> None:
            curves.add(info)
            print_step(info)
            if info is not None:
                try:
                    curves.write(Path(path))
                except OSError as error:  # a full disk must not end a training
                    stderr.write(f"Cannot write the curves {path}: {error}\n")
                curves.resume()

        return log_step, finalize

    return setup_logger


class Curves:
    """Losses, scores and speed of a training at each evaluation.

    scores: names of the scores to keep.
    clock: function that returns the time in seconds.

    `rows` has one dict for each evaluation; its keys are the columns of the CSV file.
    """

    def __init__(self, scores: list[str], clock: Callable[[], float] = perf_counter) -> None:
        self.scores = scores
        self.clock = clock
        self.rows: list[dict[str, Any]] = []
        self.steps = 0
        self.started = self.now = clock()

    def add(self, info: dict[str, Any] | None) -> None:
        """Add a step.

        info: dict that spaCy passes to loggers after an evaluation; None after any other step.
        """
        self.steps += 1
        if info is None:
            self.now = self.clock()
            return
        row = {name: info[name] for name in ("epoch", "step", "seconds", "words", "score")}
        row.update({name: info["other_scores"].get(name) for name in self.scores})
        row.update({f"loss_{name}": float(loss) for name, loss in info["losses"].items()})
        row["words_per_second"] = self._speed(info["words"])
        self.rows.append(row)

    def resume(self) -> None:
        """Restart the clock for the steps up to the next evaluation."""
        self.steps = 0
        self.started = self.now = self.clock()

    def _speed(self, words: int) -> float | None:
        """Return the words trained on per second since the last evaluation.

        The step before an evaluation is left out, as its time cannot be told from that of the
        evaluation. Returns None if there are no other steps. Returns None for the first
        evaluation, too: the time before it went into reading the corpus.
        """
        elapsed = self.now - self.started
        if not self.rows or elapsed <= 0:
            return None
        share = (self.steps - 1) / self.steps
        return float((words - self.rows[-1]["words"]) * share / elapsed)

    def write(self, path: Path) -> None:
        """Write `path`.csv and `path`.svg, each as a whole or not at all."""
        from .curves import plot_curves

        table = io.StringIO()
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        writer = csv.DictWriter(table, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_file(path.with_name(f"{path.name}.csv"), table.getvalue().encode())
        svg = plot_curves(self.rows, self.scores)
        write_file(path.with_name(f"{path.name}.svg"), svg.encode())

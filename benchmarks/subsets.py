"""Compare taggers trained on parts of a treebank: its first sentences, or all genres but one.

    python benchmarks/subsets.py [--corpora en_ewt,tr_imst] [--sentences 30,100,300,1000,3000]
        [--genres answers,email,newsgroup,reviews,weblog] [--taggers cnn,nltk,default]

Learning curves: each tagger is trained on the first sentences of the train split, and scored on the
whole dev split, on which it also chose its best model. Genres left out: each is trained on the
other genres, chooses its best model on their dev split, and is scored on the train split of the
genre that it never saw. Writes SUBSETS.md and SUBSETS.svg to --output.

A model or score that is in --work already is not made again. So the command can be interrupted and
continued, and its work can be done in parts. The results of each training are kept in --kept, one
JSON file each. They are part of the repository: a later run on another machine adds to them.

The taggers: cnn, spaCy's; nltk, if NLTK is found in this environment or in that of --peers-python;
default, the recipe configs/default.cfg as `init-config --train` fits it to the size.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and numpy are loaded

import torch
import typer
from measuring import training
from measuring.devset import Treebank
from measuring.peer_row import PeerRow
from measuring.runs import Plan, run
from measuring.subset_report import Curves, draw_curves, report
from measuring.subsets import Part, first_sentences, fitted_config, without_genre
from measuring.tables import TaggerResults
from measuring.taggers import Budget, Row, SpacyRow
from measuring.treebank import EDITED, WEB

DEFAULT = training.ROOT / "configs" / "default.cfg"
TAGGERS = ("cnn", "nltk", "default")


def main(
    taggers: str = typer.Option(",".join(TAGGERS), help="Names separated by commas"),
    corpora: str = typer.Option("en_ewt,tr_imst", help="Treebanks separated by commas"),
    sentences: str = typer.Option(
        "30,100,300,1000,3000", help="Sizes in sentences separated by commas; empty for none"
    ),
    genres: str = typer.Option(
        ",".join(sorted(EDITED + WEB)),
        help="Genres of en_ewt to leave out, separated by commas; empty for none",
    ),
    seeds: str = typer.Option("0", help="Numbers separated by commas"),
    threads: int = typer.Option(1, min=1, help="Threads of each training"),
    limit: float = typer.Option(40.0, min=0.0, help="Minutes after which a peer is stopped"),
    score_only: bool = typer.Option(False, help="Train nothing"),
    peers_python: str = typer.Option(sys.executable, help="Python that has NLTK"),
    data: Path = typer.Option(training.DATA, help="Directory of the CoNLL-U files"),
    work: Path = typer.Option(
        training.ROOT / "training" / "subsets", help="Directory of models and scores"
    ),
    kept: Path = typer.Option(
        training.ROOT / "benchmarks" / "measured" / "subsets",
        help="Directory of the results so far",
    ),
    output: Path = typer.Option(
        training.ROOT / "benchmarks", help="Directory to write SUBSETS.md and SUBSETS.svg to"
    ),
) -> None:
    """Train and score taggers on parts of treebanks, and write a report."""
    if unknown := [key for key in taggers.split(",") if key not in TAGGERS]:
        message = f"no tagger {', '.join(unknown)}; there are {', '.join(TAGGERS)}"
        raise typer.BadParameter(message)
    torch.set_num_threads(threads)
    numbers = _numbers(seeds, "--seeds")
    no_training = "`--score-only`" if score_only else ""
    pythons = (sys.executable, peers_python)

    def measure(part: Part) -> list[TaggerResults]:
        plan = Plan(Budget(threads, limit), no_training, kept=kept, score=part.score)
        rows = _rows(part, pythons)
        found = [TaggerResults(key, rows[key].title, []) for key in taggers.split(",")]
        for tagger in found:
            for seed in numbers:
                result = run(rows[tagger.key], part.treebank, seed, lambda: part.gold, plan)
                tagger.results.append(result)
                said = result.stopped or f"{result.scores['accuracy']['gold']:.2f}"
                print(f"{part.treebank.name} {tagger.key} {seed}: {said}", flush=True)
        return found

    names = corpora.split(",")
    curves: Curves = {name: {} for name in names}
    for size in _numbers(sentences, "--sentences"):  # the small ones of all treebanks first
        for name in names:
            part = first_sentences(Treebank(name, data, work.resolve()), size)
            curves[name][size] = (part.n_words, measure(part))
    by_genre = {
        genre: measure(without_genre(Treebank("en_ewt", data, work.resolve()), genre))
        for genre in filter(None, genres.split(","))
    }
    command = f"--taggers {taggers} --corpora {corpora} --sentences '{sentences}'"
    command += f" --genres '{genres}' --seeds {seeds} --threads {threads}"
    command = f"python benchmarks/subsets.py {command}"
    (output / "SUBSETS.md").write_text(report(curves, by_genre, command), encoding="utf8")
    draw_curves(output / "SUBSETS.svg", curves)
    print(f"Wrote SUBSETS.md and SUBSETS.svg to {output}")


def _rows(part: Part, pythons: tuple[str, ...]) -> dict[str, Row]:
    """Return the row of each of TAGGERS."""
    return {
        "cnn": SpacyRow("cnn", "spaCy CNN", training.cnn_config),
        "nltk": PeerRow("nltk", "NLTK PerceptronTagger", "nltk", "nltk_perceptron", pythons),
        "default": SpacyRow("default", "`default.cfg`", fitted_config(DEFAULT, part.n_words)),
    }


def _numbers(text: str, option: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",") if part]
    except ValueError as error:
        message = f"{option} is '{text}', but must be whole numbers separated by commas: 0,1,2"
        raise typer.BadParameter(message) from error


if __name__ == "__main__":
    typer.run(main)

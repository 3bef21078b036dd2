"""Compare the speed of an earlier checkout of this package with that of this one.

    git worktree add ../earlier COMMIT
    python benchmarks/earlier.py ../earlier PIPELINE DEV.spacy [--precision int8] [--rounds 7]

Both load the same trained pipeline, export it with their own code, unless the precision is "torch",
and take turns with one thread each, in processes of their own: on ready docs of a sentence, on
texts of ten sentences, and on one sentence at a time. A ratio above 1 says that this checkout is
faster. Unlike words a second, it travels from machine to machine. Settings of the pipeline that a
checkout does not know are left out there.
"""

from __future__ import annotations

from contextlib import ExitStack
from operator import methodcaller
from pathlib import Path

import typer
from measuring.checkout import Checkout, Installed
from measuring.taggers import Unavailable
from measuring.turns import take_turns
from measuring.work import TITLES

HERE = Path(__file__).parent.parent


def main(
    checkout: Path = typer.Argument(..., help="The earlier checkout", exists=True),
    model: Path = typer.Argument(..., help="A trained pipeline", exists=True),
    data: Path = typer.Argument(..., help="A .spacy file of sentences", exists=True),
    precision: str = typer.Option("int8", help="int8, float32 (both exported) or torch"),
    rounds: int = typer.Option(7, min=1, help="Turns of each, after one to warm up"),
) -> None:
    """Print the ratio of the median times for each task."""
    with ExitStack() as stack:
        pipelines = {}
        for name, directory in (("earlier", checkout), ("now", HERE)):
            try:
                installed = stack.enter_context(Installed(directory))
                pipeline = stack.enter_context(Checkout(installed, model, data, precision))
            except Unavailable as error:
                typer.echo(f"{directory}: {error}", err=True)
                raise typer.Exit(1) from None
            pipelines[name] = pipeline
        for task, title in TITLES.items():
            times = take_turns(pipelines, methodcaller("prepare", task), rounds)
            earlier, now = times["earlier"], times["now"]
            print(f"{title}: {earlier / now:.2f} times as fast ({earlier:.3f} s, now {now:.3f} s)")


if __name__ == "__main__":
    typer.run(main)

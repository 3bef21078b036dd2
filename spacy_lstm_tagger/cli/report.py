"""`python -m spacy lstm-tagger report`: an HTML page on a tagger's accuracy and errors."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from spacy.cli._util import import_code

from ..extras import import_extra
from ..files.atomic import write_file
from . import lstm_tagger_cli
from .errors import failing_in_one_line
from .messages import good, warn
from .pipelines import check_parent, load_pipeline

if TYPE_CHECKING:
    from ..report.build import Report

WORST = 25


@lstm_tagger_cli.command("report")
def report_cli(
    model: str = typer.Argument(..., help="Name or path of a trained pipeline"),
    data: Path = typer.Argument(
        ..., help="A .spacy file with gold tags or other values", exists=True
    ),
    output: Path = typer.Argument(..., help="The HTML file to write", dir_okay=False),
    other: str | None = typer.Option(
        None, "--compare", "-c", help="Another trained pipeline, shown beside the first"
    ),
    json_path: Path | None = typer.Option(
        None, "--json", "-j", help="JSON file to write the same figures to", dir_okay=False
    ),
    train: Path | None = typer.Option(
        None, "--train", "-t", help="A .spacy file with the words that count as seen", exists=True
    ),
    worst: int = typer.Option(WORST, "--worst", "-w", help="Worst sentences to show", min=0),
    code: Path | None = typer.Option(
        None, "--code", help="Python file with functions that the pipelines need", exists=True
    ),
) -> None:
    """Write an HTML page with the accuracy, the errors and the reliability of a tagger.

    Parts of speech, morphological features and lemmas have a section each if the pipeline sets
    them and the data has them.

    Like `spacy evaluate --gold-preproc`, it gives the pipeline the gold words, one sentence at a
    time. The figures on raw text are those of `spacy evaluate` without it. Without --train, the
    words in the first pipeline's own vocabulary count as seen.
    """
    with failing_in_one_line(f"Cannot make a report of '{model}' on {data}"):
        for path in filter(None, (output, json_path)):
            check_parent(path, inputs=[data, train])
        from ..report.build import build_report
        from ..report.page import render_page
        from ..report.templating import new_environment

        import_extra("matplotlib")  # fails before the work, not after it
        new_environment()
        import_code(code)
        names = [model] if other is None else [model, other]
        pipelines = [(name, load_pipeline(name)) for name in names]
        report = build_report(pipelines, data, train=train, worst=worst)
        page = render_page(report)
        figures = json.dumps(report.to_dict(), ensure_ascii=False, allow_nan=False, indent=1)
        if json_path is not None:
            write_file(json_path, f"{figures}\n".encode())
        write_file(output, page.encode())
    for line in _summary(report):
        good(line)
    for warning in report.warnings:
        warn(warning)
    good(f"Wrote {output}")


def _summary(report: "Report") -> list[str]:
    """Return the figures at the top of the page, one line each."""
    lines = []
    for tagger in report.taggers:
        share, raw = tagger.accuracy, tagger.raw_text
        lines.append(
            f"{tagger.model}: {100 * share.accuracy:.2f} % ({100 * share.low:.2f} to "
            f"{100 * share.high:.2f}) of {share.n} words"
        )
        if raw is not None:
            lines.append(
                f"{tagger.model} on raw text: {100 * raw.tag_acc:.2f} % (tag_acc of `spacy "
                f"evaluate`); {100 * raw.token_r:.2f} % of {raw.n_words} gold tokens are found"
            )
    if (found := report.comparison) is not None:
        lines.append(
            f"{found.second} minus {found.first}: {100 * found.difference:+.2f} points "
            f"({100 * found.low:+.2f} to {100 * found.high:+.2f}); {found.fixed} words fixed, "
            f"{found.broken} broken"
        )
    for output in report.outputs:
        for figures in filter(None, output.taggers):
            share, on_text = figures.accuracy, figures.raw_text
            more = "" if on_text is None else f"; on raw text {100 * on_text:.2f} %"
            lines.append(
                f"{figures.model}, {output.name}_acc: {100 * share.accuracy:.2f} % "
                f"({100 * share.low:.2f} to {100 * share.high:.2f}) of {share.n} words{more}"
            )
    return lines

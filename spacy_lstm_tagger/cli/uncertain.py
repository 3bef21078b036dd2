"""`python -m spacy lstm-tagger uncertain`: list uncertain tokens for the next annotation."""

from pathlib import Path

import srsly
import typer

from ..files.raw_text import read_docs
from ..report.annotation_tasks import label_studio_task, prodigy_task, uncertain_tokens
from . import lstm_tagger_cli
from .errors import fail, failing_in_one_line
from .pipelines import get_tagger, load_pipeline

FORMATS = {"prodigy": prodigy_task, "label-studio": label_studio_task}
CANDIDATES = 3


@lstm_tagger_cli.command("uncertain")
def uncertain_cli(
    model: str = typer.Argument(..., help="Name or path of a trained pipeline"),
    raw: Path = typer.Argument(
        ..., help="Text: .txt (a text a line), .jsonl, either with .gz, or .spacy", exists=True
    ),
    below: float = typer.Option(0.5, "--below", "-b", help="List tokens less probable than this"),
    form: str = typer.Option("prodigy", "--format", "-f", help="prodigy or label-studio"),
    component: str = typer.Option("lstm_tagger", "--component", "-c", help="The tagger's name"),
) -> None:
    """Print the sentences that have uncertain tokens as JSON, one a line."""
    if not 0 < below <= 1:
        fail(f"--below is {below}, but must be above 0 up to 1")
    if form not in FORMATS:
        fail(f"--format is '{form}', but must be one of {', '.join(FORMATS)}")
    with failing_in_one_line(f"Cannot list uncertain tokens of {raw}"):
        nlp = load_pipeline(model)
        get_tagger(nlp, component).cfg["save_probabilities"] = CANDIDATES
        docs = nlp.pipe(read_docs(raw, nlp))
        for sentence, tokens in uncertain_tokens(docs, below):
            print(srsly.json_dumps(FORMATS[form](sentence, tokens)))

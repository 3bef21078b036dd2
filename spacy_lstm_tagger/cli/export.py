"""`python -m spacy lstm-tagger export`: a trained pipeline for ONNX Runtime, without torch."""

from pathlib import Path

import typer

from ..pipeline.tagger import LSTMTagger
from ..runtime.export import PRECISIONS, export_tagger, exportable
from . import lstm_tagger_cli, messages
from .errors import fail, failing_in_one_line
from .pipelines import check_new, load_pipeline, save_pipeline


@lstm_tagger_cli.command("export")
def export_cli(
    model: str = typer.Argument(..., help="Name or path of a trained pipeline"),
    output: Path = typer.Argument(..., help="The directory to write", file_okay=False),
    precision: str = typer.Option("float32", "--precision", "-p", help="float32 or int8"),
    force: bool = typer.Option(False, "--force", "-f", help="Replace a pipeline that is there"),
) -> None:
    """Write a pipeline whose lstm_tagger runs on ONNX Runtime and needs no torch.

    The tags stay the same but for rounding. The pipeline loads with spacy.load() and packages
    with `spacy package`; it cannot be trained. int8 is for the cell "lstm" alone.
    """
    if precision not in PRECISIONS:
        fail(f"--precision is '{precision}', but must be one of {', '.join(PRECISIONS)}")
    with failing_in_one_line(f"Cannot export the pipeline '{model}'"):
        check_new(output, force=force, inputs=[model])
        nlp = load_pipeline(model)
        names = [name for name in nlp.pipe_names if exportable(nlp, name)]
        if not names:
            exported = [name for name, pipe in nlp.pipeline if isinstance(pipe, LSTMTagger)]
            raise ValueError(
                f"its component '{exported[0]}' is exported already."
                if exported
                else f"it has the components {nlp.pipe_names}, none of which has the model "
                "spacy-lstm-tagger.LSTMTagger.v1."
            )
        for name in names:
            export_tagger(nlp, name, precision)
        save_pipeline(nlp, output)
    messages.good(f"Wrote {output}: {', '.join(names)} in {precision}")

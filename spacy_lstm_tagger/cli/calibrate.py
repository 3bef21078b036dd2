"""`python -m spacy lstm-tagger calibrate`: make probabilities say how often tags are right."""

from pathlib import Path

import numpy
import spacy
import typer
from spacy.pipeline.tagger import Tagger
from spacy.tokens import Doc
from wasabi import msg

from ..files.raw_text import stored_docs
from ..pipeline.probabilities import calibration_error, fit_temperature, score_tokens, softmax
from . import lstm_tagger_cli
from .output import check_new, save_pipeline

BATCH = 500


@lstm_tagger_cli.command("calibrate")
def calibrate_cli(
    model: str = typer.Argument(..., help="Name or path of a trained pipeline"),
    data: Path = typer.Argument(..., help="Held-out .spacy file with gold tags", exists=True),
    output: Path = typer.Argument(..., help="The directory to write", file_okay=False),
    component: str = typer.Option("lstm_tagger", "--component", "-c", help="The tagger's name"),
) -> None:
    """Fit a temperature on held-out data and save the pipeline with it. Tags do not change.

    The expected calibration error is measured on the half of the docs that the temperature was
    not fitted on, and the other way round; the temperature that is saved is fitted on all.
    """
    check_new(output)
    try:
        nlp = spacy.load(model)
        if component not in nlp.pipe_names:
            raise ValueError(f"There is no component '{component}', only {nlp.pipe_names}.")
        tagger = nlp.get_pipe(component)
        docs = list(stored_docs(data, nlp.vocab))
        halves = [_scored(tagger, docs[0::2]), _scored(tagger, docs[1::2])]
    except (OSError, ValueError) as error:
        msg.fail(f"Cannot calibrate the pipeline '{model}'", str(error), exits=1)
    before, after = [], []
    for (scores, gold), (others, other_gold) in zip(halves, halves[::-1], strict=True):
        before.append(calibration_error(softmax(numpy, scores), gold))
        temperature = fit_temperature(others, other_gold)
        after.append(calibration_error(softmax(numpy, scores / temperature), gold))
    scores, gold = (numpy.concatenate(parts) for parts in zip(*halves, strict=True))
    tagger.cfg["temperature"] = fit_temperature(scores, gold)
    save_pipeline(nlp, output)
    msg.good(
        f"Wrote {output}: temperature {tagger.cfg['temperature']:.3f}, expected calibration "
        f"error {100 * numpy.mean(after):.2f} % (uncalibrated {100 * numpy.mean(before):.2f} %)"
    )


def _scored(tagger: Tagger, docs: list[Doc]) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Scores and gold columns of all tokens that have a gold tag that the tagger knows."""
    columns = {label: i for i, label in enumerate(tagger.labels)}
    gold = numpy.asarray([columns.get(token.tag_, -1) for doc in docs for token in doc])
    if not (gold >= 0).any():
        raise ValueError("Less than two of the docs have tokens with gold tags that it knows.")
    batches = [docs[i : i + BATCH] for i in range(0, len(docs), BATCH)]
    predicted = [scores for batch in batches for scores in score_tokens(tagger, batch).tags]
    scores = numpy.concatenate([tagger.model.ops.to_numpy(rows) for rows in predicted])
    return scores[gold >= 0], gold[gold >= 0]

"""`python -m spacy lstm-tagger calibrate`: make probabilities say how often tags are right."""

from pathlib import Path
from typing import Any

import numpy
import typer
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import NumpyOps

from ..arrays import Floats2d, Ints1d
from ..files.raw_text import bare_doc, stored_docs
from ..outputs import columns_of, make_outputs, outputs_of
from ..outputs.output import MISSING, Output
from ..pipeline.calibration import calibration_error, fit_temperature
from ..pipeline.probabilities import label_scores
from . import lstm_tagger_cli, messages
from .errors import failing_in_one_line
from .pipelines import check_new, get_tagger, load_pipeline, save_pipeline

BATCH = 500

MOST_SCORES = 50_000_000
"""Number of scores that are enough to fit a temperature: there may be thousands for each word."""


@lstm_tagger_cli.command("calibrate")
def calibrate_cli(
    model: str = typer.Argument(..., help="Name or path of a trained pipeline"),
    data: Path = typer.Argument(..., help="Held-out .spacy file with gold tags", exists=True),
    output: Path = typer.Argument(..., help="The directory to write", file_okay=False),
    component: str = typer.Option("lstm_tagger", "--component", "-c", help="The tagger's name"),
    force: bool = typer.Option(False, "--force", "-f", help="Replace a pipeline that is there"),
) -> None:
    """Fit temperatures on held-out data and save the pipeline with them. No tag changes.

    The expected calibration error is measured on the half of the docs that the temperature was
    not fitted on, and the other way round; the temperature that is saved is fitted on all.
    """
    with failing_in_one_line(f"Cannot calibrate the pipeline '{model}'"):
        check_new(output, force=force, inputs=[model, data])
        nlp = load_pipeline(model)
        tagger = get_tagger(nlp, component)
        fitted = []
        for predicted in make_outputs(outputs_of(columns_of(tagger.model))):
            scored = score_gold(nlp, component, data, predicted)
            halves = [scored[0::2], scored[1::2]]
            before, after = [], []
            for half, other in zip(halves, halves[::-1], strict=True):
                scores, gold = _joined(half)
                before.append(_error(scores, gold, 1.0))
                after.append(_error(scores, gold, fit_temperature(*_joined(other))))
            temperature = fit_temperature(*_joined(scored))
            fitted.append((predicted.name, temperature, numpy.mean(after), numpy.mean(before)))
        for name, temperature, *_ in fitted:
            if name == "tag":
                tagger.cfg["temperature"] = temperature
            else:
                tagger.cfg["temperatures"] = {**tagger.cfg["temperatures"], name: temperature}
        save_pipeline(nlp, output)
    for name, temperature, after_, before_ in fitted:
        which = f"{name}: " if len(fitted) > 1 else ""
        fitted_error, raw_error = (round(100 * float(e), 2) for e in (after_, before_))
        messages.good(
            f"Wrote {output}: {which}temperature {temperature:.3f}, "
            f"expected calibration error {fitted_error:.2f} % (uncalibrated {raw_error:.2f} %)"
        )
        if fitted_error > raw_error:
            messages.warn(
                f"The calibration error of '{name}' is higher than uncalibrated. Fit the "
                "temperature on more data, or leave the pipeline uncalibrated."
            )


def score_gold(
    nlp: Language, component: str, data: Path, output: Output
) -> list[tuple[Floats2d, Ints1d]]:
    """Score the docs of a file as the pipeline would, with the components before the tagger.

    Returns for each doc the scores and the gold labels of its tokens that have one which the
    tagger knows; docs without such tokens are left out. For lack of memory, it may be the first
    docs alone.
    Raises ValueError unless at least two docs have some.
    """
    tagger = get_tagger(nlp, component)
    layer = tagger.model.maybe_get_ref("output_layer")
    if layer is not None and layer.attrs.get("softmax_normalize"):
        raise ValueError(
            f"the model of '{component}' gives probabilities (normalize = true), which no "
            "temperature changes. Train it with normalize = false."
        )
    docs = list(stored_docs(data, nlp.vocab))
    of_docs = [_gold(doc, output, tagger.cfg) for doc in docs]
    known = [i for i, gold in enumerate(of_docs) if (gold >= 0).any()]
    if len(known) < 2:
        what = "gold tags" if output.name == "tag" else f"gold values of {output.attr}"
        raise ValueError(
            f"{len(known)} of the {len(docs)} docs of {data} have tokens with {what} that the "
            "tagger knows, but it takes two. Give it held-out data with the tagger's own labels."
        )
    earlier = nlp.pipe_names[: nlp.pipe_names.index(component)]
    scored: list[tuple[Floats2d, Ints1d]] = []
    n_scores = 0
    with nlp.select_pipes(enable=earlier):
        bare = (bare_doc(nlp.vocab, docs[i]) for i in known)
        for doc, i in zip(nlp.pipe(bare, batch_size=BATCH), known, strict=True):
            gold = of_docs[i]
            scores = label_scores(tagger, output, [doc])
            scored.append((scores[gold >= 0], gold[gold >= 0]))
            n_scores += scored[-1][0].size
            if n_scores > MOST_SCORES and len(scored) > 1:
                break
    return scored


def _gold(doc: Doc, output: Output, cfg: dict[str, Any]) -> Ints1d:
    """Return the gold label of each token of a doc, a negative number if it has none."""
    strings = doc.vocab.strings
    values = [strings[value] for value in doc.to_array([output.attr]).reshape(-1).tolist()]
    gold = output.gold_labels(values, [token.text for token in doc], cfg)
    return numpy.where([token.is_space for token in doc], MISSING, gold)


def _joined(scored: list[tuple[Floats2d, Ints1d]]) -> tuple[Floats2d, Ints1d]:
    scores, gold = zip(*scored, strict=True)
    return numpy.concatenate(scores), numpy.concatenate(gold)


def _error(scores: Floats2d, gold: Ints1d, temperature: float) -> float:
    return calibration_error(NumpyOps().softmax(scores, temperature=temperature), gold)

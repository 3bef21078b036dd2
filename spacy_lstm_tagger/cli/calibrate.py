"""`python -m spacy lstm-tagger calibrate`: make probabilities say how often tags are right."""

from pathlib import Path

import numpy
import typer
from spacy.language import Language
from thinc.api import NumpyOps

from ..arrays import Floats2d, Ints1d
from ..files.raw_text import bare_doc, stored_docs
from ..pipeline.calibration import calibration_error, fit_temperature
from ..pipeline.probabilities import score_tokens, tags_of
from . import lstm_tagger_cli, messages
from .errors import failing_in_one_line
from .pipelines import check_new, get_tagger, load_pipeline, save_pipeline

BATCH = 500


@lstm_tagger_cli.command("calibrate")
def calibrate_cli(
    model: str = typer.Argument(..., help="Name or path of a trained pipeline"),
    data: Path = typer.Argument(..., help="Held-out .spacy file with gold tags", exists=True),
    output: Path = typer.Argument(..., help="The directory to write", file_okay=False),
    component: str = typer.Option("lstm_tagger", "--component", "-c", help="The tagger's name"),
    force: bool = typer.Option(False, "--force", "-f", help="Replace a pipeline that is there"),
) -> None:
    """Fit a temperature on held-out data and save the pipeline with it. Tags do not change.

    The expected calibration error is measured on the half of the docs that the temperature was
    not fitted on, and the other way round; the temperature that is saved is fitted on all.
    """
    with failing_in_one_line(f"Cannot calibrate the pipeline '{model}'"):
        check_new(output, force=force, inputs=[model, data])
        nlp = load_pipeline(model)
        tagger = get_tagger(nlp, component)
        scored = score_gold(nlp, component, data)
        halves = [scored[0::2], scored[1::2]]
        before, after = [], []
        for half, other in zip(halves, halves[::-1], strict=True):
            scores, gold = _joined(half)
            before.append(_error(scores, gold, 1.0))
            after.append(_error(scores, gold, fit_temperature(*_joined(other))))
        tagger.cfg["temperature"] = fit_temperature(*_joined(scored))
        save_pipeline(nlp, output)
    messages.good(
        f"Wrote {output}: temperature {tagger.cfg['temperature']:.3f}, expected calibration "
        f"error {100 * numpy.mean(after):.2f} % (uncalibrated {100 * numpy.mean(before):.2f} %)"
    )


def score_gold(nlp: Language, component: str, data: Path) -> list[tuple[Floats2d, Ints1d]]:
    """Score the docs of a file as the pipeline would, with the components before the tagger.

    Returns for each doc the scores and the gold columns of its tokens with a gold tag that the
    tagger knows; docs without such tokens are left out.
    Raises ValueError unless at least two docs have some.
    """
    tagger = get_tagger(nlp, component)
    layer = tagger.model.maybe_get_ref("output_layer")
    if layer is not None and layer.attrs.get("softmax_normalize"):
        raise ValueError(
            f"the model of '{component}' gives probabilities (normalize = true), which no "
            "temperature changes. Train it with normalize = false."
        )
    columns = {label: i for i, label in enumerate(tagger.labels)}
    docs = list(stored_docs(data, nlp.vocab))
    of_docs = [
        numpy.asarray([-1 if token.is_space else columns.get(token.tag_, -1) for token in doc])
        for doc in docs
    ]
    known = [i for i, gold in enumerate(of_docs) if (gold >= 0).any()]
    if len(known) < 2:
        raise ValueError(
            f"{len(known)} of the {len(docs)} docs of {data} have tokens with gold tags that the "
            "tagger knows, but it takes two. Give it held-out data with the tagger's own tags."
        )
    earlier = nlp.pipe_names[: nlp.pipe_names.index(component)]
    scored: list[tuple[Floats2d, Ints1d]] = []
    with nlp.select_pipes(enable=earlier):
        bare = (bare_doc(nlp.vocab, docs[i]) for i in known)
        for doc, i in zip(nlp.pipe(bare, batch_size=BATCH), known, strict=True):
            gold = of_docs[i]
            scores = tagger.model.ops.to_numpy(tags_of(tagger, score_tokens(tagger, [doc])))
            scored.append((scores[gold >= 0], gold[gold >= 0]))
    return scored


def _joined(scored: list[tuple[Floats2d, Ints1d]]) -> tuple[Floats2d, Ints1d]:
    scores, gold = zip(*scored, strict=True)
    return numpy.concatenate(scores), numpy.concatenate(gold)


def _error(scores: Floats2d, gold: Ints1d, temperature: float) -> float:
    return calibration_error(NumpyOps().softmax(scores, temperature=temperature), gold)

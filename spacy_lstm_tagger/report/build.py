"""Build all the figures of a report from pipelines and gold tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from spacy.language import Language
from tqdm import tqdm

from .. import __version__
from .answers import Answers, Gold, WordCounts, ask, counts_of_corpus, counts_of_model
from .comparison import Comparison, compare
from .data_checks import check_data, check_figures, check_outputs, check_raw_text
from .direction import direction_of, language_of
from .figures import WORST, Figures, measure
from .gold_docs import gold_sentences, read_gold_docs
from .other_outputs import OutputReport, measure_outputs, present
from .raw_text import RawText, measure_raw_text


@dataclass(frozen=True)
class Report:
    """Figures of one or two pipelines on the same data, as `--json` writes them.

    data: name of the file with the gold values.
    taggers: figures of each tagger; none if tags are not predicted.
    comparison: comparison of the second tagger with the first; None if there is only one.
    warnings: what readers must know before they trust the figures, a sentence or two each.
    language: code of the first pipeline's language for HTML; "" if it has none in particular.
    direction: direction of its text: "ltr", "rtl", or "auto".
    outputs: figures of each output besides the tags.
    """

    data: str
    taggers: list[Figures]
    comparison: Comparison | None = None
    warnings: list[str] = field(default_factory=list)
    language: str = ""
    direction: str = "auto"
    outputs: list[OutputReport] = field(default_factory=list)

    @property
    def models(self) -> list[str]:
        """Names of the pipelines."""
        if self.taggers:
            return [figures.model for figures in self.taggers]
        of_pipelines = zip(*(output.taggers for output in self.outputs), strict=True)
        return [next(figures.model for figures in every if figures) for every in of_pipelines]

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as plain dicts, lists, strings and numbers."""
        return {"spacy_lstm_tagger": __version__, **asdict(self)}


def build_report(
    pipelines: Sequence[tuple[str, Language]],
    data: Path,
    *,
    train: Path | None = None,
    worst: int = WORST,
) -> Report:
    """Measure one or two pipelines on the same gold tokens.

    pipelines: names and pipelines. The pipelines are modified: they keep probabilities on docs.
    data: a .spacy file, or a directory of such files.
    train: a .spacy file with the words that count as seen; None to use the vocabulary of the
        first pipeline that has one.
    worst: number of sentences to list, those with the most errors.
    Raises ValueError if a file cannot be read, if the data has no tokens, or no gold values of
    what a pipeline sets; or if only one of two pipelines sets tags.
    """
    measured = [_measure(name, nlp, data) for name, nlp in pipelines]
    gold = measured[0].gold
    tagging = [any(gold.tags) and any(each.answers.tags) for each in measured]
    if len(set(tagging)) > 1:
        (does, lacks) = (pipelines[tagging.index(value)][0] for value in (True, False))
        raise ValueError(
            f"{does} sets tags (token.tag_), but {lacks} does not. Compare pipelines that both do, "
            "or make a report of each."
        )
    counts = _counts(pipelines, train)
    taggers = [
        measure(gold, each.answers, counts, worst=worst, raw_text=each.raw_text)
        for each in measured
        if tagging[0]
    ]
    answers = [each.answers for each in measured]
    comparison = compare(gold, *answers) if len(taggers) > 1 else None
    vocab = pipelines[0][1].vocab
    return Report(
        data=data.name,
        taggers=taggers,
        comparison=comparison,
        warnings=[
            *check_data(gold),
            *(warning for figures in taggers for warning in check_figures(figures)),
            *(warning for each in measured for warning in _doubts(gold, each, tagged=tagging[0])),
            *dict.fromkeys(each.no_raw_text for each in measured if each.no_raw_text),
        ],
        language=language_of(vocab),
        direction=direction_of(vocab),
        outputs=measure_outputs(gold, answers, [each.raw_text for each in measured], counts),
    )


class Measured(NamedTuple):
    """What a pipeline makes of the data.

    gold: gold tokens.
    answers: its tags and other values on them.
    raw_text: figures on raw text; None if there are none.
    no_raw_text: why there are none; "" if there are.
    """

    gold: Gold
    answers: Answers
    raw_text: RawText | None
    no_raw_text: str


def _measure(name: str, nlp: Language, data: Path) -> Measured:
    docs = list(read_gold_docs(data, nlp.vocab))  # reading takes as long as tagging
    gold, answers = ask(nlp, name, _with_progress(gold_sentences(docs, nlp), name, "sentences"))
    raw, reason = None, ""
    try:
        shown = _with_progress(docs, f"{name}, raw text", "docs")
        raw = measure_raw_text(nlp, shown, present(gold, [answers]))
    except Exception as error:  # whatever tokenizers raise, say at long texts
        reason = f"{name}: cannot tag raw text: {type(error).__name__}: {error}"
    else:
        if raw is None:
            reason = f"{data.name} does not record where spaces are: nothing is known of raw text."
    return Measured(gold, answers, raw, reason)


def _doubts(gold: Gold, measured: Measured, *, tagged: bool) -> list[str]:
    """Return warnings about a pipeline besides those about its tags.

    tagged: whether tags are reported on.
    """
    model = measured.answers.name
    about_text = [] if tagged else check_raw_text(model, measured.raw_text)
    return [*about_text, *check_outputs(gold, measured.answers)]


def _with_progress(items: Iterable[Any], description: str, unit: str) -> Iterable[Any]:
    return tqdm(items, desc=description, unit=f" {unit}", disable=None, leave=False)


def _counts(pipelines: Sequence[tuple[str, Language]], train: Path | None) -> WordCounts | None:
    if train is not None:
        return counts_of_corpus(train, pipelines[0][1])
    found = (counts_of_model(nlp) for _, nlp in pipelines)
    return next((counts for counts in found if counts is not None), None)

"""Build all the figures of a report from pipelines and gold tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from spacy.language import Language
from tqdm import tqdm

from .. import __version__
from .answers import Answers, Gold, WordCounts, ask, counts_of_corpus, counts_of_model, read_gold
from .comparison import Comparison, compare
from .data_checks import check_data, check_figures
from .direction import direction_of, language_of
from .figures import WORST, Figures, measure
from .raw_text import RawText, measure_raw_text, read_gold_docs


@dataclass(frozen=True)
class Report:
    """Figures of one or two taggers on the same data, as `--json` writes them.

    data: name of the file with the gold tags.
    taggers: figures of each tagger.
    comparison: comparison of the second tagger with the first; None if there is only one.
    warnings: what readers must know before they trust the figures, a sentence or two each.
    language: code of the first pipeline's language for HTML; "" if it has none in particular.
    direction: direction of its text: "ltr", "rtl", or "auto".
    """

    data: str
    taggers: list[Figures]
    comparison: Comparison | None = None
    warnings: list[str] = field(default_factory=list)
    language: str = ""
    direction: str = "auto"

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
    Raises ValueError if a file cannot be read, if the data has no tokens or no gold tags, or if
    a pipeline sets no tags.
    """
    answered = [_ask(name, nlp, data) for name, nlp in pipelines]
    raw, warnings = zip(*(_raw_text(name, nlp, data) for name, nlp in pipelines), strict=True)
    gold = answered[0][0]
    counts = _counts(pipelines, train)
    taggers = [
        measure(gold, answers, counts, worst=worst, raw_text=raw_text)
        for (_, answers), raw_text in zip(answered, raw, strict=True)
    ]
    comparison = compare(gold, answered[0][1], answered[1][1]) if len(answered) > 1 else None
    vocab = pipelines[0][1].vocab
    return Report(
        data=data.name,
        taggers=taggers,
        comparison=comparison,
        warnings=[
            *check_data(gold),
            *(warning for figures in taggers for warning in check_figures(figures)),
            *dict.fromkeys(filter(None, warnings)),
        ],
        language=language_of(vocab),
        direction=direction_of(vocab),
    )


def _ask(name: str, nlp: Language, data: Path) -> tuple[Gold, Answers]:
    examples = tqdm(read_gold(data, nlp), desc=name, unit=" sentences", disable=None, leave=False)
    return ask(nlp, name, examples)


def _raw_text(name: str, nlp: Language, data: Path) -> tuple[RawText | None, str | None]:
    """Return the figures on raw text, or why there are none."""
    read = read_gold_docs(data, nlp.vocab)
    docs = tqdm(read, desc=f"{name}, raw text", unit=" docs", disable=None, leave=False)
    try:
        found = measure_raw_text(nlp, docs)
    except Exception as error:  # whatever tokenizers raise, say at long texts
        return None, f"{name}: cannot tag raw text: {type(error).__name__}: {error}"
    if found is None:
        return None, (
            f"{data.name} does not record where spaces are, so there are no figures on raw text."
        )
    return found, None


def _counts(pipelines: Sequence[tuple[str, Language]], train: Path | None) -> WordCounts | None:
    if train is not None:
        return counts_of_corpus(train, pipelines[0][1])
    found = (counts_of_model(nlp) for _, nlp in pipelines)
    return next((counts for counts in found if counts is not None), None)

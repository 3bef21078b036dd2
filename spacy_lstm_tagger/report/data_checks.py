"""Warnings about gold data and figures that are not what a reader takes them for."""

from __future__ import annotations

import numpy

from ..training.corpus_checks import BLANK, FEW, FOUND, NEARLY_ALL, SHOWN
from .answers import NAMES, Answers, Gold
from .figures import Figures
from .raw_text import RawText


def check_data(gold: Gold) -> list[str]:
    """Return warnings about gold data, one sentence or two each."""
    sentence = numpy.repeat(numpy.arange(len(gold.lengths)), gold.lengths)
    words = numpy.asarray([not word.isspace() for word in gold.words])
    lengths = numpy.bincount(sentence, weights=words, minlength=len(gold.lengths))
    alone, n = int((lengths == 1).sum()), int((lengths > 0).sum())
    warnings = []
    if n >= FEW and alone >= NEARLY_ALL * n:
        warnings.append(
            f"{alone:,} of {n:,} sentences have one word only, so no word is read in its context. "
            "`spacy convert` makes every word a sentence if a CoNLL-U file has no trees (HEAD is "
            "`_`): convert it with `python -m spacy lstm-tagger convert` instead."
        )
    blank = gold.words.count(BLANK)
    if 2 * blank > words.sum():
        warnings.append(
            f"{blank:,} of {int(words.sum()):,} words are `_`: the words of this treebank have "
            "been taken out, as its text is protected. Its README says how to put them back."
        )
    return warnings


def check_figures(figures: Figures) -> list[str]:
    """Return warnings about what a tagger cannot do, one sentence or two each."""
    warnings = []
    if missing := figures.tags_without_label:
        names = ", ".join(list(missing)[:SHOWN])
        more = ", …" if len(missing) > SHOWN else ""
        warnings.append(
            f"{figures.model}: {sum(missing.values()):,} of {figures.n_tagged:,} words have a tag "
            f"that training never showed ({names}{more}). The tagger cannot give it."
        )
    return [*warnings, *check_raw_text(figures.model, figures.raw_text)]


def check_outputs(gold: Gold, answers: Answers) -> list[str]:
    """Return a warning for every output that a pipeline sets, but the data does not have."""
    given = {"tag": answers.tags, **answers.others}
    wanted = {"tag": gold.tags, **gold.others}
    return [
        f"{answers.name}: none of the words has a gold {what}, so nothing is known of those that "
        "the pipeline gives."
        for name, what in NAMES.items()
        if any(given.get(name, ())) and not any(wanted.get(name, ()))
    ]


def check_raw_text(model: str, raw: RawText | None) -> list[str]:
    """Return a warning if a pipeline does not find the gold tokens of raw text."""
    if raw is None or raw.token_r >= FOUND:
        return []
    return [
        f"{model}: on raw text, the pipeline finds only {100 * raw.token_r:.1f} % of the gold "
        "tokens, and so cannot tag the others. Train with the tokenizer of the language (leave "
        "[nlp.tokenizer] out of the config), and convert treebanks with multi-word tokens with "
        "`spacy convert --merge-subtokens`."
    ]

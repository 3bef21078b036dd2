"""Labels of a pipeline's taggers, and the gold tags that are not among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from spacy.language import Language
from spacy.pipeline.morphologizer import Morphologizer
from spacy.pipeline.senter import SentenceRecognizer
from spacy.pipeline.tagger import Tagger

from ..pipeline.tagger import LSTMTagger

NO_TAGGERS = (Morphologizer, SentenceRecognizer)
"""Subclasses of spaCy's tagger whose labels are no tags."""


def labels_of(nlp: Language) -> frozenset[str] | None:
    """Return the gold tags that a pipeline's taggers have learned from; None without a tagger.

    A gold tag that only says what a tag is not, such as "!NN", is one of them.
    """
    taggers = [pipe for _, pipe in nlp.pipeline if predicts_tags(pipe)]
    if not taggers:
        return None
    labels = {label for pipe in taggers for label in pipe.labels}
    prefixes = {pipe.cfg.get("neg_prefix") or "" for pipe in taggers}
    return frozenset(f"{prefix}{label}" for prefix in {"", *prefixes} for label in labels)


def predicts_tags(pipe: Any) -> bool:
    """Return whether a component of a pipeline is a tagger that predicts tags."""
    if isinstance(pipe, LSTMTagger):
        return "tag" in pipe.cfg["outputs"]
    return isinstance(pipe, Tagger) and not isinstance(pipe, NO_TAGGERS)


def own_tag_taggers(nlp: Language) -> list[LSTMTagger]:
    """Return the lstm_taggers of a pipeline that predict tags, and so give their probabilities."""
    pipes = (pipe for _, pipe in nlp.pipeline if predicts_tags(pipe))
    return [pipe for pipe in pipes if isinstance(pipe, LSTMTagger)]


def tags_without_label(
    gold: Iterable[str], given: Iterable[str | None], labels: frozenset[str] | None
) -> dict[str, int]:
    """Return the gold tags that a pipeline cannot give, with their counts, most frequent first.

    gold: gold tags of words.
    given: tags that the pipeline gave. What it gave, by whatever component, it can give.
    labels: gold tags that the pipeline's taggers have learned from; None if they are unknown.
    """
    if labels is None:
        return {}
    known = labels.union(tag for tag in given if tag is not None)
    counts = Counter(tag for tag in gold if tag not in known)
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))

"""Labels of a pipeline's taggers, and the gold tags that are not among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from spacy.language import Language
from spacy.pipeline.morphologizer import Morphologizer
from spacy.pipeline.senter import SentenceRecognizer
from spacy.pipeline.tagger import Tagger


def labels_of(nlp: Language) -> frozenset[str] | None:
    """Return the gold tags that a pipeline's taggers have learned from; None without a tagger.

    A gold tag that only says what a tag is not, such as "!NN", is one of them.
    """
    taggers = [
        pipe
        for _, pipe in nlp.pipeline
        if isinstance(pipe, Tagger) and not isinstance(pipe, Morphologizer | SentenceRecognizer)
    ]
    if not taggers:
        return None
    labels = {label for pipe in taggers for label in pipe.labels}
    prefixes = {pipe.cfg.get("neg_prefix") or "" for pipe in taggers}
    return frozenset(f"{prefix}{label}" for prefix in {"", *prefixes} for label in labels)


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

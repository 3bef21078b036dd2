"""Where the time of an exported tagger goes, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from spacy.language import Language
from spacy.tokens import Doc

from spacy_lstm_tagger.features import extractor
from spacy_lstm_tagger.features.form_cache import FormCache
from spacy_lstm_tagger.pipeline import prediction, tagger
from spacy_lstm_tagger.runtime import onnx_tagger
from spacy_lstm_tagger.runtime.onnx_shim import OnnxShim

TIMED = {
    "features": (extractor, "extract_features"),
    "scores": (prediction, "score_words"),
    "kept rows": (FormCache, "look_up"),
    "plan": (onnx_tagger, "plan_reading"),
    "blocks": (onnx_tagger, "read_blocks"),
    "run": (OnnxShim, "run"),
    "predict": (tagger, "predict_docs"),
    "annotate": (tagger, "annotate_docs"),
}
"""Functions whose time is taken, by a name for it: the object that has each, and its name there."""


def microseconds_a_word(nlp: Language, make: Callable[[], list[Doc]]) -> dict[str, float]:
    """Return how many microseconds a word each step takes, in the order of the steps.

    nlp: Pipeline of an exported tagger alone. It tags the docs twice: first to be warm.
    make: Function that makes the docs.
    """
    ((_, component),) = nlp.pipeline
    for _ in component.pipe(make(), batch_size=nlp.batch_size):
        pass
    docs = make()
    with ExitStack() as stack:
        taken = {name: stack.enter_context(_timed(*place)) for name, place in TIMED.items()}
        start = time.perf_counter()
        for _ in component.pipe(docs, batch_size=nlp.batch_size):
            pass
        total = time.perf_counter() - start
    seconds = {name: sum(times) for name, times in taken.items()}
    steps = {
        "words to features": seconds["features"],
        "kept rows of word forms": seconds["kept rows"],
        "plan of padded batches": seconds["plan"],
        "gather rows, put scores in order": seconds["blocks"] - seconds["run"],
        "the network, in ONNX Runtime": seconds["run"],
        "choose labels": seconds["predict"] - seconds["scores"],
        "annotate docs": seconds["annotate"],
        "everything else": total - seconds["predict"] - seconds["annotate"],
    }
    parts = ("features", "kept rows", "plan", "blocks")
    steps["everything else"] += seconds["scores"] - sum(seconds[part] for part in parts)
    n_words = sum(map(len, docs))
    return {name: 1e6 * each / n_words for name, each in steps.items()}


@contextmanager
def _timed(owner: Any, name: str) -> Iterator[list[float]]:
    """Take the time of a function while the context lasts, a number for each call."""
    function, times = getattr(owner, name), []

    def timed(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            times.append(time.perf_counter() - start)

    with patch.object(owner, name, timed):
        yield times

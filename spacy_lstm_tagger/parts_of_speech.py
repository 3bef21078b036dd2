"""Parts of speech (UPOS) as columns of scores: gold ones to columns, best columns to tokens.

Source: https://universaldependencies.org/u/pos
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy
from spacy.attrs import POS
from spacy.parts_of_speech import IDS
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Model
from thinc.types import Ints1d

from .loss import MISSING
from .teaching import same_tokens

PARTS_OF_SPEECH = (
    *("ADJ", "ADP", "ADV", "AUX", "CONJ", "CCONJ", "DET"),
    *("INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT"),
    *("SCONJ", "SYM", "VERB", "X", "EOL", "SPACE"),
)
"""All that spaCy knows: one column each, in this order, whether the training data has it or not."""

_IDS = numpy.asarray([IDS[name] for name in PARTS_OF_SPEECH])
_COLUMNS = numpy.full(_IDS.max() + 1, MISSING)
_COLUMNS[_IDS] = numpy.arange(len(_IDS))


def predicts_pos(model: Model) -> bool:
    """Whether a model scores parts of speech, behind the tags."""
    return bool(model.attrs.get("predict_pos"))


def pos_codes(examples: Iterable[Example]) -> Ints1d:
    """Columns of the gold parts of speech, aligned to the predicted tokens, docs one after another.

    A token that has none, or is misaligned, is `loss.MISSING`.
    """
    found = [numpy.zeros(0, dtype="int64"), *(_gold_ids(eg) for eg in examples)]
    return _COLUMNS[numpy.concatenate(found)]


def _gold_ids(eg: Example) -> Ints1d:
    if same_tokens(eg):
        return eg.reference.to_array(POS).astype("int64")
    return numpy.asarray([pos or 0 for pos in eg.get_aligned("POS")], dtype="int64")


def set_pos(docs: Sequence[Doc], columns: Sequence[Ints1d], *, overwrite: bool) -> None:
    """Set the tokens' parts of speech.

    columns: one array of shape (n_tokens,) for each doc.
    overwrite: whether to replace those that tokens already have.
    """
    for doc, of_doc in zip(docs, columns, strict=True):
        for token, pos in zip(doc, _IDS[of_doc].tolist(), strict=True):
            if overwrite or not token.pos:
                token.pos = pos

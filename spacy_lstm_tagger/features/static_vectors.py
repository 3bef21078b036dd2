"""Static vectors of word forms, each from the vocab of a doc that it occurs in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
from spacy.tokens import Doc
from spacy.vectors import Mode, Vectors
from spacy.vocab import Vocab
from thinc.util import to_numpy

from ..arrays import Floats2d, Ints1d


def static_vectors(docs: Sequence[Doc], owners: Ints1d, keys: numpy.ndarray) -> Floats2d:
    """Return the static vector of each form, shape (n_forms, width); of unknown ones zeros.

    owners: index of a doc that each form occurs in, shape (n_forms,).
    keys: the forms' hashes, shape (n_forms,).
    Raises ValueError if the docs' vocabs have vectors of different widths.
    """
    by_vocab: dict[int, list[int]] = {}
    for doc in set(owners.tolist()):
        by_vocab.setdefault(id(docs[doc].vocab), []).append(doc)
    widths = {docs[same[0]].vocab.vectors_length for same in by_vocab.values()}
    if len(widths) > 1:
        raise ValueError(
            f"The docs come from pipelines whose static vectors have {sorted(widths)} numbers, but "
            "the tagger reads vectors of one width. Make the docs with the tagger's own pipeline."
        )
    if not sum(widths):
        return numpy.zeros((len(keys), 0), dtype="float32")
    if len(by_vocab) == 1:
        return _look_up(docs[owners[0]].vocab, keys)
    vectors = numpy.zeros((len(keys), *widths), dtype="float32")
    for same in by_vocab.values():
        chosen = numpy.flatnonzero(numpy.isin(owners, same))
        vectors[chosen] = _look_up(docs[same[0]].vocab, keys[chosen])
    return vectors


def _look_up(vocab: Vocab, keys: numpy.ndarray) -> Floats2d:
    """Return the vectors of one vocab as an array of numpy, wherever its table is."""
    table = vocab.vectors
    if not isinstance(table, Vectors):
        return to_numpy(table.get_batch(keys.tolist()))
    if table.mode == Mode.floret:  # made of the strings' n-grams
        return to_numpy(table.get_batch([vocab.strings[key] for key in keys.tolist()]))
    rows = table.find(keys=keys.tolist())
    vectors = table.data[rows]
    vectors[rows < 0] = 0  # find() answers -1, the last row, for a word without a vector
    return to_numpy(vectors)

"""White space between words: spaCy makes tokens of it, but the network does not read them.

A line break inside a sentence, or a second space, is a token of its own in spaCy's docs. Treebanks
have none, so nothing is learned about them; they must not change the tags of the words around them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
from spacy.attrs import IS_SPACE
from spacy.tokens import Doc, Token

from ..arrays import Ints1d


def with_white_space(doc: Doc, attrs: Sequence[Any]) -> numpy.ndarray:
    """Return token attributes and, last, 1 for white space, shape (n_tokens, len(attrs) + 1).

    attrs: names or numbers of spaCy's token attributes.
    """
    rows = doc.to_array([*attrs, IS_SPACE]).reshape(len(doc), len(attrs) + 1)
    if IS_SPACE not in doc.vocab.lex_attr_getters:  # a bare Vocab() knows no such thing of words
        rows[:, -1] = [token.text.isspace() for token in doc]
    return rows


def white_space_rows(docs: Sequence[Doc]) -> Ints1d:
    """Return the indices of the white-space tokens, counted over all tokens of the docs."""
    if not docs:
        return numpy.zeros(0, dtype="int64")
    return numpy.flatnonzero(numpy.concatenate([with_white_space(doc, []) for doc in docs]))


def white_space_tokens(docs: Sequence[Doc]) -> list[Token]:
    """Return the white-space tokens of docs."""
    if not len(white_space_rows(docs)):  # as nearly always: one look at all docs together
        return []
    return [doc[i] for doc in docs for i in white_space_rows([doc]).tolist()]

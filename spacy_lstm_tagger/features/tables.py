"""Tables of embeddings: which rows each word form has in them, and how large they are.

A new feature of word forms is one more table here, with a width in the architecture's settings: the
network and the ONNX graph loop over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy

from ..arrays import Ints2d
from .vocabulary import N_AFFIXES, Vocabulary


class Table(Protocol):
    """One table of embeddings. Row 0 is that of the unknown.

    name: its name in the network.
    """

    name: str

    def n_rows(self, vocabulary: Vocabulary) -> int:
        """Return the number of rows, the unknown's among them."""

    def per_form(self, vocabulary: Vocabulary) -> int:
        """Return how many rows each form has; 0 if there is no such table."""

    def rows(self, vocabulary: Vocabulary, forms: Sequence[str]) -> Ints2d:
        """Return the rows of each form, shape (n_forms, per_form)."""


class WordTable:
    """Lower-cased words: one row for each form."""

    name = "words"

    def n_rows(self, vocabulary: Vocabulary) -> int:
        """Return the number of rows, the unknown word's among them."""
        return vocabulary.n_words

    def per_form(self, vocabulary: Vocabulary) -> int:
        """Return 1."""
        return 1

    def rows(self, vocabulary: Vocabulary, forms: Sequence[str]) -> Ints2d:
        """Return the row of each form, shape (n_forms, 1)."""
        return _rows([[vocabulary.word_row(form)] for form in forms], 1)


class AffixTable:
    """Prefixes and suffixes: as many rows for each form as there are lengths."""

    name = "affixes"

    def n_rows(self, vocabulary: Vocabulary) -> int:
        """Return the number of rows, the unknown affix's among them."""
        return vocabulary.n_affixes

    def per_form(self, vocabulary: Vocabulary) -> int:
        """Return the number of affixes of every form, 0 if none are known."""
        return N_AFFIXES if vocabulary.n_affixes else 0

    def rows(self, vocabulary: Vocabulary, forms: Sequence[str]) -> Ints2d:
        """Return the rows of each form, shape (n_forms, N_AFFIXES)."""
        return _rows([vocabulary.affix_rows(form) for form in forms], N_AFFIXES)


TABLES: tuple[Table, ...] = (WordTable(), AffixTable())
"""All tables, in the order in which the network lays their embeddings side by side."""


def rows_of(vocabulary: Vocabulary, forms: Sequence[str]) -> dict[str, Ints2d]:
    """Return the rows of each form in every table that there is, by the table's name."""
    present = [table for table in TABLES if table.per_form(vocabulary)]
    return {table.name: table.rows(vocabulary, forms) for table in present}


def sizes_of(vocabulary: Vocabulary, vector_width: int) -> dict[str, int]:
    """Return the sizes that a network takes from the data instead of from its settings.

    For each table `n_NAME`, its rows, and `NAME_per_form`; `n_characters`; `vector_width`, the
    numbers in a static vector.
    """
    sizes = {"n_characters": vocabulary.n_characters, "vector_width": vector_width}
    for table in TABLES:
        sizes[f"n_{table.name}"] = table.n_rows(vocabulary)
        sizes[f"{table.name}_per_form"] = table.per_form(vocabulary)
    return sizes


def _rows(rows: list[list[int]], per_form: int) -> Ints2d:
    return numpy.asarray(rows, dtype="int64").reshape(len(rows), per_form)

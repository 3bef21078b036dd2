"""Rows of text in columns that are aligned on a terminal, whatever script they are in."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

GAP = "   "
WIDE = ("W", "F")
"""East Asian widths of characters that take two columns of a terminal."""


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return lines with a column as wide as its widest cell; one line a row.

    Line breaks and other characters that cannot be shown are written as escapes.
    """
    cells = [[printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(terminal_width, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    return "\n".join(
        GAP.join(
            cell + " " * (width - terminal_width(cell))
            for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    )


def printable(text: str) -> str:
    r"""Return the text with what cannot be shown as escapes, such as `\n`."""
    shown = str.isprintable
    return "".join(c if shown(c) or _joins(c) else ascii(c)[1:-1] for c in text)


def terminal_width(text: str) -> int:
    """Return the number of columns of a terminal that a text takes."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in WIDE else 1


def _joins(character: str) -> bool:
    """Return whether the character joins others, as in emoji and Indic scripts."""
    return character in "\u200c\u200d"

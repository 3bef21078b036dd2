"""Direction of a language's text, for HTML."""

from __future__ import annotations

from spacy.vocab import Vocab

NO_LANGUAGE = ("", "xx")
"""Codes of no language in particular: of a bare vocab, and of spaCy's multi-language class."""


def direction_of(vocab: Vocab) -> str:
    """Return the value of HTML's attribute `dir` for text in a vocab's language.

    It is "ltr" or "rtl"; "auto", by which the browser follows the first letter of the text, if
    the vocab is of no language in particular.
    """
    if vocab.lang in NO_LANGUAGE:
        return "auto"
    return str(vocab.writing_system.get("direction", "ltr"))


def language_of(vocab: Vocab) -> str:
    """Return the code of a vocab's language for HTML's attribute `lang`; "" if it has none."""
    return "" if vocab.lang in NO_LANGUAGE else str(vocab.lang)

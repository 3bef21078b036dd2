"""Docs and examples as users give them to public methods: one, a list, a generator or a slip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from spacy.tokens import Doc
from spacy.training import Example, validate_examples


def each_doc(docs: Any, method: str) -> Iterator[Doc]:
    """Yield docs: one doc, or those of any iterable, such as a generator.

    method: name of the caller, for the message.
    Raises TypeError for anything else.
    """
    if isinstance(docs, Doc):
        docs = [docs]
    if isinstance(docs, str | bytes) or not isinstance(docs, Iterable):
        raise _no_docs(f"{type(docs).__name__}: {str(docs)[:40]!r}", method)
    for doc in docs:
        if not isinstance(doc, Doc):
            raise _no_docs(f"an iterable of {type(doc).__name__}", method)
        yield doc


def as_docs(docs: Any, method: str) -> list[Doc]:
    """Return docs as a list, see `each_doc`."""
    return list(each_doc(docs, method))


def _no_docs(what: str, method: str) -> TypeError:
    return TypeError(
        f"{method} takes a Doc or docs, but got {what}. Make docs of texts with nlp(text), or "
        "nlp.make_doc(text) for tokens alone."
    )


def as_examples(examples: Any, method: str) -> list[Example]:
    """Return examples as a list: one example, or those of any iterable.

    Raises TypeError or ValueError for anything else.
    """
    if isinstance(examples, Example):
        return [examples]
    found = list(examples) if isinstance(examples, Iterable) else examples
    validate_examples(found, method)
    return found


def check_predicted(docs: Sequence[Doc], predicted: Sequence[Any], name: str) -> None:
    """Raise ValueError unless there is a prediction for each doc.

    name: the component's, for the message.
    """
    if len(docs) != len(predicted):
        raise ValueError(
            f"[{name}] There are {len(docs)} docs, but predictions for {len(predicted)}. Give "
            "set_annotations what predict returned for these docs."
        )

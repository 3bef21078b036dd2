"""Copies of docs with other words, and docs joined to one. All annotation goes along by token.

Offsets of characters are of no use for that: other words have other lengths.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy
from spacy.tokens import Doc, Span, SpanGroup

from .soft_targets import join_soft_targets

ATTRS = (
    *("TAG", "POS", "MORPH", "LEMMA", "HEAD", "DEP"),
    *("ENT_IOB", "ENT_TYPE", "ENT_KB_ID", "ENT_ID"),
)
"""Annotation of tokens, apart from `SENT_START`, which `Doc.from_array` replaces by what heads and
labels say: set it later."""


def with_words(doc: Doc, words: Sequence[str]) -> Doc:
    """Return a copy of a doc with other words and all its annotation.

    words: one for each token, none of them empty.
    """
    result = Doc(doc.vocab, words=words, spaces=_spaces(doc))
    _annotate(result, [doc])
    result.has_unknown_spaces = doc.has_unknown_spaces
    result.cats = dict(doc.cats)
    result.sentiment = doc.sentiment
    for hooks in ("user_hooks", "user_token_hooks", "user_span_hooks"):
        setattr(result, hooks, dict(getattr(doc, hooks)))
    for key, value in doc.user_data.items():
        if _offsets(key) is None:
            result.user_data[key] = _copied(value)
    return result


def join(docs: Sequence[Doc]) -> Doc:
    """Return docs joined to one, with all annotation of their tokens and spans.

    What is annotated of a doc as a whole, such as its categories, is not known of the joined one,
    apart from the probabilities of a teacher, which are those of tokens.

    docs: at least one, all of one vocab.
    """
    words = [orth for doc in docs for orth in doc.to_array("ORTH").tolist()]
    spaces = [space for doc in docs[:-1] for space in _spaces(doc, space_after=True)]
    result = Doc(docs[0].vocab, words=words, spaces=[*spaces, *_spaces(docs[-1])])
    _annotate(result, docs)
    result.has_unknown_spaces = any(doc.has_unknown_spaces for doc in docs)
    join_soft_targets(docs, result)
    return result


def _spaces(doc: Doc, *, space_after: bool = False) -> list[bool]:
    """Return whether a space follows each token.

    space_after: whether one must follow the last token, unless it is white space itself.
    """
    spaces: list[bool] = doc.to_array("SPACY").astype(bool).tolist()
    if space_after and spaces and not doc[-1].is_space:
        spaces[-1] = True
    return spaces


def _annotate(result: Doc, docs: Sequence[Doc]) -> None:
    """Annotate the tokens and spans of `result` like those of the docs, one after another."""
    values = numpy.concatenate(
        [doc.to_array([*ATTRS, "SENT_START", "ORTH", "NORM"]) for doc in docs]
    )
    result.from_array(ATTRS, values[:, :-3])
    sentence_starts, orths, norms = values[:, -3:].T
    result.from_array("SENT_START", sentence_starts)
    same = result.to_array("ORTH") == orths  # other words have norms of their own
    result.from_array("NORM", numpy.where(same, norms, result.to_array("NORM")))
    begins = accumulate((len(doc) for doc in docs), initial=0)
    for doc, begin in zip(docs, begins, strict=False):
        _add_spans(result, doc, begin)
        result.user_data.update(_moved_user_data(result, doc, begin))


def _add_spans(result: Doc, doc: Doc, begin: int) -> None:
    """Add the spans of a doc whose first token is the token `begin` of `result`."""
    for key, group in doc.spans.items():
        spans = [
            Span(result, begin + s.start, begin + s.end, s.label, kb_id=s.kb_id, span_id=s.id)
            for s in group
        ]
        if key not in result.spans:
            result.spans[key] = SpanGroup(result, name=group.name)
        found = result.spans[key]
        found.extend(spans)
        found.attrs = {**_copied(group.attrs), **found.attrs}


def _moved_user_data(result: Doc, doc: Doc, begin: int) -> Iterator[tuple[Hashable, Any]]:
    """Yield what extensions keep of the tokens and spans of a doc, under their new offsets.

    begin: token of `result` that is the first of the doc.
    """
    kept = [(key, where) for key in doc.user_data if (where := _offsets(key)) is not None]
    if not kept:
        return
    end = begin + len(doc)
    starts = {len(doc.text): result[end].idx if end < len(result) else len(result.text)}
    ends = {}
    for before, token in zip(doc, result[begin:end], strict=True):
        starts[before.idx] = token.idx
        ends[before.idx + len(before)] = token.idx + len(token)
    for key, (start, stop) in kept:
        # An empty span begins and ends where a token begins.
        new_stop = None if stop is None else (starts if stop == start else ends).get(stop)
        if start in starts and (stop is None) == (new_stop is None):
            yield (*key[:2], starts[start], new_stop), _copied(doc.user_data[key])
        # else it is about tokens that the doc no longer has


def _offsets(key: Any) -> tuple[int, int | None] | None:
    """Return which characters a key of `user_data` is about: from, to. None if it is about all.

    The keys of extensions are "._.", the name, and for a token or a span their offsets.
    """
    if isinstance(key, tuple) and len(key) == 4 and key[0] == "._." and key[2] is not None:
        return key[2], key[3]
    return None


def _copied(value: Any) -> Any:
    """Return a deep copy; the value itself if it has none, such as a span."""
    try:
        return copy.deepcopy(value)
    except Exception:  # whatever the types of users' values raise
        return value

"""Tables of counts: the order of their rows, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST = 2**62
"""Maximum count that is accepted: an array of 64-bit integers can hold it."""


def by_count(what: str, counts: Any) -> dict[str, int]:
    """Return counts by falling count, then by code points of their keys.

    what: name of the table, for the message.
    Raises ValueError if these are no counts.
    """
    if not isinstance(counts, Mapping):
        raise ValueError(f"Vocabulary {what} must map to counts, but found {type(counts)}.")
    if not _all_sound(counts):
        for key, count in counts.items():
            if not (isinstance(key, str) and key and isinstance(count, int) and 0 < count <= MOST):
                raise ValueError(
                    f"Vocabulary {what} must map non-empty strings to whole numbers of at least 1, "
                    f"but found {key!r}: {count!r}."
                )
    falling = sorted(sorted(counts), key=counts.__getitem__, reverse=True)  # a stable sort
    return {key: counts[key] for key in falling}


def _all_sound(counts: Mapping[Any, Any]) -> bool:
    """Return whether all counts are valid. Without a Python loop, so that models load faster."""
    if not counts:
        return True
    types = set(map(type, counts)) == {str} and set(map(type, counts.values())) == {int}
    return types and "" not in counts and 0 < min(counts.values()) <= max(counts.values()) <= MOST

"""Checks of settings; errors name the setting, its value, the range and the remedy."""

from __future__ import annotations

from typing import Any

MOST = 100_000
MOST_LAYERS = 1000
"""Greatest number in a setting, and of layers: a slip of the keyboard must not fill the memory."""

ENVIRONMENT_ERRORS = (ImportError, OSError, MemoryError)
"""Errors that are not about the file that is read: something is not installed, not readable, or
there is no room. Code that explains damaged files lets these through unchanged."""


def check_int(
    name: str,
    value: Any,
    *,
    least: int,
    most: int = MOST,
    even: bool = False,
    or_else: str = "",
) -> None:
    """Raise ValueError unless a setting is a whole number from `least` to `most`, `even` if so.

    or_else: what can be done instead of choosing an even number.
    """
    # confection 1 refuses other types in configs, but sees no calls from Python.
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(
            f"{name} is {value!r}, but must be a whole number of at least {least}, without "
            "quotes. Correct it in the [model] block of the config."
        )
    if value > most:
        raise ValueError(
            f"{name} is {value}, but must be at most {most}: no machine could hold the network. "
            "Correct it in the [model] block of the config."
        )
    if even and value % 2:
        nearest = [str(n) for n in (value - 1, value + 1) if n >= least]
        raise ValueError(
            f"{name} is {value}, but must be even: half of it is for each direction. "
            f"Use {' or '.join(nearest)}{or_else}. Correct it in the [model] block of the "
            "config."
        )


def check_bool(name: str, value: Any) -> None:
    """Raise ValueError if a setting is neither true nor false."""
    if not isinstance(value, bool):
        raise ValueError(
            f"{name} is {value!r}, but must be true or false, without quotes. "
            "Correct it in the [model] block of the config."
        )


def check_share(name: str, setting: str, value: object, *, below: bool = False) -> None:
    """Raise ValueError if a component's setting is no share from 0 to 1, or `below` 1."""
    if isinstance(value, (int, float)) and 0 <= value <= 1 and not (below and value == 1):
        return
    raise ValueError(
        f"[{name}] {setting} is {value!r}, but must be from 0 to {'less than ' if below else ''}1. "
        "Correct it in the component's block of the config."
    )


def check_text(name: str, setting: str, value: object) -> None:
    """Raise ValueError if a component's setting is neither text nor null."""
    if value is not None and not isinstance(value, str):
        raise ValueError(
            f"[{name}] {setting} is {value!r}, but must be text, or null for none. "
            "Correct it in the component's block of the config."
        )


def check_label_list(name: str, labels: object) -> None:
    """Raise ValueError unless a component's labels are a list of distinct texts."""
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ValueError(f"[{name}] 'labels' in 'cfg' is no list of texts: {str(labels)[:80]}")
    if len(set(labels)) != len(labels):
        raise ValueError(f"[{name}] 'labels' in 'cfg' lists a label twice.")


def check_label_count(name: str, nO: int | None, n_labels: int) -> None:
    """Raise ValueError if a component's model has another number of labels than the component."""
    if n_labels and nO not in (None, n_labels):
        raise ValueError(
            f"[{name}] The [model] block says nO = {nO}, but there are {n_labels} labels. Set nO = "
            "null: it is taken from the labels."
        )

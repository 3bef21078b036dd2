"""Records that a command cannot use: end with the first one, or skip them all and list them."""

from __future__ import annotations

from collections.abc import Callable

from . import messages

LISTED = 20


class BadRecords:
    """What happens to records that cannot be used; to be given to readers as `on_error`.

    skip: whether to go on past them (`--skip-errors`).
    """

    def __init__(self, *, skip: bool) -> None:
        self.skip = skip
        self.n_skipped = 0
        self._first: list[str] = []

    def __call__(self, message: str) -> None:
        """Note a record that is skipped. Raises ValueError if none may be."""
        if not self.skip:
            raise ValueError(f"{message}. Correct it, or go on past it with --skip-errors")
        self.n_skipped += 1
        if len(self._first) < LISTED:
            self._first.append(" ".join(message.split()))

    def also_into(self, found: list[str]) -> Callable[[str], None]:
        """Return a function that notes a record, and adds the message to a list as well."""

        def note(message: str) -> None:
            self(message)
            found.append(message)

        return note

    def report(self) -> None:
        """Say how many records were skipped, and list the first of them; nothing if none were."""
        if not self.n_skipped:
            return
        messages.warn(f"Skipped {self.n_skipped} {'record' if self.n_skipped == 1 else 'records'}:")
        for message in self._first:
            messages.note(message)
        if self.n_skipped > len(self._first):
            messages.note(f"and {self.n_skipped - len(self._first)} more")

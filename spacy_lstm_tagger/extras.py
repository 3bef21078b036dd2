"""Libraries that only some of the package needs, imported when they are first used."""

from importlib import import_module
from typing import Any


def import_extra(library: str, *, extra: str = "report", what: str = "This") -> Any:
    """Import a library of an extra of this package, and return it.

    what: what needs it, for the error.

    Raises ImportError, which says how to install it, if it is missing.
    """
    try:
        return import_module(library)
    except ImportError as error:
        raise ImportError(
            f"{what} needs {library.split('.')[0]}, which cannot be imported ({error}). "
            f'Install it with: pip install "spacy-lstm-tagger[{extra}]"'
        ) from error

"""spaCy's classes of languages."""

from spacy.language import Language
from spacy.util import get_lang_class


def language_class(code: str) -> type[Language]:
    """Return spaCy's class of a language. Raises ValueError if it has none."""
    try:
        return get_lang_class(code)
    except ImportError as error:
        raise ValueError(
            f"spaCy has no language with the code '{code}'. Its codes are listed at "
            "https://spacy.io/usage/models#languages (Norwegian, for example, is nb or nn). For a "
            "language that is not among them, use --lang xx, the multi-language class."
        ) from error

"""A doc of a text of any length that its pipelines can read."""

from __future__ import annotations

from spacy.language import Language
from spacy.pipeline.transition_parser import Parser
from spacy.tokens import Doc

from ..settings import ENVIRONMENT_ERRORS


def make_doc(text: str, nlp: Language, *others: Language) -> Doc:
    """Split a text into tokens, by the pipeline's tokenizer.

    `Language.make_doc` refuses texts of more than `Language.max_length` characters, because
    parsers and entity recognizers need much memory for them. Here, only pipelines that have one
    of these refuse them: taggers read texts of any length.
    others: further pipelines that will read the doc.
    Raises ValueError if the text is too long for one of the pipelines, or the tokenizer fails.
    """
    for pipeline in (nlp, *others):
        if len(text) > pipeline.max_length and (names := _transition_parsers(pipeline)):
            raise ValueError(
                f"the text has {len(text):,} characters, but the component '{names[0]}' reads at "
                f"most {pipeline.max_length:,} at a time. Split the text, or take the components "
                f"{names} out of the pipeline"
            )
    try:
        return nlp.tokenizer(text)
    except ENVIRONMENT_ERRORS:
        raise
    except Exception as error:  # whatever a language's own tokenizer raises
        raise ValueError(f"the tokenizer failed ({type(error).__name__}: {error})") from error


def _transition_parsers(nlp: Language) -> list[str]:
    """Return the names of the components that need memory in proportion to a text's length."""
    return [name for name, pipe in nlp.pipeline if isinstance(pipe, Parser)]

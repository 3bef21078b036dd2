"""Render a doc as HTML, as displaCy does: words with their tags and probabilities.

Source of the style: https://spacy.io/usage/visualizers
"""

from __future__ import annotations

from spacy.tokens import Doc, Span
from spacy.util import is_in_jupyter

from ..pipeline.kept_probabilities import tag_confidence
from .direction import direction_of, language_of
from .templating import new_environment, read_static


def render(doc: Doc | Span, *, page: bool = False, jupyter: bool | None = None) -> str | None:
    """Render the tags of a doc, coloured by their probabilities; parts of speech if it has no tags.

    Words run in the direction of the doc's language.

    doc: tagged doc or span. Probabilities are shown if `save_probabilities` kept them.
    page: whether to make a whole HTML page, to be saved in a file.
    jupyter: whether to display the HTML in a notebook instead of returning it; None to do so if
        this runs in a notebook.
    Returns HTML, or None if it was displayed.
    Raises ImportError if jinja2 is missing, TypeError if `doc` is neither a doc nor a span.
    """
    if not isinstance(doc, Doc | Span):
        raise TypeError(
            f"Can render a Doc or a Span, but found {type(doc).__name__}. Make a doc of a text "
            "with nlp(text)."
        )
    if any(token.tag for token in doc) or not any(token.pos for token in doc):
        words = [(token.text, token.tag_, tag_confidence(token)) for token in doc]
    else:
        words = [(token.text, token.pos_, None) for token in doc]
    style = read_static("words.css")
    html = (
        new_environment()
        .get_template("doc.html")
        .render(
            words=words,
            page=page,
            style=style,
            direction=direction_of(doc.vocab),
            language=language_of(doc.vocab),
        )
    )
    if jupyter or (jupyter is None and is_in_jupyter()):
        from IPython.display import HTML, display

        display(HTML(html))
        return None
    return str(html)

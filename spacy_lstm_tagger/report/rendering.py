"""One doc as HTML: its words with their tags and how sure the tagger is, as displaCy shows a doc.

Source of the manner: https://spacy.io/usage/visualizers
"""

from __future__ import annotations

from spacy.tokens import Doc, Span, Token
from spacy.util import is_in_jupyter

from .templating import new_environment, read_static


def render(doc: Doc | Span, *, page: bool = False, jupyter: bool | None = None) -> str | None:
    """Show the tags of a doc, and with colour how sure the tagger is of each.

    doc: tagged; with the component's `save_probabilities` the probabilities are shown, too.
    page: whether to make a whole HTML page, to be saved in a file.
    jupyter: whether to display it in a notebook instead of returning it; None to find out.
    Returns HTML, or None where it was displayed.
    Raises ImportError where jinja2 is missing, TypeError for anything but a doc or a span.
    """
    if not isinstance(doc, Doc | Span):
        raise TypeError(
            f"Can render a Doc or a Span, but found {type(doc).__name__}. Make a doc of a text "
            "with nlp(text)."
        )
    words = [(token.text, token.tag_, _confidence(token)) for token in doc]
    style = read_static("words.css")
    html = new_environment().get_template("doc.html").render(words=words, page=page, style=style)
    if jupyter or (jupyter is None and is_in_jupyter()):
        from IPython.display import HTML, display

        display(HTML(html))
        return None
    return str(html)


def _confidence(token: Token) -> float | None:
    """The probability of a token's tag; None where it was not kept, or the tag altered since."""
    if not Token.has_extension("tag_candidates"):
        return None
    return dict(token._.tag_candidates or ()).get(token.tag_)

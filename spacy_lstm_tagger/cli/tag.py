"""`python -m spacy lstm-tagger tag`: print the tags of a text as a table."""

from __future__ import annotations

import typer
from spacy.glossary import GLOSSARY
from spacy.tokens import Doc

from ..files.make_doc import make_doc
from ..pipeline.kept_probabilities import tag_confidence
from ..report.labels import own_tag_taggers
from . import lstm_tagger_cli
from .columns import aligned
from .errors import failing_in_one_line
from .messages import write_output
from .pipelines import load_pipeline


@lstm_tagger_cli.command("tag")
def tag_cli(
    model: str = typer.Argument(..., help="Name or path of a trained pipeline"),
    text: str = typer.Argument(..., help="The text to tag"),
) -> None:
    """Print every word of a text with its tag, and from an lstm_tagger the tag's probability.

    Parts of speech, morphological features and lemmas are printed as well if the pipeline sets
    them.
    """
    with failing_in_one_line("Cannot tag the text"):
        nlp = load_pipeline(model)
        taggers = own_tag_taggers(nlp)
        for tagger in taggers:  # of several, the one that sets the tags keeps their probabilities
            tagger.cfg["save_probabilities"] = 1
        doc = nlp(make_doc(text, nlp))
        write_output(table(doc, with_probabilities=bool(taggers)))


def table(doc: Doc, *, with_probabilities: bool) -> str:
    """Return the table of a doc's tokens."""
    tags, pos = [token.tag_ for token in doc], [token.pos_ for token in doc]
    others = {
        "POS": pos,
        "Features": [str(token.morph) for token in doc],
        "Lemma": [token.lemma_ for token in doc],
    }
    words = [i for i, token in enumerate(doc) if not token.is_space]
    others = {name: values for name, values in others.items() if any(values[i] for i in words)}
    columns = {"Word": [token.text for token in doc]}
    if any(tags[i] for i in words) or not others:
        columns["Tag"] = tags
    columns.update(others)
    explained = tags if "Tag" in columns else pos
    if "Tag" in columns or "POS" in columns:
        # spacy.explain would warn of every tag that the glossary lacks
        columns["Meaning"] = [GLOSSARY.get(name, "") for name in explained]
    if with_probabilities:
        sure = [tag_confidence(token) for token in doc]
        columns["Probability"] = ["" if p is None else f"{p:.3f}" for p in sure]
    return aligned(list(columns), list(zip(*columns.values(), strict=True)))

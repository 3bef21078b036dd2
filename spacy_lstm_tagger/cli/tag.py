"""`python -m spacy lstm-tagger tag`: print the tags of a text as a table."""

import typer
from spacy.glossary import GLOSSARY
from wasabi import msg

from ..pipeline.kept_probabilities import tag_confidence
from ..pipeline.tagger import LSTMTagger
from . import lstm_tagger_cli
from .errors import failing_in_one_line
from .pipelines import load_pipeline


@lstm_tagger_cli.command("tag")
def tag_cli(
    model: str = typer.Argument(..., help="Name or path of a trained pipeline"),
    text: str = typer.Argument(..., help="The text to tag"),
) -> None:
    """Print every word of a text with its tag and, from an lstm_tagger, the tag's probability."""
    with failing_in_one_line("Cannot tag the text"):
        nlp = load_pipeline(model)
        taggers = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, LSTMTagger)]
        if taggers:
            taggers[-1].cfg["save_probabilities"] = 1
        doc = nlp(text)
    rows = [[token.text, token.tag_, GLOSSARY.get(token.tag_, "")] for token in doc]
    header = ["Word", "Tag", "Meaning"]
    if taggers:
        sure = [tag_confidence(token) for token in doc]
        rows = [[*row, "" if p is None else f"{p:.3f}"] for row, p in zip(rows, sure, strict=True)]
        header.append("Probability")
    msg.table(rows, header=header, divider=True)

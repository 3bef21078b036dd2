"""`python -m spacy lstm-tagger tag`: print the tags of a text as a table."""

import spacy
import typer
from wasabi import msg

from . import lstm_tagger_cli


@lstm_tagger_cli.command("tag")
def tag_cli(
    model: str = typer.Argument(..., help="Name or path of a trained pipeline"),
    text: str = typer.Argument(..., help="The text to tag"),
) -> None:
    """Print every word of a text with its tag and, from an lstm_tagger, the tag's probability."""
    try:
        nlp = spacy.load(model)
    except OSError as error:
        msg.fail(f"Cannot load the pipeline '{model}'", str(error), exits=1)
    doc = nlp(text)
    rows = [[token.text, token.tag_, spacy.explain(token.tag_) or ""] for token in doc]
    header = ["Word", "Tag", "Meaning"]
    taggers = [pipe for _, pipe in nlp.pipeline if hasattr(pipe, "predict_probabilities")]
    if taggers:
        (probabilities,) = taggers[-1].predict_probabilities([doc])
        rows = [[*row, f"{p.max():.3f}"] for row, p in zip(rows, probabilities, strict=True)]
        header.append("Probability")
    msg.table(rows, header=header, divider=True)

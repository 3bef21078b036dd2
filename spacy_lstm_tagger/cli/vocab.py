"""`python -m spacy lstm-tagger vocab`: count the words of a corpus for training on a stream."""

from pathlib import Path

import spacy
import srsly
import typer

from ..features.vocabulary import Vocabulary
from ..files.languages import language_class
from ..files.raw_text import stored_docs
from . import lstm_tagger_cli
from .errors import failing_in_one_line
from .messages import good
from .pipelines import check_parent


@lstm_tagger_cli.command("vocab")
def vocab_cli(
    corpus: Path = typer.Argument(
        ..., help="A .spacy file, or a directory of them", exists=True, readable=True
    ),
    output: Path = typer.Argument(..., help="The JSON file to write", dir_okay=False),
    lang: str = typer.Option(
        "", "--lang", help="Language to lower-case the words by, such as tr: that of the pipeline"
    ),
) -> None:
    """Count the words and characters of a corpus and write them as JSON.

    For corpora that are streamed (max_epochs = -1), of which spaCy shows a component only the
    first 100 examples. Name the file in [initialize.components.lstm_tagger.vocabulary]. Languages
    with capitals of their own (Turkish, Azerbaijani, Lithuanian, Greek) need --lang.
    """
    with failing_in_one_line(f"Cannot count the words of {corpus}"):
        check_parent(output, inputs=[corpus])
        language = language_class(lang).lang if lang else None
        paths = sorted(corpus.glob("**/*.spacy")) if corpus.is_dir() else [corpus]
        if not paths:
            raise ValueError("there are no .spacy files. Make them with `spacy convert`.")
        vocab = spacy.blank("xx").vocab
        docs = (doc for path in paths for doc in stored_docs(path, vocab))
        vocabulary = Vocabulary.from_docs(docs, language=language)
        if not vocabulary:
            raise ValueError("there are no words in it: nothing was written.")
        srsly.write_json(output, vocabulary.to_dict())
    good(
        f"Wrote {len(vocabulary.words)} words and {len(vocabulary.characters)} characters "
        f"to {output}"
    )

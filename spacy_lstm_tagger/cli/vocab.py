"""`python -m spacy lstm-tagger vocab`: count the words of a corpus for training on a stream."""

from collections.abc import Iterator
from pathlib import Path

import spacy
import srsly
import typer
from spacy.tokens import Doc, DocBin
from wasabi import msg

from ..features.vocabulary import Vocabulary
from . import lstm_tagger_cli


@lstm_tagger_cli.command("vocab")
def vocab_cli(
    corpus: Path = typer.Argument(
        ..., help="A .spacy file, or a directory of them", exists=True, readable=True
    ),
    output: Path = typer.Argument(..., help="The JSON file to write", dir_okay=False),
) -> None:
    """Count the words and characters of a corpus and write them as JSON.

    For corpora that are streamed (max_epochs = -1), of which spaCy shows a component only the
    first 100 examples. Name the file in [initialize.components.lstm_tagger.vocabulary].
    """
    paths = sorted(corpus.glob("**/*.spacy")) if corpus.is_dir() else [corpus]
    if not paths:
        msg.fail(f"No .spacy files in {corpus}. Make them with `spacy convert`.", exits=1)
    if not output.parent.is_dir():
        msg.fail(f"The directory of the output file, {output.parent}, does not exist.", exits=1)
    vocabulary = Vocabulary.from_docs(doc for path in paths for doc in _read(path))
    if not vocabulary:
        msg.fail(f"There are no words in {corpus}: nothing was written.", exits=1)
    srsly.write_json(output, vocabulary.to_dict())
    msg.good(
        f"Wrote {len(vocabulary.words)} words and {len(vocabulary.characters)} characters "
        f"to {output}"
    )


def _read(path: Path) -> Iterator[Doc]:
    try:
        docs = DocBin().from_disk(path)
    except Exception as error:  # zlib's, msgpack's or the file system's own
        msg.fail(
            f"Cannot read {path} as a .spacy file. Make one with `spacy convert`.",
            f"{type(error).__name__}: {error}",
            exits=1,
        )
    yield from docs.get_docs(spacy.blank("xx").vocab)

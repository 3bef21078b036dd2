"""Gold docs from `.spacy` files, and their sentences as examples with gold tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Corpus, Example
from spacy.training.corpus import walk_corpus
from spacy.vocab import Vocab

from ..files.raw_text import reading_stored_docs


def read_gold_docs(path: Path, vocab: Vocab) -> Iterator[Doc]:
    """Yield the docs of a .spacy file, or of a directory of such files. Empty docs are left out.

    Raises ValueError if a file cannot be read.
    """
    if not path.is_dir() and path.suffix != ".spacy":
        raise ValueError(
            f"{path} is not a directory, nor does its name end in .spacy. Make a .spacy file with "
            "`spacy convert`."
        )
    with reading_stored_docs(path):
        yield from Corpus(path).read_docbin(vocab, walk_corpus(path, ".spacy"))


def gold_sentences(docs: Iterable[Doc], nlp: Language) -> Iterator[Example]:
    """Yield the sentences of gold docs, to be predicted on the gold tokens.

    They are those of `spacy evaluate --gold-preproc`. A doc without sentence boundaries counts as
    one sentence.
    """
    yield from Corpus("", gold_preproc=True).make_examples_gold_preproc(nlp, docs)

"""`python -m spacy lstm-tagger convert`: training data from any file of tagged words."""

from __future__ import annotations

from pathlib import Path

import typer
from spacy.tokens import DocBin
from spacy.vocab import Vocab

from ..files.atomic import write_file
from ..files.tagged_words import to_doc
from ..files.treebank import FORMATS, guess_format, read_treebank
from . import lstm_tagger_cli
from .errors import fail, failing_in_one_line
from .messages import good, info
from .pipelines import check_parent


@lstm_tagger_cli.command("convert")
def convert_cli(
    data: Path = typer.Argument(
        ..., help="A file of tagged words, in UTF-8", exists=True, dir_okay=False
    ),
    output: Path = typer.Argument(..., help="The .spacy file to write", dir_okay=False),
    form: str = typer.Option("", "--format", "-f", help=f"{', '.join(FORMATS)}; else by the file"),
    lang: str = typer.Option(
        "", "--lang", "-l", help="Language whose tokenizer decides which contractions stay in parts"
    ),
    split: bool = typer.Option(
        False, "--split-contractions", help="Keep all contractions of CoNLL-U in parts"
    ),
    word: str = typer.Option("", "--word", help="Column of the words: its name, or number from 1"),
    tag: str = typer.Option("", "--tag", help="Column of the tags; of CoNLL-U: xpos or upos"),
    sentence: str = typer.Option("", "--sentence", help="Column that says which sentence it is"),
) -> None:
    """Make a .spacy file for training from tagged words: one sentence a doc.

    conllu: CoNLL-U, with or without heads: sentences end at blank lines alone. Contractions
    (multi-word tokens, such as the French "du") are merged into one word, as raw text has them.
    Heads and entities are left out: for a parser, use `spacy convert --converter conllu -n 1`
    (and --merge-subtokens for languages with contractions).

    tsv: a word and its tag a line, a tab or spaces between them, a blank line between sentences.

    csv: columns with names such as word, tag and sentence, or blank rows between sentences.

    slash: a sentence a line, of word/TAG.

    Only CoNLL-U says where spaces are (SpaceAfter=No). Without that, spaCy evaluates a tagger on
    the words of the file even if it is told to use raw text.
    """
    if form and form not in FORMATS:
        fail(f"--format is '{form}', but must be one of {', '.join(FORMATS)}")
    with failing_in_one_line(f"Cannot convert {data}"):
        if output.suffix != ".spacy":
            raise ValueError(f"cannot write {output}: its name must end in .spacy")
        form = form or guess_format(data)
        _check_options(form, lang=lang, split=split, word=word, tag=tag, sentence=sentence)
        sentences, spaces_known, notes = read_treebank(
            data, form, lang=lang, split=split, word=word, tag=tag, sentence=sentence
        )
        output.parent.mkdir(parents=True, exist_ok=True)
        check_parent(output, inputs=[data])
        vocab = Vocab()
        docs = (to_doc(words, vocab, spaces_known=spaces_known) for words in sentences)
        write_file(output, DocBin(docs=docs).to_bytes())
    for each in notes:
        info(each)
    tags = {each.tag for words in sentences for each in words if each.tag}
    good(
        f"Wrote {output}: {len(sentences)} docs, a sentence each, of {sum(map(len, sentences))} "
        f"words with {len(tags)} different tags"
    )


def _check_options(
    form: str, *, lang: str, split: bool, word: str, tag: str, sentence: str
) -> None:
    given = {
        "--lang": (bool(lang), ("conllu",)),
        "--split-contractions": (split, ("conllu",)),
        "--word": (bool(word), ("tsv", "csv")),
        "--tag": (bool(tag), ("tsv", "csv", "conllu")),
        "--sentence": (bool(sentence), ("tsv", "csv")),
    }
    for option, (is_given, formats) in given.items():
        if is_given and form not in formats:
            raise ValueError(f"{option} is for the format {' or '.join(formats)}, this is {form}.")
    if lang and split:
        raise ValueError("--lang and --split-contractions exclude each other.")
    if form == "conllu" and tag.casefold() not in ("", "xpos", "upos"):
        raise ValueError(f"--tag is '{tag}', but must be xpos or upos for CoNLL-U.")

"""Dev split of a treebank, in all the forms that a tagger is scored on."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import spacy
from spacy.tokens import Doc, DocBin

from .training import conllu_file, convert
from .treebank import genre, read_conllu
from .variants import Text, joined, lower_cased, mistyped, upper_cased

LONG_DOCS = (10, 500)
"""Numbers of sentences in a doc."""


@dataclass(frozen=True)
class Treebank:
    """Files of a treebank.

    name: name of the treebank, such as "en_ewt".
    data: directory of the CoNLL-U files.
    work: directory of the converted files.
    """

    name: str
    data: Path
    work: Path

    @property
    def lang(self) -> str:
        """Code of the language."""
        return self.name.partition("_")[0]

    def conllu(self, split: str) -> Path:
        """Return the CoNLL-U file of a split."""
        return conllu_file(self.data, self.name, split)

    @cached_property
    def corpora(self) -> tuple[Path, Path]:
        """The .spacy files of train and dev, converted if needed."""
        return convert(self.conllu("train"), self.work), convert(self.conllu("dev"), self.work)


@dataclass(frozen=True)
class DevSet:
    """Dev sentences with their altered forms, and the gold tag and genre of each word.

    forms: Name of each form to its docs. All forms have the same words in the same order, so the
        n-th word of each is the n-th of `tags`, `unseen` and `genres`.
    references: The sentences as spaCy docs with tags, for scores on raw text.
    tags: Gold tag of each word.
    unseen: Whether each word is not in the train split.
    genres: Genre of the sentence of each word; None if it is unknown.
    """

    forms: dict[str, list[Text]]
    references: list[Doc]
    tags: list[str]
    unseen: list[bool]
    genres: list[str | None]

    @property
    def n_typos(self) -> int:
        """Number of words with a typo."""
        pairs = zip(self.forms["gold"], self.forms["typos"], strict=True)
        return sum(a != b for x, y in pairs for a, b in zip(x.words, y.words, strict=True))


def make_devset(
    references: list[Doc], genres: list[str | None], seen: set[str], lang: str
) -> DevSet:
    """Build the dev set.

    references: Gold docs, one sentence each.
    genres: Genre of each doc; None if it is unknown.
    seen: Words of the train split.
    lang: Code of the language.
    """
    gold = [_text(doc) for doc in references]
    forms = {
        "gold": gold,
        "lower": lower_cased(gold, lang),
        "upper": upper_cased(gold, lang),
        "typos": mistyped(gold, lang=lang),
    }
    for n in LONG_DOCS:
        forms[f"gold_{n}"] = joined(gold, n)
    for name in ("lower", "upper", "typos"):
        forms[f"{name}_{LONG_DOCS[0]}"] = joined(forms[name], LONG_DOCS[0])
    return DevSet(
        forms,
        references,
        [tag for text in gold for tag in text.tags],
        [word not in seen for text in gold for word in text.words],
        [genre for text, genre in zip(gold, genres, strict=True) for _ in text.words],
    )


def read_devset(treebank: Treebank) -> DevSet:
    """Read the dev set of a treebank, and convert it first if needed."""
    sentences = list(read_conllu(treebank.conllu("dev")))
    vocab = spacy.blank(treebank.lang).vocab
    references = list(DocBin().from_disk(treebank.corpora[1]).get_docs(vocab))
    if [s.words for s in sentences] != [[t.text for t in doc] for doc in references]:
        sys.exit(
            f"{treebank.corpora[1]} has other sentences than {treebank.conllu('dev')}: "
            f"{len(references)} docs against {len(sentences)}. Delete it to convert it again."
        )
    seen = {word for s in read_conllu(treebank.conllu("train")) for word in s.words}
    return make_devset(references, [genre(s.id) for s in sentences], seen, treebank.lang)


def _text(doc: Doc) -> Text:
    spaces = [bool(token.whitespace_) for token in doc]
    return Text([token.text for token in doc], spaces, [token.tag_ for token in doc])

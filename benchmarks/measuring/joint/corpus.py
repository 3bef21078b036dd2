"""Corpora of joint tagging, made from CoNLL-U with all that the treebank annotates.

`spacy convert` is not used, because it fills in what is not annotated: UPOS for a missing XPOS,
and the lemma "_" for a missing lemma. Taggers would learn both, and be scored on them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from spacy.pipeline._edit_tree_internals.edit_trees import EditTrees
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..devset import Treebank
from .treebanks import OUTPUTS, SOURCES

MIN_TREE_FREQ = 3
"""Least frequency of an edit tree that spaCy's `trainable_lemmatizer` learns, by default."""


class Word(NamedTuple):
    """Syntactic word.

    tag, pos, lemma: XPOS, UPOS and lemma; empty if they are not annotated.
    morph: FEATS; empty if the word has no features.
    space: Whether a space follows.
    """

    text: str
    tag: str
    pos: str
    morph: str
    lemma: str
    space: bool


Sentences = list[list[Word]]


@dataclass(frozen=True)
class JointTreebank(Treebank):
    """Treebank whose corpora have XPOS, UPOS, FEATS and lemmas."""

    @property
    def lang(self) -> str:
        """Code of the language in spaCy."""
        source = SOURCES.get(self.name)
        return source.lang if source else super().lang

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """What the treebank annotates. The file is read only if the treebank is not in SOURCES."""
        source = SOURCES.get(self.name)
        return source.outputs if source else annotated(self.sentences("train"))

    @property
    def steps(self) -> int | None:
        """Steps of our training; None for the config's."""
        source = SOURCES.get(self.name)
        return source.steps if source else None

    @cached_property
    def corpora(self) -> tuple[Path, Path]:
        """The .spacy files of train and dev, converted if needed."""
        return self._converted("train"), self._converted("dev")

    def sentences(self, split: str) -> Sentences:
        """Return the sentences of a split."""
        return list(read_words(self.conllu(split)))

    def _converted(self, split: str) -> Path:
        source, target = self.conllu(split), self.work / f"{self.name}-{split}.spacy"
        if not target.is_file() or target.stat().st_mtime < source.stat().st_mtime:
            self.work.mkdir(parents=True, exist_ok=True)
            vocab = Vocab()
            docs = [to_doc(words, vocab) for words in self.sentences(split)]
            DocBin(docs=docs).to_disk(target)
        return target


@dataclass(frozen=True)
class JointDevSet:
    """Dev sentences with gold annotation.

    outputs: What is scored.
    unseen: Whether each word's lower-cased form is not in the train split.
    counts: Sizes of the treebank, for the report.
    """

    references: list[Doc]
    outputs: tuple[str, ...]
    unseen: list[bool]
    counts: dict[str, int]


def read_devset(treebank: JointTreebank) -> JointDevSet:
    """Read the dev set of a treebank."""
    train, dev = treebank.sentences("train"), treebank.sentences("dev")
    seen = {word.text.lower() for words in train for word in words}
    unseen = [word.text.lower() not in seen for words in dev for word in words]
    vocab = Vocab()
    references = [to_doc(words, vocab) for words in dev]
    return JointDevSet(references, treebank.outputs, unseen, counts(train, dev, sum(unseen)))


def read_words(path: Path) -> Iterator[list[Word]]:
    """Yield the sentences of a CoNLL-U file, as its syntactic words; empty nodes are skipped."""
    words: list[Word] = []
    end, space = 0, True  # last word of the multiword token, and whether a space follows that
    with path.open(encoding="utf8") as lines:
        for line in lines:
            columns = line.rstrip("\n").split("\t")
            if len(columns) < 10:
                if words and not line.strip():
                    yield words
                    words, end = [], 0
                continue
            number, form, lemma, pos, tag, morph, *_, misc = columns
            followed = "SpaceAfter=No" not in misc.split("|")
            if "-" in number:
                end, space = int(number.partition("-")[2]), followed
            elif "." not in number:
                inside = int(number) <= end
                followed = (space and int(number) == end) if inside else followed
                lemma = lemma if form == "_" else _value(lemma)
                words.append(Word(form, *map(_value, (tag, pos, morph)), lemma, followed))
    if words:
        yield words


def to_doc(words: list[Word], vocab: Vocab) -> Doc:
    """Return a sentence as a gold doc, all its words with a `morph`, if only an empty one."""
    columns = list(zip(*words, strict=True))
    texts, tags, pos, morphs, lemmas, spaces = map(list, columns)
    return Doc(vocab, texts, spaces, tags=tags, pos=pos, morphs=morphs, lemmas=lemmas)


def annotated(sentences: Sentences) -> tuple[str, ...]:
    """Return those of OUTPUTS that a word has."""
    words = [word for words in sentences for word in words]
    return tuple(name for name in OUTPUTS if any(getattr(word, name) for word in words))


def counts(train: Sentences, dev: Sentences, n_unseen: int) -> dict[str, int]:
    """Return the sizes of a treebank: words, sentences, and different annotations in train.

    n_unseen: Number of words of dev whose form is not in train.
    """
    words = [word for words in train for word in words]
    trees = _edit_trees(words)
    return {
        "train_sentences": len(train),
        "train_words": len(words),
        "dev_sentences": len(dev),
        "dev_words": sum(map(len, dev)),
        "unseen": n_unseen,
        "tags": len({word.tag for word in words if word.tag}),
        "morphs": len({word.morph for word in words}),
        "trees": len(trees),
        "frequent_trees": sum(n >= MIN_TREE_FREQ for n in trees.values()),
    }


def _edit_trees(words: Iterable[Word]) -> Counter[int]:
    """Count spaCy's edit trees from form to lemma."""
    trees = EditTrees(Vocab().strings)
    return Counter(trees.add(word.text, word.lemma) for word in words if word.lemma)


def _value(column: str) -> str:
    return "" if column == "_" else column

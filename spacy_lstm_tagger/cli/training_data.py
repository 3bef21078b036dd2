"""What a file of training data has of the annotation that is to be predicted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from spacy.vocab import Vocab

from ..outputs import known_outputs
from ..outputs.lemma import is_known
from ..outputs.morph import NONE
from ..report.gold_docs import read_gold_docs
from ..training.corpus_checks import NEARLY_ALL

NAMES = {
    "tag": ("tag", "token.tag; in CoNLL-U: XPOS"),
    "pos": ("part of speech", "token.pos; in CoNLL-U: UPOS"),
    "morph": ("morphological feature", "token.morph; in CoNLL-U: FEATS"),
    "lemma": ("lemma", "token.lemma; in CoNLL-U: LEMMA"),
}
"""What one value of each output is called, and where it is found."""

WORDS, FEATURES = "words", "features"
"""Keys of counts besides the names of outputs: all words, and words with a feature."""


class TrainingData(NamedTuple):
    """What is known of training data.

    n_words: number of words, white space left out.
    doubts: what is doubtful about it, a message each.
    more: names of outputs that it could teach as well.
    """

    n_words: int
    doubts: list[str]
    more: list[str]


def check_training_data(path: Path, outputs: Sequence[str]) -> TrainingData:
    """Return what is known of training data.

    path: a .spacy file, or a directory of such files.
    outputs: names of what is to be predicted.
    Raises ValueError if the file cannot be read, or has no value of one of them.
    """
    counts = count_annotation(path)
    n_words = counts[WORDS]
    if not n_words:
        raise ValueError(f"{path} has no words: it is empty, or its name does not end in .spacy.")
    present = {name for name in NAMES if counts[FEATURES if name == "morph" else name]}
    for name in outputs:
        if name not in present:
            what, where = NAMES[name]
            raise ValueError(
                f"--outputs has '{name}', but none of the {n_words:,} words of {path} has a "
                f"{what} ({where}). Take '{name}' out of --outputs, or name a file that has them."
            )
    doubts = [
        f"{n_words - counts[name]:,} of the {n_words:,} words of {path} have no {NAMES[name][0]} "
        f"({NAMES[name][1]}): they teach nothing of it"
        for name in outputs
        if counts[name] < NEARLY_ALL * n_words
    ]
    more = [name for name in NAMES if name in present and name not in outputs]
    return TrainingData(n_words, doubts, more)


def count_annotation(path: Path) -> Counter[str]:
    """Return how many words have a value of each output, and the counts of `WORDS` and `FEATURES`.

    Raises ValueError if the file cannot be read.
    """
    counts: Counter[str] = Counter()
    attrs = {output.name: output.attr for output in known_outputs()}
    for doc in read_gold_docs(path, Vocab()):
        strings = doc.vocab.strings
        rows = zip(doc, *(doc.to_array(attr).tolist() for attr in attrs.values()), strict=True)
        for token, *values in rows:
            if token.text.isspace():
                continue
            found = dict(zip(attrs, (strings[value] for value in values), strict=True))
            if not is_known(token.text, found["lemma"]):
                found["lemma"] = ""
            counts.update(name for name, value in found.items() if value)
            counts[FEATURES] += found["morph"] not in ("", NONE)
            counts[WORDS] += 1
    return counts

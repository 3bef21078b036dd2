"""What is written of a doc: parallel lists of its tokens, their places in the text, and labels."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IDX, LEMMA, LENGTH, MORPH, ORTH, POS, TAG
from spacy.language import Language
from spacy.tokens import Doc

from ..pipeline.kept_probabilities import tag_confidence
from ..report.labels import own_tag_taggers

ATTRIBUTES = {"tag": TAG, "pos": POS, "morph": MORPH, "lemma": LEMMA}
"""Attributes of tokens that can be written, by name."""

ENTITIES, PROBABILITIES = "ents", "probabilities"
COLUMNS = {
    "tag": "tags",
    "pos": "pos",
    "morph": "morphs",
    "lemma": "lemmas",
    ENTITIES: "ents",
    PROBABILITIES: "tag_probabilities",
}
"""Column of each attribute."""

NO_FEATURES = "_"
"""How spaCy stores that a token has no features."""

LEARNED = 200_000
"""Tokens whose words each worker keeps; those of later ones are forgotten after each batch."""

TOKENS = ("tokens", "token_starts", "token_ends")
"""Columns of every doc: the tokens, and the characters of the text where each starts and ends."""


def columns_of(attributes: Sequence[str]) -> list[str]:
    """Return the columns that are added to those of the records."""
    return [*TOKENS, *(COLUMNS[attribute] for attribute in attributes)]


@dataclass(frozen=True)
class Options:
    """What decides the output of a job.

    kind: what to write, of `writers.KINDS`.
    text_column: column of the texts.
    id_column: column of their ids; None if ids are made, of file and row.
    attributes: what to write beside tokens, of `COLUMNS`.
    """

    kind: str
    text_column: str
    id_column: str | None
    attributes: tuple[str, ...]


class Column(NamedTuple):
    """Values of a batch of docs, those of one doc after those of another.

    offsets: where the values of each doc begin, and where the last ones end: shape (n docs + 1,).
    values: all values.
    """

    offsets: NDArray[np.int32]
    values: Any

    def rows(self) -> list[list[Any]]:
        """Return the values of each doc."""
        values = self.values.tolist() if isinstance(self.values, np.ndarray) else self.values
        ends = self.offsets.tolist()
        return [values[start:end] for start, end in pairwise(ends)]


class Annotator:
    """Pipeline that annotates texts.

    attributes: names of what is to be written, of `COLUMNS`.
    Raises ValueError for an attribute that is unknown or that the pipeline cannot set.
    """

    def __init__(self, nlp: Language, attributes: Sequence[str]) -> None:
        if unknown := [name for name in attributes if name not in COLUMNS]:
            raise ValueError(
                f"there is no attribute '{unknown[0]}'; there are {', '.join(COLUMNS)}"
            )
        self.nlp, self.attributes = nlp, list(attributes)
        self._n_tokens = 0
        if PROBABILITIES in attributes:
            if not (taggers := own_tag_taggers(nlp)):
                raise ValueError(
                    f"the pipeline's components are {nlp.pipe_names}, and without an lstm_tagger "
                    "there are no probabilities: leave them out"
                )
            for tagger in taggers:
                tagger.cfg["save_probabilities"] = 1

    def zone(self) -> AbstractContextManager[Any]:
        """Return a context in which a batch is annotated and written; new words end with it.

        The words of the first `LEARNED` tokens are kept: in a memory zone, spaCy's tokenizer takes
        any word that it has not seen outside of one apart again each time.
        """
        return contextlib.nullcontext() if self._n_tokens < LEARNED else self.nlp.memory_zone()

    def annotations(self, docs: Sequence[Doc]) -> dict[str, Column]:
        """Return what is written of a batch of annotated docs, by column."""
        ids = [ORTH, IDX, LENGTH, *(ATTRIBUTES[a] for a in self.attributes if a in ATTRIBUTES)]
        rows = [doc.to_array(ids) for doc in docs if len(doc)]
        table = np.concatenate(rows) if rows else np.zeros((0, len(ids)), dtype="uint64")
        offsets = _offsets([len(doc) for doc in docs])
        self._n_tokens += len(table)
        starts, lengths = table[:, 1].astype("int32"), table[:, 2].astype("int32")
        found = {
            "tokens": Column(offsets, self._texts(table[:, 0])),
            "token_starts": Column(offsets, starts),
            "token_ends": Column(offsets, starts + lengths),
        }
        place = 3
        for name in self.attributes:
            if name in ATTRIBUTES:
                empty = NO_FEATURES if name == "morph" else ""
                found[COLUMNS[name]] = Column(offsets, self._texts(table[:, place], empty))
                place += 1
            elif name == PROBABILITIES:
                values = [tag_confidence(token) for doc in docs for token in doc]
                found[COLUMNS[name]] = Column(offsets, values)
            else:
                ents = [doc.ents for doc in docs]
                entities = [
                    {"start": ent.start_char, "end": ent.end_char, "label": ent.label_}
                    for of_doc in ents
                    for ent in of_doc
                ]
                found[COLUMNS[name]] = Column(_offsets([len(one) for one in ents]), entities)
        return found

    def _texts(self, keys: NDArray[np.uint64], empty: str = "") -> list[str]:
        """Return the texts of keys of the string store; "" for no key, and for the text `empty`."""
        listed, strings = keys.tolist(), self.nlp.vocab.strings
        known = {key: strings[key] if key else "" for key in set(listed)}
        known = {key: "" if text == empty else text for key, text in known.items()}
        return [known[key] for key in listed]


def _offsets(lengths: Sequence[int]) -> NDArray[np.int32]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype("int32")

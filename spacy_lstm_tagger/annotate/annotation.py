"""What is written of a doc: parallel lists of its tokens, their places in the text, and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spacy.attrs import IDX, LEMMA, LENGTH, MORPH, POS, TAG
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
        if PROBABILITIES in attributes:
            if not (taggers := own_tag_taggers(nlp)):
                raise ValueError(
                    f"the pipeline's components are {nlp.pipe_names}, and without an lstm_tagger "
                    "there are no probabilities: leave them out"
                )
            for tagger in taggers:
                tagger.cfg["save_probabilities"] = 1
        self._strings: dict[int, str] = {}

    def annotation(self, doc: Doc) -> dict[str, list[Any]]:
        """Return what is written of an annotated doc, by column."""
        places = doc.to_array([IDX, LENGTH]).astype("int64")
        starts = places[:, 0]
        found: dict[str, list[Any]] = {
            "tokens": [token.text for token in doc],
            "token_starts": starts.tolist(),
            "token_ends": (starts + places[:, 1]).tolist(),
        }
        for name in self.attributes:
            found[COLUMNS[name]] = self._values(doc, name)
        return found

    def _values(self, doc: Doc, name: str) -> list[Any]:
        if name == ENTITIES:
            return [
                {"start": ent.start_char, "end": ent.end_char, "label": ent.label_}
                for ent in doc.ents
            ]
        if name == PROBABILITIES:
            return [tag_confidence(token) for token in doc]
        if name == "pos":
            return [token.pos_ for token in doc]
        if name == "lemma":
            return [token.lemma_ for token in doc]
        keys = doc.to_array([ATTRIBUTES[name]]).tolist()
        known, strings = self._strings, self.nlp.vocab.strings
        for key in set(keys).difference(known):  # there are few tags and features
            text = strings[key] if key else ""
            known[key] = "" if text == NO_FEATURES else text
        return [known[key] for key in keys]

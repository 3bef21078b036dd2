"""Which gold values the tokens of training docs have, and which of them together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spacy.tokens import Doc

from ..features.white_space import with_white_space


class GoldCombinations:
    """The distinct combinations of gold values that occur on tokens.

    attrs: names of spaCy's token attributes, such as ["TAG", "POS"].
    """

    def __init__(self, attrs: Sequence[str]) -> None:
        self.attrs = list(attrs)
        self._found: set[tuple[str, ...]] = set()

    def add(self, doc: Doc) -> None:
        """Add the combinations of an annotated doc, of all tokens but white space."""
        strings = doc.vocab.strings
        for *row, space in set(map(tuple, with_white_space(doc, self.attrs).tolist())):
            if not space:
                self._found.add(tuple(strings[value] for value in row))

    def of(self, *attrs: str) -> set[tuple[str, ...]]:
        """Return the distinct combinations of some attributes, without those that lack one."""
        places = [self.attrs.index(attr) for attr in attrs]
        combinations = {tuple(found[i] for i in places) for found in self._found}
        return {values for values in combinations if all(values)}


def combinations_in(docs: Iterable[Doc], attrs: Sequence[str]) -> GoldCombinations:
    """Return the combinations of annotated docs."""
    combinations = GoldCombinations(attrs)
    for doc in docs:
        combinations.add(doc)
    return combinations

"""Which gold values the tokens of training docs have, and which of them together."""

from __future__ import annotations

from collections.abc import Sequence

from spacy.tokens import Doc

from ..features.white_space import with_white_space


class GoldCombinations:
    """The distinct combinations of gold values that occur on tokens.

    attrs: names of spaCy's token attributes, such as ["TAG", "POS"].
    """

    def __init__(self, attrs: Sequence[str]) -> None:
        self.attrs = list(attrs)
        self._found: set[tuple[str, ...]] = set()
        self._added: set[tuple[str, ...]] = set()

    def add(self, doc: Doc, *, added: bool = False) -> None:
        """Add the combinations of an annotated doc, of all tokens but white space.

        added: whether the doc is none of the training corpus, but augmentation's or a teacher's.
        """
        strings, found = doc.vocab.strings, self._added if added else self._found
        for *row, space in set(map(tuple, with_white_space(doc, self.attrs).tolist())):
            if not space:
                found.add(tuple(strings[value] for value in row))

    def of(self, *attrs: str, added: bool = True) -> set[tuple[str, ...]]:
        """Return the distinct combinations of some attributes, without those that lack one.

        added: whether to include those of added docs.
        """
        places = [self.attrs.index(attr) for attr in attrs]
        sources = [self._found, self._added] if added else [self._found]
        combinations = {tuple(found[i] for i in places) for source in sources for found in source}
        return {values for values in combinations if all(values)}

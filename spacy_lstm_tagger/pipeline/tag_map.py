"""Component that sets universal parts of speech by fine-grained tags, with a learned table."""

# Annotations are evaluated, not strings: spaCy's config system reads them to check settings.
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple, Union

import srsly
from spacy.language import Language
from spacy.parts_of_speech import IDS as POS
from spacy.pipeline import Pipe
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example, validate_examples

from ..features.casing import casing_of
from ..outputs.pos import WHITE_SPACE
from ..settings import ENVIRONMENT_ERRORS

FILE = "tag_map.json"

SEEN = 2
"""Minimum count in training of a word's own part of speech for it to replace the tag's."""


@Language.factory(
    "lstm_tagger_pos",
    assigns=["token.pos"],
    requires=["token.tag"],
    default_config={"overwrite": False},
    default_score_weights={"pos_acc": 0.0},
)
def make_tag_map(nlp: Language, name: str, overwrite: bool) -> "TagMap":
    """Build the component for `nlp.add_pipe("lstm_tagger_pos")`. See `TagMap`."""
    return TagMap(name, overwrite=overwrite)


class TagMap(Pipe):
    """Component that sets `token.pos` by the token's tag, and for some words by the word.

    A tag gets the part of speech that it has most often in the training data. A word that most
    often has a different one with that tag keeps it. Needs a tagger before it in the pipeline.

    name (str): The component's name.
    overwrite (bool): Whether to replace parts of speech that tokens already have.
    """

    def __init__(self, name: str = "lstm_tagger_pos", *, overwrite: bool = False) -> None:
        self.name = name
        self.overwrite = overwrite
        self.tags: Dict[str, str] = {}
        self.words: Dict[str, Dict[str, str]] = {}

    def initialize(
        self, get_examples: Callable[[], Iterable[Example]], *, nlp: Optional[Language] = None
    ) -> None:
        """Learn the table from training examples.

        get_examples (Callable): Function that returns the training examples. All of them are read.
        nlp (Optional[Language]): The pipeline; not used.
        RAISES ValueError: If no token has both a tag and a part of speech.
        """
        counts: Counter[Tuple[str, str, str]] = Counter()
        for eg in get_examples():
            validate_examples([eg], "TagMap.initialize")
            lower = casing_of(eg.reference.vocab.lang).lower
            counts.update(
                (token.tag_, lower(token.text), token.pos_)
                for token in eg.reference
                if token.tag_ and token.pos_ and not token.is_space
            )
        if not counts:
            raise ValueError(
                f"[{self.name}] None of the training examples has a token with both a tag and a "
                "part of speech, so there is nothing to learn. Train on a corpus that has both "
                "(in CoNLL-U: XPOS and UPOS), or remove the component."
            )
        self.tags, self.words = _learn(counts)

    def __call__(self, doc: Doc) -> Doc:
        """Set the parts of speech of a doc. Raises ValueError if the table is empty."""
        if not self.tags:
            raise ValueError(
                f"[{self.name}] The table is empty. Call nlp.initialize() with examples, train "
                "the pipeline, or load a trained one."
            )
        lower = casing_of(doc.vocab.lang).lower
        for token in doc:
            if token.tag and (self.overwrite or not token.pos):
                tag = token.tag_
                pos = self.words.get(tag, {}).get(lower(token.text)) or self.tags.get(tag)
                if token.text.isspace():
                    pos = WHITE_SPACE
                if pos:
                    token.pos_ = pos
        return doc

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """Return the accuracy of the parts of speech, as `pos_acc`."""
        return Scorer.score_token_attr(examples, "pos", **kwargs)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return the table as bytes."""
        return srsly.msgpack_dumps({"tags": self.tags, "words": self.words})

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "TagMap":
        """Load a table. Raises ValueError if it is damaged, and then keeps the present one."""
        try:
            self.tags, self.words = _checked(srsly.msgpack_loads(bytes_data))
        except ENVIRONMENT_ERRORS:
            raise
        except Exception as error:  # whatever msgpack raises
            raise self._damaged(error) from error
        return self

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Save the table as JSON in a directory."""
        Path(path).mkdir(parents=True, exist_ok=True)
        srsly.write_json(Path(path) / FILE, {"tags": self.tags, "words": self.words})

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "TagMap":
        """Load a table. Raises ValueError if it is damaged, and then keeps the present one."""
        try:
            self.tags, self.words = _checked(
                srsly.json_loads((Path(path) / FILE).read_text("utf8"))
            )
        except FileNotFoundError as error:
            raise self._damaged(error) from error
        except ENVIRONMENT_ERRORS:
            raise
        except Exception as error:  # not JSON, or not such a table
            raise self._damaged(error) from error
        return self

    def _damaged(self, error: Exception) -> ValueError:
        return ValueError(
            f"[{self.name}] The table of parts of speech is missing or damaged. Train the "
            f"pipeline again. ({type(error).__name__}: {error})"
        )


def _learn(
    counts: "Counter[Tuple[str, str, str]]",
) -> Tuple[Dict[str, str], Dict[str, Dict[str, str]]]:
    """Return the most frequent part of speech of each tag, and of its words that differ."""
    of_tag: Dict[str, Counter[str]] = {}
    of_word: Dict[Tuple[str, str], Counter[str]] = {}
    for (tag, word, pos), n in counts.items():
        of_tag.setdefault(tag, Counter())[pos] += n
        of_word.setdefault((tag, word), Counter())[pos] += n
    tags = {tag: _most_frequent(found) for tag, found in sorted(of_tag.items())}
    words: Dict[str, Dict[str, str]] = {}
    for (tag, word), found in sorted(of_word.items()):
        pos = _most_frequent(found)
        if pos != tags[tag] and found[pos] >= SEEN:
            words.setdefault(tag, {})[word] = pos
    return tags, words


def _most_frequent(found: "Counter[str]") -> str:
    return min(found, key=lambda pos: (-found[pos], pos))


def _checked(table: Any) -> Tuple[Dict[str, str], Dict[str, Dict[str, str]]]:
    tags, words = table["tags"], table["words"]
    for part in (tags, *words.values()):
        if not all(isinstance(text, str) for pair in part.items() for text in pair):
            raise ValueError("it must map strings to strings")
        if unknown := set(part.values()) - set(POS):
            raise ValueError(f"it has the unknown parts of speech {sorted(unknown)}")
    return tags, words

"""Universal parts of speech from fine-grained tags, by a table learned from the training data."""

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

from ..settings import ENVIRONMENT_ERRORS

FILE = "tag_map.json"

SEEN = 2
"""A word's own part of speech counts where training has it at least so many times."""


@Language.factory(
    "lstm_tagger_pos",
    assigns=["token.pos"],
    requires=["token.tag"],
    default_config={"overwrite": False},
    default_score_weights={"pos_acc": 0.0},
)
def make_tag_map(nlp: Language, name: str, overwrite: bool) -> "TagMap":
    """Make the component for `nlp.add_pipe("lstm_tagger_pos")`. See `TagMap`."""
    return TagMap(name, overwrite=overwrite)


class TagMap(Pipe):
    """Set `token.pos` by the token's tag, and where the training data asks for it by its word.

    Each tag has the part of speech that it has most often in the training data; a word that has
    another one most often with that tag keeps that. Needs a tagger before it.

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
        """Learn the table.

        get_examples (Callable): Returns the training examples; all of them are read.
        nlp (Optional[Language]): The pipeline.
        RAISES ValueError: Where no token has both a tag and a part of speech.
        """
        counts: Counter[Tuple[str, str, str]] = Counter()
        for eg in get_examples():
            validate_examples([eg], "TagMap.initialize")
            counts.update(
                (token.tag_, token.lower_, token.pos_)
                for token in eg.reference
                if token.tag_ and token.pos_
            )
        if not counts:
            raise ValueError(
                f"[{self.name}] None of the training examples has a token with both a tag and a "
                "part of speech, so there is nothing to learn. Train on a corpus that has both "
                "(in CoNLL-U: XPOS and UPOS), or remove the component."
            )
        self.tags, self.words = _learn(counts)

    def __call__(self, doc: Doc) -> Doc:
        """Set the parts of speech of a doc."""
        if not self.tags:
            raise ValueError(
                f"[{self.name}] The table is empty. Call nlp.initialize() with examples, train "
                "the pipeline, or load a trained one."
            )
        for token in doc:
            if token.tag and (self.overwrite or not token.pos):
                tag = token.tag_
                pos = self.words.get(tag, {}).get(token.lower_) or self.tags.get(tag)
                if pos:
                    token.pos_ = pos
        return doc

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """The accuracy of the parts of speech, as `pos_acc`."""
        return Scorer.score_token_attr(examples, "pos", **kwargs)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The table as bytes."""
        return srsly.msgpack_dumps({"tags": self.tags, "words": self.words})

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "TagMap":
        """Load a table. Raises ValueError where it is damaged; the present one then stays."""
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
        """Load a table. Raises ValueError where it is damaged; the present one then stays."""
        try:
            self.tags, self.words = _checked(
                srsly.json_loads((Path(path) / FILE).read_text("utf8"))
            )
        except FileNotFoundError as error:
            raise self._damaged(error) from error
        except ENVIRONMENT_ERRORS:
            raise
        except Exception as error:  # no JSON, or something else in it
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
    """The most frequent part of speech of every tag, and of every tag's words that differ."""
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

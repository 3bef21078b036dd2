"""Training corpus of gold examples and of texts labelled by teachers."""

# Annotations are evaluated, not strings: spaCy's config system reads them to check settings.
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..files.raw_text import stored_docs
from ..outputs import known_outputs
from ..training.augmenter import mark_added
from ..training.soft_targets import key_of

Reader = Callable[[Language], Iterable[Example]]

MAKE_IT = "Make one with: python -m spacy lstm-tagger distill MODEL RAW_TEXT taught.spacy"


def build_distillation_corpus_v1(
    *,
    gold: Reader,
    teacher: str | Path | None,
    repeats: int = 1,
    count_words: bool = False,
    limit: int = 0,
) -> Reader:
    """Build a reader that mixes gold examples with texts labelled by `lstm-tagger distill`.

    gold (Callable): Reader of the gold examples, such as `spacy.Corpus.v1`.
    teacher (Path): The .spacy file that `python -m spacy lstm-tagger distill` wrote.
    repeats (int): Number of times that the gold examples are in the mixture, at least 1. Their
        words are counted once.
    count_words (bool): Whether the words of the teacher's texts are counted for the vocabulary, and
        so get embeddings of their own.
    limit (int): Maximum number of the teacher's docs to read; 0 for all.
    RETURNS (Callable): Function from the pipeline to the examples, gold ones first. It raises
        ValueError if the file is not named, missing or damaged, or a doc in it lacks a teacher's
        probabilities.
    RAISES ValueError: If `repeats` or `limit` is out of its range.
    """
    if repeats < 1 or limit < 0:
        raise ValueError(
            f"repeats is {repeats} and limit {limit}, but they must be at least 1 and 0."
        )

    def read(nlp: Language) -> Iterator[Example]:
        path, key = _checked(teacher), key_of(known_outputs()[0].name)
        for turn in range(repeats):
            for eg in gold(nlp):
                yield _repeated(eg) if turn else eg
        for number, reference in enumerate(stored_docs(path, nlp.vocab), start=1):
            if key not in reference.user_data:
                raise ValueError(
                    f"{path}, doc {number}: there are no probabilities of a teacher. {MAKE_IT} "
                    "(Docs with gold tags alone belong in the gold corpus, --paths.train.)"
                )
            yield _example(reference, count_words)
            if number == limit:
                break

    return read


def _checked(teacher: str | Path | None) -> Path:
    """Return the path of the teacher's file. Raises ValueError if it is missing."""
    if teacher is None:
        raise ValueError(
            "The distillation corpus has no teacher's file: 'teacher' is null. Name it with "
            f"--paths.taught, if the config is configs/student.cfg. {MAKE_IT}"
        )
    path = Path(teacher)
    if not path.is_file():
        raise ValueError(f"There is no teacher's file {path}. {MAKE_IT}")
    return path


def _repeated(example: Example) -> Example:
    """Return a copy whose words are not counted, so that repeats do not raise the counts."""
    eg = Example(example.predicted.copy(), example.reference)  # an augmenter may keep the original
    mark_added(eg)
    return eg


def _example(reference: Doc, count_words: bool) -> Example:
    words = [token.text for token in reference]
    spaces = [bool(token.whitespace_) for token in reference]
    eg = Example(Doc(reference.vocab, words=words, spaces=spaces), reference)
    if not count_words:
        mark_added(eg)
    return eg

"""What a pipeline answers to gold tokens, and how often it saw their words in training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Corpus, Example

from ..arrays import Floats1d, Ints1d
from ..features.extractor import vocabulary_of
from ..files.raw_text import reading_stored_docs
from ..pipeline.tagger import LSTMTagger
from ..training.alignment import aligned_tokens


class Gold(NamedTuple):
    """Gold tokens, sentences one after another.

    words, spaces, tags: one each for every token; a missing tag is "".
    lengths: number of tokens of each sentence, shape (n_sentences,).
    """

    words: list[str]
    spaces: list[bool]
    tags: list[str]
    lengths: Ints1d


class Answers(NamedTuple):
    """What a pipeline says of gold tokens.

    name: of the pipeline.
    tags: one for every token; None where the pipeline has cut or joined the token.
    confidence: probability of each tag, NaN where it is unknown, shape (n_tokens,); None for a
        pipeline without probabilities.
    """

    name: str
    tags: list[str | None]
    confidence: Floats1d | None


class WordCounts(NamedTuple):
    """How often words were seen in training.

    counts: by form, or by lower-cased form.
    lower: whether by lower-cased form.
    least: words seen less often than this count as never seen.
    meaning: what "seen" means, for readers.
    """

    counts: Mapping[str, int]
    lower: bool
    least: int
    meaning: str

    def of(self, words: Iterable[str]) -> Ints1d:
        """The count of each word, shape (n_words,)."""
        forms = (word.lower() if self.lower else word for word in words)
        return numpy.asarray([self.counts.get(form, 0) for form in forms], dtype="int64")


def ask(nlp: Language, name: str, examples: Iterable[Example]) -> tuple[Gold, Answers]:
    """Let a pipeline tag gold tokens. Its last lstm_tagger gives the probabilities.

    examples: as `read_gold` reads them for this pipeline.
    Raises ValueError where there are no tokens or gold tags, or the pipeline sets no tags.
    """
    _keep_probabilities(nlp)
    words: list[str] = []
    spaces: list[bool] = []
    gold: list[str] = []
    lengths: list[int] = []
    tags: list[str | None] = []
    confidence: list[Floats1d] = [numpy.zeros(0)]
    pairs = ((eg.predicted, eg.reference) for eg in examples)
    for doc, reference in nlp.pipe(pairs, as_tuples=True):
        words.extend(token.text for token in reference)
        spaces.extend(bool(token.whitespace_) for token in reference)
        gold.extend(token.tag_ for token in reference)
        lengths.append(len(reference))
        doc_tags, doc_confidence = _answer(doc, reference)
        tags.extend(doc_tags)
        confidence.append(doc_confidence)
    if not words:
        raise ValueError("It has no words: it is empty, or its name does not end in .spacy.")
    if not any(gold):
        raise ValueError(
            f"None of its {len(words)} words has a gold tag. Make a file that has them with "
            "`spacy convert`."
        )
    if not any(tags):
        raise ValueError(
            f"The pipeline has the components {nlp.pipe_names}, none of which has set a tag "
            "(token.tag_). Take a pipeline with a trained tagger."
        )
    sure = numpy.concatenate(confidence)
    known = bool(numpy.isfinite(sure).any())
    lengths_array = numpy.asarray(lengths, dtype="int64")
    return Gold(words, spaces, gold, lengths_array), Answers(name, tags, sure if known else None)


def read_gold(path: Path, nlp: Language) -> Iterator[Example]:
    """Read sentences with gold tokens from a .spacy file, as `spacy evaluate --gold-preproc` does.

    Docs without sentence boundaries count as one sentence, empty ones are left out.
    path: a file, or a directory of them.
    Raises ValueError where the file cannot be read.
    """
    if not path.is_dir() and path.suffix != ".spacy":
        raise ValueError(
            f"{path} is not a directory, nor does its name end in .spacy. Make a .spacy file with "
            "`spacy convert`."
        )
    with reading_stored_docs(path):
        yield from Corpus(path, gold_preproc=True)(nlp)


def counts_of_model(nlp: Language) -> WordCounts | None:
    """The words that the pipeline's last tagger with a vocabulary of its own knows."""
    for _, pipe in reversed(nlp.pipeline):
        vocabulary = vocabulary_of(pipe.model) if isinstance(pipe, LSTMTagger) else None
        if vocabulary is not None and vocabulary.words:
            least = min(vocabulary.words.values())
            return WordCounts(
                vocabulary.words,
                True,
                least,
                "The model's own vocabulary decides: a word is seen if its lower-cased form has "
                f"an embedding of its own, having occurred at least {least} times in training. "
                "Rarer words count as unseen.",
            )
    return None


def counts_of_corpus(path: Path, nlp: Language) -> WordCounts:
    """The forms of a training corpus. Raises ValueError where it cannot be read."""
    counts = Counter(token.text for eg in read_gold(path, nlp) for token in eg.reference)
    meaning = f"A word is seen if its form, with the same capitals, occurs in {path.name}."
    return WordCounts(counts, False, 1, meaning)


def _keep_probabilities(nlp: Language) -> None:
    """Let the last lstm_tagger of a pipeline keep the probability of each tag on the docs."""
    for _, pipe in reversed(nlp.pipeline):
        if isinstance(pipe, LSTMTagger):
            pipe.cfg["save_probabilities"] = 1
            return


def _answer(doc: Doc, reference: Doc) -> tuple[list[str | None], Floats1d]:
    """The tag of each gold token and its probability."""
    said = [token.tag_ for token in doc]
    sure = _confidence(doc, said)
    if [token.text for token in doc] == [token.text for token in reference]:
        return list(said), sure
    predicted, gold = aligned_tokens(Example(doc, reference))
    tags: list[str | None] = [None] * len(reference)
    confidence = numpy.full(len(reference), numpy.nan)
    confidence[gold] = sure[predicted]
    for i, j in zip(predicted.tolist(), gold.tolist(), strict=True):
        tags[j] = said[i]
    return tags, confidence


def _confidence(doc: Doc, tags: list[str]) -> Floats1d:
    """The probability of each tag of a doc; NaN where it was not the tagger that chose it."""
    confidence = numpy.full(len(doc), numpy.nan)
    ranking = doc._.tag_ranking if Doc.has_extension("tag_ranking") else None
    if ranking is not None and len(ranking["tags"]) == len(doc):
        labels = doc._.tag_labels
        chosen = [labels[tag] for tag in ranking["tags"][:, 0].tolist()]
        same = numpy.asarray([a == b for a, b in zip(chosen, tags, strict=True)], dtype=bool)
        confidence[same] = ranking["probabilities"][same, 0]
    return confidence

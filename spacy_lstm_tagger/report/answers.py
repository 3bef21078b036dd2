"""Answers of a pipeline to gold tokens, and counts of the words that it saw in training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..arrays import Floats1d, Ints1d
from ..features.extractor import vocabulary_of
from ..pipeline.kept_probabilities import tag_confidences
from ..pipeline.tagger import LSTMTagger
from ..training.alignment import aligned_tokens
from .gold_docs import read_gold_docs
from .labels import labels_of, own_tag_taggers


class Gold(NamedTuple):
    """Gold tokens of all sentences, one sentence after another.

    words: text of each token.
    spaces: whether a space follows each token.
    tags: gold tag of each token; "" if it has none.
    lengths: number of tokens of each sentence, shape (n_sentences,).
    """

    words: list[str]
    spaces: list[bool]
    tags: list[str]
    lengths: Ints1d


class Answers(NamedTuple):
    """Tags that a pipeline gives to gold tokens, with their probabilities.

    name: name of the pipeline.
    tags: tag of each token; None if the pipeline has cut or joined the token.
    confidence: probability of each tag, shape (n_tokens,), NaN if it is unknown. None if the
        pipeline gives no probabilities.
    labels: gold tags that the pipeline's taggers have learned from; None if they are unknown.
    """

    name: str
    tags: list[str | None]
    confidence: Floats1d | None
    labels: frozenset[str] | None = None


class WordCounts(NamedTuple):
    """Counts of words in training.

    count: function from a form to its number of occurrences.
    least: minimum count of a seen word; rarer words count as unseen.
    meaning: definition of "seen", for readers of the report.
    """

    count: Callable[[str], int]
    least: int
    meaning: str

    def of(self, words: Iterable[str]) -> Ints1d:
        """Return the count of each word, shape (n_words,)."""
        return numpy.asarray([self.count(word) for word in words], dtype="int64")


def ask(nlp: Language, name: str, examples: Iterable[Example]) -> tuple[Gold, Answers]:
    """Tag gold tokens with a pipeline; return the gold tokens and the answers.

    The pipeline's last lstm_tagger gives the probabilities.

    examples: examples that `gold_sentences` made for this pipeline.
    Raises ValueError if there are no tokens or no gold tags, or if the pipeline sets no tags.
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
            "(token.tag_). Use a pipeline with a trained tagger."
        )
    sure = numpy.concatenate(confidence)
    known = bool(numpy.isfinite(sure).any())
    lengths_array = numpy.asarray(lengths, dtype="int64")
    answers = Answers(name, tags, sure if known else None, labels_of(nlp))
    return Gold(words, spaces, gold, lengths_array), answers


def counts_of_model(nlp: Language) -> WordCounts | None:
    """Return the word counts of the pipeline's last tagger with a vocabulary; None without one."""
    for _, pipe in reversed(nlp.pipeline):
        vocabulary = vocabulary_of(pipe.model) if isinstance(pipe, LSTMTagger) else None
        if vocabulary is not None and vocabulary.words:
            least = min(vocabulary.words.values())
            return WordCounts(
                vocabulary.word_count,
                least,
                "The model's own vocabulary decides: a word is seen if its lower-cased form has "
                f"an embedding of its own, having occurred at least {least} times in training. "
                "Rarer words count as unseen.",
            )
    return None


def counts_of_corpus(path: Path, nlp: Language) -> WordCounts:
    """Return the counts of the forms of a training corpus.

    path: a .spacy file, or a directory of such files.
    Raises ValueError if a file cannot be read.
    """
    counts = Counter(token.text for doc in read_gold_docs(path, nlp.vocab) for token in doc)
    meaning = f"A word is seen if its form, with the same capitals, occurs in {path.name}."
    return WordCounts(counts.__getitem__, 1, meaning)


def _keep_probabilities(nlp: Language) -> None:
    """Make the last lstm_tagger of a pipeline keep the probability of its best tags on the docs."""
    for tagger in own_tag_taggers(nlp)[-1:]:
        tagger.cfg["save_probabilities"] = 1


def _answer(doc: Doc, reference: Doc) -> tuple[list[str | None], Floats1d]:
    """Return the tag of each gold token, and its probability.

    The probability is NaN if it is unknown, or another component chose the tag.
    """
    said = [token.tag_ for token in doc]
    sure = tag_confidences(doc)
    if [token.text for token in doc] == [token.text for token in reference]:
        return list(said), sure
    predicted, gold = aligned_tokens(Example(doc, reference))
    tags: list[str | None] = [None] * len(reference)
    confidence = numpy.full(len(reference), numpy.nan)
    confidence[gold] = sure[predicted]
    for i, j in zip(predicted.tolist(), gold.tolist(), strict=True):
        tags[j] = said[i]
    return tags, confidence

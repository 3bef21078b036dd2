"""Answers of a pipeline to gold tokens, and counts of the words that it saw in training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..arrays import Floats1d, Ints1d
from ..features.extractor import vocabulary_of
from ..outputs import known_outputs
from ..outputs.lemma import is_known
from ..outputs.output import Output
from ..pipeline.kept_probabilities import tag_confidences
from ..pipeline.tagger import LSTMTagger
from ..training.alignment import aligned_tokens
from .gold_docs import read_gold_docs
from .labels import labels_of, own_tag_taggers

NAMES = {"tag": "tag", "pos": "part of speech", "morph": "feature", "lemma": "lemma"}
"""What one value of each output is called."""


class Gold(NamedTuple):
    """Gold tokens of all sentences, one sentence after another.

    words: text of each token.
    spaces: whether a space follows each token.
    tags: gold tag of each token; "" if it has none.
    lengths: number of tokens of each sentence, shape (n_sentences,).
    others: gold values of the other outputs by their names, as `tags`.
    """

    words: list[str]
    spaces: list[bool]
    tags: list[str]
    lengths: Ints1d
    others: Mapping[str, list[str]] = MappingProxyType({})


class Answers(NamedTuple):
    """Tags that a pipeline gives to gold tokens, with their probabilities.

    name: name of the pipeline.
    tags: tag of each token; None if the pipeline has cut or joined the token.
    confidence: probability of each tag, shape (n_tokens,), NaN if it is unknown. None if the
        pipeline gives no probabilities.
    labels: gold tags that the pipeline's taggers have learned from; None if they are unknown.
    others: values of the other outputs that the pipeline sets by their names, as `tags`.
    """

    name: str
    tags: list[str | None]
    confidence: Floats1d | None
    labels: frozenset[str] | None = None
    others: Mapping[str, list[str | None]] = MappingProxyType({})


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
    Raises ValueError if there are no tokens, or none has a gold value of what the pipeline sets.
    """
    _keep_probabilities(nlp)
    outputs = known_outputs()
    words: list[str] = []
    spaces: list[bool] = []
    lengths: list[int] = []
    gold: dict[str, list[str]] = {output.name: [] for output in outputs}
    given: dict[str, list[str | None]] = {output.name: [] for output in outputs}
    confidence: list[Floats1d] = [numpy.zeros(0)]
    pairs = ((eg.predicted, eg.reference) for eg in examples)
    for doc, reference in nlp.pipe(pairs, as_tuples=True):
        words.extend(token.text for token in reference)
        spaces.extend(bool(token.whitespace_) for token in reference)
        lengths.append(len(reference))
        places = _places(doc, reference)
        for output in outputs:
            said = [*values_of(doc, output), None]
            gold[output.name].extend(values_of(reference, output))
            given[output.name].extend(said[place] for place in places.tolist())
        confidence.append(numpy.append(tag_confidences(doc), numpy.nan)[places])
    if not words:
        raise ValueError("It has no words: it is empty, or its name does not end in .spacy.")
    sets = [
        key
        for key, values in given.items()
        if any(value and not word.isspace() for word, value in zip(words, values, strict=True))
    ]
    if not sets:
        raise ValueError(
            f"The pipeline has the components {nlp.pipe_names}, none of which has set a tag "
            "(token.tag_), a part of speech, features or a lemma. Use a pipeline with a trained "
            "tagger."
        )
    if not any(any(gold[key]) for key in sets):
        raise ValueError(
            f"None of its {len(words)} words has a gold {NAMES[sets[0]]}. Make a file that has "
            "them with `spacy convert`."
        )
    sure = numpy.concatenate(confidence)
    known = bool(numpy.isfinite(sure).any())
    lengths_array = numpy.asarray(lengths, dtype="int64")
    tags = given.pop("tag")
    others = {key: values for key, values in given.items() if key in sets}
    answers = Answers(name, tags, sure if known else None, labels_of(nlp), others)
    return Gold(words, spaces, gold.pop("tag"), lengths_array, gold), answers


def values_of(doc: Doc, output: Output) -> list[str]:
    """Return the value of each token, "" if it has none. That of no features is "_".

    White space has a tag at most. A lemma "_" is none: CoNLL-U files have it for words whose lemma
    is not known.
    """
    strings = doc.vocab.strings
    values = [strings[value] for value in doc.to_array(output.attr).tolist()]
    if output.name == "tag":
        return values
    known = output.name != "lemma"
    return [
        v if not t.is_space and (known or is_known(t.text, v)) else ""
        for t, v in zip(doc, values, strict=True)
    ]


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


def _places(doc: Doc, reference: Doc) -> Ints1d:
    """Return the token of the pipeline's doc that each gold token is, -1 if it is none."""
    if [token.text for token in doc] == [token.text for token in reference]:
        return numpy.arange(len(doc))
    places = numpy.full(len(reference), -1)
    predicted, gold = aligned_tokens(Example(doc, reference))
    places[gold] = predicted
    return places

"""From spaCy's docs to arrays of numbers: the only thing the network ever sees of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy
from spacy.attrs import ORTH, SENT_START
from spacy.tokens import Doc
from thinc.api import Model

from ..arrays import Floats2d, Ints1d, Ints2d
from .static_vectors import static_vectors
from .tables import rows_of, sizes_of
from .vocabulary import Vocabulary
from .white_space import with_white_space


class FormFeatures(NamedTuple):
    """Features of distinct word forms.

    tables: rows of each form in every table of embeddings, shape (n_forms, per_form) each.
    counts: how often each form's word was seen in training, shape (n_forms,).
    characters: character rows of all forms, one after another, shape (sum(n_characters),).
    n_characters: number of character rows of each form, at least 1, shape (n_forms,).
    """

    tables: dict[str, Ints2d]
    counts: Ints1d
    characters: Ints1d
    n_characters: Ints1d


class DocFeatures(NamedTuple):
    """Features of a batch of docs. What depends on a word alone stands once per distinct form.

    White-space tokens are left out of all of them but `n_tokens`; the tokens that are left are
    those that are read.

    n_tokens: number of tokens of each doc, shape (n_docs,).
    read: index of each token that is read, counted over all tokens, shape (n_read,). None if all
        of them are read.
    lengths: number of tokens of each sequence, shape (n_sequences,): of each doc, or of each
        sentence of those docs whose sentences are read by themselves.
    forms: which distinct form each token has, docs one after another, shape (n_read,).
    keys: the hash of each distinct form, shape (n_forms,).
    vectors: static vector of each distinct form, shape (n_forms, vector_width). They can change
        at any time, unlike the other features.
    extract: from indices of distinct forms, shape (n,), to their other features.
    sizes: of what the features refer to, see `tables.sizes_of`.
    """

    n_tokens: Ints1d
    read: Ints1d | None
    lengths: Ints1d
    forms: Ints1d
    keys: numpy.ndarray
    vectors: Floats2d
    extract: Callable[[Ints1d], FormFeatures]
    sizes: dict[str, int]


def FeatureExtractor(
    *,
    min_word_freq: int,
    max_characters: int,
    affixes: bool,
    include_static_vectors: bool,
    by_sentence: bool,
) -> Model[list[Doc], DocFeatures]:
    """Extract the features of docs with a vocabulary that `set_vocabulary` provides.

    min_word_freq: words seen fewer times in training share the unknown word.
    max_characters: of longer words the first and the last half of that many characters are read.
    affixes: whether to read prefixes and suffixes.
    include_static_vectors: whether to look up the static vectors of the pipeline.
    by_sentence: whether each sentence of a doc with sentence starts is a sequence of its own. It is
        no attribute, because those are saved: a loaded pipeline takes it from its config.
    """
    return Model(
        "lstm_tagger_features",
        partial(forward, by_sentence=by_sentence),
        init=init,
        attrs={
            "vocabulary": Vocabulary(),
            "min_word_freq": min_word_freq,
            "max_characters": max_characters,
            "affixes": affixes,
            "include_static_vectors": include_static_vectors,
        },
    )


def set_vocabulary(model: Model[Any, Any], vocabulary: Vocabulary) -> None:
    """Hand the words and characters of the training docs to a tagger model.

    thinc's `Model.initialize` only ever sees ten docs, so the component collects the vocabulary
    and calls this before it initializes the model. Other models are left as they are.
    """
    features = model.maybe_get_ref("features")
    if features is not None:
        features.attrs["vocabulary"] = vocabulary.pruned(
            features.attrs["min_word_freq"], affixes=features.attrs["affixes"]
        )


def vocabulary_of(model: Model[Any, Any]) -> Vocabulary | None:
    """Return the vocabulary of a tagger model; None for another architecture."""
    features = model.maybe_get_ref("features")
    return None if features is None else features.attrs["vocabulary"]


def init(model: Model[Any, Any], X: list[Doc] | None = None, Y: object = None) -> None:
    """Check that what the features are made of is there."""
    if not model.attrs["vocabulary"]:
        raise ValueError(
            "spacy-lstm-tagger.LSTMTagger.v1 has no vocabulary. The component 'lstm_tagger' "
            'collects it from the training examples: use factory = "lstm_tagger", and give '
            "examples with at least one token to nlp.initialize. For the stock 'tagger', use "
            "spacy-lstm-tagger.LSTMEncoder.v1 inside spacy.Tok2Vec.v2."
        )
    if X and model.attrs["include_static_vectors"] and not X[0].vocab.vectors_length:
        raise ValueError(
            "include_static_vectors is true, but the pipeline has no static vectors. Set "
            "[initialize] vectors to a pipeline that has them (such as en_core_web_md), or set "
            "include_static_vectors = false."
        )


def forward(
    model: Model[Any, Any], docs: Sequence[Doc], is_train: bool, *, by_sentence: bool
) -> tuple[DocFeatures, Callable[[object], list[Doc]]]:
    """Extract features. There is nothing to learn here, so nothing is propagated back."""

    def backprop(d_features: object) -> list[Doc]:
        return []

    return extract_features(docs, model.attrs, by_sentence=by_sentence), backprop


def extract_features(
    docs: Sequence[Doc], attrs: Mapping[str, Any], *, by_sentence: bool = False
) -> DocFeatures:
    """Return the features of the docs, with the settings of `FeatureExtractor`."""
    vocabulary: Vocabulary = attrs["vocabulary"]
    with_vectors = attrs["include_static_vectors"]
    n_tokens = numpy.asarray([len(doc) for doc in docs], dtype="int64")
    orths, read, lengths = _words(docs, n_tokens)
    keys, owners, forms = _distinct_forms(docs, orths, lengths, by_vocab=with_vectors)
    vectors = numpy.zeros((len(keys), 0), dtype="float32")
    if with_vectors:
        vectors = static_vectors(docs, owners, keys)
    return DocFeatures(
        n_tokens=n_tokens,
        read=read,
        lengths=_sentence_lengths(docs, n_tokens, read) if by_sentence else lengths,
        forms=forms,
        keys=keys,
        vectors=vectors,
        extract=partial(_form_features, docs, keys, owners, attrs),
        sizes=sizes_of(vocabulary, vectors.shape[1]),
    )


def _words(docs: Sequence[Doc], n_tokens: Ints1d) -> tuple[numpy.ndarray, Ints1d | None, Ints1d]:
    """Return the hashes of all tokens but white space, and `read` and `lengths` of `DocFeatures`.

    n_tokens: number of tokens of each doc, shape (n_docs,).
    """
    if not n_tokens.sum():
        return numpy.zeros(0, dtype="uint64"), None, n_tokens
    orths, space = numpy.concatenate([with_white_space(doc, [ORTH]) for doc in docs]).T
    if not space.any():
        return orths, None, n_tokens
    read = numpy.flatnonzero(space == 0)
    n_before = numpy.searchsorted(read, numpy.cumsum(n_tokens))
    return orths[read], read, numpy.diff(n_before, prepend=0)


def _sentence_lengths(docs: Sequence[Doc], n_tokens: Ints1d, read: Ints1d | None) -> Ints1d:
    """Return the number of tokens that are read of each sentence, shape (n_sentences,).

    A doc that has no sentence starts is one sentence. Of sentences without a word there is none.

    n_tokens, read: see `DocFeatures`.
    """
    starts = numpy.zeros(int(n_tokens.sum()), dtype="int64")
    first = 0
    for doc, n in zip(docs, n_tokens.tolist(), strict=True):
        if n and doc.has_annotation("SENT_START"):
            starts[first : first + n] = doc.to_array(SENT_START) == 1
        starts[first : first + 1] = 1
        first += n
    sentences = numpy.cumsum(starts)
    counts = numpy.bincount(sentences if read is None else sentences[read])
    return counts[counts > 0]


def _distinct_forms(
    docs: Sequence[Doc], orths: numpy.ndarray, lengths: Ints1d, *, by_vocab: bool
) -> tuple[numpy.ndarray, Ints1d, Ints1d]:
    """Return the distinct forms' hashes, a doc of each, and which form each token has.

    orths: hash of each token, docs one after another, shape (n_read,).
    lengths: number of tokens of each doc, shape (n_docs,).
    by_vocab: whether a form of two vocabs counts as two, because it may have two static vectors.
    """
    if not len(orths):
        return orths, _ints([]), _ints([])
    vocabs = {id(doc.vocab): i for i, doc in enumerate(docs)}
    if by_vocab and len(vocabs) > 1:
        of_tokens = numpy.repeat([vocabs[id(doc.vocab)] for doc in docs], lengths)
        pairs = numpy.stack([of_tokens.astype("uint64"), orths])
        _, first, forms = numpy.unique(pairs, axis=1, return_index=True, return_inverse=True)
    else:
        _, first, forms = numpy.unique(orths, return_index=True, return_inverse=True)
    owners = numpy.searchsorted(numpy.cumsum(lengths), first, side="right")
    return orths[first], owners, forms.reshape(-1).astype("int64")


def scores_of_docs(scores: Any, X: DocFeatures, zeros: Callable[..., Any]) -> list[Any]:
    """Return the scores of all tokens of each doc, shape (n_tokens, n_columns) each.

    scores: those of the tokens that are read, shape (n_read, n_columns), an array of any library.
    zeros: from a shape to such an array. White space has rows of zeros.
    """
    if X.read is not None:
        of_all = zeros((int(X.n_tokens.sum()), scores.shape[1]))
        of_all[X.read] = scores
        scores = of_all
    ends = numpy.cumsum(X.n_tokens).tolist()
    return [scores[end - n : end] for end, n in zip(ends, X.n_tokens.tolist(), strict=True)]


def _form_features(
    docs: Sequence[Doc],
    keys: numpy.ndarray,
    owners: Ints1d,
    attrs: Mapping[str, Any],
    indices: Ints1d,
) -> FormFeatures:
    """Return the features of some of the distinct forms, by their indices."""
    vocabulary: Vocabulary = attrs["vocabulary"]
    # Each string is looked up in the store of a doc it occurs in: docs may come from several.
    strings = [
        docs[owner].vocab.strings[key]
        for key, owner in zip(keys[indices].tolist(), owners[indices].tolist(), strict=True)
    ]
    spelled = [vocabulary.character_rows(_abridge(s, attrs["max_characters"])) for s in strings]
    return FormFeatures(
        tables=rows_of(vocabulary, strings),
        counts=_ints([vocabulary.word_count(string) for string in strings]),
        characters=_ints([row for rows in spelled for row in rows]),
        n_characters=_ints([len(rows) for rows in spelled]),
    )


def _abridge(string: str, max_characters: int) -> str:
    if len(string) <= max_characters:
        return string
    half = max_characters // 2
    return string[: max_characters - half] + string[-half:]


def _ints(values: list[int]) -> Ints1d:
    return numpy.asarray(values, dtype="int64")

"""From docs to arrays: forms, words, characters, static vectors."""

from types import SimpleNamespace

import numpy
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import Doc
from spacy.vectors import Vectors
from spacy.vocab import Vocab
from thinc.api import Linear, chain

from spacy_lstm_tagger.features.extractor import (
    FeatureExtractor,
    extract_features,
    set_vocabulary,
    vocabulary_of,
)
from spacy_lstm_tagger.features.vocabulary import LEAST_RARE, N_AFFIXES, Vocabulary

TEXTS = ["I like green eggs", "Eat blue ham", "", "Ham"]


def make_attrs(docs: list[Doc], *, max_characters: int = 8, static: bool = False) -> dict:
    return {
        "vocabulary": Vocabulary.from_docs(docs),
        "affixes": False,
        "min_word_freq": 1,
        "max_characters": max_characters,
        "include_static_vectors": static,
    }


def make_docs(*sentences: list[str], vocab: Vocab | None = None) -> list[Doc]:
    vocab = Vocab() if vocab is None else vocab  # an empty one is falsy
    return [Doc(vocab, words=words) for words in sentences]


def features_of(docs: list[Doc], attrs: dict) -> SimpleNamespace:
    """The features of docs and those of all of their forms."""
    features = extract_features(docs, attrs)
    of_all = features.extract(numpy.arange(len(features.keys)))
    words = of_all.tables["words"]
    assert words.shape == (len(features.keys), 1)
    return SimpleNamespace(**features._asdict(), **of_all._asdict(), words=words[:, 0])


def spelling_of(features: SimpleNamespace, vocabulary: Vocabulary, form: int) -> str:
    end = int(features.n_characters[: form + 1].sum())
    rows = features.characters[end - features.n_characters[form] : end]
    characters = ["?", *vocabulary.characters]
    return "".join(characters[row] for row in rows)


def test_every_token_is_the_form_it_was() -> None:
    docs = make_docs(["Ham", "and", "ham"], [], ["ham"])
    attrs = make_attrs(docs)
    features = features_of(docs, attrs)
    assert_array_equal(features.lengths, [3, 0, 1])
    spelled = [spelling_of(features, attrs["vocabulary"], form) for form in features.forms]
    assert spelled == ["Ham", "and", "ham", "ham"]
    assert len(features.words) == len(features.n_characters) == len(features.counts) == 3


def test_forms_of_one_word_share_its_row_and_count() -> None:
    docs = make_docs(["Ham", "and", "ham"])
    features = features_of(docs, make_attrs(docs))
    assert_array_equal(features.words[features.forms], [1, 2, 1])
    assert_array_equal(features.counts[features.forms], [2, 1, 2])


def test_unseen_word_is_unknown_and_was_never_counted() -> None:
    docs = make_docs(["ham"])
    features = features_of(make_docs(["bacon"]), make_attrs(docs))
    assert_array_equal(features.words, [0])
    assert_array_equal(features.counts, [0])


@pytest.mark.parametrize(
    ("max_characters", "read"), [(2, "af"), (3, "abf"), (4, "abef"), (6, "abcdef"), (7, "abcdef")]
)
def test_long_word_is_read_as_its_first_and_last_half(max_characters: int, read: str) -> None:
    docs = make_docs(["abcdef"])
    attrs = make_attrs(docs, max_characters=max_characters)
    assert spelling_of(features_of(docs, attrs), attrs["vocabulary"], 0) == read


def test_sizes_are_those_of_the_vocabulary_and_vectors() -> None:
    docs = make_docs(["ab", "c"])
    assert features_of(docs, make_attrs(docs)).sizes == {
        **{"n_words": 3, "words_per_form": 1, "n_characters": 4},
        **{"n_affixes": 0, "affixes_per_form": 0, "vector_width": 0},
    }


@pytest.mark.parametrize("sentences", [[], [[]], [[], []]])
def test_no_tokens_give_empty_arrays(sentences: list) -> None:
    docs = make_docs(*sentences)
    features = features_of(docs, make_attrs(make_docs(["ham"])))
    assert_array_equal(features.lengths, [0] * len(docs))
    for name in ("forms", "words", "counts", "characters", "n_characters"):
        assert getattr(features, name).shape == (0,)
        assert getattr(features, name).dtype == "int64"
    assert features.vectors.shape[0] == 0


def test_features_of_a_doc_do_not_depend_on_its_batch() -> None:
    docs = make_docs(["Ham", "and", "ham"], ["blue", "ham"], ["a", "b"])
    attrs = make_attrs(docs)
    batch = features_of(docs, attrs)
    starts = numpy.cumsum(batch.lengths) - batch.lengths
    for start, doc in zip(starts, docs, strict=True):
        alone = features_of([doc], attrs)
        forms = batch.forms[start : start + len(doc)]
        assert_array_equal(batch.words[forms], alone.words[alone.forms])
        assert_array_equal(batch.n_characters[forms], alone.n_characters[alone.forms])


def test_strings_are_found_in_the_vocab_of_their_own_doc() -> None:
    docs = [*make_docs(["ham"]), *make_docs(["eggs", "unheard-of"])]
    attrs = make_attrs(docs)
    features = features_of(docs, attrs)
    spelled = [spelling_of(features, attrs["vocabulary"], form) for form in features.forms]
    assert spelled == ["ham", "eggs", "unhed-of"]


def test_set_vocabulary_finds_its_node_and_prunes() -> None:
    features = FeatureExtractor(
        min_word_freq=2,
        max_characters=8,
        affixes=True,
        include_static_vectors=False,
        by_sentence=False,
    )
    model = chain(features, Linear(1, 1))
    model.set_ref("features", features)
    assert vocabulary_of(model) == Vocabulary()
    rare = {f"w{i}": 1 for i in range(LEAST_RARE)}
    set_vocabulary(model, Vocabulary({"ham": 2, **rare}, {"h": 1}))
    assert features.attrs["vocabulary"].words == {"ham": 2}
    assert vocabulary_of(model) is features.attrs["vocabulary"]


def test_affixes_of_every_form() -> None:
    docs = make_docs(["singing", "Ringing", "going"])
    attrs = make_attrs(docs)
    attrs["vocabulary"] = attrs["vocabulary"].pruned(1, affixes=True)
    features = features_of(docs, attrs)
    vocabulary = attrs["vocabulary"]
    assert features.sizes["affixes_per_form"] == N_AFFIXES == 7
    assert features.sizes["n_affixes"] == vocabulary.n_affixes == 1 + 3
    names = ["", *vocabulary.affixes]
    assert features.tables["affixes"].shape == (3, N_AFFIXES)
    spelled = {"".join(names[row] + "|" for row in rows) for rows in features.tables["affixes"]}
    assert spelled == {"|||-g|-ng|-ing||"}


def test_without_affixes_there_is_no_table_of_them() -> None:
    docs = make_docs(["singing", "Ringing", "going"])
    features = features_of(docs, make_attrs(docs))
    assert list(features.tables) == ["words"]
    assert (features.sizes["n_affixes"], features.sizes["affixes_per_form"]) == (0, 0)


def test_other_models_need_no_vocabulary() -> None:
    model = Linear(1, 1)
    assert vocabulary_of(model) is None
    set_vocabulary(model, Vocabulary({"ham": 2}, {"h": 1}))
    assert "vocabulary" not in model.attrs


def test_extractors_do_not_share_a_vocabulary() -> None:
    settings = {
        "min_word_freq": 1,
        "max_characters": 8,
        "affixes": True,
        "include_static_vectors": False,
        "by_sentence": False,
    }
    one, other = (chain(FeatureExtractor(**settings), Linear(1, 1)) for _ in range(2))
    for model in (one, other):
        model.set_ref("features", model.layers[0])
    set_vocabulary(one, Vocabulary({"ham": 2}, {"h": 1}))
    assert vocabulary_of(one).words == {"ham": 2}
    assert not vocabulary_of(other)


# Static vectors


def table_vocab() -> Vocab:
    vocab = Vocab()
    data = numpy.asarray([[1, 2, 3], [4, 5, 6]], dtype="float32")
    vocab.vectors = Vectors(strings=vocab.strings, data=data, keys=["ham", "eggs"])
    return vocab


def floret_vocab() -> Vocab:
    vocab = Vocab()
    data = numpy.arange(30, dtype="float32").reshape(10, 3) + 1
    vocab.vectors = Vectors(
        strings=vocab.strings, data=data, mode="floret", hash_count=2, minn=2, maxn=3
    )
    return vocab


def test_vectors_stand_once_a_form() -> None:
    docs = make_docs(["ham", "eggs", "ham"], vocab=table_vocab())
    features = features_of(docs, make_attrs(docs, static=True))
    assert_array_equal(features.vectors[features.forms], [[1, 2, 3], [4, 5, 6], [1, 2, 3]])
    assert features.sizes["vector_width"] == 3


def test_word_without_a_vector_gets_zeros() -> None:
    docs = make_docs(["eggs", "bacon"], vocab=table_vocab())
    features = features_of(docs, make_attrs(docs, static=True))
    assert_array_equal(features.vectors[features.forms], [[4, 5, 6], [0, 0, 0]])


def test_looking_vectors_up_leaves_the_table_alone() -> None:
    vocab = table_vocab()
    docs = make_docs(["bacon"], vocab=vocab)
    features_of(docs, make_attrs(docs, static=True))
    assert_array_equal(vocab.vectors.data, [[1, 2, 3], [4, 5, 6]])


def test_floret_vectors_are_those_of_the_vocab() -> None:
    vocab = floret_vocab()
    docs = make_docs(["ham", "unheard"], vocab=vocab)
    features = features_of(docs, make_attrs(docs, static=True))
    expected = [vocab["ham"].vector, vocab["unheard"].vector]
    assert_array_equal(features.vectors[features.forms], expected)
    assert features.vectors.all()


@pytest.mark.parametrize("make_vocab", [table_vocab, floret_vocab])
def test_vectors_of_docs_are_those_of_their_own_vocab(make_vocab) -> None:
    docs = []
    for factor in (1, -2):
        vocab = make_vocab()
        vocab.vectors.data *= factor
        docs += make_docs(["ham", f"only-in-{factor}"], ["eggs", "ham"], [], vocab=vocab)
    attrs = make_attrs(docs, static=True)
    together = features_of(docs, attrs)
    found = iter(together.vectors[together.forms])
    for doc in docs:
        alone = features_of([doc], attrs)
        assert_array_equal([next(found) for _ in doc], alone.vectors[alone.forms].tolist())
    assert_array_equal(docs[3].vocab["ham"].vector, -2 * docs[0].vocab["ham"].vector)
    assert next(found, None) is None


def test_docs_whose_vectors_are_of_other_widths_are_refused() -> None:
    own, foreign = make_docs(["ham"], vocab=table_vocab()), make_docs(["ham"], [])
    attrs = make_attrs(own, static=True)
    with pytest.raises(ValueError, match=r"\[0, 3\] numbers.*with the tagger's own pipeline"):
        extract_features([*own, *foreign], attrs)
    assert extract_features([*own, foreign[1]], attrs).sizes["vector_width"] == 3


def test_docs_of_two_vocabs_do_not_disturb_what_is_kept_of_words(
    small_config, make_examples, scores_of, randomize
) -> None:
    """A word of both is two forms, with a static vector each, but has one embedding."""
    nlp = spacy.blank("en")
    vocab = table_vocab()
    nlp.vocab.vectors = vocab.vectors
    small_config["model"]["include_static_vectors"] = True
    tagger = nlp.add_pipe("lstm_tagger", config=small_config)
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    randomize(tagger)
    alone = make_docs(["ham"], ["eggs"], ["like"], ["unseen"], vocab=nlp.vocab)
    expected = scores_of(tagger, alone)
    randomize(tagger)  # to the same weights, with nothing kept
    words = ["ham", "eggs", "like"]
    scores_of(tagger, [*make_docs(words, vocab=nlp.vocab), *make_docs(words, vocab=vocab)])
    scores_of(tagger, make_docs(["a", "b", "c", "d"], vocab=nlp.vocab))
    for doc, rows in zip(alone, expected, strict=True):
        assert_allclose(scores_of(tagger, [doc])[0], rows, atol=1e-6)


@pytest.mark.parametrize("make_vocab", [table_vocab, floret_vocab])
def test_model_with_vectors_trains_saves_and_loads(
    make_vocab, small_config, make_examples, scores_of, randomize, tmp_path
) -> None:
    vectors = make_vocab().vectors
    nlp = spacy.blank("en")
    nlp.vocab.vectors = vectors
    nlp.vocab.vectors.strings = nlp.vocab.strings
    small_config["model"]["include_static_vectors"] = True
    tagger = nlp.add_pipe("lstm_tagger", config=small_config)
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(30):
        nlp.update(examples, sgd=optimizer)
    assert [token.tag_ for token in nlp("Eat blue ham")] == ["V", "J", "N"]
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    docs = [nlp.make_doc(text) for text in TEXTS]
    loaded_docs = [loaded.make_doc(text) for text in TEXTS]
    found = scores_of(loaded.get_pipe("lstm_tagger"), loaded_docs)
    for one, other in zip(scores_of(tagger, docs), found, strict=True):
        assert_array_equal(one, other)


def test_scores_depend_on_the_static_vectors(
    small_config, make_examples, scores_of, randomize
) -> None:
    nlp = spacy.blank("en")
    nlp.vocab.reset_vectors(width=3)
    nlp.vocab.set_vector("ham", numpy.ones(3, dtype="float32"))
    small_config["model"]["include_static_vectors"] = True
    tagger = nlp.add_pipe("lstm_tagger", config=small_config)
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    randomize(tagger)
    docs = [nlp.make_doc("ham")]
    [before] = scores_of(tagger, docs)
    nlp.vocab.set_vector("ham", -numpy.ones(3, dtype="float32"))
    [after] = scores_of(tagger, docs)
    assert (before != after).any()


def test_features_of_some_forms_are_those_of_all() -> None:
    docs = make_docs(["Ham", "and", "ham", "eggs"])
    attrs = make_attrs(docs)
    features = extract_features(docs, attrs)
    everything = features.extract(numpy.arange(len(features.keys)))
    some = features.extract(numpy.asarray([2, 0]))
    assert_array_equal(some.tables["words"], everything.tables["words"][[2, 0]])
    assert_array_equal(some.n_characters, everything.n_characters[[2, 0]])

"""The behaviours that spaCy's own tests ask of its `tagger`, asked of `lstm_tagger`.

One test for each in spacy/tests/pipeline/test_tagger.py, with the default model.
"""

from pathlib import Path

import numpy
import pytest
from numpy.testing import assert_allclose, assert_almost_equal, assert_array_equal
from spacy import util
from spacy.attrs import TAG
from spacy.lang.en import English
from spacy.language import Language
from spacy.training import Example
from thinc.api import compounding, fix_random_seed

TAGS = ("N", "V", "J")

PARTIAL_DATA = [
    # some tokens without a tag
    ("I like green eggs", {"tags": ["", "V", "J", ""]}),
    # the same, and other tokens than the tokenizer's
    (
        "He hates green eggs",
        {"words": ["He", "hate", "s", "green", "eggs"], "tags": ["", "V", "S", "J", ""]},
    ),
]


def test_training_on_empty_docs_is_no_error() -> None:
    nlp = English()
    example = Example.from_dict(nlp.make_doc(""), {"tags": []})
    nlp.add_pipe("lstm_tagger").add_label("A")
    optimizer = nlp.initialize()
    for _ in range(5):
        losses: dict[str, float] = {}
        for batch in util.minibatch([example, example], size=compounding(4.0, 32.0, 1.001)):
            nlp.update(batch, sgd=optimizer, losses=losses)
        assert losses == {"lstm_tagger": 0.0}


def test_label_must_be_a_string() -> None:
    tagger = Language().add_pipe("lstm_tagger")
    tagger.add_label("A")
    with pytest.raises(ValueError, match="E187"):
        tagger.add_label(9)


def test_initialize_without_examples_keeps_the_labels() -> None:
    nlp = Language()
    tagger = nlp.add_pipe("lstm_tagger")
    n_labels = len(tagger.labels)
    tagger.add_label("A")
    nlp.initialize()
    assert len(nlp.get_pipe("lstm_tagger").labels) == n_labels + 1


def test_label_smoothing_shrinks_the_gradient(make_examples) -> None:
    """At uniform scores, as a fresh stock tagger's are: (1/3 - 0.025) / (1/3) = 0.925."""
    nlp = Language()
    plain = nlp.add_pipe("lstm_tagger", "no_label_smoothing")
    smoothed = nlp.add_pipe("lstm_tagger", "label_smoothing", config={"label_smoothing": 0.05})
    for tag in TAGS:
        plain.add_label(tag)
        smoothed.add_label(tag)
    examples = make_examples(nlp)
    nlp.initialize(get_examples=lambda: examples)
    scores = [numpy.full((len(eg.predicted), 3), 1 / 3, dtype="float32") for eg in examples]
    plain_gradient = plain.get_loss(examples, scores)[1][0]
    smoothed_gradient = smoothed.get_loss(examples, scores)[1][0]
    assert_almost_equal(smoothed_gradient / plain_gradient, 0.925)


def test_no_label_is_an_error() -> None:
    nlp = Language()
    nlp.add_pipe("lstm_tagger")
    with pytest.raises(ValueError, match=r"lstm_tagger.*None of the \d+ words"):
        nlp.initialize()


def test_label_added_after_initialize_grows_the_output(
    train_data, make_examples, weights_of
) -> None:
    """The stock tagger raises E922 here."""
    nlp = English()
    tagger = nlp.add_pipe("lstm_tagger")
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(20):
        nlp.update(examples, sgd=optimizer)
    docs = [nlp.make_doc(text) for text in ("I like blue eggs", "Something else entirely !")]
    before, guesses, old_weights = (
        tagger.model.predict(docs),
        tagger.predict(docs),
        weights_of(tagger),
    )

    assert tagger.add_label("X") == 1
    assert tagger.add_label("X") == 0
    assert tagger.labels == ("J", "N", "V", "X")
    assert tagger.model.get_dim("nO") == 4
    for old, new in zip(before, tagger.model.predict(docs), strict=True):
        assert new.shape == (len(old), 4)
        # the weights are the same, but a matrix product of another shape rounds differently
        assert_allclose(new[:, :3], old, rtol=0, atol=1e-5)
    for name, weights in weights_of(tagger).items():
        assert_array_equal(weights[: len(old_weights[name])], old_weights[name])
    for old, new in zip(guesses, tagger.predict(docs), strict=True):
        assert_array_equal(new, old)

    new_data = [*train_data, ("Eat some ham", {"tags": ["V", "X", "N"]})]
    examples = make_examples(nlp, new_data)
    for _ in range(30):
        nlp.update(examples, sgd=optimizer)
    assert [token.tag_ for token in nlp("Eat some ham")] == ["V", "X", "N"]
    assert [token.tag_ for token in nlp("Eat blue ham")] == ["V", "J", "N"]


def test_labels_are_found_in_the_examples(make_examples) -> None:
    nlp = Language()
    tagger = nlp.add_pipe("lstm_tagger")
    examples = make_examples(nlp)
    nlp.initialize(get_examples=lambda: examples)
    assert tagger.labels == ("J", "N", "V")


def test_initialize_checks_its_examples(make_examples) -> None:
    nlp = Language()
    tagger = nlp.add_pipe("lstm_tagger")
    for tag in TAGS:
        tagger.add_label(tag)
    examples = make_examples(nlp)
    nlp.initialize()
    nlp.initialize(get_examples=lambda: examples)
    with pytest.raises(TypeError, match="E930"):
        nlp.initialize(get_examples=lambda: None)
    with pytest.raises(TypeError, match="E978"):
        nlp.initialize(get_examples=lambda: examples[0])
    with pytest.raises(TypeError, match="E930"):
        nlp.initialize(get_examples=lambda: [])
    with pytest.raises(TypeError, match="E930"):
        nlp.initialize(get_examples=examples)


def test_examples_without_tags_are_an_error() -> None:
    nlp = English()
    nlp.add_pipe("lstm_tagger")
    nlp.add_pipe("textcat")
    examples = [
        Example.from_dict(nlp.make_doc(text), {"cats": {"POSITIVE": score, "NEGATIVE": 1 - score}})
        for text, score in [("I'm so happy.", 1.0), ("I'm so angry", 0.0)]
    ]
    with pytest.raises(ValueError, match=r"lstm_tagger.*None of the \d+ words"):
        nlp.initialize(get_examples=lambda: examples)


@pytest.mark.parametrize("seed", range(15))
def test_partial_annotation_is_learned(make_examples, seed: int) -> None:
    """Source: `test_incomplete_data` in spaCy's tests, which has one seed."""
    fix_random_seed(seed)
    nlp = English()
    nlp.add_pipe("lstm_tagger")
    examples = make_examples(nlp, PARTIAL_DATA)
    optimizer = nlp.initialize(get_examples=lambda: examples)
    for _ in range(50):
        losses: dict[str, float] = {}
        nlp.update(examples, sgd=optimizer, losses=losses)
    assert losses["lstm_tagger"] < 0.00001
    doc = nlp("I like blue eggs")
    assert [doc[1].tag_, doc[2].tag_] == ["V", "J"]


def test_training_learns_saves_loads_and_unlearns(make_examples, tmp_path: Path) -> None:
    nlp = English()
    tagger = nlp.add_pipe("lstm_tagger")
    examples = make_examples(nlp)
    optimizer = nlp.initialize(get_examples=lambda: examples)
    assert tagger.model.get_dim("nO") == len(TAGS)
    for _ in range(50):
        losses: dict[str, float] = {}
        nlp.update(examples, sgd=optimizer, losses=losses)
    assert losses["lstm_tagger"] < 0.00001

    text, tags = "I like blue eggs", ["N", "V", "J", "N"]
    assert [token.tag_ for token in nlp(text)] == tags
    nlp.to_disk(tmp_path)
    assert [token.tag_ for token in util.load_model_from_path(tmp_path)(text)] == tags

    texts = ["Just a sentence.", "I like green eggs.", "Here is another one.", "I eat ham."]
    once = [doc.to_array([TAG]) for doc in nlp.pipe(texts)]
    twice = [doc.to_array([TAG]) for doc in nlp.pipe(texts)]
    one_by_one = [nlp(text).to_array([TAG]) for text in texts]
    for first, second, third in zip(once, twice, one_by_one, strict=True):
        assert numpy.array_equal(first, second)
        assert numpy.array_equal(first, third)

    not_n = Example.from_dict(nlp.make_doc(text), {"tags": ["!N", "V", "J", "N"]})
    for _ in range(20):
        nlp.update([not_n], sgd=optimizer)
    assert nlp(text)[0].tag_ != "N"


def test_initialize_needs_labels() -> None:
    nlp = English()
    nlp.add_pipe("lstm_tagger")
    with pytest.raises(ValueError, match=r"lstm_tagger.*None of the \d+ words"):
        nlp.initialize()

"""Beside spaCy's other components: each does its own work, whatever the others do."""

from collections.abc import Callable

import pytest
import spacy
from numpy.testing import assert_array_equal
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import fix_random_seed

# of an attribute_ruler that has no patterns yet
pytestmark = pytest.mark.filterwarnings(r"ignore:\[W036\]")

WORDS = ["I", "like", "green", "eggs", ".", "Eat", "ham", "."]
TAGS = ["N", "V", "J", "N", ".", "V", "N", "."]
OTHERS = ["tok2vec", "senter", "parser", "ner", "morphologizer"]
TEXTS = ["I like green eggs . Eat ham .", "Eat green ham .", ""]


def gold(nlp: Language) -> Doc:
    return Doc(
        nlp.vocab,
        words=WORDS,
        tags=TAGS,
        pos=["NOUN", "VERB", "ADJ", "NOUN", "PUNCT", "VERB", "NOUN", "PUNCT"],
        morphs=["Number=Sing", "", "", "Number=Plur", "", "", "", ""],
        heads=[1, 1, 3, 1, 1, 5, 5, 5],
        deps=["nsubj", "ROOT", "amod", "obj", "punct", "ROOT", "obj", "punct"],
        ents=["O", "O", "O", "B-FOOD", "O", "O", "B-FOOD", "O"],
    )


def examples_of(nlp: Language) -> list[Example]:
    return [Example(Doc(nlp.vocab, words=WORDS), gold(nlp)) for _ in range(4)]


@pytest.fixture
def whole(small_config) -> Callable[..., Language]:
    """Return a function that trains a pipeline of our tagger and all others."""

    def make(*, first: bool = False, steps: int = 30) -> Language:
        fix_random_seed(0)
        nlp = spacy.blank("en")
        for name in OTHERS:
            nlp.add_pipe(name, config={"min_action_freq": 1} if name == "parser" else {})
        nlp.add_pipe("lstm_tagger", config=small_config, first=first or None)
        ruler = nlp.add_pipe("attribute_ruler")
        optimizer = nlp.initialize(lambda: examples_of(nlp))
        ruler.add([[{"TAG": "J"}]], {"LEMMA": "an adjective"})
        optimizer.learn_rate = 0.01
        for _ in range(steps):
            nlp.update(examples_of(nlp), sgd=optimizer)
        return nlp

    return make


def annotations(doc: Doc) -> list[tuple]:
    return [
        (t.tag_, t.pos_, str(t.morph), t.dep_, t.head.i, t.ent_iob_, t.lemma_, t.is_sent_start)
        for t in doc
    ]


@pytest.mark.parametrize("first", [True, False], ids=["before the others", "behind them"])
def test_whole_pipeline_learns_saves_and_loads(first: bool, whole, tmp_path) -> None:
    nlp = whole(first=first)
    doc = nlp(TEXTS[0])
    assert [token.tag_ for token in doc] == TAGS
    assert [token.pos_ for token in doc][:4] == ["NOUN", "VERB", "ADJ", "NOUN"]
    assert doc[2].lemma_ == "an adjective"
    assert [ent.text for ent in doc.ents] == ["eggs", "ham"]
    scores = nlp.evaluate(examples_of(nlp))
    assert scores["tag_acc"] == 1.0
    assert {"dep_uas", "ents_f", "pos_acc", "morph_acc", "sents_f"} <= set(scores)
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for text in TEXTS:
        assert annotations(loaded(text)) == annotations(nlp(text))


def test_tags_do_not_depend_on_the_other_components(whole) -> None:
    nlp = whole(steps=5)
    expected = [[token.tag_ for token in nlp(text)] for text in TEXTS]
    with nlp.select_pipes(enable=["lstm_tagger"]):
        assert [[token.tag_ for token in nlp(text)] for text in TEXTS] == expected


def test_frozen_tagger_keeps_its_weights(whole, weights_of) -> None:
    nlp = whole(steps=1)
    before = weights_of(nlp.get_pipe("lstm_tagger"))
    losses = nlp.update(examples_of(nlp), sgd=nlp.resume_training(), exclude=["lstm_tagger"])
    assert "lstm_tagger" not in losses
    for name, weights in weights_of(nlp.get_pipe("lstm_tagger")).items():
        assert_array_equal(weights, before[name])


def test_others_can_be_frozen_while_the_tagger_learns(whole, weights_of) -> None:
    nlp = whole(steps=1)
    before = weights_of(nlp.get_pipe("lstm_tagger"))
    ner = nlp.get_pipe("ner").to_bytes(exclude=["vocab"])
    losses = nlp.update(examples_of(nlp), sgd=nlp.resume_training(), exclude=OTHERS)
    assert losses["lstm_tagger"] > 0
    after = weights_of(nlp.get_pipe("lstm_tagger"))
    assert any((after[name] != weights).any() for name, weights in before.items())
    assert nlp.get_pipe("ner").to_bytes(exclude=["vocab"]) == ner


def test_annotating_tagger_shows_its_tags_to_later_components(small_config, make_nlp) -> None:
    nlp = make_nlp(steps=40)
    seen = []

    class Reader:
        """A component that is trained on what is before it."""

        def update(self, examples, **kwargs) -> dict:
            seen.extend([token.tag_ for token in eg.predicted] for eg in examples)
            return {}

        def __call__(self, doc: Doc) -> Doc:
            return doc

    Language.factory("test_tag_reader", func=lambda nlp, name: Reader())
    nlp.add_pipe("test_tag_reader")
    words = ["Eat", "blue", "ham"]
    examples = [
        Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words, tags=["V", "J", "N"]))
    ]
    nlp.update(examples, sgd=nlp.resume_training(), annotates=["lstm_tagger"])
    assert seen == [["V", "J", "N"]]


def test_sourced_beside_others_and_resumed(whole, make_nlp) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("ner", source=whole(steps=10))
    nlp.add_pipe("lstm_tagger", source=make_nlp(steps=40))
    assert [token.tag_ for token in nlp("Eat blue ham")] == ["V", "J", "N"]
    words = ["Eat", "blue", "ham"]
    example = Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words, tags=["V"] * 3))
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    for _ in range(40):
        nlp.update([example], sgd=optimizer, exclude=["ner"])
    assert [token.tag_ for token in nlp("Eat blue ham")] == ["V"] * 3

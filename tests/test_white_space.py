"""White-space tokens: tagged by rule, not read by the network, neither learned nor counted."""

import numpy
import pytest
import spacy
from numpy.testing import assert_array_equal
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Adam

from spacy_lstm_tagger.features.extractor import vocabulary_of
from spacy_lstm_tagger.runtime.export import export_tagger

SENTENCE = ["I", "like", "green", "eggs", "and", "unheard-of", "wörds", "."]
GOLD = {"tags": ["N", "V", "J", "N"], "pos": ["PRON", "VERB", "ADJ", "NOUN"]}
POS_DATA = [("I like green eggs", GOLD)]


def wrapped(vocab, every, space="\n"):
    """Make a doc of the sentence with a white-space token behind every so many words."""
    words = []
    for i, word in enumerate(SENTENCE, start=1):
        words += [word, space] if i % every == 0 else [word]
    return Doc(vocab, words=words, spaces=[not word.isspace() for word in words])


def words_of(doc):
    return [(token.text, token.tag_, token.pos_) for token in doc if not token.is_space]


@pytest.fixture(params=["torch", "auto", "exported", "int8"])
def nlp(request, make_nlp, randomize):
    """Pipeline with random weights, in every way of predicting that this machine has."""
    precision = "auto" if request.param == "auto" else "float32"
    nlp = make_nlp(POS_DATA, model={"precision": precision}, outputs=["tag", "pos"])
    randomize(nlp.get_pipe("lstm_tagger"))
    if request.param in ("exported", "int8"):
        pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
        export_tagger(nlp, "lstm_tagger", "int8" if request.param == "int8" else "float32")
    return nlp


@pytest.mark.parametrize("space", ["\n", "  ", "\t\r\n", "\u00a0", "\u3000"])
def test_words_of_wrapped_text_have_the_tags_of_the_text_in_one_line(nlp, space) -> None:
    def plain_docs(n: int) -> list[Doc]:
        return [Doc(nlp.vocab, words=SENTENCE) for _ in range(n)]

    docs = [wrapped(nlp.vocab, every, space) for every in (1, 3, 8)]
    # "auto" computes batches, but not single docs, in bfloat16 where the CPU has it
    alone, batched = nlp(*plain_docs(1)), next(iter(nlp.pipe(plain_docs(len(docs)))))
    for plain, found in (alone, [nlp(doc.copy()) for doc in docs]), (batched, list(nlp.pipe(docs))):
        assert len({token.tag_ for token in plain}) > 1
        for doc in found:
            assert words_of(doc) == words_of(plain)
            assert {(t.tag_, t.pos_) for t in doc if t.is_space} == {("_SP", "SPACE")}


def test_a_doc_of_white_space_alone_is_tagged(nlp) -> None:
    for doc in (nlp("\n"), nlp(" \n "), *nlp.pipe(["  ", "I like", ""])):
        assert {token.tag_ for token in doc if token.is_space} <= {"_SP"}
        assert all(token.tag_ for token in doc)


def test_windows_are_cut_between_words(make_nlp, randomize) -> None:
    nlp = make_nlp(model={"window": 128})
    randomize(nlp.get_pipe("lstm_tagger"))
    words = SENTENCE * 40
    broken = [part for word in words for part in (word, "\n")]
    plain, doc = (nlp(Doc(nlp.vocab, words=text)) for text in (words, broken))
    assert words_of(doc) == words_of(plain)


def test_probabilities_of_white_space_are_zeros_unless_its_tag_is_a_label(make_nlp) -> None:
    nlp = make_nlp()
    tagger = nlp.get_pipe("lstm_tagger")
    doc = nlp.make_doc("I\nlike")
    (rows,) = tagger.predict_probabilities(doc)
    assert_array_equal(rows.sum(axis=1).round(5), [1, 0, 1])
    tagger.add_label("_SP")
    (rows,) = tagger.predict_probabilities(doc)
    assert rows[1, tagger.labels.index("_SP")] == 1
    tagger.cfg["save_probabilities"] = 2
    assert nlp(doc)[1]._.tag_candidates is None


def test_a_tag_that_white_space_has_already_is_replaced_only_if_overwrite_says_so(make_nlp) -> None:
    for overwrite, expected in ((False, ["given", "given"]), (True, ["V", "_SP"])):
        nlp = make_nlp(steps=40, overwrite=overwrite)
        doc = nlp.make_doc("like\n")
        for token in doc:
            token.tag_ = "given"
        assert [token.tag_ for token in nlp(doc)] == expected


def test_white_space_is_neither_counted_nor_a_label_nor_learned(make_nlp) -> None:
    nlp = make_nlp([("I like\neggs", {"tags": ["N", "V", "SP", "N"]})])
    tagger = nlp.get_pipe("lstm_tagger")
    assert tagger.labels == ("N", "V")
    assert vocabulary_of(tagger.model).words == {"I".lower(): 1, "like": 1, "eggs": 1}
    gold = {"tags": ["N", "V", "unheard-of", "N"]}
    eg = Example.from_dict(nlp.make_doc("I like\neggs"), gold)
    scores, _ = tagger.model.begin_update([eg.predicted])
    _, gradients = tagger.get_loss([eg], scores)
    assert_array_equal(gradients[0].any(axis=1), [True, True, False, True])


def test_wrapped_examples_teach_what_the_same_words_in_one_line_teach(make_nlp) -> None:
    weights = []
    for text, tags in (("I like eggs", ["N", "V", "N"]), ("I\nlike eggs", ["N", "", "V", "N"])):
        nlp = make_nlp([("I like eggs", {"tags": ["N", "V", "N"]})])
        eg = Example.from_dict(nlp.make_doc(text), {"tags": tags})
        sgd = Adam(0.01)
        for _ in range(3):
            nlp.update([eg], sgd=sgd)
        network = nlp.get_pipe("lstm_tagger").model.get_ref("output_layer").shims[0].module
        weights.append(network.output.weight.detach().numpy())
    numpy.testing.assert_allclose(weights[0], weights[1], atol=1e-6)


def test_rehearsal_and_training_take_docs_of_white_space(make_nlp) -> None:
    nlp = make_nlp(steps=5)
    blank = Example.from_dict(nlp.make_doc(" \n "), {"tags": [""]})
    nlp.resume_training(sgd=Adam(0.001))
    nlp.update([blank])
    losses = nlp.rehearse([blank])
    assert losses["lstm_tagger"] == 0


def test_the_first_examples_may_be_white_space(make_nlp, small_config) -> None:
    nlp = spacy.blank("en")
    nlp.vocab.set_vector("eggs", numpy.ones(3, dtype="float32"))
    config = {"model": {**small_config["model"], "include_static_vectors": True}}
    nlp.add_pipe("lstm_tagger", config=config)
    data = [(" \n ", [""])] * 12 + [("I like", ["N", "V"])]
    examples = [Example.from_dict(nlp.make_doc(text), {"tags": tags}) for text, tags in data]
    nlp.initialize(lambda: examples)
    assert nlp("eggs\n")[1].tag_ == "_SP"


def test_a_stock_architecture_tags_white_space_by_rule_as_well(make_examples) -> None:
    model = {
        "@architectures": "spacy.Tagger.v2",
        "tok2vec": {
            "@architectures": "spacy.HashEmbedCNN.v2",
            **{"pretrained_vectors": None, "width": 8, "depth": 1, "embed_size": 20},
            **{"window_size": 1, "maxout_pieces": 2, "subword_features": True},
        },
    }
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": model})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    doc = nlp("I\nlike")
    assert [token.tag_ == "_SP" for token in doc] == [False, True, False]


def test_the_table_of_parts_of_speech_knows_white_space(make_nlp) -> None:
    nlp = make_nlp(POS_DATA)
    nlp.add_pipe("lstm_tagger_pos")
    pipe = nlp.get_pipe("lstm_tagger_pos")
    gold = {"tags": ["N", "", "V"], "pos": ["PRON", "SPACE", "VERB"]}
    pipe.initialize(lambda: [Example.from_dict(nlp.make_doc("I\nlike"), gold)])
    assert nlp("like\n")[1].pos_ == "SPACE"


def test_accuracy_ignores_white_space(make_nlp) -> None:
    nlp = make_nlp(steps=40)
    eg = Example.from_dict(nlp.make_doc("I like\ngreen eggs"), {"tags": ["N", "V", "", "J", "N"]})
    assert nlp.evaluate([eg])["tag_acc"] == 1.0


def test_docs_of_a_bare_vocab_are_tagged_alike(make_nlp) -> None:
    nlp = make_nlp(steps=40)
    tagger = nlp.get_pipe("lstm_tagger")
    docs = [wrapped(vocab, 2) for vocab in (nlp.vocab, Vocab())]
    assert not docs[1][2].is_space  # though it is "\n"
    for doc in docs:
        tagger(doc)
    assert [t.tag for t in docs[0]] == [t.tag for t in docs[1]]
    assert docs[0][2].tag_ == "_SP"

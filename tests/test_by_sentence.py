"""The setting by_sentence: where sentence starts are known, sentences are read by themselves."""

import numpy
import pytest
import spacy
from numpy.testing import assert_array_equal
from spacy.language import Language
from spacy.tokens import Doc

from spacy_lstm_tagger.runtime.export import export_tagger

SENTENCES = [
    ["I", "like", "green", "eggs", "."],
    ["Ham"],
    ["\n"],
    ["And", "unheard-of", "\n", "ham", "!"],
    ["Eggs", "\n"],
]


@pytest.fixture(params=["torch", "auto", "exported", "int8"])
def nlp(request, make_nlp, randomize) -> Language:
    """Pipeline with random weights, in every way of predicting that this machine has."""
    precision = "auto" if request.param == "auto" else "float32"
    nlp = make_nlp(model={"by_sentence": True, "precision": precision}, outputs=["tag"])
    randomize(nlp.get_pipe("lstm_tagger"))
    if request.param in ("exported", "int8"):
        pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
        export_tagger(nlp, "lstm_tagger", "int8" if request.param == "int8" else "float32")
    # "auto" computes batches, but not single docs, in bfloat16 where the CPU has it
    nlp.get_pipe("lstm_tagger").rounding = {"int8": 0.05, "auto": 0.02}.get(request.param, 1e-5)
    return nlp


def make_doc(nlp: Language, *sentences: list[str], starts: bool = True) -> Doc:
    words = [word for sentence in sentences for word in sentence]
    begins = [i == 0 for sentence in sentences for i in range(len(sentence))]
    return Doc(nlp.vocab, words=words, sent_starts=begins if starts else None)


def scores(nlp: Language, docs: list[Doc]) -> list[numpy.ndarray]:
    return nlp.get_pipe("lstm_tagger").model.predict(docs)


def assert_close(nlp: Language, one: numpy.ndarray, other: numpy.ndarray) -> None:
    rounding = getattr(nlp.get_pipe("lstm_tagger"), "rounding", 1e-5)
    numpy.testing.assert_allclose(one, other, atol=rounding)


def test_a_sentence_is_read_as_if_it_were_a_doc(nlp) -> None:
    alone = [scores(nlp, [make_doc(nlp, sentence)])[0] for sentence in SENTENCES]
    doc = make_doc(nlp, *SENTENCES)
    backwards = make_doc(nlp, *SENTENCES[::-1])
    together = scores(nlp, [doc, Doc(nlp.vocab, words=[]), backwards])
    assert_close(nlp, together[0], numpy.concatenate(alone))
    assert together[1].shape == (0, alone[0].shape[1])
    assert_close(nlp, together[2], numpy.concatenate(alone[::-1]))


def test_docs_without_sentence_starts_are_read_whole(nlp) -> None:
    marked, plain = (make_doc(nlp, *SENTENCES, starts=starts) for starts in (True, False))
    one = make_doc(nlp, [word for sentence in SENTENCES for word in sentence])
    by_sentence, whole = (scores(nlp, [doc])[0] for doc in (marked, plain))
    assert abs(by_sentence - whole).max() > 0.1
    assert_close(nlp, whole, scores(nlp, [marked, one])[1])


def test_a_sentencizer_before_the_tagger_is_enough(make_nlp, randomize, tmp_path) -> None:
    nlp = make_nlp(model={"by_sentence": True})
    randomize(nlp.get_pipe("lstm_tagger"))
    text = "I like eggs. Ham likes me."
    whole = scores(nlp, [nlp(text)])[0]
    alone = numpy.concatenate([scores(nlp, [nlp(part)])[0] for part in (text[:12], text[13:])])
    nlp.add_pipe("sentencizer", first=True)
    nlp.to_disk(tmp_path)
    for by_sentence, expected in ((True, alone), (False, whole)):
        config = {"components": {"lstm_tagger": {"model": {"by_sentence": by_sentence}}}}
        loaded = spacy.load(tmp_path, config=config)
        assert_close(loaded, scores(loaded, [loaded(text)])[0], expected)
    assert abs(alone - whole).max() > 0.1


def test_an_export_reads_as_its_pipeline_was_told_to(make_nlp) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
    for by_sentence in (True, False):
        nlp = make_nlp(model={"by_sentence": by_sentence})
        export_tagger(nlp, "lstm_tagger", "float32")
        assert nlp.get_pipe_config("lstm_tagger")["model"]["by_sentence"] is by_sentence


def test_training_reads_by_sentence_too(make_nlp) -> None:
    nlp = make_nlp(model={"by_sentence": True})
    features, _ = nlp.get_pipe("lstm_tagger").model.layers[0]([make_doc(nlp, *SENTENCES)], True)
    assert_array_equal(features.lengths, [5, 1, 4, 1])


@pytest.mark.strict_types
def test_another_type_is_refused(make_nlp) -> None:
    with pytest.raises(ValueError, match="by_sentence"):
        make_nlp(model={"by_sentence": "yes"})

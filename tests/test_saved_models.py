"""Pipelines that earlier versions saved give the same scores and tags as they did then."""

from pathlib import Path

import numpy
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal

TEXTS = [
    "I like green eggs and ham.",
    "",
    "Can you send 3 unheard-of wörds 👍 to anna@example.com?",
    " \n ",
    "Anna and Ben eat the green eggs of 1,200 hens . " * 55,  # two windows
]
DIRECTORY = Path(__file__).parent / "saved_models"
KINDS = sorted(path.name for path in DIRECTORY.iterdir() if path.is_dir())

EXACT = 1e-6
QUANTIZED = 0.05
"""Largest difference of scores. Sums of 8-bit products depend on the CPU's instructions."""


@pytest.fixture(
    params=[
        pytest.param(kind, marks=pytest.mark.light if kind.startswith("onnx") else ())
        for kind in KINDS
    ]
)
def saved(request):
    if request.param.startswith("onnx"):
        pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
    path = DIRECTORY / request.param
    with numpy.load(path / "expected.npz") as expected:
        return path, dict(expected)


def test_all_kinds_are_there() -> None:
    assert [
        *("calibrated", "encoder", "onnx_float32", "onnx_int8"),
        *("onnx_predict_pos", "onnx_vectors", "predict_pos", "torch"),
    ] == KINDS


def test_scores_and_tags_are_those_of_the_version_that_saved_it(saved) -> None:
    path, expected = saved
    nlp = spacy.load(path)
    tagger = nlp.get_pipe(nlp.pipe_names[-1])
    docs = [nlp.make_doc(text) for text in TEXTS]
    tolerance = QUANTIZED if "int8" in path.name else EXACT
    # The version that saved them read white space and tagged it as a word.
    compared = [i for i, text in enumerate(TEXTS) if path.name == "encoder" or not text.isspace()]
    for i, scores in enumerate(tagger.model.predict(docs)):
        if i in compared:
            assert_allclose(scores, expected[f"scores{i}"], atol=tolerance, rtol=tolerance)
    if "probabilities0" in expected:
        for i, rows in enumerate(tagger.predict_probabilities(docs)):
            if i in compared:
                assert_allclose(rows, expected[f"probabilities{i}"], atol=tolerance)
    if "int8" not in path.name:
        for i, doc in enumerate(nlp.pipe(TEXTS)):
            if i in compared:
                assert_array_equal([token.tag_ for token in doc], expected[f"tags{i}"])
                assert_array_equal([token.pos_ for token in doc], expected[f"pos{i}"])
            else:
                assert {token.tag_ for token in doc} == {"_SP"}


def test_saved_again_it_gives_the_same_scores(saved, tmp_path) -> None:
    path, _ = saved
    nlp = spacy.load(path)
    nlp.to_disk(tmp_path / "again")
    again = spacy.load(tmp_path / "again")
    docs = [nlp.make_doc(text) for text in TEXTS]
    name = nlp.pipe_names[-1]
    for before, after in zip(
        nlp.get_pipe(name).model.predict(docs),
        again.get_pipe(name).model.predict(docs),
        strict=True,
    ):
        assert_array_equal(before, after)

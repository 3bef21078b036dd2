"""Probabilities kept on docs: what they are, what survives, what is refused."""

import subprocess
import sys

import numpy
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import Doc, DocBin

from spacy_lstm_tagger.pipeline.kept_probabilities import (
    most_probable,
    tag_confidence,
    tag_confidences,
)
from spacy_lstm_tagger.report.rendering import render

TEXTS = ["I like green eggs", "", "unheard-of wörds 👍 !"]


@pytest.fixture
def nlp(make_nlp, randomize):
    nlp = make_nlp()
    randomize(nlp.get_pipe("lstm_tagger"))
    return nlp


def keep(nlp, setting):
    nlp.get_pipe("lstm_tagger").cfg["save_probabilities"] = setting
    return nlp


def test_nothing_is_kept_unless_asked(nlp) -> None:
    doc = nlp("I like green eggs")
    assert doc.user_data == {}
    assert doc._.tag_probabilities is doc[0]._.tag_probability is doc[0]._.tag_candidates is None


def test_tags_are_the_same_as_without(nlp) -> None:
    expected = [[token.tag_ for token in doc] for doc in nlp.pipe(TEXTS)]
    for setting in (True, 2):
        docs = keep(nlp, setting).pipe(TEXTS)
        assert [[token.tag_ for token in doc] for doc in docs] == expected


def test_matrix_is_that_of_the_component(nlp) -> None:
    tagger = nlp.get_pipe("lstm_tagger")
    for doc in keep(nlp, True).pipe(TEXTS):
        (expected,) = tagger.predict_probabilities([doc])
        assert doc._.tag_probabilities.dtype == "float32"
        assert doc._.tag_probabilities.shape == (len(doc), len(tagger.labels))
        assert_allclose(doc._.tag_probabilities, expected, atol=1e-6)
        assert doc._.tag_labels == list(tagger.labels)


def test_candidates_are_ranked_and_the_best_is_the_tag(nlp) -> None:
    for setting, n in ((True, 3), (2, 2), (1, 1), (99, 3)):
        for token in keep(nlp, setting)("I like green eggs"):
            candidates = token._.tag_candidates
            assert len(candidates) == n
            assert candidates[0] == (token.tag_, token._.tag_probability)
            values = [value for _, value in candidates]
            assert values == sorted(values, reverse=True)


def test_candidates_are_those_of_a_sort_also_among_equals() -> None:
    probabilities = numpy.random.default_rng(0).integers(0, 4, (50, 6)) / 4
    for n in (1, 3, 6):
        expected = numpy.argsort(-probabilities, axis=1, kind="stable")[:, :n]
        assert_array_equal(most_probable(probabilities, n), expected)


def test_candidates_of_a_batch_are_those_of_each_doc_alone(nlp) -> None:
    for doc in keep(nlp, 2).pipe(TEXTS):
        alone = [token._.tag_candidates for token in nlp(doc.text)]
        for token, expected in zip(doc, alone, strict=True):
            assert [tag for tag, _ in token._.tag_candidates] == [tag for tag, _ in expected]
            for (_, found), (_, value) in zip(token._.tag_candidates, expected, strict=True):
                assert found == pytest.approx(value, abs=1e-5)
        kept = doc._.tag_probabilities_kept
        assert all(kept[name].base is None for name in ("tags", "probabilities"))


@pytest.mark.parametrize("setting", [True, 2])
def test_probabilities_survive_bytes_and_files(setting, nlp, tmp_path) -> None:
    doc = keep(nlp, setting)("I like green eggs")
    expected = [token._.tag_candidates for token in doc]
    from_bytes = Doc(nlp.vocab).from_bytes(doc.to_bytes())
    DocBin(store_user_data=True, docs=[doc]).to_disk(tmp_path / "docs.spacy")
    (from_file,) = DocBin().from_disk(tmp_path / "docs.spacy").get_docs(spacy.blank("en").vocab)
    for other in (from_bytes, from_file):
        assert [token._.tag_candidates for token in other] == expected
        if setting is True:
            assert_array_equal(other._.tag_probabilities, doc._.tag_probabilities)


def test_processes_send_probabilities_back(nlp) -> None:
    expected = [doc._.tag_probabilities for doc in keep(nlp, True).pipe(TEXTS)]
    found = [doc._.tag_probabilities for doc in nlp.pipe(TEXTS, n_process=2)]
    for one, other in zip(expected, found, strict=True):
        assert_allclose(one, other, atol=1e-6)


def test_a_docs_matrix_does_not_hold_that_of_its_batch(nlp) -> None:
    for doc in keep(nlp, True).pipe(TEXTS):
        assert doc._.tag_probabilities_kept["probabilities"].base is None


def test_setting_is_saved_with_the_pipeline(nlp, tmp_path) -> None:
    keep(nlp, 2).to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert len(loaded("ham")[0]._.tag_candidates) == 2


@pytest.mark.parametrize("setting", [-1, pytest.param(0.5, marks=pytest.mark.strict_types), "all"])
def test_setting_out_of_range_is_refused(setting) -> None:
    with pytest.raises(ValueError, match="save_probabilities"):
        spacy.blank("en").add_pipe("lstm_tagger", config={"save_probabilities": setting})


@pytest.mark.parametrize("setting", [True, 2])
def test_setting_without_tags_is_refused(setting) -> None:
    config = {"save_probabilities": setting, "outputs": ["pos", "lemma"]}
    message = r"save_probabilities.*\['pos', 'lemma'\].*only the probabilities of tags"
    with pytest.raises(ValueError, match=message):
        spacy.blank("en").add_pipe("lstm_tagger", config=config)


def test_matrix_of_an_empty_doc_has_no_rows(nlp) -> None:
    assert keep(nlp, True)("")._.tag_probabilities.shape == (0, 3)
    assert isinstance(nlp("ham")._.tag_probabilities, numpy.ndarray)


TEXT = "I like green eggs and blue ham"


def merged(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[2:4])
    return doc


def split(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[2], ["gr", "een"], heads=[(doc[2], 1), doc[3]])
    return doc


def by_offset(doc):
    return {(token.idx, token.text): token._.tag_candidates for token in doc}


@pytest.mark.parametrize("setting", [True, 1, 2])
@pytest.mark.parametrize("change", [merged, split])
def test_a_row_belongs_to_its_token_after_merges_and_splits(setting, change, nlp) -> None:
    doc = keep(nlp, setting)(TEXT)
    before = by_offset(doc)
    matrix = doc._.tag_probabilities
    change(doc)
    changed = [token for token in doc if (token.idx, token.text) not in before]
    assert changed
    for token in doc:
        expected = None if token in changed else before[token.idx, token.text]
        assert token._.tag_candidates == expected
        assert token._.tag_probability == (expected[0][1] if expected else None)
        assert (tag_confidence(token) is None) == (token in changed)
    confidences = tag_confidences(doc)
    assert [numpy.isnan(value) for value in confidences] == [token in changed for token in doc]
    for token, value in zip(doc, confidences, strict=True):
        assert token in changed or value == tag_confidence(token)
    if setting is True:
        assert doc._.tag_probabilities.shape == (len(doc), matrix.shape[1])
        assert_array_equal(doc._.tag_probabilities[-3:], matrix[-3:])
        of_changed = doc._.tag_probabilities[[token.i for token in changed]]
        assert numpy.isnan(of_changed).all()


def test_words_behind_a_merge_render_with_their_own_probabilities(nlp) -> None:
    pytest.importorskip("jinja2", reason="jinja2 is not installed (the extra [report])")
    doc = keep(nlp, 1)(TEXT)
    expected = tag_confidence(doc[6])
    html = render(merged(doc), jupyter=False)
    assert f"{expected:.2f}" in html
    assert tag_confidence(doc[5]) == expected
    assert tag_confidence(doc[2]) is None


def test_a_part_of_a_doc_has_no_rows_of_other_words(nlp) -> None:
    doc = keep(nlp, 2)("ham ham eggs ham")
    part = doc[1:4].as_doc(copy_user_data=True)
    # "ham" at offset 0 is another token of the same form at the same place: indistinguishable.
    assert [token._.tag_candidates for token in part[1:]] == [None, None]


def test_confidence_is_that_of_the_present_tag(nlp) -> None:
    for setting in (True, 2):
        doc = keep(nlp, setting)("I like green eggs")
        doc[0].tag_ = "unheard-of"
        second = doc[1]._.tag_candidates[1]
        doc[1].tag_ = second[0]
        assert numpy.isnan(tag_confidences(doc)[0])
        assert tag_confidences(doc)[1] == pytest.approx(second[1])


def test_docs_are_read_in_a_process_without_a_tagger(nlp, tmp_path) -> None:
    doc = keep(nlp, 1)("I like green eggs")
    DocBin([], docs=[doc], store_user_data=True).to_disk(tmp_path / "docs.spacy")
    code = (
        "import sys, spacy, spacy_lstm_tagger; from spacy.tokens import DocBin\n"
        "spacy_lstm_tagger.add_extensions()\n"
        "(doc,) = DocBin().from_disk(sys.argv[1]).get_docs(spacy.blank('en').vocab)\n"
        "print(doc[1]._.tag_candidates)"
    )
    command = [sys.executable, "-c", code, tmp_path / "docs.spacy"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == str(doc[1]._.tag_candidates)


def test_of_two_taggers_the_one_that_sets_the_tags_keeps_its_probabilities(
    make_nlp, tmp_path
) -> None:
    nlp = make_nlp(steps=60, save_probabilities=2)
    data = [("I like green eggs", {"tags": ["X", "Y", "Z", "X"]})]
    other = make_nlp(data, steps=60, save_probabilities=2)
    other.rename_pipe("lstm_tagger", "b")
    for names, labels in ((["lstm_tagger", "b"], "NVJ"), (["b", "lstm_tagger"], "XYZ")):
        both = spacy.blank("en")
        for name in names:
            both.add_pipe(name, source=other if name == "b" else nlp)
        for token in both("I like green eggs"):
            assert token.tag_ in labels
            assert token._.tag_candidates[0][0] == token.tag_


def test_words_that_another_component_has_tagged_have_none(make_nlp) -> None:
    nlp = make_nlp(steps=60, save_probabilities=1)
    doc = nlp.make_doc("I like green eggs")
    doc[1].tag_ = "given"
    nlp.get_pipe("lstm_tagger")(doc)
    assert [token._.tag_candidates is None for token in doc] == [False, True, False, False]


def test_an_empty_doc_has_no_confidences(nlp) -> None:
    for setting in (True, 1):
        assert tag_confidences(keep(nlp, setting)("")).shape == (0,)

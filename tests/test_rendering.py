"""One doc as HTML: every word with its tag and confidence, and nothing that could do harm."""

import re
import sys
import types

import numpy
import pytest
import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_lstm_tagger.pipeline.kept_probabilities import add_extensions, save
from spacy_lstm_tagger.report.rendering import render


@pytest.fixture
def doc() -> Doc:
    words = ["I", "<script>alert(1)</script>", "duck"]
    return Doc(spacy.blank("en").vocab, words=words, tags=["N", "V", '"><b>'])


def probable(doc: Doc) -> Doc:
    add_extensions()
    rows = numpy.asarray([[0.9, 0.1, 0], [0.4, 0.6, 0], [0.3, 0.2, 0.5]], dtype="float32")
    save([doc], ["N", "V", '"><b>'], rows, True)
    return doc


def sure(html: str) -> list[str]:
    return re.findall(r'--sure:([^"]*)"', html)


def test_words_and_tags_are_escaped(doc) -> None:
    html = render(probable(doc))
    assert "<script" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "&#34;&gt;&lt;b&gt;" in html


def test_confidence_is_colour_and_number(doc) -> None:
    html = render(probable(doc))
    assert sure(html) == ["0.900", "0.600", "0.500"]
    assert re.findall(r'"lt-sure" dir="ltr">([^<]*)<', html) == ["0.90", "0.60", "0.50"]


def test_altered_tag_has_no_confidence(doc) -> None:
    probable(doc)[1].tag_ = "other"
    assert sure(render(doc)) == ["0.900", "0.500"]


def test_doc_without_probabilities_has_tags_alone(doc) -> None:
    html = render(doc)
    assert sure(html) == []
    assert '<span class="lt-tag" dir="ltr">N</span>' in html


def test_span_and_whole_page(doc) -> None:
    html = render(probable(doc)[1:3], page=True)
    assert html.lstrip().startswith("<!DOCTYPE html>")
    assert html.count('class="lt-word"') == 2
    assert "<!DOCTYPE" not in render(doc)


def test_tagger_that_keeps_probabilities(make_nlp, randomize) -> None:
    nlp = make_nlp(save_probabilities=2)
    randomize(nlp.get_pipe("lstm_tagger"))
    doc = nlp("I like green eggs")
    assert sure(render(doc)) == [f"{token._.tag_probability:.3f}" for token in doc]


@pytest.mark.parametrize(
    ("language", "attributes"),
    [
        ("en", 'dir="ltr" lang="en"'),
        ("he", 'dir="rtl" lang="he"'),
        ("ar", 'dir="rtl" lang="ar"'),
        ("fa", 'dir="rtl" lang="fa"'),
        ("ur", 'dir="rtl" lang="ur"'),
        ("xx", 'dir="auto"'),  # of no language in particular: as the first letter says
    ],
)
def test_words_run_in_the_direction_of_the_language(language, attributes) -> None:
    doc = Doc(spacy.blank(language).vocab, words=["שלום", "!"], tags=["PRP$", "."])
    for html in (render(doc), render(doc[:1]), render(doc, page=True)):
        assert f'<div class="lt-words tex2jax_ignore" {attributes}>' in html
        assert '<span class="lt-tag" dir="ltr">PRP$</span>' in html  # not "$PRP"


def test_doc_of_a_bare_vocab_runs_as_its_first_letter_says() -> None:
    assert ' dir="auto">' in render(Doc(Vocab(), words=["שלום"]))


def test_notebook_displays_it(doc, monkeypatch) -> None:
    shown: list[str] = []
    notebook = types.ModuleType("IPython.display")
    notebook.HTML = str  # type: ignore[attr-defined]
    notebook.display = shown.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", notebook)
    assert render(doc, jupyter=True) is None
    assert shown == [render(doc, jupyter=False)]


def test_anything_else_is_refused() -> None:
    with pytest.raises(TypeError, match="found str"):
        render("I duck")  # type: ignore[arg-type]


def test_missing_jinja2_is_named(doc, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match=r'pip install "spacy-lstm-tagger\[report\]"'):
        render(doc)

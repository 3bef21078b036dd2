"""Copies of docs with other words and joined docs: every annotation is there, at its token."""

import numpy
import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span, SpanGroup, Token
from spacy.training import Corpus, Example

from spacy_lstm_tagger.outputs import known_outputs
from spacy_lstm_tagger.training.augmenter import build_augmenter_v1, is_added
from spacy_lstm_tagger.training.copies import join, with_words
from spacy_lstm_tagger.training.soft_targets import get_soft_targets, set_soft_targets

WORDS = ["Die", "Große", "Straße", "\n", "in", "Gießen", "heißt", "so", "."]
SPACES = [True, True, False, False, True, True, True, False, False]
CAPITALS = ["DIE", "GROSSE", "STRASSE", "\n", "IN", "GIESSEN", "HEISST", "SO", "."]

TOKEN_ATTRS = [
    *("tag_", "pos_", "lemma_", "dep_", "ent_iob", "ent_type_", "ent_kb_id_", "ent_id_"),
    "whitespace_",
]


@pytest.fixture(autouse=True)
def extensions():
    for kind in (Doc, Span, Token):
        kind.set_extension("note", default=None)
    yield
    for kind in (Doc, Span, Token):
        kind.remove_extension("note")


@pytest.fixture
def nlp():
    return spacy.blank("de")


def make_doc(vocab) -> Doc:
    """Doc with all that spaCy can annotate, some of it for some tokens only."""
    doc = Doc(
        vocab,
        words=WORDS,
        spaces=SPACES,
        tags=["ART", "ADJA", "NN", "_SP", "APPR", "NE", "VVFIN", "", "$."],
        pos=["DET", "ADJ", "NOUN", "SPACE", "ADP", "PROPN", "", "ADV", "PUNCT"],
        morphs=["Case=Nom", "", "Gender=Fem", "", "", "", "Number=Sing", "", ""],
        lemmas=["der", "groß", "Straße", "\n", "in", "Gießen", "heißen", "", "."],
        heads=[2, 2, 6, None, 2, 4, 6, 6, None],
        deps=["det", "amod", "nsubj", None, "case", "nmod", "ROOT", "advmod", None],
    )
    set_sentence_starts(doc, [1, -1, -1, 0, -1, -1, -1, -1, 0])  # not what the heads say
    doc.set_ents(
        [Span(doc, 1, 3, "LOC", kb_id="Q1", span_id="one"), Span(doc, 5, 6, "GPE", kb_id="Q2")],
        outside=[doc[6:8]],
        blocked=[doc[0:1]],
        default="missing",
    )
    street = Span(doc, 0, 6, "place", kb_id="Q3", span_id="a")
    inner = Span(doc, 1, 3, "name", kb_id="Q4", span_id="b")
    overlap = Span(doc, 2, 7, "odd")
    doc.spans["places"] = SpanGroup(doc, name="of another name", attrs={"by": ["us"]})
    doc.spans["places"].extend([street, inner, overlap, Span(doc, 9, 9, "end"), street])
    doc.spans["none"] = []
    doc.cats = {"street": 1.0, "river": 0.0}
    doc.user_data["anything"] = [1, 2]
    doc._.note, doc[5]._.note, street._.note = "doc", "Gießen", {"span": ["street"]}
    doc[0:3]._.note, Span(doc, 2, 2)._.note = "name", "nothing"
    return doc


def set_sentence_starts(doc: Doc, starts: list[int]) -> None:
    doc.from_array("SENT_START", numpy.asarray(starts, dtype="int64").astype("uint64"))


def sentence_starts(doc: Doc) -> list[int]:
    return doc.to_array("SENT_START").astype("int64").tolist()


def annotation(doc: Doc, offset: int = 0, n: int | None = None) -> dict:
    """Everything annotated of `n` tokens of a doc, without any offset of characters."""
    tokens = doc[offset : len(doc) if n is None else offset + n]
    return {
        "tokens": [[getattr(token, attr) for attr in TOKEN_ATTRS] for token in tokens],
        "morphs": [(str(token.morph), token.has_morph()) for token in tokens],
        "starts": sentence_starts(doc)[tokens.start : tokens.end],
        "heads": [token.head.i - token.i for token in tokens],
        "has_heads": [(token.has_head(), token.has_dep()) for token in tokens],
        "children": [[child.i - token.i for child in token.children] for token in tokens],
        "subtrees": [[other.i - token.i for other in token.subtree] for token in tokens],
        "notes": [token._.note for token in tokens],
    }


def ents_of(doc: Doc, offset: int = 0) -> list:
    return [(e.start + offset, e.end + offset, e.label_, e.kb_id_, e.id_) for e in doc.ents]


def spans_of(doc: Doc, offset: int = 0) -> dict:
    return {
        key: [
            (s.start + offset, s.end + offset, s.label_, s.kb_id_, s.id_, s._.note) for s in group
        ]
        for key, group in doc.spans.items()
    }


def test_a_copy_has_other_words_and_the_same_annotation(nlp) -> None:
    doc = make_doc(nlp.vocab)
    before = doc.to_bytes()
    copy = with_words(doc, CAPITALS)
    assert copy.text == "DIE GROSSE STRASSE\nIN GIESSEN HEISST SO."
    assert annotation(copy) == annotation(doc)
    assert ents_of(copy) == ents_of(doc) == [(1, 3, "LOC", "Q1", "one"), (5, 6, "GPE", "Q2", "")]
    assert spans_of(copy) == spans_of(doc)
    assert copy.spans["places"][0]._.note == {"span": ["street"]}
    assert copy.spans["places"].name == "of another name"
    assert copy.spans["places"].attrs == {"by": ["us"]}
    assert copy.cats == doc.cats
    assert copy.user_data["anything"] == [1, 2]
    assert (copy._.note, copy[0:3]._.note, Span(copy, 2, 2)._.note) == ("doc", "name", "nothing")
    assert len(copy.user_data) == len(doc.user_data)
    assert doc.to_bytes() == before


def test_a_copy_can_be_changed_without_its_original(nlp) -> None:
    doc = make_doc(nlp.vocab)
    copy = with_words(doc, CAPITALS)
    copy.cats["street"] = 0.0
    copy.user_data["anything"].append(3)
    copy.spans["places"].attrs["by"].append("them")
    copy.spans["places"][0]._.note["span"].append("x")
    assert doc.cats["street"] == 1.0
    assert doc.user_data["anything"] == [1, 2]
    assert doc.spans["places"].attrs == {"by": ["us"]}
    assert doc.spans["places"][0]._.note == {"span": ["street"]}


def test_what_cannot_be_copied_is_shared(nlp) -> None:
    doc = make_doc(nlp.vocab)
    doc.user_data["a span"] = doc[0:2]
    assert with_words(doc, CAPITALS).user_data["a span"] == doc[0:2]


def test_words_may_become_shorter(nlp) -> None:
    doc = make_doc(nlp.vocab)
    copy = with_words(doc, [word[:1] for word in WORDS])
    assert copy.text == "D G S\ni G h s."
    assert annotation(copy) == annotation(doc)
    assert spans_of(copy) == spans_of(doc)


def test_a_note_on_a_token_that_was_merged_away_is_left_out(nlp) -> None:
    doc = make_doc(nlp.vocab)
    del doc.spans["places"], doc.spans["none"]
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[4:6])
    notes = {key[2:] for key in with_words(doc, [t.text for t in doc]).user_data if key[0] == "._."}
    assert notes == {(None, None), (0, 16), (0, 26), (10, 10)}


def test_an_unannotated_doc_stays_so(nlp) -> None:
    copy = with_words(Doc(nlp.vocab, words=["a", "b"]), ["A", "B"])
    for attr in ("TAG", "POS", "MORPH", "LEMMA", "DEP", "HEAD", "ENT_IOB", "SENT_START"):
        assert not copy.has_annotation(attr)
    assert (copy.cats, copy.user_data, dict(copy.spans)) == ({}, {}, {})


@pytest.mark.parametrize("starts", [[1, 0, 0], [1, -1, 1], [0, 1, 0], [1, 0, -1], [0, 0, 0]])
def test_sentence_starts_with_partial_heads_stay(starts, nlp) -> None:
    doc = Doc(nlp.vocab, words=["a", "b", "c"], heads=[1, 1, None], deps=["x", "ROOT", None])
    set_sentence_starts(doc, starts)
    copy = with_words(doc, ["A", "B", "C"])
    assert sentence_starts(copy) == starts
    joined = join([doc, Doc(nlp.vocab, words=["d", "e"]), doc])
    assert sentence_starts(joined) == [*starts, 1, 0, *starts]


def test_a_norm_is_that_of_its_word(nlp) -> None:
    nlp = spacy.blank("en")
    doc = nlp.make_doc("I'm gonna")
    assert [t.norm_ for t in with_words(doc, [t.text for t in doc])] == [t.norm_ for t in doc]
    other = with_words(doc, ["I", "'m", "gn", "na"])
    assert [t.norm_ for t in other] == ["i", "am", "gn", "to"]


def test_a_joined_doc_has_all_annotation_of_tokens_and_spans(nlp) -> None:
    doc, bare = make_doc(nlp.vocab), Doc(nlp.vocab, words=["Ja"], spaces=[False])
    empty, n = Doc(nlp.vocab), len(WORDS)
    joined = join([doc, empty, bare, doc])
    assert joined.text == f"{doc.text} Ja {doc.text}"
    first, last = annotation(joined, 0, n), annotation(joined, n + 1)
    expected = annotation(doc)
    assert last == expected
    expected["tokens"][-1][-1] = " "
    assert first == expected
    assert annotation(joined, n, 1)["tokens"] == [["", "", "", "", 0, "", "", "", " "]]
    assert ents_of(joined) == ents_of(doc) + ents_of(doc, n + 1)
    ours, theirs = spans_of(doc), spans_of(doc, n + 1)
    assert spans_of(joined) == {key: ours[key] + theirs[key] for key in ours}
    assert joined.spans["places"].attrs == {"by": ["us"]}
    assert (joined[0:3]._.note, joined[n + 1 : n + 4]._.note) == ("name", "name")
    assert (joined.cats, joined._.note) == ({}, None)
    assert "anything" not in joined.user_data


def test_a_teachers_probabilities_are_those_of_the_same_tokens(nlp) -> None:
    (tags, *_) = known_outputs()
    one = Doc(nlp.vocab, words=["a", "b"])
    other = Doc(nlp.vocab, words=["c"])
    set_soft_targets(one, ["N", "V"], numpy.array([[0.25, 0.75], [1.0, 0.0]]), output=tags.name)
    set_soft_targets(other, ["V", "X"], numpy.array([[0.5, 0.5]]), output=tags.name)
    bare = Doc(nlp.vocab, words=["d", "e"])
    labels = ["N", "V", "X"]
    assert get_soft_targets(with_words(one, ["A", "B"]), labels).tolist() == [
        [0.25, 0.75, 0],
        [1, 0, 0],
    ]
    assert get_soft_targets(join([one, bare, other]), labels).tolist() == [
        *([0.25, 0.75, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0.5, 0.5]),
    ]
    assert get_soft_targets(join([bare, bare]), labels) is None


def test_examples_with_all_kinds_of_annotation_are_augmented(nlp, tmp_path) -> None:
    """They raised E855 and E981, or warned, in the middle of a training."""
    docs = [make_doc(nlp.vocab) for _ in range(30)]
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "train.spacy")
    docs = list(DocBin().from_disk(tmp_path / "train.spacy").get_docs(nlp.vocab))
    augmenter = build_augmenter_v1(passages=1.0, lower_case=1.0, upper_case=1.0, typos=1.0)
    examples = list(Corpus(tmp_path / "train.spacy", augmenter=augmenter)(nlp))
    added = [eg for eg in examples if is_added(eg)]
    capitals = [eg for eg in added if eg.text.isupper()]
    typos = [eg for eg in added if len(eg.reference) == len(WORDS) and eg not in capitals]
    assert len(examples) - len(added) == len(capitals) == 30
    assert len(typos) > 40  # with the lower-cased ones
    for eg in capitals + typos:
        assert annotation(eg.reference) == annotation(docs[0])
        assert spans_of(eg.reference) == spans_of(docs[0])
        assert ents_of(eg.reference) == ents_of(docs[0])
        assert eg.reference.cats == docs[0].cats
        assert eg.predicted.text == eg.reference.text
    for eg in capitals:
        assert [token.text for token in eg.reference] == CAPITALS
        assert [token.lemma_ for token in eg.reference][5:7] == ["Gießen", "heißen"]
        assert eg.get_aligned_ner()[1:3] == ["B-LOC", "L-LOC"]
    for eg in added:
        n = len(eg.reference) // len(WORDS)
        assert len(ents_of(eg.reference)) == 2 * n
        assert len(eg.reference.spans["places"]) == 5 * n
        assert not eg.predicted.has_annotation("TAG")


def test_a_corpus_read_for_another_pipeline_begins_its_own_passages(nlp) -> None:
    augmenter = build_augmenter_v1(passages=1.0)
    for pipeline in (nlp, spacy.blank("de")):
        docs = [Doc(pipeline.vocab, words=[word]) for word in ("a", "b")]
        first, second = (list(augmenter(pipeline, Example(doc, doc.copy()))) for doc in docs)
        assert len(first) == 1
        assert [eg.text for eg in second] == ["b ", "a b "]

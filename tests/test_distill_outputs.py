"""Teachers teach parts of speech, features and lemmas as well, wherever they set them."""

import numpy
import pytest
import spacy
from numpy.testing import assert_array_equal
from spacy.language import Language
from spacy.lookups import Lookups
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from spacy_lstm_tagger.distill.corpus import build_distillation_corpus_v1
from spacy_lstm_tagger.distill.labelling import label
from spacy_lstm_tagger.distill.parts import Parts, stored_attrs
from spacy_lstm_tagger.distill.teacher import Teacher
from spacy_lstm_tagger.training.soft_targets import get_soft_targets, key_of

ALL = ["tag", "pos", "morph", "lemma"]
PLURAL, NONE = "Number=Plur", "_"
DATA = [
    (
        ["I", "liked", "green", "eggs"],
        ["N", "V", "J", "N"],
        ["PRON", "VERB", "ADJ", "NOUN"],
        ["Number=Sing|Person=1", "Tense=Past", NONE, PLURAL],
        ["I", "like", "green", "egg"],
    ),
    (
        ["Eat", "blue", "hams"],
        ["V", "J", "N"],
        ["VERB", "ADJ", "NOUN"],
        ["Mood=Imp", NONE, PLURAL],
        ["eat", "blue", "ham"],
    ),
]
TEXTS = [" ".join(words) for words, *_ in DATA] + ["Eat eggs"]
Annotation = list[list[tuple[str, ...]]]


def examples_of(nlp: Language) -> list[Example]:
    keys = ("words", "tags", "pos", "morphs", "lemmas")
    gold = [Doc(nlp.vocab, **dict(zip(keys, row, strict=True))) for row in DATA]
    return [Example(Doc(nlp.vocab, words=row[0]), doc) for row, doc in zip(DATA, gold, strict=True)]


def train(nlp: Language, steps: int, examples: list[Example] | None = None) -> Language:
    examples = examples or examples_of(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer)
    return nlp


def annotation_of(docs: list[Doc]) -> Annotation:
    """Tag, part of speech, features ("" if they are not set) and lemma of each token."""
    return [
        [(t.tag_, t.pos_, (str(t.morph) or NONE) if t.has_morph() else "", t.lemma_) for t in doc]
        for doc in docs
    ]


def labelled(*pipelines: Language, texts: list[str] = TEXTS) -> list[Doc]:
    docs = [pipelines[0].make_doc(text) for text in texts]
    return labelled_by([Teacher(nlp, 1.0) for nlp in pipelines], docs)


def labelled_by(teachers: list[Teacher], docs: list[Doc]) -> list[Doc]:
    return label(docs, teachers, 9, n_process=1, batch_size=8)


def soft(doc: Doc) -> numpy.ndarray | None:
    return get_soft_targets(doc, ["J", "N", "V"])


GOLD = [list(zip(*row[1:], strict=True)) for row in DATA]


@pytest.fixture
def stock() -> Language:
    """A pipeline with spaCy's own components, as its trained pipelines have them."""
    nlp = spacy.blank("en")
    for name in ("tagger", "morphologizer", "trainable_lemmatizer"):
        nlp.add_pipe(name, config={"min_tree_freq": 1} if name.endswith("lemmatizer") else {})
    train(nlp, 15)
    nlp.add_pipe("attribute_ruler", before="trainable_lemmatizer").add_patterns(
        [{"patterns": [[{"LOWER": "i"}]], "attrs": {"MORPH": "Case=Nom"}}]
    )
    return nlp


def test_stock_pipelines_teach_all_that_they_set(stock) -> None:
    expected = annotation_of(list(stock.pipe(TEXTS)))
    assert expected[0][0][2] == "Case=Nom"
    assert expected[1] == GOLD[1]
    nlp_names = list(stock.pipe_names)
    assert annotation_of(labelled(stock)) == expected
    assert [name for name in stock.pipe_names if name != "lstm_tagger_recorder"] == nlp_names[1:]


def test_lemmas_of_rules_and_tables_are_taught() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger")
    train(nlp, 15)
    nlp.add_pipe("attribute_ruler").add_patterns(
        [{"patterns": [[{"TAG": tag}]], "attrs": {"POS": pos}} for tag, pos in (("N", "NOUN"),)]
    )
    lookups = Lookups()
    lookups.add_table("lemma_lookup", {"eggs": "egg", "hams": "ham"})
    nlp.add_pipe("lemmatizer", config={"mode": "lookup"}).initialize(lookups=lookups)
    docs = labelled(nlp)
    assert [token.lemma_ for token in docs[1]] == ["Eat", "blue", "ham"]
    assert [token.pos_ for token in docs[1]] == ["", "", "NOUN"]
    assert not docs[1].has_annotation("MORPH")


def own(outputs: list[str], steps: int = 60, examples: list[Example] | None = None) -> Language:
    nlp = spacy.blank("en")
    model = {"word_width": 16, "char_width": 16, "width": 32, "depth": 1, "min_word_freq": 1}
    nlp.add_pipe("lstm_tagger", config={"model": model, "outputs": outputs})
    return train(nlp, steps, examples)


def test_own_taggers_teach_all_their_outputs() -> None:
    nlp = own(ALL)
    expected = annotation_of(list(nlp.pipe(TEXTS)))
    assert expected[:2] == GOLD
    assert annotation_of(labelled(nlp)) == expected


def test_a_teacher_whose_tags_do_not_count_teaches_its_other_outputs() -> None:
    tags, others = own(["tag"]), own(ALL)
    docs = [tags.make_doc(text) for text in TEXTS]
    teachers = [Teacher(tags, 1.0), Teacher(others, 1.0, weight=0.0)]
    found = labelled_by(teachers, docs)
    assert annotation_of(found)[:2] == GOLD
    alone = labelled_by(teachers[:1], docs)
    for doc, doc_alone in zip(found, alone, strict=True):
        assert_array_equal(soft(doc), soft(doc_alone))


def test_a_tagger_beside_another_teaches_its_outputs(tmp_path) -> None:
    """Also if it comes from another pipeline, or spaCy has made other taggers since."""
    lemmas, nlp = own(["lemma"]), own(["tag"])
    nlp.add_pipe("lstm_tagger", name="lemmas", source=lemmas)
    nlp.to_disk(tmp_path / "model")
    for pipeline in (nlp, spacy.load(tmp_path / "model")):
        docs = labelled(pipeline)
        assert [[t.lemma_ for t in doc] for doc in docs[:2]] == [row[-1] for row in DATA]


def test_a_pipeline_that_predicts_no_tags_is_refused() -> None:
    with pytest.raises(ValueError, match=r"none of which sets token\.tag"):
        Teacher(own(["pos", "lemma"]), 1.0)


def setting(name: str, values: dict[str, tuple[str, str | None, str]]) -> Language:
    """A pipeline that sets tag, features (None: not at all) and lemma of the words it knows."""

    def annotate(doc: Doc) -> Doc:
        for token in doc:
            token.tag_, morph, token.lemma_ = values[token.text]
            token.set_morph(morph)
        return doc

    Language.component(name, assigns=["token.tag"], func=annotate)
    nlp = spacy.blank("en")
    nlp.add_pipe(name)
    return nlp


def test_features_and_lemmas_come_from_the_first_teacher_of_that_tag() -> None:
    first = setting("test_first", {"a": ("N", "F=1", "one"), "b": ("N", None, "")})
    second = setting("test_second", {"a": ("V", "F=2", "two"), "b": ("V", "F=2", "two")})
    third = setting("test_third", {"a": ("V", "F=3", "three"), "b": ("V", "", "three")})
    assert annotation_of(labelled(first, second, third, texts=["a b"])) == [
        [("V", "", "F=2", "two"), ("V", "", "F=2", "two")]
    ]
    assert annotation_of(labelled(first, texts=["a b"])) == [
        [("N", "", "F=1", "one"), ("N", "", "", "")]
    ]
    assert annotation_of(labelled(third, texts=["b"])) == [[("V", "", NONE, "three")]]


def test_what_is_stored_is_what_was_taught(tmp_path) -> None:
    """That a word has no features is another thing than that nothing is known of them."""
    teacher = setting(
        "test_stored", {"a": ("N", "", "A"), "b": ("V", None, ""), "c": ("N", "F=1", "")}
    )
    (doc,) = labelled(teacher, texts=["a b c"])
    assert stored_attrs() == ["TAG", "POS", "MORPH", "LEMMA", "SPACY"]
    parts = Parts(tmp_path / "taught.spacy", [])
    parts.add([doc])
    parts.join()
    (read,) = DocBin().from_disk(tmp_path / "taught.spacy").get_docs(spacy.blank("en").vocab)
    assert annotation_of([read]) == annotation_of([doc])
    assert annotation_of([read]) == [
        [("N", "", NONE, "A"), ("V", "", "", ""), ("N", "", "F=1", "")]
    ]


@pytest.fixture
def taught(tmp_path):
    """The file that a teacher of all outputs has labelled."""
    path = tmp_path / "taught.spacy"
    parts = Parts(path, [])
    parts.add(labelled(own(ALL)))
    parts.join()
    return path


def test_a_student_learns_all_outputs_from_a_teachers_file_alone(taught) -> None:
    reader = build_distillation_corpus_v1(gold=lambda nlp: [], teacher=taught, count_words=True)
    nlp = own(ALL, examples=list(reader(spacy.blank("en"))))
    assert annotation_of(list(nlp.pipe(TEXTS[:2]))) == GOLD


@pytest.mark.parametrize("count_words", [True, False])
def test_what_a_teacher_says_is_not_in_the_table_of_lemmas(count_words, taught) -> None:
    reader = build_distillation_corpus_v1(
        gold=lambda nlp: examples_of(nlp)[1:], teacher=taught, count_words=count_words
    )
    examples = list(reader(spacy.blank("en")))
    assert [key_of("tag") in eg.reference.user_data for eg in examples] == [False, *[True] * 3]
    cfg = own(ALL, steps=1, examples=examples).get_pipe("lstm_tagger").cfg
    assert set(cfg["lemma_table"]) == {"Eat", "blue", "hams"}

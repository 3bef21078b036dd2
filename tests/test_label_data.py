"""Labels given to `initialize`: those of `spacy init labels`, or an error that says so."""

import pytest
import spacy

GOLD = {
    "tags": ["P", "V", "N"],
    "pos": ["PRON", "VERB", "NOUN"],
    "morphs": ["Case=Nom", "Tense=Past", "Number=Plur"],
    "lemmas": ["she", "see", "egg"],
}
DATA = [("She saw eggs", GOLD)]
ALL = ["tag", "pos", "morph", "lemma"]


@pytest.fixture
def initialize(small_config, make_examples):
    """Return a function that initializes a new component with labels."""

    def make(outputs, labels):
        nlp = spacy.blank("en")
        component = nlp.add_pipe("lstm_tagger", config={**small_config, "outputs": outputs})
        examples = make_examples(nlp, DATA)
        component.initialize(lambda: examples, nlp=nlp, labels=labels)
        return component

    return make


@pytest.mark.parametrize(
    ("outputs", "labels", "message"),
    [
        (["tag", "morph"], 5, "'5', but must be a list of tags"),
        (["tag"], "NN", "'NN', but must be a list of tags"),
        (["lemma"], 5, r"what the outputs \['lemma'\] know"),
        (["morph"], ["Case=Nom"], r"what the outputs \['morph'\] know"),
        (["morph"], {"morph_combination": ["Case=Nom"]}, r"keys \['morph_combination'\]"),
        (["tag"], {"labels": "NV"}, "'NV', but must be a list of tags"),
        (["tag", "morph"], {"labels": 5}, "'5', but must be a list of tags"),
        (["morph"], {"morph_combinations": ["A=B"]}, r"lack \['morph_allowed'\].*'morph'"),
        (["morph"], {"morph_combinations": ["foo"], "morph_allowed": {}}, "not what the output"),
        (["morph"], {"morph_combinations": [], "morph_allowed": {}}, "none for .*'morph'"),
        (
            ["lemma"],
            {"lemma_rules": [], "lemma_analyses": [], "lemma_table": {}},
            "none for .*'lemma'",
        ),
    ],
)
def test_what_no_output_can_take_is_refused(outputs, labels, message, initialize) -> None:
    with pytest.raises(ValueError, match=rf"(?s)\[lstm_tagger\].*{message}.*spacy init labels"):
        initialize(outputs, labels)


def test_labels_of_other_outputs_are_refused(initialize) -> None:
    data = initialize(ALL, None).label_data
    with pytest.raises(ValueError, match=r"'morph_combinations'.*none of the outputs"):
        initialize(["tag", "lemma"], data)
    fewer = {key: data[key] for key in ("labels", "lemma_rules", "lemma_analyses", "lemma_table")}
    with pytest.raises(ValueError, match=r"'lemma' of outputs = \['tag', 'lemma'\]"):
        initialize(["tag", "lemma"], fewer)


def test_tags_alone_are_enough(initialize) -> None:
    component = initialize(ALL, ["X", "P", "V", "N"])
    assert set(component.labels) == {"X", "P", "V", "N"}
    assert set(component.labels_of("morph")) == set(GOLD["morphs"])

"""The component: what a spaCy user does with it, besides saving and loading."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from spacy.language import Language
from spacy.pipeline.tagger import DEFAULT_TAGGER_MODEL, Tagger
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import SGD, Adam, fix_random_seed

from spacy_lstm_tagger.features.vocabulary import LEAST_RARE
from spacy_lstm_tagger.pipeline.tagger import LSTMTagger

TEXTS = ["I like green eggs", "Eat blue ham", "", "Ham", "Something quite different !"]


def tags_of(doc: Doc) -> list[str]:
    return [token.tag_ for token in doc]


# The factory


def test_factory_makes_a_tagger() -> None:
    tagger = spacy.blank("en").add_pipe("lstm_tagger")
    assert isinstance(tagger, LSTMTagger)
    assert isinstance(tagger, Tagger)
    assert tagger.name == "lstm_tagger"


def test_factory_tells_what_it_assigns_and_scores() -> None:
    meta = Language.get_factory_meta("lstm_tagger")
    assert meta.assigns == ["token.tag"]
    assert meta.default_score_weights["tag_acc"] == 1.0
    assert "tag_acc" in meta.scores


def test_settings_are_kept_in_the_config(small_config) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={**small_config, "label_smoothing": 0.1, "overwrite": True})
    block = nlp.config["components"]["lstm_tagger"]
    assert block["label_smoothing"] == 0.1
    assert block["overwrite"] is True
    assert block["neg_prefix"] == "!"
    assert block["model"]["width"] == 16


def test_default_config_is_the_builders_default() -> None:
    import inspect

    from spacy_lstm_tagger.architectures import build_lstm_tagger_v1

    block = dict(spacy.blank("en").get_factory_meta("lstm_tagger").default_config["model"])
    assert block.pop("@architectures") == "spacy-lstm-tagger.LSTMTagger.v1"
    parameters = inspect.signature(build_lstm_tagger_v1).parameters
    assert block == {name: parameter.default for name, parameter in parameters.items()}


def test_adding_the_component_leaves_the_given_config_alone(small_config) -> None:
    before = copy.deepcopy(small_config)
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config=small_config).add_label("A")
    nlp.initialize()
    assert small_config == before


# Prediction


def test_call_tags_every_token(make_nlp) -> None:
    nlp = make_nlp(steps=30)
    assert tags_of(nlp("I like green eggs")) == ["N", "V", "J", "N"]
    assert tags_of(nlp("Eat blue ham")) == ["V", "J", "N"]


def test_pipe_gives_the_tags_of_call(make_nlp) -> None:
    nlp = make_nlp(steps=10)
    docs = list(nlp.pipe(TEXTS * 3, batch_size=4))
    assert [tags_of(doc) for doc in docs] == [tags_of(nlp(text)) for text in TEXTS * 3]


def test_component_pipe_keeps_order_and_docs(make_nlp) -> None:
    nlp = make_nlp(steps=10)
    docs = [nlp.make_doc(text) for text in TEXTS]
    piped = list(nlp.get_pipe("lstm_tagger").pipe(iter(docs), batch_size=2))
    assert all(one is other for one, other in zip(piped, docs, strict=True))


def test_predict_leaves_the_docs_alone(make_nlp) -> None:
    nlp = make_nlp(steps=10)
    docs = [nlp.make_doc(text) for text in TEXTS]
    guesses = nlp.get_pipe("lstm_tagger").predict(docs)
    assert [len(rows) for rows in guesses] == [len(doc) for doc in docs]
    assert not any(token.tag for doc in docs for token in doc)


def test_set_annotations_takes_docs_or_one_doc(make_nlp) -> None:
    nlp = make_nlp()
    tagger = nlp.get_pipe("lstm_tagger")
    doc = nlp.make_doc("Eat blue ham")
    tagger.set_annotations([doc], [[2, 0, 1]])
    assert tags_of(doc) == ["V", "J", "N"]
    doc = nlp.make_doc("Eat blue ham")
    tagger.set_annotations(doc, [numpy.asarray([2, 0, 1])])
    assert tags_of(doc) == ["V", "J", "N"]


@pytest.mark.parametrize(("overwrite", "first"), [(False, "KEPT"), (True, "N")])
def test_overwrite_decides_over_present_tags(make_nlp, overwrite: bool, first: str) -> None:
    nlp = make_nlp(steps=30, overwrite=overwrite)
    doc = nlp.make_doc("I like green eggs")
    doc[0].tag_ = "KEPT"
    assert tags_of(nlp.get_pipe("lstm_tagger")(doc)) == [first, "V", "J", "N"]


def test_select_pipes_switches_the_tagger_off(make_nlp) -> None:
    nlp = make_nlp(steps=30)
    with nlp.select_pipes(disable="lstm_tagger"):
        assert tags_of(nlp("Eat blue ham")) == ["", "", ""]
    assert tags_of(nlp("Eat blue ham")) == ["V", "J", "N"]


def test_memory_zone_gives_the_same_tags(make_nlp) -> None:
    nlp = make_nlp(steps=30)
    text = "Eat zonal ham"
    with nlp.memory_zone():
        tags = tags_of(nlp(text))
    assert tags == tags_of(nlp(text))


def test_docs_of_another_vocab_are_tagged_alike(make_nlp) -> None:
    nlp = make_nlp(steps=30)
    tagger = nlp.get_pipe("lstm_tagger")
    texts = ["Eat quite foreign ham", "Eat blue ham"]
    foreign = [spacy.blank("en").make_doc(texts[0]), nlp.make_doc(texts[1])]
    own = [nlp.make_doc(text) for text in texts]
    for one, other in zip(tagger.predict(foreign), tagger.predict(own), strict=True):
        assert_array_equal(one, other)


def test_threads_share_one_pipeline(make_nlp) -> None:
    """Prediction once flipped the shared module between training and evaluation mode."""
    nlp = make_nlp(steps=5, drop=0.5)
    tagger = nlp.get_pipe("lstm_tagger")
    texts = TEXTS * 4
    expected = [tags_of(nlp(text)) for text in texts]
    docs = [nlp.make_doc(text) for text in texts]
    scores = numpy.concatenate(tagger.model.predict(docs))

    def work(_: int) -> tuple[list[list[str]], numpy.ndarray]:
        return [tags_of(nlp(text)) for text in texts], numpy.concatenate(tagger.model.predict(docs))

    with ThreadPoolExecutor(8) as pool:
        for tags, found in pool.map(work, range(24)):
            assert tags == expected
            assert_allclose(found, scores, rtol=0, atol=1e-5)


# Probabilities


def test_probabilities_are_one_row_a_token_and_sum_to_one(make_nlp, randomize) -> None:
    nlp = make_nlp()
    tagger = nlp.get_pipe("lstm_tagger")
    randomize(tagger)
    docs = [nlp.make_doc(text) for text in TEXTS]
    for doc, rows in zip(docs, tagger.predict_probabilities(docs), strict=True):
        assert rows.shape == (len(doc), 3)
        assert (rows >= 0).all()
        assert_allclose(rows.sum(axis=1), 1.0, atol=1e-5)


def test_likeliest_label_is_the_tag(make_nlp, randomize) -> None:
    nlp = make_nlp()
    tagger = nlp.get_pipe("lstm_tagger")
    randomize(tagger)
    for text in TEXTS:
        [rows] = tagger.predict_probabilities([nlp.make_doc(text)])
        likeliest = [tagger.labels[i] for i in rows.argmax(axis=1)]
        assert likeliest == tags_of(nlp(text))


def test_probabilities_take_any_iterable_and_leave_docs_alone(make_nlp) -> None:
    nlp = make_nlp()
    docs = [nlp.make_doc(text) for text in TEXTS]
    rows = nlp.get_pipe("lstm_tagger").predict_probabilities(iter(docs))
    assert [len(found) for found in rows] == [len(doc) for doc in docs]
    assert not any(token.tag for doc in docs for token in doc)


def test_training_sees_the_probabilities_that_prediction_gives(make_nlp, randomize) -> None:
    nlp = make_nlp()
    tagger = nlp.get_pipe("lstm_tagger")
    randomize(tagger)
    docs = [nlp.make_doc(text) for text in TEXTS]
    training, _ = tagger.model.begin_update(docs)
    for one, other in zip(training, tagger.predict_probabilities(docs), strict=True):
        assert_allclose(one, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("normalize", [False, True])
def test_probabilities_of_a_stock_model(normalize: bool) -> None:
    nlp = spacy.blank("en")
    model = {
        "@architectures": "spacy.Tagger.v2",
        "normalize": normalize,
        "tok2vec": DEFAULT_TAGGER_MODEL["tok2vec"],
    }
    tagger = nlp.add_pipe("lstm_tagger", config={"model": model})
    tagger.add_label("A")
    tagger.add_label("B")
    nlp.initialize()
    output = tagger.model.get_ref("output_layer")
    output.set_param("b", output.ops.asarray1f([2.0, -1.0]))
    [rows] = tagger.predict_probabilities([nlp.make_doc("Ham")])
    assert_allclose(rows, [[0.9526, 0.0474]], atol=1e-4)


def test_probabilities_of_huge_scores_are_finite(make_nlp) -> None:
    nlp = make_nlp()
    tagger = nlp.get_pipe("lstm_tagger")
    tagger.model.get_ref("output_layer").shims[0].module.output.bias.data[0] = 1e4
    [rows] = tagger.predict_probabilities([nlp.make_doc("Eat blue ham")])
    assert_allclose(rows, [[1.0, 0.0, 0.0]] * 3)


# Initialization


def test_label_data_initializes_the_same_labels_in_order(make_nlp, small_config) -> None:
    data = make_nlp().get_pipe("lstm_tagger").label_data
    assert data == ("J", "N", "V")
    nlp = spacy.blank("en")
    tagger = nlp.add_pipe("lstm_tagger", config=small_config)
    examples = [Example.from_dict(nlp.make_doc("Eat"), {"tags": ["V"]})]
    tagger.initialize(lambda: examples, nlp=nlp, labels=["V", *data])
    assert tagger.labels == ("V", "J", "N")
    assert tagger.model.get_dim("nO") == 3


def test_labels_come_from_all_examples(make_nlp) -> None:
    data = [("Ham ham", {"tags": [f"T{i:02}", f"S{i:02}"]}) for i in range(60)]
    assert len(make_nlp(data).get_pipe("lstm_tagger").labels) == 120


def test_vocabulary_comes_from_all_examples(make_nlp) -> None:
    data = [(f"word{i} ham", {"tags": ["N", "N"]}) for i in range(60)]
    model = make_nlp(data).get_pipe("lstm_tagger").model
    assert model.layers[0].attrs["vocabulary"].n_words == 62


def test_rare_words_share_the_unknown_word(make_nlp) -> None:
    rare = [f"word{i}" for i in range(LEAST_RARE - 2)]
    data = [("Eat ham and Ham", {"tags": ["V", "N", "C", "N"]})]

    def words(*rare: str) -> dict[str, int]:
        more = [(" ".join(rare), {"tags": ["N"] * len(rare)})]
        tagger = make_nlp([*data, *more], model={"min_word_freq": 2}).get_pipe("lstm_tagger")
        return tagger.model.layers[0].attrs["vocabulary"].words

    assert words(*rare) == {"ham": 2}
    assert words(*rare[1:]) == {"ham": 2, "eat": 1, "and": 1, **dict.fromkeys(rare[1:], 1)}


def test_given_vocabulary_replaces_that_of_the_examples(small_config, make_examples) -> None:
    nlp = spacy.blank("en")
    tagger = nlp.add_pipe("lstm_tagger", config=small_config)
    vocabulary = {"words": {"streamed": 3}, "characters": {"s": 2, "t": 1}}
    nlp.config["initialize"]["components"]["lstm_tagger"] = {"vocabulary": vocabulary}
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    known = tagger.model.layers[0].attrs["vocabulary"].to_dict()
    assert known == {**vocabulary, "language": "en"}


def test_second_initialize_is_like_the_first(make_nlp, make_examples, scores_of) -> None:
    nlp = make_nlp(steps=3)
    tagger, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(3):
        nlp.update(examples, sgd=optimizer)
    fresh = make_nlp(steps=3)
    docs = [nlp.make_doc(text) for text in TEXTS]
    other = scores_of(fresh.get_pipe("lstm_tagger"), docs)
    for one, two in zip(scores_of(tagger, docs), other, strict=True):
        assert_array_equal(one, two)


def test_second_initialize_takes_new_labels(make_nlp, make_examples) -> None:
    nlp = make_nlp(steps=3)
    examples = make_examples(nlp, [("Eat ham", {"tags": ["V", "NEW"]})])
    nlp.initialize(lambda: examples)
    assert nlp.get_pipe("lstm_tagger").labels == ("J", "N", "V", "NEW")
    assert nlp.get_pipe("lstm_tagger").model.get_dim("nO") == 4
    assert len(nlp("Eat ham")) == 2


def test_number_of_tags_may_stand_in_the_config(make_nlp) -> None:
    nlp = make_nlp(steps=30, model={"nO": 3})
    assert tags_of(nlp("Eat blue ham")) == ["V", "J", "N"]


def test_wrong_number_of_tags_in_the_config_is_an_error(make_nlp) -> None:
    with pytest.raises(ValueError, match=r"\[lstm_tagger\].*nO = 5.*3 labels.*nO = null"):
        make_nlp(model={"nO": 5})


def test_one_label_is_enough(make_nlp) -> None:
    nlp = make_nlp([("Eat ham", {"tags": ["X", "X"]})], steps=3, label_smoothing=0.1)
    assert tags_of(nlp("Eat ham")) == ["X", "X"]


# Training


def test_update_reports_the_loss_under_the_components_name(make_nlp, make_examples) -> None:
    nlp = make_nlp()
    tagger, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    rows = numpy.concatenate(tagger.predict_probabilities(eg.predicted for eg in examples))
    gold = [tagger.labels.index(tag) for eg in examples for tag in eg.get_aligned("TAG", True)]
    loss = ((rows - numpy.eye(3)[gold]) ** 2).sum()
    losses = tagger.update(examples)
    assert losses == {"lstm_tagger": pytest.approx(loss, rel=1e-4)}
    assert tagger.update(examples, losses=losses) is losses
    assert losses["lstm_tagger"] == pytest.approx(2 * loss, rel=1e-4)


def test_update_without_optimizer_changes_nothing(make_nlp, make_examples, weights_of) -> None:
    nlp = make_nlp()
    tagger = nlp.get_pipe("lstm_tagger")
    before = weights_of(tagger)
    tagger.update(make_examples(nlp))
    for name, weights in weights_of(tagger).items():
        assert_array_equal(weights, before[name])


def test_gradients_accumulate_until_the_optimizer_runs(make_nlp, make_examples, randomize) -> None:
    nlp = make_nlp()
    tagger, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    randomize(tagger)
    bias = tagger.model.get_ref("output_layer").shims[0].module.output.bias
    tagger.update(examples)
    once = bias.grad.clone()
    tagger.update(examples)
    assert_allclose(bias.grad, 2 * once, rtol=1e-4)


def test_every_weight_is_trained(make_nlp, make_examples, weights_of) -> None:
    nlp = make_nlp(steps=2)
    tagger, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    before = weights_of(tagger)
    nlp.update(examples, sgd=Adam(0.01), drop=0.2)
    unchanged = [
        name for name, weights in weights_of(tagger).items() if (weights == before[name]).all()
    ]
    assert unchanged == []


@pytest.mark.parametrize("drop", [0.0, 0.5])
def test_dropout_follows_the_drop_argument(make_nlp, make_examples, randomize, drop) -> None:
    nlp = make_nlp()
    tagger, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    randomize(tagger)
    losses = {tagger.update(examples, drop=drop)["lstm_tagger"] for _ in range(3)}
    assert len(losses) == (3 if drop else 1)


def test_prediction_ignores_dropout(make_nlp, make_examples, randomize, scores_of) -> None:
    nlp = make_nlp()
    tagger, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    randomize(tagger)
    docs = [eg.predicted for eg in examples]
    before = scores_of(tagger, docs)
    tagger.update(examples, drop=0.9)
    for one, other in zip(scores_of(tagger, docs), before, strict=True):
        assert_array_equal(one, other)


def test_training_learns_with_dropout(make_nlp) -> None:
    nlp = make_nlp(steps=120, drop=0.3)
    assert tags_of(nlp("I like green eggs")) == ["N", "V", "J", "N"]


@pytest.mark.parametrize("drop", [0.0, 0.3])
def test_same_seed_gives_the_same_model_bytes(make_nlp, drop: float) -> None:
    first, second, other = (
        make_nlp(steps=4, drop=drop, seed=seed).get_pipe("lstm_tagger").to_bytes()
        for seed in (0, 0, 1)
    )
    assert first == second
    assert first != other


def test_evaluate_scores_the_tags(make_nlp, make_examples) -> None:
    nlp = make_nlp(steps=30)
    data = [("I like green eggs", {"tags": ["N", "V", "J", "J"]})]
    scores = nlp.evaluate(make_examples(nlp, data))
    assert scores["tag_acc"] == 0.75


def test_score_ignores_tokens_without_a_tag(make_nlp, make_examples) -> None:
    nlp = make_nlp(steps=30)
    data = [("I like green eggs", {"tags": ["", "V", "", "J"]})]
    assert nlp.evaluate(make_examples(nlp, data))["tag_acc"] == 0.5


def test_training_resumes(make_nlp, make_examples) -> None:
    nlp = make_nlp(steps=2)
    examples = make_examples(nlp)
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    first = nlp.update(examples, sgd=optimizer)["lstm_tagger"]
    for _ in range(30):
        last = nlp.update(examples, sgd=optimizer)["lstm_tagger"]
    assert last < first / 100


# Rehearsal


def test_rehearsal_without_a_teacher_does_nothing(make_nlp, make_examples) -> None:
    nlp = make_nlp()
    losses = nlp.get_pipe("lstm_tagger").rehearse(make_examples(nlp))
    assert losses == {"lstm_tagger": 0.0}


def test_rehearsal_of_an_equal_student_has_no_gradient(make_nlp, make_examples, randomize) -> None:
    """The teacher predicts without dropout: with it, an unchanged student would be pulled away."""
    nlp = make_nlp(steps=3)
    tagger = nlp.get_pipe("lstm_tagger")
    randomize(tagger)
    nlp.resume_training()
    assert tagger.rehearse(make_examples(nlp), drop=0.0) == {"lstm_tagger": 0.0}
    module = tagger.model.get_ref("output_layer").shims[0].module
    assert all(not p.grad.any() for p in module.parameters())


def test_rehearsal_does_not_use_the_last_dropout_for_its_teacher(
    make_nlp, make_examples, randomize
) -> None:
    nlp = make_nlp()
    tagger, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    randomize(tagger)
    tagger.update(examples, drop=0.5)
    nlp.resume_training()
    assert tagger.rehearse(examples, drop=0.0)["lstm_tagger"] == 0.0
    assert tagger.rehearse(examples, drop=0.5)["lstm_tagger"] > 0.0
    assert tagger.rehearse(examples, drop=0.0)["lstm_tagger"] == 0.0


def test_rehearsal_pulls_the_student_back(make_nlp, make_examples) -> None:
    nlp = make_nlp(steps=30)
    tagger, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    wrong = make_examples(nlp, [("Eat blue ham", {"tags": ["N", "N", "V"]})])
    for _ in range(20):
        nlp.update(wrong, sgd=optimizer)
    away = tagger.rehearse(examples)["lstm_tagger"]
    for _ in range(40):
        tagger.rehearse(examples, sgd=optimizer)
    assert tagger.rehearse(examples)["lstm_tagger"] < away / 10


def test_nlp_rehearse_moves_the_weights(make_nlp, make_examples, weights_of) -> None:
    """spaCy applies the gradients after the component is done with them: they must live on."""
    nlp = make_nlp(steps=10)
    tagger, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.05
    nlp.update(examples, sgd=optimizer)
    before = weights_of(tagger)
    losses = nlp.rehearse(examples, sgd=SGD(1.0))
    assert losses["lstm_tagger"] > 0
    changed = [
        name for name, weights in weights_of(tagger).items() if (weights != before[name]).any()
    ]
    assert "output.bias" in changed


def test_nlp_rehearse_twice_uses_each_gradient_once(make_nlp, make_examples) -> None:
    nlp = make_nlp(steps=10)
    tagger, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    nlp.resume_training()
    nlp.update(examples, sgd=SGD(0.5))
    away = tagger.rehearse(examples)["lstm_tagger"]
    tagger.model.finish_update(SGD(1e-9))  # drops the gradients of the look at the loss
    for _ in range(30):
        nlp.rehearse(examples, sgd=SGD(0.1))
    assert tagger.rehearse(examples)["lstm_tagger"] < away / 2


def test_rehearsal_after_a_new_label_is_no_error(make_nlp, make_examples) -> None:
    nlp = make_nlp(steps=10)
    tagger, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    optimizer = nlp.resume_training()
    tagger.add_label("X")
    losses = tagger.rehearse(examples, sgd=optimizer)
    assert 0 < losses["lstm_tagger"] < 0.1


def test_rehearsal_of_empty_docs_is_no_error(make_nlp, make_examples) -> None:
    nlp = make_nlp(steps=1)
    nlp.resume_training()
    tagger = nlp.get_pipe("lstm_tagger")
    assert tagger.rehearse(make_examples(nlp, [("", {})])) == {"lstm_tagger": 0.0}
    assert tagger.rehearse([]) == {"lstm_tagger": 0.0}


# Negative annotation


def test_negative_annotation_is_no_label_of_its_own(make_nlp) -> None:
    data = [("I like eggs", {"tags": ["N", "V", "N"]}), ("Eat ham", {"tags": ["!N", "N"]})]
    assert make_nlp(data).get_pipe("lstm_tagger").labels == ("N", "V")


def test_negative_annotation_unlearns_a_tag(make_nlp, make_examples) -> None:
    nlp = make_nlp(steps=30)
    examples = make_examples(nlp, [("Eat blue ham", {"tags": ["!V", "J", "N"]})])
    for _ in range(30):
        nlp.update(examples, sgd=Adam(0.01))
    assert tags_of(nlp("Eat blue ham"))[0] != "V"


def test_treebank_with_a_tag_that_is_the_prefix(make_nlp) -> None:
    """The stock tagger reads it as "not the empty label", and fails."""
    data = [("Eat ham !", {"tags": ["V", "N", "!"]})]
    nlp = make_nlp(data, steps=30)
    assert nlp.get_pipe("lstm_tagger").labels == ("!", "N", "V")
    assert tags_of(nlp("Eat ham !")) == ["V", "N", "!"]


def test_tag_that_is_the_prefix_beside_negative_annotation(make_nlp) -> None:
    data = [
        ("Eat ham !", {"tags": ["V", "N", "!"]}),
        ("Eat eggs !", {"tags": ["!N", "N", "!"]}),
        ("Eat eggs now", {"tags": ["V", "N", "!!"]}),
    ]
    nlp = make_nlp(data, steps=40)
    assert nlp.get_pipe("lstm_tagger").labels == ("!", "N", "V")
    assert tags_of(nlp("Eat ham !")) == ["V", "N", "!"]
    assert tags_of(nlp("Eat eggs now"))[2] != "!"


def test_tag_that_begins_with_the_prefix_is_a_label_if_nothing_is_negated(make_nlp) -> None:
    nlp = make_nlp([("Eat ham", {"tags": ["!x", "N"]})], steps=30)
    assert nlp.get_pipe("lstm_tagger").labels == ("!x", "N")
    assert tags_of(nlp("Eat ham")) == ["!x", "N"]


@pytest.mark.parametrize("prefix", [None, ""])
def test_without_prefix_every_tag_is_a_label(make_nlp, prefix: str | None) -> None:
    data = [("Eat blue ham !", {"tags": ["!N", "V", "N", "!"]})]
    nlp = make_nlp(data, steps=30, neg_prefix=prefix)
    assert nlp.get_pipe("lstm_tagger").labels == ("!", "!N", "N", "V")
    assert tags_of(nlp("Eat blue ham !")) == ["!N", "V", "N", "!"]


def test_prefix_of_several_characters(make_nlp) -> None:
    data = [("Eat ham !", {"tags": ["not-N", "N", "!"]})]
    assert make_nlp(data, neg_prefix="not-").get_pipe("lstm_tagger").labels == ("!", "N")


# Partial annotation


def gradient_of(nlp: Language, example: Example) -> numpy.ndarray:
    tagger = nlp.get_pipe("lstm_tagger")
    scores, _ = tagger.model.begin_update([example.predicted])
    return tagger.get_loss([example], scores)[1][0]


def test_token_without_a_tag_is_not_learned_from(make_nlp) -> None:
    nlp = make_nlp()
    example = Example.from_dict(nlp.make_doc("I like green eggs"), {"tags": ["", "V", "", "N"]})
    gradient = gradient_of(nlp, example)
    assert [bool(row.any()) for row in gradient] == [False, True, False, True]


def test_misaligned_token_is_not_learned_from(make_nlp) -> None:
    nlp = make_nlp()
    gold = {"words": ["He", "hate", "s", "eggs"], "tags": ["N", "V", "J", "N"]}
    gradient = gradient_of(nlp, Example.from_dict(nlp.make_doc("He hates eggs"), gold))
    assert [bool(row.any()) for row in gradient] == [True, False, True]


def test_example_without_tags_is_not_learned_from(make_nlp, weights_of) -> None:
    nlp = make_nlp(steps=1)
    example = Example.from_dict(nlp.make_doc("Eat ham"), {})
    before = weights_of(nlp.get_pipe("lstm_tagger"))
    assert nlp.update([example], sgd=SGD(1.0)) == {"lstm_tagger": 0.0}
    for name, weights in weights_of(nlp.get_pipe("lstm_tagger")).items():
        assert_array_equal(weights, before[name])


# Averages


def averaged(nlp: Language, examples: list[Example]) -> Adam:
    optimizer = Adam(0.05, use_averages=True)
    for _ in range(5):
        nlp.update(examples, sgd=optimizer)
    return optimizer


def test_averages_reach_the_network(make_nlp, make_examples, weights_of) -> None:
    nlp = make_nlp()
    tagger = nlp.get_pipe("lstm_tagger")
    optimizer = averaged(nlp, make_examples(nlp))
    averages = {name: value for (_, name), value in optimizer.averages.items()}
    before = weights_of(tagger)
    with nlp.use_params(optimizer.averages):
        inside = weights_of(tagger)
    after = weights_of(tagger)
    assert set(averages) == set(before)
    for name in before:
        assert_array_equal(inside[name], averages[name])
        assert (inside[name] != before[name]).any()
        assert_array_equal(after[name], before[name])


def test_weights_return_after_an_error_under_averages(make_nlp, make_examples, weights_of) -> None:
    nlp = make_nlp()
    tagger = nlp.get_pipe("lstm_tagger")
    optimizer = averaged(nlp, make_examples(nlp))
    before = weights_of(tagger)
    with pytest.raises(RuntimeError, match="inside"):  # noqa: SIM117
        with nlp.use_params(optimizer.averages):
            raise RuntimeError("inside")
    for name, weights in weights_of(tagger).items():
        assert_array_equal(weights, before[name])


def test_averages_are_what_is_saved_under_them(make_nlp, make_examples, weights_of) -> None:
    nlp = make_nlp()
    optimizer = averaged(nlp, make_examples(nlp))
    with nlp.use_params(optimizer.averages):
        saved = nlp.to_bytes()
    loaded = make_nlp().from_bytes(saved)
    averages = {name: value for (_, name), value in optimizer.averages.items()}
    for name, weights in weights_of(loaded.get_pipe("lstm_tagger")).items():
        assert_array_equal(weights, averages[name])


def test_training_goes_on_after_averages(make_nlp, make_examples) -> None:
    nlp = make_nlp()
    examples = make_examples(nlp)
    optimizer = averaged(nlp, examples)
    with nlp.use_params(optimizer.averages):
        nlp.evaluate(examples)
    for _ in range(30):
        nlp.update(examples, sgd=optimizer)
    assert tags_of(nlp("Eat blue ham")) == ["V", "J", "N"]


# Other components


def test_component_is_sourced_from_another_pipeline(make_nlp, scores_of) -> None:
    source = make_nlp(steps=30)
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", source=source)
    assert tags_of(nlp("Eat blue ham")) == ["V", "J", "N"]
    docs = [source.make_doc(text) for text in TEXTS]
    ours = scores_of(nlp.get_pipe("lstm_tagger"), docs)
    for one, other in zip(ours, scores_of(source.get_pipe("lstm_tagger"), docs), strict=True):
        assert_array_equal(one, other)


def test_two_taggers_in_one_pipeline(make_nlp, small_config, make_examples) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", "first", config=small_config)
    nlp.add_pipe("lstm_tagger", "second", config={**small_config, "overwrite": True})
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(30):
        losses = nlp.update(examples, sgd=optimizer)
    assert set(losses) == {"first", "second"}
    assert max(losses.values()) < 0.5
    for name in ("first", "second"):
        with nlp.select_pipes(enable=name):
            assert tags_of(nlp("Eat blue ham")) == ["V", "J", "N"]


def test_stock_tagger_beside_ours(small_config, make_examples) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger")
    nlp.add_pipe("lstm_tagger", config={**small_config, "overwrite": True})
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(30):
        losses = nlp.update(examples, sgd=optimizer)
    assert set(losses) == {"tagger", "lstm_tagger"}
    for name in ("tagger", "lstm_tagger"):
        with nlp.select_pipes(enable=name):
            assert tags_of(nlp("Eat blue ham")) == ["V", "J", "N"]


def test_deep_copy_of_the_component_is_trained_apart(make_nlp, make_examples, weights_of) -> None:
    nlp = make_nlp(steps=3)
    tagger = nlp.get_pipe("lstm_tagger")
    before = weights_of(tagger)
    copied = copy.deepcopy(tagger)
    copied.update(make_examples(nlp), sgd=Adam(0.1))
    for name, weights in weights_of(tagger).items():
        assert_array_equal(weights, before[name])
    assert any((weights != before[name]).any() for name, weights in weights_of(copied).items())


def test_label_smoothing_keeps_some_probability_for_other_labels(make_nlp) -> None:
    nlp = make_nlp(steps=120, label_smoothing=0.1)
    [rows] = nlp.get_pipe("lstm_tagger").predict_probabilities([nlp.make_doc("Eat blue ham")])
    assert_allclose(rows.max(axis=1), 0.9, atol=0.03)

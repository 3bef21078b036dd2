"""Parts of speech from a second output layer: learned beside the tags, set, scored, saved."""

import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import spacy
import srsly
from numpy.testing import assert_allclose, assert_array_equal
from spacy.parts_of_speech import IDS
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.training.converters import conllu_to_docs
from spacy.vocab import Vocab

from spacy_lstm_tagger.outputs.gold import GoldCombinations
from spacy_lstm_tagger.outputs.output import MISSING
from spacy_lstm_tagger.outputs.pos import PARTS_OF_SPEECH, PosOutput
from spacy_lstm_tagger.outputs.scores import Scores
from spacy_lstm_tagger.outputs.words import Words
from spacy_lstm_tagger.training.alignment import aligned_values

DATA = [
    ("I like green eggs", {"tags": ["N", "V", "J", "N"], "pos": ["PRON", "VERB", "ADJ", "NOUN"]}),
    ("Eat blue ham", {"tags": ["V", "J", "N"], "pos": ["VERB", "ADJ", "NOUN"]}),
]
TEXTS = ["I like green eggs", "", "Eat blue ham", "ham " * 600, " \n ", "unheard-of wörds 👍!"]
N = len(PARTS_OF_SPEECH)
REPOSITORY = Path(__file__).parent.parent
POS = {"outputs": ["tag", "pos"]}


@pytest.fixture
def trained(make_nlp):
    return make_nlp(DATA, steps=30, **POS)


@pytest.fixture
def random(make_nlp, randomize):
    nlp = make_nlp(DATA, **POS)
    randomize(nlp.get_pipe("lstm_tagger"))
    return nlp


def tagger(nlp):
    return nlp.get_pipe("lstm_tagger")


def found(nlp, texts=TEXTS) -> list[list[tuple[str, str]]]:
    return [[(token.tag_, token.pos_) for token in doc] for doc in nlp.pipe(texts)]


def scores(nlp, texts=TEXTS) -> list[numpy.ndarray]:
    return tagger(nlp).model.predict([nlp.make_doc(text) for text in texts])


def example(pos: list[str], tags: list[str] | None = None, words: list[str] | None = None):
    """Predicted words are w0, w1 ...; the gold ones may be cut differently."""
    vocab, n = Vocab(), len(pos) if words is None else 2
    predicted = Doc(vocab, words=[f"w{i}" for i in range(n)] if words is None else ["hates", "it"])
    if not n:
        return Example(predicted, predicted.copy())
    gold = {"words": words or [token.text for token in predicted], "pos": pos}
    return Example.from_dict(predicted, {**gold, **({"tags": tags} if tags else {})})


def pos_codes(examples: list[Example]) -> numpy.ndarray:
    words = [token.text for eg in examples for token in eg.predicted]
    return PosOutput().codes(aligned_values(examples, "POS"), words, {}, "lstm_tagger")["pos"]


def settings(labels: list[str], known: dict[str, list[str]] | None = None) -> dict:
    learned = {"labels": labels, "pos_of_tags": {} if known is None else known}
    return {**learned, "outputs": ["tag", "pos"], "overwrite": False}


def choose(scores: numpy.ndarray, tags: list[int], cfg: dict, output: PosOutput) -> list[str]:
    of_batch, words = Scores(scores, {"pos": N}), Words([Doc(Vocab(), words=["w"] * len(scores))])
    columns = output.choose(of_batch, {"tag": numpy.asarray(tags, dtype="int64")}, words, cfg)
    return [PARTS_OF_SPEECH[column] for column in columns]


# Columns


def test_every_part_of_speech_of_spacy_has_its_column_and_back() -> None:
    assert sorted(PARTS_OF_SPEECH) == sorted(set(IDS) - {""})
    columns = pos_codes([example(list(PARTS_OF_SPEECH))])
    assert_array_equal(columns, numpy.arange(N))
    doc = Doc(Vocab(), words=["w"] * N)
    doc.from_array(["POS"], PosOutput().values(columns, doc.vocab, settings([])))
    assert [token.pos_ for token in doc] == list(PARTS_OF_SPEECH)


def test_missing_and_misaligned_tokens_have_none() -> None:
    cut = example(["VERB", "X", "PRON"], words=["hate", "s", "it"])
    codes = pos_codes([example(["", "NOUN"]), example([]), cut])
    expected = [MISSING, PARTS_OF_SPEECH.index("NOUN"), MISSING, PARTS_OF_SPEECH.index("PRON")]
    assert_array_equal(codes, expected)
    assert pos_codes([]).shape == (0,)


def test_what_goes_with_a_tag_is_collected() -> None:
    def learn(cfg: dict, tags: list[str], pos: list[str]) -> dict:
        gold = GoldCombinations(["TAG", "POS"])
        gold.add(example(pos, tags).reference)
        PosOutput().learn(gold, cfg)
        return cfg["pos_of_tags"]

    cfg = settings(["V", "N"])
    tags, pos = ["N", "N", "V", "", "Q"], ["NOUN", "PROPN", "VERB", "NOUN", "X"]
    known = learn(cfg, tags, pos)
    assert known == {"V": ["VERB"], "N": ["NOUN", "PROPN"]}
    assert learn(cfg, tags, pos) is known
    assert learn(cfg, [""] * 5, pos) is known
    assert learn(cfg, ["V", "N"], ["", ""]) is known
    assert learn(cfg, ["V"], ["NOUN"])["V"] == ["VERB", "NOUN"]
    assert known["V"] == ["VERB"]


def test_best_among_those_that_go_with_the_tag() -> None:
    cfg = settings(["N", "Q", "V"], {"V": ["VERB", "AUX"], "N": ["X"]})
    scores = numpy.zeros((3, N), dtype="float32")
    scores[:, PARTS_OF_SPEECH.index("NOUN")] = 2
    scores[:, PARTS_OF_SPEECH.index("AUX")] = 1
    assert choose(scores, [0, 1, 2], cfg, PosOutput()) == ["X", "NOUN", "AUX"]
    assert choose(scores[:0], [], cfg, PosOutput()) == []
    scores[:, PARTS_OF_SPEECH.index("AUX")] = -1
    assert choose(scores, [0, 1, 2], cfg, PosOutput()) == ["X", "NOUN", "VERB"]


def test_what_was_added_counts_at_once() -> None:
    scores = numpy.zeros((1, N), dtype="float32")
    scores[:, PARTS_OF_SPEECH.index("NOUN")] = 1
    output, cfg = PosOutput(), settings(["N"], {"N": ["X"]})
    assert choose(scores, [0], cfg, output) == ["X"]
    cfg["pos_of_tags"] = {"N": ["X", "NOUN"]}
    assert choose(scores, [0], cfg, output) == ["NOUN"]
    cfg["labels"].append("V")
    assert choose(scores, [1], cfg, output) == ["NOUN"]
    cfg["pos_of_tags"] = {"N": ["X"], "V": ["VERB"]}
    assert choose(scores, [1], cfg, output) == ["VERB"]
    cfg["labels"].reverse()
    assert choose(scores, [1], cfg, output) == ["X"]


# Learning


def test_tags_and_parts_of_speech_are_learned_together(trained, make_examples) -> None:
    evaluated = trained.evaluate(make_examples(trained, DATA))
    assert evaluated["tag_acc"] == evaluated["pos_acc"] == 1.0
    doc = trained("I like blue ham")
    assert [token.tag_ for token in doc] == ["N", "V", "J", "N"]
    assert [token.pos_ for token in doc] == ["PRON", "VERB", "ADJ", "NOUN"]


def test_without_the_setting_nothing_is_set_or_scored(make_nlp, make_examples) -> None:
    nlp = make_nlp(DATA, steps=1)
    assert {token.pos_ for token in nlp("I like ham")} == {""}
    assert "pos_acc" not in tagger(nlp).score(make_examples(nlp, DATA))
    assert scores(nlp)[0].shape == (4, 3)


def test_a_layer_of_its_own_leaves_the_tags_gradient_alone(make_nlp, make_examples) -> None:
    alone, both = make_nlp(DATA), make_nlp(DATA, **POS)
    (p,) = numpy.random.default_rng(0).dirichlet(numpy.ones(3), size=(1, 7)).astype("float32")
    q = numpy.random.default_rng(0).dirichlet(numpy.ones(N), size=7).astype("float32")
    rows = [numpy.hstack([p, q])[:4], numpy.hstack([p, q])[4:]]
    _, expected = tagger(alone).get_loss(make_examples(alone, DATA), [p[:4], p[4:]])
    loss, gradients = tagger(both).get_loss(make_examples(both, DATA), rows)
    assert_array_equal(numpy.vstack(gradients)[:, :3], numpy.vstack(expected))
    truth = numpy.eye(N)[pos_codes(make_examples(both, DATA))]
    assert_allclose(numpy.vstack(gradients)[:, 3:], PosOutput.weight * (q - truth), atol=1e-6)
    assert loss == pytest.approx(sum((rows**2).sum() for rows in gradients), rel=1e-5)


def test_what_is_not_annotated_is_not_learned(make_nlp) -> None:
    nlp = make_nlp(DATA, **POS)
    half = [example(["NOUN", ""], ["", "V"])]
    (gradient,) = tagger(nlp).get_loss(half, [numpy.full((2, 3 + N), 0.1, dtype="float32")])[1]
    assert [rows.any() for rows in (gradient[0, :3], gradient[0, 3:])] == [False, True]
    assert [rows.any() for rows in (gradient[1, :3], gradient[1, 3:])] == [True, False]


def test_training_scores_are_two_distributions(random) -> None:
    docs = [random.make_doc(text) for text in TEXTS]
    for rows, doc in zip(tagger(random).model.begin_update(docs)[0], docs, strict=True):
        assert rows.shape[1] == 3 + N
        sums = [not token.is_space for token in doc]
        for part in (rows[:, :3], rows[:, 3:]):
            assert_allclose(part.sum(axis=1), sums, rtol=1e-5)


def test_data_without_parts_of_speech_is_refused(make_nlp, train_data) -> None:
    with pytest.raises(
        ValueError, match=r"outputs has 'pos', but no token.*take 'pos' out of outputs"
    ):
        make_nlp(train_data, **POS)


@pytest.mark.parametrize("value", [[], ["pos", "pos"], ["tags"], ["tag", "POS"]])
def test_setting_must_list_outputs(make_nlp, value) -> None:
    with pytest.raises(ValueError, match=r"outputs is \[.*at least one of \['tag', 'pos', 'morph'"):
        make_nlp(DATA, outputs=value)


def test_no_tag_gets_a_part_of_speech_that_it_never_had(random, make_examples, randomize) -> None:
    examples = make_examples(random, DATA)
    random.update(examples)
    trained_on = {(t.tag_, t.pos_) for eg in examples for t in eg.reference}
    seen = set()
    for seed in range(5):
        randomize(tagger(random), seed)
        seen.update(pair for pairs in found(random) for pair in pairs)
    assert seen == trained_on | {("_SP", "SPACE")}


def test_without_tags_only_those_of_training_are_chosen(make_nlp, make_examples, randomize) -> None:
    gold = {"pos": ["PRON", "VERB", "ADJ", "NOUN"]}
    nlp = make_nlp([("I like green eggs", gold)], outputs=["pos"])
    randomize(nlp.get_pipe("lstm_tagger"))
    found = {
        token.pos_ for doc in nlp.pipe([f"word{i} and others" for i in range(40)]) for token in doc
    }
    assert len(found) > 1
    assert found <= set(gold["pos"])
    nlp.get_pipe("lstm_tagger").cfg["pos_of_tags"] = {}  # as if it had not been noted
    nlp.update(make_examples(nlp, [("ham", {"pos": ["X"]})]))
    assert nlp.get_pipe("lstm_tagger").cfg["pos_of_tags"] == {}


def test_initializing_again_forgets_what_went_with_tags(trained, make_examples) -> None:
    known = {"J": ["ADJ"], "N": ["NOUN", "PRON"], "V": ["VERB"]}
    assert tagger(trained).cfg["pos_of_tags"] == known
    other = [("Eat blue ham", {"tags": ["V", "J", "N"], "pos": ["X", "ADJ", "NOUN"]})]
    examples = make_examples(trained, other)
    trained.initialize(lambda: examples)
    assert tagger(trained).cfg["pos_of_tags"] == {"J": ["ADJ"], "N": ["NOUN"], "V": ["X"]}


@pytest.mark.parametrize("table", [[], {"N": "NOUN"}, {"N": []}, {"N": ["THING"]}, {"N": [["X"]]}])
def test_damaged_table_is_refused(trained, table) -> None:
    message = srsly.msgpack_loads(tagger(trained).to_bytes())
    message["cfg"] = srsly.json_dumps({**tagger(trained).cfg, "pos_of_tags": table}).encode()
    before = found(trained)
    with pytest.raises(ValueError, match=r"\[lstm_tagger\].*'pos_of_tags'"):
        tagger(trained).from_bytes(srsly.msgpack_dumps(message))
    assert found(trained) == before


def test_labels_are_the_tags_alone(random) -> None:
    component = tagger(random)
    assert component.labels == ("J", "N", "V")
    assert component.label_data["labels"] == ["J", "N", "V"]
    docs = [random.make_doc(text) for text in TEXTS]
    for rows, doc in zip(component.predict_probabilities(docs), docs, strict=True):
        assert rows.shape == (len(doc), 3)
        sums = [not token.is_space for token in doc]
        assert_allclose(rows.sum(axis=1), sums, rtol=1e-5)


# Predicting


def test_scores_alone_are_those_of_a_batch(random) -> None:
    for text, rows in zip(TEXTS, scores(random), strict=True):
        assert_allclose(scores(random, [text])[0], rows, atol=1e-5)
        assert rows.shape == (len(random.make_doc(text)), 3 + N)
    assert found(random) == [[(token.tag_, token.pos_) for token in random(text)] for text in TEXTS]


def test_nothing_is_lost_of_docs_without_tokens(random) -> None:
    docs = [random.make_doc(""), random.make_doc("")]
    component = tagger(random)
    component.set_annotations(docs, component.predict(docs))
    assert [rows.shape for rows in component.predict(docs)] == [(0,), (0,)]
    assert component.predict(docs).chosen["pos"].shape == (0,)
    assert [rows.shape for rows in component.predict_probabilities(docs)] == [(0, 3)] * 2


def test_what_another_component_set_stays_unless_told_otherwise(trained) -> None:
    def tagged():
        doc = trained.make_doc("I like ham")
        doc[0].pos_, doc[1].tag_ = "PROPN", "N"
        return [(token.tag_, token.pos_) for token in tagger(trained)(doc)]

    assert tagged() == [("N", "PROPN"), ("N", "VERB"), ("N", "NOUN")]
    tagger(trained).cfg["overwrite"] = True
    assert tagged() == [("N", "PRON"), ("V", "VERB"), ("N", "NOUN")]


def test_probabilities_can_be_kept_as_well(random) -> None:
    expected = found(random)
    for kept in (True, 2):
        tagger(random).cfg["save_probabilities"] = kept
        assert found(random) == expected
        doc = random("I like green eggs")
        (rows,) = tagger(random).predict_probabilities([random.make_doc("I like green eggs")])
        assert [t._.tag_probability for t in doc] == pytest.approx(rows.max(axis=1).tolist())


def test_two_processes_find_the_same(random) -> None:
    docs = random.pipe(TEXTS, n_process=2, batch_size=2)
    assert [[(token.tag_, token.pos_) for token in doc] for doc in docs] == found(random)


def test_no_scorer_no_scores(make_nlp, make_examples) -> None:
    nlp = make_nlp(DATA, **POS, scorer=None)
    assert tagger(nlp).score(make_examples(nlp, DATA)) == {}


# Growing


def test_a_new_label_leaves_all_scores_as_they_were(random, make_examples) -> None:
    before = scores(random)
    tagger(random).add_label("Q")
    assert tagger(random).model.get_dim("nO") == 4
    for rows, old in zip(scores(random), before, strict=True):
        assert_array_equal(rows[:, :3], old[:, :3])
        assert_array_equal(rows[:, 4:], old[:, 3:])
        read = rows.any(axis=1)  # white space is not
        assert (rows[read, 3] < rows[read, :3].max(axis=1)).all()
    new = [("Eat lentils", {"tags": ["V", "Q"], "pos": ["VERB", "NOUN"]})]
    examples, sgd = make_examples(random, new), random.resume_training()
    sgd.learn_rate = 0.01
    for _ in range(60):
        random.update(examples, sgd=sgd)
    assert found(random, ["Eat lentils"]) == [[("V", "VERB"), ("Q", "NOUN")]]


def test_rehearsal_keeps_what_was_learned(trained, make_examples) -> None:
    examples, sgd = make_examples(trained, DATA), trained.resume_training()
    before = found(trained)[0]
    assert trained.rehearse(examples, sgd=sgd)["lstm_tagger"] == pytest.approx(0, abs=1e-6)
    tagger(trained).add_label("Q")
    small = trained.rehearse(examples, sgd=sgd)["lstm_tagger"]
    assert small < 0.1  # the new label's probability alone
    shim = tagger(trained).model.get_ref("output_layer").shims[0]
    shim.module.output.weight.data[4:] *= -1  # unlearn parts of speech
    shim.weights_changed()
    assert found(trained)[0] != before
    sgd.learn_rate = 0.01
    losses = [trained.rehearse(examples, sgd=sgd)["lstm_tagger"] for _ in range(150)]
    assert losses[-1] < losses[0]
    assert found(trained)[0] == before


# Saving


def test_saved_and_loaded_scores_are_identical(random, tmp_path) -> None:
    random.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    copied = spacy.blank("en").from_config(random.config).from_bytes(random.to_bytes())
    for nlp in (loaded, copied):
        for rows, old in zip(scores(nlp), scores(random), strict=True):
            assert_array_equal(rows, old)
        assert found(nlp) == found(random)


@pytest.mark.parametrize("setting", [True, False])
def test_files_of_the_other_setting_are_refused(make_nlp, setting: bool) -> None:
    saved = tagger(make_nlp(DATA, steps=5, outputs=["tag", "pos"][: 1 + (not setting)])).to_bytes()
    nlp = make_nlp(DATA, steps=5, outputs=["tag", "pos"][: 1 + setting])
    before, old = found(nlp), scores(nlp)
    with pytest.raises(ValueError, match=r"\[lstm_tagger\] Cannot load.*settings"):
        tagger(nlp).from_bytes(saved)
    assert found(nlp) == before
    for rows, earlier in zip(scores(nlp), old, strict=True):
        assert_array_equal(rows, earlier)


def columns_saved(model: dict) -> list[dict | None]:
    return [srsly.msgpack_loads(attrs.get("columns", b"\xc0")) for attrs in model["attrs"]]


@pytest.mark.parametrize(
    "columns", [{"tag": 3, "pos": N}, {"pos": N, "tag": 3}, {"pos": N}, {"tag": 4}, {"x": 3}]
)
def test_a_file_that_only_says_otherwise_is_refused(make_nlp, columns: dict) -> None:
    component = tagger(make_nlp(DATA, steps=5))
    message = srsly.msgpack_loads(component.to_bytes())
    model = srsly.msgpack_loads(message["model"])
    assert columns_saved(model) == [None, None, {"tag": 3}]
    model["attrs"][2]["columns"] = srsly.msgpack_dumps(columns)
    message["model"] = srsly.msgpack_dumps(model)
    before = component.to_bytes()
    with pytest.raises(ValueError, match=r"\[lstm_tagger\].*'tag'"):
        component.from_bytes(srsly.msgpack_dumps(message))
    assert component.to_bytes() == before


def test_models_of_before_the_setting_load(make_nlp, tmp_path) -> None:
    nlp = make_nlp(steps=5)
    nlp.to_disk(tmp_path)
    config = (tmp_path / "config.cfg").read_text(encoding="utf8")
    assert "state_width" in config
    config = "\n".join(
        line for line in config.splitlines() if "state_width" not in line and "outputs" not in line
    )
    (tmp_path / "config.cfg").write_text(config, encoding="utf8")
    model = srsly.msgpack_loads((tmp_path / "lstm_tagger/model").read_bytes())
    for attr in ("columns", "window", "context", "cell"):
        del model["attrs"][2][attr]
    shim = srsly.msgpack_loads(model["shims"][2][0])
    shim["sizes"]["n_tags"] = shim["sizes"].pop("n_columns")
    del shim["sizes"]["words_per_form"]
    model["shims"][2][0] = srsly.msgpack_dumps(shim)
    (tmp_path / "lstm_tagger/model").write_bytes(srsly.msgpack_dumps(model))
    loaded = spacy.load(tmp_path)
    for rows, old in zip(scores(loaded), scores(nlp), strict=True):
        assert_array_equal(rows, old)
    found, expected = (tagger(each).model.get_ref("output_layer") for each in (loaded, nlp))
    assert found.attrs == expected.attrs
    assert found.shims[0].sizes == expected.shims[0].sizes


def test_attribute_of_earlier_versions_is_read_and_not_saved_again(random) -> None:
    """They saved `predict_pos` at the model; today "columns" says the same."""
    component = tagger(random)
    message = srsly.msgpack_loads(component.to_bytes())
    model = srsly.msgpack_loads(message["model"])
    model["attrs"][0]["predict_pos"] = srsly.msgpack_dumps(True)
    del model["attrs"][2]["columns"]
    before = component.to_bytes(exclude=["vocab"]), found(random)
    component.from_bytes(srsly.msgpack_dumps({**message, "model": srsly.msgpack_dumps(model)}))
    assert "predict_pos" not in component.model.attrs
    assert (component.to_bytes(exclude=["vocab"]), found(random)) == before


# Commands


def run(*arguments) -> str:
    command = [sys.executable, "-m", "spacy", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_trained_evaluated_and_loaded_as_users_do(tmp_path) -> None:
    for name, n in (("train", 150), ("dev", 40)):
        text = (REPOSITORY / f"corpus/en-{name}.conllu").read_text(encoding="utf8")
        docs = list(conllu_to_docs(text, n_sents=1, no_print=True))[:n]
        DocBin(docs=docs, attrs=["TAG", "POS", "SPACY"]).to_disk(tmp_path / f"{name}.spacy")
    run(
        *("train", REPOSITORY / "configs/demo.cfg", "--output", tmp_path / "out"),
        *("--paths.train", tmp_path / "train.spacy", "--paths.dev", tmp_path / "dev.spacy"),
        *("--components.lstm_tagger.outputs", '["tag", "pos"]'),
        *("--training.max_steps", "80", "--training.eval_frequency", "40"),
    )
    model, found_scores = tmp_path / "out/model-best", tmp_path / "scores.json"
    run("evaluate", model, tmp_path / "dev.spacy", "--gold-preproc", "--output", found_scores)
    evaluated = srsly.read_json(found_scores)
    assert evaluated["pos_acc"] > 0.6
    assert srsly.read_json(model / "meta.json")["performance"]["pos_acc"] > 0.6
    assert all(token.pos_ for token in spacy.load(model)("Can you send the photos?"))


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_exported_with_its_parts_of_speech(random, tmp_path, precision: str) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
    pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
    random.to_disk(tmp_path / "model")
    run("lstm-tagger", "export", tmp_path / "model", tmp_path / "exported", "-p", precision)
    exported = spacy.load(tmp_path / "exported")
    tolerance = 1e-4 if precision == "float32" else 1.0
    for rows, expected in zip(scores(exported), scores(random), strict=True):
        assert rows.shape == expected.shape
        assert_allclose(rows, expected, atol=tolerance)
    if precision == "float32":
        assert found(exported) == found(random)
        again = spacy.blank("en").from_config(exported.config).from_bytes(exported.to_bytes())
        assert found(again) == found(random)


def test_a_teacher_of_both_teaches_tags(random, tmp_path) -> None:
    random.to_disk(tmp_path / "model")
    (tmp_path / "raw.txt").write_text("I like green eggs\nEat blue ham\n", encoding="utf8")
    out = tmp_path / "taught.spacy"
    run("lstm-tagger", "distill", tmp_path / "model", tmp_path / "raw.txt", out)
    docs = list(DocBin().from_disk(out).get_docs(random.vocab))
    texts = [doc.text for doc in docs]
    expected = [[tag for tag, _ in pairs] for pairs in found(random, texts)]
    assert [[token.tag_ for token in doc] for doc in docs] == expected


def test_calibrated_by_its_tags(random, make_examples, tmp_path) -> None:
    random.to_disk(tmp_path / "model")
    DocBin(docs=[eg.reference for eg in make_examples(random, DATA)] * 5).to_disk(
        tmp_path / "dev.spacy"
    )
    run("lstm-tagger", "calibrate", tmp_path / "model", tmp_path / "dev.spacy", tmp_path / "out")
    calibrated = spacy.load(tmp_path / "out")
    assert "temperature" in tagger(calibrated).cfg
    assert found(calibrated) == found(random)

"""The networks as thinc layers: forward and backward, uneven lengths, alone and in any batch."""

import numpy
import pytest
import spacy
import torch
from numpy.testing import assert_allclose, assert_array_equal
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Adam, Model, set_dropout_rate

from spacy_lstm_tagger.architectures import build_lstm_encoder_v1
from spacy_lstm_tagger.features.windows import WINDOW

COMBINATIONS = [
    (cell, depth, bidirectional)
    for cell in ("lstm", "gru", "rnn")
    for depth in (1, 2, 3)
    for bidirectional in (True, False)
]


# LSTMEncoder: arrays to arrays


def random_rows(*lengths: int, width: int = 5) -> list[numpy.ndarray]:
    generator = numpy.random.default_rng(0)
    return [generator.normal(size=(n, width)).astype("float32") for n in lengths]


def make_encoder(**settings) -> Model:
    model = build_lstm_encoder_v1(**{"width": 8, "depth": 2, **settings})
    return model.initialize(X=random_rows(2))


def run_alone(model: Model, rows: numpy.ndarray, gradient: numpy.ndarray):
    """Output and input gradient of one doc by torch's own layers, without blocks or padding."""
    X = torch.tensor(rows, requires_grad=True)
    Y = X
    for layer in model.shims[0].module.layers:
        halves = [layer.forwards(Y)[0]]
        if layer.backwards is not None:
            halves.append(layer.backwards(Y.flip(0))[0].flip(0))
        Y = torch.cat(halves, dim=1)
    Y.backward(torch.tensor(gradient))
    return Y.detach().numpy(), X.grad.numpy()


@pytest.mark.parametrize(("cell", "depth", "bidirectional"), COMBINATIONS)
def test_encoder_is_torch_run_alone_forward_and_backward(cell, depth, bidirectional) -> None:
    model = make_encoder(cell=cell, depth=depth, bidirectional=bidirectional)
    X, dY = random_rows(3, 0, 7, 1, 7), random_rows(3, 0, 7, 1, 7, width=8)
    Y, backprop = model.begin_update(X)
    dX = backprop(dY)
    gradients = {name: p.grad.clone() for name, p in model.shims[0].module.named_parameters()}
    for parameter in model.shims[0].module.parameters():
        parameter.grad = None
    assert [rows.shape for rows in Y] == [(n, 8) for n in (3, 0, 7, 1, 7)]
    assert [rows.shape for rows in dX] == [(n, 5) for n in (3, 0, 7, 1, 7)]
    for i in (0, 2, 3, 4):
        alone, d_alone = run_alone(model, X[i], dY[i])
        assert_allclose(Y[i], alone, atol=1e-5)
        assert_allclose(dX[i], d_alone, atol=1e-5)
    for name, parameter in model.shims[0].module.named_parameters():
        assert_allclose(gradients[name], parameter.grad, atol=1e-4)


@pytest.mark.parametrize("is_train", [True, False])
@pytest.mark.parametrize("lengths", [(), (0,), (0, 0)])
def test_encoder_of_no_tokens(lengths: tuple[int, ...], is_train: bool) -> None:
    model = make_encoder()
    Y, backprop = model(random_rows(*lengths) or [], is_train)
    assert [rows.shape for rows in Y] == [(0, 8)] * len(lengths)
    if is_train:
        dX = backprop(random_rows(*lengths, width=8))
        assert [rows.shape for rows in dX] == [(0, 5)] * len(lengths)


def test_encoder_predicts_what_it_computes_in_training() -> None:
    model, X = make_encoder(), random_rows(3, 0, 7)
    for one, other in zip(model.predict(X), model.begin_update(X)[0], strict=True):
        assert_allclose(one, other, atol=1e-6)


def test_encoder_output_does_not_depend_on_the_batch() -> None:
    model, X = make_encoder(), random_rows(1, 40, 0, 5, 3 * WINDOW, WINDOW + 1)
    batch = model.predict(X)
    for rows, expected in zip(X, batch, strict=True):
        assert_allclose(model.predict([rows])[0], expected, rtol=0, atol=1e-5)
    for found, expected in zip(model.predict(X[::-1])[::-1], batch, strict=True):
        assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_encoder_dropout_follows_thincs_rate() -> None:
    model, X = make_encoder(), random_rows(4)
    set_dropout_rate(model, 0.5)
    assert (model.begin_update(X)[0][0] != model.begin_update(X)[0][0]).any()
    assert_array_equal(model.predict(X)[0], model.predict(X)[0])
    set_dropout_rate(model, 0.0)
    assert_array_equal(model.begin_update(X)[0][0], model.begin_update(X)[0][0])


def test_encoder_initializes_twice_without_losing_its_weights() -> None:
    """`spacy pretrain` does that."""
    model, X = make_encoder(), random_rows(4)
    before = model.predict(X)
    model.initialize(X=X)
    assert_array_equal(model.predict(X)[0], before[0])


# LSTMEncoder in spaCy's models


def shared_pipeline(make_examples) -> tuple[Language, list]:
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": tok2vec_config()})
    for factory, name in (("tagger", "tagger"), ("tagger", "second")):
        model = {
            "@architectures": "spacy.Tagger.v2",
            "tok2vec": {"@architectures": "spacy.Tok2VecListener.v1", "width": 16},
        }
        nlp.add_pipe(factory, name, config={"model": model, "overwrite": True})
    return nlp, make_examples(nlp)


def tok2vec_config(**settings) -> dict:
    return {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": 16,
            "attrs": ["NORM", "SHAPE"],
            "rows": [50, 50],
            "include_static_vectors": False,
        },
        "encode": {
            "@architectures": "spacy-lstm-tagger.LSTMEncoder.v1",
            "width": 16,
            "depth": 1,
            **settings,
        },
    }


def train(nlp: Language, examples: list, steps: int = 40) -> dict[str, float]:
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(steps):
        losses = nlp.update(examples, sgd=optimizer)
    return losses


def tags_of(doc: Doc) -> list[str]:
    return [token.tag_ for token in doc]


def stock_tagger_config(**settings) -> dict:
    return {"@architectures": "spacy.Tagger.v2", "tok2vec": tok2vec_config(**settings)}


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_encoder_under_the_stock_tagger_learns_saves_and_loads(
    cell: str, make_examples, scores_of, tmp_path
) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger", config={"model": stock_tagger_config(cell=cell)})
    train(nlp, make_examples(nlp))
    assert tags_of(nlp("I like green eggs")) == ["N", "V", "J", "N"]
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    docs = [nlp.make_doc(text) for text in ("I like green eggs", "Eat blue ham")]
    expected = scores_of(nlp.get_pipe("tagger"), docs)
    for one, other in zip(scores_of(loaded.get_pipe("tagger"), docs), expected, strict=True):
        assert_array_equal(one, other)


def test_listeners_of_two_components_share_the_encoder(make_examples, tmp_path) -> None:
    nlp, examples = shared_pipeline(make_examples)
    before = set(train(nlp, examples))
    assert before == {"tok2vec", "tagger", "second"}
    for name in ("tagger", "second"):
        with nlp.select_pipes(enable=["tok2vec", name]):
            assert tags_of(nlp("I like green eggs")) == ["N", "V", "J", "N"]
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert tags_of(loaded("Eat blue ham")) == tags_of(nlp("Eat blue ham")) == ["V", "J", "N"]


def test_replaced_listeners_have_encoders_of_their_own(make_examples, scores_of) -> None:
    """thinc's copies of a shim share its id, and with it one optimizer state."""
    nlp, examples = shared_pipeline(make_examples)
    train(nlp, examples)
    docs = [nlp.make_doc("I like green eggs")]
    before = tags_of(nlp("I like green eggs"))
    for name in ("tagger", "second"):
        nlp.replace_listeners("tok2vec", name, ["model.tok2vec"])
    shims = [
        shim
        for name in ("tok2vec", "tagger", "second")
        if name in nlp.pipe_names
        for node in nlp.get_pipe(name).model.walk()
        for shim in node.shims
    ]
    assert len(shims) >= 2
    assert len({shim.id for shim in shims}) == len(shims)
    assert len({id(shim.module) for shim in shims}) == len(shims)
    assert tags_of(nlp("I like green eggs")) == before
    untouched = scores_of(nlp.get_pipe("second"), docs)
    nlp.get_pipe("tagger").update(examples, sgd=Adam(0.1))
    assert_array_equal(scores_of(nlp.get_pipe("second"), docs)[0], untouched[0])
    optimizer = nlp.resume_training()
    for _ in range(5):
        nlp.update(examples, sgd=optimizer)


def test_averages_reach_the_encoder(make_examples, scores_of) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger", config={"model": stock_tagger_config()})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    optimizer = Adam(0.05, use_averages=True)
    for _ in range(5):
        nlp.update(examples, sgd=optimizer)
    (shim,) = [shim for node in nlp.get_pipe("tagger").model.walk() for shim in node.shims]
    before = {name: p.detach().clone() for name, p in shim.module.named_parameters()}
    with nlp.use_params(optimizer.averages):
        for name, parameter in shim.module.named_parameters():
            assert_array_equal(parameter.detach(), optimizer.averages[shim.id, name])
            assert (parameter != before[name]).any()
    for name, parameter in shim.module.named_parameters():
        assert_array_equal(parameter.detach(), before[name])


# LSTMTagger: docs to scores

SENTENCES = [
    ["Ham"],
    [],
    ["I", "like", "green", "eggs"],
    ["eggs", "ham"] * 20,
    ["I", "like", "eggs"] * WINDOW,
    ["blue"] * WINDOW,
    ["blue", "ham"] * (WINDOW // 2) + ["!"],
    [],
    ["extraordinarily-long-word", "\u00e9", "e\u0301", "🙂"],
]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("depth", [1, 2])
def test_scores_do_not_depend_on_the_batch(cell, depth, make_nlp, randomize, scores_of) -> None:
    nlp = make_nlp(model={"cell": cell, "depth": depth})
    tagger = nlp.get_pipe("lstm_tagger")
    randomize(tagger)
    docs = [Doc(nlp.vocab, words=words) for words in SENTENCES]
    batch = scores_of(tagger, docs)
    assert [rows.shape for rows in batch] == [(len(doc), 3) for doc in docs]
    assert max(float(abs(rows).max(initial=0)) for rows in batch) > 0.1
    for doc, expected in zip(docs, batch, strict=True):
        assert_allclose(scores_of(tagger, [doc])[0], expected, rtol=0, atol=1e-5)
    for found, expected in zip(scores_of(tagger, docs[::-1])[::-1], batch, strict=True):
        assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_scores_do_not_depend_on_the_batch_in_one_direction(make_nlp, randomize, scores_of) -> None:
    nlp = make_nlp(model={"bidirectional": False})
    tagger = nlp.get_pipe("lstm_tagger")
    randomize(tagger)
    docs = [Doc(nlp.vocab, words=words) for words in SENTENCES]
    for doc, expected in zip(docs, scores_of(tagger, docs), strict=True):
        assert_allclose(scores_of(tagger, [doc])[0], expected, rtol=0, atol=1e-5)


def test_loss_gradients_do_not_depend_on_the_batch(make_nlp, make_examples, randomize) -> None:
    data = [("I like green eggs", {"tags": ["N", "V", "J", "N"]}), ("", {}), ("Ham", {"tags": "N"})]
    nlp = make_nlp()
    tagger, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp, data)
    randomize(tagger)
    module = tagger.model.get_ref("output_layer").shims[0].module

    def gradients(batches: list[list]) -> dict[str, torch.Tensor]:
        for parameter in module.parameters():
            parameter.grad = None
        for batch in batches:
            tagger.update(batch)
        return {name: p.grad.clone() for name, p in module.named_parameters()}

    alone, together = gradients([[eg] for eg in examples]), gradients([examples])
    for name in together:
        assert_allclose(together[name], alone[name], rtol=1e-3, atol=1e-5)


def test_gradient_is_the_slope_of_the_cross_entropy(make_nlp, make_examples, randomize) -> None:
    nlp = make_nlp()
    tagger, examples = nlp.get_pipe("lstm_tagger"), make_examples(nlp)
    randomize(tagger)
    shim = tagger.model.get_ref("output_layer").shims[0]
    gold = [tagger.labels.index(tag) for eg in examples for tag in eg.get_aligned("TAG", True)]

    def cross_entropy() -> float:
        shim.weights_changed()
        rows = tagger.predict_probabilities([eg.predicted for eg in examples])
        rows = numpy.concatenate(rows).astype("float64")
        return float(-numpy.log(rows[numpy.arange(len(gold)), gold]).sum())

    tagger.update(examples)
    step = 1e-2
    for name, parameter in shim.module.named_parameters():
        place = int(parameter.grad.abs().argmax())
        values = parameter.data.view(-1)
        slope = parameter.grad.view(-1)[place].item()
        start = values[place].item()
        values[place] = start + step
        above = cross_entropy()
        values[place] = start - step
        below = cross_entropy()
        values[place] = start
        assert (above - below) / (2 * step) == pytest.approx(slope, rel=0.05, abs=1e-3), name

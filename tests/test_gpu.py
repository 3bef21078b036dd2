"""On a GPU as on the CPU: the same tags, scores and weights, whatever is done there.

Every test runs twice: on a GPU that `simulated_gpu` simulates, and on a real one if there is one.
"""

import contextlib
import copy
import importlib
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy
import pytest
import spacy
import torch
from numpy.testing import assert_allclose, assert_array_equal
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.training.converters import conllu_to_docs
from spacy.vectors import Vectors
from thinc.api import CupyOps, Optimizer, get_current_ops, require_cpu, require_gpu

from spacy_lstm_tagger.cli.calibrate import score_gold
from spacy_lstm_tagger.distill.labelling import label
from spacy_lstm_tagger.distill.teacher import Teacher
from spacy_lstm_tagger.outputs import make_outputs
from spacy_lstm_tagger.runtime.export import export_tagger
from spacy_lstm_tagger.training.soft_targets import get_soft_targets, set_soft_targets

TESTS = Path(__file__).parent
OUTPUTS = ["tag", "pos", "morph", "lemma"]
WORDS = [
    ["Can", "you", "send", "me", "the", "photos", "?"],
    [],
    [" ", "\n "],
    ["unheard-of", " ", "wörds", "👍", "!"],
]

# What libraries warn of on a real GPU, nobody has seen yet.
pytestmark = pytest.mark.filterwarnings("default" if torch.cuda.is_available() else "error")


@pytest.fixture(params=["simulated", pytest.param("cuda", marks=pytest.mark.gpu)])
def on_gpu(request, monkeypatch) -> Callable:
    """A function that makes contexts in which thinc and torch use the GPU."""
    if request.param == "simulated":
        monkeypatch.syspath_prepend(TESTS)
        return partial(importlib.import_module("simulated_gpu").simulated_gpu, monkeypatch)
    if not torch.cuda.is_available():
        pytest.skip("no CUDA GPU, or a torch without CUDA: torch.cuda.is_available() is false")
    pytest.importorskip("cupy", reason="cupy is not installed: pip install 'cupy-cuda12x[ctk]'")
    return real_gpu


@contextlib.contextmanager
def real_gpu() -> Iterator[None]:
    require_gpu()
    try:  # in TF32, which torch computes recurrent layers in, numbers have three digits
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            yield
    finally:
        require_cpu()


@pytest.fixture(scope="module")
def corpus() -> list[Doc]:
    """Some sentences of the bundled corpus, which has neither features nor lemmas, with both."""
    text = (TESTS.parent / "corpus" / "en-train.conllu").read_text(encoding="utf8")
    docs = list(conllu_to_docs(text, n_sents=1, no_print=True))[:8]
    for token in (token for doc in docs for token in doc):
        token.set_morph("Number=Plur" if token.text.endswith("s") else "")
        token.lemma_ = token.text.lower().removesuffix("s") or token.text
    return docs


@pytest.fixture
def make(small_config, corpus, randomize) -> Callable[..., Language]:
    """Return a function that makes a tagger with random weights, on the CPU.

    model: settings that differ from those of the small model; others go to the component.
    """

    def tagger(*, model: dict | None = None, **settings) -> Language:
        nlp = spacy.blank("en")
        if (model or {}).get("include_static_vectors"):
            nlp.vocab.vectors = Vectors(
                strings=nlp.vocab.strings,
                data=numpy.random.default_rng(0).normal(size=(3, 5)).astype("float32"),
                keys=["photos", "send", "the"],
            )
        config = {"model": {**small_config["model"], **(model or {})}, "outputs": OUTPUTS}
        nlp.add_pipe("lstm_tagger", config={**config, **settings})
        nlp.initialize(lambda: examples(nlp, corpus))
        randomize(nlp.get_pipe("lstm_tagger"))
        return nlp

    return tagger


def examples(nlp: Language, docs: list[Doc]) -> list[Example]:
    return [Example(Doc(nlp.vocab, words=[t.text for t in doc]), doc) for doc in docs]


def train(nlp: Language, docs: list[Doc], optimizer: Optimizer, steps: int) -> dict[str, float]:
    optimizer.learn_rate = 0.02
    losses: dict[str, float] = {}
    for _ in range(steps):
        losses = nlp.update(examples(nlp, docs), sgd=optimizer)
    return losses


def moved(nlp: Language, path: Path, **model) -> Language:
    """Return the pipeline, saved and loaded on the device in use."""
    nlp.to_disk(path)
    return spacy.load(path, config={"components": {"lstm_tagger": {"model": model}}})


def tagger_of(nlp: Language):
    return nlp.get_pipe("lstm_tagger")


def network_of(nlp: Language) -> torch.nn.Module:
    return tagger_of(nlp).model.get_ref("output_layer").shims[0].module


def devices(nlp: Language) -> set[str]:
    return {weights.device.type for weights in network_of(nlp).parameters()}


def docs_for(nlp: Language, words: list[list[str]] = WORDS) -> list[Doc]:
    return [Doc(nlp.vocab, words=of_doc) for of_doc in words]


def scores(nlp: Language, words: list[list[str]] = WORDS) -> list[numpy.ndarray]:
    model = tagger_of(nlp).model
    return [model.ops.to_numpy(rows) for rows in model.predict(docs_for(nlp, words))]


def annotation(nlp: Language, words: list[list[str]] = WORDS) -> list[list[tuple[str, ...]]]:
    return [
        [(token.tag_, token.pos_, str(token.morph), token.lemma_) for token in doc]
        for doc in nlp.pipe(docs_for(nlp, words))
    ]


def assert_all_close(found: list, expected: list, atol: float = 1e-4) -> None:
    for rows, wanted in zip(found, expected, strict=True):
        assert_allclose(rows, wanted, rtol=0, atol=atol)


SETTINGS = {
    "lstm": {"depth": 2},
    "gru": {"cell": "gru"},
    "rnn of one direction": {"cell": "rnn", "bidirectional": False},
    "static vectors": {"include_static_vectors": True},
    "by sentence": {"by_sentence": True},
}


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_pipeline_of_the_cpu_annotates_the_same(settings, make, on_gpu, corpus, tmp_path) -> None:
    made = make(model=SETTINGS[settings])
    words = [*WORDS, *([token.text for token in doc] for doc in corpus)]
    with on_gpu():
        assert isinstance(get_current_ops(), CupyOps)
        loaded = moved(made, tmp_path / "cpu")
        assert devices(loaded) == {"cuda"}
        assert_all_close(scores(loaded, words), scores(made, words))
        expected = annotation(made, words)
        assert annotation(loaded, words) == expected
        alone = [row for one in words for row in annotation(loaded, [one])]
        assert alone == expected


@pytest.mark.parametrize("settings", SETTINGS)
def test_it_learns_the_same(settings, make, on_gpu, corpus, tmp_path) -> None:
    made = make(model=SETTINGS[settings])
    made.to_disk(tmp_path / "made")
    train(made, corpus, made.resume_training(), 2)
    with on_gpu():
        loaded = spacy.load(tmp_path / "made")
        train(loaded, corpus, loaded.resume_training(), 2)
        assert devices(loaded) == {"cuda"}
        assert_all_close(scores(loaded), scores(made), atol=2e-3)
        again = moved(loaded, tmp_path / "trained")
        assert_all_close(scores(again), scores(loaded))
        expected = annotation(loaded)
    back = spacy.load(tmp_path / "trained")
    assert devices(back) == {"cpu"}
    assert annotation(back) == expected


def test_it_is_trained_from_the_start(small_config, on_gpu, corpus, tmp_path) -> None:
    with on_gpu():
        nlp = spacy.blank("en")
        nlp.add_pipe("lstm_tagger", config={**small_config, "outputs": OUTPUTS})
        optimizer = nlp.initialize(lambda: examples(nlp, corpus))
        assert devices(nlp) == {"cuda"}
        before = train(nlp, corpus, optimizer, 1)
        after = train(nlp, corpus, optimizer, 8)
        assert after["lstm_tagger"] < 0.9 * before["lstm_tagger"]
        found = nlp.evaluate(examples(nlp, corpus))
        nlp.to_disk(tmp_path / "gpu")
    loaded = spacy.load(tmp_path / "gpu")
    assert loaded.evaluate(examples(loaded, corpus))["tag_acc"] == found["tag_acc"]


def test_weights_are_saved_alike(make, on_gpu, tmp_path) -> None:
    made = make()
    with on_gpu():
        moved(made, tmp_path / "cpu").to_disk(tmp_path / "gpu")
    files = [tmp_path / name / "lstm_tagger" / "model" for name in ("cpu", "gpu")]
    first, second = (spacy.load(file.parent.parent) for file in files)
    for one, other in zip(
        network_of(first).parameters(), network_of(second).parameters(), strict=True
    ):
        assert_array_equal(one.detach().numpy(), other.detach().numpy())


def test_in_memory_zones(make, on_gpu, tmp_path) -> None:
    made = make()
    expected = annotation(made)
    with on_gpu():
        loaded = moved(made, tmp_path / "cpu")
        for _ in range(2):
            with loaded.memory_zone():
                assert annotation(loaded) == expected


@pytest.mark.parametrize("vectors", [False, True])
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_exports_run_on_the_cpu(precision, vectors, make, on_gpu, tmp_path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
    pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
    made = make(model={"include_static_vectors": vectors})
    made.to_disk(tmp_path / "trained")
    export_tagger(made, "lstm_tagger", precision)
    expected, expected_scores = annotation(made), scores(made)
    with on_gpu():
        loaded = moved(made, tmp_path / "of_cpu")
        assert annotation(loaded) == expected
        assert_all_close(scores(loaded), expected_scores)
        (rows, *_) = tagger_of(loaded).predict_probabilities(docs_for(loaded))
        assert_allclose(rows.sum(axis=1), 1, atol=1e-5)
        of_gpu = spacy.load(tmp_path / "trained")
        export_tagger(of_gpu, "lstm_tagger", precision)
        assert annotation(of_gpu) == expected


def test_probabilities(make, on_gpu, tmp_path) -> None:
    made = make(save_probabilities=2)
    with on_gpu():
        loaded = moved(made, tmp_path / "cpu")
        for output in OUTPUTS:
            found, expected = (
                tagger_of(nlp).predict_probabilities(docs_for(nlp), output=output)
                for nlp in (loaded, made)
            )
            assert all(isinstance(rows, numpy.ndarray) for rows in found)
            assert_all_close(found, expected)
        docs = list(loaded.pipe(docs_for(loaded)))
        kept = [Doc(loaded.vocab).from_bytes(doc.to_bytes()) for doc in docs]
    for doc, other in zip(kept, made.pipe(docs_for(made)), strict=True):
        for token, wanted in zip(doc, other, strict=True):
            found, expected = token._.tag_candidates, wanted._.tag_candidates
            assert [tag for tag, _ in found or ()] == [tag for tag, _ in expected or ()]
            assert token._.tag_probability == pytest.approx(wanted._.tag_probability, abs=1e-4)


def test_calibration(make, on_gpu, corpus, tmp_path) -> None:
    made = make()
    DocBin(docs=corpus).to_disk(tmp_path / "dev.spacy")
    with on_gpu():
        loaded = moved(made, tmp_path / "cpu")
        for output in make_outputs(OUTPUTS):
            found, expected = (
                score_gold(nlp, "lstm_tagger", tmp_path / "dev.spacy", output)
                for nlp in (loaded, made)
            )
            for (rows, gold), (wanted, wanted_gold) in zip(found, expected, strict=True):
                assert_allclose(rows, wanted, rtol=0, atol=1e-4)
                assert_array_equal(gold, wanted_gold)


def test_teachers(make, on_gpu, corpus, tmp_path) -> None:
    made = make()
    with on_gpu():
        loaded = moved(made, tmp_path / "cpu")
        found, expected = (
            label(docs_for(nlp), [Teacher(nlp, 1.0)], 99, n_process=1, batch_size=2)
            for nlp in (loaded, made)
        )
        labels = tagger_of(loaded).labels
        for doc, wanted in zip(found, expected, strict=True):
            assert [token.tag_ for token in doc] == [token.tag_ for token in wanted]
            rows, rows_wanted = (get_soft_targets(one, labels) for one in (doc, wanted))
            assert_allclose(rows, rows_wanted, atol=2e-3)


def test_soft_targets(make, on_gpu, corpus, tmp_path) -> None:
    made = make()
    labels = tagger_of(made).labels
    generator = numpy.random.default_rng(0)
    taught = [doc.copy() for doc in corpus]
    for doc in taught:
        rows = generator.dirichlet(numpy.ones(len(labels)), size=len(doc)).astype("float32")
        set_soft_targets(doc, labels, rows)
    expected = moved(made, tmp_path / "untrained")
    train(expected, taught, expected.resume_training(), 2)
    with on_gpu():
        loaded = moved(made, tmp_path / "again")
        train(loaded, taught, loaded.resume_training(), 2)
        assert_all_close(scores(loaded), scores(expected), atol=1e-3)


def test_rehearsal_labels_and_averages(make, on_gpu, corpus, tmp_path) -> None:
    made = make()
    found = []
    for context in (contextlib.nullcontext, on_gpu):
        with context():
            nlp = moved(made, tmp_path / "trained")
            optimizer = nlp.resume_training()
            optimizer.averages = {}
            tagger = tagger_of(nlp)
            losses = nlp.rehearse(examples(nlp, corpus), sgd=optimizer)
            assert tagger.add_label("new") == 1
            nlp.resume_training(sgd=optimizer)
            train(nlp, corpus, optimizer, 2)
            with nlp.use_params(optimizer.averages):
                averaged = scores(nlp)
            found.append((losses["lstm_tagger"], averaged, scores(nlp)))
    (loss, averaged, last), (loss_there, averaged_there, last_there) = found
    assert loss_there == pytest.approx(loss, rel=1e-3)
    assert_all_close(averaged_there, averaged, atol=1e-3)
    assert_all_close(last_there, last, atol=1e-3)


def test_copies(make, on_gpu, tmp_path) -> None:
    made = make()
    expected = scores(made)
    with on_gpu():
        loaded = moved(made, tmp_path / "cpu")
        for copied in (tagger_of(loaded).model.copy(), copy.deepcopy(tagger_of(loaded).model)):
            found = [copied.ops.to_numpy(rows) for rows in copied.predict(docs_for(loaded))]
            assert_all_close(found, expected)


def test_copies_keep_recurrent_weights_side_by_side(make, on_gpu, tmp_path, monkeypatch) -> None:
    """Otherwise cuDNN copies them at every call, and torch warns of it."""
    made, flattened = make(model={"depth": 2}), []
    flatten = torch.nn.RNNBase.flatten_parameters
    monkeypatch.setattr(
        torch.nn.RNNBase,
        "flatten_parameters",
        lambda layer: flattened.append(layer) or flatten(layer),
    )
    with on_gpu(), warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*contiguous chunk of memory")
        loaded = moved(made, tmp_path / "cpu")
        copied = copy.deepcopy(tagger_of(loaded).model)
        copied.predict(docs_for(loaded))
    network = copied.get_ref("output_layer").shims[0].module
    layers = [one for one in network.modules() if isinstance(one, torch.nn.RNNBase)]
    assert len(layers) == 6  # two directions of the characters and of two layers
    assert all(any(one is layer for one in flattened) for layer in layers)


def test_small_gradients_outlive_mixed_precision(make, on_gpu, tmp_path) -> None:
    """In 16 bits, they are 0 unless they are scaled before."""
    made = make()
    with on_gpu():
        loaded = moved(made, tmp_path / "cpu", mixed_precision=True)
        Y, backprop = tagger_of(loaded).model.begin_update(docs_for(loaded, WORDS[:1]))
        backprop([rows * 0 + 1e-8 for rows in Y])
        bias = network_of(loaded).output.bias.grad.cpu()
        assert_allclose(bias[: len(tagger_of(loaded).labels)].numpy(), 7e-8, rtol=0.01)


def test_models_move_to_the_cpu(make, on_gpu, tmp_path) -> None:
    made = make()
    with on_gpu():
        loaded = moved(made, tmp_path / "cpu")
        tagger_of(loaded).model.to_cpu()
    assert devices(loaded) == {"cpu"}
    assert_all_close(scores(loaded), scores(made))


@pytest.mark.parametrize("precision", ["bfloat16", "auto"])
def test_sixteen_bits(precision, make, on_gpu, tmp_path) -> None:
    made = make(model={"depth": 2})
    with on_gpu():
        loaded = moved(made, tmp_path / "cpu", precision=precision)
        found = scores(loaded)
        assert all(rows.dtype == "float32" for rows in found)
        assert_all_close(found, scores(made), atol=0.1)
        assert any((rows != wanted).any() for rows, wanted in zip(found, scores(made), strict=True))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_mixed_precision(cell, make, on_gpu, corpus, tmp_path) -> None:
    made = make(model={"cell": cell})
    made.to_disk(tmp_path / "made")
    expected = gradients(made)
    with on_gpu():
        loaded = moved(made, tmp_path / "made", mixed_precision=True)
        for name, found in gradients(loaded).items():
            both = found.ravel(), expected[name].ravel()
            lengths = [numpy.linalg.norm(one) for one in both]
            assert both[0] @ both[1] > 0.99 * lengths[0] * lengths[1], name
            assert lengths[0] == pytest.approx(lengths[1], rel=0.05), name
        optimizer = loaded.resume_training()
        # steps are skipped, and gradients scaled by half as much, until they fit into 16 bits
        losses = [train(loaded, corpus[:2], optimizer, 1)["lstm_tagger"] for _ in range(16)]
        assert losses[-1] < 0.9 * losses[0]
        assert {weights.dtype for weights in network_of(loaded).parameters()} == {torch.float32}
        again = moved(loaded, tmp_path / "mixed", mixed_precision=False)
        expected_scores = scores(again)
    back = spacy.load(tmp_path / "mixed")
    assert_all_close(scores(back), expected_scores)  # on a CPU it predicts, in float32


def gradients(nlp: Language) -> dict[str, numpy.ndarray]:
    """Return the gradients of all weights for a sentence that nothing is known of."""
    Y, backprop = tagger_of(nlp).model.begin_update(docs_for(nlp, WORDS[:1]))
    generator = numpy.random.default_rng(0)
    ops = tagger_of(nlp).model.ops
    backprop(
        [ops.asarray(generator.normal(size=rows.shape, scale=1e-4).astype("float32")) for rows in Y]
    )
    found = {name: one.grad.cpu().numpy() for name, one in network_of(nlp).named_parameters()}
    network_of(nlp).zero_grad()
    return found


def test_eight_bits_are_refused(make, on_gpu, tmp_path) -> None:
    made = make()
    with on_gpu():
        loaded = moved(made, tmp_path / "cpu", precision="int8")
        with pytest.raises(ValueError, match=r"precision is 'int8'.*GPU"):
            loaded("words")


def test_encoders(on_gpu, corpus, tmp_path) -> None:
    tok2vec = {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            **{"width": 8, "attrs": ["NORM"], "rows": [20], "include_static_vectors": False},
        },
        "encode": {"@architectures": "spacy-lstm-tagger.LSTMEncoder.v1", "width": 8, "depth": 1},
    }
    nlp = spacy.blank("en")
    nlp.add_pipe(
        "tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": tok2vec}}
    )
    nlp.initialize(lambda: examples(nlp, corpus))
    nlp.to_disk(tmp_path)
    found = []
    for context in (contextlib.nullcontext, on_gpu):
        with context():
            loaded = spacy.load(tmp_path)
            train(loaded, corpus, loaded.resume_training(), 2)
            tagger = loaded.get_pipe("tagger")
            found.append(
                [tagger.model.ops.to_numpy(rows) for rows in tagger.model.predict(docs_for(loaded))]
            )
    assert_all_close(found[1], found[0], atol=1e-3)

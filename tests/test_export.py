"""Exported taggers: the same scores on ONNX Runtime, without torch, and never trained."""

import pickle
import subprocess
import sys
import threading

import numpy
import pytest
import spacy
import srsly
from numpy.testing import assert_allclose

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
onnx_graph = pytest.importorskip("spacy_lstm_tagger.runtime.onnx_graph")

TEXTS = ["I like green eggs", "", "Eat blue ham", "ham " * 300, " \n ", "unheard-of wörds 👍!"]

COMBINATIONS = [
    (cell, depth, bidirectional)
    for cell in ("lstm", "gru", "rnn")
    for depth in (1, 2)
    for bidirectional in (True, False)
]


def run_export(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "export", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def export(tmp_path):
    """Return a function that saves and exports a pipeline and gives the exported one's path."""
    from spacy_lstm_tagger.cli.export import export_cli

    def save_and_export(nlp, precision: str = "float32"):
        nlp.to_disk(tmp_path / "model")
        output = tmp_path / f"exported-{precision}"
        export_cli(str(tmp_path / "model"), output, precision, force=False)
        return output

    return save_and_export


@pytest.fixture
def trained(make_nlp, randomize):
    nlp = make_nlp()
    randomize(nlp.get_pipe("lstm_tagger"))
    return nlp


def scores(nlp, texts=TEXTS) -> list[numpy.ndarray]:
    return nlp.get_pipe("lstm_tagger").model.predict([nlp.make_doc(text) for text in texts])


@pytest.fixture
def with_settings(small_config, make_examples, randomize):
    """Return a function that gives a pipeline a tagger of some settings and random weights."""

    def add(nlp, **settings):
        small_config["model"].update(settings)
        tagger = nlp.add_pipe("lstm_tagger", config=small_config)
        nlp.initialize(lambda: make_examples(nlp))
        randomize(tagger)
        return nlp

    return add


def assert_same_scores(nlp, exported) -> None:
    for expected, found in zip(scores(nlp), scores(exported), strict=True):
        assert found.dtype == "float32"
        assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(("cell", "depth", "bidirectional"), COMBINATIONS)
def test_scores_are_those_of_torch(cell, depth, bidirectional, with_settings, export) -> None:
    settings = {"cell": cell, "depth": depth, "bidirectional": bidirectional}
    nlp = with_settings(spacy.blank("en"), **settings)
    assert_same_scores(nlp, spacy.load(export(nlp)))


@pytest.mark.parametrize("setting", [{"char_width": 0}, {"affix_width": 0}])
def test_parts_can_be_missing(setting, with_settings, export) -> None:
    nlp = with_settings(spacy.blank("en"), **setting)
    assert_same_scores(nlp, spacy.load(export(nlp)))


def test_static_vectors_are_read(with_settings, export) -> None:
    nlp = spacy.blank("en")
    for i, word in enumerate(["ham", "eggs", "green"]):
        nlp.vocab.set_vector(word, numpy.full(5, i + 1.0, dtype="float32"))
    exported = spacy.load(export(with_settings(nlp, include_static_vectors=True)))
    assert_same_scores(nlp, exported)
    (before,) = scores(exported, ["green ham"])
    exported.vocab.set_vector("ham", numpy.full(5, -9.0, dtype="float32"))
    (after,) = scores(exported, ["green ham"])
    assert (before != after).any()


def test_static_vectors_of_another_width_are_named(with_settings, export) -> None:
    nlp = spacy.blank("en")
    nlp.vocab.set_vector("ham", numpy.ones(5, dtype="float32"))
    exported = spacy.load(export(with_settings(nlp, include_static_vectors=True)))
    other = spacy.blank("en")
    other.vocab.set_vector("ham", numpy.ones(7, dtype="float32"))
    message = r"vectors of this pipeline have 7 numbers.*exported with vectors of 5"
    with pytest.raises(ValueError, match=message):
        exported.get_pipe("lstm_tagger").model.predict([other.make_doc("green ham")])


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("vectors width", 7, "reshape"),
        ("vectors width", 0, "no finite weights"),
        ("vectors width", "8", "no finite weights"),
        ("vectors weight", b"\0\0\xc0\x7f" * 40, "no finite weights"),
    ],
)
def test_damaged_weights_of_static_vectors_are_found(
    key, value, message, with_settings, export
) -> None:
    nlp = spacy.blank("en")
    nlp.vocab.set_vector("ham", numpy.ones(5, dtype="float32"))
    exported = spacy.load(export(with_settings(nlp, include_static_vectors=True)))
    shim = exported.get_pipe("lstm_tagger").model.get_ref("output_layer").shims[0]
    data = srsly.msgpack_loads(shim.to_bytes())
    expected = shim.vectors
    with pytest.raises(ValueError, match=f"network is damaged.*{message}"):
        shim.from_bytes(srsly.msgpack_dumps({**data, key: value}))
    assert shim.vectors is expected


def test_eight_bits_change_probabilities_little(trained, export) -> None:
    exported = spacy.load(export(trained, "int8"))
    docs = [trained.make_doc(text) for text in TEXTS]
    one = trained.get_pipe("lstm_tagger").predict_probabilities(docs)
    other = exported.get_pipe("lstm_tagger").predict_probabilities(docs)
    for expected, found in zip(one, other, strict=True):
        assert_allclose(found, expected, atol=0.1)


def test_tables_in_eight_bits_lose_half_a_step_at_most() -> None:
    table = numpy.random.default_rng(0).normal(size=(50, 16)).astype("float32")
    table[0], table[1] = 0.0, 1e-4 * table[1]  # an unknown word; a row of small numbers
    codes, scales = onnx_graph.quantized_rows(table)
    assert (codes.dtype, scales.dtype, scales.shape) == ("int8", "float16", (50, 1))
    largest = abs(table).max(axis=1, keepdims=True)
    assert (abs(codes * scales.astype("float32") - table) <= 0.0045 * largest).all()
    assert not codes[0].any()


def test_alone_and_in_a_batch_scores_are_the_same(trained, export) -> None:
    exported = spacy.load(export(trained))
    for text, together in zip(TEXTS, scores(exported), strict=True):
        (alone,) = scores(exported, [text])
        assert_allclose(alone, together, atol=1e-5)


def test_everything_else_of_the_pipeline_is_kept(trained, export) -> None:
    trained.add_pipe("sentencizer", first=True)
    trained.get_pipe("lstm_tagger").cfg["overwrite"] = True
    exported = spacy.load(export(trained))
    assert exported.pipe_names == ["sentencizer", "lstm_tagger"]
    assert exported.get_pipe("lstm_tagger").labels == trained.get_pipe("lstm_tagger").labels
    assert exported.get_pipe("lstm_tagger").cfg["overwrite"] is True
    (required,) = exported.meta["requirements"]
    assert required.startswith("spacy-lstm-tagger[onnx]>=")


def test_saves_and_loads_again(trained, export, tmp_path) -> None:
    exported = spacy.load(export(trained))
    exported.to_disk(tmp_path / "again")
    for one, other in zip(scores(exported), scores(spacy.load(tmp_path / "again")), strict=True):
        assert_allclose(one, other)


@pytest.mark.parametrize("vectors", [False, True])
def test_pickled_model_scores_the_same(vectors, trained, with_settings, export) -> None:
    if vectors:
        nlp = spacy.blank("en")
        nlp.vocab.set_vector("ham", numpy.ones(5, dtype="float32"))
        trained = with_settings(nlp, include_static_vectors=True)
    exported = spacy.load(export(trained))
    model = exported.get_pipe("lstm_tagger").model
    (expected,) = model.predict([exported.make_doc("green ham")])
    (found,) = pickle.loads(pickle.dumps(model)).predict([exported.make_doc("green ham")])
    assert_allclose(found, expected)


def test_processes_and_threads_give_the_same_tags(trained, export) -> None:
    exported = spacy.load(export(trained))
    expected = [[token.tag_ for token in exported(text)] for text in TEXTS]
    found = [[token.tag_ for token in doc] for doc in exported.pipe(TEXTS * 3, n_process=2)]
    assert found == expected * 3
    results: dict[int, list] = {}

    def work(i: int) -> None:
        results[i] = [[token.tag_ for token in exported(text)] for text in TEXTS]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(results.values()) == [expected] * 4


def test_cannot_be_trained(trained, export, make_examples) -> None:
    exported = spacy.load(export(trained))
    examples = make_examples(exported)
    with pytest.raises(ValueError, match="cannot be initialized or trained"):
        exported.update(examples)
    with pytest.raises(ValueError, match="cannot be initialized or trained"):
        exported.initialize(lambda: examples)


def test_damaged_network_is_refused_and_the_present_one_stays(trained, export) -> None:
    exported = spacy.load(export(trained))
    tagger = exported.get_pipe("lstm_tagger")
    (expected,) = scores(exported, ["green ham"])
    shim = tagger.model.layers[1].shims[0]
    for damaged in (b"", b"x", srsly.msgpack_dumps({"embed": b"1", "encode": b"2"})):
        with pytest.raises(ValueError, match="exported network is damaged"):
            shim.from_bytes(damaged)
    (found,) = scores(exported, ["green ham"])
    assert_allclose(found, expected)


@pytest.mark.parametrize(
    "columns",
    [{"pos": 20, "tag": 3}, {"pos": 20}, {"tag": 3}, {"tag": 4, "pos": 20}, {"x": 23}, {}],
)
def test_columns_of_another_model_are_refused(columns, make_nlp, export) -> None:
    gold = {"tags": ["N", "V", "J", "N"], "pos": ["PRON", "VERB", "ADJ", "NOUN"]}
    nlp = make_nlp([("I like green eggs", gold)], outputs=["tag", "pos"])
    path = export(nlp)
    file = path / "lstm_tagger" / "model"
    model = srsly.msgpack_loads(file.read_bytes())
    assert srsly.msgpack_loads(model["attrs"][2]["columns"]) == {"tag": 3, "pos": 20}
    model["attrs"][2]["columns"] = srsly.msgpack_dumps(columns)
    file.write_bytes(srsly.msgpack_dumps(model))
    with pytest.raises(ValueError, match=r"\[lstm_tagger\]"):
        spacy.load(path)


def test_runs_where_torch_cannot_be_imported(trained, export) -> None:
    path = export(trained)
    expected = [token.tag_ for token in trained("I like green eggs")]
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "import spacy\n"
        f"nlp = spacy.load({str(path)!r})\n"
        "print([token.tag_ for token in nlp('I like green eggs')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == str(expected), done.stderr


def test_command_writes_a_pipeline_and_names_what_is_wrong(trained, tmp_path) -> None:
    trained.to_disk(tmp_path / "model")
    done = run_export(tmp_path / "model", tmp_path / "out", "--precision", "int8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [t.tag_ for t in spacy.load(tmp_path / "out")("green ham")]
    spacy.blank("en").to_disk(tmp_path / "blank")
    for message, *arguments in (
        ("exists already", tmp_path / "model", tmp_path / "out"),
        ("but must be one of float32, int8", tmp_path / "model", tmp_path / "o", "-p", "x"),
        ("Cannot export", "no-such-model", tmp_path / "o"),
        ("none of which has", tmp_path / "blank", tmp_path / "o"),
        ("does not exist", tmp_path / "model", tmp_path / "o" / "o"),
    ):
        wrong = run_export(*arguments)
        assert message in wrong.stderr
        assert (wrong.returncode, wrong.stdout) == (1, "")
        assert len(wrong.stderr.splitlines()) == 1
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_eight_bits_are_refused_for_cells_that_would_stay_in_float32(
    cell, with_settings, tmp_path
) -> None:
    with_settings(spacy.blank("en"), cell=cell).to_disk(tmp_path / "model")
    done = run_export(tmp_path / "model", tmp_path / "out", "--precision", "int8")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"int8 is for the cell 'lstm' alone, but this tagger's cell is '{cell}'" in done.stderr
    assert 'Use float32, or train a tagger with cell = "lstm"' in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("*out*"))


@pytest.mark.parametrize("library", ["onnx", "onnxruntime"])
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_missing_library_is_named_with_the_remedy(
    library, precision, trained, tmp_path, monkeypatch, capsys
) -> None:
    from spacy_lstm_tagger.cli.export import export_cli

    trained.to_disk(tmp_path / "model")
    for name in [name for name in sys.modules if name.startswith(f"{library}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    output = tmp_path / "exported"
    if (library, precision) == ("onnxruntime", "float32"):
        export_cli(str(tmp_path / "model"), output, precision, force=False)
        assert output.is_dir()  # which takes no more than onnx
        return
    with pytest.raises(SystemExit):
        export_cli(str(tmp_path / "model"), output, precision, force=False)
    said = capsys.readouterr().err
    assert f"needs {library}, which cannot be imported" in said
    extra = "export" if library == "onnx" else "onnx"
    assert f'pip install "spacy-lstm-tagger[{extra}]"' in said
    assert len(said.splitlines()) == 1
    assert not list(tmp_path.glob("*exported*"))

"""Damaged and hostile files: some hundreds of benchmarks/fuzz.py's inputs, and what it found."""

import io
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy
import pytest
import spacy
import srsly
import torch

from spacy_lstm_tagger.files.raw_text import read_docs
from spacy_lstm_tagger.network.weights import check_archive, check_weights
from spacy_lstm_tagger.runtime.graph_check import check_graph

REPOSITORY = Path(__file__).parent.parent


def test_some_hundred_damaged_inputs_of_every_loader() -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
    pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
    script = REPOSITORY / "benchmarks" / "fuzz.py"
    done = subprocess.run(
        [sys.executable, str(script), "--inputs", "800", "--seed", "3"],
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cells = [cell.strip() for cell in done.stdout.splitlines()[-1].strip("| ").split("|")]
    assert cells[:2] == ["all", "800"]
    assert int(cells[2]) > 0
    assert int(cells[3]) > 0
    assert cells[4:] == ["0"] * 5


@pytest.fixture
def component(make_nlp, randomize):
    """A tagger and the message that its model is saved as."""
    tagger = make_nlp().get_pipe("lstm_tagger")
    randomize(tagger)
    return tagger, srsly.msgpack_loads(tagger.to_bytes(exclude=["vocab"]))


def with_model(message: dict, change) -> bytes:
    model = srsly.msgpack_loads(message["model"])
    change(model)
    return srsly.msgpack_dumps({**message, "model": srsly.msgpack_dumps(model)})


def with_sizes(message: dict, **sizes) -> bytes:
    def change(model: dict) -> None:
        shim = srsly.msgpack_loads(model["shims"][2][0])
        shim["sizes"].update(sizes)
        model["shims"][2][0] = srsly.msgpack_dumps(shim)

    return with_model(message, change)


@pytest.mark.parametrize(
    "sizes",
    [
        {"n_words": 10**12},
        {"n_columns": 2**63 - 1},
        {"n_characters": -1},
        {"n_words": 1.5},
        {"affixes_per_form": 10**9},
        {"unknown": 1},
    ],
    ids=str,
)
def test_huge_and_odd_sizes_are_refused_before_memory_is_taken(component, sizes) -> None:
    tagger, message = component
    with pytest.raises(ValueError, match=r"^\[lstm_tagger\] Cannot load"):
        tagger.from_bytes(with_sizes(message, **sizes), exclude=["vocab"])
    assert tagger.to_bytes(exclude=["vocab"]) == srsly.msgpack_dumps(message)


CHANGES = {
    "foreign attribute": lambda m: m["attrs"][1].update(another=m["attrs"][1]["vocabulary"]),
    "foreign parameter": lambda m: m["params"][0].update(W=numpy.ones(3, dtype="float32")),
    "foreign dimension": lambda m: m["nodes"][0]["dims"].update(nX=3),
    "setting of another type": lambda m: m["attrs"][1].update(
        max_characters=srsly.msgpack_dumps("18")
    ),
    "setting out of range": lambda m: m["attrs"][1].update(max_characters=srsly.msgpack_dumps(-5)),
    "columns of another model": lambda m: m["attrs"][2].update(
        columns=srsly.msgpack_dumps({"tag": 2})
    ),
    "columns of no output": lambda m: m["attrs"][2].update(columns=srsly.msgpack_dumps({})),
    "window without an inside": lambda m: m["attrs"][2].update(window=srsly.msgpack_dumps(64)),
    "context out of range": lambda m: m["attrs"][2].update(context=srsly.msgpack_dumps(-1)),
    "smaller vocabulary": lambda m: m["attrs"][1].update(
        vocabulary=srsly.msgpack_dumps({"words": {"a": 1}, "characters": {"a": 1}})
    ),
    "other layer": lambda m: m["nodes"][0]["refs"].update(output_layer=1),
}


@pytest.mark.parametrize("what", CHANGES)
def test_parts_that_do_not_fit_are_refused_without_a_trace(component, what: str) -> None:
    tagger, message = component
    with pytest.raises(ValueError, match=r"^\[lstm_tagger\]"):
        tagger.from_bytes(with_model(message, CHANGES[what]), exclude=["vocab"])
    assert tagger.to_bytes(exclude=["vocab"]) == srsly.msgpack_dumps(message)


@pytest.mark.parametrize(
    "setting",
    [
        {"temperature": 0},
        {"temperature": "1"},
        {"temperature": None},
        {"label_smoothing": "0.1"},
        {"teacher_weight": 7},
        {"neg_prefix": 1},
        {"save_probabilities": -3},
        {"overwrite": 1},
        {"labels": ["N", "N", "V"]},
        {"labels": [1, 2, 3]},
        {"labels": {"N": 1}},
    ],
    ids=str,
)
def test_saved_setting_out_of_range_is_refused_by_name(component, setting: dict) -> None:
    tagger, message = component
    (name,) = setting
    cfg = srsly.json_dumps({**tagger.cfg, **setting})
    with pytest.raises(ValueError, match=rf"\[lstm_tagger\].*{name}"):
        tagger.from_bytes(srsly.msgpack_dumps({**message, "cfg": cfg}), exclude=["vocab"])
    assert tagger.to_bytes(exclude=["vocab"]) == srsly.msgpack_dumps(message)


def test_labels_without_the_vocab_of_training_are_known(component) -> None:
    tagger, message = component
    cfg = srsly.json_dumps({**tagger.cfg, "labels": ["never", "seen", "before"]})
    tagger.from_bytes(srsly.msgpack_dumps({**message, "cfg": cfg}), exclude=["vocab"])
    doc = spacy.tokens.Doc(tagger.vocab, words=["ham"])
    assert tagger(doc)[0].tag_ in ("never", "seen", "before")


class Payload:
    """Makes a directory when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("protocol", range(6))
def test_pickle_in_the_place_of_weights_does_not_run(component, tmp_path, protocol: int) -> None:
    tagger, message = component
    payload = pickle.dumps(Payload(tmp_path / "ran"), protocol=protocol)

    def change(model: dict) -> None:
        shim = srsly.msgpack_loads(model["shims"][2][0])
        model["shims"][2][0] = srsly.msgpack_dumps({**shim, "state": payload})

    with pytest.raises(ValueError, match=r"\[lstm_tagger\] Cannot load"):
        tagger.from_bytes(with_model(message, change), exclude=["vocab"])
    assert not (tmp_path / "ran").exists()
    pickle.loads(payload)
    assert (tmp_path / "ran").exists()  # the payload works where pickles are read


def saved(weights: dict) -> bytes:
    buffer = io.BytesIO()
    torch.save(weights, buffer)
    return buffer.getvalue()


def test_compressed_and_damaged_weights_are_refused() -> None:
    sound = saved({"w": torch.zeros(100_000)})
    check_archive(sound)
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(sound)) as archive,
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as other,
    ):
        for entry in archive.infolist():
            other.writestr(entry.filename, archive.read(entry))
    assert len(bomb.getvalue()) < len(sound) / 50
    with pytest.raises(ValueError, match="compressed"):
        check_archive(bomb.getvalue())
    middle = len(sound) // 2
    flipped = sound[:middle] + bytes([sound[middle] ^ 1]) + sound[middle + 1 :]
    with pytest.raises((ValueError, zipfile.BadZipFile), match=r"checksum|CRC"):
        check_archive(flipped)


@pytest.mark.parametrize(
    "values",
    [
        torch.zeros(3, dtype=torch.float16),
        torch.zeros(3, dtype=torch.int64),
        torch.zeros(1).expand(10**9),
        torch.tensor([float("nan")]),
        torch.zeros(3).to_sparse(),
        torch.zeros(3, device="meta"),
        [0.0],
    ],
    ids=["half", "whole numbers", "one number for many", "nan", "sparse", "none", "list"],
)
def test_weights_that_are_no_plain_tables_are_refused(values) -> None:
    with pytest.raises(ValueError, match="w is no table of finite numbers in float32"):
        check_weights({"w": values})


@pytest.mark.parametrize("name", ["Loop", "If", "Scan", "ConstantOfShape", "Anything"])
def test_graph_with_other_operators_is_refused(name: str) -> None:
    helper = pytest.importorskip("onnx").helper
    graph = helper.make_graph([helper.make_node(name, ["a"], ["b"])], "g", [], [])
    with pytest.raises(ValueError, match=f"operator b'{name}'"):
        check_graph(helper.make_model(graph).SerializeToString())


def test_graph_that_names_a_file_is_refused() -> None:
    onnx = pytest.importorskip("onnx")
    table = onnx.numpy_helper.from_array(numpy.ones(3, dtype="float32"), "w")
    node = onnx.helper.make_node("Add", ["w", "w"], ["b"])
    graph = onnx.helper.make_graph([node], "g", [], [], [table])
    check_graph(onnx.helper.make_model(graph).SerializeToString())
    graph.initializer[0].data_location = onnx.TensorProto.DEFAULT  # quantized weights say so
    check_graph(onnx.helper.make_model(graph).SerializeToString())
    graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    graph.initializer[0].external_data.add(key="location", value="../../etc/passwd")
    with pytest.raises(ValueError, match="names files"):
        check_graph(onnx.helper.make_model(graph).SerializeToString())


@pytest.mark.parametrize("data", [b"\x3a\xff", b"\x3f", b"\xff" * 12, "text", b"\x3a\x02\x0a\x7f"])
def test_graph_that_is_none_is_refused(data) -> None:
    with pytest.raises(ValueError, match="graph"):
        check_graph(data)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("raw.txt", b"\xff\xfe"),
        ("raw.txt.gz", b"no gzip"),
        ("raw.txt.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00"),
        ("raw.jsonl", b'{"text": "\\ud83d"}'),
        ("raw.spacy", b"no docs"),
    ],
)
def test_damaged_text_is_refused_by_the_name_of_its_file(name, data, tmp_path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=rf"{name}.*line|Cannot read .*{name}|{name} cannot be"):
        list(read_docs(tmp_path / name, spacy.blank("en")))

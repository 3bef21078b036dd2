"""Loaders to fuzz, each with a sound input. An input must load and work, or be refused clearly."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import spacy
import srsly
import torch
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from thinc.api import fix_random_seed

from spacy_lstm_tagger.distill.corpus import build_distillation_corpus_v1
from spacy_lstm_tagger.distill.labelling import label
from spacy_lstm_tagger.distill.teacher import Teacher
from spacy_lstm_tagger.files.raw_text import read_docs
from spacy_lstm_tagger.training.soft_targets import soft_targets

DATA = [("I like green eggs", "NVJN"), ("Eat blue ham", "VJN"), ("unlike unreal liking", "JJV")]
TEXTS = ["I like green eggs", "", "unheard-of wörds 👍 !", "ham " * 300]
MODEL = {
    "@architectures": "spacy-lstm-tagger.LSTMTagger.v1",
    **{"word_width": 8, "min_word_freq": 1, "affix_width": 4, "char_width": 8},
    **{"char_embed_width": 4, "max_characters": 8, "width": 16, "depth": 1},
}
OUTPUTS = ["tag", "pos", "morph", "lemma"]
POS = {"N": "NOUN", "V": "VERB", "J": "ADJ"}
MORPHS = {"N": "Case=Nom|Number=Sing", "V": "Tense=Pres", "J": "_"}


class Target(NamedTuple):
    """Loader to fuzz.

    data: sound input of the loader.
    form: form of the data, see `mutation.damage`.
    load: function that loads and uses data. To refuse it, it raises ValueError and nothing else.
    hostile: data that would run code in a careless loader. It is tried now and then.
    """

    data: bytes
    form: str
    load: Callable[[bytes], None]
    hostile: tuple[bytes, ...] = ()


class Payload:
    """Object that makes the directory EXECUTED when it is unpickled."""

    def __reduce__(self) -> tuple:
        return os.mkdir, (EXECUTED,)


EXECUTED = "executed"


def pickles() -> tuple[bytes, ...]:
    """Return payloads in a pickle of every protocol, and in a file of torch."""
    buffer = io.BytesIO()
    torch.save({"words.weight": Payload()}, buffer)
    return (*(pickle.dumps(Payload(), protocol=n) for n in range(6)), buffer.getvalue())


def make_targets(directory: Path) -> dict[str, Target]:
    """Return all loaders by name. Their files are made in the directory."""
    nlp = trained()
    nlp.to_disk(directory / "model")
    exported = spacy.load(_export(directory))
    return {
        "model": _component(nlp),
        "weights": _weights(nlp),
        "settings": _cfg(nlp, directory),
        "vocabulary": _vocabulary(nlp),
        "export": _component(exported),
        "graph": _graph(exported),
        **_texts(nlp, directory),
        "taught": _taught(nlp, directory),
    }


def trained() -> Language:
    """Return a pipeline with a small tagger and random weights."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": MODEL, "outputs": OUTPUTS})
    nlp.initialize(lambda: _examples(nlp))
    nlp.update(_examples(nlp))  # learns which parts of speech go with each tag
    shim = nlp.get_pipe("lstm_tagger").model.layers[1].shims[0]
    for parameter in shim.module.parameters():
        parameter.data.normal_(std=0.5)
    shim.weights_changed()
    return nlp


def _examples(nlp: Language) -> list[Example]:
    golds = [
        {
            "tags": list(tags),
            "pos": [POS[tag] for tag in tags],
            "morphs": [MORPHS[tag] for tag in tags],
            "lemmas": [word.lower().rstrip("s") for word in text.split()],
        }
        for text, tags in DATA
    ]
    pairs = zip(DATA, golds, strict=True)
    return [Example.from_dict(nlp.make_doc(text), gold) for (text, _), gold in pairs]


def _export(directory: Path) -> Path:
    from spacy_lstm_tagger.cli.export import export_cli

    export_cli(str(directory / "model"), directory / "exported", "float32")
    return directory / "exported"


def use(nlp: Language) -> None:
    """Annotate some texts. Raises AssertionError if a token lacks anything, or a probability."""
    tagger = nlp.get_pipe("lstm_tagger")
    combinations = tagger.labels_of("morph")
    for doc in nlp.pipe(TEXTS):
        assert all(token.tag_ in tagger.labels for token in doc)
        assert all(token.pos_ and token.lemma_ for token in doc)
        assert all((str(token.morph) or "_") in combinations for token in doc)
    for rows in tagger.predict_probabilities([nlp.make_doc(text) for text in TEXTS]):
        assert rows.shape[1] == len(tagger.labels)


def _component(nlp: Language) -> Target:
    """Return the loader of a whole component's bytes, without its strings, which spaCy reads."""
    tagger = nlp.get_pipe("lstm_tagger")
    sound, cfg = tagger.to_bytes(exclude=["vocab"]), dict(tagger.cfg)

    def load(data: bytes) -> None:
        try:
            tagger.from_bytes(data, exclude=["vocab"])
        except ValueError:
            assert tagger.to_bytes(exclude=["vocab"]) == sound, "a refused load left its traces"
            raise
        try:
            use(nlp)
        finally:
            tagger.cfg.clear()  # loading keeps settings that are not in the data
            tagger.cfg.update(cfg)  # in this order, as the bytes are compared
            tagger.from_bytes(sound, exclude=["vocab"])

    return Target(sound, "msgpack", load, pickles())


def _weights(nlp: Language) -> Target:
    """Return the loader of torch's own file in the model."""
    tagger = nlp.get_pipe("lstm_tagger")
    shim = tagger.model.layers[1].shims[0]
    message = srsly.msgpack_loads(shim.to_bytes())

    def load(data: bytes) -> None:
        shim.from_bytes(srsly.msgpack_dumps({**message, "state": data}))
        use(nlp)

    return Target(message["state"], "bytes", load, pickles())


def _cfg(nlp: Language, directory: Path) -> Target:
    """Return the loader of the component's file of settings, labels and temperature."""
    tagger, path = nlp.get_pipe("lstm_tagger"), directory / "model" / "lstm_tagger"
    sound = {**tagger.cfg, "temperature": 1.5}

    def load(data: bytes) -> None:
        (path / "cfg").write_bytes(data)
        try:
            tagger.from_disk(path, exclude=["vocab"])
            use(nlp)
            nlp.update(_examples(nlp))
        finally:
            (path / "cfg").write_text(srsly.json_dumps(sound))
            tagger.from_disk(path, exclude=["vocab"])

    return Target(srsly.json_dumps(sound).encode(), "json", load)


def _vocabulary(nlp: Language) -> Target:
    """Return the loader of the file that `lstm-tagger vocab` writes and [initialize] reads."""
    attrs = nlp.get_pipe("lstm_tagger").model.layers[0].attrs
    sound = srsly.json_dumps(attrs["vocabulary"].to_dict()).encode()

    def load(data: bytes) -> None:
        try:
            vocabulary = srsly.json_loads(data)
        except ValueError as error:  # spaCy's own reader reads the file
            raise ValueError("vocabulary: not JSON") from error
        other = spacy.blank("en")
        tagger = other.add_pipe("lstm_tagger", config={"model": MODEL, "outputs": OUTPUTS})
        tagger.initialize(lambda: _examples(other), nlp=other, vocabulary=vocabulary)
        use(other)

    return Target(sound, "json", load)


def _graph(exported: Language) -> Target:
    """Return the loader of an ONNX file in the model."""
    shim = exported.get_pipe("lstm_tagger").model.layers[1].shims[0]
    graphs = dict(shim.graphs)
    sound = graphs["encode"]

    def load(data: bytes) -> None:
        try:
            shim.from_bytes(srsly.msgpack_dumps({**graphs, "encode": data}))
            use(exported)
        finally:
            shim.set_graphs(graphs)

    return Target(sound, "bytes", load)


def _texts(nlp: Language, directory: Path) -> dict[str, Target]:
    """Return the loaders of raw text for `distill` and `uncertain`."""
    lines = "\n".join(srsly.json_dumps({"text": text}) for text in TEXTS).encode()
    docs = DocBin(docs=[nlp.make_doc(text) for text in TEXTS]).to_bytes()
    files = {"raw.jsonl": lines, "raw.jsonl.gz": gzip.compress(lines), "raw.spacy": docs}

    def loader(path: Path) -> Callable[[bytes], None]:
        def load(data: bytes) -> None:
            path.write_bytes(data)
            assert all(len(doc) for doc in read_docs(path, nlp))

        return load

    return {
        f"text ({name})": Target(data, "bytes", loader(directory / name))
        for name, data in files.items()
    }


def _taught(nlp: Language, directory: Path) -> Target:
    """Return the loader of a file that `distill` wrote and the training corpus reads."""
    docs: list[Doc] = [nlp.make_doc(text) for text in TEXTS if text]
    taught = label(docs, [Teacher(trained(), 1.0)], 3, n_process=1, batch_size=9)
    sound = DocBin(store_user_data=True, docs=taught, attrs=["TAG", "POS", "SPACY"])
    labels = nlp.get_pipe("lstm_tagger").labels
    path = directory / "taught.spacy"
    message = zlib_message(sound.to_bytes())

    def load(data: bytes) -> None:
        path.write_bytes(zlib_bytes(data))
        read = build_distillation_corpus_v1(gold=lambda nlp: [], teacher=path)
        soft_targets(list(read(nlp)), "tag", labels)

    return Target(message, "msgpack", load)


def zlib_message(data: bytes) -> bytes:
    """Return the msgpack in the bytes of a `DocBin`."""
    return zlib.decompress(data)


def zlib_bytes(message: bytes) -> bytes:
    """Return the bytes of a `DocBin` with this msgpack, as the reverse of `zlib_message`."""
    return zlib.compress(message)


def scratch() -> Any:
    """Return a temporary directory for the files, as a context that removes it at the end."""
    return tempfile.TemporaryDirectory(prefix="fuzz-")

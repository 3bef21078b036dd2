"""Small pipelines saved under one set of libraries, to be loaded under others.

    python tools/small_models.py save DIRECTORY
    python tools/small_models.py load OUTPUT DIRECTORY...

`save` writes the versions of the libraries at hand to `versions.json`, and, where torch is
installed, three taggers: of torch, exported in float32 and in int8, with what they make of a
sentence. `load` loads each and writes, as JSON, for each directory and tagger whether it makes
the same of that sentence. `noxfile.py` calls both in each of its environments.
"""

import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy
import spacy
from spacy.language import Language
from spacy.training import Example
from thinc.api import fix_random_seed

from spacy_lstm_tagger.runtime.export import export_tagger

LIBRARIES = ("spacy", "thinc", "numpy", "torch", "onnxruntime")
DATA = {
    "She saw green eggs": {
        "tags": ["PRP", "VBD", "JJ", "NNS"],
        "pos": ["PRON", "VERB", "ADJ", "NOUN"],
        "morphs": ["Case=Nom|Person=3", "Tense=Past", "Degree=Pos", "Number=Plur"],
        "lemmas": ["she", "see", "green", "egg"],
    },
    "The saw cuts blue ham": {
        "tags": ["DT", "NN", "VBZ", "JJ", "NN"],
        "pos": ["DET", "NOUN", "VERB", "ADJ", "NOUN"],
        "morphs": ["Definite=Def", "Number=Sing", "Tense=Pres", "Degree=Pos", "Number=Sing"],
        "lemmas": ["the", "saw", "cut", "blue", "ham"],
    },
}
UPDATES = 60
SENTENCE = "She saw the blue eggs and cuts unheard-of hams 👍"
KINDS = {"torch": 1e-5, "float32": 1e-5, "int8": 0.05}
"""Kinds of taggers, with the largest difference of scores: 8-bit sums depend on the CPU."""


def versions() -> dict[str, str]:
    """Return the versions of Python and the libraries, "none" for one that is not installed."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def train() -> Language:
    """Return a pipeline with a small tagger of all outputs, trained on the sentences of `DATA`."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    examples = [Example.from_dict(nlp.make_doc(text), gold) for text, gold in DATA.items()]
    model = {
        "@architectures": "spacy-lstm-tagger.LSTMTagger.v1",
        **{"word_width": 16, "min_word_freq": 1, "char_width": 16, "width": 32, "depth": 1},
    }
    outputs = ["tag", "pos", "morph", "lemma"]
    nlp.add_pipe("lstm_tagger", config={"model": model, "outputs": outputs})
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(UPDATES):
        nlp.update(examples, sgd=optimizer)
    return nlp


def made_of_sentence(nlp: Language) -> tuple[list[list[str]], numpy.ndarray]:
    """Return what the pipeline sets for each word of the sentence, and its scores."""
    doc = nlp(SENTENCE)
    annotation = [[t.text, t.tag_, t.pos_, str(t.morph), t.lemma_] for t in doc]
    return annotation, nlp.get_pipe("lstm_tagger").model.predict([nlp.make_doc(SENTENCE)])[0]


def save(directory: Path) -> None:
    """Write the versions, and the taggers if torch is installed."""
    directory.mkdir(parents=True, exist_ok=True)
    found = versions()
    (directory / "versions.json").write_text(json.dumps(found), encoding="utf8")
    if found["torch"] == "none":
        return
    train().to_disk(directory / "torch")
    for kind in KINDS:
        nlp = spacy.load(directory / "torch")
        if kind != "torch":
            export_tagger(nlp, "lstm_tagger", kind)
            nlp.to_disk(directory / kind)
        annotation, scores = made_of_sentence(nlp)
        numpy.savez(directory / f"{kind}.npz", annotation=annotation, scores=scores)


def compare(directory: Path, kind: str) -> str:
    """Load a tagger that was saved, and return "same", or how it differs or why it does not load.

    A tagger of torch where torch is not installed has to be refused by name: "needs torch".
    """
    with numpy.load(directory / f"{kind}.npz") as expected:
        annotation, scores = expected["annotation"].tolist(), expected["scores"]
    try:
        nlp = spacy.load(directory / kind)
        found, found_scores = made_of_sentence(nlp)
    except ImportError as error:
        refused = kind == "torch" and versions()["torch"] == "none" and "needs torch" in str(error)
        return "needs torch" if refused else f"ImportError: {error}"
    except Exception as error:  # to go on with the next one
        return f"{type(error).__name__}: {error}"
    if found != annotation:
        return f"{sum(a != b for a, b in zip(found, annotation, strict=True))} words differ"
    difference = float(abs(scores - found_scores).max())
    return "same" if difference <= KINDS[kind] else f"scores differ by {difference:.1g}"


def load(directories: list[Path]) -> dict[str, dict[str, str]]:
    """Return what `compare` says of each kind in each of the directories."""
    return {
        path.name: {kind: compare(path, kind) for kind in KINDS if (path / kind).is_dir()}
        for path in directories
    }


def main(command: str, *arguments: str) -> None:
    """Run a command of the two."""
    first, *others = map(Path, arguments)
    if command == "save":
        save(first)
    else:
        first.write_text(json.dumps(load(others)), encoding="utf8")


if __name__ == "__main__":
    main(*sys.argv[1:])

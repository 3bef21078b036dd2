"""Tag sentences on the CPU that runs this process, real or emulated, and save what was found.

    python -m measuring.machine_worker JOB.json DIRECTORY

JOB.json has "sentences", lists of words; "batch", how many are tagged at once; "models", by name
the path of a pipeline and settings of its model; and "torch", the path of a pipeline of torch to
ask about `precision = "auto"`, or null. Each model's tags and scores are written to NAME.npz in the
directory, and what the CPU and the libraries say to `about.json`.
"""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_lstm_tagger.pipeline.probabilities import probabilities_of, score_tokens, tags_of

NAME = "lstm_tagger"


def main(job_file: Path, directory: Path) -> None:
    """Do the job."""
    job = json.loads(job_file.read_text(encoding="utf8"))
    for name, (path, settings) in job["models"].items():
        found = tag(_load(path, settings), job["sentences"], job["batch"])
        numpy.savez(directory / f"{name}.npz", **found)
    about = {
        "architecture": platform.machine(),
        "instructions": instructions(),
        "python": platform.python_version(),
        "torch": torch_says(job["torch"]) if job["torch"] else None,
        "versions": {name: version(name) for name in ("spacy", "thinc", "numpy", "onnxruntime")},
    }
    (directory / "about.json").write_text(json.dumps(about), encoding="utf8")


def tag(nlp: Language, sentences: list[list[str]], batch: int) -> dict[str, numpy.ndarray]:
    """Tag the sentences; return arrays with a row for each word.

    batch: number of sentences that are read at once.
    Returns "tags"; "annotation", the part of speech, features and lemma in one; "scores", logits of
    all outputs, shape (n_words, n_scores); and "probabilities" of tags, shape (n_words, n_tags).
    """
    tagger: Any = nlp.get_pipe(NAME)
    rows, docs = [], []
    remaining = iter(sentences)
    while part := [Doc(nlp.vocab, words=words) for words in islice(remaining, batch)]:
        rows.append(score_tokens(tagger, part))
        docs += nlp.pipe(part, batch_size=batch)
    scores = numpy.concatenate(rows)
    tokens = [token for doc in docs for token in doc]
    return {
        "tags": numpy.asarray([token.tag_ for token in tokens]),
        "annotation": numpy.asarray([f"{t.pos_} {t.morph} {t.lemma_}" for t in tokens]),
        "scores": scores,
        "probabilities": probabilities_of(tagger, tags_of(tagger, scores)),
    }


def instructions() -> list[str]:
    """Return the names of the instruction sets that numpy finds on this CPU."""
    from numpy._core._multiarray_umath import __cpu_features__

    return [name for name, found in __cpu_features__.items() if found]


def torch_says(path: str) -> dict[str, Any]:
    """Return what torch says of the CPU, what `auto` takes, and whether bfloat16 is computed.

    path: a pipeline of torch.
    """
    import torch

    from spacy_lstm_tagger.network.precision import Bfloat16Network, make_predictor
    from spacy_lstm_tagger.runtime.session import QuantizedEncoder

    shim: Any = _load(path, {}).get_pipe(NAME).model.get_ref("output_layer").shims[0]

    def taken(precision: str) -> str:
        try:
            found = make_predictor(shim.module, precision=precision, quantize=QuantizedEncoder)
        except ValueError:
            return "refused"
        return "bfloat16" if isinstance(found, Bfloat16Network) else "float32"

    return {
        "version": torch.__version__,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "bfloat16_claimed": bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()),
        "auto": taken("auto"),
        "bfloat16": taken("bfloat16"),
    }


def _load(path: str, settings: dict[str, Any]) -> Language:
    return spacy.load(path, config={"components": {NAME: {"model": settings}}})


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

"""Process of `Checkout`: loads a pipeline with the code of a checkout, and tags when told to.

Reads the name of a task and answers when its docs are made; reads "run" and answers when they are
tagged.
"""

from __future__ import annotations

import inspect
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import spacy
import torch
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.util import registry
from thinc.api import Config

from .work import Work

OURS = "spacy_lstm_tagger"


def main(installed: Path, model: Path, data: Path, precision: str) -> None:
    """Load, or export and load, the pipeline; then do what the standard input says."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        path = _with_known_settings(model, Path(name) / "known")
        if precision != "torch":
            exported = Path(name) / "exported"
            command = [sys.executable, "-m", "spacy", "lstm-tagger", "export", path, exported]
            command += ["--precision", precision]
            done = subprocess.run(command, stdout=sys.stderr)
            if done.returncode:
                sys.exit(f"'spacy lstm-tagger export' ended with status {done.returncode}")
            path = exported
        nlp = spacy.load(path)
    docs = DocBin().from_disk(data).get_docs(nlp.vocab)
    work = Work([sent.as_doc() for doc in docs for sent in doc.sents])
    files = [m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == OURS]
    if other := [file for file in files if not Path(file or "").is_relative_to(installed)]:
        sys.exit(f"{other[0]} is not of the checkout")
    _answer()
    run: Callable[[], object] = list
    for line in map(str.strip, sys.stdin):
        if line == "run":
            run()
        else:
            run = work.prepare(line, nlp)
        _answer()


def _with_known_settings(model: Path, copy: Path) -> Path:
    """Copy a pipeline without the settings that the checkout's code does not know."""
    shutil.copytree(model, copy)
    config = Config().from_disk(copy / "config.cfg", interpolate=False)
    spacy.blank("xx")  # the first pipeline loads the factories
    for settings in config["components"].values():
        if settings["factory"].startswith("lstm_tagger"):
            known = Language.get_factory_meta(settings["factory"]).default_config
            _keep(settings, {"factory", *known})
        block = settings.get("model", {})
        if str(block.get("@architectures")).startswith("spacy-lstm-tagger."):
            build = registry.architectures.get(block["@architectures"])
            _keep(block, {"@architectures", *inspect.signature(build).parameters})
    config.to_disk(copy / "config.cfg", interpolate=False)
    return copy


def _keep(settings: dict, known: set[str]) -> None:
    for name in set(settings) - known:
        print(f"left out: {name} = {settings.pop(name)}", file=sys.stderr)


def _answer() -> None:
    print("done", flush=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), sys.argv[4])

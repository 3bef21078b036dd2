"""Load a component's files completely, or leave it as it was and say why."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import srsly
from spacy.pipeline.tagger import Tagger


def check_files(name: str, directory: Path, fields: Iterable[str]) -> None:
    """Raise ValueError where a file of a component's directory is missing.

    spaCy takes a missing 'cfg' for an empty one, and so a model without labels.
    """
    for field in sorted(fields):
        if not (directory / field).is_file():
            raise ValueError(
                f"[{name}] The model directory {directory} has no file '{field}': it is "
                "incomplete. Copy it again, or train anew."
            )


@contextlib.contextmanager
def all_or_nothing(tagger: Tagger) -> Iterator[None]:
    """On any error inside the context put back the component's settings and weights.

    The vocab, which is shared, is not put back: load it last, once all else has proved sound.
    Raises ValueError, whatever went wrong.
    """
    cfg, model = srsly.json_dumps(tagger.cfg), tagger.model.to_dict()
    try:
        yield
    except Exception as error:
        tagger.cfg = srsly.json_loads(cfg)
        for node, saved in zip(tagger.model.walk(), model["nodes"], strict=True):
            for dim, value in saved["dims"].items():
                node.set_dim(dim, value, force=True)
        tagger.model.from_dict(model)
        if isinstance(error, ValueError) and str(error).startswith("["):
            raise
        raise ValueError(
            f"[{tagger.name}] Cannot load the component. Its files are damaged, or were saved "
            "with other [model] settings than this pipeline's: copy the model directory again, "
            f"or train anew. ({type(error).__name__}: {error})"
        ) from error


def check_labels(tagger: Tagger) -> None:
    """Raise ValueError where the model has another number of outputs than there are labels."""
    nO = tagger.model.maybe_get_dim("nO")
    if nO is not None and nO != len(tagger.labels):
        raise ValueError(
            f"[{tagger.name}] The model scores {nO} labels, but 'cfg' lists "
            f"{len(tagger.labels)}. The files come from different models: copy the model "
            "directory again."
        )

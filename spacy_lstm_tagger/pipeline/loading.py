"""Load a component's files completely, or leave it as it was and say why."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import srsly
from spacy.pipeline.tagger import Tagger
from thinc.api import Model

from ..features.extractor import sizes_of
from ..features.vocabulary import Vocabulary
from ..outputs.pos import PARTS_OF_SPEECH
from ..settings import check_bool, check_int, check_share, check_text
from .kept_probabilities import check_setting

PARTS = ("nodes", "attrs", "params", "shims")
"""What thinc saves of every node of a model."""


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
def all_or_nothing(tagger: Tagger) -> Iterator[list[dict[str, Any]]]:
    """On any error inside the context put back the component's settings and weights.

    The vocab, which is shared, is not put back: load it last, once all else has proved sound.
    Yields the attributes that the model's nodes had.
    Raises ValueError, whatever went wrong.
    """
    cfg, model = srsly.json_dumps(tagger.cfg), tagger.model.to_dict()
    nodes = list(tagger.model.walk())
    names, attrs = [node.name for node in nodes], [dict(node.attrs) for node in nodes]
    try:
        yield attrs
    except Exception as error:
        tagger.cfg = srsly.json_loads(cfg)
        for node, saved, name, attr in zip(nodes, model["nodes"], names, attrs, strict=True):
            for dim, value in saved["dims"].items():
                node.set_dim(dim, value, force=True)
            node.attrs.clear()
            node.attrs.update(attr)
            node.name = name
        tagger.model.from_dict(model)
        if isinstance(error, ValueError) and str(error).startswith(f"[{tagger.name}]"):
            raise
        raise ValueError(
            f"[{tagger.name}] Cannot load the component. Its files are damaged, or were saved "
            "with other [model] settings than this pipeline's: copy the model directory again, "
            f"or train anew. ({type(error).__name__}: {error})"
        ) from error


def saved_model(component: bytes) -> bytes:
    """The model in the bytes of a component."""
    return srsly.msgpack_loads(component)["model"]


def check_message(model: Model, data: bytes) -> None:
    """Raise an error where a saved model has parts that this one does not have.

    thinc takes them over, whatever they are, and they could not be put back.
    """
    message, nodes = srsly.msgpack_loads(data), list(model.walk())
    if any(len(message[part]) != len(nodes) for part in PARTS):
        raise ValueError(f"the saved model has not the {len(nodes)} layers of this one")
    ours = any("vocabulary" in node.attrs for node in nodes)
    for node, info, attrs, params, shims in zip(
        nodes, *(message[part] for part in PARTS), strict=True
    ):
        known = not ours or set(attrs) <= set(node.attrs)
        known = known and set(info["dims"]) <= set(node.dim_names)
        known = known and set(params) <= set(node.param_names)
        known = known and set(info["refs"]) <= set(node.ref_names) and isinstance(info["name"], str)
        if not known or len(shims) != len(node.shims):
            raise ValueError(f"the saved model has parts that the layer {node.name!r} has not")
        sizes = [n for n in info["dims"].values() if n is not None]
        if not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in sizes):
            raise ValueError(f"the layer {node.name!r} has the sizes {info['dims']}")


def check_loaded(tagger: Tagger, before: list[dict[str, Any]]) -> None:
    """Raise ValueError where what was loaded is sound in itself, but does not fit together.

    before: the attributes that the model's nodes had before.
    """
    _check_cfg(tagger.name, tagger.cfg)
    _check_labels(tagger)
    for node, attrs in zip(tagger.model.walk(), before, strict=True):
        for name, value in node.attrs.items():
            _check_attr(node, name, attrs.get(name), value)
    _check_network(tagger)


def _check_cfg(name: str, cfg: dict[str, Any]) -> None:
    labels = cfg["labels"]
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ValueError(f"[{name}] 'labels' in 'cfg' is no list of texts: {str(labels)[:80]}")
    if len(set(labels)) != len(labels):
        raise ValueError(f"[{name}] 'labels' in 'cfg' lists a label twice.")
    check_share(name, "label_smoothing", cfg.get("label_smoothing", 0.0), below=True)
    check_share(name, "teacher_weight", cfg.get("teacher_weight", 1.0))
    check_text(name, "neg_prefix", cfg.get("neg_prefix"))
    check_setting(name, cfg.get("save_probabilities", False))
    check_bool("overwrite", cfg.get("overwrite", False))
    known = cfg.get("pos_of_tags", {})
    sound = isinstance(known, dict)
    sound = sound and all(isinstance(names, list) and names for names in known.values())
    if not sound or any(name not in PARTS_OF_SPEECH for names in known.values() for name in names):
        raise ValueError(f"[{name}] 'pos_of_tags' in 'cfg' maps no tags to parts of speech.")
    temperature = cfg.get("temperature", 1.0)
    if not _is_number(temperature) or not 1e-3 <= temperature <= 1e3:
        raise ValueError(
            f"[{name}] temperature is {temperature!r} in 'cfg', but must be from 0.001 to 1000. "
            "Fit it again with `python -m spacy lstm-tagger calibrate`."
        )


def _check_labels(tagger: Tagger) -> None:
    nO = tagger.model.maybe_get_dim("nO")
    if nO is not None and nO != len(tagger.labels):
        raise ValueError(
            f"[{tagger.name}] The model scores {nO} labels, but 'cfg' lists "
            f"{len(tagger.labels)}. The files come from different models: copy the model "
            "directory again."
        )


def _check_attr(node: Model, name: str, before: Any, value: Any) -> None:
    same = type(value) is type(before) or (_is_number(value) and _is_number(before))
    if before is not None and not same:
        raise ValueError(f"{name} of the layer {node.name!r} is {str(value)[:80]!r}")
    if name == "predict_pos" and value != before:
        raise ValueError(f"predict_pos is {before} in the [model] settings, but was {value}")


def _check_network(tagger: Tagger) -> None:
    """Check that the network has a row for whatever the features can refer to."""
    features = [
        node for node in tagger.model.walk() if isinstance(node.attrs.get("vocabulary"), Vocabulary)
    ]
    if not features:
        return  # another architecture
    attrs = features[0].attrs
    check_int("min_word_freq", attrs["min_word_freq"], least=1)
    check_int("max_characters", attrs["max_characters"], least=2)
    output = tagger.model.get_ref("output_layer")
    sizes = sizes_of(attrs["vocabulary"], 0)._asdict()
    output.shims[0].check_sizes(
        {**sizes, "n_tags": len(tagger.labels)}, vectors=attrs["include_static_vectors"]
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)

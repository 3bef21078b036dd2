"""Load a component's files completely, or leave it as it was and say why."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import srsly
from spacy.pipeline.tagger import Tagger
from thinc.api import Model

from ..features.extractor import vocabulary_of
from ..features.tables import sizes_of
from ..outputs import columns_for, columns_of, deferred_of, make_outputs, outputs_of, set_columns
from ..outputs.output import Output
from ..settings import (
    ENVIRONMENT_ERRORS,
    check_bool,
    check_int,
    check_label_list,
    check_share,
    check_text,
)
from .kept_probabilities import check_setting

PARTS = ("nodes", "attrs", "params", "shims")
"""Parts of a node of a model that thinc saves."""

RETIRED_ATTRS = {"predict_pos"}
"""Attributes of nodes that earlier versions saved: "columns" says the same now."""


def check_files(name: str, directory: Path, fields: Iterable[str]) -> None:
    """Raise ValueError if a file of a component's directory is missing.

    spaCy takes a missing 'cfg' for an empty one, and so a model without labels.
    """
    for field in sorted(fields):
        if not (directory / field).is_file():
            raise ValueError(
                f"[{name}] The model directory {directory} has no file '{field}': it is "
                "incomplete. Copy it again, or train again."
            )


@contextlib.contextmanager
def all_or_nothing(tagger: Tagger) -> Iterator[list[dict[str, Any]]]:
    """On any error inside the context restore the component, and say that its files are at fault.

    The vocab, which is shared, is not restored: load it last, once all else has proved sound.
    Yields the attributes that the model's nodes had.
    Raises ValueError, whatever is wrong with the files. Errors about the environment, such as a
    library that is not installed, pass through unchanged.
    """
    try:
        with restored_after_errors(tagger) as attrs:
            yield attrs
    except ENVIRONMENT_ERRORS:
        raise
    except Exception as error:
        if isinstance(error, ValueError) and str(error).startswith(f"[{tagger.name}]"):
            raise
        raise ValueError(
            f"[{tagger.name}] Cannot load the component. Its files are damaged, or were saved "
            "with other [model] settings than this pipeline's: copy the model directory again, "
            f"or train again. ({type(error).__name__}: {error})"
        ) from error


@contextlib.contextmanager
def restored_after_errors(tagger: Tagger) -> Iterator[list[dict[str, Any]]]:
    """On any error inside the context restore the component's settings, labels and weights.

    Yields the attributes that the model's nodes had.
    """
    cfg, model = srsly.json_dumps(tagger.cfg), tagger.model.to_dict()
    nodes = list(tagger.model.walk())
    names, attrs = [node.name for node in nodes], [dict(node.attrs) for node in nodes]
    try:
        yield attrs
    except BaseException:
        tagger.cfg = srsly.json_loads(cfg)
        for node, saved, name, attr in zip(nodes, model["nodes"], names, attrs, strict=True):
            for dim, value in saved["dims"].items():
                node.set_dim(dim, value, force=True)
            node.attrs.clear()
            node.attrs.update(attr)
            node.name = name
        tagger.model.from_dict(model)
        raise


def saved_model(component: bytes) -> bytes:
    """Return the model in the bytes of a component."""
    return srsly.msgpack_loads(component)["model"]


def check_message(model: Model[Any, Any], data: bytes) -> None:
    """Raise an error if a saved model has parts that this one does not have.

    thinc takes them over, whatever they are, and they could not be restored.
    """
    message, nodes = srsly.msgpack_loads(data), list(model.walk())
    if any(len(message[part]) != len(nodes) for part in PARTS):
        raise ValueError(f"the saved model does not have the {len(nodes)} layers of this one")
    ours = vocabulary_of(model) is not None
    for node, info, attrs, params, shims in zip(
        nodes, *(message[part] for part in PARTS), strict=True
    ):
        known = not ours or set(attrs) <= {*node.attrs, *RETIRED_ATTRS}
        known = known and set(info["dims"]) <= set(node.dim_names)
        known = known and set(params) <= set(node.param_names)
        known = known and set(info["refs"]) <= set(node.ref_names) and isinstance(info["name"], str)
        if not known or len(shims) != len(node.shims):
            raise ValueError(f"the saved model has parts that the layer {node.name!r} has not")
        sizes = [n for n in info["dims"].values() if n is not None]
        if not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in sizes):
            raise ValueError(f"the layer {node.name!r} has the sizes {info['dims']}")


def forget_number_of_labels(model: Model[Any, Any]) -> None:
    """Let a model be loaded whatever the number of its labels: the file has the right one.

    thinc would refuse another number than that of the settings or of the present weights.
    """
    if vocabulary_of(model) is not None:
        for node in (model, model.get_ref("output_layer")):
            node.set_dim("nO", cast(int, None), force=True)


def check_loaded(tagger: Tagger, before: list[dict[str, Any]]) -> None:
    """Raise ValueError if what was loaded is sound in itself, but does not fit together.

    before: the attributes that the model's nodes had before.
    """
    for node, attrs in zip(tagger.model.walk(), before, strict=True):
        for retired in RETIRED_ATTRS - set(attrs):
            node.attrs.pop(retired, None)
        for name, value in node.attrs.items():
            _check_attr(node, name, attrs.get(name), value)
    outputs = make_outputs(outputs_of(columns_of(tagger.model)))
    _check_cfg(tagger.name, tagger.cfg, outputs)
    _check_columns(tagger, outputs)
    _check_network(tagger)


def _check_attr(node: Model[Any, Any], name: str, before: Any, value: Any) -> None:
    same = type(value) is type(before) or (_is_number(value) and _is_number(before))
    if before is not None and not same:
        raise ValueError(f"{name} of the layer {node.name!r} is {str(value)[:80]!r}")
    if name == "columns" and before and outputs_of(value) != outputs_of(before):
        raise ValueError(f"the settings are for {outputs_of(before)}, not {outputs_of(value)}")
    if name == "window":
        check_int("context", node.attrs["context"], least=0)
        check_int("window", value, least=2 * node.attrs["context"] + 1)


def _check_cfg(name: str, cfg: dict[str, Any], outputs: Iterable[Output]) -> None:
    check_label_list(name, cfg["labels"])
    check_share(name, "label_smoothing", cfg["label_smoothing"], below=True)
    check_share(name, "teacher_weight", cfg["teacher_weight"])
    check_text(name, "neg_prefix", cfg["neg_prefix"])
    check_setting(name, cfg["save_probabilities"], cfg["outputs"])
    if not isinstance(cfg["language"], str):
        raise ValueError(f"[{name}] 'language' in 'cfg' is no code: {str(cfg['language'])[:80]}")
    if cfg["outputs"] != (names := [output.name for output in outputs]):
        raise ValueError(
            f"[{name}] The model predicts {names}, but 'cfg' says {cfg['outputs']}. The files come "
            "from different models: copy the model directory again."
        )
    check_bool("overwrite", cfg["overwrite"])
    if not isinstance(cfg["temperatures"], dict):
        raise ValueError(f"[{name}] 'temperatures' in 'cfg' is not one for each output.")
    for temperature in (cfg["temperature"], *cfg["temperatures"].values()):
        if not _is_number(temperature) or not 1e-3 <= temperature <= 1e3:
            raise ValueError(
                f"[{name}] temperature is {temperature!r} in 'cfg', but must be from 0.001 to "
                "1000. Fit it again with `python -m spacy lstm-tagger calibrate`."
            )
    for output in outputs:
        output.check(cfg, name)


def _check_columns(tagger: Tagger, outputs: Iterable[Output]) -> None:
    """Check that the model has a column for every label, and tell it if it was not saved."""
    nO = tagger.model.maybe_get_dim("nO")
    columns = columns_for(outputs, tagger.cfg)
    found = columns_of(tagger.model)
    others = any(found.values()) and list(found.items()) != list(columns.items())
    if nO is not None and (nO != next(iter(columns.values())) or others):
        raise ValueError(
            f"[{tagger.name}] The model scores {found} labels, nO = {nO}, but 'cfg' lists "
            f"{columns}. The files come from different models: copy the model directory again."
        )
    if nO is not None:
        set_columns(tagger.model, columns)


def _check_network(tagger: Tagger) -> None:
    """Check that the network has a row for whatever the features can refer to."""
    vocabulary = vocabulary_of(tagger.model)
    if vocabulary is None:
        return  # another architecture
    attrs = tagger.model.get_ref("features").attrs
    check_int("min_word_freq", attrs["min_word_freq"], least=1)
    check_int("max_characters", attrs["max_characters"], least=2)
    sizes = sizes_of(vocabulary, 0)
    columns = columns_of(tagger.model)
    n_deferred = sum(columns[block] for block in deferred_of(columns))
    columns_now = {"n_columns": sum(columns.values()) - n_deferred, "n_deferred": n_deferred}
    tagger.model.get_ref("output_layer").shims[0].check_sizes(
        {**sizes, **columns_now}, vectors=attrs["include_static_vectors"]
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def prepare_loaded(tagger: Any) -> None:
    """Prepare a component for predicting with what it has loaded."""
    for output in tagger.outputs:
        output.prepare(tagger.vocab, tagger.cfg)

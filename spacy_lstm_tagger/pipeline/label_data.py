"""Labels that are given to `initialize`, such as those of `spacy init labels`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..outputs.output import Cfg, Output

REMEDY = "Make them with `spacy init labels` and the same config."


def given_labels(labels: Any, outputs: Sequence[Output], name: str) -> dict[str, Any]:
    """Return what is given for each key of the outputs.

    labels: tags alone, what all outputs know, or None for nothing.
    name: the component's, for messages.
    Raises ValueError if it is neither.
    """
    names = [output.name for output in outputs]
    given = labels if isinstance(labels, dict) else {"labels": labels}
    known = {"labels", *(key for output in outputs for key in output.learned)}
    if other := sorted(map(str, set(given) - known)):
        raise ValueError(
            f"[{name}] The labels to initialize with have the keys {other}, which are none of the "
            f"outputs {names}. {REMEDY}"
        )
    for output in outputs:
        missing = sorted(set(output.learned) - set(given))
        if missing and len(missing) < len(output.learned):
            raise ValueError(
                f"[{name}] The labels to initialize with lack {missing}, which the output "
                f"'{output.name}' needs beside what they have. {REMEDY}"
            )
    tags = given.get("labels")
    if tags is not None and not (_is_texts(tags) if "tag" in names else labels is given):
        raise ValueError(
            f"[{name}] The labels to initialize with are {str(tags)[:80]!r}, but must be "
            f"{'a list of tags' if 'tag' in names else f'what the outputs {names} know'}. {REMEDY}"
        )
    return given


def _is_texts(tags: Any) -> bool:
    return isinstance(tags, Iterable) and not isinstance(tags, str | bytes | dict)


def take_given(output: Output, given: dict[str, Any], cfg: Cfg, name: str) -> None:
    """Let an output have learned what is given.

    name: the component's, for messages.
    Raises ValueError if it is not what such an output learns, or nothing at all.
    """
    cfg.update({key: given[key] for key in output.learned})
    try:
        output.check(cfg, name)
    except ValueError as error:
        raise ValueError(
            f"[{name}] {list(output.learned)} of the labels to initialize with are not what the "
            f"output '{output.name}' of outputs = {cfg['outputs']} learns. {REMEDY}"
        ) from error
    if not output.labels(cfg):
        raise ValueError(
            f"[{name}] The labels to initialize with have none for the output '{output.name}'. "
            f"{REMEDY}"
        )

"""Sentences as tasks for Label Studio, and the labelling configuration that they need.

Sources: https://labelstud.io/guide/predictions (tasks with predictions) and
https://labelstud.io/tags/labels (configuration). Tried with Label Studio 1.23.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

from spacy.tokens import Span, Token

CONTROL, OBJECT = "tag", "text"
"""Names of the labels and of the text in the configuration, to which predictions refer."""

VARIABLE = re.compile(r"\$[\w[\].{}]", re.ASCII)
"""What Label Studio shows as a variable of the task, which there is not: of `$.`, nothing."""


def label_studio_task(sentence: Span, tokens: list[Token], model_version: str) -> dict[str, Any]:
    """Return a task with a prediction for each uncertain token, see `labelling_config`.

    Offsets are counted from the start of the sentence, in characters as Python counts them.

    model_version: name of the pipeline, by which Label Studio groups predictions.
    """
    return {
        "data": {OBJECT: sentence.text},
        "predictions": [
            {
                "model_version": model_version,
                "score": round(min(token._.tag_probability for token in tokens), 4),
                "result": [_region(sentence, token) for token in tokens],
            }
        ],
    }


def _region(sentence: Span, token: Token) -> dict[str, Any]:
    start = token.idx - sentence.start_char
    return {
        "id": f"token-{token.i - sentence.start}",
        "from_name": CONTROL,
        "to_name": OBJECT,
        "type": "labels",
        "score": round(token._.tag_probability, 4),
        "value": {
            "start": start,
            "end": start + len(token),
            "text": token.text,
            "labels": [token._.tag_candidates[0][0]],
        },
    }


def labelling_config(tags: Iterable[str]) -> str:
    """Return the labelling configuration, as XML, of a project for these tasks.

    Label Studio accepts predictions that do not fit the project's configuration, and shows
    regions without a label, or none.

    tags: all tags of the tagger; annotators choose among them.
    """
    view = ElementTree.Element("View")
    labels = ElementTree.SubElement(view, "Labels", name=CONTROL, toName=OBJECT)
    for tag in tags:
        label = ElementTree.SubElement(labels, "Label", value=tag)
        if VARIABLE.search(tag):
            label.set("html", html.escape(tag))  # what annotators see; it is shown as it is
    ElementTree.SubElement(view, "Text", name=OBJECT, value=f"${OBJECT}")
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"

"""Scores and probabilities of any of spaCy's taggers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
from spacy.pipeline.tagger import Tagger
from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.tokens import Doc
from thinc.api import NumpyOps
from thinc.util import to_numpy

from ..arrays import Floats2d, Ints1d
from ..features.extractor import DocFeatures
from ..features.white_space import white_space_rows
from ..outputs import columns_of, outputs_of, scores_of
from ..outputs.output import Output
from ..outputs.tag import WHITE_SPACE
from ..training.loss import flatten


def score_tokens(tagger: Tagger, docs: Sequence[Doc]) -> Floats2d:
    """Return the scores of all outputs for all tokens of the docs, without modifying them.

    Returns shape (n_tokens, n), docs one after another, see `outputs.scores`. Scores are logits,
    but for a stock tagger that normalizes. They are an array of numpy, on whatever device the
    model computes.
    """
    return score_words(tagger, docs)[0]


def score_words(tagger: Tagger, docs: Sequence[Doc]) -> tuple[Floats2d, DocFeatures | None]:
    """Return what `score_tokens` does, and the features of the docs if the model extracts them."""
    model = tagger.model
    if not any(len(doc) for doc in docs):
        return numpy.zeros((0, sum(columns_of(model).values())), dtype="float32"), None
    if (layer := model.maybe_get_ref("features")) is None:
        return to_numpy(flatten(model.ops, model.predict(docs))), None
    features = layer.predict(docs)
    scores = model.get_ref("output_layer").predict(features)
    return to_numpy(flatten(model.ops, scores)), features


def tags_of(tagger: Tagger, scores: Floats2d) -> Floats2d:
    """Return the scores of tags, a view of shape (n_tokens, n_labels).

    scores: see `score_tokens`.
    Raises ValueError if the tagger does not predict tags.
    """
    columns = columns_of(tagger.model, scores.shape[1])
    if "tag" not in columns:
        raise ValueError(
            f"[{tagger.name}] The component predicts {outputs_of(columns)}, not tags. Train it "
            "with outputs that have 'tag', or ask for the probabilities of another output."
        )
    return scores[:, : columns["tag"]]


def label_scores(tagger: Tagger, output: Output, docs: Sequence[Doc]) -> Floats2d:
    """Return the scores of an output's labels for all tokens, shape (n_tokens, n_labels)."""
    rows = score_tokens(tagger, docs)
    if output.name == "tag":
        return tags_of(tagger, rows)
    return output.label_scores(scores_of(tagger.model, rows), tagger.cfg)


def temperature_of(cfg: dict[str, Any], output: str) -> float:
    """Return the temperature of an output, by its name."""
    if output == "tag":
        return cfg.get("temperature", 1.0)
    return cfg.get("temperatures", {}).get(output, 1.0)


def probabilities_of(tagger: Tagger, scores: Floats2d, output: str = "tag") -> Floats2d:
    """Return the probabilities of labels that the tagger has scored, rows summing to 1.

    scores: of the labels, shape (n_tokens, n_labels). The output's temperature divides them.
    output: name of the output that they are of.
    """
    layer = tagger.model.maybe_get_ref("output_layer")
    if not len(scores) or (layer is not None and layer.attrs.get("softmax_normalize")):
        return scores  # spacy.Tagger.v2 with normalize = true
    return NumpyOps().softmax(scores, temperature=temperature_of(tagger.cfg, output))


def set_white_space(probabilities: Floats2d, labels: Sequence[str], rows: Ints1d) -> None:
    """Make the tag of white-space tokens certain: it is set by rule.

    probabilities: shape (n_tokens, n_labels), altered in place. A row is zeros if that tag is not
        among the labels.
    rows: the white-space tokens, shape (n_white_space,).
    """
    if len(rows):
        probabilities[rows] = 0.0
        if WHITE_SPACE in labels:
            probabilities[rows, list(labels).index(WHITE_SPACE)] = 1.0


def check_read(tagger: Tagger, docs: Sequence[Doc]) -> None:
    """Raise ValueError if the model reads the output of a component that docs did not go through.

    spaCy's listener would read zeros.
    """
    listens = any(isinstance(node, Tok2VecListener) for node in tagger.model.walk())
    if listens and any(len(doc) and not doc.tensor.size for doc in docs):
        raise ValueError(
            f"[{tagger.name}] The model reads the output of a component before it, such as "
            "'tok2vec', which these docs did not go through. Make docs with nlp(text) or "
            "nlp.pipe(texts)."
        )


def label_probabilities(tagger: Tagger, output: Output, docs: Sequence[Doc]) -> list[Floats2d]:
    """Return the probability of every label of an output for every token, docs unchanged.

    Returns one array of shape (n_tokens, n_labels) for each doc, rows summing to 1. Those of white
    space are zeros; its tag is certain if it is a label.
    Raises ValueError for docs that did not go through the components whose output the model reads.
    """
    check_read(tagger, docs)
    probabilities = probabilities_of(tagger, label_scores(tagger, output, docs), output.name)
    space = white_space_rows(docs)
    if output.name == "tag":
        set_white_space(probabilities, tagger.labels, space)
    else:
        probabilities[space] = 0.0
    return NumpyOps().unflatten(probabilities, [len(doc) for doc in docs])

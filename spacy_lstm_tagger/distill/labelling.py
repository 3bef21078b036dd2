"""Label docs with the mean of several teachers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..arrays import Floats2d
from ..files.raw_text import bare_doc
from ..files.text_lines import OnError
from ..outputs import known_outputs
from ..outputs.tag import WHITE_SPACE
from ..training.soft_targets import get_soft_targets, set_soft_targets, soft_labels
from .teacher import Teacher


def label(
    docs: Sequence[Doc], teachers: Sequence[Teacher], kept: int, *, n_process: int, batch_size: int
) -> list[Doc]:
    """Return the docs with the mean of the teachers' probabilities, see `average`."""
    vocab = teachers[0].nlp.vocab
    weights = [teacher.weight for teacher in teachers]
    answers = _answers(docs, teachers, n_process, batch_size)
    return [average(vocab, of_doc, weights, kept) for of_doc in answers]


def label_each(
    placed: Sequence[tuple[Doc, str]],
    teachers: Sequence[Teacher],
    kept: int,
    *,
    n_process: int,
    batch_size: int,
    on_error: OnError,
) -> list[Doc]:
    """Label docs as `label` does, and leave out those on which a component of a teacher fails.

    placed: docs and their places, which messages name.
    on_error: told of each doc that is left out; unless it raises an error, labelling goes on.
    """
    # A pipeline's error handler would drop a whole batch for one of its docs. Halves find it.
    alone = len(placed) == 1
    settings = {"n_process": 1 if alone else n_process, "batch_size": batch_size}
    try:
        return label([doc for doc, _ in placed], teachers, kept, **settings)
    except (ImportError, OSError):  # of the environment, not of a doc
        raise
    except Exception as error:  # whatever a component raises
        if alone:
            on_error(f"{placed[0][1]}: a teacher fails on it ({type(error).__name__}: {error})")
            return []
    middle = len(placed) // 2
    return [
        doc
        for half in (placed[:middle], placed[middle:])
        for doc in label_each(half, teachers, kept, **settings, on_error=on_error)
    ]


def accuracies(
    gold: Sequence[Doc], teachers: Sequence[Teacher], *, n_process: int, batch_size: int
) -> list[float]:
    """Return the share of gold tags that each teacher gives, and last that of their mean.

    Raises ValueError if the docs have no tags.
    """
    n_tags = sum(bool(token.tag) and not token.is_space for doc in gold for token in doc)
    if not n_tags:
        raise ValueError(
            f"The {len(gold)} docs that teachers are to be tried on have no gold tags. Take docs "
            "that `spacy convert` made of a treebank."
        )
    vocab = teachers[0].nlp.vocab
    weights = [teacher.weight for teacher in teachers]
    right = [0] * (len(teachers) + 1)
    for doc, of_doc in zip(gold, _answers(gold, teachers, n_process, batch_size), strict=True):
        each = [([answer], [1.0]) for answer in of_doc]
        for i, (chosen, weights_) in enumerate([*each, (of_doc, weights)]):
            given = average(vocab, chosen, weights_, kept=1)
            pairs = ((t, g) for t, g in zip(doc, given, strict=True) if t.tag and not t.is_space)
            right[i] += sum(token.tag_ == answer.tag_ for token, answer in pairs)
    return [number / n_tags for number in right]


def _answers(
    docs: Sequence[Doc], teachers: Sequence[Teacher], n_process: int, batch_size: int
) -> list[tuple[Doc, ...]]:
    """Return each doc's answers of all teachers, in the order of the docs.

    Docs of similar length go through the teachers together: transformers read padding, too.
    """
    order = sorted(range(len(docs)), key=lambda i: len(docs[i]))
    by_length = [docs[i] for i in order]
    streams = [
        teacher.answer(by_length, n_process=n_process, batch_size=batch_size)
        for teacher in teachers
    ]
    answers = dict(zip(order, zip(*streams, strict=True), strict=True))
    return [answers[i] for i in range(len(docs))]


def average(vocab: Vocab, answers: Sequence[Doc], weights: Sequence[float], kept: int) -> Doc:
    """Return one doc with the mean of several teachers' probabilities, and the most probable tags.

    Of the other outputs, a token has the annotation of the first teacher that gave it this tag.
    answers: docs of the same tokens, as `Teacher.answer` yields them.
    weights: of each teacher's probabilities in the mean.
    kept: number of probabilities kept of each token.
    """
    tags, *others = known_outputs()
    counted = [(doc, weight) for doc, weight in zip(answers, weights, strict=True) if weight]
    labels = sorted({label for doc, _ in counted for label in _labels(doc, tags.name)})
    mean = _mean([(_probabilities(doc, labels, tags.name), weight) for doc, weight in counted])
    doc = bare_doc(vocab, answers[0])
    for token, row in zip(doc, mean, strict=True):
        if token.is_space:
            token.tag_ = WHITE_SPACE
        elif row.any():
            token.tag_ = labels[int(row.argmax())]
    for output in others:
        _copy_agreed(doc, answers, output.attr)
    set_soft_targets(doc, labels, mean, output=tags.name, kept=kept)
    return doc


def _copy_agreed(doc: Doc, answers: Sequence[Doc], attr: str) -> None:
    """Give each token the value of the first teacher that gave it the same tag."""
    answers = [answer for answer in answers if answer.has_annotation(attr)]
    of_answers = [_values(answer, attr) for answer in answers]
    for i, token in enumerate(doc):
        pairs = zip(answers, of_answers, strict=True)
        values = (found[i] for answer, found in pairs if answer[i].tag_ == token.tag_)
        if value := next(filter(None, values), None):
            if attr == "MORPH":  # of which a token has no attribute "morph_"
                token.set_morph(value)
            else:
                setattr(token, f"{attr.lower()}_", value)


def _values(doc: Doc, attr: str) -> list[str]:
    """Return the value of each token, "" if it has none. That of no features is "_"."""
    return [doc.vocab.strings[value] for value in doc.to_array([attr]).reshape(-1).tolist()]


def _mean(weighted: Sequence[tuple[Floats2d, float]]) -> Floats2d:
    """Return the mean over the teachers that give a token any, shape (n_tokens, n_labels)."""
    total = numpy.sum([weight * rows for rows, weight in weighted], axis=0)
    weights = numpy.sum([weight * rows.any(axis=1) for rows, weight in weighted], axis=0)
    mean = numpy.zeros_like(total, dtype="float32")
    return numpy.divide(total, weights[:, None], out=mean, where=weights[:, None] > 0)


def _labels(doc: Doc, output: str) -> list[str]:
    kept = soft_labels(doc, output)
    return [token.tag_ for token in doc if token.tag] if kept is None else kept


def _probabilities(doc: Doc, labels: Sequence[str], output: str) -> Floats2d:
    """Return a teacher's probabilities; zeros for a token that it gives neither them nor a tag."""
    probabilities = get_soft_targets(doc, labels, output=output)
    if probabilities is None:
        index = {label: i for i, label in enumerate(labels)}
        columns = [index.get(token.tag_, len(labels)) for token in doc]
        return numpy.eye(len(labels) + 1, dtype="float32")[columns, :-1]
    return probabilities

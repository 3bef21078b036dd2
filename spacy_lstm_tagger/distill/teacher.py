"""A trained pipeline as a teacher: the probability of every tag of every token, parts of speech."""

# Annotations are evaluated, not strings: spaCy's config system reads them to check settings.
from collections.abc import Iterable, Iterator, Sequence

import numpy
from spacy.language import Language
from spacy.pipeline import AttributeRuler
from spacy.pipeline.tagger import Tagger
from spacy.tokens import Doc
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.util import to_numpy

from ..outputs.pos import predicts_pos
from ..pipeline.probabilities import tag_probabilities
from ..training.soft_targets import KEY, get_tag_probabilities, set_tag_probabilities


class Teacher:
    """A trained pipeline that labels docs.

    nlp: the pipeline; its tagger is replaced by one that keeps probabilities, and what comes
        after that is taken out, but for what sets parts of speech. Where there is no tagger, its
        tags are taken as sure.
    temperature: above 1, probabilities are less sure; below 1, surer.
    Raises ValueError where nothing in the pipeline sets tags.
    """

    def __init__(self, nlp: Language, temperature: float) -> None:
        self.nlp = nlp
        setters = [name for name in nlp.pipe_names if _sets_tags(nlp, name)]
        if not setters:
            raise ValueError(
                f"The pipeline has the components {nlp.pipe_names}, none of which sets token.tag. "
                "Take one with a tagger as the teacher."
            )
        tagger = setters[-1]
        self.gives_probabilities = isinstance(nlp.get_pipe(tagger), Tagger)
        if self.gives_probabilities:
            later = nlp.pipe_names[nlp.pipe_names.index(tagger) + 1 :]
            settings = {"tagger": tagger, "temperature": temperature}
            nlp.add_pipe("lstm_tagger_recorder", config=settings, before=tagger)
            unneeded = [name for name in later if not _sets_pos(nlp, name)]
            nlp.select_pipes(disable=[tagger, *unneeded])

    def answer(self, docs: Iterable[Doc], *, n_process: int, batch_size: int) -> Iterator[Doc]:
        """Yield docs of the same tokens with probabilities, or with tags alone."""
        vocab = self.nlp.vocab
        own = (Doc(vocab, words=_words(doc), spaces=_spaces(doc)) for doc in docs)
        return self.nlp.pipe(own, n_process=n_process, batch_size=batch_size)


class Recorder:
    """Stands for a tagger, and keeps its probabilities on the doc as well."""

    def __init__(self, tagger: Tagger, temperature: float) -> None:
        self.tagger = tagger
        self.temperature = temperature

    def __call__(self, doc: Doc) -> Doc:
        """Keep the probabilities of one doc."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Keep the probabilities; drop what else the docs carry in `user_data`, as it is large."""
        for docs in minibatch(stream, batch_size):
            of_docs = [to_numpy(rows) for rows in tag_probabilities(self.tagger, docs)]
            guesses = [probabilities.argmax(axis=1) for probabilities in of_docs]
            if predicts_pos(self.tagger.model):
                guesses = self.tagger.predict(docs)
            self.tagger.set_annotations(docs, guesses)  # which the parts of speech depend on
            for doc, probabilities in zip(docs, of_docs, strict=True):
                flat = probabilities ** (1 / self.temperature)
                flat /= flat.sum(axis=1, keepdims=True)
                doc.user_data = {}
                set_tag_probabilities(doc, self.tagger.labels, flat)
                yield doc


@Language.factory("lstm_tagger_recorder", default_config={"temperature": 1.0})
def make_recorder(nlp: Language, name: str, tagger: str, temperature: float) -> Recorder:
    """Make the component that `Teacher` puts in the place of the component `tagger`."""
    return Recorder(nlp.get_pipe(tagger), temperature)


def label(
    docs: Sequence[Doc], teachers: Sequence[Teacher], kept: int, *, n_process: int, batch_size: int
) -> list[Doc]:
    """The docs with the mean of the teachers' probabilities, see `average`."""
    vocab = teachers[0].nlp.vocab
    answers = _answers(docs, teachers, n_process, batch_size)
    return [average(vocab, of_doc, kept) for of_doc in answers]


def accuracies(
    gold: Sequence[Doc], teachers: Sequence[Teacher], *, n_process: int, batch_size: int
) -> list[float]:
    """Shares of gold tags that each teacher gives, and the last of them for their mean.

    Raises ValueError where the docs have no tags.
    """
    n_tags = sum(bool(token.tag) for doc in gold for token in doc)
    if not n_tags:
        raise ValueError(
            f"The {len(gold)} docs that teachers are to be tried on have no gold tags. Take docs "
            "that `spacy convert` made of a treebank."
        )
    vocab = teachers[0].nlp.vocab
    right = [0] * (len(teachers) + 1)
    for doc, of_doc in zip(gold, _answers(gold, teachers, n_process, batch_size), strict=True):
        for i, chosen in enumerate([*([answer] for answer in of_doc), of_doc]):
            given = average(vocab, chosen, kept=1)
            pairs = zip(doc, given, strict=True)
            right[i] += sum(bool(token.tag) and token.tag_ == t.tag_ for token, t in pairs)
    return [number / n_tags for number in right]


def _answers(
    docs: Sequence[Doc], teachers: Sequence[Teacher], n_process: int, batch_size: int
) -> list[tuple[Doc, ...]]:
    """Each doc's answers of all teachers, in the order of the docs.

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


def average(vocab: Vocab, answers: Sequence[Doc], kept: int) -> Doc:
    """One doc with the mean of several teachers' probabilities, and the most probable tags.

    Where a teacher of that tag has set a part of speech, the doc has it, too.
    answers: docs of the same tokens, as `Teacher.answer` yields them.
    kept: number of probabilities kept of each token.
    """
    labels = sorted({label for doc in answers for label in _labels(doc)})
    mean = numpy.mean([_probabilities(doc, labels) for doc in answers], axis=0)
    tags = [labels[i] for i in mean.argmax(axis=1).tolist()]
    words, spaces, pos = _words(answers[0]), _spaces(answers[0]), _agreed_pos(answers, tags)
    doc = Doc(vocab, words=words, spaces=spaces, tags=tags, pos=pos)
    set_tag_probabilities(doc, labels, mean, kept=kept)
    return doc


def _sets_tags(nlp: Language, name: str) -> bool:
    return "token.tag" in nlp.get_pipe_meta(name).assigns


def _sets_pos(nlp: Language, name: str) -> bool:
    ruler = isinstance(nlp.get_pipe(name), AttributeRuler)  # which does not say what it assigns
    return ruler or "token.pos" in nlp.get_pipe_meta(name).assigns


def _agreed_pos(answers: Sequence[Doc], tags: Sequence[str]) -> list[str] | None:
    """Each token's part of speech, of the first teacher that gave it with this tag."""
    answers = [doc for doc in answers if doc.has_annotation("POS")]
    if not answers:
        return None
    rows = zip(tags, *answers, strict=True)
    return [next((t.pos_ for t in found if t.pos and t.tag_ == tag), "") for tag, *found in rows]


def _labels(doc: Doc) -> list[str]:
    kept = doc.user_data.get(KEY)
    return kept["labels"] if kept else [token.tag_ for token in doc]


def _probabilities(doc: Doc, labels: Sequence[str]) -> numpy.ndarray:
    probabilities = get_tag_probabilities(doc, labels)
    if probabilities is None:
        index = {label: i for i, label in enumerate(labels)}
        return numpy.eye(len(labels), dtype="float32")[[index[token.tag_] for token in doc]]
    return probabilities


def _words(doc: Doc) -> list[str]:
    return [token.text for token in doc]


def _spaces(doc: Doc) -> list[bool]:
    return [bool(token.whitespace_) for token in doc]

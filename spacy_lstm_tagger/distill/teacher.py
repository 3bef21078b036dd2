"""A trained pipeline as a teacher: every tag's probability, and the other outputs' annotation."""

# Annotations are evaluated, not strings: spaCy's config system reads them to check settings.
from collections.abc import Iterable, Iterator

import numpy
from spacy.language import Language
from spacy.pipeline import AttributeRuler
from spacy.pipeline.tagger import Tagger
from spacy.tokens import Doc
from spacy.util import minibatch

from ..files.raw_text import bare_doc
from ..outputs import columns_of, known_outputs, make_outputs, outputs_of
from ..pipeline.prediction import by_doc, predict_docs
from ..pipeline.tagger import LSTMTagger
from ..training.soft_targets import set_soft_targets


class Teacher:
    """A trained pipeline that labels docs.

    nlp: the pipeline; its tagger is replaced by one that keeps probabilities, and what comes
        after that is taken out, but for what sets other outputs' annotation. If there is no
        tagger, its tags are taken as sure.
    temperature: above 1, probabilities are less sure; below 1, surer.
    weight: of its probabilities in a mean of several teachers; 0: they do not count, but what it
        sets of other outputs does.
    Raises ValueError if nothing in the pipeline sets tags.
    """

    def __init__(self, nlp: Language, temperature: float, weight: float = 1.0) -> None:
        self.nlp = nlp
        self.weight = weight
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
            unneeded = [name for name in later if not _sets_others(nlp, name)]
            nlp.select_pipes(disable=[tagger, *unneeded])

    def answer(self, docs: Iterable[Doc], *, n_process: int, batch_size: int) -> Iterator[Doc]:
        """Yield docs of the same tokens with probabilities, or with tags alone."""
        own = (bare_doc(self.nlp.vocab, doc) for doc in docs)
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
        outputs = make_outputs(outputs_of(columns_of(self.tagger.model)))
        for docs in minibatch(stream, batch_size):
            found = predict_docs(self.tagger, outputs, docs, with_probabilities=True)
            self.tagger.set_annotations(docs, found)  # which later components depend on
            assert found.probabilities is not None
            sharpened = found.probabilities ** (1 / self.temperature)
            total = sharpened.sum(axis=1, keepdims=True)  # 0 for white space
            numpy.divide(sharpened, total, out=sharpened, where=total > 0)
            for doc, probabilities in zip(docs, by_doc(sharpened, docs), strict=True):
                doc.user_data = {}
                set_soft_targets(doc, self.tagger.labels, probabilities, output=outputs[0].name)
                yield doc


@Language.factory("lstm_tagger_recorder", default_config={"temperature": 1.0})
def make_recorder(nlp: Language, name: str, tagger: str, temperature: float) -> Recorder:
    """Make the component that `Teacher` puts in the place of the component `tagger`."""
    return Recorder(nlp.get_pipe(tagger), temperature)


def _sets_tags(nlp: Language, name: str) -> bool:
    return known_outputs()[0].assigns in _assigned(nlp, name)


def _sets_others(nlp: Language, name: str) -> bool:
    if isinstance(nlp.get_pipe(name), AttributeRuler):  # which does not say what it assigns
        return True
    assigned = _assigned(nlp, name)
    return any(output.assigns in assigned for output in known_outputs()[1:])


def _assigned(nlp: Language, name: str) -> list[str]:
    """Return what a component says that it assigns, such as "token.tag".

    What spaCy says of an lstm_tagger that came from another pipeline is true of the last one made.
    """
    pipe = nlp.get_pipe(name)
    if isinstance(pipe, LSTMTagger):
        return [output.assigns for output in pipe.outputs]
    return list(nlp.get_pipe_meta(name).assigns)

"""What speed is measured on: the tasks that all taggers do in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from spacy.language import Language
from spacy.tokens import Doc

from .checkout import Checkout

SENTENCES, TEXTS, ONE_SENTENCE, LONG_DOC = "sentences", "texts", "one sentence", "long doc"

TITLES = {
    SENTENCES: "ready docs of a sentence",
    TEXTS: "texts of 10 sentences",
    ONE_SENTENCE: "one sentence of 20 words at a time",
}
"""Tasks that a `Checkout` can do as well, and what tables call them."""

TIMES = 100
"""How often the one sentence is tagged in a turn."""


class Work:
    """Tasks on the sentences of a treebank.

    docs: The sentences.
    n_long: Number of words of the long doc.
    """

    def __init__(self, docs: Sequence[Doc], n_long: int = 0) -> None:
        words = [token.text for doc in docs for token in doc]
        self.docs, self.texts, self.sentence = docs, _texts_of_ten(docs), _sentence(docs)
        self.long_words = (words * (n_long // len(words) + 1))[:n_long]
        self.n_words = {
            SENTENCES: len(words),
            TEXTS: len(words),
            ONE_SENTENCE: 20 * TIMES,
            LONG_DOC: n_long,
        }

    def prepare(self, task: str, tagger: Language | Checkout) -> Callable[[], object]:
        """Make the docs of a task; return the function that tags them once."""
        if isinstance(tagger, Checkout):
            return tagger.prepare(task)
        if task == SENTENCES:
            return ready_docs(tagger, self.docs)
        if task == TEXTS:
            return lambda: list(tagger.pipe(self.texts))
        if task == ONE_SENTENCE:
            return lambda: [tagger(self.sentence) for _ in range(TIMES)]
        return _components(tagger, [Doc(tagger.vocab, words=self.long_words)])


def ready_docs(nlp: Language, docs: Iterable[Doc]) -> Callable[[], object]:
    """Make untagged copies of docs; return the function that tags them once."""
    return _components(nlp, [copy(nlp, doc) for doc in docs])


def copy(nlp: Language, doc: Doc) -> Doc:
    """Return a doc of the same words, without annotation."""
    spaces = [bool(token.whitespace_) for token in doc]
    return Doc(nlp.vocab, words=[token.text for token in doc], spaces=spaces)


def _components(nlp: Language, docs: list[Doc]) -> Callable[[], object]:
    def run() -> object:
        stream: Iterable[Doc] = docs
        for _, pipe in nlp.pipeline:
            stream = pipe.pipe(stream, batch_size=nlp.batch_size)
        return list(stream)

    return run


def _texts_of_ten(docs: Sequence[Doc]) -> list[str]:
    """Join the texts of ten sentences each."""
    return ["".join(f"{doc.text} " for doc in docs[i : i + 10]) for i in range(0, len(docs), 10)]


def _sentence(docs: Sequence[Doc]) -> str:
    """Return the text of the first sentence of 20 words, or of about as many."""
    return min(docs, key=lambda doc: abs(len(doc) - 20)).text

"""Figures of a pipeline on raw text: the tokens that it finds, and the tags on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from spacy.language import Language
from spacy.scorer import Scorer
from spacy.tokens import Doc, Token
from spacy.training import Example

from ..outputs.lemma import is_known


@dataclass(frozen=True)
class RawText:
    """Figures on raw text, which the pipeline splits into tokens itself.

    All but `n_words` are spaCy's scores of the same names, from 0 to 1, such as `spacy evaluate`
    computes without `--gold-preproc`. White space is not counted.

    n_words: number of gold tokens.
    token_r: share of the gold tokens that are tokens of the pipeline, too.
    token_p: share of the pipeline's tokens that are gold tokens.
    token_f: harmonic mean of the two.
    token_acc: share of the pipeline's tokens that lie within one gold token.
    tag_acc: accuracy of the tags, an F-score: a gold token that is not found lowers recall.
    others: accuracy of other outputs by their names.
    """

    n_words: int
    token_r: float
    token_p: float
    token_f: float
    token_acc: float
    tag_acc: float
    others: dict[str, float] = field(default_factory=dict)


def measure_raw_text(
    nlp: Language, docs: Iterable[Doc], others: Iterable[str] = ()
) -> RawText | None:
    """Run a pipeline on the text of gold docs and return the figures.

    docs: gold docs. Those that do not record where spaces are, so that their text is unknown, are
        left out.
    others: names of the other outputs to measure.
    Returns None if no text is known. Raises whatever the pipeline's tokenizer or components raise.
    """
    pairs = ((nlp.tokenizer(doc.text), doc) for doc in docs if not doc.has_unknown_spaces)
    tagged = nlp.pipe(pairs, as_tuples=True)  # not make_doc, which refuses long texts
    examples = [Example(doc, reference) for doc, reference in tagged]
    tokens = Scorer.score_tokenization(examples)
    if tokens["token_acc"] is None:
        return None
    found = {
        name: Scorer.score_token_attr(examples, name, getter=_value)[f"{name}_acc"] or 0.0
        for name in ("tag", *others)
    }
    n_words = sum(not token.is_space for eg in examples for token in eg.reference)
    return RawText(n_words=n_words, tag_acc=found.pop("tag"), **tokens, others=found)


def _value(token: Token, attr: str) -> Any:
    """Return the hash of a token's tag or other value; 0, which stands for none, for white space.

    spaCy's scorer leaves out the pipeline's white space, but counts tagged white space of the gold
    docs as missed.
    """
    if token.is_space or (attr == "lemma" and not is_known(token.text, token.lemma_)):
        return 0
    return token.morph.key if attr == "morph" else getattr(token, attr)

"""Checks of training data for what spoils a tagger without an error: said before training begins.

What is sure to be wrong is an error, what is very likely so a warning.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from spacy.language import Language
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example

from ..features.white_space import with_white_space
from ..outputs.output import Output
from .survey import Survey

BLANK = "_"
"""Form of every word in treebanks whose text may not be passed on."""

FEW = 20
"""Minimum number of examples, or of words, for a share of them to mean anything."""

NEARLY_ALL = 0.9
"""Share of examples with a single word, from which on it is no accident."""

SHOWN = 5
"""Maximum number of tags in a message."""

FOUND = 0.9
"""Share of the words that a tokenizer should find."""


def check_corpus(
    found: Survey, outputs: Sequence[Output], nlp: Language | None, name: str, *, overwrite: bool
) -> None:
    """Raise ValueError if the words of the training data are blanks; warn of what looks wrong.

    outputs: what is to be predicted.
    nlp: the pipeline, whose tokenizer is tried; None if it is not known.
    name: the component's, for the messages.
    overwrite: its setting.
    """
    if found.n_words and found.vocabulary.words.get(BLANK, 0) == found.n_words:
        raise ValueError(
            f"[{name}] All {found.n_words:,} words of the training examples are '{BLANK}': their "
            "forms have been taken out, as in treebanks whose text may not be passed on. Put the "
            "forms back with the treebank's own script, and convert it again."
        )

    for doubt in _doubts(found, outputs, nlp, name, overwrite):
        warnings.warn(doubt, stacklevel=3)


def check_labels(found: Survey, labels: Sequence[str], name: str) -> None:
    """Raise ValueError if there is not a single label.

    name: the component's, for the message.
    """
    if not labels:
        raise ValueError(
            f"[{name}] None of the {found.n_words:,} words of the training examples has a tag "
            "(token.tag_), and no labels were given. Train on data with gold tags: in CoNLL-U "
            "XPOS or UPOS, in Python Example.from_dict(doc, {'tags': [...]})."
        )


def warn_of_unseen(
    examples: Iterable[Example], labels: Sequence[str], neg_prefix: str | None, name: str
) -> None:
    """Warn of words to be scored whose gold tags are not among the labels.

    neg_prefix: prefix of tags that only say what a tag is not.
    name: the component's, for the message.
    """
    known = {*labels, "", *(f"{neg_prefix}{label}" for label in labels if neg_prefix)}
    counts: Counter[str] = Counter()
    for eg in examples:
        tags, space = with_white_space(eg.reference, ["TAG"]).T
        counts.update(eg.reference.vocab.strings[tag] for tag in tags[space == 0].tolist())
    unseen = {tag: n for tag, n in counts.most_common() if tag not in known}
    if unseen:
        shown = ", ".join(f"'{tag}'" for tag in [*unseen][:SHOWN])
        more = ", ..." if len(unseen) > SHOWN else ""
        warnings.warn(
            f"[{name}] {sum(unseen.values()):,} of the {counts.total() - counts['']:,} words with "
            f"a gold tag have one that training never showed ({shown}{more}), so these cannot be "
            "right. Compare the tag sets of the training and the evaluation data.",
            stacklevel=3,
        )


def _doubts(
    found: Survey, outputs: Sequence[Output], nlp: Language | None, name: str, overwrite: bool
) -> Iterator[str]:
    """Yield a message for everything that is very likely wrong, see `check_corpus`."""
    if found.n_docs >= FEW and found.n_single >= NEARLY_ALL * found.n_docs:
        yield (
            f"[{name}] {found.n_single:,} of {found.n_docs:,} training examples have a single "
            "word, so nothing can be learned of a word's neighbours. `spacy convert` makes every "
            "word a sentence if a CoNLL-U file has no heads (HEAD is '_'). Convert such files "
            "with `python -m spacy lstm-tagger convert`. If your texts are single words, this is "
            "as it should be."
        )
    if mixed := _mixed_tag_sets(found):
        yield (
            f"[{name}] Some words of the training examples have a part of speech as their tag "
            f"({', '.join(mixed)}), others of the same part of speech do not: two tag sets are "
            "mixed. `spacy convert` takes UPOS for the tag of words whose XPOS is '_'. Convert "
            "such files with `python -m spacy lstm-tagger convert`."
        )
    if nlp is not None:
        yield from _doubts_of_tokenizer(found.sample, outputs, nlp, name, overwrite)


def _mixed_tag_sets(found: Survey) -> list[str]:
    """Return the parts of speech that are the tags of some words only; [] if it may be an accident.

    Some tag sets share a name or two with the parts of speech, such as SYM, but not those of the
    two most frequent kinds of words. Others refine them (NOUN_PL), or join those of the parts of
    a contraction (NOUN_PRON).
    """
    pairs = found.gold.of("TAG", "POS")
    mixed = [
        pos
        for pos in ("NOUN", "VERB")
        if (pos, pos) in pairs
        and any(of_tag == pos and pos not in tag.split("_") for tag, of_tag in pairs)
    ]
    return mixed if len(mixed) == 2 else []


def _doubts_of_tokenizer(
    sample: Sequence[Example], outputs: Sequence[Output], nlp: Language, name: str, overwrite: bool
) -> Iterator[str]:
    known = [eg.reference for eg in sample if not eg.reference.has_unknown_spaces]
    try:
        tried = [Example(nlp.tokenizer(doc.text), doc) for doc in known]
    except Exception as error:  # whatever a tokenizer raises; training does without it
        yield (
            f"[{name}] The pipeline's tokenizer fails on the text of a training example "
            f"({type(error).__name__}: {error}), so the pipeline may not be able to read raw text."
        )
        return
    n_words = sum(len(eg.reference) for eg in tried)
    share = Scorer.score_tokenization(tried)["token_r"]  # None if no doc says where spaces are
    if n_words >= FEW and share is not None and share < FOUND:
        yield (
            f"[{name}] The pipeline's tokenizer finds {100 * share:.0f} % of the words of the "
            f"first {len(tried)} training examples in their text. In raw text, the other words "
            "cannot get their tags. If the treebank has multi-word tokens, convert it with "
            "`spacy convert --merge-subtokens`; otherwise use a tokenizer that splits text as the "
            "training data does ([nlp.tokenizer] in the config). `spacy evaluate` without "
            "--gold-preproc tells how well it does."
        )
    for output in outputs:
        if not overwrite and any(_sets(eg.predicted, output.attr) for eg in tried):
            yield (
                f"[{name}] The pipeline's tokenizer sets {output.assigns} itself, and the "
                "component's setting overwrite is false: words would keep what the tokenizer "
                f"says. Set overwrite = true in [components.{name}]."
            )


def _sets(doc: Doc, attr: str) -> bool:
    """Return whether a tokenizer has set an attribute. spaCy says so of all docs without tokens."""
    return len(doc) > 0 and doc.has_annotation(attr)

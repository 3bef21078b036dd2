"""Speeds of other libraries' taggers, in turns with spaCy's and ours."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from .peer_row import PeerRow
from .peer_timer import PeerTimer
from .taggers import Unavailable
from .turns import take_turns
from .work import ready_docs

PEERS = {
    "UDPipe 1 (tag, part of speech, features and lemma)": ("ufal.udpipe", "udpipe_tagger"),
    "NLTK PerceptronTagger": ("nltk", "nltk_perceptron"),
    "Stanza's tagger with character language models": ("stanza", "stanza_tagger"),
    "Flair's tagger with character language models": ("flair", "flair_tagger"),
}
"""Titles of the peers, with the module to look for and the script in `peers`."""


def beside_peers(
    taggers: dict[str, Language],
    docs: Sequence[Doc],
    train: Path,
    work: Path,
    python: str,
    rounds: int,
) -> tuple[dict[str, float], list[str]]:
    """Return the words per second of all taggers beside peers, and why some peers are missing.

    docs: Sentences to tag.
    train: CoNLL-U file to make the peers of.
    work: Directory for the peers' files, which are kept.
    python: Python that may have the peers' libraries, besides this one.
    """
    sentences = [[token.text for token in doc] for doc in docs]
    timers: dict[str, PeerTimer] = {}
    missing = []
    with ExitStack() as stack:
        for title, (module, script) in PEERS.items():
            row = PeerRow(script, title, module, script, (sys.executable, python))
            try:
                timer = PeerTimer(row, work / script, train, sentences)
                timers[title] = stack.enter_context(timer)
            except Unavailable as error:
                missing.append(f"{title}: {error}")
        seconds, failed = time_peers(timers, taggers, docs, rounds)
    n_words = sum(map(len, sentences))
    return {name: n_words / taken for name, taken in seconds.items()}, [*missing, *failed]


def time_peers(
    timers: dict[str, PeerTimer], taggers: dict[str, Language], docs: Sequence[Doc], rounds: int
) -> tuple[dict[str, float], list[str]]:
    """Return the median seconds of each tagger, and why some peers ended early and are left out."""
    failed: list[str] = []
    left = dict(timers)
    while left:
        runs: dict[str, Callable[[], Callable[[], object]]] = {
            **{title: partial(_as_it_is, timer) for title, timer in left.items()},
            **{name: partial(ready_docs, nlp, docs) for name, nlp in taggers.items()},
        }
        try:
            return take_turns(runs, lambda make: make(), rounds), failed
        except Unavailable as error:
            ended = next(title for title, timer in left.items() if timer.ended)
            failed.append(f"{ended}: {error}")
            del left[ended]
    return {}, failed


def _as_it_is(run: Callable[[], object]) -> Callable[[], object]:
    return run

"""Joint taggers that the benchmark compares: spaCy's three components, ours, and UDPipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import spacy
from spacy.cli.init_config import init_config
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Config

from .. import training
from ..devset import Treebank
from ..peer_row import PeerRow
from ..scoring import megabytes
from ..taggers import Row, SpacyRow

SYSTEMS = ("spacy", "ours", "udpipe")

OUR_CONFIG = training.ROOT / "configs" / "default.cfg"

# No tag starts with it. With spaCy's own, "!", training fails on treebanks that have a tag "!".
NEG_PREFIX = "not!"


def rows(
    outputs: Sequence[str], pythons: tuple[str, ...], steps: int | None = None
) -> dict[str, Row]:
    """Return the row of each of SYSTEMS.

    outputs: What to predict.
    steps: Steps of our training; None for the config's.
    pythons: Python interpreters that may have UDPipe.
    """
    return {
        "spacy": PipelineRow("spacy", "spaCy", partial(spacy_config, outputs)),
        "ours": PipelineRow("ours", "`lstm_tagger`", partial(our_config, outputs, steps)),
        "udpipe": UdpipeRow("udpipe", "UDPipe 1", "ufal.udpipe", "udpipe_tagger", pythons),
    }


def spacy_config(outputs: Sequence[str], lang: str) -> Config:
    """Return the config of spaCy's components for these outputs, on one shared CNN."""
    components = {
        "tagger": "tag" in outputs,
        "morphologizer": "pos" in outputs or "morph" in outputs,
        "trainable_lemmatizer": "lemma" in outputs,
    }
    pipeline = [name for name, is_needed in components.items() if is_needed]
    config = init_config(lang=lang, pipeline=pipeline, optimize="efficiency")
    if "tagger" in pipeline:
        config["components"]["tagger"]["neg_prefix"] = NEG_PREFIX
    return config.merge(training.GOLD_TOKENS)


def our_config(outputs: Sequence[str], steps: int | None, lang: str) -> Config:
    """Return the recommended config for these outputs.

    steps: Steps of the training and of its schedule; None for those of the config.
    """
    config = training.file_config(OUR_CONFIG, lang)
    config["components"]["lstm_tagger"]["outputs"] = list(outputs)
    if steps:
        config["training"]["max_steps"] = steps
        config["training"]["optimizer"]["learn_rate"]["schedule"]["total_steps"] = steps
    return config


@dataclass(frozen=True)
class PipelineRow(SpacyRow):
    """Joint tagger that `spacy train` trains."""

    def load(self, directory: Path, treebank: Treebank) -> PipelineTagger:
        """Load the pipeline; raise Unavailable if that fails."""
        return PipelineTagger(super().load(directory, treebank).nlp)


@dataclass(frozen=True)
class PipelineTagger:
    """Trained pipeline as a joint tagger."""

    nlp: Language

    def annotate(self, docs: list[Doc]) -> list[Doc]:
        """Return docs of the same words as annotated docs, with the pipeline's annotation."""
        return list(self.nlp.pipe(blank_copies(docs, self.nlp)))


@dataclass(frozen=True)
class UdpipeRow(PeerRow):
    """UDPipe 1, which trains and tags in a process of its own."""

    def load(self, directory: Path, treebank: Treebank) -> UdpipeTagger:
        """Return the tagger. Its process loads the model when it tags."""
        return UdpipeTagger(self, directory, treebank.lang)

    def sizes(self, directory: Path) -> dict[str, float]:
        """Return the size of the model in megabytes."""
        size = megabytes(self.model(directory), ("*.udpipe",))
        return {"components": size, "all": size}


@dataclass(frozen=True)
class UdpipeTagger:
    """Trained model of UDPipe."""

    row: UdpipeRow
    directory: Path
    lang: str

    def annotate(self, docs: list[Doc]) -> list[Doc]:
        """Return docs of the same words as annotated docs, with UDPipe's annotation."""
        vocab = spacy.blank(self.lang).vocab
        rows = self.row.tag(self.directory, [[token.text for token in doc] for doc in docs])
        return [_annotated(doc, row, vocab) for doc, row in zip(docs, rows, strict=True)]


def _annotated(doc: Doc, row: list[list[str]], vocab: spacy.Vocab) -> Doc:
    """Return a copy of a doc with the XPOS, UPOS, FEATS and lemma of each word."""
    tags, pos, morphs, lemmas = (list(column) for column in zip(*row, strict=True))
    texts, spaces = _words(doc)
    return Doc(vocab, texts, spaces, tags=tags, pos=pos, morphs=morphs, lemmas=lemmas)


def blank_copies(docs: list[Doc], nlp: Language) -> list[Doc]:
    """Return docs of the same words without any annotation."""
    return [Doc(nlp.vocab, *_words(doc)) for doc in docs]


def _words(doc: Doc) -> tuple[list[str], list[bool]]:
    return [token.text for token in doc], [bool(token.whitespace_) for token in doc]

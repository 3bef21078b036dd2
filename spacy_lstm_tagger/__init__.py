"""A recurrent part-of-speech tagger for spaCy, on PyTorch.

Installing the package registers these names through entry points. Nothing needs importing.

Factories: `lstm_tagger` (the tagger), `lstm_tagger_pos` (parts of speech from tags, by a table) and
`lstm_tagger_recorder` (used by `distill` alone).
Architectures: `spacy-lstm-tagger.LSTMTagger.v1`, `spacy-lstm-tagger.LSTMEncoder.v1` and
`spacy-lstm-tagger.OnnxTagger.v1` (of exported taggers).
Augmenter: `spacy-lstm-tagger.Augmenter.v1`. Logger: `spacy-lstm-tagger.PlotLogger.v1`.
Corpus reader: `spacy-lstm-tagger.DistillationCorpus.v1`.
Commands, under `python -m spacy lstm-tagger`: `annotate`, `calibrate`, `convert`, `distill`,
`export`, `init-config`, `report`, `tag`, `uncertain`, `vocab`.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("spacy-lstm-tagger")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0"


def add_extensions() -> None:
    """Register `doc._.tag_probabilities` and the attributes beside it.

    A tagger does so when it is made. Call this to read docs that another process has tagged and
    saved with `DocBin(store_user_data=True)`, in a process without one.
    """
    from .pipeline.kept_probabilities import add_extensions

    add_extensions()

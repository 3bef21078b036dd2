"""A recurrent part-of-speech tagger for spaCy, on PyTorch.

Installing the package registers the component factory ``lstm_tagger``, the model architectures
``spacy-lstm-tagger.LSTMTagger.v1`` and ``spacy-lstm-tagger.LSTMEncoder.v1`` and the augmenter
``spacy-lstm-tagger.Augmenter.v1`` through entry points. Nothing needs importing to use them.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("spacy-lstm-tagger")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0"

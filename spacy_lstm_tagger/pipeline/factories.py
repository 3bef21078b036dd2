"""Factory of `nlp.add_pipe("lstm_tagger")`, and its default settings."""

# Annotations are evaluated, not strings: spaCy's config system reads them to check settings.
from typing import Any, Callable, Optional, Union

from spacy.language import Language
from thinc.api import Config, Model

from .tagger import LSTMTagger

DEFAULT_MODEL = Config().from_str(
    """
[model]
@architectures = "spacy-lstm-tagger.LSTMTagger.v1"
word_width = 100
min_word_freq = 2
affix_width = 16
char_width = 128
char_embed_width = 50
max_characters = 18
include_static_vectors = false
cell = "lstm"
width = 256
depth = 2
bidirectional = true
predict_pos = false
window = 512
precision = "float32"
mixed_precision = false
grad_scaler = null
nO = null
"""
)["model"]


@Language.factory(
    "lstm_tagger",
    assigns=["token.tag"],
    default_config={
        "model": DEFAULT_MODEL,
        "overwrite": False,
        "scorer": {"@scorers": "spacy.tagger_scorer.v1"},
        "neg_prefix": "!",
        "label_smoothing": 0.0,
        "teacher_weight": 1.0,
        "save_probabilities": False,
    },
    default_score_weights={
        "tag_acc": 1.0,
        "pos_acc": 0.0,
        "tag_micro_p": None,
        "tag_micro_r": None,
        "tag_micro_f": None,
    },
)
def make_lstm_tagger(
    nlp: Language,
    name: str,
    model: Model[Any, Any],
    overwrite: bool,
    scorer: Optional[Callable[..., Any]],
    neg_prefix: Optional[str],
    label_smoothing: float,
    teacher_weight: float,
    save_probabilities: Union[bool, int],
) -> LSTMTagger:
    """Build the component for `nlp.add_pipe("lstm_tagger")`. See `LSTMTagger` for the settings."""
    return LSTMTagger(
        nlp.vocab,
        model,
        name=name,
        overwrite=overwrite,
        scorer=scorer,
        neg_prefix=neg_prefix,
        label_smoothing=label_smoothing,
        teacher_weight=teacher_weight,
        save_probabilities=save_probabilities,
    )

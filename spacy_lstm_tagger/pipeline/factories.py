"""Factory of `nlp.add_pipe("lstm_tagger")`, and its default settings."""

# Annotations are evaluated, not strings: spaCy's config system reads them to check settings.
from dataclasses import replace
from typing import Any, Callable, Dict, List, Optional, Union

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
state_width = 96
by_sentence = false
window = 512
precision = "float32"
mixed_precision = false
grad_scaler = null
nO = null
"""
)["model"]


FACTORY = "lstm_tagger"

MICRO = {"tag_micro_p": None, "tag_micro_r": None, "tag_micro_f": None}


@Language.factory(
    FACTORY,
    assigns=["token.tag"],
    default_config={
        "model": DEFAULT_MODEL,
        "outputs": ["tag"],
        "overwrite": False,
        "scorer": {"@scorers": "spacy.tagger_scorer.v1"},
        "neg_prefix": "!",
        "label_smoothing": 0.0,
        "teacher_weight": 1.0,
        "save_probabilities": False,
    },
    default_score_weights={"tag_acc": 1.0, **MICRO},
)
def make_lstm_tagger(
    nlp: Language,
    name: str,
    model: Model[Any, Any],
    outputs: List[str],
    overwrite: bool,
    scorer: Optional[Callable[..., Any]],
    neg_prefix: Optional[str],
    label_smoothing: float,
    teacher_weight: float,
    save_probabilities: Union[bool, int],
) -> LSTMTagger:
    """Build the component for `nlp.add_pipe("lstm_tagger")`. See `LSTMTagger` for the settings."""
    tagger = LSTMTagger(
        nlp.vocab,
        model,
        name=name,
        outputs=outputs,
        overwrite=overwrite,
        scorer=scorer,
        neg_prefix=neg_prefix,
        label_smoothing=label_smoothing,
        teacher_weight=teacher_weight,
        save_probabilities=save_probabilities,
    )
    _describe(nlp, tagger)
    return tagger


def _describe(nlp: Language, tagger: LSTMTagger) -> None:
    """Tell spaCy what this component assigns, and which scores count.

    spaCy asks the factory for both, right after it has made a component.
    """
    weights: Dict[str, Optional[float]] = {}
    for output in tagger.outputs:
        weights.update(output.default_score_weights)
    total = sum(filter(None, weights.values()))
    shares = {k: round(weight / total, 2) if weight else weight for k, weight in weights.items()}
    meta = nlp.get_factory_meta(FACTORY)
    assigns = [output.assigns for output in tagger.outputs]
    changed = replace(meta, assigns=assigns, scores=list(shares), default_score_weights=shares)
    nlp.set_factory_meta(FACTORY, changed)

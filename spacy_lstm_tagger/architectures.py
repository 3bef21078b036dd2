"""The registered model architectures. Builders check their settings and compose, nothing else."""

# Annotations are evaluated, not strings: spaCy's config system reads them to check settings.
from collections.abc import Iterable
from typing import Any, List, Optional

from spacy.tokens import Doc
from thinc.api import Model, PyTorchGradScaler, chain
from thinc.layers.chain import init as init_any_chain
from thinc.types import Floats2d

from .features.extractor import FeatureExtractor
from .network.bridge import Precision, resize_tagger, torch_encoder, torch_tagger
from .network.precision import PRECISIONS
from .network.recurrent import CELLS
from .outputs.pos import PARTS_OF_SPEECH
from .settings import MOST_LAYERS, check_bool, check_int


def build_lstm_tagger_v1(
    *,
    word_width: int = 100,
    min_word_freq: int = 2,
    affix_width: int = 16,
    char_width: int = 128,
    char_embed_width: int = 50,
    max_characters: int = 18,
    include_static_vectors: bool = False,
    cell: str = "lstm",
    width: int = 256,
    depth: int = 2,
    bidirectional: bool = True,
    predict_pos: bool = False,
    precision: str = "float32",
    mixed_precision: bool = False,
    grad_scaler: Optional[PyTorchGradScaler] = None,
    nO: Optional[int] = None,
) -> Model[List[Doc], List[Floats2d]]:
    """Build a recurrent tagger: words and characters -> recurrent layers -> tag scores.

    Needs the component `lstm_tagger`, which provides the vocabulary. Dropout, at every layer's
    input and at the last one's output, follows `[training] dropout`.

    word_width (int): Numbers in a word's embedding; a static vector is projected to as many.
    min_word_freq (int): Words seen fewer times in training share the unknown word.
    affix_width (int): Numbers in the embedding of each of a word's affixes, its first one to
        three and last one to four letters (as far as three words share them); 0 for no affixes.
    char_width (int): Output width of the character encoder, a bidirectional LSTM over each
        word's characters: even, or 0 for no characters.
    char_embed_width (int): Numbers in a character's embedding.
    max_characters (int): Longer words are read as their first and last half of so many.
    include_static_vectors (bool): Whether to read the pipeline's static vectors as well.
    cell (str): "lstm", "gru" or "rnn".
    width (int): Output width of each recurrent layer, both directions together.
    depth (int): Number of recurrent layers.
    bidirectional (bool): Whether layers read sentences in both directions; `width` must then
        be even.
    predict_pos (bool): Whether a second output layer, trained together with the first, predicts
        parts of speech (UPOS) as well: `parts_of_speech.PARTS_OF_SPEECH`.
    precision (str): What a trained tagger computes with: "float32"; "bfloat16", about twice as
        fast on CPUs that have it; "int8", faster still, on a CPU with onnx and onnxruntime; or
        "auto", bfloat16 where the CPU or GPU has it and float32 elsewhere. Training and the saved
        weights are float32. In less than 32 bits, a doc's scores may depend a little on the docs
        of its batch.
    mixed_precision (bool): Whether to train in mixed precision, on a GPU alone.
    grad_scaler (Optional[PyTorchGradScaler]): Scaler for mixed precision, null for the default.
    nO (Optional[int]): Number of tags, null to take it from the labels.
    RETURNS: From docs to one array of shape (n_tokens, nO) each: probabilities in training,
        logits otherwise. With `predict_pos`, as many columns as there are parts of speech follow.
    RAISES ValueError: Where a setting is out of its range or of another type.
    """
    _check_recurrent(cell=cell, width=width, depth=depth, bidirectional=bidirectional)
    check_int("word_width", word_width, least=1)
    check_int("min_word_freq", min_word_freq, least=1)
    check_int("affix_width", affix_width, least=0)
    check_int("char_width", char_width, least=0, even=True)
    check_int("char_embed_width", char_embed_width, least=1)
    check_int("max_characters", max_characters, least=2)
    check_bool("include_static_vectors", include_static_vectors)
    check_bool("predict_pos", predict_pos)
    _check_choice("precision", precision, PRECISIONS)
    check_bool("mixed_precision", mixed_precision)
    if nO is not None:
        check_int("nO", nO, least=1)
    features = FeatureExtractor(
        min_word_freq=min_word_freq,
        max_characters=max_characters,
        affixes=affix_width > 0,
        include_static_vectors=include_static_vectors,
    )
    network = torch_tagger(
        nO=nO,
        n_pos=len(PARTS_OF_SPEECH) if predict_pos else 0,
        word_width=word_width,
        affix_width=affix_width,
        char_embed_width=char_embed_width,
        char_width=char_width,
        width=width,
        depth=depth,
        cell=cell,
        bidirectional=bidirectional,
        precision=Precision(mixed_precision, grad_scaler, precision),
    )
    model = chain(features, network)
    model.init = init_chain
    model.set_ref("output_layer", network)
    model.attrs["resize_output"] = resize_output
    model.attrs["predict_pos"] = predict_pos
    return model


def build_lstm_encoder_v1(
    *,
    width: int,
    depth: int = 2,
    cell: str = "lstm",
    bidirectional: bool = True,
    mixed_precision: bool = False,
    grad_scaler: Optional[PyTorchGradScaler] = None,
) -> Model[List[Floats2d], List[Floats2d]]:
    """Build recurrent layers for the `encode` slot of `spacy.Tok2Vec.v2`.

    Unlike in `spacy.TorchBiLSTMEncoder.v1`, a doc's output is the same in any batch, and dropout
    follows `[training] dropout`.

    width (int): Output width of each recurrent layer, both directions together.
    depth (int): Number of recurrent layers.
    cell (str): "lstm", "gru" or "rnn".
    bidirectional (bool): Whether layers read docs in both directions; `width` must then be even.
    mixed_precision (bool): Whether to train in mixed precision, on a GPU alone.
    grad_scaler (Optional[PyTorchGradScaler]): Scaler for mixed precision, null for the default.
    RETURNS: From one array of shape (n_tokens, nI) a doc to one of shape (n_tokens, width).
    RAISES ValueError: Where a setting is out of its range or of another type.
    """
    _check_recurrent(cell=cell, width=width, depth=depth, bidirectional=bidirectional)
    check_bool("mixed_precision", mixed_precision)
    return torch_encoder(
        width=width,
        depth=depth,
        cell=cell,
        bidirectional=bidirectional,
        precision=Precision(mixed_precision, grad_scaler),
    )


def init_chain(model: Model, X: Any = None, Y: Any = None) -> None:
    """Initialize as any chain, whose nO here is the number of tags alone.

    thinc would take the width of the output, in which parts of speech may follow the tags.
    """
    init_any_chain(model, X, Y)
    model.set_dim("nO", model.get_ref("output_layer").get_dim("nO"), force=True)


def resize_output(model: Model, nO: int) -> Model:
    """Give a tagger model `nO` tags: those it has, with their weights, and new ones behind."""
    resize_tagger(model.get_ref("output_layer"), nO)
    if model.has_dim("nO"):
        model.set_dim("nO", nO, force=True)
    return model


def _check_recurrent(*, cell: Any, width: Any, depth: Any, bidirectional: Any) -> None:
    _check_choice("cell", cell, CELLS)
    check_bool("bidirectional", bidirectional)
    check_int("width", width, least=1, even=bidirectional)
    check_int("depth", depth, least=1, most=MOST_LAYERS)


def _check_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    if value not in list(choices):  # a list, as the value may be anything
        raise ValueError(
            f"{name} is {value!r}, but must be one of {', '.join(map(repr, choices))}. "
            "Mend it in the [model] block of the config."
        )

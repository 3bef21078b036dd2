"""The registered model architectures. Builders check their settings and compose, nothing else.

`network` is imported when a model that needs torch is built: exported models do without.
"""

# Annotations are evaluated, not strings: spaCy's config system reads them to check settings.
from collections.abc import Iterable, Mapping
from typing import Any, List, Optional

from spacy.tokens import Doc
from thinc.api import Model, PyTorchGradScaler, chain, use_ops
from thinc.layers.chain import init as init_any_chain

from .arrays import Floats2d
from .extras import import_extra
from .features.extractor import FeatureExtractor
from .features.windows import CONTEXT, WINDOW
from .runtime.export import check_quantizable
from .runtime.onnx_tagger import onnx_tagger
from .runtime.session import QuantizedEncoder
from .settings import MOST_LAYERS, check_bool, check_int

TRAINING = "A tagger that is trained, or was not exported,"
"""What needs torch; an exported one does not."""


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
    state_width: int = 96,
    by_sentence: bool = False,
    window: int = WINDOW,
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
    state_width (int): Numbers that features and the rule for a lemma are chosen by, if the
        component predicts them.
    by_sentence (bool): Whether each sentence of a doc is read by itself, if it is known where
        sentences start, as after a `senter`, a `sentencizer` or a parser.
    window (int): Most tokens in one sequence, at least 128. Longer docs are read in overlapping
        windows of so many, each tag decided with at least 32 tokens of context on either side.
    precision (str): What a trained tagger computes with: "float32"; "bfloat16", about twice as
        fast on CPUs that have it; "int8", faster still, on a CPU with onnx and onnxruntime; or
        "auto", bfloat16 where the CPU or GPU has it and float32 elsewhere, and on a CPU for a
        single doc of at most `window` tokens. On a CPU, "int8" and "auto" narrow the layers, again
        after each change of the weights: set them to load a trained pipeline rather than to train.
        Training and the saved weights are float32 and of full width. In less than 32 bits, a doc's
        scores may depend a little on the docs of its batch.
    mixed_precision (bool): Whether to train in mixed precision, on a GPU alone.
    grad_scaler (Optional[PyTorchGradScaler]): Scaler for mixed precision, null for the default.
    nO (Optional[int]): Number of tags, null to take it from the labels.
    RETURNS: From docs to one array of shape (n_tokens, nO) each: probabilities in training,
        logits otherwise. The columns of the component's other outputs follow.
    RAISES ValueError: If a setting is out of its range or of another type.
    RAISES ImportError: If torch is missing.
    """
    import_extra("torch", extra="train", what=TRAINING)
    from .network.bridge import Precision, torch_tagger
    from .network.precision import PRECISIONS

    _check_recurrent(cell=cell, width=width, depth=depth, bidirectional=bidirectional)
    check_int("word_width", word_width, least=1)
    check_int("min_word_freq", min_word_freq, least=1)
    check_int("affix_width", affix_width, least=0)
    check_int("char_width", char_width, least=0, even=True)
    check_int("char_embed_width", char_embed_width, least=1)
    check_int("max_characters", max_characters, least=2)
    check_bool("include_static_vectors", include_static_vectors)
    check_int("state_width", state_width, least=1)
    check_bool("by_sentence", by_sentence)
    _check_window(window)
    _check_choice("precision", precision, PRECISIONS)
    check_quantizable(cell, precision)
    check_bool("mixed_precision", mixed_precision)
    if nO is not None:
        check_int("nO", nO, least=1)
    features = FeatureExtractor(
        min_word_freq=min_word_freq,
        max_characters=max_characters,
        affixes=affix_width > 0,
        include_static_vectors=include_static_vectors,
        by_sentence=by_sentence,
    )
    network = torch_tagger(
        nO=nO,
        state_width=state_width,
        widths={"words": word_width, "affixes": affix_width},
        char_embed_width=char_embed_width,
        char_width=char_width,
        width=width,
        depth=depth,
        cell=cell,
        bidirectional=bidirectional,
        window=window,
        precision=Precision(mixed_precision, grad_scaler, precision),
        quantize=QuantizedEncoder,
    )
    model = _compose(features, network)
    model.init = init_chain
    model.attrs["resize_output"] = resize_output
    model.attrs["resize_columns"] = resize_columns
    return model


def build_lstm_encoder_v1(
    *,
    width: int,
    depth: int = 2,
    cell: str = "lstm",
    bidirectional: bool = True,
    window: int = WINDOW,
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
    window (int): Most tokens in one sequence, see `LSTMTagger.v1`.
    mixed_precision (bool): Whether to train in mixed precision, on a GPU alone.
    grad_scaler (Optional[PyTorchGradScaler]): Scaler for mixed precision, null for the default.
    RETURNS: From one array of shape (n_tokens, nI) a doc to one of shape (n_tokens, width).
    RAISES ValueError: If a setting is out of its range or of another type.
    RAISES ImportError: If torch is missing.
    """
    import_extra("torch", extra="train", what=TRAINING)
    from .network.bridge import Precision, torch_encoder

    _check_recurrent(cell=cell, width=width, depth=depth, bidirectional=bidirectional)
    _check_window(window)
    check_bool("mixed_precision", mixed_precision)
    return torch_encoder(
        width=width,
        depth=depth,
        cell=cell,
        bidirectional=bidirectional,
        window=window,
        precision=Precision(mixed_precision, grad_scaler),
    )


def build_onnx_tagger_v1(
    *,
    max_characters: int,
    affixes: bool,
    include_static_vectors: bool,
    by_sentence: bool = False,
    threads: int = 1,
    nO: Optional[int] = None,
) -> Model[List[Doc], List[Floats2d]]:
    """Build a tagger that was exported. It cannot be trained.

    max_characters (int): As in the model that was exported.
    affixes (bool): Whether that model read affixes.
    include_static_vectors (bool): As in the model that was exported.
    by_sentence (bool): See `LSTMTagger.v1`.
    threads (int): Threads of ONNX Runtime, 1 to let processes and callers share the CPU.
    nO (Optional[int]): Number of tags, null to take it from the export.
    RETURNS: From docs to one array of logits of shape (n_tokens, nO) each, followed by the columns
        of the other outputs.
    RAISES ValueError: If a setting is out of its range or of another type.
    """
    check_int("threads", threads, least=1)
    check_int("max_characters", max_characters, least=2)
    check_bool("affixes", affixes)
    check_bool("include_static_vectors", include_static_vectors)
    check_bool("by_sentence", by_sentence)
    if nO is not None:
        check_int("nO", nO, least=1)
    with use_ops("numpy"):  # ONNX Runtime computes on the CPU, even if the pipeline is on a GPU
        features = FeatureExtractor(
            min_word_freq=1,
            max_characters=max_characters,
            affixes=affixes,
            include_static_vectors=include_static_vectors,
            by_sentence=by_sentence,
        )
        return _compose(features, onnx_tagger(nO=nO, threads=threads))


def _compose(
    features: Model[Any, Any], network: Model[Any, Any]
) -> Model[List[Doc], List[Floats2d]]:
    model: Model[Any, Any] = chain(features, network)
    model.set_ref("features", features)
    model.set_ref("output_layer", network)
    return model


def init_chain(model: Model[Any, Any], X: Any = None, Y: Any = None) -> None:
    """Initialize as any chain, whose nO here is the number of tags alone.

    thinc would take the width of the output, in which other blocks may follow the tags.
    """
    init_any_chain(model, X, Y)
    model.set_dim("nO", model.get_ref("output_layer").get_dim("nO"), force=True)


def resize_output(model: Model[Any, Any], nO: int) -> Model[Any, Any]:
    """Give a tagger model `nO` tags: those it has, with their weights, and new ones behind.

    A model without weights is left as it is: it gets its tags when it is initialized.
    Raises ValueError if it has more tags already.
    """
    first = next(iter(model.get_ref("output_layer").attrs["columns"]))
    resize_columns(model, {first: nO})
    return model


def resize_columns(model: Model[Any, Any], columns: Mapping[str, int]) -> None:
    """Give the blocks of a tagger model more columns, see `bridge.resize_tagger`."""
    from .network.bridge import resize_tagger

    network = model.get_ref("output_layer")
    resize_tagger(network, columns)
    if network.has_dim("nO"):
        model.set_dim("nO", network.get_dim("nO"), force=True)


def _check_window(window: Any) -> None:
    check_int("window", window, least=4 * CONTEXT)


def _check_recurrent(*, cell: Any, width: Any, depth: Any, bidirectional: Any) -> None:
    from .network.recurrent import CELLS

    _check_choice("cell", cell, CELLS)
    check_bool("bidirectional", bidirectional)
    one = ", or one direction (bidirectional = false)"
    check_int("width", width, least=1, even=bidirectional, or_else=one)
    check_int("depth", depth, least=1, most=MOST_LAYERS)


def _check_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    if value not in list(choices):  # a list, as the value may be anything
        raise ValueError(
            f"{name} is {value!r}, but must be one of {', '.join(map(repr, choices))}. "
            "Correct it in the [model] block of the config."
        )

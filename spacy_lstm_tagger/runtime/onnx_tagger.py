"""The tagger on ONNX Runtime, without torch: what `python -m spacy lstm-tagger export` writes."""

# Annotations are evaluated, not strings: spaCy's config system reads them to check settings.
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy
import srsly
from spacy.tokens import Doc
from thinc.api import Model, chain
from thinc.shims import Shim
from thinc.types import Floats2d, Ints1d

from ..features.extractor import DocFeatures, FeatureExtractor, FormFeatures
from ..features.form_cache import FormTable
from ..features.windows import make_blocks, plan_reading
from ..outputs.pos import PARTS_OF_SPEECH
from ..settings import check_bool, check_int
from .graph_check import check_graph

GRAPHS = ("embed", "encode")

BLOCK = 1024
"""Most places in one block. ONNX Runtime projects all of a block at once: of more places, what it
keeps meanwhile is too much for a CPU's cache."""


def build_onnx_tagger_v1(
    *,
    max_characters: int,
    affixes: bool,
    include_static_vectors: bool,
    predict_pos: bool = False,
    threads: int = 1,
    nO: Optional[int] = None,
) -> Model[List[Doc], List[Floats2d]]:
    """Build a tagger that was exported. It cannot be trained.

    max_characters (int): As in the model that was exported.
    affixes (bool): Whether that model read affixes.
    include_static_vectors (bool): As in the model that was exported.
    predict_pos (bool): As in the model that was exported.
    threads (int): Threads of ONNX Runtime, 1 to let processes and callers share the CPU.
    nO (Optional[int]): Number of tags, null to take it from the export.
    RETURNS: From docs to one array of logits of shape (n_tokens, nO) each; with `predict_pos`, as
        many columns as there are parts of speech follow.
    RAISES ValueError: Where a setting is out of its range or of another type.
    """
    check_int("threads", threads, least=1)
    check_int("max_characters", max_characters, least=2)
    check_bool("affixes", affixes)
    check_bool("include_static_vectors", include_static_vectors)
    check_bool("predict_pos", predict_pos)
    if nO is not None:
        check_int("nO", nO, least=1)
    features = FeatureExtractor(
        min_word_freq=1,
        max_characters=max_characters,
        affixes=affixes,
        include_static_vectors=include_static_vectors,
    )
    shim = OnnxShim(threads, len(PARTS_OF_SPEECH) if predict_pos else 0)
    network: Model = Model("lstm_tagger_onnx", forward, init=init, dims={"nO": nO}, shims=[shim])
    model = chain(features, network)
    model.set_ref("output_layer", network)
    model.attrs["predict_pos"] = predict_pos
    return model


class OnnxShim(Shim):
    """The two graphs of a tagger, and the sessions that run them, started when first used.

    threads: threads of each session.
    n_pos: number of parts of speech that are scored beside the tags.
    """

    def __init__(self, threads: int, n_pos: int = 0) -> None:
        super().__init__(None)
        self.threads = threads
        self.n_pos = n_pos
        self.graphs: Dict[str, bytes] = {}
        self.sessions: Dict[str, Any] = {}
        self.table = FormTable()

    def run(self, name: str, inputs: Dict[str, numpy.ndarray]) -> numpy.ndarray:
        """Run a graph; return its output. Inputs that it does not have are left out."""
        session = self.session(name)
        wanted = {wanted.name for wanted in session.get_inputs()}
        try:
            (output,) = session.run(None, {k: v for k, v in inputs.items() if k in wanted})
        except Exception as error:  # the runtime's own kinds
            raise ValueError(
                "The exported network cannot be run: it is damaged, or was exported from another "
                f"model. Export it again. ({type(error).__name__}: {error})"
            ) from error
        return output

    def session(self, name: str) -> Any:
        """The session of a graph. Raises ValueError where there is none, or no runtime."""
        if name not in self.sessions:
            if name not in self.graphs:
                raise ValueError(
                    "The exported tagger has no network. Make it with `python -m spacy "
                    "lstm-tagger export`, and load it with spacy.load()."
                )
            self.sessions[name] = start_session(self.graphs[name], self.threads)
        return self.sessions[name]

    def check_sizes(self, sizes: Dict[str, int], *, vectors: bool) -> None:
        """Raise an error where the graphs cannot look up the last word, affix and character.

        sizes: those that they should have been made for; vectors: whether with static vectors.
        """
        if not self.graphs:
            return
        with_vectors = any(
            wanted.name == "vectors" for wanted in self.session("encode").get_inputs()
        )
        if with_vectors != vectors:
            raise ValueError(f"the network reads static vectors: {with_vectors}")
        rows = self.run(
            "embed",
            {
                "words": numpy.asarray([sizes["n_words"] - 1]),
                "affixes": numpy.full((1, sizes["affixes_per_form"]), sizes["n_affixes"] - 1),
                "characters": numpy.asarray([[sizes["n_characters"] - 1]]),
                "lengths": numpy.ones(1, dtype="int32"),
            },
        )
        if with_vectors:
            return  # how wide they must be is known to the pipeline alone
        lengths = numpy.ones(1, dtype="int32")
        scores = self.run("encode", {"rows": rows[None], "lengths": lengths})
        n_scores = sizes["n_tags"] + self.n_pos
        if scores.shape != (1, 1, n_scores):
            raise ValueError(f"the network gives {scores.shape[-1]} scores, not {n_scores}")

    def set_graphs(self, graphs: Dict[str, bytes]) -> None:
        """Take other graphs."""
        self.graphs, self.sessions = graphs, {}
        self.table.clear()

    def to_bytes(self) -> bytes:
        """The graphs as bytes."""
        return srsly.msgpack_dumps(self.graphs)

    def from_bytes(self, bytes_data: bytes) -> "OnnxShim":
        """Load graphs. Raises ValueError where they are damaged; the present ones then stay."""
        try:
            graphs = srsly.msgpack_loads(bytes_data)
            if not isinstance(graphs, dict) or set(graphs) not in (set(), set(GRAPHS)):
                raise ValueError(f"it is not made of {' and '.join(GRAPHS)}")
            for graph in graphs.values():
                check_graph(graph)
            started = {name: start_session(graph, self.threads) for name, graph in graphs.items()}
        except ImportError:
            raise
        except Exception as error:  # whatever msgpack and ONNX Runtime raise
            raise ValueError(
                f"The exported network is damaged. ({type(error).__name__}: {error})"
            ) from error
        self.set_graphs(graphs)
        self.sessions = started
        return self

    def __reduce__(self) -> Tuple:
        return _restored, (self.threads, self.n_pos, self.graphs)  # sessions cannot be pickled


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    """Refuse to start anew."""
    raise ValueError(
        "An exported tagger cannot be initialized or trained. Train the pipeline that it was "
        "exported from, and export it again."
    )


def forward(model: Model, X: DocFeatures, is_train: bool) -> Tuple[List[Floats2d], Callable]:
    """Score every token: one array of shape (n_tokens, nO), or nO and `n_pos`, a doc."""
    if is_train:
        init(model)
    shim: OnnxShim = model.shims[0]
    ends = numpy.cumsum(X.lengths).tolist()
    no_scores = numpy.zeros((0, model.get_dim("nO") + shim.n_pos), "float32")
    scores = _scores(shim, X) if len(X.forms) else no_scores
    return [
        scores[end - n : end] for end, n in zip(ends, X.lengths.tolist(), strict=True)
    ], _no_backprop


def _scores(shim: OnnxShim, X: DocFeatures) -> Floats2d:
    rows = shim.table.look_up(X.keys, lambda missing: _embed(shim, X.extract(missing)))
    plan = plan_reading(X.lengths, block=BLOCK)
    outputs = []
    for block in plan.blocks:
        forms = X.forms[block.items]
        inputs = {"rows": rows[forms], "lengths": block.lengths.astype("int32")}
        inputs["vectors"] = X.vectors[forms]
        Y = shim.run("encode", inputs)  # (longest, n_sequences, nO)
        outputs.append(Y.reshape(-1, Y.shape[2]))
    return numpy.concatenate(outputs)[plan.rows]


def _embed(shim: OnnxShim, X: FormFeatures) -> Floats2d:
    """One row for each form, shape (n_forms, width)."""
    blocks = make_blocks(numpy.cumsum(X.n_characters) - X.n_characters, X.n_characters)
    outputs = [
        shim.run(
            "embed",
            {
                "words": X.words[block.sequences],
                "affixes": X.affixes[block.sequences],
                "characters": X.characters[block.items],
                "lengths": block.lengths.astype("int32"),
            },
        )
        for block in blocks
    ]
    order: Ints1d = numpy.concatenate([block.sequences for block in blocks])
    rows = numpy.empty((len(order), outputs[0].shape[1]), dtype="float32")
    rows[order] = numpy.concatenate(outputs)
    return rows


def _no_backprop(dY: Any) -> List:
    return []


def start_session(graph: bytes, threads: int) -> Any:
    """A session of ONNX Runtime that runs the graph. Raises ImportError where there is none."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            "An exported tagger needs ONNX Runtime: pip install onnxruntime"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what is wrong is in the error that it raises
    options.add_session_config_entry("session.load_model_format", "ONNX")  # what was checked
    return onnxruntime.InferenceSession(
        graph, options, providers=["CPUExecutionProvider"], enable_fallback=0
    )


def _restored(threads: int, n_pos: int, graphs: Dict[str, bytes]) -> OnnxShim:
    shim = OnnxShim(threads, n_pos)
    shim.set_graphs(graphs)
    return shim

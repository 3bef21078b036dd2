"""Shim with the graphs of an exported tagger, and the sessions that run them."""

from __future__ import annotations

from typing import Any

import numpy
import srsly
from thinc.shims import Shim

from ..arrays import Floats2d
from ..features.form_cache import FormCache
from ..features.tables import TABLES
from ..settings import ENVIRONMENT_ERRORS
from .graph_check import check_graph
from .session import GraphSession

GRAPHS = ("embed", "encode")
DEFERRED = ("deferred weight", "deferred bias")
"""Keys of the output layer of deferred blocks, in float32, beside those of the graphs."""

VECTORS = ("vectors weight", "vectors width")
"""Keys of what projects static vectors, in float32, and of how many numbers it gives."""

Layer = tuple[numpy.ndarray, numpy.ndarray]


class OnnxShim(Shim):
    """Shim with the graphs of an exported tagger. Sessions are started when first used.

    threads: number of threads of each session.
    """

    def __init__(self, threads: int) -> None:
        super().__init__(None)
        self.threads = threads
        self.graphs: dict[str, bytes] = {}
        self.sessions: dict[str, GraphSession] = {}
        self.layer: Layer | None = None
        self.vectors: Floats2d | None = None
        self.cache = FormCache()

    def run(self, name: str, inputs: dict[str, numpy.ndarray]) -> numpy.ndarray:
        """Run a graph; return its output. Inputs that it does not have are left out."""
        session = self.session(name)
        try:
            return session.run(inputs)
        except Exception as error:  # ONNX Runtime raises its own
            raise ValueError(
                "The exported network cannot be run: it is damaged, or was exported from another "
                f"model. Export it again. ({type(error).__name__}: {error})"
            ) from error

    def deferred_layer(self) -> Layer:
        """Return weight and bias of the deferred blocks' output layer.

        They have shapes (n_deferred, state_width) and (n_deferred,).
        """
        assert self.layer is not None
        return self.layer

    def session(self, name: str) -> GraphSession:
        """Return the session of a graph. Raises ValueError if there is no such graph."""
        if name not in self.sessions:
            if name not in self.graphs:
                raise ValueError(
                    "The exported tagger has no network. Make it with `python -m spacy "
                    "lstm-tagger export`, and load it with spacy.load()."
                )
            self.sessions[name] = GraphSession(self.graphs[name], self.threads)
        return self.sessions[name]

    def check_sizes(self, sizes: dict[str, int], *, vectors: bool) -> None:
        """Raise ValueError if the graphs do not fit the sizes of the tables.

        The graphs must be able to look up the last word, affix and character.

        sizes: sizes that the graphs should have.
        vectors: whether they should read static vectors.
        """
        if not self.graphs:
            return
        n_deferred = 0 if self.layer is None else len(self.layer[1])
        if n_deferred != sizes["n_deferred"]:
            raise ValueError(
                f"the network gives {n_deferred} deferred scores, not {sizes['n_deferred']}"
            )
        in_graph = "vectors" in self.session("encode").ranks  # as it was in earlier exports
        with_vectors = in_graph or self.vectors is not None
        if with_vectors != vectors:
            raise ValueError(f"the network reads static vectors: {with_vectors}, not {vectors}")
        rows = self.run(
            "embed",
            {
                **_last_rows(sizes),
                "characters": numpy.asarray([[sizes["n_characters"] - 1]], dtype="int64"),
                "lengths": numpy.ones(1, dtype="int32"),
            },
        )
        if in_graph:
            return  # only the pipeline knows the width of its vectors
        lengths = numpy.ones(1, dtype="int32")
        n_vector = 0 if self.vectors is None else self.vectors.shape[1]
        wanted = self.session("encode").widths["rows"]
        width = rows.shape[1] - self.state_width
        if self.vectors is not None and wanted not in (
            len(self.vectors),
            width + len(self.vectors),
        ):
            raise ValueError(f"static vectors are projected to {len(self.vectors)} numbers")
        read = self.with_vectors(rows, numpy.zeros((1, n_vector), dtype="float32"))
        scores = self.run("encode", {"rows": read[None], "lengths": lengths})
        n_columns = sizes["n_columns"] + self.state_width
        if scores.shape != (1, 1, n_columns):
            raise ValueError(f"the network gives {scores.shape[-1]} scores, not {n_columns}")

    @property
    def state_width(self) -> int:
        """Numbers in a state, 0 without deferred blocks."""
        return 0 if self.layer is None else self.layer[0].shape[1]

    def with_vectors(self, rows: Floats2d, vectors: Floats2d) -> Floats2d:
        """Return what the first recurrent layer reads of each form, shape (n_forms, width).

        rows: embeddings, shape (n_forms, row width + state width).
        vectors: static vectors, shape (n_forms, vector_width); 0 wide without them.
        """
        read = rows[:, : rows.shape[1] - self.state_width]
        if self.vectors is None:
            return read
        if vectors.shape[1] != self.vectors.shape[1]:
            raise ValueError(
                f"The static vectors of this pipeline have {vectors.shape[1]} numbers, but the "
                f"tagger was exported with vectors of {self.vectors.shape[1]}. Load the pipeline "
                "together with the vectors that it was exported with."
            )
        projected = vectors @ self.vectors.T
        narrow = self.session("encode").widths["rows"] == read.shape[1]
        return read + projected if narrow else numpy.concatenate([read, projected], axis=1)

    def set_graphs(
        self, graphs: dict[str, bytes], layer: Layer | None = None, vectors: Floats2d | None = None
    ) -> None:
        """Replace the graphs, and drop the sessions and the cache of embeddings.

        layer: see `deferred_layer`; None if there are no deferred blocks.
        vectors: weights that project static vectors, shape (width, vector_width); None without.
        """
        self.graphs, self.sessions, self.cache = graphs, {}, FormCache()
        self.layer, self.vectors = layer, vectors

    def to_bytes(self) -> bytes:
        """Return the graphs, and the weights beside them, as bytes."""
        data: dict[str, bytes | int] = {**self.graphs}
        if self.layer is not None:
            data.update(zip(DEFERRED, map(_bytes_of, self.layer), strict=True))
        if self.vectors is not None:
            data.update(zip(VECTORS, (_bytes_of(self.vectors), len(self.vectors)), strict=True))
        return srsly.msgpack_dumps(data)

    def from_bytes(self, bytes_data: bytes) -> OnnxShim:
        """Load graphs. Raises ValueError if they are damaged, and then keeps the present ones."""
        try:
            graphs = srsly.msgpack_loads(bytes_data)
            if not isinstance(graphs, dict):
                raise ValueError(f"it is not made of {' and '.join(GRAPHS)}")
            layer = _layer_of([graphs.pop(key) for key in DEFERRED if key in graphs])
            vectors = _vectors_of([graphs.pop(key) for key in VECTORS if key in graphs])
            if set(graphs) not in (set(), set(GRAPHS)):
                raise ValueError(f"it is not made of {' and '.join(GRAPHS)}")
            for graph in graphs.values():
                check_graph(graph)
            started = {name: GraphSession(graph, self.threads) for name, graph in graphs.items()}
        except ENVIRONMENT_ERRORS:
            raise
        except Exception as error:  # whatever msgpack and ONNX Runtime raise
            raise ValueError(
                f"The exported network is damaged. ({type(error).__name__}: {error})"
            ) from error
        self.set_graphs(graphs, layer, vectors)
        self.sessions = started
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # sessions cannot be pickled
        return _restored, (self.threads, self.graphs, self.layer, self.vectors)


def _last_rows(sizes: dict[str, int]) -> dict[str, numpy.ndarray]:
    """Return the rows of a form that has the last row of every table."""
    per_form = {table.name: sizes[f"{table.name}_per_form"] for table in TABLES}
    last = {name: sizes[f"n_{name}"] - 1 for name, n in per_form.items() if n}
    return {name: numpy.full((1, per_form[name]), row, dtype="int64") for name, row in last.items()}


def _layer_of(arrays: list[bytes]) -> Layer | None:
    """Return the layer of deferred blocks. Raises ValueError if it is damaged."""
    if not arrays:
        return None
    weight, bias = (numpy.frombuffer(values, dtype="<f4") for values in arrays)
    if not (len(bias) and numpy.isfinite(weight).all() and numpy.isfinite(bias).all()):
        raise ValueError("the deferred scores have no finite weights")
    return weight.reshape(len(bias), -1), bias


def _vectors_of(parts: list[Any]) -> Floats2d | None:
    """Return the weights that project static vectors. Raises ValueError if they are damaged."""
    if not parts:
        return None
    data, width = parts
    weights = numpy.frombuffer(data, dtype="<f4")
    if not (isinstance(width, int) and width > 0 and numpy.isfinite(weights).all()):
        raise ValueError("the static vectors have no finite weights")
    return weights.reshape(width, -1)


def _bytes_of(values: numpy.ndarray) -> bytes:
    return values.astype("<f4").tobytes()


def _restored(
    threads: int, graphs: dict[str, bytes], layer: Layer | None, vectors: Floats2d | None
) -> OnnxShim:
    shim = OnnxShim(threads)
    shim.set_graphs(graphs, layer, vectors)
    return shim

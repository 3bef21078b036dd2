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
        with_vectors = "vectors" in self.session("encode").ranks
        if with_vectors != vectors:
            raise ValueError(f"the network reads static vectors: {with_vectors}, not {vectors}")
        rows = self.run(
            "embed",
            {
                **_last_rows(sizes),
                "characters": numpy.asarray([[sizes["n_characters"] - 1]]),
                "lengths": numpy.ones(1, dtype="int32"),
            },
        )
        if with_vectors:
            return  # only the pipeline knows the width of its vectors
        lengths = numpy.ones(1, dtype="int32")
        width = self.row_width(rows)
        if rows.shape[1] - width != self.state_width:
            raise ValueError(f"the network gives states of {rows.shape[1] - width} numbers")
        scores = self.run("encode", {"rows": rows[None, :, :width], "lengths": lengths})
        n_columns = sizes["n_columns"] + self.state_width
        if scores.shape != (1, 1, n_columns):
            raise ValueError(f"the network gives {scores.shape[-1]} scores, not {n_columns}")

    @property
    def state_width(self) -> int:
        """Numbers in a state, 0 without deferred blocks."""
        return 0 if self.layer is None else self.layer[0].shape[1]

    def row_width(self, rows: Floats2d) -> int:
        """Return how many of the numbers of an embedding are read; the others belong to states."""
        return rows.shape[1] if self.layer is None else self.session("encode").widths["rows"]

    def set_graphs(self, graphs: dict[str, bytes], layer: Layer | None = None) -> None:
        """Replace the graphs, and drop the sessions and the cache of embeddings.

        layer: see `deferred_layer`; None if there are no deferred blocks.
        """
        self.graphs, self.sessions, self.cache = graphs, {}, FormCache()
        self.layer = layer

    def to_bytes(self) -> bytes:
        """Return the graphs, and the layer of deferred blocks, as bytes."""
        layer = [] if self.layer is None else [values.astype("<f4") for values in self.layer]
        arrays = zip(DEFERRED, (values.tobytes() for values in layer), strict=False)
        return srsly.msgpack_dumps({**self.graphs, **dict(arrays)})

    def from_bytes(self, bytes_data: bytes) -> OnnxShim:
        """Load graphs. Raises ValueError if they are damaged, and then keeps the present ones."""
        try:
            graphs = srsly.msgpack_loads(bytes_data)
            if not isinstance(graphs, dict):
                raise ValueError(f"it is not made of {' and '.join(GRAPHS)}")
            layer = _layer_of([graphs.pop(key) for key in DEFERRED if key in graphs])
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
        self.set_graphs(graphs, layer)
        self.sessions = started
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.threads, self.graphs, self.layer)  # sessions cannot be pickled


def _last_rows(sizes: dict[str, int]) -> dict[str, numpy.ndarray]:
    """Return the rows of a form that has the last row of every table."""
    per_form = {table.name: sizes[f"{table.name}_per_form"] for table in TABLES}
    return {name: numpy.full((1, n), sizes[f"n_{name}"] - 1) for name, n in per_form.items() if n}


def _layer_of(arrays: list[bytes]) -> Layer | None:
    """Return the layer of deferred blocks. Raises ValueError if it is damaged."""
    if not arrays:
        return None
    weight, bias = (numpy.frombuffer(values, dtype="<f4") for values in arrays)
    if not (len(bias) and numpy.isfinite(weight).all() and numpy.isfinite(bias).all()):
        raise ValueError("the deferred scores have no finite weights")
    return weight.reshape(len(bias), -1), bias


def _restored(threads: int, graphs: dict[str, bytes], layer: Layer | None) -> OnnxShim:
    shim = OnnxShim(threads)
    shim.set_graphs(graphs, layer)
    return shim

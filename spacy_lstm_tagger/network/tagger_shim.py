"""The tagger's network inside its thinc model: predicts with a cache of embedded word forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy
import torch
from thinc.api import Model, PyTorchGradScaler
from thinc.types import ArgsKwargs
from torch import Tensor

from ..arrays import Floats2d, Ints1d
from ..features.form_cache import FormCache
from .forking import note_thread
from .precision import Predictor
from .shim import LateTorchShim, shim_of
from .tagger_network import TaggerNetwork
from .word_forms import Forms


class LazyForms(NamedTuple):
    """The distinct word forms of a batch, whose features are looked up only if they are needed.

    keys: hash of each form, shape (n_forms,).
    extract: from indices of forms, shape (n,), to their features.
    """

    keys: numpy.ndarray
    extract: Callable[[Ints1d], Forms]


class Derived:
    """Cache and predictor of the present weights, replaced as a whole when the weights change.

    A thread that computes with them while another thread changes the weights fills the old ones.
    cache: embeddings of word forms.
    predictor: the network in the precision that was asked for.
    """

    def __init__(self) -> None:
        self.cache = FormCache()
        self._kept: dict[str, Predictor] = {}

    @property
    def predictor(self) -> Predictor | None:
        """The predictor, None until there is one."""
        return self._kept.get("predictor")

    def keep(self, predictor: Predictor) -> Predictor:
        """Keep a predictor, or return the one that another thread was faster to make.

        Its rows are in the cache: another one may have chosen others for the same forms.
        """
        return self._kept.setdefault("predictor", predictor)


class TaggerShim(LateTorchShim[TaggerNetwork]):
    """Hold a `TaggerNetwork`.

    make_predictor: called with the network when it is first to predict with its present weights;
        returns what predicts in its place.
    Further arguments: see `LateTorchShim`.
    """

    def __init__(
        self,
        make_module: Callable[..., TaggerNetwork],
        make_predictor: Callable[[TaggerNetwork], Predictor],
        *,
        mixed_precision: bool = False,
        grad_scaler: PyTorchGradScaler | None = None,
    ) -> None:
        super().__init__(make_module, mixed_precision=mixed_precision, grad_scaler=grad_scaler)
        self.make_predictor = make_predictor
        self._derived = Derived()

    @property
    def cache(self) -> FormCache:
        """The cache of embedded word forms for the present weights."""
        return self._derived.cache

    def weights_changed(self) -> None:
        """Forget what was computed from the old weights. Call this after altering weights."""
        self._derived = Derived()

    def predict(self, inputs: ArgsKwargs) -> Tensor:
        """Score tokens without keeping anything for backpropagation.

        inputs: those of `TaggerNetwork.forward`, with `LazyForms` in the place of `Forms`.
        """
        note_thread()
        derived = self._derived  # before the module: of the two, another thread changes it last
        module = self.module
        forms, *rest = inputs.args
        with torch.inference_mode(), self._autocast():
            predictor = derived.predictor or derived.keep(self.make_predictor(module))
            return predictor.encode(self._embed(derived.cache, predictor, forms), *rest)

    def _embed(self, cache: FormCache, predictor: Predictor, forms: LazyForms) -> Tensor:
        """Return one row for each form, from the cache, which is in the computer's own memory.

        On a GPU, too: the features of all forms of a batch would take longer than their rows' way.
        """

        def embed(missing: Ints1d) -> Floats2d:
            return predictor.embed(forms.extract(missing)).cpu().numpy()

        return torch.from_numpy(cache.look_up(forms.keys, embed)).to(self.device)

    def deferred_layer(self) -> tuple[numpy.ndarray, numpy.ndarray]:
        """Return weight and bias of the deferred blocks' output layer, on the CPU.

        They have shapes (n_deferred, state_width) and (n_deferred,).
        """
        deferred = self.module.deferred
        assert deferred is not None
        weight, bias = (values.detach().cpu() for values in deferred.output.parameters())
        return weight.numpy(), bias.numpy()

    def weights(self) -> dict[str, numpy.ndarray]:
        """Return all weights by name, as arrays on the CPU."""
        return {name: values.cpu().numpy() for name, values in self.module.state_dict().items()}

    def check_sizes(self, sizes: dict[str, int], *, vectors: bool) -> None:
        """Raise ValueError if the network was made for other sizes, but for vectors' width.

        vectors: whether there are static vectors.
        """
        if self.sizes is None:
            return
        wanted = {**sizes, "vector_width": self.sizes["vector_width"] if vectors else 0}
        if wanted != self.sizes:
            raise ValueError(f"the network has the sizes {self.sizes}, but should have {wanted}")

    def sizes_of_saved(self, sizes: dict[str, int], weights: dict[str, Any]) -> dict[str, int]:
        """Return sizes in today's terms.

        There was `n_tags` instead of the number of columns, and no deferred ones.
        """
        if "n_tags" in sizes:
            others = {name: size for name, size in sizes.items() if name != "n_tags"}
            sizes = {**others, "words_per_form": 1, "n_columns": len(weights["output.bias"])}
        return {**sizes, "n_deferred": sizes.get("n_deferred", 0)}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_derived": Derived()}  # a predictor may be what cannot be copied


def tagger_shim(model: Model[Any, Any]) -> TaggerShim:
    """Return the shim of a layer that `bridge.torch_tagger` made."""
    shim = shim_of(model)
    assert isinstance(shim, TaggerShim)
    return shim

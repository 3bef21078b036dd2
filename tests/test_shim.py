"""The holder of the torch module: built late, averaged, copied, saved and loaded safely."""

import copy
import io
import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import pytest
import srsly
import torch
from thinc.api import SGD, Adam
from thinc.types import ArgsKwargs, Floats2d
from torch import nn

from spacy_lstm_tagger.features.windows import plan_reading
from spacy_lstm_tagger.network.recurrent import PaddedBatch, RecurrentEncoder
from spacy_lstm_tagger.network.shim import LateTorchShim

SIZES = {"input_width": 5}


def make_shim(**settings: Any) -> LateTorchShim:
    defaults = {"width": 8, "depth": 1, "cell": "lstm", "bidirectional": True}
    return LateTorchShim(partial(RecurrentEncoder, **{**defaults, **settings}))


def built_shim(**settings: Any) -> LateTorchShim:
    shim = make_shim(**settings)
    shim.build(SIZES)
    return shim


def make_inputs(length: int = 4, dropout: float = 0.0, grad: bool = False) -> ArgsKwargs:
    plan = plan_reading(numpy.asarray([length]))
    block = plan.blocks[0]
    batches = [PaddedBatch(torch.from_numpy(block.items), torch.from_numpy(block.reversal))]
    X = torch.linspace(-1, 1, length * 5).reshape(length, 5).requires_grad_(grad)
    return ArgsKwargs(args=(X, batches, torch.from_numpy(plan.rows())), kwargs={"dropout": dropout})


def train_step(shim: LateTorchShim, optimizer: Any) -> None:
    Y, backprop = shim.begin_update(make_inputs(grad=True))
    backprop(ArgsKwargs(args=((Y,),), kwargs={"grad_tensors": (torch.ones_like(Y),)}))
    shim.finish_update(optimizer)


def state_of(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in module.named_parameters()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


# Building


def test_module_is_made_by_build_alone() -> None:
    shim = make_shim()
    assert shim.sizes is None
    shim.build(SIZES)
    assert shim.sizes == SIZES
    assert isinstance(shim.module, RecurrentEncoder)


def test_unbuilt_shim_says_how_to_get_weights() -> None:
    message = r"no weights yet.*nlp\.initialize.*spacy\.load"
    with pytest.raises(ValueError, match=message):
        make_shim().predict(make_inputs())
    with pytest.raises(ValueError, match=message):
        make_shim().begin_update(make_inputs())
    with pytest.raises(ValueError, match=message):
        _ = make_shim().module


def test_unbuilt_shim_takes_part_in_everything_else() -> None:
    shim = make_shim()
    shim.finish_update(SGD(0.1))
    shim.to_device("cpu", 0)
    with shim.use_params({}):
        pass
    assert shim.device.type == "cpu"
    assert shim.copy().sizes is None


def test_build_gives_a_new_id() -> None:
    shim = make_shim()
    ids = {shim.id}
    for _ in range(2):
        shim.build(SIZES)
        ids.add(shim.id)
    assert len(ids) == 3


# Prediction and training


@pytest.mark.parametrize("training", [True, False])
def test_predict_leaves_the_modules_mode_alone(training: bool) -> None:
    shim = built_shim()
    shim.module.train(training)
    shim.predict(make_inputs())
    assert shim.module.training is training


def test_predict_keeps_no_graph() -> None:
    assert not built_shim().predict(make_inputs()).requires_grad


def test_threads_predict_while_one_trains() -> None:
    shim = built_shim()
    expected = shim.predict(make_inputs())

    def predict(_: int) -> bool:
        return torch.equal(shim.predict(make_inputs()), expected)

    def run_with_dropout(_: int) -> bool:
        shim.begin_update(make_inputs(dropout=0.5, grad=True))
        return True

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(run_with_dropout if i % 4 == 0 else predict, i) for i in range(200)]
        assert all(job.result() for job in jobs)


def test_update_moves_the_weights_and_drops_the_gradients() -> None:
    shim = built_shim()
    before = state_of(shim.module)
    train_step(shim, SGD(0.1))
    assert not any(torch.equal(p, before[name]) for name, p in shim.module.named_parameters())
    assert all(p.grad is None or not p.grad.any() for p in shim.module.parameters())
    after = state_of(shim.module)
    shim.finish_update(SGD(0.1))
    assert same(state_of(shim.module), after)


def test_gradients_outlive_the_update() -> None:
    """`nlp.rehearse` keeps them, and applies them when the component is done."""
    kept = {}

    def keep(key: Any, weights: Floats2d, gradient: Floats2d) -> tuple[Floats2d, Floats2d]:
        kept[key] = gradient
        return weights, gradient

    shim = built_shim()
    train_step(shim, keep)
    assert len(kept) == len(list(shim.module.parameters()))
    assert all(gradient.any() for gradient in kept.values())


def test_parameters_still_require_gradients_after_an_update() -> None:
    shim = built_shim()
    train_step(shim, Adam(0.01))
    assert all(p.requires_grad and p.is_leaf for p in shim.module.parameters())
    train_step(shim, Adam(0.01))


# Averages


def test_averages_are_used_inside_and_weights_restored() -> None:
    shim, optimizer = built_shim(), Adam(0.1, use_averages=True)
    for _ in range(3):
        train_step(shim, optimizer)
    before = state_of(shim.module)
    with shim.use_params(optimizer.averages):
        inside = state_of(shim.module)
    assert set(optimizer.averages) == {(shim.id, name) for name in before}
    for name in before:
        assert torch.equal(inside[name], torch.as_tensor(optimizer.averages[shim.id, name]))
        assert not torch.equal(inside[name], before[name])
    assert same(state_of(shim.module), before)


def test_weights_are_restored_after_an_error() -> None:
    shim, optimizer = built_shim(), Adam(0.1, use_averages=True)
    train_step(shim, optimizer)
    train_step(shim, optimizer)
    before = state_of(shim.module)
    with pytest.raises(RuntimeError, match="inside"), shim.use_params(optimizer.averages):
        raise RuntimeError("inside")
    assert same(state_of(shim.module), before)


def test_averages_of_other_weights_are_left_alone() -> None:
    shim, other, optimizer = built_shim(), built_shim(), Adam(0.1, use_averages=True)
    train_step(other, optimizer)
    before = state_of(shim.module)
    with shim.use_params(optimizer.averages):
        assert same(state_of(shim.module), before)


def test_averages_themselves_stay_as_they_are() -> None:
    shim, optimizer = built_shim(), Adam(0.1, use_averages=True)
    train_step(shim, optimizer)
    before = {key: value.copy() for key, value in optimizer.averages.items()}
    with shim.use_params(optimizer.averages):
        shim.predict(make_inputs())
    for key, value in optimizer.averages.items():
        assert (value == before[key]).all()


# Copies


@pytest.mark.parametrize("duplicate", [copy.deepcopy, LateTorchShim.copy])
def test_copy_has_an_id_and_weights_of_its_own(duplicate: Any) -> None:
    shim = built_shim()
    before = state_of(shim.module)
    copied = duplicate(shim)
    assert copied.id != shim.id
    assert same(state_of(copied.module), before)
    train_step(copied, Adam(0.1))
    assert same(state_of(shim.module), before)
    assert not same(state_of(copied.module), before)


def test_copies_all_have_different_ids() -> None:
    shim = built_shim()
    assert len({shim.id, *(shim.copy().id for _ in range(5))}) == 6


def test_deep_copy_keeps_one_shim_one() -> None:
    shim = built_shim()
    one, other = copy.deepcopy([shim, shim])
    assert one is other


@pytest.mark.parametrize("shim", [make_shim(), built_shim()], ids=["unbuilt", "built"])
def test_pickle_round_trip(shim: LateTorchShim) -> None:
    """Processes that are spawned get their pipeline by pickle."""
    again = pickle.loads(pickle.dumps(shim))
    assert again.sizes == shim.sizes
    if shim.sizes is not None:
        assert torch.equal(again.predict(make_inputs()), shim.predict(make_inputs()))


# Bytes


def test_bytes_round_trip_builds_the_module() -> None:
    shim = built_shim()
    loaded = make_shim().from_bytes(shim.to_bytes())
    assert loaded.sizes == SIZES
    assert same(state_of(loaded.module), state_of(shim.module))
    assert all(p.requires_grad for p in loaded.module.parameters())
    assert torch.equal(loaded.predict(make_inputs()), shim.predict(make_inputs()))


def test_bytes_round_trip_replaces_a_module_of_another_size() -> None:
    shim, other = built_shim(), make_shim()
    other.build({"input_width": 9})
    other.from_bytes(shim.to_bytes())
    assert other.sizes == SIZES
    assert same(state_of(other.module), state_of(shim.module))


def test_bytes_are_the_same_for_the_same_weights() -> None:
    shim = built_shim()
    assert make_shim().from_bytes(shim.to_bytes()).to_bytes() == shim.to_bytes()


def test_unbuilt_shim_has_bytes_too() -> None:
    assert make_shim().from_bytes(make_shim().to_bytes()).sizes is None


def test_loading_uses_no_random_numbers() -> None:
    saved, shim = built_shim().to_bytes(), make_shim()
    before = torch.get_rng_state()
    shim.from_bytes(saved)
    assert torch.equal(torch.get_rng_state(), before)


def test_loading_gives_a_new_id() -> None:
    shim = built_shim()
    before = shim.id
    shim.from_bytes(shim.to_bytes())
    assert shim.id != before


def damaged(kind: str) -> bytes:
    saved = built_shim().to_bytes()
    message = srsly.msgpack_loads(saved)
    if kind == "empty":
        return b""
    if kind == "no msgpack":
        return b"\xc1 not msgpack"
    if kind == "truncated":
        return saved[: len(saved) // 2]
    if kind == "other keys":
        return srsly.msgpack_dumps({"weights": 1})
    if kind == "truncated weights":
        message["state"] = message["state"][: len(message["state"]) // 2]
    elif kind == "no weights":
        message["state"] = b""
    elif kind == "other sizes":
        message["sizes"] = {"input_width": 6}
    elif kind == "sizes of another network":
        message["sizes"] = {"n_columns": 3}
    elif kind == "other network":
        message = srsly.msgpack_loads(built_shim(cell="gru").to_bytes())
    elif kind == "deeper network":
        message = srsly.msgpack_loads(built_shim(depth=2).to_bytes())
    return srsly.msgpack_dumps(message)


@pytest.mark.parametrize(
    "kind",
    [
        "empty",
        "no msgpack",
        "truncated",
        "other keys",
        "truncated weights",
        "no weights",
        "other sizes",
        "sizes of another network",
        "other network",
        "deeper network",
    ],
)
def test_damaged_bytes_are_refused_and_the_module_kept(kind: str) -> None:
    shim = built_shim()
    module, before = shim.module, state_of(shim.module)
    with pytest.raises(ValueError, match="network's weights are damaged, or do not fit"):
        shim.from_bytes(damaged(kind))
    assert shim.module is module
    assert shim.sizes == SIZES
    assert same(state_of(shim.module), before)


class Payload:
    """Touches a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("container", ["torch", "pickle"])
def test_nothing_is_ever_unpickled(container: str, tmp_path: Path) -> None:
    marker = tmp_path / "unpickled"
    state = pickle.dumps(Payload(marker), protocol=2)  # the one that torch uses
    if container == "torch":
        buffer = io.BytesIO()
        torch.save({"layers.0.weight_ih_l0": Payload(marker)}, buffer)
        state = buffer.getvalue()
    message = {"config": {}, "sizes": SIZES, "state": state}
    shim = built_shim()
    with pytest.raises(ValueError, match="hold something other than numbers"):
        shim.from_bytes(srsly.msgpack_dumps(message))
    assert not marker.exists()


def test_payload_of_the_test_above_works(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Payload(tmp_path / "unpickled")))
    assert (tmp_path / "unpickled").exists()


# Mixed precision


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a CUDA GPU")
def test_mixed_precision_is_refused_on_a_cpu() -> None:
    shim = LateTorchShim(nn.Linear, mixed_precision=True)
    with pytest.raises(ValueError, match=r"mixed_precision is true.*CPU.*mixed_precision = false"):
        shim.build({"in_features": 1, "out_features": 1})


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a CUDA GPU")
def test_model_trained_in_mixed_precision_predicts_on_a_cpu_but_does_not_train() -> None:
    shim = LateTorchShim(make_shim().make_module, mixed_precision=True)
    shim.from_bytes(built_shim().to_bytes())
    assert shim.predict(make_inputs()).dtype == torch.float32
    with pytest.raises(ValueError, match="mixed_precision is true"):
        shim.begin_update(make_inputs())

"""Prepacked LSTM layers: the same scores, and the plain network if that cannot be done."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from spacy_lstm_tagger.network.prepacked_lstm import PrepackedLSTM, prepacked
from spacy_lstm_tagger.network.recurrent import RecurrentLayer

needs_onednn = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="torch was built without oneDNN"
)


def make_layer(cell: str = "lstm", bidirectional: bool = True) -> RecurrentLayer:
    return RecurrentLayer(input_width=5, width=8, cell=cell, bidirectional=bidirectional)


@needs_onednn
@pytest.mark.parametrize("bidirectional", [True, False])
@torch.no_grad()
def test_prepacked_layer_reads_any_batch_as_the_layer_does(bidirectional) -> None:
    layer = make_layer(bidirectional=bidirectional)
    result = prepacked(layer)
    assert isinstance(result.forwards, PrepackedLSTM)
    for shape in [(1, 1, 5), (20, 1, 5), (7, 3, 5), (200, 40, 5)]:
        X = torch.randn(shape)
        assert_close(result(X, None), layer(X, None), atol=1e-6, rtol=0)


@needs_onednn
@torch.no_grad()
def test_weights_that_are_transposed_views_are_read_aright() -> None:
    layer = make_layer()
    views = {
        name: values.T.contiguous().T if values.ndim == 2 else values
        for name, values in layer.state_dict().items()
    }
    assert not views["forwards.weight_ih_l0"].is_contiguous()
    other = make_layer()
    other.load_state_dict(views, assign=True)
    X = torch.randn(7, 3, 5)
    assert_close(prepacked(other)(X, None), layer(X, None), atol=1e-6, rtol=0)


@needs_onednn
def test_prepacking_leaves_the_module_as_it_was_and_shares_its_other_weights() -> None:
    network = nn.Sequential(nn.Linear(5, 5), make_layer())
    before = {name: weights.clone() for name, weights in network.state_dict().items()}
    result = prepacked(network)
    assert result[0].weight is network[0].weight
    assert isinstance(network[1].forwards, nn.LSTM)
    assert network.state_dict().keys() == before.keys()
    assert all(torch.equal(network.state_dict()[name], before[name]) for name in before)


@pytest.mark.parametrize("cell", ["gru", "rnn"])
@torch.no_grad()
def test_other_cells_are_read_as_they_are(cell) -> None:
    layer = make_layer(cell)
    X = torch.randn(4, 2, 5)
    assert torch.equal(prepacked(layer)(X, None), layer(X, None))


@pytest.mark.parametrize("error", [AttributeError, RuntimeError, TypeError])
def test_if_torch_cannot_prepack_it_is_the_module_itself(error, monkeypatch) -> None:
    def cannot(*args: object) -> None:
        raise error("no such function, or other arguments")

    monkeypatch.setattr(torch, "mkldnn_rnn_layer", cannot)
    layer = make_layer()
    assert prepacked(layer) is layer


@torch.no_grad()
def test_sequences_of_one_length_are_reversed_without_places() -> None:
    layer = make_layer()
    X = torch.randn(6, 3, 5)
    places = torch.arange(18).view(6, 3).flip(0).reshape(-1)
    assert torch.equal(layer(X, None), layer(X, places))

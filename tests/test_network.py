"""The plain PyTorch modules: reading order, dropout, growth, and independence from the batch."""

import weakref

import numpy
import pytest
import torch
from numpy.testing import assert_allclose

from spacy_lstm_tagger.features.windows import make_blocks, plan_reading
from spacy_lstm_tagger.network.recurrent import CELLS, PaddedBatch, RecurrentEncoder, read_blocks
from spacy_lstm_tagger.network.tagger_network import TaggerNetwork, make_network
from spacy_lstm_tagger.network.word_forms import WORD_DROPOUT, CharacterEncoder, Forms

COMBINATIONS = [
    (cell, depth, bidirectional)
    for cell in ("lstm", "gru", "rnn")
    for depth in (1, 2, 3)
    for bidirectional in (True, False)
]


NO_VECTORS = torch.zeros((0, 0))


def read(lengths: list[int]) -> tuple[list[PaddedBatch], torch.Tensor]:
    plan = plan_reading(numpy.asarray(lengths, dtype="int64"))
    batches = [
        PaddedBatch(torch.from_numpy(block.items), torch.from_numpy(block.reversal))
        for block in plan.blocks
    ]
    return batches, torch.from_numpy(plan.rows())


def make_encoder(**settings) -> RecurrentEncoder:
    defaults = {"input_width": 5, "width": 8, "depth": 2, "cell": "lstm", "bidirectional": True}
    return RecurrentEncoder(**{**defaults, **settings})


def make_forms(spellings: list[list[int]], *, words: list[int], counts: list[int]) -> Forms:
    lengths = numpy.asarray([len(rows) for rows in spellings], dtype="int64")
    blocks = make_blocks(numpy.cumsum(lengths) - lengths, lengths)
    order = [i for block in blocks for i in block.sequences.tolist()]
    characters = torch.tensor([row for rows in spellings for row in rows])
    return Forms(
        tables={"words": torch.tensor(words, dtype=torch.int64)[:, None]},
        counts=torch.tensor(counts),
        batches=[PaddedBatch(characters[b.items], torch.from_numpy(b.reversal)) for b in blocks],
        ends=[torch.from_numpy(block.ends) for block in blocks],
        ranks=torch.tensor(numpy.argsort(order)),
    )


def network_of(*, word_width: int = 5, **settings) -> TaggerNetwork:
    defaults = {
        "widths": {"words": word_width, "affixes": 3},
        "n_words": 4,
        "words_per_form": 1,
        "n_characters": 6,
        "n_affixes": 0,
        "affixes_per_form": 0,
        "vector_width": 0,
        "n_columns": 3,
        "n_deferred": 0,
        "state_width": 7,
        "char_embed_width": 4,
        "char_width": 6,
        "width": 8,
        "depth": 1,
        "cell": "lstm",
        "bidirectional": True,
    }
    return make_network(**{**defaults, **settings})


def stock_layers(encoder: RecurrentEncoder, cell: str, depth: int, bidirectional: bool):
    """Torch's own stack of layers with the weights of ours."""
    stack = CELLS[cell](5, 8 // (1 + bidirectional), num_layers=depth, bidirectional=bidirectional)
    state = {
        name.replace("_l0", f"_l{i}{suffix}"): weights
        for i, layer in enumerate(encoder.layers)
        for direction, suffix in ((layer.forwards, ""), (layer.backwards, "_reverse"))
        if direction is not None
        for name, weights in direction.state_dict().items()
    }
    stack.load_state_dict(state)
    return stack


@pytest.mark.parametrize(("cell", "depth", "bidirectional"), COMBINATIONS)
def test_encoder_is_torchs_stack_on_each_sequence_alone(cell, depth, bidirectional) -> None:
    encoder = make_encoder(cell=cell, depth=depth, bidirectional=bidirectional)
    stack = stock_layers(encoder, cell, depth, bidirectional)
    lengths = [3, 0, 7, 1]
    X = torch.randn(sum(lengths), 5)
    Y = encoder(X, *read(lengths), dropout=0.0)
    expected = torch.cat([stack(rows)[0] for rows in X.split(lengths) if len(rows)])
    assert Y.shape == (11, 8)
    assert_allclose(Y.detach(), expected.detach(), atol=1e-6)


def test_encoder_without_tokens_gives_no_rows_and_a_gradient() -> None:
    encoder = make_encoder()
    X = torch.zeros((0, 5), requires_grad=True)
    Y = encoder(X, *read([0, 0]), dropout=0.0)
    assert Y.shape == (0, 8)
    Y.sum().backward()
    assert X.grad.shape == (0, 5)


def test_no_output_is_kept_until_the_next_but_one_without_gradients() -> None:
    alive: list[weakref.ref] = []

    def read(block: PaddedBatch) -> torch.Tensor:
        assert sum(ref() is not None for ref in alive) <= 1
        output = block.items.flatten()[:, None].float()
        alive.append(weakref.ref(output))
        return output

    blocks = [PaddedBatch(torch.full((1, 2), i), None) for i in range(5)]
    with torch.inference_mode():
        assert read_blocks(blocks, torch.tensor([9, 0, 4]), read).flatten().tolist() == [4, 0, 2]


@pytest.mark.parametrize("n_blocks", [1, 3])
def test_rows_come_in_order_with_and_without_gradients(n_blocks: int) -> None:
    torch.manual_seed(0)
    X = torch.randn(12, 3, requires_grad=True)
    items = torch.arange(12).view(4, 3).chunk(n_blocks, dim=1)
    blocks = [PaddedBatch(one, None) for one in items]
    rows = torch.tensor([10, 0, 3, 4, 5, 7, 2])  # some rows are left out

    def read(block: PaddedBatch) -> torch.Tensor:
        return X[block.items].flatten(0, 1)

    expected = torch.cat([read(block) for block in blocks])[rows]
    learned = read_blocks(blocks, rows, read)
    learned.sum().backward()
    assert torch.equal(learned, expected)
    assert X.grad.sum() == 7 * 3
    with torch.inference_mode():
        assert torch.equal(read_blocks(blocks, rows, read), expected)


@pytest.mark.parametrize("depth", [1, 2])
def test_dropout_of_zero_is_none_and_more_is_random(depth: int) -> None:
    encoder = make_encoder(depth=depth)
    X, reading = torch.randn(6, 5), read([4, 2])
    assert torch.equal(encoder(X, *reading, dropout=0.0), encoder(X, *reading, dropout=0.0))
    assert not torch.equal(encoder(X, *reading, dropout=0.5), encoder(X, *reading, dropout=0.5))


@pytest.mark.parametrize("training", [True, False])
def test_mode_of_the_module_does_not_matter(training: bool) -> None:
    """thinc flips it on the shared module, other threads or not."""
    encoder = make_encoder().train(training)
    X, reading = torch.randn(6, 5), read([4, 2])
    assert torch.equal(encoder(X, *reading, dropout=0.0), encoder(X, *reading, dropout=0.0))
    assert not torch.equal(encoder(X, *reading, dropout=0.5), encoder(X, *reading, dropout=0.5))


def test_dropout_zeroes_its_share_of_the_output() -> None:
    encoder = make_encoder(width=64)
    Y = encoder(torch.randn(200, 5), *read([200]), dropout=0.25)
    assert float((Y == 0).float().mean()) == pytest.approx(0.25, abs=0.02)


def test_character_rows_are_the_last_states_of_both_directions() -> None:
    encoder = CharacterEncoder(n_characters=6, embed_width=4, width=6)
    spellings = [[1, 2], [3, 4, 5, 1], [2]]
    Y = encoder(make_forms(spellings, words=[0] * 3, counts=[0] * 3), dropout=0.0)
    for spelling, row in zip(spellings, Y, strict=True):
        X = encoder.embedding(torch.tensor(spelling))
        expected = torch.cat(
            [encoder.layer.forwards(X)[0][-1], encoder.layer.backwards(X.flip(0))[0][-1]]
        )
        assert_allclose(row.detach(), expected.detach(), atol=1e-6)


def test_word_dropout_makes_rare_words_unknown_more_often() -> None:
    network = network_of(char_width=0, word_width=1)
    network.words.weight.data[:] = torch.arange(4.0)[:, None]
    n = 4000
    forms = make_forms([[1]] * (2 * n), words=[1] * n + [2] * n, counts=[1] * n + [4] * n)
    read_words = network.embed(forms, 0.1)[:, 0]
    rare = float((read_words[:n] == 0).float().mean())
    frequent = float((read_words[n:] == 0).float().mean())
    assert rare == pytest.approx(WORD_DROPOUT / (WORD_DROPOUT + 1), abs=0.03)
    assert frequent == pytest.approx(WORD_DROPOUT / (WORD_DROPOUT + 4), abs=0.03)


def test_no_word_is_dropped_without_dropout() -> None:
    network = network_of(char_width=0, word_width=1)
    network.words.weight.data[:] = torch.arange(4.0)[:, None]
    forms = make_forms([[1]] * 100, words=[3] * 100, counts=[1] * 100)
    assert (network.embed(forms, 0.0) == 3).all()


def test_table_of_which_no_form_has_a_row_is_left_out() -> None:
    names = [name for name, _ in network_of().named_children()]
    assert names == ["words", "characters", "encoder", "output"]


def test_characters_can_be_left_out() -> None:
    network = network_of(char_width=0)
    assert network.characters is None
    forms = make_forms([[1], [2]], words=[1, 2], counts=[1, 1])
    assert network.embed(forms, 0.0).shape == (2, 5)


def test_affixes_stand_side_by_side_behind_the_word() -> None:
    network = network_of(n_affixes=3, affixes_per_form=2, char_width=0)
    forms = make_forms([[1], [2]], words=[1, 2], counts=[1, 1])
    forms = forms._replace(tables={**forms.tables, "affixes": torch.tensor([[2, 0], [1, 1]])})
    X = network.embed(forms, 0.0)
    assert X.shape == (2, 5 + 2 * 3)
    assert_allclose(X[0, 5:8].detach(), network.affixes.weight[2].detach())
    assert_allclose(X[1, 8:].detach(), network.affixes.weight[1].detach())
    X.sum().backward()
    assert network.affixes.weight.grad.sum(dim=1).tolist() == [3.0, 6.0, 3.0]


def test_static_vectors_are_projected_beside_the_words() -> None:
    network = network_of(vector_width=7)
    forms = make_forms([[1], [2]], words=[1, 2], counts=[1, 1])
    vectors = torch.randn(2, 7)
    X = torch.cat([network.embed(forms, 0.0), vectors @ network.vectors.weight.T], dim=1)
    assert X.shape == (2, 5 + 6 + 5)
    reading = read([3])
    expected = network.encoder(X[[1, 0, 1]], *reading, dropout=0.0, output=network.output)
    found = network(forms, vectors, torch.tensor([1, 0, 1]), *reading)
    assert_allclose(found.detach(), expected.detach(), atol=1e-6)


def test_scores_have_one_column_a_tag() -> None:
    network = network_of()
    forms = make_forms([[1, 2], [3]], words=[1, 2], counts=[1, 1])
    assert network(forms, NO_VECTORS, torch.tensor([0, 1, 0]), *read([2, 1])).shape == (3, 3)


def test_no_tokens_give_no_scores() -> None:
    forms = make_forms([], words=[], counts=[])
    assert network_of()(forms, NO_VECTORS, torch.zeros(0).long(), *read([0])).shape == (0, 3)


def test_growth_keeps_the_old_scores_and_puts_new_tags_below_the_best() -> None:
    network = network_of()
    for parameter in network.parameters():
        parameter.data.normal_(std=2.0)
    forms = make_forms([[1, 2], [3], [4, 5]], words=[1, 2, 0], counts=[1, 1, 0])
    arguments = (forms, NO_VECTORS, torch.arange(3), *read([3]))
    before = network(*arguments)
    network.grow({"tag": 3}, {"tag": 5})
    after = network(*arguments)
    assert network.output.weight.shape == (5, 8)
    assert_allclose(after[:, :3].detach(), before.detach(), atol=1e-5)
    assert (after[:, 3:] < before.max(dim=1, keepdim=True).values).all()
    assert after.requires_grad


def test_every_output_grows_behind_its_own_columns() -> None:
    network = network_of(n_columns=5)
    for parameter in network.parameters():
        parameter.data.normal_(std=2.0)
    forms = make_forms([[1, 2], [3], [4, 5]], words=[1, 2, 0], counts=[1, 1, 0])
    arguments = (forms, NO_VECTORS, torch.arange(3), *read([3]))
    before = network(*arguments)
    network.grow({"tag": 3, "pos": 2}, {"tag": 4, "pos": 4})
    after = network(*arguments)
    assert after.shape == (3, 8)
    assert_allclose(after[:, :3].detach(), before[:, :3].detach(), atol=1e-5)
    assert_allclose(after[:, 4:6].detach(), before[:, 3:].detach(), atol=1e-5)
    assert (after[:, 3] < before[:, :3].max(dim=1).values).all()
    assert (after[:, 6:] < before[:, 3:].max(dim=1, keepdim=True).values).all()


def test_rows_of_what_is_unknown_start_at_zero() -> None:
    """If training never meets anything unknown, they must say nothing."""
    network = network_of(n_affixes=4, affixes_per_form=1)
    tables = (network.words, network.affixes, network.characters.embedding)
    for table in tables:
        assert not table.weight[0].any()
        assert table.weight[1:].any(dim=1).all()
        assert table.weight.requires_grad


def test_no_parameter_is_a_bare_number() -> None:
    """thinc's optimizer fails on parameters without dimensions."""
    assert all(parameter.dim() > 0 for parameter in network_of(vector_width=7).parameters())


def test_scores_of_embedded_forms_are_those_of_the_forms() -> None:
    network = network_of()
    forms = make_forms([[1, 2], [3]], words=[1, 2], counts=[1, 1])
    rest = (NO_VECTORS, torch.tensor([0, 1, 0]), *read([2, 1]))
    assert torch.equal(network(forms, *rest), network.encode(network.embed(forms), *rest))

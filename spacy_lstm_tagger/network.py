"""The recurrent tagger as plain PyTorch modules.

Reads top to bottom: a recurrent layer, layers over blocks of sequences, characters of a word
form, the tagger made of all. Knows torch alone. Sequences come in blocks that say how to turn
them around (see `windows`), so that padding is never read before a sequence: its output does not
depend on the other sequences of its block.

Sources: BiLSTM tagger over word and character representations: Plank et al. 2016
(https://aclanthology.org/P16-2067), Ling et al. 2015 (https://aclanthology.org/D15-1176);
word dropout by count: Kiperwasser and Goldberg 2016 (https://aclanthology.org/Q16-1023).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

UNCHANGED = nn.Identity()

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}

WORD_DROPOUT = 0.25
"""A word seen n times in training is read as unknown with probability 0.25 / (0.25 + n)."""


class Block(NamedTuple):
    """Sequences that are read in step, the shorter ones padded at their end.

    items: row of the input at each place, shape (longest, n_sequences).
    turned: the place that a reader from each sequence's end finds at each place,
        shape (longest * n_sequences,).
    """

    items: Tensor
    turned: Tensor


class Forms(NamedTuple):
    """Distinct word forms of a batch.

    words: word rows, shape (n_forms,).
    counts: how often each word was seen in training, shape (n_forms,).
    blocks: the forms as sequences of character rows: the items are rows of the character table.
    ends: place of the last character of each form of each block, shape (n_forms of the block,).
    ranks: where in the blocks, laid one after another, each form stands, shape (n_forms,).
    affixes: affix rows, shape (n_forms, affixes_per_form).
    """

    words: Tensor
    counts: Tensor
    blocks: list[Block]
    ends: list[Tensor]
    ranks: Tensor
    affixes: Tensor


class RecurrentLayer(nn.Module):
    """One recurrent layer; the second direction, if any, reads every sequence from its end.

    Each direction is a layer of its own: torch's bidirectional layer reads padding before the
    sequence, or wants packed sequences, and then training takes time that grows with the square
    of their length (torch 2.13 fills a gradient of the block's size with zeros at every step).

    input_width: numbers in an input row.
    width: numbers in an output row, both directions together.
    cell: "lstm", "gru" or "rnn".
    bidirectional: whether to read in both directions, with half of the width for each.
    """

    def __init__(self, *, input_width: int, width: int, cell: str, bidirectional: bool) -> None:
        super().__init__()
        hidden = width // 2 if bidirectional else width
        self.forwards = CELLS[cell](input_width, hidden)
        self.backwards = CELLS[cell](input_width, hidden) if bidirectional else None

    def forward(self, X: Tensor, turned: Tensor) -> Tensor:
        """Read a block, shape (longest, n_sequences, input_width) to (..., width)."""
        Y, *from_end = self.read(X, turned)
        return torch.cat([Y, *(turn(half, turned) for half in from_end)], dim=2)

    def read(self, X: Tensor, turned: Tensor) -> list[Tensor]:
        """The output of each direction, in the order in which it read."""
        if self.backwards is None:
            return [self.forwards(X)[0]]
        return [self.forwards(X)[0], self.backwards(turn(X, turned))[0]]


def turn(X: Tensor, turned: Tensor) -> Tensor:
    """Turn every sequence around in its own length, shape (longest, n_sequences, width)."""
    return X.flatten(0, 1).index_select(0, turned).view(X.shape)


class RecurrentEncoder(nn.Module):
    """Recurrent layers over blocks of sequences, dropout before each and after the last.

    depth: number of layers; for the rest see `RecurrentLayer`.
    """

    def __init__(
        self, *, input_width: int, width: int, depth: int, cell: str, bidirectional: bool
    ) -> None:
        super().__init__()
        self.width = width
        self.layers = nn.ModuleList(
            RecurrentLayer(
                input_width=width if i else input_width,
                width=width,
                cell=cell,
                bidirectional=bidirectional,
            )
            for i in range(depth)
        )

    def forward(
        self,
        X: Tensor,
        blocks: list[Block],
        rows: Tensor,
        *,
        dropout: float,
        output: Callable[[Tensor], Tensor] = UNCHANGED,
    ) -> Tensor:
        """Encode the rows of `X`, shape (n_inputs, input_width), as sequences.

        Each block is read by itself, and `output` applied to its rows before the next is read: of
        a long doc only the narrow scores are ever in memory together. `rows` picks the output
        rows, shape (n_outputs,), from the blocks' outputs laid one after another. Returns shape
        (n_outputs, width), or what `output` makes of the width.
        """
        if not blocks:  # no tokens at all
            return output(X.new_zeros((0, self.width)) + X.sum())  # for the gradient's sake
        Ys = [output(self.encode(X, block, dropout)).flatten(0, 1) for block in blocks]
        Y = Ys[0] if len(Ys) == 1 else torch.cat(Ys)
        return Y.index_select(0, rows)

    def encode(self, X: Tensor, block: Block, dropout: float) -> Tensor:
        """Encode one block of the rows of `X`. Returns shape (longest, n_sequences, width)."""
        X = F.embedding(block.items, X)  # (longest, n_sequences, input_width)
        for layer in self.layers:
            X = F.dropout(X, dropout, training=dropout > 0)
            X = layer(X, block.turned)  # (longest, n_sequences, width)
        return F.dropout(X, dropout, training=dropout > 0)


class CharacterEncoder(nn.Module):
    """A bidirectional LSTM over the characters of a word; its last states are the output.

    n_characters: rows of the character table.
    embed_width: numbers in a character's row.
    width: numbers in an output row, both directions together.
    """

    def __init__(self, *, n_characters: int, embed_width: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_characters, embed_width)
        self.layer = RecurrentLayer(
            input_width=embed_width, width=width, cell="lstm", bidirectional=True
        )

    def forward(self, forms: Forms, *, dropout: float) -> Tensor:
        """Encode every form's characters. Returns shape (n_forms, width)."""
        Ys = [
            self.encode(block, ends, dropout)
            for block, ends in zip(forms.blocks, forms.ends, strict=True)
        ]
        return torch.cat(Ys).index_select(0, forms.ranks)

    def encode(self, block: Block, ends: Tensor, dropout: float) -> Tensor:
        """Encode the forms of one block. Returns shape (n_forms of the block, width)."""
        X = self.embedding(block.items)  # (longest, n_forms of the block, embed_width)
        X = F.dropout(X, dropout, training=dropout > 0)
        Ys = self.layer.read(X, block.turned)
        return torch.cat([Y.flatten(0, 1).index_select(0, ends) for Y in Ys], dim=1)


class TaggerNetwork(nn.Module):
    """Word forms to rows (`embed`), then rows in sequence to tag scores (`encode`).

    n_words, n_characters, n_affixes: rows of the word, character and affix tables.
    affixes_per_form: number of affixes of every form, 0 without affixes.
    vector_width: numbers in a static vector, 0 without them.
    n_tags: number of tags.
    word_width: numbers in a word's row; a static vector is projected to as many.
    affix_width: numbers in an affix's row.
    char_embed_width, char_width: see `CharacterEncoder`. 0 for char_width: no characters.
    width, depth, cell, bidirectional: see `RecurrentEncoder`.
    """

    def __init__(
        self,
        *,
        n_words: int,
        n_characters: int,
        n_affixes: int,
        affixes_per_form: int,
        vector_width: int,
        n_tags: int,
        word_width: int,
        affix_width: int,
        char_embed_width: int,
        char_width: int,
        width: int,
        depth: int,
        cell: str,
        bidirectional: bool,
    ) -> None:
        super().__init__()
        self.words = _embedding(n_words, word_width)
        self.affixes = _embedding(n_affixes, affix_width) if affixes_per_form else None
        self.characters = (
            CharacterEncoder(
                n_characters=n_characters, embed_width=char_embed_width, width=char_width
            )
            if char_width
            else None
        )
        self.vectors = nn.Linear(vector_width, word_width, bias=False) if vector_width else None
        self.encoder = RecurrentEncoder(
            input_width=(
                word_width
                + affixes_per_form * affix_width
                + char_width
                + (word_width if vector_width else 0)
            ),
            width=width,
            depth=depth,
            cell=cell,
            bidirectional=bidirectional,
        )
        self.output = nn.Linear(width, n_tags)

    def forward(
        self,
        forms: Forms | Tensor,
        vectors: Tensor,
        tokens: Tensor,
        blocks: list[Block],
        rows: Tensor,
        *,
        dropout: float = 0.0,
    ) -> Tensor:
        """Score the tags of every token.

        forms: the distinct forms of the batch, or what `embed` made of them.
        vectors: static vectors of the distinct forms, shape (n_forms, vector_width).
        tokens: which form each token has, shape (n_tokens,).
        blocks, rows: how to read the tokens, see `RecurrentEncoder.forward`.
        dropout: rate from 0 up to 1; also switches word dropout on.
        Returns logits, shape (n_tokens, n_tags).
        """
        if not blocks:  # no tokens at all
            return self.output(self.output.weight[:0])
        X = forms if isinstance(forms, Tensor) else self.embed(forms, dropout)
        if self.vectors is not None:
            X = torch.cat([X, self.vectors(vectors)], dim=1)
        blocks = [Block(tokens[block.items], block.turned) for block in blocks]
        return self.encoder(X, blocks, rows, dropout=dropout, output=self.output)

    def embed(self, forms: Forms, dropout: float) -> Tensor:
        """One row for each distinct form, from what depends on it alone: word, affixes, characters.

        Returns shape (n_forms, row width).
        """
        words = forms.words
        if dropout:
            unknown = torch.rand(words.shape, device=words.device) < (
                WORD_DROPOUT / (WORD_DROPOUT + forms.counts)
            )
            words = words.masked_fill(unknown, 0)
        parts = [self.words(words)]
        if self.affixes is not None:
            parts.append(self.affixes(forms.affixes).flatten(1))  # side by side
        if self.characters is not None:
            parts.append(self.characters(forms, dropout=dropout))
        return torch.cat(parts, dim=1)

    @torch.no_grad()
    def grow_output(self, n_tags: int) -> None:
        """Add tags behind the present ones, whose weights stay exactly as they are.

        A new tag starts at the mean of the present tags' scores less 5, hence below the best
        of them for any input: no prediction changes until the new tag is trained.
        """
        old = self.output
        self.output = nn.Linear(old.in_features, n_tags).to(old.weight.device)
        self.output.weight[:] = old.weight.mean(dim=0)
        self.output.bias[:] = old.bias.mean() - 5.0
        self.output.weight[: old.out_features] = old.weight
        self.output.bias[: old.out_features] = old.bias


def _embedding(n_rows: int, width: int) -> nn.Embedding:
    embedding = nn.Embedding(n_rows, width)
    # Torch's own scale, 1 a number, drowns what is learned of rows seen only a few times.
    nn.init.normal_(embedding.weight, std=width**-0.5)
    return embedding

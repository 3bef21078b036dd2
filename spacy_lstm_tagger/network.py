"""The recurrent tagger as plain PyTorch modules.

Reads top to bottom: recurrent layers over packed sequences, characters of a word form, the
tagger made of both. Knows torch alone. Sequences always come packed (see `windows`), so a
sequence's output does not depend on the other sequences of its batch.

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
from torch.nn.utils.rnn import PackedSequence

UNCHANGED = nn.Identity()

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}

WORD_DROPOUT = 0.25
"""A word seen n times in training is read as unknown with probability 0.25 / (0.25 + n)."""


class Block(NamedTuple):
    """Sequences in packed order.

    items: row of the input at each place of the packed order, shape (n_items,).
    batch_sizes: number of sequences that reach each position, on the CPU, shape (longest,).
    """

    items: Tensor
    batch_sizes: Tensor


class Forms(NamedTuple):
    """Distinct word forms of a batch.

    words: word rows, shape (n_forms,).
    counts: how often each word was seen in training, shape (n_forms,).
    vectors: static vectors, shape (n_forms, vector_width).
    characters: rows of the characters of all forms, packed, shape (n_characters,).
    batch_sizes: number of forms that have each character position, on the CPU, shape (longest,).
    ranks: which of the packed sequences each form is, shape (n_forms,).
    affixes: affix rows, shape (n_forms, affixes_per_form).
    """

    words: Tensor
    counts: Tensor
    vectors: Tensor
    characters: Tensor
    batch_sizes: Tensor
    ranks: Tensor
    affixes: Tensor


class RecurrentEncoder(nn.Module):
    """Recurrent layers over packed sequences, dropout before each and after the last.

    input_width: numbers in an input row.
    width: numbers in an output row, both directions together.
    depth: number of layers.
    cell: "lstm", "gru" or "rnn".
    bidirectional: whether every layer also reads its input from the end to the start, with half
        of the width for each direction.
    """

    def __init__(
        self, *, input_width: int, width: int, depth: int, cell: str, bidirectional: bool
    ) -> None:
        super().__init__()
        self.width = width
        hidden = width // 2 if bidirectional else width
        self.layers = nn.ModuleList(
            CELLS[cell](width if i else input_width, hidden, bidirectional=bidirectional)
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
        if not blocks:  # no tokens at all: torch refuses to pack nothing
            return output(X.new_zeros((0, self.width)) + X.sum())  # for the gradient's sake
        Ys = [
            output(self.encode(X.index_select(0, block.items), block.batch_sizes, dropout))
            for block in blocks
        ]
        Y = Ys[0] if len(Ys) == 1 else torch.cat(Ys)
        return Y.index_select(0, rows)

    def encode(self, X: Tensor, batch_sizes: Tensor, dropout: float) -> Tensor:
        """Encode one packed block, shape (n_items, input_width) to (n_items, width)."""
        for layer in self.layers:
            X = F.dropout(X, dropout, training=dropout > 0)
            X = layer(PackedSequence(X, batch_sizes))[0].data  # (n_items, width)
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
        self.lstm = nn.LSTM(embed_width, width // 2, bidirectional=True)

    def forward(self, forms: Forms, *, dropout: float) -> Tensor:
        """Encode every form's characters. Returns shape (n_forms, width)."""
        X = self.embedding(forms.characters)  # (n_characters, embed_width)
        X = F.dropout(X, dropout, training=dropout > 0)
        _, (last, _) = self.lstm(PackedSequence(X, forms.batch_sizes))  # (2, n_forms, width / 2)
        return torch.cat([last[0], last[1]], dim=1).index_select(0, forms.ranks)


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
        forms: Forms,
        tokens: Tensor,
        blocks: list[Block],
        rows: Tensor,
        *,
        dropout: float = 0.0,
    ) -> Tensor:
        """Score the tags of every token.

        forms: the distinct forms of the batch.
        tokens: which form each token has, shape (n_tokens,).
        blocks, rows: how to read the tokens, see `RecurrentEncoder.forward`.
        dropout: rate from 0 up to 1; also switches word dropout on.
        Returns logits, shape (n_tokens, n_tags).
        """
        if not blocks:  # no tokens at all
            return self.output(self.output.weight[:0])
        X = self.embed(forms, dropout)
        blocks = [Block(tokens[block.items], block.batch_sizes) for block in blocks]
        return self.encoder(X, blocks, rows, dropout=dropout, output=self.output)

    def embed(self, forms: Forms, dropout: float) -> Tensor:
        """One row for each distinct form: word, affixes, characters, static vector.

        Returns shape (n_forms, input_width of the encoder).
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
        if self.vectors is not None:
            parts.append(self.vectors(forms.vectors))
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

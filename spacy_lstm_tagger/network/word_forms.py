"""What depends on a word form alone, as plain PyTorch modules: tables and the character encoder.

Sources: character LSTM: Ling et al. 2015 (https://aclanthology.org/D15-1176); word dropout by
count: Kiperwasser and Goldberg 2016 (https://aclanthology.org/Q16-1023).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .recurrent import PaddedBatch, RecurrentLayer

WORDS = "words"
"""Name of the table of words."""

WORD_DROPOUT = 0.25
"""A word seen n times in training is read as unknown with probability 0.25 / (0.25 + n)."""


class Forms(NamedTuple):
    """Distinct word forms of a batch.

    tables: rows in each table of embeddings, shape (n_forms, per_form) each.
    counts: how often each word was seen in training, shape (n_forms,).
    batches: the forms as padded batches of characters: their items are rows of the character table.
    ends: place of the last character of each form of each batch, shape (n_forms of the batch,).
    ranks: where each form stands in the batches laid one after another, shape (n_forms,).
    """

    tables: dict[str, Tensor]
    counts: Tensor
    batches: list[PaddedBatch]
    ends: list[Tensor]
    ranks: Tensor


class TableSize(NamedTuple):
    """Size of a table of embeddings.

    n_rows: number of rows.
    per_form: rows that each form has, laid side by side.
    width: numbers in a row.
    """

    n_rows: int
    per_form: int
    width: int


class CharacterEncoder(nn.Module):
    """A bidirectional LSTM over the characters of a word; its last states are the output.

    n_characters: rows of the character table.
    embed_width: numbers in a character's row.
    width: numbers in an output row, both directions together.
    """

    def __init__(self, *, n_characters: int, embed_width: int, width: int) -> None:
        super().__init__()
        # Unknown characters are read for the first time when the tagger predicts: their row is
        # never trained.
        self.embedding = unknown_at_zero(nn.Embedding(n_characters, embed_width))
        self.layer = RecurrentLayer(
            input_width=embed_width, width=width, cell="lstm", bidirectional=True
        )

    def forward(self, forms: Forms, *, dropout: float) -> Tensor:
        """Encode every form's characters. Returns shape (n_forms, width)."""
        Ys = [
            self.encode(batch, ends, dropout)
            for batch, ends in zip(forms.batches, forms.ends, strict=True)
        ]
        return torch.cat(Ys).index_select(0, forms.ranks)

    def encode(self, batch: PaddedBatch, ends: Tensor, dropout: float) -> Tensor:
        """Encode the forms of one batch. Returns shape (n_forms of the batch, width)."""
        X = self.embedding(batch.items)  # (longest, n_forms of the batch, embed_width)
        X = F.dropout(X, dropout, training=dropout > 0)
        Ys = self.layer.read(X, batch.reversal)
        return torch.cat([Y.flatten(0, 1).index_select(0, ends) for Y in Ys], dim=1)


def with_word_dropout(words: Tensor, counts: Tensor) -> Tensor:
    """Return word rows, shape (n_forms, 1), some of them replaced by the unknown word's."""
    rates = WORD_DROPOUT / (WORD_DROPOUT + counts)
    unknown = torch.rand(rates.shape, device=words.device) < rates
    return words.masked_fill(unknown[:, None], 0)


def embedding_table(n_rows: int, width: int) -> nn.Embedding:
    """Return a table of embeddings with fresh weights."""
    embedding = nn.Embedding(n_rows, width)
    # Torch's own scale, 1 a number, drowns what is learned of rows seen only a few times.
    nn.init.normal_(embedding.weight, std=width**-0.5)
    return unknown_at_zero(embedding)


@torch.no_grad()
def unknown_at_zero(embedding: nn.Embedding) -> nn.Embedding:
    """Let the row of the unknown begin at 0: if nothing trains it, it must say nothing."""
    embedding.weight[0] = 0.0
    return embedding

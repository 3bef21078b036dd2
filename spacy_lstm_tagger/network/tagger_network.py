"""The recurrent tagger as plain PyTorch modules.

It is made of what depends on a word form alone (see `word_forms`) and of recurrent layers (see
`recurrent`).

Source: BiLSTM tagger over word and character representations: Plank et al. 2016
(https://aclanthology.org/P16-2067).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .output_layers import DeferredOutput, grown
from .recurrent import PaddedBatch, RecurrentEncoder
from .word_forms import (
    WORDS,
    CharacterEncoder,
    Forms,
    TableSize,
    embedding_table,
    with_word_dropout,
)


class TaggerNetwork(nn.Module):
    """Embed word forms (`embed`), then read them in sequence and score them (`encode`).

    tables: the tables of embeddings by their names, "words" among them.
    n_characters: rows of the character table.
    vector_width: numbers in a static vector, 0 without them; it is projected to a word's width.
    n_columns: columns of the scores: the labels of all outputs side by side, one linear layer.
    n_deferred: columns of the scores that are computed only for tokens that need them, in all.
    state_width: see `DeferredOutput`.
    char_embed_width, char_width: see `CharacterEncoder`. 0 for char_width: no characters.
    width, depth, cell, bidirectional: see `RecurrentEncoder`.
    """

    def __init__(
        self,
        *,
        tables: Mapping[str, TableSize],
        n_characters: int,
        vector_width: int,
        n_columns: int,
        n_deferred: int,
        state_width: int,
        char_embed_width: int,
        char_width: int,
        width: int,
        depth: int,
        cell: str,
        bidirectional: bool,
    ) -> None:
        super().__init__()
        for name, table in tables.items():  # modules of these names, as in saved weights
            self.add_module(name, embedding_table(table.n_rows, table.width))
        self.characters = (
            CharacterEncoder(
                n_characters=n_characters, embed_width=char_embed_width, width=char_width
            )
            if char_width
            else None
        )
        word_width = tables[WORDS].width
        self.vectors = nn.Linear(vector_width, word_width, bias=False) if vector_width else None
        self.row_width = sum(table.per_form * table.width for table in tables.values()) + char_width
        self.n_columns = n_columns
        self.encoder = RecurrentEncoder(
            input_width=self.row_width + (word_width if vector_width else 0),
            width=width,
            depth=depth,
            cell=cell,
            bidirectional=bidirectional,
        )
        self.projection: nn.Linear | None = None  # see `narrow_network`
        self.state_width = state_width if n_deferred else 0
        self.output = nn.Linear(width, n_columns + self.state_width)
        self.deferred = (
            DeferredOutput(row_width=self.row_width, state_width=state_width, n_columns=n_deferred)
            if n_deferred
            else None
        )

    def forward(
        self,
        forms: Forms,
        vectors: Tensor,
        tokens: Tensor,
        batches: list[PaddedBatch],
        rows: Tensor,
        *,
        dropout: float = 0.0,
    ) -> Tensor:
        """Score every token, see `embed` and `encode`.

        Returns shape (n_tokens, n_columns + n_deferred).
        """
        if batches:
            X = self.embed(forms, dropout)
            Y = self.encode(X, vectors, tokens, batches, rows, dropout=dropout)
        else:
            Y = self.no_scores()
        if self.deferred is None:
            return Y
        states = Y[:, self.n_columns :]
        return torch.cat([Y[:, : self.n_columns], self.deferred(states)], dim=1)

    @property
    def read_width(self) -> int:
        """Numbers of a form that the first recurrent layer reads, but for its static vector."""
        return self.row_width if self.projection is None else self.projection.out_features

    def no_scores(self) -> Tensor:
        """Return the scores and states of no tokens at all, shape (0, ...)."""
        return self.output(self.output.weight[:0])

    def embed(self, forms: Forms, dropout: float = 0.0) -> Tensor:
        """Return one row for each form, of what depends on it alone: tables, then characters.

        What a form adds to states comes last.

        forms: at least one.
        dropout: rate from 0 up to 1; also switches word dropout on.
        Returns shape (n_forms, read width + state width).
        """
        tables = dict(forms.tables)
        if dropout:
            tables[WORDS] = with_word_dropout(tables[WORDS], forms.counts)
        parts = [self.get_submodule(name)(rows).flatten(1) for name, rows in tables.items()]
        if self.characters is not None:
            parts.append(self.characters(forms, dropout=dropout))
        X = torch.cat(parts, dim=1)
        read = X if self.projection is None else self.projection(X)
        if self.deferred is None:
            return read
        of_forms = self.deferred.of_form(F.dropout(X, dropout, training=dropout > 0))
        return torch.cat([read, of_forms], dim=1)

    def encode(
        self,
        X: Tensor,
        vectors: Tensor,
        tokens: Tensor,
        batches: list[PaddedBatch],
        rows: Tensor,
        *,
        dropout: float = 0.0,
    ) -> Tensor:
        """Score every token from the embeddings of the word forms.

        X: what `embed` returned, shape (n_forms, read width + state width).
        vectors: static vectors of the forms, shape (n_forms, vector_width).
        tokens: which form each token has, shape (n_tokens,).
        batches, rows: how to read the tokens, see `RecurrentEncoder.forward`.
        dropout: rate from 0 up to 1.
        Returns logits and states, shape (n_tokens, n_columns + state width).
        """
        if not batches:
            return self.no_scores()
        X, of_forms = self.with_vectors(X, vectors), X[:, self.read_width :]
        batches = [PaddedBatch(tokens[batch.items], batch.reversal) for batch in batches]
        Y = self.encoder(X, batches, rows, dropout=dropout, output=self.output)
        return self.add_forms(Y, of_forms, tokens)

    def with_vectors(self, X: Tensor, vectors: Tensor) -> Tensor:
        """Return what the first recurrent layer reads of each form, shape (n_forms, ...).

        X, vectors: see `encode`.
        """
        X = X[:, : self.read_width]
        if self.vectors is None:
            return X
        projected = self.vectors(vectors)
        return torch.cat([X, projected], dim=1) if self.projection is None else X + projected

    def add_forms(self, Y: Tensor, of_forms: Tensor, tokens: Tensor) -> Tensor:
        """Add to each token's state what its form adds, in place.

        Y: logits and states, shape (n_tokens, n_columns + state width).
        of_forms: the last columns of what `embed` returned, shape (n_forms, state width).
        tokens: which form each token has, shape (n_tokens,).
        """
        if self.deferred is not None:
            Y[:, self.n_columns :] += F.embedding(tokens, of_forms)
        return Y

    def grow(
        self,
        present: Mapping[str, int],
        wanted: Mapping[str, int],
        deferred: Collection[str] = (),
    ) -> None:
        """Add columns behind the present ones of each block, whose weights stay as they are.

        present, wanted: number of columns of each block, see `grown`.
        deferred: names of the deferred ones.
        """
        states = {"states": self.state_width} if self.state_width else {}

        def dense(columns: Mapping[str, int]) -> dict[str, int]:
            return {name: n for name, n in columns.items() if name not in deferred}

        now, then = dense(present), dense(wanted)
        self.output = grown(self.output, {**now, **states}, {**then, **states})
        self.n_columns = sum(then.values())
        if self.deferred is not None:
            now, then = ({k: columns[k] for k in deferred} for columns in (present, wanted))
            self.deferred.output = grown(self.deferred.output, now, then)


def make_network(*, widths: Mapping[str, int], **sizes: Any) -> TaggerNetwork:
    """Return a network with fresh weights.

    widths: numbers in a row of each table.
    sizes: `n_NAME` and `NAME_per_form` of each table (see `features.tables.sizes_of`); tables of
        which a form has no rows are left out. Further arguments of `TaggerNetwork`.
    """
    found = {
        name: TableSize(sizes.pop(f"n_{name}"), sizes.pop(f"{name}_per_form"), width)
        for name, width in widths.items()
    }
    return TaggerNetwork(tables={k: size for k, size in found.items() if size.per_form}, **sizes)

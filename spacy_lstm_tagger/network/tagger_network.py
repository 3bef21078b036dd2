"""The recurrent tagger as plain PyTorch modules.

Reads top to bottom: the forms of a batch, the characters of a word form, the tagger made of these
and of the recurrent layers (see `recurrent`). Knows torch alone.

Sources: BiLSTM tagger over word and character representations: Plank et al. 2016
(https://aclanthology.org/P16-2067), Ling et al. 2015 (https://aclanthology.org/D15-1176);
word dropout by count: Kiperwasser and Goldberg 2016 (https://aclanthology.org/Q16-1023).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .recurrent import Block, RecurrentEncoder, RecurrentLayer

WORD_DROPOUT = 0.25
"""A word seen n times in training is read as unknown with probability 0.25 / (0.25 + n)."""


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
    n_pos: number of parts of speech that a second output layer scores, 0 for no such layer. The
        two layers are kept as one: it takes one multiplication instead of two.
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
        n_pos: int = 0,
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
        self.n_pos = n_pos
        self.output = nn.Linear(width, n_tags + n_pos)

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
        """Score the tags, and the parts of speech, of every token.

        forms: the distinct forms of the batch, or what `embed` made of them.
        vectors: static vectors of the distinct forms, shape (n_forms, vector_width).
        tokens: which form each token has, shape (n_tokens,).
        blocks, rows: how to read the tokens, see `RecurrentEncoder.forward`.
        dropout: rate from 0 up to 1; also switches word dropout on.
        Returns logits, shape (n_tokens, n_tags + n_pos).
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
        old, n_old = self.output, self.output.out_features - self.n_pos
        self.output = nn.Linear(old.in_features, n_tags + self.n_pos).to(old.weight.device)
        for values, new in ((old.weight, self.output.weight), (old.bias, self.output.bias)):
            tags, pos = values[:n_old], values[n_old:]
            new[:n_old], new[n_old:n_tags], new[n_tags:] = tags, tags.mean(dim=0), pos
        self.output.bias[n_old:n_tags] -= 5.0


def _embedding(n_rows: int, width: int) -> nn.Embedding:
    embedding = nn.Embedding(n_rows, width)
    # Torch's own scale, 1 a number, drowns what is learned of rows seen only a few times.
    nn.init.normal_(embedding.weight, std=width**-0.5)
    return embedding

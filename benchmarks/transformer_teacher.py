"""Transformer as a teacher: a spaCy component that tags with a fine-tuned one.

    python benchmarks/finetune_teacher.py TRANSFORMER TRAIN.spacy DEV.spacy OUTPUT
    python -m spacy lstm-tagger distill OUTPUT raw.jsonl.gz taught.spacy \
        --code benchmarks/transformer_teacher.py

Many such models read lower-cased pieces of words, so the network reads the case in two other ways.
An embedding of each word's case is added to the embeddings of its pieces. Embeddings of each word's
affixes, case included, are read beside the transformer's output. Computes in bfloat16 where the
device has it, otherwise in float32.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from spacy.language import Language
from spacy.pipeline.tagger import Tagger
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Model
from torch import Tensor, nn

from spacy_lstm_tagger.network.precision import computes_bfloat16

AFFIX_ROWS, AFFIX_WIDTH = 8192, 16
N_CASES = 8
MAX_PIECES = 2500
"""Pieces in a batch at most, padding included, when docs are tagged."""

FACTORY = "transformer_teacher"


class Batch(NamedTuple):
    """Padded batch of sentences.

    ids: rows of the pieces, shape (n_sentences, longest).
    mask: 1 for a piece, 0 for padding, of the same shape.
    cases: case of the word of each piece, of the same shape.
    words: index of the word of each piece, n_words if there is none, shape
        (n_sentences * longest,).
    first: index of the first piece of each word, shape (n_words,).
    affixes: rows of the affixes, shape (n_words, 7).
    """

    ids: Tensor
    mask: Tensor
    cases: Tensor
    words: Tensor
    first: Tensor
    affixes: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        return Batch(*(part.to(device) for part in self))


def best_device() -> torch.device:
    """Return the GPU if there is one, otherwise the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def split_by_size(
    order: Sequence[int], lengths: Mapping[int, int] | Sequence[int], size: int
) -> Iterator[list[int]]:
    """Yield batches of a sequence of indices, so that each fits into `size` when it is padded.

    order: the indices, the shortest sentence first.
    lengths: length of each sentence, in whatever `size` is in.
    """
    batch: list[int] = []
    for i in order:
        if batch and (len(batch) + 1) * lengths[i] > size:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


class Network(nn.Module):
    """Network of a transformer and two layers over its output for each word."""

    def __init__(self, transformer: nn.Module, n_tags: int) -> None:
        super().__init__()
        width = transformer.config.hidden_size
        self.enc = transformer
        self.case = nn.Embedding(N_CASES, width)
        self.aff = nn.Embedding(AFFIX_ROWS, AFFIX_WIDTH)
        self.mid = nn.Linear(2 * width + 7 * AFFIX_WIDTH, width)
        self.out = nn.Linear(width, n_tags)
        nn.init.zeros_(self.case.weight)
        nn.init.normal_(self.aff.weight, std=0.1)
        nn.init.zeros_(self.out.weight)

    def forward(self, batch: Batch) -> Tensor:
        """Return the logits of every word, shape (n_words, n_tags)."""
        n_words = len(batch.first)
        table = self.enc.embeddings.word_embeddings
        embedded = (table(batch.ids) + self.case(batch.cases)).to(table.weight.dtype)
        device = self.out.weight.device
        enabled = computes_bfloat16(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=enabled):
            X = self.enc(inputs_embeds=embedded, attention_mask=batch.mask).last_hidden_state
        X = X.float().flatten(0, 1)  # (n_sentences * longest, width)
        total = X.new_zeros(n_words + 1, X.shape[1]).index_add(0, batch.words, X)
        count = X.new_zeros(n_words + 1).index_add(0, batch.words, X.new_ones(len(X)))
        mean = total[:-1] / count[:-1, None].clamp(min=1)
        both = F.dropout(torch.cat([mean, X[batch.first]], dim=1), 0.1, self.training)
        affixes = F.dropout(self.aff(batch.affixes).flatten(1), 0.2, self.training)
        hidden = F.gelu(self.mid(torch.cat([both, affixes], dim=1)))
        return self.out(F.dropout(hidden, 0.2, self.training))


def case_of(word: str) -> int:
    """Return the pattern of capitals and small letters of a word, from 1 to 7; 0 is for no word."""
    letters = [c for c in word if c.isalpha()]
    if not letters:
        return 1 if any(c.isdigit() for c in word) else 2
    if all(c.islower() for c in letters):
        return 3
    if all(c.isupper() for c in letters):
        return 4 if len(letters) > 1 else 5
    return 6 if word[0].isupper() and all(c.islower() for c in letters[1:]) else 7


def affixes_of(word: str) -> list[int]:
    """Return the rows of the first one to three and the last one to four letters."""
    parts = [f"p{n}{word[:n]}" for n in (1, 2, 3)] + [f"s{n}{word[-n:]}" for n in (1, 2, 3, 4)]
    return [zlib.crc32(part.encode()) % AFFIX_ROWS for part in parts]


def make_batch(sentences: Sequence[Sequence[str]], tokenizer: object) -> Batch:
    """Build a padded batch of sentences of words."""
    encoded = tokenizer(
        [list(words) for words in sentences],
        is_split_into_words=True,
        truncation=True,
        max_length=512,
        padding=True,
        return_tensors="pt",
    )
    longest = encoded["input_ids"].shape[1]
    n_words = sum(map(len, sentences))
    cases, words, first = [], [], []
    for i, sentence in enumerate(sentences):
        of_piece = encoded.word_ids(i)
        start, written = len(first), [case_of(word) for word in sentence]
        cases.append([0 if w is None else written[w] for w in of_piece])
        words += [n_words if w is None else start + w for w in of_piece]
        places = {w: i * longest + p for p, w in reversed(list(enumerate(of_piece)))}
        first += [places.get(w, i * longest) for w in range(len(sentence))]  # cut off: [CLS]
    return Batch(
        encoded["input_ids"],
        encoded["attention_mask"],
        torch.tensor(cases),
        torch.tensor(words),
        torch.tensor(first),
        torch.tensor([affixes_of(word) for sentence in sentences for word in sentence]),
    )


def numbers_of_pieces(sentences: Sequence[Sequence[str]], tokenizer: object) -> list[int]:
    """Return the number of pieces of each sentence: one address can have more than ten words."""
    words = [list(sentence) for sentence in sentences]
    encoded = tokenizer(words, is_split_into_words=True, truncation=True, max_length=512)
    return [len(ids) for ids in encoded["input_ids"]]


class TransformerTagger(Tagger):
    """Tagger with a trained network, for use as a teacher.

    directory: directory that `finetune_teacher.save` wrote.
    """

    def __init__(self, vocab: Vocab, directory: Path) -> None:
        from transformers import AutoConfig, AutoModel, AutoTokenizer

        saved = torch.load(directory / "teacher.pt", weights_only=True)
        self.tokenizer = AutoTokenizer.from_pretrained(directory)
        transformer = AutoModel.from_config(AutoConfig.from_pretrained(directory))
        self.network = Network(transformer, len(saved["labels"]))
        self.network.load_state_dict(saved["weights"])
        self.network.eval().to(best_device())
        if computes_bfloat16(best_device()):
            self.network.enc.bfloat16()
        super().__init__(vocab, Model(FACTORY, self._forward), name=FACTORY)
        self.cfg["labels"] = saved["labels"]
        for label in saved["labels"]:
            vocab.strings.add(label)

    def _forward(self, model: Model, docs: Sequence[Doc], is_train: bool) -> tuple:
        words = [[token.text for token in doc] for doc in docs]
        scores = [np.zeros((0, len(self.labels)), dtype="float32") for _ in docs]
        filled = [i for i, of_doc in enumerate(words) if of_doc]
        found = numbers_of_pieces([words[i] for i in filled], self.tokenizer) if filled else []
        lengths = dict(zip(filled, found, strict=True))
        for chosen in split_by_size(sorted(filled, key=lengths.__getitem__), lengths, MAX_PIECES):
            batch = make_batch([words[i] for i in chosen], self.tokenizer)
            batch = batch.to(self.network.out.weight.device)
            with torch.no_grad():
                parts = self.network(batch).cpu().split([len(words[i]) for i in chosen])
            for i, part in zip(chosen, parts, strict=True):
                scores[i] = part.numpy()
        return scores, None

    def to_disk(self, path: Path, *, exclude: Sequence[str] = ()) -> None:
        """Write nothing: the weights stay in their directory, which the config names."""

    def from_disk(self, path: Path, *, exclude: Sequence[str] = ()) -> TransformerTagger:
        """Read nothing: the weights have been read from their directory."""
        return self


@Language.factory(FACTORY, assigns=["token.tag"])
def make_transformer_teacher(nlp: Language, name: str, directory: str) -> TransformerTagger:
    """Build the component. `directory` has the weights."""
    return TransformerTagger(nlp.vocab, Path(directory))

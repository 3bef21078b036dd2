"""Stanza's tagger with its default sizes, without pretrained vectors and character models.

Trains on UPOS, features and XPOS together, as Stanza does, and tags XPOS.
Source: Qi et al. 2018, "Universal Dependency Parsing from Scratch"
(https://aclanthology.org/K18-2016), https://stanfordnlp.github.io/stanza/training_and_evaluation.html
"""

from __future__ import annotations

import tempfile
from argparse import Namespace
from pathlib import Path

from stanza.models import tagger
from stanza.utils.conll import CoNLL

from measuring.peers.interface import Sentences, run

BATCH = 32
"""Sentences tagged at once; some of them are long docs."""


def train(args: Namespace) -> None:
    """Train by Stanza's own command, which saves its best model on dev as it goes."""
    lang = args.treebank.partition("_")[0]
    tagger.main(
        [
            *("--mode", "train", "--lang", lang, "--shorthand", args.treebank),
            *("--train_file", str(args.train), "--eval_file", str(args.dev)),
            *("--no_pretrain", "--cpu", "--seed", str(args.seed)),
            *_model_arguments(args.model),
        ]
    )


def tag(model: Path, sentences: Sentences) -> Sentences:
    """Tag sentences, given as words."""
    with tempfile.TemporaryDirectory() as directory:
        source, target = Path(directory) / "words.conllu", Path(directory) / "tags.conllu"
        source.write_text("".join(map(_as_conllu, sentences)), encoding="utf8")
        tagger.main(
            [
                *("--mode", "predict", "--eval_file", str(source), "--output_file", str(target)),
                *("--no_gold_labels", "--no_pretrain", "--cpu", "--batch_size", str(BATCH)),
                *_model_arguments(model),
            ]
        )
        tagged = CoNLL.conll2doc(input_file=str(target))
    return [[word.xpos or "_" for word in sentence.words] for sentence in tagged.sentences]


def _model_arguments(model: Path) -> tuple[str, ...]:
    return "--save_dir", str(model), "--save_name", "tagger.pt"


def _as_conllu(words: list[str]) -> str:
    lines = [f"{i + 1}\t{word}\t_\t_\t_\t_\t{i}\tdep\t_\t_" for i, word in enumerate(words)]
    return "\n".join(lines) + "\n\n"


if __name__ == "__main__":
    run(train, tag)

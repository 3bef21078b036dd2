"""Stanza's tagger with its default sizes, without pretrained vectors or character models.

Trains on UPOS, features and XPOS together, as Stanza does, and tags XPOS.
Source: Qi et al. 2018, "Universal Dependency Parsing from Scratch"
(https://aclanthology.org/K18-2016), https://stanfordnlp.github.io/stanza/training_and_evaluation.html
"""

from __future__ import annotations

import tempfile
from argparse import Namespace
from itertools import islice
from pathlib import Path

import torch
from stanza.models import tagger
from stanza.models.common.char_model import CharacterLanguageModel, build_charlm_vocab
from stanza.models.common.doc import ID, TEXT, Document
from stanza.models.common.utils import unsort
from stanza.models.pos.data import Dataset
from stanza.models.pos.trainer import Trainer
from stanza.utils.conll import CoNLL

from measuring.peers.interface import Sentences, Tag, run

BATCH = 32
"""Number of sentences tagged at once. Some of them are long docs."""


def train(args: Namespace) -> None:
    """Train with Stanza's own command, which saves the best model on dev as it goes."""
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


CHARACTER_MODEL = {
    "char_emb_dim": 100,
    "char_hidden_dim": 1024,
    "char_num_layers": 1,
    "char_dropout": 0.05,
    "char_rec_dropout": 0.0,
}
"""Sizes of Stanza's own character language models, the defaults of stanza.models.charlm."""

BATCH_TOKENS = 5000
"""Maximum number of tokens in a batch, as in Stanza's pipeline."""


def untrained(args: Namespace) -> Tag:
    """Return a tagger after one step of training, with character language models of random weights.

    Except for the word vectors, Stanza's English taggers are made like this. It tags as Stanza's
    pipeline does.
    """
    files = {}
    vocab = {"char": build_charlm_vocab(str(args.train))}
    for direction in ("forward", "backward"):
        file = args.model / f"{direction}.pt"
        model = CharacterLanguageModel(CHARACTER_MODEL, vocab, direction == "forward")
        model.is_forward_lm = direction == "forward"
        model.save(str(file))
        files[f"charlm_{direction}_file"] = str(file)
    few = args.model / "few.conllu"
    with args.train.open(encoding="utf8") as lines:
        blocks = "".join(islice(lines, 2000)).split("\n\n")[:-1]
    few.write_text("".join(f"{block}\n\n" for block in blocks), encoding="utf8")
    tagger.main(
        [
            *("--mode", "train", "--lang", "en", "--shorthand", "en_untrained"),
            *("--train_file", str(args.train), "--eval_file", str(few), "--no_pretrain", "--cpu"),
            *("--max_steps", "1", "--eval_interval", "1"),
            *("--charlm", "--charlm_shorthand", "untrained"),
            *(part for name, file in files.items() for part in (f"--{name}", file)),
            *_model_arguments(args.model),
        ]
    )
    trainer = Trainer(model_file=str(args.model / "tagger.pt"), device="cpu", args=files)

    def tag(sentences: Sentences) -> Sentences:
        words = [[{ID: i + 1, TEXT: w} for i, w in enumerate(words)] for words in sentences]
        settings = (Document(words), trainer.args, None)
        dataset = Dataset(*settings, vocab=trainer.vocab, evaluation=True, sort_during_eval=True)
        size = trainer.args["batch_size"]
        batches = dataset.to_length_limited_loader(batch_size=size, maximum_tokens=BATCH_TOKENS)
        tags, order = [], []
        with torch.no_grad():
            for batch in batches:
                order.extend(batch[-1])
                tags += trainer.predict(batch)
        return [[xpos for _, xpos, _ in sentence] for sentence in unsort(tags, order)]

    return tag


def _model_arguments(model: Path) -> tuple[str, ...]:
    return "--save_dir", str(model), "--save_name", "tagger.pt"


def _as_conllu(words: list[str]) -> str:
    lines = [f"{i + 1}\t{word}\t_\t_\t_\t_\t{i}\tdep\t_\t_" for i, word in enumerate(words)]
    return "\n".join(lines) + "\n\n"


if __name__ == "__main__":
    run(train, tag, untrained)

"""The command line that every peer's script has; only the standard library.

    python -m measuring.peers.PEER train --train A.conllu --dev B.conllu --model DIR ...
    python -m measuring.peers.PEER tag --model DIR --words IN.json --tags OUT.json

The JSON files hold a list of sentences, each a list of words or of tags. A `note.txt` in the
model's directory goes into the report.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

Sentences = list[list[str]]


def run(
    train: Callable[[argparse.Namespace], None], tag: Callable[[Path, Sentences], Sentences]
) -> None:
    """Run the command that was asked for."""
    args = _arguments()
    if args.command == "train":
        args.model.mkdir(parents=True, exist_ok=True)
        train(args)
    else:
        words = json.loads(args.words.read_text(encoding="utf8"))
        args.tags.write_text(json.dumps(tag(args.model, words)), encoding="utf8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train")
    train.add_argument("--train", type=Path, required=True)
    train.add_argument("--dev", type=Path, required=True)
    train.add_argument("--treebank", required=True, help="such as en_ewt")
    train.add_argument("--seed", type=int, required=True)
    train.add_argument("--minutes", type=float, required=True, help="when it will be stopped")
    tag = commands.add_parser("tag")
    tag.add_argument("--words", type=Path, required=True)
    tag.add_argument("--tags", type=Path, required=True)
    for command in (train, tag):
        command.add_argument("--model", type=Path, required=True, help="directory")
    return parser.parse_args()

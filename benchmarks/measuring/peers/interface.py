"""Command line of every peer's script. Uses only the standard library.

    python -m measuring.peers.PEER train --train A.conllu --dev B.conllu --model DIR ...
    python -m measuring.peers.PEER tag --model DIR --words IN.json --tags OUT.json
    python -m measuring.peers.PEER time --train A.conllu --model DIR --words IN.json

The JSON files hold a list of sentences, each a list of words or of tags. A `note.txt` in the
model's directory goes into the report. `time` makes a tagger of the library's usual size with
weights that are as good as random, and prints READY. Then, for every line that it reads, it tags
all sentences and prints the seconds that it took.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

Sentences = list[list[str]]
Tag = Callable[[Sentences], Sentences]

READY = "ready"


def run(
    train: Callable[[argparse.Namespace], None],
    tag: Callable[[Path, Sentences], Sentences],
    untrained: Callable[[argparse.Namespace], Tag] | None = None,
) -> None:
    """Run the command that the arguments name.

    train: Function that trains into a directory.
    tag: Function that tags sentences with the model of a directory.
    untrained: Function that returns an untrained tagger; None if the peer cannot be timed.
    """
    args = _arguments()
    if args.command == "train":
        args.model.mkdir(parents=True, exist_ok=True)
        train(args)
    elif args.command == "time":
        if untrained is None:
            sys.exit("this tagger cannot be timed")
        args.model.mkdir(parents=True, exist_ok=True)
        _time(untrained(args), json.loads(args.words.read_text(encoding="utf8")))
    else:
        words = json.loads(args.words.read_text(encoding="utf8"))
        args.tags.write_text(json.dumps(tag(args.model, words)), encoding="utf8")


def _time(tag: Tag, sentences: Sentences) -> None:
    print(READY, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        tags = tag(sentences)
        seconds = time.perf_counter() - start
        if list(map(len, tags)) != list(map(len, sentences)):
            sys.exit("there are words without tags")
        print(seconds, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train")
    train.add_argument("--train", type=Path, required=True)
    train.add_argument("--dev", type=Path, required=True)
    train.add_argument("--treebank", required=True, help="such as en_ewt")
    train.add_argument("--seed", type=int, required=True)
    train.add_argument("--minutes", type=float, required=True, help="of training at most")
    tag = commands.add_parser("tag")
    tag.add_argument("--words", type=Path, required=True)
    tag.add_argument("--tags", type=Path, required=True)
    time_ = commands.add_parser("time")
    time_.add_argument("--train", type=Path, required=True, help="for words and tags")
    time_.add_argument("--words", type=Path, required=True)
    for command in (train, tag, time_):
        command.add_argument("--model", type=Path, required=True, help="directory")
    return parser.parse_args()

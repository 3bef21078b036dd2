"""NLTK's PerceptronTagger with its default of 5 passes. The dev split is not used.

Source: https://www.nltk.org/api/nltk.tag.perceptron.html
"""

from __future__ import annotations

import json
import random
from argparse import Namespace
from pathlib import Path

from nltk.tag.perceptron import PerceptronTagger

from measuring.peers.interface import Sentences, Tag, run
from measuring.treebank import read_conllu

PASSES = 5


def train(args: Namespace) -> None:
    """Train and save, as JSON: NLTK itself saves only in its own data directory."""
    random.seed(args.seed)
    tagger = PerceptronTagger(load=False)
    sentences = [list(zip(s.words, s.tags, strict=True)) for s in read_conllu(args.train)]
    random.shuffle(sentences)  # NLTK itself does the first pass in corpus order
    tagger.train(sentences, nr_iter=PASSES)
    weights, dictionary, classes = tagger.encode_json_obj()
    parts = [weights, dictionary, sorted(classes)]
    (args.model / "model.json").write_text(json.dumps(parts), encoding="utf8")


def tag(model: Path, sentences: Sentences) -> Sentences:
    """Tag sentences, given as words."""
    return _load(model)(sentences)


def untrained(args: Namespace) -> Tag:
    """Return a tagger that is trained after all: how many weights it has decides about speed."""
    if not (args.model / "model.json").is_file():
        train(Namespace(**vars(args), seed=0))
    return _load(args.model)


def _load(model: Path) -> Tag:
    parts = json.loads((model / "model.json").read_text(encoding="utf8"))
    tagger = PerceptronTagger.decode_json_obj(parts)
    return lambda sentences: [[tag for _, tag in tagger.tag(words)] for words in sentences]


if __name__ == "__main__":
    run(train, tag, untrained)

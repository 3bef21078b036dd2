"""Parts of a treebank as treebanks of their own: its first sentences, or all genres but one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from spacy.tokens import Doc
from thinc.api import Config

from spacy_lstm_tagger.cli.recipe_size import fit_to_size

from . import training
from .devset import Treebank
from .scoring import Scores, Tagger
from .treebank import Sentence, genre, read_conllu


@dataclass(frozen=True)
class Part:
    """Part of a treebank, and what taggers trained on it are scored on.

    treebank: its files; the best model is chosen on its dev split.
    gold: sentences to score on.
    """

    treebank: Treebank
    gold: list[Sentence]

    @property
    def n_words(self) -> int:
        """Number of words in the train split."""
        return sum(len(s.words) for s in read_conllu(self.treebank.conllu("train")))

    def score(self, tagger: Tagger, gold: list[Sentence]) -> Scores:
        """Return the accuracy on gold tokens, and on those not in the train split, in percent."""
        seen = {word for s in read_conllu(self.treebank.conllu("train")) for word in s.words}
        docs = [Doc(tagger.nlp.vocab, words=s.words) for s in gold]
        words = [word for s in gold for word in s.words]
        tags = (tag for doc_tags in tagger.tag({"gold": docs})["gold"] for tag in doc_tags)
        right = [a == b for a, b in zip(tags, (t for s in gold for t in s.tags), strict=True)]
        unseen = [r for r, word in zip(right, words, strict=True) if word not in seen]
        accuracy = {"gold": 100 * sum(right) / len(right)}
        if unseen:
            accuracy["unseen"] = 100 * sum(unseen) / len(unseen)
        return {"accuracy": accuracy, "counts": {"words": len(words), "unseen": len(unseen)}}


def first_sentences(whole: Treebank, n: int) -> Part:
    """Return the first sentences of the train split; the dev split is whole."""
    paths = {split: whole.conllu(split) for split in ("train", "dev")}
    texts = {"train": islice(_blocks(paths["train"]), n), "dev": _blocks(paths["dev"])}
    treebank = _write(whole, str(n), texts)
    return Part(treebank, list(read_conllu(treebank.conllu("dev"))))


def without_genre(whole: Treebank, left_out: str) -> Part:
    """Return all genres but one; that one's part of the train split is what is scored on."""
    texts = {
        split: (text for text in _blocks(whole.conllu(split)) if _genre(text) != left_out)
        for split in ("train", "dev")
    }
    all_sentences = read_conllu(whole.conllu("train"))
    gold = [sentence for sentence in all_sentences if genre(sentence.id) == left_out]
    return Part(_write(whole, f"without-{left_out}", texts), gold)


def fitted_config(path: Path, n_words: int) -> Callable[[str], Config]:
    """Return the function from a language to what `init-config --train` makes of a recipe."""
    return partial(_fitted, path, n_words)


def _fitted(path: Path, n_words: int, lang: str) -> Config:
    config = training.file_config(path, lang)
    fit_to_size(config, path.stem, n_words)
    return config


def _write(whole: Treebank, name: str, texts: dict[str, Iterable[str]]) -> Treebank:
    treebank = Treebank(f"{whole.name}-{name}", whole.work / "parts", whole.work)
    treebank.data.mkdir(parents=True, exist_ok=True)
    for split, blocks in texts.items():
        path = treebank.data / f"{treebank.name}-ud-{split}.conllu"
        text = "".join(f"{block}\n\n" for block in blocks)
        if not path.is_file() or path.read_text(encoding="utf8") != text:
            path.write_text(text, encoding="utf8")
    return treebank


def _blocks(path: Path) -> Iterable[str]:
    """Yield the sentences of a CoNLL-U file as they are written there."""
    return filter(None, map(str.strip, path.read_text(encoding="utf8").split("\n\n")))


def _genre(block: str) -> str | None:
    ids: list[Any] = [line for line in block.splitlines() if line.startswith("# sent_id")]
    return genre(ids[0].partition("=")[2].strip()) if ids else None

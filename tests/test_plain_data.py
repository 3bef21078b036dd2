"""From lists of words and tags to a file that `spacy train` reads, with spaCy alone."""

from pathlib import Path

import spacy
from spacy.tokens import DocBin
from spacy.training import Corpus

SNIPPET = """
import spacy
from spacy.tokens import Doc, DocBin

sentences = [(["I", "like", "ham"], ["PRP", "VBP", "NN"]), (["Eat", "it", "!"], ["VB", "PRP", "."])]
vocab = spacy.blank("en").vocab
docs = [Doc(vocab, words=words, tags=tags) for words, tags in sentences]
DocBin(docs=docs).to_disk("train.spacy")
"""


def test_words_and_tags_become_training_data(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(SNIPPET, "README.md", "exec"), {})
    nlp = spacy.blank("en")
    nlp.add_pipe(
        "lstm_tagger",
        config={"model": {"@architectures": "spacy-lstm-tagger.LSTMTagger.v1", "min_word_freq": 1}},
    )
    examples = list(Corpus("train.spacy", gold_preproc=True)(nlp))
    assert [[token.text for token in eg.predicted] for eg in examples] == [
        ["I", "like", "ham"],
        ["Eat", "it", "!"],
    ]
    nlp.initialize(lambda: examples)
    assert nlp.get_pipe("lstm_tagger").labels == (".", "NN", "PRP", "VB", "VBP")
    docs = DocBin().from_disk("train.spacy").get_docs(nlp.vocab)
    assert all(doc.has_unknown_spaces for doc in docs)

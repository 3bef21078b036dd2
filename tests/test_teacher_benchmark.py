"""benchmarks/finetune_teacher.py, with a tiny transformer of random weights."""

import subprocess
import sys
from pathlib import Path

import pytest
import spacy
import torch
from numpy.testing import assert_allclose
from spacy.tokens import Doc, DocBin

from spacy_lstm_tagger.distill.labelling import label
from spacy_lstm_tagger.distill.teacher import Teacher
from spacy_lstm_tagger.training.soft_targets import get_soft_targets

transformers = pytest.importorskip("transformers", reason="transformers is not installed")

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
WORDS = ["I", "like", "green", "eggs", "and", "ham"]
TAGS = ["PRP", "VBP", "JJ", "NNS", "CC", "NN"]


@pytest.fixture
def files(tmp_path) -> list[Path]:
    """A transformer, training data, dev data."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(str.lower, WORDS)]
    model = tmp_path / "transformer"
    model.mkdir()
    (model / "vocab.txt").write_text("\n".join(vocabulary))
    transformers.BertTokenizerFast(str(model / "vocab.txt")).save_pretrained(model)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.BertConfig(vocab_size=len(vocabulary), intermediate_size=16, **sizes)
    torch.manual_seed(0)
    transformers.BertModel(config).save_pretrained(model)
    vocab = spacy.blank("en").vocab
    docs = [Doc(vocab, words=WORDS[i:], tags=TAGS[i:]) for i in range(5)] * 4
    DocBin(docs=docs).to_disk(tmp_path / "train.spacy")
    return [model, tmp_path / "train.spacy", tmp_path / "train.spacy"]


def run(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, BENCHMARKS / "finetune_teacher.py", *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


def test_interrupted_training_goes_on_as_if_it_had_not_been(files, tmp_path) -> None:
    options = ("--passes", 2, "--size", 20, "--learn-rate", 0.01)
    whole = run(*files, tmp_path / "whole", *options)
    assert whole.returncode == 0, whole.stderr
    evaluations = [line.partition(" after ")[0] for line in whole.stdout.splitlines()]
    assert len(evaluations) == 8
    # as if the second half had never been
    script = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import finetune_teacher as f\n"
        "save, n = f.Training._save, iter(range(9))\n"
        "def stop(self): save(self); next(n) == 3 and sys.exit(7)\n"
        "f.Training._save = stop; f.main()"
    )
    command = [sys.executable, "-c", script, BENCHMARKS, *files, tmp_path / "parts", *options]
    assert subprocess.run(list(map(str, command)), capture_output=True).returncode == 7
    rest = run(*files, tmp_path / "parts", *options)
    lines = [line.partition(" after ")[0] for line in rest.stdout.splitlines()]
    assert lines[0].startswith("goes on from step ")
    assert lines[1:] == evaluations[4:]
    other = run(*files, tmp_path / "parts", *options, "--seed", 1)
    assert other.returncode == 1
    assert "with other settings (seed)" in other.stderr


def test_teacher_tags_docs_of_any_length_in_any_batch(files, tmp_path, monkeypatch) -> None:
    done = run(*files, tmp_path / "teacher", "--size", 60)
    assert done.returncode == 0, done.stderr
    monkeypatch.syspath_prepend(BENCHMARKS)
    import transformer_teacher

    monkeypatch.setattr(transformer_teacher, "computes_bfloat16", lambda device: False)
    nlp = spacy.load(tmp_path / "teacher")
    words = [WORDS, [], WORDS[:1], WORDS * 30, WORDS[2:4]]
    docs = [Doc(nlp.vocab, words=each) for each in words]
    alone = [nlp.get_pipe("transformer_teacher").model.predict([doc])[0] for doc in docs]
    monkeypatch.setattr(transformer_teacher, "MAX_PIECES", 10)
    together = nlp.get_pipe("transformer_teacher").model.predict(docs)
    for one, other, each in zip(alone, together, words, strict=True):
        assert one.shape == (len(each), len(TAGS))
        assert abs(one - other).max(initial=0) < 1e-4
    (labelled,) = label([docs[0]], [Teacher(nlp, 1.0)], 6, n_process=1, batch_size=2)
    assert {token.tag_ for token in labelled} <= set(TAGS)
    assert_allclose(get_soft_targets(labelled, sorted(TAGS)).sum(axis=1), 1, atol=1e-3)

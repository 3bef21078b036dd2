"""Teachers label text: the command, its interruption, and training on what it wrote."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus, Example
from thinc.api import Model
from typer.testing import CliRunner

from spacy_lstm_tagger.cli import distill, lstm_tagger_cli
from spacy_lstm_tagger.distill.corpus import build_distillation_corpus_v1
from spacy_lstm_tagger.distill.labelling import accuracies, label
from spacy_lstm_tagger.distill.teacher import Teacher
from spacy_lstm_tagger.training.augmenter import build_augmenter_v1, is_added
from spacy_lstm_tagger.training.soft_targets import get_soft_targets, key_of, soft_labels

KEY = key_of("tag")
TEXTS = ["I like green eggs", "Eat blue ham", "ham", "unheard-of wörds 👍 !"]


def run_distill(*arguments, **settings) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "distill", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **settings)


def read(path: Path) -> list[Doc]:
    return list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))


@pytest.fixture
def teacher(make_nlp, randomize):
    """A pipeline with random weights."""

    def make(seed: int = 0):
        nlp = make_nlp()
        randomize(nlp.get_pipe("lstm_tagger"), seed)
        return nlp

    return make


@pytest.fixture
def stock_teacher(make_examples):
    """A pipeline with spaCy's own tagger, which listens to a component before it."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "*"}
    model = {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}
    nlp.add_pipe("tagger", config={"model": model})
    nlp.add_pipe("sentencizer")
    optimizer = nlp.initialize(lambda: make_examples(nlp))
    for _ in range(5):
        nlp.update(make_examples(nlp), sgd=optimizer)
    return nlp


def labelled(nlp, texts=TEXTS, **settings) -> list[Doc]:
    docs = [nlp.make_doc(text) for text in texts]
    teacher = Teacher(nlp, settings.pop("temperature", 1.0))
    return label(docs, [teacher], settings.pop("kept", 99), n_process=1, batch_size=2)


def test_a_teachers_probabilities_are_its_own(teacher) -> None:
    nlp = teacher()
    tagger = nlp.get_pipe("lstm_tagger")
    expected = tagger.predict_probabilities([nlp.make_doc(text) for text in TEXTS])
    for doc, probabilities in zip(labelled(nlp), expected, strict=True):
        assert_allclose(get_soft_targets(doc, tagger.labels), probabilities, atol=1e-3)
        assert [t.tag_ for t in doc] == [tagger.labels[i] for i in probabilities.argmax(axis=1)]


def test_stock_tagger_teaches_as_well(stock_teacher) -> None:
    expected = [[token.tag_ for token in stock_teacher(text)] for text in TEXTS]
    docs = labelled(stock_teacher)
    assert [[token.tag_ for token in doc] for doc in docs] == expected
    for doc in docs:
        assert set(doc.user_data) == {KEY}
        rows = get_soft_targets(doc, stock_teacher.get_pipe("tagger").labels)
        assert_allclose(rows.sum(axis=1), 1.0, atol=1e-3)


def test_tagger_whose_model_does_not_say_how_many_tags_it_has_teaches_as_well() -> None:
    def forward(model: Model, docs: list[Doc], is_train: bool) -> tuple:
        return [numpy.eye(2, dtype="float32")[[len(t) % 2 for t in doc]] for doc in docs], None

    nlp = spacy.blank("en")
    tagger = nlp.add_pipe("tagger")
    for label_ in ("EVEN", "ODD"):
        tagger.add_label(label_)
    tagger.model = Model("silent", forward)
    (doc,) = labelled(nlp, ["I like ham"])
    assert [token.tag_ for token in doc] == ["ODD", "EVEN", "ODD"]
    likely, unlikely = numpy.exp([1, 0]) / numpy.exp([1, 0]).sum()
    expected = [[unlikely, likely], [likely, unlikely], [unlikely, likely]]
    assert_allclose(get_soft_targets(doc, ["EVEN", "ODD"]), expected, atol=1e-3)


def test_temperature_makes_probabilities_less_sure(teacher) -> None:
    labels = teacher().get_pipe("lstm_tagger").labels
    (cold,) = labelled(teacher(), TEXTS[:1])
    (warm,) = labelled(teacher(), TEXTS[:1], temperature=3.0)
    cold_rows = get_soft_targets(cold, labels)
    expected = cold_rows ** (1 / 3)
    expected /= expected.sum(axis=1, keepdims=True)
    assert_allclose(get_soft_targets(warm, labels), expected, atol=5e-3)


def test_several_teachers_are_averaged(teacher) -> None:
    labels = teacher().get_pipe("lstm_tagger").labels
    docs = [teacher().make_doc("I like green eggs")]
    alone = [labelled(teacher(seed), ["I like green eggs"])[0] for seed in (1, 2)]
    both = label(
        docs, [Teacher(teacher(seed), 1.0) for seed in (1, 2)], 99, n_process=1, batch_size=8
    )
    mean = numpy.mean([get_soft_targets(doc, labels) for doc in alone], axis=0)
    assert_allclose(get_soft_targets(both[0], labels), mean, atol=2e-3)


def test_weights_decide_how_much_each_teacher_counts(teacher) -> None:
    labels = teacher().get_pipe("lstm_tagger").labels
    docs = [teacher().make_doc("I like green eggs")]
    alone = [labelled(teacher(seed), ["I like green eggs"])[0] for seed in (1, 2)]
    first, second = (get_soft_targets(doc, labels) for doc in alone)
    weighted = [Teacher(teacher(1), 1.0, weight=3.0), Teacher(teacher(2), 1.0, weight=1.0)]
    (doc,) = label(docs, weighted, 99, n_process=1, batch_size=8)
    assert_allclose(get_soft_targets(doc, labels), (3 * first + second) / 4, atol=2e-3)
    one = [Teacher(teacher(1), 1.0, weight=0.0), Teacher(teacher(2), 1.0, weight=0.1)]
    (doc,) = label(docs, one, 99, n_process=1, batch_size=8)
    assert_allclose(get_soft_targets(doc, labels), second, atol=2e-3)
    assert [token.tag_ for token in doc] == [token.tag_ for token in alone[1]]


def test_teachers_and_their_mean_are_tried_on_gold_docs(teacher) -> None:
    labels = teacher().get_pipe("lstm_tagger").labels
    alone = [labelled(teacher(seed)) for seed in (1, 2)]
    vocab = spacy.blank("en").vocab
    gold, right, n_tags = [], [0, 0, 0], 0
    for first, second in zip(*alone, strict=True):
        mean = get_soft_targets(first, labels) + get_soft_targets(second, labels)
        given = [[t.tag_ for t in first], [t.tag_ for t in second]]
        given.append([labels[i] for i in mean.argmax(axis=1)])
        tags = [*given[0][:-1], ""] if len(first) > 1 else given[1]  # a word without a gold tag
        gold.append(Doc(vocab, words=[t.text for t in first], tags=tags))
        n_tags += sum(map(bool, tags))
        for i in range(3):
            right[i] += sum(map(str.__eq__, tags, given[i]))
    teachers = [Teacher(teacher(seed), 1.0) for seed in (1, 2)]
    shares = accuracies(gold, teachers, n_process=1, batch_size=2)
    assert shares == [number / n_tags for number in right]
    assert len(set(shares)) > 1


def test_docs_without_tags_cannot_try_teachers(teacher) -> None:
    docs = [spacy.blank("en").make_doc("ham")]
    with pytest.raises(ValueError, match="The 1 docs that teachers are to be tried on have no"):
        accuracies(docs, [Teacher(teacher(), 1.0)], n_process=1, batch_size=2)


def test_teacher_without_probabilities_teaches_its_tags() -> None:
    def tag(doc: Doc) -> Doc:
        for token in doc:
            token.tag_ = "P" if token.lower_ == "i" else "N"
        return doc

    Language.component("test_rule_tagger", assigns=["token.tag"], func=tag)
    nlp = spacy.blank("en")
    nlp.add_pipe("test_rule_tagger")
    (doc,) = labelled(nlp, ["I ham"])
    assert [token.tag_ for token in doc] == ["P", "N"]
    assert_array_equal(get_soft_targets(doc, ["N", "P"]), [[0, 1], [1, 0]])


def test_a_teacher_that_leaves_a_word_untagged_has_no_say_in_it(teacher) -> None:
    def tag(doc: Doc) -> Doc:
        for token in doc:
            token.tag_ = "" if token.lower_ == "like" else "N"
        return doc

    Language.component("test_sparing_tagger", assigns=["token.tag"], func=tag)
    nlp = spacy.blank("en")
    nlp.add_pipe("test_sparing_tagger")
    docs = [nlp.make_doc("I like ham")]
    labels = teacher().get_pipe("lstm_tagger").labels
    (alone,) = labelled(teacher(), ["I like ham"])
    both = [Teacher(nlp, 1.0), Teacher(teacher(), 1.0)]
    (doc,) = label(docs, both, 99, n_process=1, batch_size=2)
    assert soft_labels(doc) == list(labels)
    rows, expected = (get_soft_targets(each, labels) for each in (doc, alone))
    assert_allclose(rows[1], expected[1], atol=2e-3)
    assert_allclose(rows[0], (expected[0] + [0, 1, 0]) / 2, atol=2e-3)
    (doc,) = label(docs, both[:1], 99, n_process=1, batch_size=2)
    assert [token.tag_ for token in doc] == ["N", "", "N"]


def test_white_space_is_neither_taught_nor_counted(teacher) -> None:
    words = ["I", "\n", "like", "ham"]
    vocab = spacy.blank("en").vocab
    docs = [Doc(vocab, words=words)]
    (doc,) = label(docs, [Teacher(teacher(), 2.0)], 99, n_process=1, batch_size=2)
    assert doc[1].tag_ == "_SP"
    labels = teacher().get_pipe("lstm_tagger").labels
    rows = get_soft_targets(doc, labels)
    assert_array_equal(rows.any(axis=1), [True, False, True, True])
    tags = [token.tag_ for token in doc]
    for of_white_space in ("", "_SP", "NFP"):
        gold = Doc(vocab, words=words, tags=[tags[0], of_white_space, *tags[2:]])
        shares = accuracies([gold], [Teacher(teacher(), 1.0)], n_process=1, batch_size=2)
        assert shares == [1.0, 1.0]


# Parts of speech


def add_ruler(nlp: Language, **pos: str) -> Language:
    """Let every tag have its part of speech."""
    ruler = nlp.add_pipe("attribute_ruler")
    ruler.add_patterns(
        [{"patterns": [[{"TAG": t}]], "attrs": {"POS": name}} for t, name in pos.items()]
    )
    return nlp


def pos_of(docs: list[Doc]) -> list[list[tuple[str, str]]]:
    return [[(token.tag_, token.pos_) for token in doc] for doc in docs]


def test_parts_of_speech_are_taught_where_a_teacher_sets_them(stock_teacher) -> None:
    nlp = add_ruler(stock_teacher, N="NOUN", V="VERB", J="ADJ")
    expected = pos_of([nlp(text) for text in TEXTS])
    assert expected[0][0][1]
    docs = labelled(nlp)
    assert pos_of(docs) == expected
    assert all(set(doc.user_data) == {KEY} for doc in docs)


def test_without_them_there_are_none(stock_teacher) -> None:
    assert not any(doc.has_annotation("POS") for doc in labelled(stock_teacher))


def test_components_that_set_none_do_not_run(stock_teacher) -> None:
    nlp = add_ruler(stock_teacher, N="NOUN")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "FOOD", "pattern": "ham"}])
    assert "FOOD" in {ent.label_ for text in TEXTS for ent in nlp(text).ents}
    teacher = Teacher(nlp, 1.0)
    assert nlp.pipe_names == ["tok2vec", "lstm_tagger_recorder", "attribute_ruler"]
    (doc,) = teacher.answer([nlp.make_doc("Eat blue ham")], n_process=1, batch_size=1)
    assert not doc.ents


def test_own_taggers_teach_theirs(make_nlp, randomize) -> None:
    gold = {"tags": ["N", "V", "J", "N"], "pos": ["PRON", "VERB", "ADJ", "NOUN"]}
    nlp = make_nlp([("I like green eggs", gold)], steps=3, outputs=["tag", "pos"])
    randomize(nlp.get_pipe("lstm_tagger"))
    expected = pos_of([nlp(text) for text in TEXTS])
    assert len({pos for doc in expected for _, pos in doc}) > 1
    assert pos_of(labelled(nlp)) == expected


def test_a_part_of_speech_comes_from_a_teacher_of_that_tag(teacher) -> None:
    names = {"N": "NOUN", "V": "VERB", "J": "ADJ"}
    pipelines = [teacher(1), add_ruler(teacher(2), **names), add_ruler(teacher(3), **names)]
    docs = [pipelines[0].make_doc(text) for text in TEXTS]
    alone = [pos_of(nlp.pipe(TEXTS)) for nlp in pipelines]
    mean = label(docs, [Teacher(nlp, 1.0) for nlp in pipelines], 9, n_process=1, batch_size=8)
    for i, doc in enumerate(pos_of(mean)):
        for j, (tag, pos) in enumerate(doc):
            agreed = tag in (alone[1][i][j][0], alone[2][i][j][0])
            assert pos == (names[tag] if agreed else "")
    assert "" in {pos for doc in pos_of(mean) for _, pos in doc}  # the first alone decided


def test_command_writes_them_and_a_student_learns_them(stock_teacher, tmp_path) -> None:
    add_ruler(stock_teacher, N="NOUN", V="VERB", J="ADJ").to_disk(tmp_path / "model")
    (tmp_path / "raw.txt").write_text("\n".join(TEXTS))
    arguments = (tmp_path / "model", tmp_path / "raw.txt", tmp_path / "out.spacy")
    done = run_distill(*arguments, "--n-process", 2)
    assert done.returncode == 0, done.stdout + done.stderr
    expected = pos_of([stock_teacher(text) for text in TEXTS])
    assert pos_of(read(tmp_path / "out.spacy")) == expected
    reader = build_distillation_corpus_v1(
        gold=lambda nlp: [], teacher=tmp_path / "out.spacy", count_words=True
    )
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config={"model": {"width": 32}, "outputs": ["tag", "pos"]})
    optimizer = nlp.initialize(lambda: reader(nlp))
    optimizer.learn_rate = 0.01
    for _ in range(30):
        nlp.update(list(reader(nlp)), sgd=optimizer)
    pairs = {pair for doc in pos_of([nlp(text) for text in TEXTS]) for pair in doc}
    assert pairs == {("N", "NOUN"), ("V", "VERB"), ("J", "ADJ")}


def test_pipeline_without_tags_is_refused() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    with pytest.raises(ValueError, match=r"none of which sets token\.tag"):
        Teacher(nlp, 1.0)


@pytest.mark.parametrize("name", ["raw.txt", "raw.jsonl", "raw.txt.gz", "raw.jsonl.gz"])
def test_command_reads_every_kind_of_text(name, teacher, tmp_path) -> None:
    teacher().to_disk(tmp_path / "model")
    lines = [json.dumps({"text": text}) if "json" in name else text for text in [*TEXTS, ""]]
    data = "\n".join(lines).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    done = run_distill(tmp_path / "model", tmp_path / name, tmp_path / "out.spacy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [doc.text for doc in read(tmp_path / "out.spacy")] == TEXTS
    assert not (tmp_path / "out.spacy.parts").exists()


def test_command_keeps_the_tokens_of_docs_and_uses_processes(teacher, tmp_path) -> None:
    nlp = teacher()
    nlp.to_disk(tmp_path / "model")
    docs = [Doc(nlp.vocab, words=["I", "can't"]), Doc(nlp.vocab, words=["x"])]
    DocBin(docs=docs).to_disk(tmp_path / "raw.spacy")
    done = run_distill(
        tmp_path / "model", tmp_path / "raw.spacy", tmp_path / "out.spacy", "--n-process", 2
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [[t.text for t in doc] for doc in read(tmp_path / "out.spacy")] == [
        ["I", "can't"],
        ["x"],
    ]


def test_command_says_how_accurate_the_teachers_are(teacher, tmp_path) -> None:
    nlp = teacher()
    nlp.to_disk(tmp_path / "model")
    DocBin(docs=[nlp(text) for text in TEXTS]).to_disk(tmp_path / "gold.spacy")
    (tmp_path / "raw.txt").write_text("ham")
    arguments = (tmp_path / "raw.txt", tmp_path / "out.spacy", "--dev", tmp_path / "gold.spacy")
    done = run_distill(f"{tmp_path / 'model'},{tmp_path / 'model'}", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == ""
    said = " ".join(done.stderr.split())
    assert said.count("100.00 % of the tags of gold.spacy right: ") == 3
    assert "right: their mean" in said


@pytest.mark.parametrize(
    ("raw", "arguments", "error"),
    [
        ("raw.txt", ["--kept", 0], "must be above 0"),
        ("raw.txt", ["--weights", "1,1"], "but must be a number from 0 up for each of the"),
        ("raw.txt", ["--weights", "0"], "--weights is '0': one of them must be above 0"),
        ("raw.pdf", [], "neither .txt nor .jsonl"),
        ("raw.jsonl", [], 'line 1: not a JSON object with the key "text"'),
    ],
)
def test_command_names_what_is_wrong(raw, arguments, error, teacher, tmp_path) -> None:
    teacher().to_disk(tmp_path / "model")
    (tmp_path / raw).write_text("text")
    done = run_distill(tmp_path / "model", tmp_path / raw, tmp_path / "out.spacy", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    bar = r"\d+ docs \[.*"  # tqdm's progress
    (line,) = [x for x in done.stderr.splitlines() if x and not re.fullmatch(bar, x)]
    assert error in line
    assert not (tmp_path / "out.spacy").exists()


def test_parts_of_another_run_are_refused(teacher, tmp_path) -> None:
    teacher().to_disk(tmp_path / "model")
    (tmp_path / "raw.txt").write_text("\n".join(TEXTS))
    parts = tmp_path / "out.spacy.parts"
    parts.mkdir()
    (parts / "settings").write_text("another")
    (parts / "000000-2.spacy").write_bytes(b"two docs")
    done = run_distill(tmp_path / "model", tmp_path / "raw.txt", tmp_path / "out.spacy")
    assert (done.returncode, done.stdout) == (1, "")
    assert "other teachers, text or settings" in done.stderr
    assert (parts / "settings").read_text() == "another"
    assert (parts / "000000-2.spacy").read_bytes() == b"two docs"


# Records that cannot be used


@pytest.fixture
def failing_teacher(teacher, tmp_path):
    """Save a pipeline with a component before the tagger that fails on some texts."""

    def fail_on_bad(doc: Doc) -> Doc:
        if "bad" in doc.text:
            raise RuntimeError(f"no {doc.text}")
        return doc

    Language.component("test_failing", func=fail_on_bad)
    nlp = teacher()
    nlp.add_pipe("test_failing", first=True)
    nlp.to_disk(tmp_path / "model")
    return tmp_path / "model"


def distill_here(*arguments):
    return CliRunner().invoke(lstm_tagger_cli, ["distill", *map(str, arguments)])


def test_text_that_a_teacher_fails_on_is_named_or_skipped(failing_teacher, tmp_path) -> None:
    texts = [f"bad {i}" if i % 10 == 3 else f"ham {i}" for i in range(40)]
    raw, output = tmp_path / "raw.txt", tmp_path / "out.spacy"
    raw.write_text("\n\n".join(texts))
    done = distill_here(failing_teacher, raw, output)
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert f"{raw}, line 7: a teacher fails on it (RuntimeError: no bad 3)" in done.stderr
    assert "--skip-errors" in done.stderr
    assert not output.exists()
    done = distill_here(failing_teacher, raw, output, "--skip-errors")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "Skipped 4 records:" in done.stderr
    places = [f"{raw}, line {number}: a teacher fails" for number in (7, 27, 47, 67)]
    assert all(place in done.stderr for place in places)
    assert [doc.text for doc in read(output)] == [text for text in texts if "bad" not in text]


def test_bad_lines_are_named_or_skipped(teacher, tmp_path) -> None:
    teacher().to_disk(tmp_path / "model")
    raw, output = tmp_path / "raw.jsonl", tmp_path / "out.spacy"
    lines = ['{"text": "ham"}', *['{"text": null}'] * 25, "", '{"text": "eggs"}']
    raw.write_text("\n".join(lines))
    done = distill_here(tmp_path / "model", raw, output)
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert f'{raw}, line 2: "text" is null' in done.stderr
    done = distill_here(tmp_path / "model", raw, output, "--skip-errors")
    assert (done.exit_code, done.stdout) == (0, "")
    assert [doc.text for doc in read(output)] == ["ham", "eggs"]
    head, *listed, more, _ = done.stderr.splitlines()
    assert "Skipped 25 records:" in head
    assert [f"line {n}: " in line for n, line in enumerate(listed, start=2)] == [True] * 20
    assert more.split() == ["and", "5", "more"]


def test_skipped_texts_shift_nothing_when_a_run_goes_on(
    failing_teacher, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(distill, "PART", 3)
    raw, output = tmp_path / "raw.jsonl", tmp_path / "out.spacy"
    lines = [{"text": f"bad {i}" if i in (1, 2, 7) else f"ham {i}"} for i in range(12)]
    lines[4] = {"text": None}
    raw.write_text("\n".join(map(json.dumps, lines)))
    whole = distill_here(failing_teacher, raw, output, "--skip-errors")
    expected = [f"ham {i}" for i in (0, 3, 5, 6, 8, 9, 10, 11)]
    assert [doc.text for doc in read(output)] == expected
    for n_parts in range(1, 4):
        output.unlink()
        add = distill.Parts.add

        def add_some(parts, docs, skipped, add=add, n_parts=n_parts) -> None:
            if len(parts.paths()) == n_parts:
                raise OSError("no space left")
            add(parts, docs, skipped)

        with monkeypatch.context() as patch:
            patch.setattr(distill.Parts, "add", add_some)
            stopped = distill_here(failing_teacher, raw, output, "--skip-errors")
        assert (stopped.exit_code, output.exists()) == (1, False)
        # the parts lack a text, which only those who skip may not mind
        refused = distill_here(failing_teacher, raw, output)
        assert (refused.exit_code, output.exists()) == (1, False)
        assert "line 2: a teacher fails on it" in refused.stderr
        again = distill_here(failing_teacher, raw, output, "--skip-errors")
        assert again.exit_code == 0
        assert [doc.text for doc in read(output)] == expected
        said = [sorted(done.stderr.splitlines()[1:]) for done in (whole, again)]
        assert said[0] == said[1]
        assert not output.with_name("out.spacy.parts").exists()


def test_run_that_ended_at_a_bad_text_goes_on_past_it(
    failing_teacher, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(distill, "PART", 2)
    raw, output = tmp_path / "raw.txt", tmp_path / "out.spacy"
    raw.write_text("ham 0\nham 1\nham 2\nbad\nham 4")
    assert distill_here(failing_teacher, raw, output).exit_code == 1
    assert len(list((tmp_path / "out.spacy.parts").glob("*.spacy"))) == 1
    assert distill_here(failing_teacher, raw, output, "--skip-errors").exit_code == 0
    assert [doc.text for doc in read(output)] == ["ham 0", "ham 1", "ham 2", "ham 4"]


def test_nothing_is_written_if_every_text_is_skipped(failing_teacher, tmp_path) -> None:
    raw, output = tmp_path / "raw.txt", tmp_path / "out.spacy"
    raw.write_text("bad\nbad")
    done = distill_here(failing_teacher, raw, output, "--skip-errors")
    assert done.exit_code == 1
    assert "Skipped 2 records:" in done.stderr
    assert "all docs were skipped" in done.stderr
    assert not list(tmp_path.glob("out*"))


def test_long_text_is_refused_for_a_teachers_parser_alone(teacher, tmp_path) -> None:
    nlp = teacher()
    nlp.to_disk(tmp_path / "model")
    parser = nlp.add_pipe("parser", first=True)
    parser.add_label("dep")
    parser.initialize(lambda: [Example(nlp.make_doc("ham"), nlp.make_doc("ham"))])
    nlp.to_disk(tmp_path / "parsing")
    raw, output = tmp_path / "raw.txt", tmp_path / "out.spacy"
    raw.write_text(f"ham\n{'m' * 1_000_001}\neggs")
    both = f"{tmp_path / 'model'}, {tmp_path / 'parsing'}"
    done = distill_here(both, raw, output)
    assert done.exit_code == 1
    assert "line 2: the text has 1,000,001 characters, but the component 'parser'" in done.stderr
    done = distill_here(both, raw, output, "--skip-errors")
    assert done.exit_code == 0, done.stderr
    assert [len(doc.text) for doc in read(output)] == [3, 4]
    done = distill_here(tmp_path / "model", raw, output)
    assert done.exit_code == 0, done.stderr
    assert [len(doc.text) for doc in read(output)] == [3, 1_000_001, 4]


def test_processes_that_are_not_forked_teach_the_same(teacher, tmp_path) -> None:
    """As on Windows and macOS, where they inherit nothing."""
    teacher().to_disk(tmp_path / "model")
    (tmp_path / "raw.txt").write_text("\n".join(TEXTS * 5), encoding="utf8")
    (tmp_path / "spawning.py").write_text(
        "import multiprocessing\n"
        "from spacy.cli import setup_cli\n"
        "if __name__ == '__main__':\n"
        "    multiprocessing.set_start_method('spawn')\n"
        "    setup_cli()\n"
    )
    one, two = tmp_path / "one.spacy", tmp_path / "two.spacy"
    assert distill_here(tmp_path / "model", tmp_path / "raw.txt", one).exit_code == 0
    command = [sys.executable, "spawning.py", "lstm-tagger", "distill", "model", "raw.txt"]
    done = subprocess.run(
        [*command, str(two), "--n-process", "2", "-b", "4"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert [doc.text for doc in read(two)] == [doc.text for doc in read(one)] == TEXTS * 5
    for doc, other in zip(read(one), read(two), strict=True):
        assert [token.tag_ for token in other] == [token.tag_ for token in doc]
        assert sorted(other.user_data) == sorted(doc.user_data) == [KEY]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a signal of POSIX")
def test_killed_run_goes_on_without_repeating_or_losing_a_doc(teacher, tmp_path) -> None:
    teacher().to_disk(tmp_path / "model")
    texts = [f"ham number {i} is green" for i in range(9000)]
    (tmp_path / "raw.txt").write_text("\n".join(texts))
    arguments = [tmp_path / "model", tmp_path / "raw.txt", tmp_path / "out.spacy"]
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "distill", *map(str, arguments)]
    parts = tmp_path / "out.spacy.parts"
    for n_parts in (1, 3):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            while run.poll() is None and len(list(parts.glob("*.spacy"))) < n_parts:
                time.sleep(0.01)
            os.kill(run.pid, signal.SIGKILL)
        assert not (tmp_path / "out.spacy").exists()
    assert run_distill(*arguments).returncode == 0
    assert [doc.text for doc in read(tmp_path / "out.spacy")] == texts


# The reader


@pytest.fixture
def files(teacher, make_examples, tmp_path):
    nlp = teacher()
    DocBin(docs=[eg.reference for eg in make_examples(nlp)]).to_disk(tmp_path / "gold.spacy")
    whole = DocBin(store_user_data=True, docs=labelled(nlp))
    whole.to_disk(tmp_path / "taught.spacy")
    return tmp_path


def test_reader_mixes_gold_and_taught_examples(files, make_examples) -> None:
    nlp = spacy.blank("en")
    reader = build_distillation_corpus_v1(
        gold=Corpus(files / "gold.spacy"), teacher=files / "taught.spacy", repeats=2
    )
    n_gold = 2 * len(make_examples(nlp))
    examples = list(reader(nlp))
    assert [KEY in eg.reference.user_data for eg in examples] == [False] * n_gold + [True] * 4
    once = [False] * (n_gold // 2)  # words are counted once, however often they are repeated
    assert [is_added(eg) for eg in examples] == once + [True] * (n_gold // 2 + 4)
    assert [eg.predicted.text for eg in examples[n_gold:]] == TEXTS
    assert not any(token.tag_ for eg in examples for token in eg.predicted)


def test_repeated_examples_can_be_augmented(files) -> None:
    augmenter = build_augmenter_v1(passages=1.0, lower_case=1.0)
    gold = Corpus(files / "gold.spacy", augmenter=augmenter)
    reader = build_distillation_corpus_v1(
        gold=gold, teacher=files / "taught.spacy", repeats=2, limit=1
    )
    counted = [eg.predicted.text for eg in reader(spacy.blank("en")) if not is_added(eg)]
    assert sorted(counted) == ["Eat blue ham", "I like green eggs"]


def test_reader_can_count_words_and_stop_early(files) -> None:
    reader = build_distillation_corpus_v1(
        gold=Corpus(files / "gold.spacy"),
        teacher=files / "taught.spacy",
        count_words=True,
        limit=2,
    )
    examples = list(reader(spacy.blank("en")))
    assert not any(is_added(eg) for eg in examples)
    assert sum(KEY in eg.reference.user_data for eg in examples) == 2


def test_reader_names_a_file_that_no_teacher_wrote(files) -> None:
    gold = Corpus(files / "gold.spacy")
    for teacher, error in (
        (None, "--paths.taught"),
        (files / "missing.spacy", r"no teacher's file .*missing\.spacy"),
        (str(files / "missing.spacy"), r"no teacher's file .*missing\.spacy"),
        (files / "gold.spacy", r"gold\.spacy, doc 1: there are no probabilities of a teacher"),
    ):
        reader = build_distillation_corpus_v1(gold=gold, teacher=teacher)
        with pytest.raises(ValueError, match=rf"(?s){error}.*lstm-tagger distill"):
            list(reader(spacy.blank("en")))


@pytest.mark.parametrize("setting", [{"repeats": 0}, {"limit": -1}])
def test_reader_refuses_what_is_out_of_range(files, setting) -> None:
    with pytest.raises(ValueError, match="must be at least 1 and 0"):
        build_distillation_corpus_v1(
            gold=Corpus(files / "gold.spacy"), teacher=files / "taught.spacy", **setting
        )


@pytest.mark.slow
def test_student_is_trained_by_spacys_command(files) -> None:
    root = Path(__file__).parents[1]
    config = spacy.util.load_config(root / "configs" / "demo.cfg")
    gold = config["corpora"]["train"]
    config["corpora"]["train"] = {
        "@readers": "spacy-lstm-tagger.DistillationCorpus.v1",
        "gold": gold,
        "teacher": str(files / "taught.spacy"),
        "repeats": 3,
    }
    config["training"]["max_steps"] = 2
    config["training"]["eval_frequency"] = 1
    config.to_disk(files / "student.cfg")
    command = [sys.executable, "-m", "spacy", "train", str(files / "student.cfg")]
    command += ["--output", str(files / "student")]
    command += [
        "--paths.train",
        str(files / "gold.spacy"),
        "--paths.dev",
        str(files / "gold.spacy"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert spacy.load(files / "student" / "model-last")("I like ham")[0].tag_

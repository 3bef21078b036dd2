"""What commands print: data on standard output, everything else on standard error."""

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from typer.testing import CliRunner

from spacy_lstm_tagger.cli import lstm_tagger_cli, messages
from spacy_lstm_tagger.cli.bad_records import BadRecords
from spacy_lstm_tagger.cli.columns import aligned, printable, terminal_width
from spacy_lstm_tagger.cli.tag import table


def run(*arguments):
    return CliRunner().invoke(lstm_tagger_cli, list(map(str, arguments)))


@pytest.fixture
def model(make_nlp, randomize, make_examples, tmp_path) -> Path:
    nlp = make_nlp()
    randomize(nlp.get_pipe("lstm_tagger"))
    (tmp_path / "training").mkdir()
    nlp.to_disk(tmp_path / "training" / "model-best")
    docs = [eg.reference for eg in make_examples(nlp)]
    DocBin(docs=docs * 5).to_disk(tmp_path / "dev.spacy")
    (tmp_path / "raw.txt").write_text("I like green eggs\n")
    return tmp_path / "training" / "model-best"


# Messages


@pytest.mark.parametrize("command", ["distill", "calibrate"])
def test_messages_do_not_get_into_the_output(command, model, tmp_path) -> None:
    arguments = {
        "distill": ["raw.txt", "out.spacy", "--dev", tmp_path / "dev.spacy"],
        "calibrate": ["dev.spacy", "out"],
    }[command]
    first, second, *rest = arguments
    done = run(command, model, tmp_path / first, tmp_path / second, *rest)
    assert (done.exit_code, done.stdout) == (0, "")
    assert f"✔ Wrote {'1 docs' if command == 'distill' else tmp_path / 'out'}" in done.stderr


def test_export_says_one_line_and_nothing_else(model, tmp_path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
    pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "export", str(model)]
    command += [str(tmp_path / "out"), "--precision", "int8"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf8")
    expected = f"✔ Wrote {tmp_path / 'out'}: lstm_tagger in int8\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, "", expected)


@pytest.mark.parametrize("library", ["onnx", "onnxruntime"])
def test_export_names_the_line_that_installs_what_is_missing(library, model, tmp_path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
    code = (
        f"import sys; sys.modules[{library!r}] = None\n"
        "from spacy_lstm_tagger.cli import lstm_tagger_cli\n"
        f"lstm_tagger_cli(['export', {str(model)!r}, {str(tmp_path / 'out')!r}, '-p', 'int8'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert f"needs {library}, which" in done.stderr
    extra = "export" if library == "onnx" else "onnx"
    assert f'pip install "spacy-lstm-tagger[{extra}]"' in done.stderr
    assert not (tmp_path / "out").exists()


def test_output_that_nobody_reads_ends_the_command_without_a_word(model) -> None:
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "tag", str(model), "ham " * 20_000]
    reader, writer = os.pipe()
    with subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        os.close(reader)
        assert process.stderr is not None
        assert (process.stderr.read(), process.wait()) == (b"", 1)


class Gone:
    """A stream whose reader has gone, or that has another fault."""

    encoding = "utf8"

    def __init__(self, error: OSError, null: int = -1) -> None:
        self.error, self.null = error, null

    def write(self, text: str) -> None:
        raise self.error

    def flush(self) -> None:
        raise self.error

    def fileno(self) -> int:
        return self.null


GONE = [BrokenPipeError(), OSError(errno.EINVAL, "Invalid argument")]
"""What Linux and macOS raise, and what Windows raises."""


@pytest.mark.parametrize("error", GONE, ids=["posix", "windows"])
def test_messages_that_nobody_reads_do_not_end_the_work(error, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stderr", Gone(error))
    messages.good("done")


@pytest.mark.parametrize("error", GONE, ids=["posix", "windows"])
def test_output_that_nobody_reads_goes_nowhere(error, monkeypatch, tmp_path) -> None:
    with (tmp_path / "output").open("wb") as file:
        monkeypatch.setattr(sys, "stdout", Gone(error, file.fileno()))
        with pytest.raises(SystemExit):
            messages.write_output("done")
        os.write(file.fileno(), b"what Python flushes at its end")
    assert (tmp_path / "output").read_bytes() == b""


def test_output_and_messages_on_a_full_disk_are_errors(monkeypatch) -> None:
    full = Gone(OSError(errno.ENOSPC, "No space left on device"))
    monkeypatch.setattr(sys, "stdout", full)
    with pytest.raises(OSError, match="No space left"):
        messages.write_output("done")
    monkeypatch.setattr(sys, "stderr", full)
    with pytest.raises(OSError, match="No space left"):
        messages.good("done")


def test_output_is_written_in_the_encoding_of_the_terminal(model) -> None:
    command = [sys.executable, "-m", "spacy", "lstm-tagger", "tag", str(model), "ham 好"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()[2:]] == ["ham", "?"]


def test_skipped_records_are_counted_and_the_first_are_listed(capsys) -> None:
    records = BadRecords(skip=True)
    records.report()
    assert capsys.readouterr() == ("", "")
    for number in range(1, 24):
        records(f"raw.txt, line {number}: no\nUTF-8")
    records.report()
    out, err = capsys.readouterr()
    assert out == ""
    head, *listed, more = err.splitlines()
    assert head == "⚠ Skipped 23 records:"
    assert listed == [f"  raw.txt, line {number}: no UTF-8" for number in range(1, 21)]
    assert more == "  and 3 more"
    with pytest.raises(ValueError, match=r"line 1: bad\. Correct it, or .* --skip-errors"):
        BadRecords(skip=False)("raw.txt, line 1: bad")


# The table of `tag`


def test_columns_are_aligned_whatever_is_in_them() -> None:
    rows = [
        ["singular", "x" * 60, "1"],
        ["中文", "short", "2"],
        ["नमस्ते", "", "3"],
        ["e\u0301", "a\nb", "4"],
        ["", "", ""],
    ]
    header, rule, *lines = aligned(["Word", "Meaning", "P"], rows).split("\n")
    assert rule.split() == ["-" * 8, "-" * 60, "-"]
    assert header.index("Meaning") == rule.index("-" * 60) == 11
    for number, line in enumerate(lines[:4], start=1):
        before, found, after = line.rpartition(str(number))
        assert (terminal_width(before), found, after) == (11 + 60 + 3, str(number), "")
    assert r"a\nb" in lines[3]
    assert lines[4] == ""
    assert aligned(["Word"], []).splitlines() == ["Word", "----"]


def test_what_cannot_be_shown_is_escaped() -> None:
    assert printable("a\tb\n\x1b[31m\u2028") == r"a\tb\n\x1b[31m\u2028"
    family = "👨\u200d👩\u200d👧"
    assert printable(f"{family} नमस्ते é 好") == f"{family} नमस्ते é 好"


def test_tags_without_a_meaning_bring_no_warnings(model) -> None:
    done = run("tag", model, "I like\n\n green eggs")
    assert (done.exit_code, done.stderr) == (0, "")
    header, rule, *rows = done.stdout.splitlines()
    assert header.split() == ["Word", "Tag", "Meaning", "Probability"]
    assert len(rows) == 5
    starts = [header.index(name) for name in header.split()]
    assert starts == [0, *(i + 1 for i in range(len(rule)) if rule[i : i + 2] == " -")]


def test_parts_of_speech_are_shown_if_the_pipeline_sets_them() -> None:
    vocab = spacy.blank("en").vocab
    tagged = Doc(vocab, words=["I", "run"], tags=["PRP", "VBP"])
    assert "POS" not in table(tagged, with_probabilities=False)
    spaced = Doc(vocab, words=["I", "\n"], tags=["PRP", "_SP"], pos=["", "SPACE"])
    assert "POS" not in table(spaced, with_probabilities=False)
    doc = Doc(vocab, words=["I", "run"], tags=["PRP", "VBP"], pos=["PRON", "VERB"])
    lines = table(doc, with_probabilities=False).splitlines()
    assert lines[0].split() == ["Word", "Tag", "POS", "Meaning"]
    assert [line.split()[:3] for line in lines[2:]] == [
        ["I", "PRP", "PRON"],
        ["run", "VBP", "VERB"],
    ]


def test_tag_shows_the_parts_of_speech_of_a_pipeline(model, tmp_path) -> None:
    nlp = spacy.load(model)
    ruler = nlp.add_pipe("attribute_ruler")
    ruler.add([[{"TEXT": "ham"}]], {"POS": "NOUN"})
    nlp.to_disk(tmp_path / "ruled")
    header, _, _, ham = run("tag", tmp_path / "ruled", "eat ham").stdout.splitlines()
    assert header.split() == ["Word", "Tag", "POS", "Meaning", "Probability"]
    assert ham.split()[2] == "NOUN"


def test_tag_reads_more_than_a_million_characters(model, tmp_path) -> None:
    text = "m" * 1_000_001
    done = run("tag", model, text)
    assert (done.exit_code, done.stdout.splitlines()[2].split()[0]) == (0, text)
    nlp = spacy.load(model)
    doc = nlp.make_doc("ham")
    nlp.add_pipe("ner", first=True).initialize(lambda: [Example(doc, doc)])
    nlp.to_disk(tmp_path / "with-ner")
    done = run("tag", tmp_path / "with-ner", text)
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "the text has 1,000,001 characters, but the component 'ner' reads at" in done.stderr


# The pipeline that was meant


def test_directory_beside_a_pipeline_hints_at_it(model, tmp_path) -> None:
    training, other = model.parent, model.parent / "model-last"
    done = run("tag", training, "hi")
    assert f"it is no pipeline, but holds one. Did you mean {model}?" in done.stderr
    spacy.load(model).to_disk(other)
    for wrong, hint in (
        (training, f"holds one and 1 more. Did you mean {model}?"),
        (tmp_path, f"holds one and 1 more. Did you mean {model}?"),
        (model / "lstm_tagger", f"it is a part of a pipeline. Did you mean {model}?"),
        (model / "config.cfg", f"it is a part of a pipeline. Did you mean {model}?"),
        (model / "lstm_tagger" / "cfg", f"it is a part of a pipeline. Did you mean {model}?"),
        (tmp_path / "raw.txt", "it is a file, but must be a directory that spaCy saved"),
        ("", "the name of a pipeline is empty"),
    ):
        done = run("tag", wrong, "hi")
        assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
        assert hint in done.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "there is no config.cfg in it" in run("tag", empty, "hi").stderr


def test_hint_is_the_same_for_every_command(model, tmp_path) -> None:
    dev, raw = tmp_path / "dev.spacy", tmp_path / "raw.txt"
    for command, arguments in {
        "tag": ["hi"],
        "uncertain": [raw],
        "calibrate": [dev, tmp_path / "out"],
        "export": [tmp_path / "out"],
        "distill": [raw, tmp_path / "out.spacy"],
        "report": [dev, tmp_path / "out.html"],
    }.items():
        done = run(command, model.parent, *arguments)
        assert f"Did you mean {model}?" in done.stderr
        assert not list(tmp_path.glob("out*"))


# --force


def test_documented_lines_can_be_repeated_with_force(model, tmp_path) -> None:
    out = tmp_path / "out"
    line = ("calibrate", model, tmp_path / "dev.spacy", out)
    assert run(*line).exit_code == 0
    (out / "config.cfg").write_text((out / "config.cfg").read_text() + "\n# old\n")
    refused = run(*line)
    assert refused.exit_code == 1
    assert f"{out} exists already: name a new directory, or replace it with --force" in (
        refused.stderr
    )
    assert "# old" in (out / "config.cfg").read_text()
    assert run(*line, "--force").exit_code == 0
    assert "# old" not in (out / "config.cfg").read_text()
    assert spacy.load(out).get_pipe("lstm_tagger").cfg["temperature"] > 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_force_replaces_an_export(model, tmp_path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
    pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
    out, link = tmp_path / "out", tmp_path / "link"
    for precision in ("float32", "int8"):
        assert run("export", model, out, "-p", precision, "--force").exit_code == 0
    link.symlink_to(out, target_is_directory=True)
    (out / "mine").write_text("old")
    assert run("export", model, link, "--force").exit_code == 0
    assert link.is_symlink()
    assert not (out / "mine").exists()
    assert len(spacy.load(link)("I like ham")) == 3


def test_force_replaces_nothing_but_another_pipeline(model, tmp_path) -> None:
    mine, dev = tmp_path / "mine", tmp_path / "dev.spacy"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    inside = model / "dev.spacy"
    inside.write_bytes(dev.read_bytes())
    for data, output, error in (
        (dev, mine, "is no pipeline, and --force replaces nothing else"),
        (dev, model.parent, "is no pipeline, and --force replaces nothing else"),
        (dev, model, f"{model} is an input of this command"),
        (dev, model.parent / "." / model.name, f"{model} is an input of this command"),
    ):
        done = run("calibrate", model, data, output, "--force")
        assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
        assert error in done.stderr
    spacy.load(model).to_disk(tmp_path / "other")
    (tmp_path / "other" / "dev.spacy").write_bytes(dev.read_bytes())
    held = tmp_path / "other" / "dev.spacy"
    done = run("calibrate", model, held, tmp_path / "other", "--force")
    assert f"{held} is an input of this command" in done.stderr
    assert (mine / "notes.txt").read_text() == "mine"
    assert spacy.load(model).pipe_names == ["lstm_tagger"]


def test_input_under_another_name_is_not_replaced(model, tmp_path) -> None:
    """As where capitals do not count in names: model-best is MODEL-BEST on Windows and macOS."""
    raw, other = tmp_path / "raw.txt", tmp_path / "other.spacy"
    os.link(raw, other)
    done = run("distill", model, raw, other)
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
    assert f"cannot write {other}: it is an input of this command" in done.stderr
    assert raw.read_text() == "I like green eggs\n"


@pytest.mark.parametrize("which", ["new", "old"])
def test_pipeline_that_cannot_be_replaced_leaves_nothing_beside_it(
    which, model, tmp_path, monkeypatch
) -> None:
    """On Windows, no directory is renamed while another program has one of its files open."""
    out, dev = tmp_path / "out", tmp_path / "dev.spacy"
    if which == "old":
        assert run("calibrate", model, dev, out).exit_code == 0
        (out / "mine").write_text("old")

    def in_use(path: Path, target: Path) -> Path:
        raise PermissionError(13, "The process cannot access the file", str(path))

    monkeypatch.setattr(Path, "replace", in_use)
    done = run("calibrate", model, dev, out, "--force")
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
    assert "The process cannot access the file" in done.stderr
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"training", "dev.spacy", "raw.txt", *(["out"] if which == "old" else [])}
    assert which == "new" or (out / "mine").read_text() == "old"


def test_failed_replacement_leaves_the_old_pipeline(model, tmp_path, monkeypatch) -> None:
    out, dev = tmp_path / "out", tmp_path / "dev.spacy"
    assert run("calibrate", model, dev, out).exit_code == 0
    (out / "mine").write_text("old")
    replace = Path.replace

    def fail_at_the_second(path: Path, target: Path) -> Path:
        if target == out and (path / "mine").exists() is False:
            raise OSError("no space left")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fail_at_the_second)
    done = run("calibrate", model, dev, out, "--force")
    assert "no space left" in done.stderr
    assert (out / "mine").read_text() == "old"
    assert spacy.load(out).pipe_names == ["lstm_tagger"]


def test_command_that_can_be_interrupted_runs_in_any_thread() -> None:
    from spacy_lstm_tagger.cli.errors import interruptible

    def work() -> str:
        with interruptible("it goes on"):
            return "done"

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result() == "done"

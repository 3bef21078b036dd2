"""Processes that are killed at any moment: what they wrote is the old or the new, never between.

The processes are forked, so that they start within milliseconds and many moments can be tried.
"""

import itertools
import multiprocessing
import os
import random
import re
import shutil
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import spacy
from numpy.testing import assert_array_equal
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from tqdm import tqdm

from spacy_lstm_tagger.cli import distill, export, report
from spacy_lstm_tagger.files import atomic
from spacy_lstm_tagger.files.atomic import WRITING, WRITTEN, finish_moving, replaced_whole
from spacy_lstm_tagger.report import page

TEXT = "I like unheard-of eggs"
MOMENTS = 50

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")


def killed(work: Callable[[], object], seconds: float) -> bool:
    """Run work in a process and kill it after so long. Whether it was still running.

    Fails where the process ended by itself with an error.
    """

    def quiet() -> None:
        # tqdm's own lock is shared by all processes: killed while it holds it, one stops the others
        tqdm.set_lock(threading.RLock())
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        work()

    process = multiprocessing.get_context("fork").Process(target=quiet)
    process.start()
    process.join(seconds)
    running = process.is_alive()
    if running and process.pid:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return running and process.exitcode != 0


def hidden_in(directory: Path) -> set[str]:
    """Names of hidden files, such as killed processes leave behind: all must be temporary."""
    found = {path.name for path in directory.iterdir() if path.name.startswith(".")}
    assert all(re.fullmatch(r"\..+-[0-9a-f]{8}\.tmp", name) for name in found)
    return found


def scores(nlp: Language) -> list[list[float]]:
    (rows,) = nlp.get_pipe("lstm_tagger").model.predict([nlp.make_doc(TEXT)])
    return rows.tolist()


@pytest.fixture
def pair(make_nlp, randomize) -> list[Language]:
    """Two pipelines with other labels and weights, of the same settings."""
    found = []
    for seed, tags in enumerate((["A", "B", "C"], ["V", "W", "X", "Y"])):
        nlp = make_nlp([(f"{'word ' * len(tags)}", {"tags": tags})])
        randomize(nlp.get_pipe("lstm_tagger"), seed)
        found.append(nlp)
    return found


@pytest.fixture
def blank(small_config) -> Callable[[], Language]:
    """Return a function that makes a pipeline whose tagger has no weights yet."""

    def make() -> Language:
        nlp = spacy.blank("en")
        nlp.add_pipe("lstm_tagger", config=small_config)
        return nlp

    return make


def test_component_killed_while_saving_is_the_old_or_the_new_one(pair, blank, tmp_path) -> None:
    taggers = [nlp.get_pipe("lstm_tagger") for nlp in pair]
    expected = {tagger.labels: scores(nlp) for nlp, tagger in zip(pair, taggers, strict=True)}
    taggers[0].to_disk(tmp_path / "saved")

    def save_on_and_on() -> None:
        while True:
            for tagger in reversed(taggers):
                tagger.to_disk(tmp_path / "saved")

    moments, seen = random.Random(0), set()
    for _ in range(MOMENTS):
        assert killed(save_on_and_on, moments.uniform(0.005, 0.08))
        reader = blank()
        labels = reader.get_pipe("lstm_tagger").from_disk(tmp_path / "saved").labels
        assert scores(reader) == expected[labels]
        seen.add(labels)
    assert seen == set(expected)  # else the moments proved nothing


@pytest.mark.parametrize("n_moved", range(4))
def test_save_that_was_cut_off_while_files_were_moved_is_finished(
    n_moved: int, pair, blank, tmp_path, monkeypatch
) -> None:
    """The moments that a killed process hardly ever meets, one by one."""
    old, new = pair
    old.get_pipe("lstm_tagger").to_disk(tmp_path / "saved")
    moved = []
    replace = Path.replace

    def replace_some(path: Path, target: Path) -> Path:
        if len(moved) == n_moved:
            raise KeyboardInterrupt
        moved.append(path)
        return replace(path, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(atomic.Path, "replace", replace_some)
        new.get_pipe("lstm_tagger").to_disk(tmp_path / "saved")
    assert (tmp_path / "saved" / WRITTEN).is_dir()
    reader = blank()
    assert reader.get_pipe("lstm_tagger").from_disk(tmp_path / "saved").labels == (*"VWXY",)
    assert scores(reader) == scores(new)
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == ["cfg", "model", "vocab"]


def test_failed_save_changes_nothing(pair, tmp_path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(OSError, match="full"), replaced_whole(tmp_path) as directory:
        (directory / "file").write_text("new")
        raise OSError("disk full")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"
    with pytest.raises(OSError, match="full"), replaced_whole(tmp_path / "made"):
        raise OSError("disk full")
    assert not (tmp_path / "made").exists()


def test_files_of_others_stay(tmp_path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / WRITING).mkdir()  # of a process that was killed
    (tmp_path / WRITING / "half").write_text("half")
    with replaced_whole(tmp_path) as directory:
        (directory / "ours").write_text("ours")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ours", "theirs"]


def test_interrupted_save_that_cannot_be_finished_says_so(tmp_path, monkeypatch) -> None:
    (tmp_path / WRITTEN).mkdir()
    (tmp_path / WRITTEN / "cfg").write_text("{}")

    def refuse(path: Path, target: Path) -> Path:
        raise PermissionError("read-only")

    monkeypatch.setattr(atomic.Path, "replace", refuse)
    with pytest.raises(ValueError, match=r"last save .* was interrupted .* writable"):
        finish_moving(tmp_path)


def test_export_killed_at_any_moment_is_whole_or_not_there(make_nlp, randomize, tmp_path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra [onnx])")
    pytest.importorskip("onnx", reason="onnx is not installed (the extra [export])")
    nlp = make_nlp()
    randomize(nlp.get_pipe("lstm_tagger"))
    nlp.to_disk(tmp_path / "model")
    output = tmp_path / "exported"

    def work() -> None:
        export.export_cli(str(tmp_path / "model"), output, "float32", force=False)

    begin = time.perf_counter()
    assert not killed(work, 60)
    longest = time.perf_counter() - begin
    expected = [token.tag_ for token in spacy.load(output)(TEXT)]
    moments = random.Random(0)
    for _ in range(MOMENTS):
        shutil.rmtree(output, ignore_errors=True)
        killed(work, moments.uniform(0, 1.1 * longest))
        if output.exists():
            assert [token.tag_ for token in spacy.load(output)(TEXT)] == expected
    shutil.rmtree(output, ignore_errors=True)
    rest = hidden_in(tmp_path)
    work()
    assert output.is_dir()
    assert hidden_in(tmp_path) == rest  # a run that ends leaves nothing of its own


def test_report_killed_at_any_moment_is_the_old_or_the_new_one(
    make_nlp, randomize, tmp_path, monkeypatch
) -> None:
    """Without the drawing of the page, so that many of the moments are those of writing."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (the extra [report])")
    pytest.importorskip("jinja2", reason="jinja2 is not installed (the extra [report])")
    monkeypatch.setattr(page, "render_page", lambda found: f"{found.to_dict()}\n" * 5000)
    nlp = make_nlp()
    randomize(nlp.get_pipe("lstm_tagger"))
    nlp.to_disk(tmp_path / "model")
    files = [tmp_path / "report.html", tmp_path / "report.json"]

    def work(data: str) -> None:
        settings = {"other": None, "train": None, "worst": 25, "code": None}
        report.report_cli(
            str(tmp_path / "model"), tmp_path / data, files[0], json_path=files[1], **settings
        )

    expected = []
    for data, tags in (("old.spacy", ["N", "V"]), ("new.spacy", ["V", "J"])):
        DocBin(docs=[Doc(nlp.vocab, words=["eggs", "eat"], tags=tags)]).to_disk(tmp_path / data)
        begin = time.perf_counter()
        work(data)
        longest = time.perf_counter() - begin  # of the second: the first loads libraries as well
        expected.append([path.read_bytes() for path in files])

    def report_on_and_on(first: str, second: str) -> None:
        while True:
            work(first)
            work(second)

    moments, seen = random.Random(0), set()
    orders = itertools.cycle([("old.spacy", "new.spacy"), ("new.spacy", "old.spacy")])
    for _, order in zip(range(MOMENTS), orders, strict=False):
        # a slow child may not get to its second report
        assert killed(partial(report_on_and_on, *order), moments.uniform(0, 3 * longest))
        for i, path in enumerate(files):
            seen.add((i, [contents[i] for contents in expected].index(path.read_bytes())))
    assert len(seen) == 4  # both files were old and new, else the moments proved nothing
    rest = hidden_in(tmp_path)
    work("old.spacy")
    assert [path.read_bytes() for path in files] == expected[0]
    assert hidden_in(tmp_path) == rest  # a run that ends leaves nothing of its own


def test_distillation_killed_at_any_moment_loses_and_repeats_nothing(
    make_nlp, randomize, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(distill, "PART", 7)
    nlp = make_nlp()
    randomize(nlp.get_pipe("lstm_tagger"))
    nlp.to_disk(tmp_path / "model")
    texts = [f"ham number {i} is green" for i in range(700)]
    (tmp_path / "raw.txt").write_text("\n".join(texts))
    output = tmp_path / "out.spacy"

    def work() -> None:
        distill.distill_cli(
            *(str(tmp_path / "model"), tmp_path / "raw.txt", output),
            **{
                "temperature": 1.0,
                "weights": "",
                "kept": 8,
                "n_process": 1,
                "batch_size": 64,
                "limit": 0,
            },
            dev=None,
            code=None,
            skip_errors=False,
        )

    def taught() -> list[str]:
        return [doc.text for doc in DocBin().from_disk(output).get_docs(nlp.vocab)]

    moments, n_killed, n_done = random.Random(0), 0, 0
    for _ in range(10 * MOMENTS):
        n_killed += killed(work, moments.uniform(0.1, 0.8))
        if output.exists():
            n_done += 1
            assert taught() == texts
            output.unlink()
        if n_killed == MOMENTS:
            break
    assert n_killed == MOMENTS
    work()
    assert taught() == texts
    assert not output.with_name("out.spacy.parts").exists()
    hidden_in(tmp_path)
    assert n_done < n_killed  # else the moments proved nothing


def test_scores_of_both_pipelines_differ(pair) -> None:
    with pytest.raises(AssertionError):
        assert_array_equal(scores(pair[0]), scores(pair[1]))

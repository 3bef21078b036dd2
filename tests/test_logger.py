"""The logger that draws: its numbers are right, its files whole, and it is found by its name."""

import csv
import io
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.cli.train import train
from spacy.tokens import DocBin

from spacy_lstm_tagger.report.curves import plot_curves
from spacy_lstm_tagger.report.plot_logger import Curves, build_plot_logger_v1

REPOSITORY = Path(__file__).parent.parent
NAME = "spacy-lstm-tagger.PlotLogger.v1"


@pytest.fixture(autouse=True)
def libraries() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (the extra [report])")


def evaluation(step: int, words: int, accuracy: float = 0.5) -> dict[str, Any]:
    return {
        "epoch": 0,
        "step": step,
        "seconds": step,
        "words": words,
        "score": accuracy,
        "other_scores": {"tag_acc": accuracy},
        "losses": {"lstm_tagger": 10.0},
    }


class Clock:
    """Time that passes when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf8"))))


def test_speed_leaves_evaluation_out() -> None:
    clock = Clock()
    curves = Curves(["tag_acc"], clock)
    curves.add(evaluation(0, 50))
    curves.resume()
    for _ in range(3):  # three steps of 2 s, then one with an evaluation of 100 s
        clock.now += 2
        curves.add(None)
    clock.now += 100
    curves.add(evaluation(4, 50 + 400))
    assert curves.rows[0]["words_per_second"] is None
    assert curves.rows[1]["words_per_second"] == pytest.approx(300 / 6)


def test_files_have_a_row_and_a_point_for_each_evaluation(tmp_path) -> None:
    curves = Curves(["tag_acc", "lemma_acc"], Clock())
    for step in range(3):
        curves.add(evaluation(step, 100 * (step + 1), accuracy=step / 4))
    curves.write(tmp_path / "curves.v1")
    rows = read(tmp_path / "curves.v1.csv")
    assert [float(row["tag_acc"]) for row in rows] == [0.0, 0.25, 0.5]
    assert {row["loss_lstm_tagger"] for row in rows} == {"10.0"}
    assert {row["lemma_acc"] for row in rows} == {""}
    root = ElementTree.fromstring((tmp_path / "curves.v1.svg").read_text(encoding="utf8"))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"loss per word", "tag_acc, %", "words a second", "step"} <= set(texts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curves.v1.csv", "curves.v1.svg"]


SVG = "{http://www.w3.org/2000/svg}"


def markers_beside_their_plots(svg: str) -> list[tuple[float, float]]:
    """Space above and below each marker within what its plot shows, in points."""
    root = ElementTree.fromstring(svg)
    shown = {
        f"url(#{path.get('id')})": next(path.iter(f"{SVG}rect"))
        for path in root.iter(f"{SVG}clipPath")
    }
    found = []
    for group in root.iter(f"{SVG}g"):
        rectangle = shown.get(group.get("clip-path", ""))
        for marker in group.iter(f"{SVG}use") if rectangle is not None else ():
            y, top = float(marker.get("y", "nan")), float(rectangle.get("y", "nan"))
            found.append((y - top, top + float(rectangle.get("height", "nan")) - y))
    return found


@pytest.mark.parametrize("speeds", [[None, 2886.0, 2422.1], [None, 3.0], [None, None]])
def test_no_point_of_a_curve_is_cut(speeds) -> None:
    rows = []
    for nth, speed in enumerate(speeds):
        curves = Curves(["tag_acc"], Clock())
        curves.add(evaluation(40 * nth, 100 * (nth + 1), accuracy=nth / 4))
        rows += [{**row, "words_per_second": speed} for row in curves.rows]
    spaces = markers_beside_their_plots(plot_curves(rows, ["tag_acc"]))
    assert len(spaces) == 2 * len(speeds) + sum(speed is not None for speed in speeds)
    assert min(min(both) for both in spaces) > 2  # points; a marker's radius is 1.5


def test_training_writes_curves_and_prints_as_ever(
    tmp_path, make_nlp, make_examples, capfd
) -> None:
    DocBin(docs=[eg.reference for eg in make_examples(make_nlp())]).to_disk(tmp_path / "a.spacy")
    train(
        REPOSITORY / "configs" / "demo.cfg",
        tmp_path / "out",
        overrides={
            "paths.train": str(tmp_path / "a.spacy"),
            "paths.dev": str(tmp_path / "a.spacy"),
            "training.max_steps": 4,
            "training.eval_frequency": 2,
            "training.logger.@loggers": NAME,
            "training.logger.path": str(tmp_path / "new" / "curves"),
        },
    )
    printed = capfd.readouterr().out
    rows = read(tmp_path / "new" / "curves.csv")
    assert [row["step"] for row in rows] == ["0", "2", "4"]
    assert float(rows[2]["words_per_second"]) > 0
    assert "TAG_ACC" in printed
    assert f"{float(rows[2]['loss_lstm_tagger']):.2f}" in printed
    assert (tmp_path / "new" / "curves.svg").read_text(encoding="utf8").endswith("</svg>\n")


def test_full_disk_does_not_end_a_training(tmp_path, make_nlp, monkeypatch) -> None:
    def fail(path: Path, data: bytes) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("spacy_lstm_tagger.report.plot_logger.write_file", fail)
    output, errors = io.StringIO(), io.StringIO()
    nlp = make_nlp()
    nlp.config["training"]["score_weights"] = {"tag_acc": 1.0, "tag_micro_f": None}
    log_step, finalize = build_plot_logger_v1(str(tmp_path / "c"))(nlp, output, errors)
    log_step(evaluation(0, 10))
    log_step(None)
    log_step(evaluation(2, 30))
    finalize()
    assert errors.getvalue().count("No space left on device") == 2
    assert output.getvalue().count("50.00") == 2


def test_logger_is_registered() -> None:
    assert spacy.registry.loggers.get(NAME) is build_plot_logger_v1


def test_missing_matplotlib_is_named_before_training(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'pip install "spacy-lstm-tagger\[report\]"'):
        build_plot_logger_v1("curves")

"""benchmarks/training_time.py: what it reads of spaCy's console logger."""

import importlib
from pathlib import Path

import pytest

TAGS = """
ℹ Initial learn rate: 0.0001
E    #       LOSS LSTM_...  TAG_ACC  SCORE
---  ------  -------------  -------  ------
  0       0         482.91     0.41    0.00
  0     200      111213.48    77.75    0.78
100   20000          13.00    94.15    0.94
✔ Saved pipeline to output directory
"""
TAGS_AND_PARTS_OF_SPEECH = """
E    #       LOSS TOK2VEC  LOSS TAGGER  TAG_ACC  POS_ACC  SCORE
---  ------  ------------  -----------  -------  -------  ------
  0       0          0.00        26.37    13.14     0.00    0.13
  9    3400        451.11      3173.32    93.86     0.00    0.94
"""


@pytest.mark.parametrize(
    ("printed", "rows"),
    [
        (TAGS, [(0, 0.41), (200, 77.75), (20000, 94.15)]),
        (TAGS_AND_PARTS_OF_SPEECH, [(0, 13.14), (3400, 93.86)]),
    ],
)
def test_accuracy_is_read_whatever_columns_there_are(printed, rows, monkeypatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "benchmarks")
    module = importlib.import_module("training_time")
    assert list(module.read_rows(printed.splitlines())) == rows

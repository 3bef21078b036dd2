"""docs/promises.md: every promise names a test, and every test that it names is there."""

import ast
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
PAGE = (REPOSITORY / "docs" / "promises.md").read_text(encoding="utf8")
NAMED = sorted(set(re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAGE)))


def test_promises_are_found_on_the_page() -> None:
    page = PAGE.partition("## Versions")[0]
    rows = [line for line in page.splitlines() if line.startswith("|")]
    promises = [row for row in rows if row not in ("| promise | test |", "|---|---|")]
    tested = [row for row in promises if "::test_" in row]
    assert len(NAMED) >= len(tested) > 20
    assert [row for row in promises if row not in tested] == []


@pytest.mark.parametrize(("file", "test"), NAMED, ids=lambda name: name)
def test_named_test_exists(file: str, test: str) -> None:
    tree = ast.parse((REPOSITORY / "tests" / file).read_text(encoding="utf8"))
    assert test in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]

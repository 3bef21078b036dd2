"""The table of `make versions`, of the files that noxfile.py leaves for each environment.

    python tools/version_table.py RESULTS ENVIRONMENT...

The exit code is 1 if tests failed, or if a saved model is not the same under other versions.
"""

import json
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree

LIBRARIES = ("python", "spacy", "thinc", "numpy", "torch", "onnxruntime")
FINE = ("same", "needs torch")
"""What may become of a model under other versions: see `compare` in small_models.py."""


def render(results: Path, names: list[str]) -> tuple[str, bool]:
    """Return the table, with what went wrong below it, and whether nothing did.

    results: directory with one of results for each environment that was made, by its name, which
        begins with the version of Python. One that could not be made is not counted as wrong.
    """
    header = ("environment", *LIBRARIES, "tests", "models loaded")
    rows, wrong = [header, ("---",) * len(header)], []
    for name in names:
        directory = results / name
        found = _read(directory / "versions.json")
        tests, failed = _tests(directory, name)
        models, differing = _models(directory)
        versions = tuple(found.get(library, "") for library in LIBRARIES)
        rows.append((name, *versions, tests, models))
        wrong += [f"{name}: {what}" for what in (*failed, *differing)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, *(["", *wrong] if wrong else [])]), not wrong


def _read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf8")) if path.is_file() else {}


def _tests(directory: Path, name: str) -> tuple[str, list[str]]:
    """Return how many tests passed, failed and were skipped, or why there are none, and those
    that failed.
    """
    python = f"python{name.split('-')[0]}"
    if not directory.is_dir():
        missing = shutil.which(python) is None
        return (f"could not be had: no {python} on PATH" if missing else "not run"), []
    if not (directory / "python").is_file():
        log = (directory / "install.log").read_text(encoding="utf8").splitlines()
        errors = [line for line in log if line.startswith("ERROR: ")]
        if not errors:
            return "not run: stopped while it was installed", []
        return f"could not be had: {errors[-1].removeprefix('ERROR: ')}", []
    if not (directory / "tests.xml").is_file():
        return "did not end", ["the tests did not end"]
    suite = ElementTree.parse(directory / "tests.xml").getroot()[0]
    total, *others = (int(suite.attrib[k]) for k in ("tests", "failures", "errors", "skipped"))
    failed = [
        f"{case.get('classname')}::{case.get('name')} failed"
        for case in suite.iter("testcase")
        if case.find("failure") is not None or case.find("error") is not None
    ]
    passed, skipped = total - sum(others), others[2]
    return f"{passed} passed, {others[0] + others[1]} failed, {skipped} skipped", failed


def _models(directory: Path) -> tuple[str, list[str]]:
    """Return what became of the models that were loaded, and what should not have."""
    loaded: dict[str, dict[str, str]] = _read(directory / "loaded.json")
    if not loaded and (directory / "python").is_file() and any(directory.parent.glob("*/torch")):
        return "did not end", ["the models were not loaded"]
    outcomes = [
        (f"{kind} of {directory}", outcome)
        for directory, kinds in loaded.items()
        for kind, outcome in kinds.items()
    ]
    differing = [f"{model}: {outcome}" for model, outcome in outcomes if outcome not in FINE]
    numbers = {what: sum(outcome == what for _, outcome in outcomes) for what in FINE}
    numbers["not the same"] = len(differing)
    return ", ".join(f"{n} {what}" for what, n in numbers.items() if n), differing


if __name__ == "__main__":
    text, right = render(Path(sys.argv[1]), sys.argv[2:])
    print(text)
    sys.exit(not right)

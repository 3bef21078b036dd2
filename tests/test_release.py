"""What is released: version, changelog and tag agree; the entry for spaCy's Universe is sound."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

tomllib = pytest.importorskip("tomllib", reason="Python has it from 3.11 on")

REPOSITORY = Path(__file__).parent.parent
MODEL = "en_ewt_lstm"

HEAD = "# Changelog\n\n## [Unreleased]\n\n"
RELEASED = (
    "## [0.2.0] - 2026-02-03\n\n### Added\n\n- b\n\n## [0.1.0] - 2026-01-02\n\n### Added\n\n- a\n"
)
CITATION = "cff-version: 1.2.0\nversion: 0.2.0\ndate-released: 2026-02-03\nlicense: MIT\n"

CATEGORIES = {
    *("pipeline", "training", "conversational", "research", "scientific", "visualizers", "apis"),
    *("nonpython", "standalone", "models"),
}
"""Those of projects in spaCy's website/meta/universe.json."""


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / "tools" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def version() -> ModuleType:
    return tool("version")


def text_of(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf8")


def test_version_changelog_and_citation_agree(version) -> None:
    number = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]
    texts = text_of("CHANGELOG.md"), text_of("CITATION.cff")
    assert version.faults(number, *texts, None) == []
    assert "### Added\n" in version.notes(number, texts[0])
    assert version.sections(texts[0])[0][0] == "[Unreleased]"


@pytest.mark.parametrize("tag", [None, "v0.2.0"])
def test_changelog_that_agrees_has_no_faults(version, tag) -> None:
    assert version.faults("0.2.0", HEAD + RELEASED, CITATION, tag) == []
    assert version.notes("0.2.0", HEAD + RELEASED) == "### Added\n\n- b\n"


def test_changes_may_be_unreleased_until_there_is_a_tag(version) -> None:
    changelog = f"{HEAD}### Fixed\n\n- c\n\n{RELEASED}"
    assert version.faults("0.2.0", changelog, CITATION, None) == []
    (fault,) = version.faults("0.2.0", changelog, CITATION, "v0.2.0")
    assert fault == "CHANGELOG.md: [Unreleased] has entries, move them to [0.2.0]"


@pytest.mark.parametrize(
    ("number", "changelog", "tag", "fault"),
    [
        ("0.3.0", RELEASED, None, "has version 0.3.0, CHANGELOG.md's newest is 0.2.0"),
        ("0.3.0", RELEASED, None, "CITATION.cff must have the line 'version: 0.3.0'"),
        ("0.2.0", HEAD, None, "has version 0.2.0, CHANGELOG.md's newest is none"),
        ("0.2.0", RELEASED.replace("02-03", "02-04"), None, "'date-released: 2026-02-04', as"),
        ("0.2.0", RELEASED, "0.2.0", "the tag is 0.2.0, but must be v0.2.0"),
        ("0.2.0", RELEASED, "v0.2.1", "the tag is v0.2.1, but must be v0.2.0"),
        ("0.2.0", RELEASED.replace("[0.2.0]", "0.2.0"), None, "'## 0.2.0 - 2026-02-03' must be"),
        ("0.2.0", RELEASED.replace(" - 2026-02-03", ""), None, "'## [0.2.0]' must be"),
        ("0.2.0", RELEASED.replace("02-03", "02-30"), None, "[0.2.0] - 2026-02-30: day is out"),
        ("0.2.0", RELEASED.replace("02-03", "01-01"), None, "0.2.0 (2026-01-01) is above 0.1.0"),
        ("0.2.0", RELEASED.replace("0.1.0", "0.2.1"), None, "0.2.0 (2026-02-03) is above 0.2.1"),
        ("0.2.0", RELEASED + "\n" + HEAD, None, "[Unreleased] is below 0.1.0"),
        ("0.2.0", RELEASED.replace("Added", "New", 1), None, "'### New' below '[0.2.0]"),
    ],
)
def test_what_does_not_agree_is_named(version, number, changelog, tag, fault) -> None:
    found = version.faults(number, changelog, CITATION, tag)
    assert any(fault in line for line in found), found


def test_program_ends_with_the_faults(tmp_path) -> None:
    script = REPOSITORY / "tools" / "version.py"
    number = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]

    def run(*arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, str(script), *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    notes = tmp_path / "notes.md"
    done = run("--tag", f"v{number}", "--notes", str(notes))
    assert (done.returncode, done.stderr) == (0, "")
    assert "### Added\n" in notes.read_text(encoding="utf8")
    done = run("--tag", "v99; echo")
    fault = f"the tag is v99; echo, but must be v{number}, as pyproject.toml has\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", fault)


def test_list_of_components_has_what_the_action_that_attests_it_asks_for() -> None:
    release = tool("release")
    bill = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}
    assert release.missing_in_bill(json.dumps(bill)) == ["serialNumber"]  # a reproducible one
    bill["serialNumber"] = "urn:uuid:7d1c9e0a-0c4b-4f6d-9d0e-0d6f6f6f6f6f"
    assert release.missing_in_bill(json.dumps(bill)) == []


# The entry for spaCy's Universe, in the form of spaCy's website/UNIVERSE.md


@pytest.fixture(scope="module")
def entry() -> dict[str, Any]:
    return json.loads(text_of("docs/universe.json"))


def test_universe_has_the_fields_that_spacy_asks_for(entry) -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    assert entry["id"] == entry["pip"] == project["name"]
    assert entry["author"] == project["authors"][0]["name"]
    assert entry["code_language"] == "python"
    for name in ("title", "slogan", "description"):
        assert entry[name] and isinstance(entry[name], str), name
    assert len(entry["slogan"]) <= 100
    assert set(entry["category"]) <= CATEGORIES
    for name in ("category", "tags", "code_example"):
        assert entry[name] and all(isinstance(each, str) for each in entry[name]), name
    optional = {"github", "url", "thumb", "image", "author_links"}
    known = {"id", "title", "slogan", "description", "pip", "code_example", "code_language"}
    assert set(entry) <= known | {"author", "category", "tags"} | optional


def test_universe_example_runs(entry, tmp_path, monkeypatch, capsys) -> None:
    (shipped,) = (REPOSITORY / "models" / MODEL / MODEL).glob(f"{MODEL}-*")
    shutil.copytree(shipped, tmp_path / MODEL)  # spaCy loads a directory as well as a package
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile("\n".join(entry["code_example"]), "universe.json", "exec"), names)
    assert "photos NNS NOUN photo Number=Plur" in capsys.readouterr().out
    assert names["other"].pipe_names == ["lstm_tagger", "sentencizer"]
    assert [token.tag_ for token in names["other"]("I sold it.")] == ["PRP", "VBD", "PRP", "."]

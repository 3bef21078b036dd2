"""Check that the version, the changelog, the citation and the tag of a release agree.

    python tools/version.py [--tag v0.1.0] [--notes FILE]

Exits with 1 and a line for each fault. With --notes, what the changelog says of the version is
written to a file.
"""

from __future__ import annotations

import argparse
import re
import sys
from datetime import date
from itertools import pairwise
from pathlib import Path

import tomllib
from packaging.version import InvalidVersion, Version

REPOSITORY = Path(__file__).parent.parent
UNRELEASED = "Unreleased"
HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
RELEASE = re.compile(r"\[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?")
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


def sections(changelog: str) -> list[tuple[str, str]]:
    """Return the headings of a changelog's versions with what is below each, the newest first."""
    _, *found = HEADING.split(changelog)
    pairs = zip(found[::2], found[1::2], strict=True)
    return [(heading.strip(), text.strip()) for heading, text in pairs]


def faults(version: str, changelog: str, citation: str, tag: str | None) -> list[str]:
    """Return what does not agree, a line each.

    version: of pyproject.toml.
    tag: of the release; None: there is none yet, and changes may be unreleased.
    """
    found, releases = [], []
    for heading, text in sections(changelog):
        matched = RELEASE.fullmatch(heading)
        if matched is None or (matched[2] is None) != (matched[1] == UNRELEASED):
            wanted = f"## [{UNRELEASED}] or ## [X.Y.Z] - YYYY-MM-DD"
            found.append(f"CHANGELOG.md: '## {heading}' must be {wanted}")
        elif matched[1] != UNRELEASED:
            releases.append((matched[1], matched[2]))
        elif releases:
            found.append(f"CHANGELOG.md: [{UNRELEASED}] is below {releases[-1][0]}: move it up")
        elif tag and text:
            found.append(f"CHANGELOG.md: [{UNRELEASED}] has entries, move them to [{version}]")
        kinds = re.findall(r"^### (.*)$", text, re.MULTILINE)
        for kind in {kind for kind in kinds if kind not in KINDS or kinds.count(kind) > 1}:
            once = f"must be one of {', '.join(KINDS)}, once each"
            found.append(f"CHANGELOG.md: '### {kind}' below '{heading}' {once}")
    found += _order_faults(releases)
    newest = releases[0][0] if releases else "none"
    if newest != version:
        found.append(f"pyproject.toml has version {version}, CHANGELOG.md's newest is {newest}")
    if f"\nversion: {version}\n" not in citation:
        found.append(f"CITATION.cff must have the line 'version: {version}', as pyproject.toml has")
    for day in [day for released, day in releases if released == version]:
        if f"\ndate-released: {day}\n" not in citation:
            line = f"'date-released: {day}'"
            found.append(f"CITATION.cff must have the line {line}, as CHANGELOG.md has")
    if tag is not None and tag != f"v{version}":
        found.append(f"the tag is {tag}, but must be v{version}, as pyproject.toml has")
    return found


def _order_faults(releases: list[tuple[str, str]]) -> list[str]:
    """Return what is wrong with the versions and dates of releases, which are to fall."""
    found, parsed = [], []
    for version, day in releases:
        try:
            parsed.append((Version(version), date.fromisoformat(day)))
        except (InvalidVersion, ValueError) as error:
            found.append(f"CHANGELOG.md: [{version}] - {day}: {error}")
    for (later, later_day), (earlier, day) in pairwise(parsed):
        if later <= earlier or later_day < day:
            found.append(f"CHANGELOG.md: {later} ({later_day}) is above {earlier} ({day})")
    return found


def notes(version: str, changelog: str) -> str:
    """Return what a changelog says of a version. Raises ValueError if it does not know it."""
    for heading, text in sections(changelog):
        if heading.startswith(f"[{version}]"):
            return f"{text}\n"
    raise ValueError(f"CHANGELOG.md has no [{version}]")


def main() -> None:
    """Read the arguments, check, and write the notes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tag", help="of the release, such as v0.1.0")
    parser.add_argument("--notes", type=Path, help="file to write the release's notes to")
    args = parser.parse_args()
    texts = [(REPOSITORY / name).read_text("utf8") for name in ("CHANGELOG.md", "CITATION.cff")]
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf8"))["project"]
    version = project["version"]
    if found := faults(version, *texts, args.tag):
        sys.exit("\n".join(found))
    if args.notes:
        args.notes.write_text(notes(version, texts[0]), encoding="utf8")
    print(f"{version}: pyproject.toml, CHANGELOG.md and CITATION.cff agree")


if __name__ == "__main__":
    main()

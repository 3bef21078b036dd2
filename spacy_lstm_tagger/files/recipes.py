"""The recipes: configs for `spacy train` that come with the package, and their comments."""

from __future__ import annotations

from pathlib import Path

from thinc.api import Config

PACKAGE = Path(__file__).parent.parent

Place = tuple[str, str]
"""A section of a config and a key in it; "" for the section itself."""


def recipes() -> dict[str, Path]:
    """Return the files of the recipes by name: those of the package, or of its source tree."""
    installed = PACKAGE / "configs"
    directory = installed if installed.is_dir() else PACKAGE.parent / "configs"
    return {path.stem: path for path in sorted(directory.glob("*.cfg"))}


def read_recipe(name: str) -> str:
    """Return the text of a recipe. Raises ValueError if there is none of the name."""
    found = recipes()
    if name not in found:
        raise ValueError(f"there is no recipe '{name}', but there are {', '.join(found)}.")
    return found[name].read_text(encoding="utf-8")


def header(text: str) -> list[str]:
    """Return the comment lines at the top of a config: what it is, and when to use it."""
    return text.split("\n\n", maxsplit=1)[0].splitlines()


def comments_of(text: str) -> dict[Place, list[str]]:
    """Return the comment lines directly above sections and keys of a config, without its header."""
    comments: dict[Place, list[str]] = {}
    above: list[str] = []
    section = ""
    for line in text.splitlines():
        if line.startswith("#"):
            above.append(line)
            continue
        section, key = _place(line, section)
        if above and line:
            comments[section, key] = above
        above = []
    return comments


def to_commented_text(config: Config, comments: dict[Place, list[str]]) -> str:
    """Return a config as text, which `Config.to_str` writes without comments, with comments."""
    lines: list[str] = []
    section = ""
    for line in config.to_str(interpolate=False).splitlines():
        section, key = _place(line, section)
        lines += comments.get((section, key), []) if line else []
        lines.append(line)
    return "\n".join(lines) + "\n"


def _place(line: str, section: str) -> Place:
    """Return the section that a line is in, and its key. section: that of the line before."""
    if line.startswith("["):
        return line.strip("[]"), ""
    return section, line.partition(" = ")[0]

"""Extension of Griffe for the documentation: our docstrings, told to it in Google's style.

Ours describe a parameter as `name (type): text`, and what is returned and raised as
`RETURNS (type): text` and `RAISES error: text`, each from the start of a line, its other lines
indented. mkdocstrings makes tables of such descriptions if they are in sections.
"""

import inspect
import re
from typing import Any

import griffe

ENTRY = re.compile(r"(RETURNS|RAISES|\w+)(?: \((.+?)\)| (\w+))?: (.+)", re.DOTALL)


class OurDocstrings(griffe.Extension):
    """Rewrite the docstrings of functions and classes in Google's style."""

    def on_function(self, *, func: griffe.Function, **kwargs: Any) -> None:
        """Rewrite that of a function."""
        _rewrite(func, func)

    def on_class(self, *, cls: griffe.Class, **kwargs: Any) -> None:
        """Rewrite that of a class, with the parameters of its `__init__`."""
        init = cls.members.get("__init__")
        if isinstance(init, griffe.Function):
            _rewrite(cls, init)


def _rewrite(described: griffe.Object, called: griffe.Function) -> None:
    if described.docstring is not None:
        text = inspect.cleandoc(described.docstring.value)
        names = {parameter.name for parameter in called.parameters}
        described.docstring.value = in_google_style(text, names, str(called.returns or ""))
        described.docstring.parser = griffe.Parser.google


def in_google_style(text: str, names: set[str], returned: str) -> str:
    """Return a docstring with its entries in sections, in the place of the first of each kind.

    names: parameters; lines that begin like an entry, but for no such name, are prose.
    returned: type of what is returned, if the docstring does not say it.
    """
    sections: dict[str, list[str]] = {"Parameters": [], "Returns": [], "Raises": []}
    prose: list[str] = []
    for entry in re.split(r"\n(?! )", text):
        found = ENTRY.fullmatch(entry)
        if found is None or found[1] not in names | {"RETURNS", "RAISES"}:
            prose.append(entry)
            continue
        name, in_brackets, error, words = found.groups()
        words = re.sub(r"\s+", " ", words)
        if name == "RETURNS":
            sections["Returns"].append(f"{in_brackets or returned}: {words}")
        elif name == "RAISES":
            sections["Raises"].append(f"{error}: {words}")
        else:
            kind = f" ({in_brackets})" if in_brackets else ""
            sections["Parameters"].append(f"{name}{kind}: {words}")
    prose_text = re.sub(r"(?<=[^\n])\n(- .*(?:\n[ -] .*)*)", r"\n\n\1", "\n".join(prose))
    parts = [prose_text.rstrip()]
    for title, entries in sections.items():
        if entries:
            parts.append("\n".join([f"{title}:", *(f"    {entry}" for entry in entries)]))
    return "\n\n".join(parts)

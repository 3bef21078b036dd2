"""Install the English models and spaCy's in fresh environments: time, size, time to load.

    python benchmarks/installation.py [--spacy-model en_core_web_sm] [--torch torch==2.13.0]

Each environment is made with pip from an index: an exported model with `[onnx]`, spaCy with one of
its own models, and `[train]`, with torch. The size is that of what pip has installed, without pip
itself and without compiled Python (`__pycache__`); once more with the symbols removed that shared
libraries do not need to run, as docs/recipes/aws_lambda.md does. Times are medians of new
processes. Writes INSTALLATION.md to --output.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
import venv
from collections.abc import Iterable
from pathlib import Path

import typer
from measuring.report import environment
from wasabi import MarkdownRenderer

ROOT = Path(__file__).parent.parent
SENTENCE = "Can you send me the photos?"
LIMIT = 250
"""Megabytes that an archive for AWS Lambda may have when it is unpacked."""

TAG = f"""
import importlib.util, sys, time
start = time.perf_counter()
import spacy
imported = time.perf_counter()
if sys.argv[1]:
    tags = [token.tag_ for token in spacy.load(sys.argv[1])({SENTENCE!r})]
    assert len(tags) == 7 and all(tags), tags
loaded = time.perf_counter()
print(imported - start, loaded - start, importlib.util.find_spec("torch") is not None)
"""

INTRODUCTION = f"""
Written by the command below; do not edit. *import*: seconds of `import spacy`; *first tags*:
seconds until a sentence is tagged, of a new process, import included. *MB*: 10^6 bytes that pip has
installed, without pip and compiled Python; *stripped*: with the symbols removed that shared
libraries do not need. An archive for AWS Lambda may have {LIMIT} MB.
"""


def main(
    spacy_model: str = typer.Option("en_core_web_sm", help="Package of spaCy's, as pip takes it"),
    spacy_name: str = typer.Option("en_core_web_sm", help="What spacy.load() takes then"),
    torch: str = typer.Option("torch", help="Requirement that decides which torch is installed"),
    times: int = typer.Option(5, min=1, help="Processes that each time is the median of"),
    output: Path = typer.Option(ROOT / "benchmarks", help="Directory to write to"),
) -> None:
    """Make the environments, measure them and write the table."""
    environments = {
        "`.[onnx]` and `en_ewt_lstm`": ([".[onnx]", "./models/en_ewt_lstm"], "en_ewt_lstm"),
        f"spaCy and `{spacy_name}`": (["spacy>=3.8.3,<3.9.0", spacy_model], spacy_name),
        "`.[train]`": ([torch, ".[train]"], ""),
    }
    rows = [[title, *_measure(*what, times)] for title, what in environments.items()]
    header = ["environment", "torch", "install, s", "MB", "stripped", "import, s", "first tags, s"]
    md = MarkdownRenderer(no_emoji=True)
    md.add(md.title(1, "Installation, measured"))
    command = f"python benchmarks/installation.py --spacy-model {spacy_model}"
    command += f" --spacy-name {spacy_name} --torch {torch}"
    for text in (INTRODUCTION, md.code_block(command), environment()):
        md.add(text)
    md.add(md.table(rows, header, aligns=["l", "l", *["r"] * 5]))
    (output / "INSTALLATION.md").write_text(md.text + "\n", encoding="utf8")
    print(md.text)


def _measure(requirements: list[str], pipeline: str, times: int) -> list[str]:
    """Return the cells of an environment's row."""
    with tempfile.TemporaryDirectory() as directory:
        venv.create(directory, with_pip=True)
        python = Path(directory) / "bin" / "python"
        (site_packages,) = Path(directory).glob("lib/python*/site-packages")
        before = set(site_packages.iterdir())
        start = time.perf_counter()
        command = [python, "-m", "pip", "install", "--quiet", "--no-compile", *requirements]
        subprocess.run(command, cwd=ROOT, check=True)
        seconds = time.perf_counter() - start
        installed = set(site_packages.iterdir()) - before
        size = _megabytes(installed)
        said = [
            subprocess.run(
                [python, "-I", "-c", TAG, pipeline], capture_output=True, text=True, check=True
            ).stdout.split()
            for _ in range(times + 1)
        ][1:]  # the first compiles
        imported, loaded = (statistics.median(float(one[i]) for one in said) for i in (0, 1))
        stripped = _megabytes(installed) if _strip(installed) else None
    return [
        "yes" if said[0][2] == "True" else "no",
        *(f"{seconds:.0f}", f"{size:.0f}", f"{stripped:.0f}" if stripped else "–"),
        *(f"{imported:.2f}", f"{loaded:.2f}" if pipeline else "–"),
    ]


def _files(installed: Iterable[Path]) -> Iterable[Path]:
    for entry in installed:
        paths = entry.rglob("*") if entry.is_dir() else [entry]
        yield from (p for p in paths if p.is_file() and p.parent.name != "__pycache__")


def _megabytes(installed: Iterable[Path]) -> float:
    return sum(path.stat().st_size for path in _files(installed)) / 1e6


def _strip(installed: Iterable[Path]) -> bool:
    """Remove the symbols of shared libraries, but of those beside wheels; return whether it was."""
    if shutil.which("strip") is None:
        return False
    libraries = [
        path
        for path in _files(installed)
        if ".so" in path.suffixes and not path.parent.name.endswith(".libs")
    ]
    subprocess.run(["strip", "--strip-unneeded", *libraries], check=False, capture_output=True)
    return True


if __name__ == "__main__":
    typer.run(main)

"""The tests under each version of Python and of the libraries: `make versions`, or `nox`.

nox finds interpreters on PATH, and what `pyenv` and the like put there. An environment that cannot
be made is named in the table with the reason, and the others go on. Some of them alone:

    nox -s "cell(3.12)" "cell(3.12-light)" table

Where pip would bring torch with CUDA, gigabytes of it, PIP_EXTRA_INDEX_URL can name the index of
its builds for CPUs.
"""

import shutil
import sys
from pathlib import Path

import nox
from nox.command import CommandFailed
from packaging.requirements import Requirement

nox.options.error_on_missing_interpreters = False
nox.options.default_venv_backend = "virtualenv"

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
ALL = ("annotate", "export", "report")
LIBRARIES = PYPROJECT["project"]["dependencies"]
NAMES = {Requirement(line).name for line in sum((EXTRAS[extra] for extra in ALL), LIBRARIES)}
TOOLS = [line for line in EXTRAS["dev"] if Requirement(line).name not in NAMES]
MODELS = ["./models/en_ewt_lstm", "./models/en_ewt_lstm_fast"]

RESULTS = Path(".nox/results")
PROGRAMS = [f"--ignore-glob=tests/test_{name}.py" for name in ("*_benchmark", "project")]
"""Tests of this repository's programs rather than of the package, which are left out."""
TESTS = ["-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder", "-m", "not slow", *PROGRAMS]
OLD_LIBRARIES = ["-W", "default::DeprecationWarning", "-W", "default:[W095]:UserWarning"]
"""Warnings, in tests of old libraries: deprecations in newer ones, models of a newer spaCy."""


def oldest(*extras: str) -> list[str]:
    """Return the dependencies and those of extras, in the oldest versions that are declared."""
    found = map(Requirement, sum((EXTRAS[extra] for extra in extras), LIBRARIES))
    return [f"{r.name}=={s.version}" for r in found for s in r.specifier if s.operator == ">="]


OLDER = "3.11"
"""The Python of the cells in which libraries are older than the newest."""
CELLS = {
    **{python: (python, ALL, []) for python in PYTHONS},
    **{f"{python}-light": (python, ("onnx",), []) for python in PYTHONS},
    f"{OLDER}-oldest": (OLDER, ALL, oldest(*ALL)),
    f"{OLDER}-light-oldest": (OLDER, ("onnx",), oldest("onnx")),
    f"{OLDER}-torch-2.13.0": (OLDER, ALL, ["torch==2.13.0"]),
    f"{OLDER}-numpy-1.26": (OLDER, ALL, ["torch==2.13.0", "numpy==1.26.*"]),
}
"""By name: Python, extras of this package, versions to which libraries are held."""


@nox.session
@nox.parametrize("python,name", [nox.param(CELLS[name][0], name, id=name) for name in CELLS])
def cell(session: nox.Session, name: str) -> None:
    """Run the tests that are not slow, and save small models. Arguments after -- go to pytest."""
    _, extras, held = CELLS[name]
    results = (RESULTS / name).resolve()
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    for build in (Path("build"), *Path("models").glob("*/build")):
        shutil.rmtree(build, ignore_errors=True)  # a wheel would have what lies there from before
    (results / "held.txt").write_text("\n".join(held))
    options = ["-c", str(results / "held.txt"), f".[{','.join(extras)}]", *MODELS, *TOOLS]
    try:
        with open(results / "install.log", "w") as log:
            session.install(*options, silent=False, stdout=log, stderr=log)
    except CommandFailed:
        session.error((results / "install.log").read_text().strip())
    (results / "python").write_text(f"{session.bin}/python")
    threads = {"OMP_NUM_THREADS": "1"}
    session.run("python", "tools/small_models.py", "save", str(results), env=threads)
    xml = f"--junitxml={results / 'tests.xml'}"
    old = OLD_LIBRARIES if held else []
    session.run("pytest", *TESTS, *old, xml, *session.posargs, env=threads)


@nox.session(venv_backend="none")
def table(session: nox.Session) -> None:
    """Load every saved model in every environment, and print the table."""
    saved = [str(RESULTS / name) for name in CELLS if (RESULTS / name / "torch").is_dir()]
    for name in CELLS:
        python = RESULTS / name / "python"
        if saved and python.is_file():
            output = RESULTS / name / "loaded.json"
            output.unlink(missing_ok=True)
            command = (python.read_text(), "tools/small_models.py", "load", str(output), *saved)
            session.run(*command, external=True, success_codes=range(256))
    session.run(sys.executable, "tools/version_table.py", str(RESULTS), *CELLS, external=True)

"""Build what is released into release/, check it, and try it: `make release-check`.

    dist/           source distribution, and the wheel that is built from it
    models/         wheels of the English models
    sbom.cdx.json   what an environment with the wheel and ONNX Runtime consists of (CycloneDX)
    notes.md        what the changelog says of this version

The variable TAG names the tag of a release, which has to be that of this version. What is tried is
what was built: the models in an environment of nothing else, and tests in .venv, which gets the
wheel, in a copy of the repository without the package.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
RELEASE = REPOSITORY / "release"
MODELS = ("en_ewt_lstm", "en_ewt_lstm_fast")

TESTS = ("component", "commands", "export", "init_config", "models", "saved_models", "release")
"""Names of modules of tests that need no source of the package."""

SMOKE = """
import json, sys
import spacy, spacy_lstm_tagger
docs = [spacy.load(name)("She sold the old cars.") for name in sys.argv[1:]]
print(json.dumps({
    "version": spacy_lstm_tagger.__version__,
    "in_environment": spacy_lstm_tagger.__file__.startswith(sys.prefix),
    "torch": "torch" in sys.modules,
    "tags": [[token.tag_ for token in doc] for doc in docs],
    "pos": [[token.pos_ for token in doc] for doc in docs],
}))
"""


def main() -> None:
    """Build, check, and try."""
    shutil.rmtree(RELEASE, ignore_errors=True)
    RELEASE.mkdir()
    tag = ["--tag", os.environ["TAG"]] if os.environ.get("TAG") else []
    run("tools/version.py", "--notes", RELEASE / "notes.md", *tag)
    build()
    with tempfile.TemporaryDirectory() as directory:
        try_alone(Path(directory) / "env")
    with tempfile.TemporaryDirectory() as directory:
        try_with_tests(Path(directory))
    for path in sorted(path for path in RELEASE.rglob("*") if path.is_file()):
        print(f"{path.stat().st_size:>10,}  {path.relative_to(REPOSITORY)}")


def run(*arguments: object, cwd: Path = REPOSITORY, python: Path = Path(sys.executable)) -> str:
    """Run Python with arguments, show what it prints, and return that. Ends if it fails."""
    command = [str(python), *map(str, arguments)]
    print("$", *(part.replace("\n", " ") for part in command), flush=True)
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, text=True, encoding="utf8")
    print(done.stdout, end="", flush=True)
    if done.returncode:
        sys.exit(f"exit code {done.returncode}")
    return done.stdout


def build() -> None:
    """Build the distributions of the package and of the models, and look whether they are sound."""
    run("-m", "build", "--outdir", RELEASE / "dist")
    for name in MODELS:
        with tempfile.TemporaryDirectory() as directory:  # what is left of another build stays out
            source = Path(directory) / name
            shutil.copytree(
                REPOSITORY / "models" / name,
                source,
                ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"),
            )
            run("-m", "build", "--wheel", "--outdir", RELEASE / "models", source)
    run("-m", "twine", "check", "--strict", *RELEASE.glob("dist/*"))
    run("-m", "check_wheel_contents", *RELEASE.glob("dist/*.whl"))
    # `spacy package` puts the same meta.json into two places
    run("-m", "check_wheel_contents", "--ignore", "W002", *RELEASE.glob("models/*.whl"))


def try_alone(environment: Path) -> None:
    """Tag with the models in an environment with nothing else, and list what is in it."""
    (wheel,), models = RELEASE.glob("dist/*.whl"), list(RELEASE.glob("models/*.whl"))
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    install = ("-m", "pip", "--python", python, "install", "--quiet")
    run(*install, f"{wheel}[onnx]")
    bill = RELEASE / "sbom.cdx.json"
    listing = ("environment", "--pyproject", "pyproject.toml", "--output-file", bill, python)
    run("-m", "cyclonedx_py", *listing)
    if missing := missing_in_bill(bill.read_text(encoding="utf8")):
        sys.exit(f"{bill} has no {', '.join(missing)}, without which no attestation takes it")
    run(*install, *models)
    said = run("-I", "-c", SMOKE, *MODELS, cwd=environment.parent, python=python)
    expected = {
        "version": wheel.name.split("-")[1],
        "in_environment": True,
        "torch": False,
        "tags": [["PRP", "VBD", "DT", "JJ", "NNS", "."]] * len(MODELS),
        "pos": [["PRON", "VERB", "DET", "ADJ", "NOUN", "PUNCT"]] * len(MODELS),
    }
    if (found := json.loads(said)) != expected:
        sys.exit(f"the wheel and the models gave {found}, but {expected} was expected")
    command = ("-m", "spacy", "lstm-tagger", "tag", MODELS[0], "She sold the old cars.")
    run("-I", *command, cwd=environment.parent, python=python)


def missing_in_bill(text: str) -> list[str]:
    """Return the fields that a list of components lacks, but GitHub's action `attest` asks for."""
    bill = json.loads(text)
    return [name for name in ("bomFormat", "specVersion", "serialNumber") if not bill.get(name)]


def try_with_tests(copy: Path) -> None:
    """Run tests of the installed wheel in a copy of the repository that has no package."""
    wheels = RELEASE.glob("*/*.whl")
    run("-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps", *wheels)
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if not name.startswith("spacy_lstm_tagger/") and (REPOSITORY / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, copy / name)
    tests = [f"tests/test_{name}.py" for name in TESTS]
    # the script: `python -m pytest` would look for packages in the directory that it runs in
    options = ("-q", "-n", "auto", "--dist", "loadfile", "-m", "not slow")
    run(Path(sys.executable).parent / "pytest", *options, *tests, cwd=copy)


if __name__ == "__main__":
    main()

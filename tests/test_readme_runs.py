"""What the README prints runs as printed, in an empty folder, with what is installed alone.

Python blocks share one session, as a reader would run them; commands run in their order in one
folder. Only trainings are shortened, by options behind the printed ones.
"""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf8")
BLOCKS = re.findall(r"^```(bash|python|ini)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)

ELSEWHERE = {
    "make ": "tests/test_project.py and the checks of every change run the targets",
    "pip install": "tests/test_packaging.py installs wheels",
    "python benchmarks/": "takes hours",
}
"""Beginnings of commands that are not run here, and why."""

SHORT = "--training.max_steps 20 --training.eval_frequency 10"


def commands_of(block: str) -> list[str]:
    """Return the commands of a block, lines that end in a backslash joined."""
    lines = block.replace("\\\n", " ").splitlines()
    return [line for line in lines if not line.startswith(tuple(ELSEWHERE))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Folder with nothing but what the README says the reader has: a treebank and raw text."""
    folder = tmp_path_factory.mktemp("reader")
    for part in ("train", "dev"):
        bundled = (REPOSITORY / f"corpus/en-{part}.conllu").read_text(encoding="utf8")
        lines = [with_features_and_lemma(line) for line in bundled.splitlines()]
        (folder / f"en_ewt-ud-{part}.conllu").write_text("\n".join([*lines, ""]), encoding="utf8")
    (folder / "words.tsv").write_text("I\tPRP\nlike\tVBP\nham\tNN\n\nEat\tVB\nit\tPRP\n")
    (folder / "raw.txt").write_text("The child drew a horse.\nNobody opened that letter.\n" * 5)
    with gzip.open(folder / "raw.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"text": f"Nobody drew {n} horses."}) + "\n" for n in range(20))
    return folder


def with_features_and_lemma(line: str) -> str:
    """Return a line of CoNLL-U with what the treebank has, and the bundled corpus has not."""
    if "\t" not in line:
        return line
    columns = line.split("\t")
    columns[2] = columns[1].lower()
    columns[5] = {"NN": "Number=Sing", "NNS": "Number=Plur"}.get(columns[4], "_")
    return "\t".join(columns)


def run(command: str, folder: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"}
    if " train " in command:
        command = f"{command} {SHORT}"
    options = {"cwd": folder, "env": environment, "capture_output": True, "text": True}
    result = subprocess.run(["bash", "-c", command], check=False, **options)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"


def paste(config: str, block: str) -> str:
    """Paste a block into a config, as its reader would.

    Values replace those of the same name in a section that is there; a new section takes the place
    of a null in its parent.
    """
    pattern = re.compile(r"^\[([^\]]+)\]\n(.*?)(?=^\[|\Z)", re.DOTALL | re.MULTILINE)
    sections = {name: values.strip().splitlines() for name, values in pattern.findall(config)}
    for name, values in pattern.findall(block):
        parent, _, key = name.rpartition(".")
        if parent in sections:
            sections[parent] = [line for line in sections[parent] if line != f"{key} = null"]
        new = values.strip().splitlines()
        keys = {line.split(" = ")[0] for line in new}
        kept = [line for line in sections.get(name, []) if line.split(" = ")[0] not in keys]
        sections[name] = [*new, *kept]
    return "\n\n".join("\n".join([f"[{name}]", *lines]) for name, lines in sections.items())


@pytest.mark.slow
def test_commands_run_in_their_order(folder) -> None:
    commands = [c for kind, block in BLOCKS if kind == "bash" for c in commands_of(block)]
    assert len(commands) > 15
    for command in commands:
        run(command, folder)
    assert (folder / "training/model-best").is_dir()
    assert (folder / "report.html").stat().st_size > 10_000
    assert isinstance(json.loads((folder / "tasks.json").read_text()), list)


@pytest.mark.slow
def test_blocks_of_settings_train(folder) -> None:
    blocks = [block for kind, block in BLOCKS if kind == "ini"]
    assert len(blocks) >= 4
    for number, block in enumerate(blocks):
        config = paste((folder / "default.cfg").read_text(encoding="utf8"), block)
        (folder / "pasted.cfg").write_text(config, encoding="utf8")
        paths = "--paths.train corpus/en_ewt-ud-train.spacy --paths.dev corpus/en_ewt-ud-dev.spacy"
        run(f"python -m spacy train pasted.cfg --output pasted{number} {paths}", folder)


@pytest.mark.slow
def test_python_blocks_run_in_one_session(folder) -> None:
    code = [block for kind, block in BLOCKS if kind == "python"]
    assert len(code) >= 7
    (folder / "session.py").write_text("\n\n".join(code), encoding="utf8")
    setup = "import spacy; spacy.load('training/model-best').to_disk('en_ewt')"
    run(f'python -c "{setup}"', folder)  # stands for the package that the README installs
    stock = "import spacy; nlp = spacy.blank('en'); nlp.add_pipe('tagger').add_label('X'); "
    stock += "nlp.add_pipe('attribute_ruler'); nlp.initialize(); nlp.to_disk('en_core_web_sm')"
    run(f'python -c "{stock}"', folder)
    run("python session.py", folder)
    assert (folder / "combined").is_dir()
    assert (folder / "fine-tuned").is_dir()

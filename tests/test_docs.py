"""The documentation tells the truth: its code runs as printed, what it names is there.

Each page, README.md among them, has a folder of its own, which holds what a reader has by then (see
`reader` and `after_tutorial`). Its fenced blocks run in their order:

- `bash` by `bash -euo pipefail`, behind PRELUDE, the one place where commands are replaced:
  trainings are shortened, and what installs packages or takes hours is checked, not run;
- `python` in one namespace for the page, as in one session, in this process, where warnings are
  errors; a block with `title="FILE"` is written to that file as well;
- `ini` is pasted into default.cfg, which then has to train;
- SHOWN are not run.

A block that cannot run has `<!-- not run: reason -->` on the line above.
"""

import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
import spacy
from spacy.cli.train import train
from thinc.api import Config

from spacy_lstm_tagger.pipeline.factories import DEFAULT_MODEL

tomllib = pytest.importorskip("tomllib", reason="Python has it from 3.11 on")

REPOSITORY = Path(__file__).parent.parent
PAGES = [
    "README.md",
    *sorted(p.relative_to(REPOSITORY).as_posix() for p in REPOSITORY.glob("docs/**/*.md")),
]
OTHERS = [
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    *(f"{d}/README.md" for d in ("benchmarks", "corpus", "findings", "models")),
]

RUN, SHOWN = ("bash", "python", "ini"), ("text", "dockerfile")

BEFORE_THE_TUTORIAL = ("README.md", "docs/index.md", "docs/tutorial.md")
"""Pages whose reader has no recipe, training data or trained pipeline yet."""

MOST_NOT_RUN = 4

SHORT = {"training.max_steps": 4, "training.eval_frequency": 2}
LESS = " ".join(f"--{name} {value}" for name, value in SHORT.items())

PRELUDE = f"""
python() {{
    case "$*" in
        "-m spacy train "*) command python "$@" {LESS} ;;
        benchmarks/*) test -f "{REPOSITORY}/$1" ;;
        *) command python "$@" ;;
    esac
}}
pip() {{ printf '%s\\n' "$@" >> pip_arguments; }}
make() {{ grep -q "^$1:" "{REPOSITORY}/Makefile"; }}
"""


@dataclass(frozen=True)
class Block:
    """A fenced block; `reason` is None if it is to run."""

    kind: str
    title: str | None
    code: str
    reason: str | None


def text_of(page: str) -> str:
    return (REPOSITORY / page).read_text(encoding="utf8")


def blocks_of(page: str) -> list[Block]:
    pattern = r"(?:^<!-- not run:([^\n]*)-->\n)?^```(\w*)(?: title=\"([^\n]+)\")?\n(.*?)^```$"
    found = re.findall(pattern, text_of(page), re.DOTALL | re.MULTILINE)
    return [
        Block(kind, title or None, code, reason.strip() if reason else None)
        for reason, kind, title, code in found
    ]


RUNNING = [page for page in PAGES if any(block.kind in RUN for block in blocks_of(page))]


# What a reader has


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a treebank, raw text, and stand-ins for packages that may not be installed."""
    folder = tmp_path_factory.mktemp("reader")
    for part in ("train", "dev"):
        bundled = text_of(f"corpus/en-{part}.conllu")
        lines = [with_features_and_lemma(line) for line in bundled.splitlines()]
        (folder / f"en_ewt-ud-{part}.conllu").write_text("\n".join([*lines, ""]), encoding="utf8")
    (folder / "words.tsv").write_text("I\tPRP\nlike\tVBP\nham\tNN\n\nEat\tVB\nit\tPRP\n")
    (folder / "raw.txt").write_text("The child drew a horse.\nNobody opened that letter.\n" * 5)
    with gzip.open(folder / "raw.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"text": f"Nobody drew {n} horses."}) + "\n" for n in range(20))
    # spaCy loads a package of a name, or else the directory of that name
    (shipped,) = (REPOSITORY / "models" / "en_ewt_lstm" / "en_ewt_lstm").glob("en_ewt_lstm-*")
    shutil.copytree(shipped, folder / "en_ewt_lstm")
    stock = spacy.blank("en")
    stock.add_pipe("tagger").add_label("X")
    stock.add_pipe("attribute_ruler")
    stock.initialize()
    stock.to_disk(folder / "en_core_web_sm")
    return folder


def with_features_and_lemma(line: str) -> str:
    """Return a line of CoNLL-U with what the treebank has, and the bundled corpus has not."""
    if "\t" not in line:
        return line
    columns = line.split("\t")
    columns[2] = columns[1].lower()
    columns[5] = {"NN": "Number=Sing", "NNS": "Number=Plur"}.get(columns[4], "_")
    return "\t".join(columns)


@pytest.fixture(scope="module")
def after_tutorial(reader: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a reader who has followed the tutorial: a recipe, data, a trained pipeline."""
    folder = tmp_path_factory.mktemp("after") / "tutorial"
    shutil.copytree(reader, folder)
    convert = "python -m spacy convert en_ewt-ud-{0}.conllu corpus --converter conllu -n 1\n"
    code = "python -m spacy lstm-tagger init-config default --lang en --output default.cfg\n"
    code += "mkdir corpus\n" + convert.format("train") + convert.format("dev")
    code += "cp corpus/en_ewt-ud-train.spacy train.spacy\ncp corpus/en_ewt-ud-dev.spacy dev.spacy\n"
    run_bash(code, folder)
    train_in(folder, folder / "default.cfg", "training", {"training.max_steps": 20})
    shutil.copytree(folder / "training" / "model-best", folder / "en_ewt")  # once it is installed
    return folder


# Running a page


def environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"}


def run_bash(code: str, folder: Path) -> None:
    command = ["bash", "-euo", "pipefail", "-c", PRELUDE + code]
    options: Any = {"cwd": folder, "env": environment(), "capture_output": True, "text": True}
    result = subprocess.run(command, check=False, **options)
    assert result.returncode == 0, f"{code}\n{result.stdout}\n{result.stderr}"


def train_in(folder: Path, config: Path, output: str, settings: dict[str, Any]) -> None:
    corpus = folder / "corpus"
    paths = {f"paths.{part}": str(corpus / f"en_ewt-ud-{part}.spacy") for part in ("train", "dev")}
    train(config, folder / output, overrides={**SHORT, **paths, **settings})


def paste(config: str, block: str) -> str:
    """Paste a block into a config, as its reader would.

    Values replace those of the same name in a section that is there, or all of the section, what is
    below it included, if another function reads them; a new section takes the place of a null in
    its parent.
    """
    pattern = re.compile(r"^\[([^\]]+)\]\n(.*?)(?=^\[|\Z)", re.DOTALL | re.MULTILINE)
    sections = {name: values.strip().splitlines() for name, values in pattern.findall(config)}
    for name, values in pattern.findall(block):
        parent, _, key = name.rpartition(".")
        if parent in sections:
            sections[parent] = [line for line in sections[parent] if line != f"{key} = null"]
        new = values.strip().splitlines()
        functions = [line for line in new if line.startswith("@")]
        if any(line.startswith("@") and line not in functions for line in sections.get(name, [])):
            below = [other for other in sections if other.startswith(f"{name}.")]
            for other in (name, *below):
                del sections[other]
        keys = {line.split(" = ")[0] for line in new}
        kept = [line for line in sections.get(name, []) if line.split(" = ")[0] not in keys]
        sections[name] = [*new, *kept]
    return "\n\n".join("\n".join([f"[{name}]", *lines]) for name, lines in sections.items())


def run_page(page: str, folder: Path) -> dict[str, Any]:
    """Run a page in the working directory, its folder, and return its Python session's names."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, block in enumerate(blocks_of(page)):
        if block.title:
            (folder / block.title).write_text(block.code, encoding="utf8")
        if block.reason is not None or block.kind in SHOWN:
            continue
        if block.kind == "bash":
            run_bash(block.code, folder)
        elif block.kind == "python":
            exec(compile(block.code, f"{page}, block {number + 1}", "exec"), names)
        else:
            pasted = folder / f"pasted{number}.cfg"
            default = (folder / "default.cfg").read_text(encoding="utf8")
            config = Config().from_str(paste(default, block.code), interpolate=False)
            config.to_disk(pasted, interpolate=False)
            train_in(folder, pasted, pasted.stem, {})
    return names


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="bash may be that of another system on Windows")
@pytest.mark.parametrize("page", RUNNING)
def test_page_runs_as_printed(page, request, tmp_path, monkeypatch, capsys) -> None:
    start = "reader" if page in BEFORE_THE_TUTORIAL else "after_tutorial"
    folder = tmp_path / "page"
    shutil.copytree(request.getfixturevalue(start), folder)
    monkeypatch.chdir(folder)
    names = run_page(page, folder)
    check_pip_arguments(folder)
    if page in AFTERWARDS:
        AFTERWARDS[page](names, folder, capsys.readouterr().out)


def check_pip_arguments(folder: Path) -> None:
    """Check that each path that pip would have installed exists, and that each name is ours."""
    path = folder / "pip_arguments"
    names = optional_dependencies()["dev"]
    for argument in path.read_text().splitlines() if path.exists() else []:
        if argument == "install" or argument.startswith("--"):
            continue
        if "/" in argument or argument.startswith("."):
            place = argument.partition("[")[0]
            assert (folder / place).exists() or (REPOSITORY / place).exists(), argument
        else:
            assert argument in names, f"{argument}: not tried, as it is not in the extra [dev]"


# What has to be there afterwards


def files(*paths: str) -> Callable[..., None]:
    """Return a check that a page left these files."""

    def check(names: dict[str, Any], folder: Path, printed: str) -> None:
        for path in paths:
            assert (folder / path).exists(), path

    return check


def learned_and_printed(names: dict[str, Any], folder: Path, printed: str) -> None:
    assert [token.tag_ for token in names["doc"]] == ["N", "V", "J", "N"]
    assert "('I', 'N')" in printed


def annotated(names: dict[str, Any], folder: Path, printed: str) -> None:
    assert "photos NNS NOUN photo Number=Plur" in printed
    files("english", "exported", "student/model-last", "tagged")(names, folder, printed)


def probable(names: dict[str, Any], folder: Path, printed: str) -> None:
    doc = names["doc"]
    assert doc._.tag_probabilities.shape == (4, len(doc._.tag_labels))
    (tag, best), *_ = doc[1]._.tag_candidates
    assert (tag, best) == ("VBP", doc[1]._.tag_probability)
    assert 0.9 <= best < 1
    assert isinstance(json.loads((folder / "tasks.json").read_text()), list)
    files("with_all/model-last", "calibrated", "tasks.jsonl", "labels.xml")(names, folder, printed)


def surer(names: dict[str, Any], folder: Path, printed: str) -> None:
    (text, tags), *_ = names["data"]
    sure = []
    for path in ("training/model-best", "fine-tuned"):
        tagger = (nlp := spacy.load(folder / path)).get_pipe("lstm_tagger")
        known = [(i, tagger.labels.index(tag)) for i, tag in enumerate(tags)]
        (rows,) = tagger.predict_probabilities(nlp.make_doc(text))
        sure.append(sum(rows[i, column] for i, column in known))
    assert sure[1] > sure[0]


def handled(names: dict[str, Any], folder: Path, printed: str) -> None:
    answer = names["handler"]({"text": "She sold the old cars."}, None)
    assert json.loads(json.dumps(answer))[1] == {"word": "sold", "tag": "VBD", "lemma": "sell"}


def served(names: dict[str, Any], folder: Path, printed: str) -> None:
    """Ask the printed application, in a server of its own, from four threads."""
    texts = [f"{who} sold {n} old cars." for who in ("She", "Nobody") for n in range(20)]
    expected = [[token.tag_ for token in names["nlp"](text)] for text in texts]
    with server("app:app", folder) as address, ThreadPoolExecutor(4) as threads:
        for found, tags in zip(threads.map(ask(f"{address}/tag"), texts), expected, strict=True):
            assert [token["tag"] for token in found] == tags


def ask(url: str) -> Callable[[str], list[dict[str, str]]]:
    """Return a function that sends a text and returns the answer."""

    def send(text: str) -> list[dict[str, str]]:
        body = json.dumps({"text": text}).encode()
        with urlopen(
            Request(url, body, {"Content-Type": "application/json"}), timeout=60
        ) as answer:
            return json.load(answer)

    return send


@contextmanager
def server(application: str, folder: Path) -> Iterator[str]:
    """Serve an application on a free port, and stop at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", application, "--port", str(port)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=log, stderr=log)
    try:
        end = time.monotonic() + 120
        while True:
            try:
                urlopen(f"http://127.0.0.1:{port}/openapi.json", timeout=10).close()
                break
            except URLError:
                assert process.poll() is None and time.monotonic() < end, (
                    folder / "log"
                ).read_text()
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)


AFTERWARDS: dict[str, Callable[[dict[str, Any], Path, str], None]] = {
    "README.md": annotated,
    "docs/index.md": learned_and_printed,
    "docs/tutorial.md": files("training/model-best", "corpus/words.spacy", "train.spacy"),
    "docs/outputs.md": probable,
    "docs/report.md": files("report.html", "training/curves.svg", "training/curves.csv"),
    "docs/performance.md": files("exported"),
    "docs/distillation.md": files("taught.spacy", "student/model-last"),
    "docs/recipes/fine_tune.md": surer,
    "docs/recipes/other_pipelines.md": files("combined", "english"),
    "docs/recipes/few_sentences.md": files("small/model-last"),
    "docs/recipes/other_languages.md": files("turkish.cfg", "korean.cfg", "other.cfg"),
    "docs/recipes/serve.md": served,
    "docs/recipes/aws_lambda.md": handled,
}
"""What is checked when a page has run."""


# What the pages name


def optional_dependencies() -> dict[str, list[str]]:
    """Names that each extra installs."""
    extras = tomllib.loads(text_of("pyproject.toml"))["project"]["optional-dependencies"]
    return {
        extra: [re.split(r"[\[<>=]", each)[0] for each in lines] for extra, lines in extras.items()
    }


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    blocks = [block for page in PAGES for block in blocks_of(page)]
    pages = "\n".join(map(text_of, PAGES))
    assert pages.count("```") == 2 * len(blocks)
    assert {block.kind for block in blocks} <= {*RUN, *SHOWN}
    left_out = [block for block in blocks if block.reason is not None]
    assert pages.count("<!-- not run:") == len(left_out) <= MOST_NOT_RUN
    assert all(block.reason and block.kind in RUN for block in left_out)


def test_every_extra_that_is_named_exists() -> None:
    pages = "\n".join(map(text_of, [*PAGES, *OTHERS]))
    named = re.findall(r"pip\s+install [^`\n]*?\[([\w,]+)\]", pages)
    named += re.findall(r"`\[(\w+)\]`", text_of("docs/index.md") + text_of("README.md"))
    extras = {extra for group in named for extra in group.split(",")}
    assert {"onnx", "report"} <= extras
    assert extras - set(optional_dependencies()) == set()


def test_readme_is_short() -> None:
    assert len(text_of("README.md").splitlines()) <= 130


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING.md"])
def test_lines_are_of_readable_length(page) -> None:
    prose = re.sub(r"^```.*?^```$|^\|.*?$", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    assert [line for line in prose.splitlines() if len(line) > 120] == []


def test_every_setting_is_explained_with_its_default() -> None:
    settings = text_of("docs/settings.md")
    for name, value in DEFAULT_MODEL.items():
        if name in ("@architectures", "mixed_precision", "grad_scaler"):
            assert name == "@architectures" or f"`{name}`" in settings
            continue
        shown = {True: "true", False: "false", None: "null"}.get(value, value)
        shown = f'"{value}"' if isinstance(value, str) else str(shown)
        assert f"| `{name}` | `{shown}` |" in settings, name


def test_every_setting_of_the_component_is_explained() -> None:
    spacy.blank("en").add_pipe("lstm_tagger")
    defaults = spacy.blank("en").get_factory_meta("lstm_tagger").default_config
    for name in defaults:
        assert f"| `{name}` |" in text_of("docs/settings.md"), name


def test_every_recipe_is_named() -> None:
    for config in (REPOSITORY / "configs").glob("*.cfg"):
        assert f"`configs/{config.name}`" in text_of("docs/tutorial.md"), config.name


def test_every_make_target_that_is_named_exists() -> None:
    pages = "\n".join(map(text_of, [*PAGES, *OTHERS]))
    named = set(re.findall(r"`make ([a-z-]+)`", pages))
    assert {"demo", "test", "docs"} <= named
    assert named <= set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))


def test_pictures_are_small() -> None:
    pictures = list((REPOSITORY / "docs").glob("*.png"))
    assert len(pictures) == 2
    for picture in pictures:
        assert picture.stat().st_size < 200_000, picture


@pytest.mark.parametrize("page", ["README.md", *OTHERS])
def test_links_between_files_lead_somewhere(page) -> None:
    """Those of docs/ are checked by `make docs`."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if not target.startswith("https://"):
            path, _, anchor = target.partition("#")
            linked = (REPOSITORY / page).parent / path
            assert linked.exists(), target
            assert not anchor or anchor in anchors(linked.read_text(encoding="utf8")), target


def anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [*PAGES, *OTHERS])
def test_links_name_files_that_are_there(page) -> None:
    for link in re.findall(
        r"\]\(([^)\s#:]+)[)#]|^\[[^]]+\]: ([^\s#:]+)(?:#|$)", text_of(page), re.M
    ):
        path = (REPOSITORY / page).parent / "".join(link)
        assert path.exists(), path


def test_citation_is_of_this_version() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    citation = text_of("CITATION.cff")
    for line in (f"version: {project['version']}", f"license: {project['license']}"):
        assert f"\n{line}\n" in citation
    assert f"  - name: {project['authors'][0]['name']}\n" in citation

"""The spaCy project that trains on real treebanks, with a few sentences in their place."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from weasel.util.config import load_project_config

REPOSITORY = Path(__file__).parent.parent
RELEASE = "https://raw.githubusercontent.com/UniversalDependencies/{repository}/r2.16/{name}"
REPOSITORIES = {
    "en_ewt": "UD_English-EWT",
    "tr_imst": "UD_Turkish-IMST",
    "pt_bosque": "UD_Portuguese-Bosque",
    "fr_sequoia": "UD_French-Sequoia",
    "el_gdt": "UD_Greek-GDT",
    "got_proiel": "UD_Gothic-PROIEL",
    "hy_bsut": "UD_Armenian-BSUT",
    "vi_vtb": "UD_Vietnamese-VTB",
    "hu_szeged": "UD_Hungarian-Szeged",
    "ug_udt": "UD_Uyghur-UDT",
    "cs_cltt": "UD_Czech-CLTT",
    "ta_ttb": "UD_Tamil-TTB",
    "mr_ufal": "UD_Marathi-UFAL",
}
SPLITS = ("train", "dev", "test")


def run_project(command: str, directory: Path, *args: object, fails: bool = False) -> str:
    """Run `python -m spacy project run ...` and return what it printed.

    fails: whether a non-zero exit code is what is expected.
    """
    parts = [sys.executable, "-m", "spacy", "project", "run", command, directory, *args]
    result = subprocess.run(
        [str(part) for part in parts],
        cwd=directory,
        env={**os.environ, "OMP_NUM_THREADS": "1", "ANSI_COLORS_DISABLED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf8",
    )
    if (result.returncode != 0) is not fails:
        pytest.fail(f"{command} exited {result.returncode}:\n{result.stdout}")
    return result.stdout


def sentences(name: str, first: int, last: int) -> str:
    """Some sentences of a bundled corpus, as CoNLL-U."""
    text = (REPOSITORY / "corpus" / f"{name}.conllu").read_text(encoding="utf8")
    return "\n\n".join(text.split("\n\n")[first:last]) + "\n\n"


def copy_project(directory: Path) -> Path:
    """Copy what the project needs of the repository."""
    shutil.copy(REPOSITORY / "project.yml", directory)
    shutil.copytree(REPOSITORY / "configs", directory / "configs")
    return directory


def interpolated(directory: Path, **variables: Any) -> dict[str, Any]:
    """The project file with its variables filled in."""
    overrides = {f"vars.{name}": value for name, value in variables.items()}
    return load_project_config(directory, overrides=overrides)


@pytest.fixture(scope="module")
def treebank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with files named as in the treebank, with a space in its own name."""
    directory = tmp_path_factory.mktemp("a treebank")
    (directory / "en_ewt-ud-train.conllu").write_text(sentences("en-train", 0, 60), "utf8")
    (directory / "en_ewt-ud-dev.conllu").write_text(sentences("en-dev", 0, 10), "utf8")
    return directory


@pytest.fixture(scope="module")
def variables(treebank: Path) -> list[object]:
    """Options for a short run without a network."""
    return [
        *("--vars.data", treebank),
        *("--vars.config", "configs/demo.cfg"),
        *("--vars.train_options", " --training.max_steps 4 --training.eval_frequency 2"),
        *("--vars.build", "none"),
    ]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, variables: list[object]) -> Path:
    """A project whose commands have all been run."""
    directory = copy_project(tmp_path_factory.mktemp("project"))
    run_project("all", directory, *variables)
    return directory


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of which nothing has been run."""
    return copy_project(tmp_path)


def test_convert_writes_both_splits(finished: Path) -> None:
    corpus = finished / "training" / "en_ewt" / "corpus"
    assert sorted(path.name for path in corpus.iterdir()) == [
        "en_ewt-ud-dev.spacy",
        "en_ewt-ud-train.spacy",
    ]


def test_train_writes_a_pipeline(finished: Path) -> None:
    nlp = spacy.load(finished / "training" / "en_ewt" / "model-best")
    assert (nlp.lang, nlp.pipe_names) == ("en", ["lstm_tagger"])


def test_evaluate_writes_the_accuracy(finished: Path) -> None:
    metrics = srsly.read_json(finished / "metrics" / "en_ewt-dev.json")
    assert 0.0 <= metrics["tag_acc"] <= 1.0
    assert metrics["token_acc"] == 1.0


def test_package_writes_a_package_that_requires_ours(finished: Path) -> None:
    meta = srsly.read_json(finished / "packages" / "en_ewt_lstm-0.1.0" / "meta.json")
    assert any(each.startswith("spacy-lstm-tagger[train]>=") for each in meta["requirements"])


def test_workflow_does_not_repeat_what_is_done(finished: Path, variables: list[object]) -> None:
    output = run_project("all", finished, *variables)
    steps = ["convert", "train", "evaluate", "package"]
    assert [line for line in output.splitlines() if "Skipping" in line] == [
        f"ℹ Skipping '{step}': nothing changed" for step in steps
    ]


def test_evaluate_reads_the_test_split_where_told(project: Path) -> None:
    commands = {each["name"]: each for each in interpolated(project, split="test")["commands"]}
    evaluate = commands["evaluate"]
    assert evaluate["deps"][0] == "assets/en_ewt-ud-test.conllu"
    assert evaluate["outputs"] == ["metrics/en_ewt-test.json"]
    assert "en_ewt-ud-dev" not in " ".join(evaluate["script"])


def test_a_missing_treebank_is_an_error(project: Path) -> None:
    output = run_project("convert", project, fails=True)
    assert "Missing dependency specified by command 'convert'" in output
    assert "assets/en_ewt-ud-train.conllu" in output.replace("\n", "")


def test_variables_choose_the_other_treebank(project: Path) -> None:
    config = interpolated(project, treebank="tr_imst", lang="tr", data="elsewhere")
    commands = {command["name"]: command for command in config["commands"]}
    assert commands["convert"]["deps"] == [
        "elsewhere/tr_imst-ud-train.conllu",
        "elsewhere/tr_imst-ud-dev.conllu",
    ]
    assert "--nlp.lang tr " in commands["train"]["script"][0]
    assert "--name tr_imst_lstm " in commands["package"]["script"][0]


def test_all_four_outputs_can_be_asked_for(project: Path) -> None:
    def train(config: dict[str, Any]) -> str:
        return next(each["script"][0] for each in config["commands"] if each["name"] == "train")

    assert "--components.lstm_tagger.outputs '[\"tag\"]' " in train(interpolated(project))
    joint = train(interpolated(project, outputs=["tag", "pos", "morph", "lemma"]))
    assert """.outputs '["tag", "pos", "morph", "lemma"]' """ in joint


def test_contractions_can_be_merged(project: Path) -> None:
    config = interpolated(project, convert_options=" --merge-subtokens")
    scripts = [line for command in config["commands"] for line in command["script"]]
    converting = [line for line in scripts if " spacy convert " in line]
    assert len(converting) == 3
    assert all(line.endswith("--n-sents 1 --merge-subtokens") for line in converting)


def test_default_is_the_recommended_config_on_downloaded_files(project: Path) -> None:
    commands = {command["name"]: command for command in interpolated(project)["commands"]}
    assert commands["train"]["deps"][0] == "configs/default.cfg"
    assert commands["evaluate"]["deps"][0] == "assets/en_ewt-ud-dev.conllu"


def test_assets_are_those_of_the_release(project: Path) -> None:
    assets = {asset["dest"]: asset["url"] for asset in interpolated(project)["assets"]}
    expected = {}
    for treebank, repository in REPOSITORIES.items():
        for split in SPLITS:
            name = f"{treebank}-ud-{split}.conllu"
            expected[f"assets/{name}"] = RELEASE.format(repository=repository, name=name)
    assert assets == expected


def test_two_treebanks_are_downloaded_unless_all_are_asked_for(project: Path) -> None:
    assets = interpolated(project)["assets"]
    first = {asset["dest"] for asset in assets if not asset.get("extra")}
    names = [f"{name}-ud-{split}.conllu" for name in ("en_ewt", "tr_imst") for split in SPLITS]
    assert first == {f"assets/{name}" for name in names}


def test_downloads_are_where_the_commands_look(project: Path) -> None:
    downloaded = {asset["dest"] for asset in interpolated(project)["assets"]}
    for treebank in REPOSITORIES:
        for split in SPLITS:
            config = interpolated(project, treebank=treebank, split=split)
            read = {dep for command in config["commands"] for dep in command["deps"]}
            assert {dep for dep in read if dep.endswith(".conllu")} <= downloaded


@pytest.mark.parametrize("treebank", REPOSITORIES)
@pytest.mark.parametrize("split", ["train", "dev"])
def test_checksums_are_those_of_the_files(
    treebank: str, split: str, project: Path, treebank_directory: Path
) -> None:
    name = f"{treebank}-ud-{split}.conllu"
    if not (treebank_directory / name).is_file():
        pytest.skip(f"no {name} in {treebank_directory} (SPACY_LSTM_TAGGER_DATA)")
    checksums = {asset["dest"]: asset.get("checksum") for asset in interpolated(project)["assets"]}
    digest = hashlib.md5((treebank_directory / name).read_bytes()).hexdigest()
    assert checksums[f"assets/{name}"] == digest

"""The README tells the truth."""

import re
from pathlib import Path

import spacy
from thinc.api import Config

from spacy_lstm_tagger.pipeline.factories import DEFAULT_MODEL

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf8")


def block(language: str, after: str) -> str:
    """Return the first code block of a language behind a heading."""
    found = re.search(f"```{language}\n(.*?)```", README[README.index(after) :], re.DOTALL)
    assert found
    return found.group(1)


def test_ten_lines_of_python_run_and_learn(capsys) -> None:
    code = block("python", "## Ten lines of Python")
    namespace: dict = {}
    exec(compile(code, "README.md", "exec"), namespace)
    assert [token.tag_ for token in namespace["doc"]] == ["N", "V", "J", "N"]
    assert "('I', 'N')" in capsys.readouterr().out


def test_fine_tuning_runs_and_learns(make_nlp, tmp_path, monkeypatch) -> None:
    data = [("Brunchin at Joe's rn", {"tags": ["VBG", "IN", "NNP", "POS", "RB"]})]
    nlp = make_nlp(data)
    (tmp_path / "training").mkdir()
    nlp.to_disk(tmp_path / "training" / "model-best")
    monkeypatch.chdir(tmp_path)
    exec(compile(block("python", "## Fine-tune it"), "README.md", "exec"), {})
    before, after = nlp, spacy.load("fine-tuned")
    doc = nlp.make_doc(data[0][0])
    gold = [before.get_pipe("lstm_tagger").labels.index(tag) for tag in data[0][1]["tags"]]
    sure = [
        pipeline.get_pipe("lstm_tagger").predict_probabilities(doc)[0][range(5), gold].mean()
        for pipeline in (before, after)
    ]
    assert sure[1] > sure[0]


def test_every_setting_is_explained_with_its_default() -> None:
    settings = README[README.index("## Settings") :]
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
        assert f"| `{name}` |" in README, name


def test_vocabulary_block_is_a_config_of_the_right_section() -> None:
    config = Config().from_str("[initialize]\n" + block("ini", "**Vocabulary.**"))
    for reader in config["initialize"]["components"]["lstm_tagger"].values():
        assert reader["@readers"] == "spacy.read_labels.v1"


def test_logger_block_is_a_config_of_its_section() -> None:
    logger = Config().from_str("[training]\n" + block("ini", "**Training curves.**"))["training"]
    assert callable(spacy.registry.resolve(logger)["logger"])


def test_pictures_are_there_and_small() -> None:
    pictures = re.findall(r"\((docs/[^)]*\.png)\)", README)
    assert len(pictures) == 2
    for picture in pictures:
        assert 0 < (REPOSITORY / picture).stat().st_size < 200_000, picture


def test_every_config_and_make_target_is_named() -> None:
    for config in (REPOSITORY / "configs").glob("*.cfg"):
        assert f"configs/{config.name}" in README, config.name
    for target in ("demo", "test"):
        assert f"make {target}" in README
        assert f"\n{target}:" in (REPOSITORY / "Makefile").read_text(encoding="utf8")

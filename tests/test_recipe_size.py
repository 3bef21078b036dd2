"""`init-config --train`: what of a recipe follows from the size of the training data."""

import copy

import pytest
from spacy.tokens import Doc, DocBin
from spacy.util import load_config
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_lstm_tagger.cli import lstm_tagger_cli
from spacy_lstm_tagger.cli.recipe_size import SMALL, fit_to_size
from spacy_lstm_tagger.files.recipes import recipes


def read(name: str) -> dict:
    return load_config(recipes()[name], interpolate=False)


def steps_of(config: dict) -> int:
    training = config["training"]
    steps = training["max_steps"]
    assert training["optimizer"]["learn_rate"]["schedule"]["total_steps"] == steps
    assert 1 <= training["optimizer"]["learn_rate"]["schedule"]["warmup_steps"] < steps
    assert 1 <= training["eval_frequency"] <= steps // 2
    return steps


@pytest.mark.parametrize("name", ["default", "fast", "vectors"])
def test_less_data_is_trained_on_for_fewer_steps_of_smaller_batches(name: str) -> None:
    sizes = []
    for n_words in (2_000, 10_000, 30_000, SMALL):
        config = read(name)
        said = fit_to_size(config, name, n_words)
        sizes.append((steps_of(config), config["training"]["batcher"]["size"]))
        assert bool(said) == (n_words < SMALL)
        if said:
            assert f"{n_words:,} words" in said
            assert f"{sizes[-1][0]:,} steps of {sizes[-1][1]:,} words" in said
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == len(sizes)
    recipe = read(name)["training"]
    assert sizes[-1] == (recipe["max_steps"], recipe["batcher"]["size"])


@pytest.mark.parametrize("name", ["demo", "shared_tok2vec", "textbook", "student", "fast_student"])
def test_recipes_that_are_not_for_treebanks_of_any_size_stay_as_they_are(name: str) -> None:
    config = read(name)
    before = copy.deepcopy(config)
    assert fit_to_size(config, name, 2_000) == ""
    assert config == before


def test_nothing_else_changes() -> None:
    config, recipe = read("default"), read("default")
    fit_to_size(config, "default", 2_000)
    assert config["components"]["lstm_tagger"]["model"].pop("min_word_freq") == 1
    assert recipe["components"]["lstm_tagger"]["model"].pop("min_word_freq") == 2
    for training in (config["training"], recipe["training"]):
        for key in ("max_steps", "eval_frequency"):
            del training[key]
        del training["batcher"]["size"]
        for key in ("total_steps", "warmup_steps", "initial_rate"):
            del training["optimizer"]["learn_rate"]["schedule"][key]
    assert config == recipe


def test_command_fits_the_recipe_to_the_data(tmp_path) -> None:
    doc = Doc(Vocab(), words=["I", "like", "ham"], tags=["PRP", "VBP", "NN"])
    DocBin(docs=[doc]).to_disk(tmp_path / "train.spacy")
    command = ["init-config", "default", "--train", str(tmp_path / "train.spacy")]
    done = CliRunner().invoke(lstm_tagger_cli, [*command, "-o", str(tmp_path / "default.cfg")])
    assert done.exit_code == 0, done.output
    assert "3 words are little training data: 600 steps of 230 words" in done.output
    assert steps_of(load_config(tmp_path / "default.cfg", interpolate=False)) == 600

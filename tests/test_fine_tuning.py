"""A user's first fine-tuning learns: at the rates of our recipes, and with a warning at rate 0."""

import warnings
from pathlib import Path

import numpy
import pytest
import spacy
from spacy.util import load_config, load_model_from_config
from thinc.api import Adam, warmup_linear

CONFIGS = Path(__file__).parent.parent / "configs"
RECIPES = sorted(path.name for path in CONFIGS.glob("*.cfg"))


def rates(optimizer, steps: int) -> list[float]:
    found = [optimizer.learn_rate]
    for _ in range(steps - 1):
        optimizer.step_schedules()
        found.append(optimizer.learn_rate)
    return found


@pytest.fixture(params=RECIPES)
def recipe(request):
    """The [training] block of a recipe, and the optimizer that a model trained with it has."""
    overrides = {"paths.taught": "taught.spacy"} if "student" in request.param else {}
    config = load_config(CONFIGS / request.param, overrides=overrides)
    return config["training"], load_model_from_config(config, auto_fill=True).create_optimizer()


def test_recipes_have_a_rate_for_a_resumed_training(recipe) -> None:
    """Only `spacy train` advances schedules: in loops of one's own, the first rate stays."""
    training, optimizer = recipe
    with_schedule = isinstance(training["optimizer"]["learn_rate"], dict)
    assert optimizer.learn_rate == 0.0001 if with_schedule else optimizer.learn_rate > 0


def test_recipes_end_when_their_schedules_do(recipe) -> None:
    training, optimizer = recipe
    rate = training["optimizer"]["learn_rate"]
    if isinstance(rate, dict):
        found = rates(optimizer, training["max_steps"])
        assert max(found) == rate["schedule"]["initial_rate"]
        assert 0 < found[-1] < max(found) / 100


def test_resumed_training_of_a_model_trained_with_a_recipe_learns(
    tmp_path, make_nlp, make_examples, weights_of
) -> None:
    recipe = load_config(CONFIGS / "default.cfg")["training"]["optimizer"]
    nlp = make_nlp(steps=3)
    nlp.config["training"]["optimizer"] = recipe
    nlp.to_disk(tmp_path / "model")
    nlp = spacy.load(tmp_path / "model")
    examples = make_examples(nlp)
    before = weights_of(nlp.get_pipe("lstm_tagger"))["output.weight"]
    losses = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sgd = nlp.resume_training()
        for _ in range(50):
            losses.append(nlp.update(examples, sgd=sgd)["lstm_tagger"])
    assert losses[-1] < losses[0]
    after = weights_of(nlp.get_pipe("lstm_tagger"))["output.weight"]
    assert numpy.abs(after - before).max() > 0.001  # 50 updates at 0.0001 go up to 0.005


def test_updates_at_rate_0_are_warned_of_once(make_nlp, make_examples) -> None:
    nlp = make_nlp()
    examples = make_examples(nlp)
    sgd = Adam(warmup_linear(0.01, 10, 100))
    assert sgd.learn_rate == 0
    nlp.update(examples, sgd=sgd)  # as many schedules begin, in `spacy train` as well
    with pytest.warns(UserWarning, match=r"\[lstm_tagger\].*learning rate is 0.*Adam\(0.0001\)"):
        nlp.update(examples, sgd=sgd)
    nlp.update(examples, sgd=sgd)  # a second warning would be an error here


def test_a_warmup_that_is_stepped_is_not_warned_of(make_nlp, make_examples) -> None:
    nlp = make_nlp()
    examples = make_examples(nlp)
    sgd = Adam(warmup_linear(0.01, 10, 100))
    for _ in range(3):
        nlp.update(examples, sgd=sgd)
        sgd.step_schedules()


def test_updates_without_an_optimizer_are_not_warned_of(make_nlp, make_examples) -> None:
    nlp = make_nlp()
    for _ in range(3):
        nlp.update(make_examples(nlp), sgd=False)

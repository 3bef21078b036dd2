"""What of a recipe follows from the size of the training data, if that is small."""

from __future__ import annotations

from typing import Any

FITTED = ("default", "fast", "vectors")
"""Recipes for treebanks of any size with the network that the settings below were chosen with."""

SMALL = 60_000
"""Number of words from which on they are trained as they are: some three thousand sentences."""

LEAST_STEPS = 600
STEPS_A_ROOT = 8.3
"""Steps for each unit of the square root of the number of words."""

LEAST_BATCH = 230
BATCHES_A_PASS = 20

EVALUATIONS = 10
"""How often the dev data is scored in a training."""

RATE = 0.006
"""Peak of the learning rate, twice that of the recipes: there are few steps to learn in."""

WARMUP = 4
"""One of so many steps is before the peak."""


def fit_to_size(config: dict[str, Any], recipe: str, n_words: int) -> str:
    """Change a config in place for small training data: shorter training, an embedding a word.

    recipe: name of the recipe that it was made of.
    n_words: words of the training data. From `SMALL` words on nothing changes.
    Returns what was set, in a sentence; empty if nothing was.
    """
    if recipe not in FITTED or n_words >= SMALL:
        return ""
    training = config["training"]
    batcher, schedule = training["batcher"], training["optimizer"]["learn_rate"]["schedule"]
    steps = max(LEAST_STEPS, round(STEPS_A_ROOT * n_words**0.5 / EVALUATIONS) * EVALUATIONS)
    size = min(batcher["size"], max(LEAST_BATCH, n_words // BATCHES_A_PASS))
    said = (
        f"{n_words:,} words are little training data: {steps:,} steps of {size:,} words, where the "
        f"recipe has {training['max_steps']:,} of {batcher['size']:,}, and min_word_freq = 1"
    )
    training["max_steps"] = schedule["total_steps"] = steps
    schedule["warmup_steps"] = steps // WARMUP
    schedule["initial_rate"] = RATE
    training["eval_frequency"] = steps // EVALUATIONS
    batcher["size"] = size
    config["components"]["lstm_tagger"]["model"]["min_word_freq"] = 1
    return said

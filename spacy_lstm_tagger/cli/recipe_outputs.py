"""The option --outputs of `init-config`, and what it writes into a recipe."""

from __future__ import annotations

from thinc.api import Config

from ..outputs import OUTPUTS

ARCHITECTURE = "spacy-lstm-tagger.LSTMTagger.v1"
"""The architecture that can predict more than tags."""


def check_outputs(outputs: str | None) -> list[str]:
    """Return the names of outputs in the option --outputs, in the order of `OUTPUTS`.

    Raises ValueError unless they are known and distinct, and at least one.
    """
    if outputs is None:
        return ["tag"]
    names = [name.strip() for name in outputs.split(",")]
    known = f"it must be one or several of {','.join(OUTPUTS)}, separated by commas"
    if unknown := [name for name in names if name not in OUTPUTS]:
        raise ValueError(
            f"--outputs is '{outputs}', but there is no output '{unknown[0]}': {known}"
        )
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"--outputs is '{outputs}', which has '{twice[0]}' twice: {known}")
    return [name for name in OUTPUTS if name in names]


def set_outputs(config: Config, outputs: list[str], recipe: str) -> None:
    """Write into a config what its lstm_tagger predicts.

    Raises ValueError if the recipe's architecture predicts tags alone.
    """
    for component in config["components"].values():
        if component["factory"] == "lstm_tagger":
            architecture = component["model"]["@architectures"]
            if outputs != ["tag"] and architecture != ARCHITECTURE:
                raise ValueError(
                    f"--outputs is {','.join(outputs)}, but the recipe's architecture "
                    f"{architecture} predicts tags alone: take another recipe than '{recipe}', "
                    "such as default"
                )
            component["outputs"] = outputs

"""A warning about updates that change nothing, because the learning rate is 0."""

from __future__ import annotations

import warnings
from typing import Any

PATIENCE = 2
"""Updates in a row at learning rate 0 that it takes. Schedules with a warmup begin with one."""


class LearnRateWatch:
    """Warns, once, of updates at learning rate 0.

    name: the component's, for the message.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._in_a_row = 0

    def check(self, sgd: Any) -> None:
        """Look at the optimizer of an update. Warns with UserWarning."""
        self._in_a_row = self._in_a_row + 1 if getattr(sgd, "learn_rate", None) == 0 else 0
        if self._in_a_row == PATIENCE:
            warnings.warn(
                f"[{self.name}] The optimizer's learning rate is 0: updates change nothing. Only "
                "`spacy train` advances a schedule, such as warmup_linear, which begins and ends "
                "at 0. To fine-tune, give nlp.update an optimizer with a fixed rate, such as "
                "thinc.api.Adam(0.0001); in `spacy train`, let total_steps be no less than "
                "max_steps.",
                stacklevel=3,
            )

"""The part of the component that learns from batches of examples."""

# Annotations are evaluated, not strings, as in the other modules of components.
from collections.abc import Iterable
from typing import Any, Dict, List, Optional, Tuple

from spacy.errors import Errors
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer

from ..arrays import Floats2d
from ..outputs import columns_of, make_outputs, outputs_of
from ..outputs.gold import GoldCombinations
from ..outputs.output import Output
from ..training.augmenter import is_gold
from ..training.loss import batch_gradient, flatten
from ..training.rehearsal import rehearse_docs
from .arguments import as_examples
from .learn_rate import LearnRateWatch
from .saving import SafelySavedTagger


class LearningTagger(SafelySavedTagger):
    """A tagger that learns the outputs of its model together."""

    def __init__(self, vocab: Vocab, model: Model[Any, Any], name: str, **settings: Any) -> None:
        super().__init__(vocab, model, name, **settings)
        self._outputs: List[Output] = []
        self._learn_rate = LearnRateWatch(name)

    @property
    def outputs(self) -> List[Output]:
        """Outputs of the model in the order of its columns."""
        names = outputs_of(columns_of(self.model))
        if [output.name for output in self._outputs] != names:
            self._outputs = make_outputs(names)
        return self._outputs

    @property
    def gold_attrs(self) -> List[str]:
        """Names of the token attributes whose gold values the outputs learn from."""
        return list(dict.fromkeys(attr for output in self.outputs for attr in output.gold_attrs))

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[Dict[str, float]] = None,
    ) -> Dict[str, float]:
        """Learn from a batch of examples. See spaCy's `Tagger.update`.

        examples (Iterable[Example]): The batch.
        drop (float): The dropout rate.
        sgd (Optional[Optimizer]): The optimizer.
        losses (Optional[Dict[str, float]]): Losses to add to.
        RETURNS (Dict[str, float]): The losses, by component name.
        """
        examples = as_examples(examples, "LSTMTagger.update")
        losses = super().update(examples, drop=drop, sgd=sgd, losses=losses)
        if self.gold_attrs != ["TAG"]:
            gold = GoldCombinations(self.gold_attrs)
            for eg in examples:
                gold.add(eg.reference, added=not is_gold(eg))
            for output in self.outputs:
                output.learn(gold, self.cfg)
        return losses

    def finish_update(self, sgd: Optimizer) -> None:
        """Update the weights with their gradients; warn if the learning rate of `sgd` stays 0."""
        self._learn_rate.check(sgd)
        super().finish_update(sgd)

    def get_loss(
        self, examples: Iterable[Example], scores: List[Floats2d]
    ) -> Tuple[float, List[Floats2d]]:
        """Return the loss of a batch and its gradient with respect to the logits.

        examples (Iterable[Example]): The batch.
        scores (List[Floats2d]): The probabilities of each doc, shape (n_tokens, n_columns): those
            of the labels, then those of the other outputs.
        RETURNS (Tuple[float, List[Floats2d]]): The loss, and gradients of the scores' shapes.
        RAISES ValueError: For a gold value that is not a label.
        """
        examples = as_examples(examples, "LSTMTagger.get_loss")
        ops, columns = self.model.ops, columns_of(self.model)
        together = flatten(ops, scores)
        gradient = batch_gradient(self.outputs, examples, together, columns, self.cfg, self.name)
        loss = float((gradient**2).sum())  # what spaCy's tagger reports, too
        if loss != loss:
            raise ValueError(Errors.E910.format(name=self.name))
        return loss, ops.unflatten(gradient, [len(rows) for rows in scores])

    def rehearse(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[Dict[str, float]] = None,
    ) -> Dict[str, float]:
        """Learn to predict what the model predicted when training was resumed.

        Unlike spaCy's, the teacher predicts without dropout.

        examples (Iterable[Example]): The batch; only its docs are used.
        drop, sgd, losses: As in `update`.
        RETURNS (Dict[str, float]): The losses.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = as_examples(examples, "LSTMTagger.rehearse")
        docs = [eg.predicted for eg in examples]
        if self._rehearsal_model is None or not any(len(doc) for doc in docs):
            return losses
        gradients, backprop = rehearse_docs(self.model, self._rehearsal_model, docs, drop)
        backprop(gradients)
        if sgd not in (None, False):
            self.finish_update(sgd)
        losses[self.name] += sum(float((gradient**2).sum()) for gradient in gradients)
        return losses

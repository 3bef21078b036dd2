"""The pipeline component: spaCy's tagger, with a vocabulary and with labels that can grow."""

# Annotations are evaluated, not strings: spaCy's config system reads them to check settings.
from collections.abc import Iterable
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

from spacy.errors import Errors
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer

from ..arrays import Floats2d
from ..features.extractor import set_vocabulary, vocabulary_of
from ..features.vocabulary import Vocabulary
from ..features.white_space import white_space_tokens
from ..outputs import columns_of, make_outputs, set_columns
from ..outputs.gold import combinations_in
from ..outputs.output import Output
from ..outputs.tag import labels_among
from ..settings import check_label_count, check_share, check_text
from ..training.corpus_checks import check_corpus, check_labels, warn_of_unseen
from ..training.loss import batch_gradient, flatten
from ..training.rehearsal import rehearse_docs
from ..training.survey import survey
from .arguments import as_docs, as_examples, check_predicted
from .kept_probabilities import add_extensions, check_setting, save
from .learn_rate import LearnRateWatch
from .loading import restored_after_errors
from .prediction import Prediction, predict_docs
from .probabilities import tag_probabilities
from .saving import SafelySavedTagger


class LSTMTagger(SafelySavedTagger):
    """Tag words as spaCy's `Tagger` does (https://spacy.io/api/tagger).

    Besides, it
    - collects the vocabulary of the training examples and hands it to the model;
    - takes new labels after training (`add_label`), if the model can grow;
    - reads a gold tag that begins with `neg_prefix` as that tag if it is a label;
    - gives white space the tag `_SP` by rule, and neither reads it nor learns from it;
    - gives probabilities (`predict_probabilities`), and keeps them on docs if asked to;
    - predicts the model's other outputs as well, such as parts of speech (see `outputs`).

    vocab (Vocab): The shared vocabulary.
    model (Model): From docs to one array of scores of shape (n_tokens, n_labels) each.
    name (str): The component's name, also used in the losses.
    overwrite (bool): Whether to replace annotation that a doc already has.
    scorer (Optional[Callable[..., Any]]): The scoring method for tags.
    neg_prefix (Optional[str]): A gold tag of this prefix and a label means "not this label".
        Null or "" for none.
    label_smoothing (float): Share of the gold label's probability that training spreads over
        the other labels, from 0 to less than 1.
    teacher_weight (float): Share, from 0 to 1, of a teacher's probabilities in what a token is to
        learn that has them; the rest is its gold tag. See `python -m spacy lstm-tagger distill`.
    save_probabilities (Union[bool, int]): Whether to keep every tag's probability on the docs
        (`doc._.tag_probabilities`), or of how many of the most probable tags of each token
        (`token._.tag_candidates`).
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[Any, Any],
        name: str = "lstm_tagger",
        *,
        overwrite: bool = False,
        scorer: Optional[Callable[..., Any]] = None,
        neg_prefix: Optional[str] = "!",
        label_smoothing: float = 0.0,
        teacher_weight: float = 1.0,
        save_probabilities: Union[bool, int] = False,
    ) -> None:
        check_share(name, "label_smoothing", label_smoothing, below=True)
        check_share(name, "teacher_weight", teacher_weight)
        check_text(name, "neg_prefix", neg_prefix)
        check_setting(name, save_probabilities)
        super().__init__(
            vocab,
            model,
            name,
            overwrite=overwrite,
            scorer=scorer,
            neg_prefix=neg_prefix,
            label_smoothing=label_smoothing,
        )
        self.cfg["teacher_weight"] = teacher_weight
        self.cfg["save_probabilities"] = save_probabilities
        self._outputs: List[Output] = []
        self._learn_rate = LearnRateWatch(name)
        self.reset_learned()
        add_extensions()

    @property
    def outputs(self) -> List[Output]:
        """Outputs of the model in the order of its columns. The first is the tags."""
        names = list(columns_of(self.model))
        if [output.name for output in self._outputs] != names:
            self._outputs = make_outputs(names)
        return self._outputs

    @property
    def _attrs(self) -> List[str]:
        return [output.attr for output in self.outputs]

    def reset_learned(self) -> None:
        """Reset what training and calibration have put into `cfg`, but for the labels."""
        self.cfg["temperature"] = 1.0
        for output in self.outputs:
            self.cfg.update(output.learned)

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[Iterable[str]] = None,
        vocabulary: Optional[Dict[str, Any]] = None,
    ) -> None:
        """Prepare for training: find the labels and the vocabulary, make fresh weights.

        get_examples (Callable): Returns the training examples; all of them are read.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[Iterable[str]]): The labels, such as `spacy init labels` writes.
        vocabulary (Optional[Dict]): Counts of "words" and "characters", such as
            `python -m spacy lstm-tagger vocab` writes. Needed for streamed corpora, of which
            spaCy shows only the first 100 examples.
        RAISES ValueError: If there are no labels, examples or words to learn from, or no gold
            values of another output of the model; or if the vocabulary was counted for a language
            with other rules of casing.
        """
        found = survey(get_examples, self._attrs, "LSTMTagger.initialize", self.vocab.lang)
        check_corpus(found, self.outputs, nlp, self.name, overwrite=self.cfg["overwrite"])
        with restored_after_errors(self):
            if vocabulary_of(self.model) is not None:
                known = found.vocabulary
                if vocabulary is not None:
                    known = Vocabulary.from_dict(vocabulary).for_language(self.vocab.lang)
                set_vocabulary(self.model, known)
            if labels is None:
                labels = labels_among(found.gold, self.cfg["neg_prefix"])
            for label in labels:
                self.add_label(label)
            check_labels(found, self.labels, self.name)
            self.reset_learned()
            for output in self.outputs:
                output.initialize(found.gold, self.cfg, self.name)
            check_label_count(self.name, self.model.maybe_get_dim("nO"), len(self.labels))
            set_columns(self.model, {o.name: len(o.labels(self.cfg)) for o in self.outputs})
            super().initialize(lambda: found.sample, nlp=nlp, labels=[])
        self._rehearsal_model = None  # it belongs to the weights of before

    def add_label(self, label: str) -> int:
        """Add a label, also to a trained model: the scores of its labels stay as they are.

        label (str): The label to add.
        RETURNS (int): 0 if the label is already present, otherwise 1.
        """
        added = super().add_label(label)
        if added and self.is_resizable:
            self.set_output(len(self.labels))
        return added

    def predict_probabilities(self, docs: Union[Doc, Iterable[Doc]]) -> List[Floats2d]:
        """Return the probability of every label for every token, without modifying the docs.

        docs (Union[Doc, Iterable[Doc]]): The docs, or one.
        RETURNS (List[Floats2d]): One array of shape (n_tokens, n_labels) for each doc, columns
            in the order of `labels`. Rows sum to 1; those of white space are zeros.
        RAISES TypeError: For anything but docs, such as texts.
        """
        return tag_probabilities(self, as_docs(docs, "LSTMTagger.predict_probabilities"))

    def predict(self, docs: Union[Doc, Iterable[Doc]]) -> Prediction:
        """Find the tags of docs, and the other outputs, without modifying them.

        docs (Union[Doc, Iterable[Doc]]): The docs, or one.
        RETURNS (Prediction): The tags' columns, one array of shape (n_tokens,) for each doc; those
            of the other outputs; and probabilities if `save_probabilities` asks for them.
        RAISES TypeError: For anything but docs, such as texts.
        """
        docs, kept = as_docs(docs, "LSTMTagger.predict"), self.cfg["save_probabilities"]
        check_setting(self.name, kept)
        return predict_docs(self, self.outputs, docs, with_probabilities=bool(kept))

    def set_annotations(self, docs: Union[Doc, Iterable[Doc]], batch_tag_ids: List[Any]) -> None:
        """Set the tags and other annotation of docs, and keep probabilities if there are any.

        docs (Union[Doc, Iterable[Doc]]): The docs, or one.
        batch_tag_ids (List): What `predict` returned for them.
        """
        docs = as_docs(docs, "LSTMTagger.set_annotations")
        check_predicted(docs, batch_tag_ids, self.name)
        overwrite = self.cfg["overwrite"]
        space = [t for t in white_space_tokens(docs) if overwrite or not t.tag]
        super().set_annotations(docs, batch_tag_ids)
        for token in space:
            token.tag_ = self.outputs[0].white_space
        if not isinstance(batch_tag_ids, Prediction):
            return
        for output in self.outputs[1:]:
            output.annotate(docs, batch_tag_ids.others[output.name], self.cfg)
        if batch_tag_ids.probabilities is not None:
            save(docs, self.labels, batch_tag_ids.probabilities, self.cfg["save_probabilities"])

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """Score a batch: what the scorer gives, and the scores of the other outputs.

        examples (Iterable[Example]): The batch, annotated.
        RETURNS (Dict[str, Any]): The scores; none without a scorer.
        """
        examples = as_examples(examples, "LSTMTagger.score")
        warn_of_unseen(examples, self.labels, self.cfg["neg_prefix"], self.name)
        scores = dict(super().score(examples, **kwargs))
        if self.scorer is not None:
            for output in self.outputs:
                scores.update(output.score(examples, **kwargs))
        return scores

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
        if others := self.outputs[1:]:
            gold = combinations_in([eg.reference for eg in examples], self._attrs)
            for output in others:
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

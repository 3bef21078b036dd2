"""The pipeline component: spaCy's tagger, with a vocabulary and with labels that can grow."""

# Annotations are evaluated, not strings: spaCy's config system reads them to check settings.
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

from spacy.errors import Errors
from spacy.language import Language
from spacy.pipeline.tagger import Tagger
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example, validate_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate
from thinc.types import Floats2d

from ..features.extractor import needs_vocabulary, set_vocabulary
from ..features.vocabulary import Vocabulary
from ..files.atomic import finish_moving, replaced_whole
from ..outputs.pos import AllowedPos, choose_pos, extended, pos_codes, predicts_pos, set_pos
from ..settings import check_share, check_text
from ..training.loss import add_soft_targets, hard_gradient, rehearsal_gradient, tag_codes
from ..training.soft_targets import soft_targets
from ..training.survey import labels_among, survey
from .kept_probabilities import Guesses, add_extensions, check_setting, save
from .loading import all_or_nothing, check_files, check_loaded, check_message, saved_model
from .probabilities import probabilities_of, score_tokens, tag_probabilities


class LSTMTagger(Tagger):
    """Tag words with their part of speech.

    Does what spaCy's `Tagger` does (https://spacy.io/api/tagger), and
    - collects the vocabulary of the training examples and hands it to the model;
    - takes new labels after training (`add_label`), where the model can grow;
    - reads a gold tag that begins with `neg_prefix` as that tag if it is a label;
    - gives probabilities (`predict_probabilities`), and keeps them on docs if asked to;
    - sets parts of speech (`token.pos`) as well, where the model predicts them (`predict_pos`).

    vocab (Vocab): The shared vocabulary.
    model (Model): From docs to one array of scores of shape (n_tokens, n_labels) each.
    name (str): The component's name, also used in the losses.
    overwrite (bool): Whether to replace tags, and parts of speech, that a doc already has.
    scorer (Optional[Callable]): The scoring method.
    neg_prefix (Optional[str]): A gold tag of this prefix and a label means "not this label".
        Null or "" for none.
    label_smoothing (float): Share of the gold label's probability that training spreads over
        the other labels, from 0 to less than 1.
    teacher_weight (float): Share, from 0 to 1, of a teacher's tag probabilities in what a token
        is to learn that has them; the rest is its gold tag. See `python -m spacy lstm-tagger
        distill`.
    save_probabilities (Union[bool, int]): Whether to keep every tag's probability on the docs
        (`doc._.tag_probabilities`), or of how many of the most probable tags of each token
        (`token._.tag_candidates`).
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "lstm_tagger",
        *,
        overwrite: bool = False,
        scorer: Optional[Callable] = None,
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
        if predicts_pos(model):
            self.cfg["pos_of_tags"] = {}
        self._allowed_pos = AllowedPos()
        add_extensions()

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[Iterable[str]] = None,
        vocabulary: Optional[Dict[str, Dict[str, int]]] = None,
    ) -> None:
        """Prepare for training: find the labels and the vocabulary, make fresh weights.

        get_examples (Callable): Returns the training examples; all of them are read.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[Iterable[str]]): The labels, such as `spacy init labels` writes.
        vocabulary (Optional[Dict]): Counts of "words" and "characters", such as
            `python -m spacy lstm-tagger vocab` writes. Needed for streamed corpora, of which
            spaCy shows only the first 100 examples.
        RAISES ValueError: Where there are no labels, no examples, or no tokens to learn from; or
            no parts of speech, where the model is to predict them.
        """
        found = survey(get_examples, "LSTMTagger.initialize")
        if needs_vocabulary(self.model):
            counts = found.vocabulary if vocabulary is None else Vocabulary.from_dict(vocabulary)
            set_vocabulary(self.model, counts)
        for label in labels_among(found.tags, self.cfg["neg_prefix"]) if labels is None else labels:
            self.add_label(label)
        if predicts_pos(self.model):
            self.cfg["pos_of_tags"] = {}
            if not found.has_pos:
                raise ValueError(
                    f"[{self.name}] The [model] block says predict_pos = true, but no token of the "
                    "training examples has a part of speech. Train on a corpus that has them (in "
                    "CoNLL-U: UPOS), or set predict_pos = false."
                )
        nO = self.model.maybe_get_dim("nO")
        if self.labels and nO not in (None, len(self.labels)):
            raise ValueError(
                f"[{self.name}] The [model] block says nO = {nO}, but there are "
                f"{len(self.labels)} labels. Set nO = null: it is taken from the labels."
            )
        super().initialize(lambda: found.sample, nlp=nlp, labels=[])

    def add_label(self, label: str) -> int:
        """Add a label, also to a trained model: the scores of its labels stay as they are.

        label (str): The label to add.
        RETURNS (int): 0 if the label is already present, otherwise 1.
        """
        added = super().add_label(label)
        if added and self.is_resizable and len(self.labels) > (self.model.maybe_get_dim("nO") or 0):
            self.set_output(len(self.labels))
        return added

    def predict_probabilities(self, docs: Iterable[Doc]) -> List[Floats2d]:
        """The probability of every label for every token, without modifying the docs.

        docs (Iterable[Doc]): The docs.
        RETURNS (List[Floats2d]): One array of shape (n_tokens, n_labels) for each doc, columns
            in the order of `labels`, rows summing to 1.
        """
        return tag_probabilities(self, list(docs))

    def predict(self, docs: Iterable[Doc]) -> List:
        """Find the tags of docs, without modifying them.

        docs (Iterable[Doc]): The docs.
        RETURNS (List): The tags' indices, one array for each doc; with their probabilities where
            `save_probabilities` asks for them, and with parts of speech where the model has them.
        """
        if not (self.cfg["save_probabilities"] or predicts_pos(self.model)):
            return super().predict(docs)
        scores = score_tokens(self, list(docs))
        to_numpy = self.model.ops.to_numpy
        probabilities = pos = None
        if self.cfg["save_probabilities"]:
            probabilities = [to_numpy(p) for p in probabilities_of(self, scores.tags)]
        tags = self._scores2guesses(probabilities or scores.tags)
        if scores.pos is not None:
            allowed = self._allowed_pos.of(self.labels, self.cfg.get("pos_of_tags", {}))
            pairs = zip(map(to_numpy, scores.pos), tags, strict=True)
            pos = [choose_pos(rows, of_doc, allowed) for rows, of_doc in pairs]
        return Guesses(tags, probabilities, pos)

    def set_annotations(self, docs: Iterable[Doc], batch_tag_ids: List) -> None:
        """Set the tags and parts of speech of docs, and keep probabilities where there are any.

        docs (Iterable[Doc]): The docs.
        batch_tag_ids (List): What `predict` returned for them.
        """
        docs = [docs] if isinstance(docs, Doc) else list(docs)
        super().set_annotations(docs, batch_tag_ids)
        if not isinstance(batch_tag_ids, Guesses):
            return
        if batch_tag_ids.pos is not None:
            set_pos(docs, batch_tag_ids.pos, overwrite=self.cfg["overwrite"])
        if batch_tag_ids.probabilities is not None:
            save(docs, self.labels, batch_tag_ids.probabilities, self.cfg["save_probabilities"])

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """Score a batch: what the scorer gives, and `pos_acc` where parts of speech are predicted.

        examples (Iterable[Example]): The batch, annotated.
        RETURNS (Dict[str, Any]): The scores; none without a scorer.
        """
        examples = list(examples)
        scores = super().score(examples, **kwargs)
        if self.scorer is not None and predicts_pos(self.model):
            scores = {**scores, **Scorer.score_token_attr(examples, "pos", **kwargs)}
        return scores

    def get_loss(
        self, examples: Iterable[Example], scores: List[Floats2d]
    ) -> Tuple[float, List[Floats2d]]:
        """The loss of a batch and its gradient with respect to the logits.

        examples (Iterable[Example]): The batch.
        scores (List[Floats2d]): The label probabilities of each doc, shape (n_tokens, n_labels);
            behind them those of parts of speech, where the model predicts them.
        RETURNS (Tuple[float, List[Floats2d]]): The loss, and gradients of the scores' shapes.
        RAISES ValueError: For a gold tag that is not a label.
        """
        validate_examples(examples, "LSTMTagger.get_loss")
        codes = tag_codes(examples, self.labels, self.cfg["neg_prefix"], self.name)
        ops, smoothing = self.model.ops, self.cfg["label_smoothing"]
        together = ops.flatten(scores)
        probabilities, pos = together[:, : len(self.labels)], together[:, len(self.labels) :]
        gradient = hard_gradient(probabilities, codes, smoothing, ops)
        soft = soft_targets(examples, self.labels)
        add_soft_targets(gradient, probabilities, codes, soft, self.cfg["teacher_weight"])
        if predicts_pos(self.model):
            columns, known = pos_codes(examples), self.cfg.get("pos_of_tags", {})
            self.cfg["pos_of_tags"] = extended(known, self.labels, codes, columns)
            gradient = ops.xp.hstack([gradient, hard_gradient(pos, columns, smoothing, ops)])
        loss = float((gradient**2).sum())  # what spaCy's tagger reports, too
        if loss != loss:
            raise ValueError(Errors.E910.format(name=self.name))
        return loss, ops.unflatten(gradient, [len(doc_scores) for doc_scores in scores])

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
        drop (float): The dropout rate.
        sgd (Optional[Optimizer]): The optimizer.
        losses (Optional[Dict[str, float]]): Losses to add to, by component name.
        RETURNS (Dict[str, float]): The losses.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        validate_examples(examples, "LSTMTagger.rehearse")
        docs = [eg.predicted for eg in examples]
        if self._rehearsal_model is None or not any(len(doc) for doc in docs):
            return losses
        set_dropout_rate(self.model, drop)
        set_dropout_rate(self._rehearsal_model, 0.0)
        scores, backprop = self.model.begin_update(docs)
        wanted, _ = self._rehearsal_model.begin_update(docs)
        pairs, n_tags = zip(scores, wanted, strict=True), len(self.labels)
        gradients = [rehearsal_gradient(found, earlier, n_tags) for found, earlier in pairs]
        backprop(gradients)
        if sgd not in (None, False):
            self.finish_update(sgd)
        losses[self.name] += sum(float((gradient**2).sum()) for gradient in gradients)
        return losses

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "LSTMTagger":
        """Load what `to_bytes` gave; where that fails, everything stays as it was.

        exclude (Iterable[str]): Names of fields to leave out.
        RAISES ValueError: Where the data is damaged or does not fit the settings.
        """
        saved = partial(saved_model, bytes_data)
        return self._load(super().from_bytes, bytes_data, exclude, saved)

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Save to a directory: all files, or after an error or a killed process none."""
        with replaced_whole(Path(path)) as directory:
            super().to_disk(directory, exclude=exclude)

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "LSTMTagger":
        """Load from a directory that `to_disk` wrote; where that fails, everything stays as it was.

        exclude (Iterable[str]): Names of fields to leave out.
        RAISES ValueError: Where a file is missing, damaged or does not fit the settings.
        """
        finish_moving(path := Path(path))
        check_files(self.name, path, {"cfg", "model"} - set(exclude))
        return self._load(super().from_disk, path, exclude, (path / "model").read_bytes)

    def _load(
        self, load: Callable, source: Any, exclude: Iterable[str], saved: Callable[[], bytes]
    ) -> "LSTMTagger":
        with all_or_nothing(self) as before:
            if "model" not in exclude:
                check_message(self.model, saved())
            load(source, exclude=[*exclude, "vocab"])
            check_loaded(self, before)
            load(source, exclude=[*exclude, "cfg", "model"])
            for label in self.labels:  # they are missing where the vocab was not loaded as well
                self.vocab.strings.add(label)
        return self

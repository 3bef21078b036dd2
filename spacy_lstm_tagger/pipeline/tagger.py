"""The pipeline component: spaCy's tagger, with a vocabulary and with labels that can grow."""

# Annotations are evaluated, not strings: spaCy's config system reads them to check settings.
from collections.abc import Iterable
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

import numpy
from spacy.errors import Errors
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.util import to_numpy

from ..arrays import Floats2d
from ..features.extractor import set_vocabulary, vocabulary_of
from ..features.vocabulary import Vocabulary
from ..features.white_space import white_space_rows
from ..outputs import check_model, check_names, check_resizable, columns_for, set_columns
from ..outputs.output import Output
from ..outputs.tag import labels_among
from ..settings import check_label_count, check_share, check_text
from ..training.corpus_checks import check_corpus, check_labels, warn_of_unseen
from ..training.survey import Survey, survey
from .arguments import as_docs, as_examples, check_predicted
from .kept_probabilities import add_extensions, check_setting, save
from .label_data import given_labels, take_given
from .learning import LearningTagger
from .loading import restored_after_errors
from .prediction import Prediction, annotate_docs, predict_docs
from .probabilities import label_probabilities


class LSTMTagger(LearningTagger):
    """Tag words as spaCy's `Tagger` does (https://spacy.io/api/tagger).

    Besides, it
    - collects the vocabulary of the training examples and hands it to the model;
    - takes new labels after training (`add_label`), if the model can grow;
    - reads a gold tag that begins with `neg_prefix` as that tag if it is a label;
    - gives white space the tag `_SP` by rule, and neither reads it nor learns from it;
    - gives probabilities (`predict_probabilities`), and keeps them on docs if asked to;
    - predicts parts of speech, morphological features and lemmas as well, or instead (`outputs`).

    vocab (Vocab): The shared vocabulary.
    model (Model): From docs to one array of scores of shape (n_tokens, n_labels) each.
    name (str): The component's name, also used in the losses.
    outputs (List[str]): What to predict, at least one of "tag" (`token.tag`), "pos" (`token.pos`),
        "morph" (`token.morph`) and "lemma" (`token.lemma`).
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
        outputs: Iterable[str] = ("tag",),
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
        names = check_names(name, outputs)
        check_setting(name, save_probabilities, names)
        super().__init__(
            vocab,
            model,
            name,
            overwrite=overwrite,
            scorer=scorer,
            neg_prefix=neg_prefix,
            label_smoothing=label_smoothing,
        )
        check_model(name, model, names)
        self.cfg["teacher_weight"] = teacher_weight
        self.cfg["save_probabilities"] = save_probabilities
        self.cfg["outputs"] = names
        self.cfg["language"] = vocab.lang
        set_columns(model, dict.fromkeys(names, 0))
        self.reset_learned()
        add_extensions()

    @property
    def labels(self) -> Tuple[str, ...]:
        """The labels of the first output: the tags, if tags are predicted."""
        return self.labels_of()

    @property
    def label_data(self) -> Any:
        """What `initialize` takes as labels: the tags, or whatever all outputs have learned."""
        if self.cfg["outputs"] == ["tag"]:
            return self.labels
        keys = ["labels", *(key for output in self.outputs for key in output.learned)]
        return {key: self.cfg[key] for key in keys}

    def reset_learned(self) -> None:
        """Reset what training and calibration have put into `cfg`, but for the labels."""
        self.cfg["temperature"], self.cfg["temperatures"] = 1.0, {}
        for output in self.outputs:
            self.cfg.update(output.learned)

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Union[Iterable[str], Dict[str, Any], None] = None,
        vocabulary: Optional[Dict[str, Any]] = None,
    ) -> None:
        """Prepare for training: find the labels and the vocabulary, make fresh weights.

        get_examples (Callable): Returns the training examples; all of them are read.
        nlp (Optional[Language]): The pipeline.
        labels (Union[Iterable[str], Dict[str, Any], None]): The tags, or what all outputs know, as
            `spacy init labels` writes them.
        vocabulary (Optional[Dict]): Counts of "words" and "characters", such as
            `python -m spacy lstm-tagger vocab` writes. Needed for streamed corpora, of which
            spaCy shows only the first 100 examples.
        RAISES ValueError: If there are no labels, examples or words to learn from, or no gold
            values of another output of the model; or if the vocabulary was counted for a language
            with other rules of casing.
        """
        found = survey(get_examples, self.gold_attrs, "LSTMTagger.initialize", self.vocab.lang)
        check_corpus(found, self.outputs, nlp, self.name, overwrite=self.cfg["overwrite"])
        with restored_after_errors(self):
            if vocabulary_of(self.model) is not None:
                known = found.vocabulary
                if vocabulary is not None:
                    known = Vocabulary.from_dict(vocabulary).for_language(self.vocab.lang)
                set_vocabulary(self.model, known)
            self._initialize_outputs(found, labels)
            columns = columns_for(self.outputs, self.cfg)
            first = next(iter(columns.values()))
            check_label_count(self.name, self.model.maybe_get_dim("nO"), first)
            set_columns(self.model, columns)
            sample = [eg.x for eg in found.sample[:10]]
            Y = [self.model.ops.alloc2f(len(doc), first) for doc in sample]
            self.model.initialize(X=sample, Y=Y)
        self._rehearsal_model = None  # it belongs to the weights of before

    def _initialize_outputs(self, found: Survey, labels: Any) -> None:
        """Let every output learn from the examples.

        labels: see `initialize`.
        """
        given = given_labels(labels, self.outputs, self.name)
        if "tag" in self.cfg["outputs"]:
            tags = given.get("labels")
            if tags is None:
                tags = labels_among(found.gold, self.cfg["neg_prefix"])
            for label in tags:
                self.add_label(label)
            check_labels(found, self.labels, self.name)
            self._require_labels()
        added = [output.labels(self.cfg) for output in self.outputs]
        self.reset_learned()
        for output in self.outputs:
            if output.learned and set(output.learned) <= set(given):
                take_given(output, given, self.cfg, self.name)
                output.learn(found.gold, self.cfg)
            else:
                output.initialize(found.gold, self.cfg, self.name)
        if self.model.maybe_get_dim("nO") is None:  # else they are what earlier examples had
            for output, labels_before in zip(self.outputs, added, strict=True):
                for label in labels_before:
                    output.add_label(label, self.cfg, self.name)

    def add_label(self, label: str, *, output: Optional[str] = None) -> int:
        """Add a label, also to a trained model: the scores of its labels stay as they are.

        label (str): The label to add.
        output (Optional[str]): Name of the output that gets it; None for the first, the tags.
        RETURNS (int): 0 if the label is already present, otherwise 1.
        RAISES ValueError: If there is no such output, or it takes no labels; or if the tagger was
            exported.
        """
        wanted = self._output(output)
        if not isinstance(label, str):
            raise ValueError(Errors.E187)
        if wanted.name == "tag":
            if label not in self.labels:
                check_resizable(self.model, self.name)
            added = super().add_label(label)
        else:
            cfg = dict(self.cfg)
            if added := wanted.add_label(label, cfg, self.name):
                check_resizable(self.model, self.name)
            self.cfg.update(cfg)
        if added and self.is_resizable:
            self.set_output(next(iter(columns_for(self.outputs, self.cfg).values())))
        return added

    def set_output(self, nO: int) -> None:
        """Give the model the columns that the labels need.

        nO (int): Number of columns of the first block.
        """
        if resize_columns := self.model.attrs.get("resize_columns"):
            first, *_ = columns = columns_for(self.outputs, self.cfg)
            resize_columns(self.model, {**columns, first: nO})
        else:
            super().set_output(nO)

    def predict_probabilities(
        self, docs: Union[Doc, Iterable[Doc]], *, output: Optional[str] = None
    ) -> List[Floats2d]:
        """Return the probability of every label for every token, without modifying the docs.

        docs (Union[Doc, Iterable[Doc]]): The docs, or one.
        output (Optional[str]): Name of the output whose labels they are; None for the first, the
            tags. The labels of "lemma" are rules, also for words whose lemma is in the table.
        RETURNS (List[Floats2d]): One array of shape (n_tokens, n_labels) for each doc, columns
            in the order of `labels_of(output)`. Rows sum to 1; those of white space are zeros.
        RAISES TypeError: For anything but docs, such as texts.
        RAISES ValueError: If there is no such output.
        """
        found = as_docs(docs, "LSTMTagger.predict_probabilities")
        return label_probabilities(self, self._output(output), found)

    def labels_of(self, output: Optional[str] = None) -> Tuple[str, ...]:
        """Return the labels of an output.

        output (Optional[str]): Its name; None for the first.
        RETURNS (Tuple[str, ...]): Tags, parts of speech, combinations of features, or rules.
        RAISES ValueError: If there is no such output.
        """
        return tuple(self._output(output).labels(self.cfg))

    def _output(self, name: Optional[str]) -> Output:
        names = self.cfg["outputs"]
        if name is not None and name not in names:
            raise ValueError(
                f"[{self.name}] There is no output {name!r}. The component's setting outputs is "
                f"{names}."
            )
        return self.outputs[0 if name is None else names.index(name)]

    def predict(self, docs: Union[Doc, Iterable[Doc]]) -> Prediction:
        """Find the tags of docs, and the other outputs, without modifying them.

        docs (Union[Doc, Iterable[Doc]]): The docs, or one.
        RETURNS (Prediction): The tags' columns, one array of shape (n_tokens,) for each doc; what
            the other outputs choose; and probabilities if `save_probabilities` asks for them.
        RAISES TypeError: For anything but docs, such as texts.
        """
        docs, kept = as_docs(docs, "LSTMTagger.predict"), self.cfg["save_probabilities"]
        check_setting(self.name, kept, self.cfg["outputs"])
        return predict_docs(self, self.outputs, docs, with_probabilities=bool(kept))

    def set_annotations(self, docs: Union[Doc, Iterable[Doc]], batch_tag_ids: List[Any]) -> None:
        """Set the tags and other annotation of docs, and keep probabilities if there are any.

        docs (Union[Doc, Iterable[Doc]]): The docs, or one.
        batch_tag_ids (List): What `predict` returned for them.
        """
        docs = as_docs(docs, "LSTMTagger.set_annotations")
        check_predicted(docs, batch_tag_ids, self.name)
        outputs = self.outputs
        if not isinstance(batch_tag_ids, Prediction):  # of the kind that spaCy's taggers return
            outputs, rows = outputs[:1], [to_numpy(ids) for ids in batch_tag_ids]
            choices = numpy.concatenate([numpy.zeros(0, dtype="int64"), *rows])
            chosen = {outputs[0].name: choices}
            batch_tag_ids = Prediction(docs, chosen, white_space_rows(docs), None)
        annotate_docs(outputs, docs, batch_tag_ids, self.cfg)
        if batch_tag_ids.probabilities is not None:
            save(docs, self.labels, batch_tag_ids.probabilities, self.cfg["save_probabilities"])

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """Score a batch: what the scorer gives, and the scores of the other outputs.

        examples (Iterable[Example]): The batch, annotated.
        RETURNS (Dict[str, Any]): The scores; none without a scorer.
        """
        examples = as_examples(examples, "LSTMTagger.score")
        scores: Dict[str, Any] = {}
        if "tag" in self.cfg["outputs"]:
            warn_of_unseen(examples, self.labels, self.cfg["neg_prefix"], self.name)
            scores.update(super().score(examples, **kwargs))
        if self.scorer is not None:
            for output in self.outputs:
                scores.update(output.score(examples, **kwargs))
        return scores

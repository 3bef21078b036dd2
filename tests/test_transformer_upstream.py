"""Behind a transformer, a tiny one of random weights: with a network of its own, or reading it."""

import string
from collections.abc import Callable

import numpy
import pytest
import spacy
from numpy.testing import assert_allclose
from spacy.language import Language
from thinc.api import fix_random_seed
from thinc.types import Floats2d

pytest.importorskip(
    "spacy_curated_transformers", reason="spacy-curated-transformers is not installed"
)
pytestmark = [  # theirs
    pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Conversion of an array:DeprecationWarning"),
]
listens = pytest.mark.skipif(
    tuple(map(int, numpy.__version__.split(".")[:2])) >= (2, 4),
    reason="spacy-curated-transformers 0.3 cannot train a transformer with numpy 2.4",
)

WIDTH = 16
TRANSFORMER = {
    "model": {
        "@architectures": "spacy-curated-transformers.BertTransformer.v1",
        "piece_encoder": {"@architectures": "spacy-curated-transformers.BertWordpieceEncoder.v1"},
        "with_spans": {"@architectures": "spacy-curated-transformers.WithStridedSpans.v1"},
        "hidden_width": WIDTH,
        "intermediate_width": 32,
        "num_attention_heads": 2,
        "num_hidden_layers": 1,
    }
}
LISTENER = {
    "model": {
        "@architectures": "spacy.Tagger.v2",
        "tok2vec": {
            "@architectures": "spacy-curated-transformers.LastTransformerLayerListener.v1",
            "width": WIDTH,
            "pooling": {"@layers": "reduce_mean.v1"},
            "upstream": "transformer",
        },
    }
}
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
PIECES += [mark + letter for mark in ("", "##") for letter in string.ascii_letters]
TEXTS = ["I like green eggs", "", "Eat blue ham", "Eat green eggs"]


@pytest.fixture
def behind_a_transformer(make_examples, tmp_path) -> Callable[[dict], Language]:
    """Return a function that trains a transformer and a tagger with these settings."""
    pieces = tmp_path / "pieces.txt"
    pieces.write_text("\n".join(PIECES))
    loader = {
        "@model_loaders": "spacy-curated-transformers.WordpieceLoader.v1",
        "path": str(pieces),
    }

    def make(settings: dict) -> Language:
        fix_random_seed(0)
        nlp = spacy.blank("en")
        config = {"model": {**TRANSFORMER["model"], "vocab_size": len(PIECES)}}
        nlp.add_pipe("curated_transformer", name="transformer", config=config)
        nlp.add_pipe("lstm_tagger", config=settings)
        nlp.config["initialize"]["components"]["transformer"] = {"piecer_loader": loader}
        examples = make_examples(nlp)
        optimizer = nlp.initialize(lambda: examples)
        optimizer.learn_rate = 0.01
        for _ in range(80):
            nlp.update(examples, sgd=optimizer)
        return nlp

    return make


@pytest.fixture(params=["network of its own", pytest.param("listener", marks=listens)])
def trained(request, behind_a_transformer, small_config) -> Language:
    """A trained pipeline of a transformer and a tagger."""
    return behind_a_transformer(LISTENER if request.param == "listener" else small_config)


def tags_of(nlp: Language, **settings: int) -> list[list[str]]:
    return [[token.tag_ for token in doc] for doc in nlp.pipe(TEXTS, **settings)]


def probabilities(nlp: Language) -> Floats2d:
    doc = nlp.get_pipe("transformer")(nlp.make_doc(TEXTS[0]))
    return nlp.get_pipe("lstm_tagger").predict_probabilities([doc])[0]


def test_learns_saves_and_loads(trained, tmp_path, train_data) -> None:
    tags = tags_of(trained)
    assert tags[0] == train_data[0][1]["tags"]
    assert tags[2] == train_data[1][1]["tags"]
    trained.to_disk(tmp_path / "saved")
    loaded = spacy.load(tmp_path / "saved")
    assert tags_of(loaded) == tags
    assert_allclose(probabilities(loaded), probabilities(trained), atol=1e-6)


def test_two_processes_find_the_same_tags(trained) -> None:
    assert tags_of(trained, n_process=2, batch_size=2) == tags_of(trained)


def test_transformer_changes_nothing_for_a_tagger_with_its_own_network(
    behind_a_transformer, small_config
) -> None:
    nlp = behind_a_transformer(small_config)
    tags = tags_of(nlp)
    with nlp.select_pipes(disable="transformer"):
        assert tags_of(nlp) == tags


@listens
def test_training_reaches_the_transformer(behind_a_transformer, make_examples) -> None:
    nlp = behind_a_transformer(LISTENER)
    layer = nlp.get_pipe("transformer").model
    before = layer.to_bytes()
    nlp.update(make_examples(nlp), sgd=nlp.create_optimizer())
    assert layer.to_bytes() != before

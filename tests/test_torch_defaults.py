"""torch's defaults are the whole process's: another library may have changed them."""

import numpy
import pytest
import spacy
import torch
from spacy.training import Example


@pytest.fixture(params=["float64", "bfloat16", "float16", "no gradients"])
def changed_defaults(request):
    """Change one default for the time of a test."""
    if request.param == "no gradients":
        torch.set_grad_enabled(False)
    else:
        torch.set_default_dtype(getattr(torch, request.param))
    yield
    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)


def test_a_tagger_trains_saves_loads_and_grows(changed_defaults, make_nlp, tmp_path) -> None:
    nlp = make_nlp(steps=60, drop=0.1, model={"depth": 2})
    tags = [token.tag_ for token in nlp("I like green eggs")]
    assert tags == ["N", "V", "J", "N"]
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert [token.tag_ for token in loaded("I like green eggs")] == tags
    tagger = loaded.get_pipe("lstm_tagger")
    expected = tagger.predict_probabilities(loaded.make_doc("I like"))[0]
    tagger.add_label("new")
    eg = Example.from_dict(loaded.make_doc("I like"), {"tags": ["new", "V"]})
    loaded.update([eg], sgd=loaded.resume_training())
    (found,) = tagger.predict_probabilities(loaded.make_doc("I like"))
    assert found.dtype == "float32"
    assert found.shape == (2, 4)
    assert not numpy.isnan(found).any()
    assert expected.shape == (2, 3)


def test_saved_weights_are_float32(changed_defaults, make_nlp) -> None:
    tagger = make_nlp(steps=1).get_pipe("lstm_tagger")
    network = tagger.model.get_ref("output_layer").shims[0].module
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


def test_an_encoder_trains_as_well(changed_defaults) -> None:
    nlp = spacy.blank("en")
    tok2vec = {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            **{"width": 8, "attrs": ["NORM"], "rows": [20], "include_static_vectors": False},
        },
        "encode": {"@architectures": "spacy-lstm-tagger.LSTMEncoder.v1", "width": 8, "depth": 1},
    }
    model = {"@architectures": "spacy.Tagger.v2", "tok2vec": tok2vec}
    nlp.add_pipe("tagger", config={"model": model})
    eg = Example.from_dict(nlp.make_doc("I like"), {"tags": ["N", "V"]})
    sgd = nlp.initialize(lambda: [eg])
    sgd.learn_rate = 0.05
    for _ in range(40):
        nlp.update([eg], sgd=sgd)
    assert [token.tag_ for token in nlp("I like")] == ["N", "V"]


def test_weights_are_made_on_thincs_device(small_config, make_examples) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config=small_config)
    examples = make_examples(nlp)
    with torch.device("meta"):  # as torch.set_default_device would, for some other device
        nlp.initialize(lambda: examples)
    nlp.update(examples, sgd=nlp.resume_training())
    assert all(token.tag_ for token in nlp("I like green eggs"))

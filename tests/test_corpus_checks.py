"""Training data that would spoil a tagger without an error is noticed before training."""

import warnings

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.converters import conllu_to_docs

TAGGING_ONLY = """\
1\tI\tI\tPRON\tPRP\t_\t_\t_\t_\t_
2\tlike\tlike\tVERB\tVBP\t_\t_\t_\t_\t_
3\teggs\tegg\tNOUN\tNNS\t_\t_\t_\t_\t_

"""


def initialize(nlp, examples):
    nlp.get_pipe("lstm_tagger").initialize(lambda: examples, nlp=nlp)


def tagged(nlp, words, tags, pos=None):
    gold = Doc(nlp.vocab, words=words, tags=tags, pos=pos)
    return Example(Doc(nlp.vocab, words=words), gold)


@pytest.fixture
def nlp(small_config):
    nlp = spacy.blank("en")
    nlp.add_pipe("lstm_tagger", config=small_config)
    return nlp


def sentences_of(docs):
    """Split docs into sentences as `spacy.Corpus.v1` does with gold_preproc."""
    for doc in docs:
        for sentence in doc.sents:
            gold = sentence.as_doc()
            yield Example(Doc(doc.vocab, words=[t.text for t in gold]), gold)


def test_sentences_of_one_word_are_noticed(nlp) -> None:
    docs = conllu_to_docs(TAGGING_ONLY * 20, n_sents=1, no_print=True)
    examples = list(sentences_of(docs))
    assert len(examples) == 60  # spaCy's converter makes every word a sentence
    with pytest.warns(UserWarning, match="60 of 60 training examples have a single word"):
        initialize(nlp, examples)


def test_a_few_short_examples_are_none_of_our_business(nlp) -> None:
    few = [tagged(nlp, ["Yes"], ["UH"])] * 10
    mixed = [*few * 3, *[tagged(nlp, ["Oh", "yes"], ["UH", "UH"])] * 5]
    for examples in (few, mixed):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            initialize(nlp, examples)


def test_a_treebank_without_its_words_is_refused(nlp) -> None:
    with pytest.raises(ValueError, match=r"All 4 words .* are '_'.*script"):
        initialize(nlp, [tagged(nlp, ["_", "_"], ["NN", "VB"])] * 2)
    initialize(nlp, [tagged(nlp, ["_", "x"], ["NFP", "NN"])])


def test_upos_among_xpos_is_noticed(nlp) -> None:
    words, pos = ["dogs", "bark", "cats", "purr"], ["NOUN", "VERB", "NOUN", "VERB"]
    with pytest.warns(UserWarning, match=r"NOUN, VERB.*two tag sets are mixed"):
        initialize(nlp, [tagged(nlp, words, ["NNS", "VBP", "NOUN", "VERB"], pos)])


@pytest.mark.parametrize(
    "tags",
    [["NOUN", "VERB", "NOUN", "VERB"], ["NNS", "VBP", "NNS", "SYM"], ["NNS", "", "NOUN", ""]],
)
def test_a_single_tag_set_is_no_mixture(nlp, tags) -> None:
    words, pos = ["dogs", "bark", "cats", "%"], ["NOUN", "VERB", "NOUN", "SYM"]
    initialize(nlp, [tagged(nlp, words, tags, pos)])


def test_examples_without_a_single_tag_say_so(nlp) -> None:
    examples = [Example.from_dict(nlp.make_doc("I like eggs"), {"pos": ["PRON", "VERB", "NOUN"]})]
    with pytest.raises(ValueError, match=r"None of the 3 words .* has a tag.*Example\.from_dict"):
        initialize(nlp, examples)
    nlp.get_pipe("lstm_tagger").initialize(lambda: examples, nlp=nlp, labels=["N", "V"])


def test_a_tokenizer_that_does_not_find_the_words_is_noticed(small_config) -> None:
    nlp = spacy.blank("zh")  # splits text into characters
    nlp.add_pipe("lstm_tagger", config=small_config)
    words, tags = ["我们", "喜欢", "绿色", "的", "鸡蛋"], ["PN", "VV", "JJ", "DEG", "NN"]
    gold = Doc(nlp.vocab, words=words, tags=tags, spaces=[False] * 5)
    eg = Example(Doc(nlp.vocab, words=words, spaces=[False] * 5), gold)
    with pytest.warns(UserWarning, match="tokenizer finds 20 % of the words of the first 9 "):
        initialize(nlp, [eg] * 9)


class TaggingTokenizer:
    """Tokenizer that sets tags itself, as spaCy's for Japanese does."""

    def __init__(self, vocab):
        self.vocab = vocab

    def __call__(self, text):
        words = text.split()
        return Doc(self.vocab, words=words, tags=["名詞"] * len(words))


def test_a_tokenizer_that_sets_tags_itself_is_noticed(nlp) -> None:
    nlp.tokenizer = TaggingTokenizer(nlp.vocab)
    gold = Doc(nlp.vocab, words=["I", "like"], tags=["N", "V"], spaces=[True, False])
    examples = [Example(Doc(nlp.vocab, words=["I", "like"]), gold)]
    with pytest.warns(UserWarning, match=r"sets token\.tag itself.*overwrite = true"):
        initialize(nlp, examples)
    nlp.get_pipe("lstm_tagger").cfg["overwrite"] = True
    initialize(nlp, examples)
    assert {token.tag_ for token in nlp("I like")} <= {"N", "V"}


def test_words_whose_tags_training_never_showed_are_counted_at_the_evaluation(nlp) -> None:
    initialize(nlp, [tagged(nlp, ["very", "green", "!"], ["Adv", "Adj", "!"])])
    dev = [tagged(nlp, ["very", "very", "green", "eggs"], ["ADV", "ADV", "Adj", ""])]
    with pytest.warns(UserWarning, match=r"2 of the 3 words .* never showed \('ADV'\)"):
        scores = nlp.evaluate(dev)
    assert scores["tag_acc"] == pytest.approx(0, abs=1 / 3)
    nlp.evaluate([tagged(nlp, ["green", "!"], ["!Adv", "!"])])


@pytest.mark.parametrize("tags", [["NOUN_PRON", "VERB_PRON"], ["NOUN_PL", "VERB_PAST"]])
def test_tags_that_refine_or_join_parts_of_speech_are_one_tag_set(nlp, tags) -> None:
    words, pos = ["dogs", "bark", "cats", "purr"], ["NOUN", "VERB", "NOUN", "VERB"]
    initialize(nlp, [tagged(nlp, words, [*tags, "NOUN", "VERB"], pos)])


def test_a_tokenizer_that_fails_is_noticed_and_training_goes_on(nlp) -> None:
    def tokenizer(text):
        raise RuntimeError("no dictionary")

    gold = Doc(nlp.vocab, words=["I", "like"], tags=["N", "V"], spaces=[True, False])
    eg = Example(Doc(nlp.vocab, words=["I", "like"]), gold)
    nlp.tokenizer = tokenizer
    with pytest.warns(UserWarning, match="tokenizer fails .*RuntimeError: no dictionary"):
        initialize(nlp, [eg])
    initialize(nlp, [tagged(nlp, ["I", "like"], ["N", "V"])])  # whose text is not known

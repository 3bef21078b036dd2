"""`convert`: training data from files of tagged words, however they are written."""

from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus
from spacy.training.converters import conllu_to_docs
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_lstm_tagger.cli import lstm_tagger_cli


def conllu(*sentences: str) -> str:
    """CoNLL-U of sentences with a line a word: ID form lemma UPOS XPOS FEATS HEAD MISC."""
    lines = []
    for sentence in sentences:
        for line in sentence.strip().splitlines():
            number, form, lemma, upos, xpos, feats, head, misc = line.split()
            lines.append("\t".join([number, form, lemma, upos, xpos, feats, head, "_", "_", misc]))
        lines.append("")
    return "\n".join(lines) + "\n"


# French as in UD_French-Sequoia: "du" is "de le"; heads and relations are missing.
FRENCH = conllu(
    """
    1   Il     il     PRON  PRO  Number=Sing  _ _
    2   parle  parler VERB  V    _            _ _
    3-4 du     _      _     _    _            _ _
    3   de     de     ADP   P    _            _ _
    4   le     le     DET   D    Gender=Masc|Number=Sing _ _
    5   chat   chat   NOUN  N    Number=Sing  _ SpaceAfter=No
    6   .      .      PUNCT PUNC _            _ _
    """,
    """
    1   Oui    oui    INTJ  I    _            _ _
    """,
)

# English as in UD_English-EWT: "don't" and "its", which stands for "it's", are two words.
ENGLISH = conllu(
    """
    1-2 Don't  _   _    _   _ _ _
    1   Do     do  AUX  VB  _ 3 _
    2   n't    not PART RB  _ 3 _
    3   go     go  VERB VB  _ 0 _
    4-5 its    _   _    _   _ _ SpaceAfter=No
    4   it     it  PRON PRP _ 6 _
    5   s      be  AUX  VBZ _ 6 _
    6   late   late ADJ JJ  _ 3 _
    """
)


@pytest.fixture
def convert(tmp_path: Path):
    """Return a function that writes a file, converts it, and returns its docs and the messages."""

    def call(text: str | bytes, name: str, *options: str, code: int = 0):
        data, output = tmp_path / name, tmp_path / "out" / "data.spacy"
        data.write_bytes(text.encode() if isinstance(text, str) else text)
        command = ["convert", str(data), str(output), *options]
        result = CliRunner().invoke(lstm_tagger_cli, command)
        assert result.exit_code == code, result.output
        assert result.stdout == ""
        if code:
            assert not output.parent.exists()
            assert result.stderr.count("\n") == 1
            return [], result.stderr
        return list(DocBin().from_disk(output).get_docs(Vocab())), result.stderr

    return call


def tagged(docs: list[Doc]) -> list[list[tuple[str, str]]]:
    return [[(token.text, token.tag_) for token in doc] for doc in docs]


TWO = [[("Who", "WP"), ("knows", "VBZ"), ("?", ".")], [("1/2", "CD"), ("/", "SYM")]]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", "Who\tWP\nknows\tVBZ\n?\t.\n\n1/2\tCD\n/\tSYM\n"),
        ("a.tsv", "# a comment\nword\ttag\nWho\tWP\nknows\tVBZ\n?\t.\n \n\n1/2\tCD\n# b\n/\tSYM"),
        ("a.conll", "Who\tWP\nknows\tVBZ\n?\t.\n\n1/2\tCD\n/\tSYM\n"),
        ("a.conll", "Who WP\nknows VBZ\n? .\n\n1/2 CD\n/ SYM\n"),
        ("a.txt", "Who\tWP\r\nknows\tVBZ\r\n?\t.\r\n\r\n1/2\tCD\r\n/\tSYM\r\n"),
        ("a.txt", "Who/WP knows/VBZ ?/.\n1/2/CD //SYM\n"),
        ("a.pos", "# a comment\n\nWho/WP\tknows/VBZ ?/.\n1/2/CD //SYM"),
        ("a.csv", "word,tag\nWho,WP\nknows,VBZ\n?,.\n,\n1/2,CD\n/,SYM\n"),
        ("a.csv", 'Token;POS\r\n"Who";WP\r\nknows;VBZ\r\n?;.\r\n\r\n1/2;CD\r\n/;SYM\r\n'),
        ("a.csv", "sent_id,upos,form\n7,WP,Who\n7,VBZ,knows\n7,.,?\n8,CD,1/2\n8,SYM,/\n"),
        ("a.csv", "Sentence #,Word,POS\nS 1,Who,WP\n,knows,VBZ\n,?,.\nS 2,1/2,CD\n,/,SYM\n"),
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "byte order mark"])
def test_plain_files_are_read(name: str, text: str, mark: bytes, convert) -> None:
    docs, errors = convert(mark + text.encode(), name)
    assert tagged(docs) == TWO
    assert "2 docs, a sentence each, of 5 words with 5 different tags" in errors


def test_quotes_are_words_in_tab_separated_columns_and_quotes_in_csv(convert) -> None:
    docs, _ = convert('"\t``\n,\t,\n#\tSYM\n', "a.tsv")
    assert tagged(docs) == [[('"', "``"), (",", ","), ("#", "SYM")]]
    docs, _ = convert('word,tag\n"""",``\n",",","\n#,SYM\n', "a.csv")
    assert tagged(docs) == [[('"', "``"), (",", ","), ("#", "SYM")]]


def test_columns_can_be_named_or_numbered(convert) -> None:
    docs, _ = convert("Sentence,Word,POS,Tag\n1,Ann,NNP,B-per\n", "a.csv", "--tag", "pos")
    assert tagged(docs) == [[("Ann", "NNP")]]
    text = "-DOCSTART- -X- O O\n\nAnn NNP I-NP I-PER\nleft VBD I-VP O\n"
    docs, _ = convert(text, "a.conll", "--word", "1", "--tag", "2")
    assert tagged(docs) == [[("Ann", "NNP"), ("left", "VBD")]]


def test_missing_tags_are_missing_and_counted(convert) -> None:
    docs, errors = convert("Ann\tNNP\nleft\t\nhere\t_\n", "a.tsv")
    assert tagged(docs) == [[("Ann", "NNP"), ("left", ""), ("here", "")]]
    assert "2 of 3 words have no tag; nothing is learned from them" in errors


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("a.tsv", "Ann\tNNP\n\nleft\n", "a.tsv, line 3: 1 columns, but there are 2"),
        ("a.tsv", "Ann\tNNP\nNew York\n", "a.tsv, line 2: 1 columns, but there are 2"),
        ("a.tsv", "Ann\tNNP\n\tVBD\n", "a.tsv, line 2: there is no word in it"),
        ("a.tsv", "Ann\tAnn\tNNP\n", "which of its 3 columns are the words and the tags?"),
        ("a.conll", "Ann NNP\n# SYM\n", "a.conll, line 2: it is not clear whether this is a comm"),
        ("a.csv", "word,tag\nAnn,NNP\nleft\n", "a.csv, line 3: 1 columns, but there are 2"),
        ("a.csv", 'word,tag\n"Ann"x,NNP\n', "a.csv, line 2: ',' expected after '\"'"),
        ("a.csv", "Wort,Etikett\nAnn,NNP\n", "The first row is: Wort, Etikett. Say it with --word"),
        ("a.csv", "word,tag,pos\nAnn,NNP,N\n", "several columns for --tag in the first row"),
        ("a.txt", "Ann/NNP left/VBD\nhere/RB now\n", "a.txt, line 2: 'now' is not of the form w"),
        ("a.txt", "Ann/NNP left/\n", "a.txt, line 1: 'left/' is not of the form word/TAG"),
        ("a.txt", "\n# nothing\n", "there are no words in it"),
        ("a.csv", "", "there are no words in it"),
        ("a.tsv", "Ann\t\nleft\t_\n", "no word in it has a tag"),
        ("a.tsv", b"Ann\tNNP\nM\xfcller\tNNP\n", "a.tsv, line 2: not in UTF-8: the byte 0xFC"),
        ("a.tsv", "Ann\tNNP\n".encode("utf-16"), "as text in UTF-16 or UTF-32 does"),
        ("a.tsv", "Ann\tNNP\nleft\tVBD\0\n", "line 2: the tag 'VBD\\x00' has white space or"),
        ("a.csv", "word,tag\n\"['Ann', 'left']\",\"['NNP', 'VBD']\"\n", "line 2: the tag \"['NNP'"),
        ("a.conll", "-DOCSTART- -X- O O\n\nAnn NNP I-NP O\n", "The first row is: Ann, NNP, I-NP"),
        ("a.conllu", "1\tAnn\t_\tNNP\n", "a.conllu, line 1: 4 columns, but CoNLL-U has 10"),
        ("a.conllu", FRENCH.replace("5\tchat", "6\tchat"), "line 6: its ID is '6', but must be 5"),
        (
            "a.conllu",
            FRENCH.replace("3-4\t", "3-9\t"),
            "the multi-word token 3-9 (du) does not fit",
        ),
        ("a.conllu", FRENCH.replace("\n\n", "\n"), "its ID is '1', but must be 7, the next word"),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(
    name: str, text: str | bytes, error: str, convert
) -> None:
    _, errors = convert(text, name, code=1)
    assert error in errors


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--format", "xml"], "--format is 'xml', but must be one of conllu, tsv, csv, slash"),
        (["--lang", "fr"], "--lang is for the format conllu, this is tsv"),
        (["--format", "slash", "--word", "1"], "--word is for the format tsv or csv, this is sl"),
        (["--format", "conllu", "--tag", "pos"], "--tag is 'pos', but must be xpos or upos"),
        (
            ["--format", "conllu", "--lang", "kmrr"],
            "is not among them, use --lang xx, the multi-language class",
        ),
    ],
)
def test_options_that_do_not_fit_are_errors(options: list[str], error: str, convert) -> None:
    text = FRENCH if "conllu" in options else "Ann\tNNP\n"
    _, errors = convert(text, "a.tsv", *options, code=1)
    assert error in errors


def test_output_must_be_a_spacy_file_and_not_the_input(tmp_path: Path) -> None:
    (tmp_path / "a.spacy").write_text("Ann\tNNP\n", encoding="utf8")
    for output, error in (("a.txt", "must end in .spacy"), ("a.spacy", "it is an input")):
        command = ["convert", str(tmp_path / "a.spacy"), str(tmp_path / output)]
        result = CliRunner().invoke(lstm_tagger_cli, command)
        assert result.exit_code == 1
        assert error in result.stderr
    assert (tmp_path / "a.spacy").read_text(encoding="utf8") == "Ann\tNNP\n"


def test_sentences_without_heads_are_whole(convert, tmp_path: Path) -> None:
    docs, _ = convert(FRENCH, "a.conllu")
    assert [doc.text for doc in docs] == ["Il parle du chat. ", "Oui "]
    nlp = spacy.blank("fr")
    examples = Corpus(tmp_path / "out" / "data.spacy", gold_preproc=True)(nlp)
    assert [len(eg.reference) for eg in examples] == [5, 1]
    by_spacy = conllu_to_docs(FRENCH, n_sents=1, no_print=True)
    assert [len(list(doc.sents)) for doc in by_spacy] == [6, 1]  # what goes wrong there


def test_bundled_corpus_without_heads_is_the_same_training_data(convert) -> None:
    path = Path(__file__).parent.parent / "corpus" / "en-dev.conllu"
    text = path.read_text(encoding="utf8")
    rows = (line.split("\t") for line in text.splitlines())
    headless = ["\t".join([*row[:6], "_", "_", *row[8:]] if row[1:] else row) for row in rows]
    docs, _ = convert("\n".join(headless) + "\n", "a.conllu")
    expected = list(conllu_to_docs(text, n_sents=1, no_print=True))
    assert tagged(docs) == tagged(expected)
    assert [doc.text for doc in docs] == [doc.text for doc in expected]
    assert [len(list(doc.sents)) for doc in docs] == [1] * 137


def test_contractions_are_merged_as_spacy_merges_them(convert) -> None:
    docs, errors = convert(FRENCH, "a.conllu")
    assert tagged(docs)[0][2] == ("du", "P_D")
    assert (docs[0][2].pos_, docs[0][2].lemma_) == ("ADP", "de le")
    assert str(docs[0][2].morph) == "Gender=Masc|Number=Sing"
    assert "1 contractions (multi-word tokens): 1 merged into one word" in errors


def test_contractions_can_be_kept_in_parts(convert) -> None:
    docs, errors = convert(FRENCH, "a.conllu", "--split-contractions")
    assert tagged(docs)[0][2:4] == [("de", "P"), ("le", "D")]
    assert "1 kept in parts" in errors


def test_tokenizer_of_the_language_decides_about_contractions(convert) -> None:
    docs, errors = convert(ENGLISH, "a.conllu", "--lang", "en")
    assert tagged(docs) == [
        [("Do", "VB"), ("n't", "RB"), ("go", "VB"), ("its", "PRP_VBZ"), ("late", "JJ")]
    ]
    assert docs[0].text == "Don't go itslate "
    assert "2 contractions (multi-word tokens): 1 merged" in errors
    docs, _ = convert(FRENCH, "a.conllu", "--lang", "fr")
    assert [token.text for token in docs[0]] == ["Il", "parle", "du", "chat", "."]


def test_upos_is_the_tag_if_there_is_no_xpos(convert) -> None:
    text = conllu("1 Ann Ann PROPN _ _ _ _\n2 left leave VERB _ _ _ _")
    docs, errors = convert(text, "a.conllu")
    assert tagged(docs) == [[("Ann", "PROPN"), ("left", "VERB")]]
    assert "No word has an XPOS: the tags are those of UPOS" in errors


def test_two_tag_sets_are_never_mixed(convert) -> None:
    """UD_Turkish-IMST 2.16, train, has three words with UPOS but no XPOS."""
    text = conllu("1 bir bir NUM Num _ _ _\n2 biri biri PRON _ _ _ _\n3 . . PUNCT Punc _ _ _")
    docs, errors = convert(text, "a.conllu")
    assert tagged(docs) == [[("bir", "Num"), ("biri", ""), (".", "Punc")]]
    assert docs[0][1].pos_ == "PRON"
    assert "1 of 3 words have a UPOS but no XPOS. They are left without a tag" in errors
    docs, _ = convert(text, "a.conllu", "--tag", "upos")
    assert tagged(docs) == [[("bir", "NUM"), ("biri", "PRON"), (".", "PUNCT")]]


def test_merged_tag_is_missing_if_that_of_a_part_is(convert) -> None:
    docs, _ = convert(FRENCH.replace("DET\tD", "DET\t_"), "a.conllu")
    assert tagged(docs)[0][2] == ("du", "")


def test_parts_of_speech_that_spacy_does_not_know_are_left_out_and_named(convert) -> None:
    text = conllu("1 Ann _ NNP _ sg _ _\n2 left _ VBD _ _ _ _\n3 . _ PUNCT _ _ _ _")
    docs, errors = convert(text, "a.conllu")
    assert tagged(docs) == [[("Ann", "NNP"), ("left", "VBD"), (".", "PUNCT")]]
    assert [token.pos_ for token in docs[0]] == ["", "", "PUNCT"]
    assert [token.lemma_ for token in docs[0]] == ["", "", ""]
    assert str(docs[0][0].morph) == ""
    assert "NNP, VBD: not among the parts of speech of Universal Dependencies" in errors


def test_stripped_treebanks_are_errors_and_stripped_sentences_left_out(convert) -> None:
    """As in UD_Japanese-KTC or UD_English-ESL, whose forms are to be put back by the user."""
    gone = conllu("1 _ _ NOUN N _ _ _\n2 _ _ VERB V _ _ _")
    _, errors = convert(gone, "a.conllu", code=1)
    assert "all its words are '_': the text was taken out" in errors
    docs, errors = convert(gone + FRENCH + conllu("1 _ _ SYM SYM _ _ _"), "a.conllu")
    assert [len(doc) for doc in docs] == [5, 1, 1]
    assert "1 sentences are left out: all their words are '_'" in errors


def test_blank_lines_in_odd_places_are_remarked(convert) -> None:
    _, errors = convert("Ann\tNNP\n\nleft\tVBD\n\nearly\tRB\n", "a.tsv")
    assert "Nearly all sentences have one word: are there blank lines between words?" in errors
    _, errors = convert("Ann\tNNP\n" * 201, "a.tsv")
    assert "A sentence has 201 words: are blank lines between sentences missing?" in errors


def test_empty_nodes_and_comments_are_no_words(convert) -> None:
    text = FRENCH.replace("2\tparle", "1.1\tqui\t_\t_\t_\t_\t_\t_\t_\t_\n2\tparle")
    docs, _ = convert("# newdoc\n# text = ...\n" + text, "a.conllu")
    assert [len(doc) for doc in docs] == [5, 1]


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        (FRENCH, "a.conllu", False),
        (FRENCH.replace("SpaceAfter=No", "_"), "a.conllu", True),
        ("我/PN 叫/VV\n", "a.txt", True),
    ],
)
def test_spaces_are_unknown_unless_the_file_tells(text, name, expected, convert, tmp_path) -> None:
    docs, _ = convert(text, name)
    assert {doc.has_unknown_spaces for doc in docs} == {expected}
    nlp = spacy.blank("zh")
    (first, *_) = Corpus(tmp_path / "out" / "data.spacy")(nlp)
    assert ([t.text for t in first.predicted] == [t.text for t in first.reference]) is expected


@pytest.mark.parametrize("name", ["en_ewt-ud-dev", "tr_imst-ud-train"])
@pytest.mark.parametrize("merged", [True, False])
def test_real_treebanks_are_read_as_spacy_reads_them(
    name: str, merged: bool, treebank_directory: Path, tmp_path: Path
) -> None:
    """But for lemmas and tags that are missing, which spaCy makes up."""
    path = treebank_directory / f"{name}.conllu"
    if not path.is_file():
        pytest.skip(f"no {path} (SPACY_LSTM_TAGGER_DATA)")
    output = tmp_path / "out.spacy"
    options = [] if merged else ["--split-contractions"]
    result = CliRunner().invoke(
        lstm_tagger_cli, ["convert", str(path), str(output), "--format", "conllu", *options]
    )
    assert result.exit_code == 0, result.output
    found = DocBin().from_disk(output).get_docs(Vocab())
    text = path.read_text(encoding="utf8")
    expected = conllu_to_docs(text, n_sents=1, merge_subtokens=merged, no_print=True)
    n_other_tags = 0
    for doc, by_spacy in zip(found, expected, strict=True):
        assert doc.text == by_spacy.text
        for ours, theirs in zip(doc, by_spacy, strict=True):
            assert (ours.text, ours.pos_) == (theirs.text, theirs.pos_)
            assert str(ours.morph) == str(theirs.morph)
            assert ours.lemma_ == theirs.lemma_ or "_" in theirs.lemma_.split()
            assert ours.tag_ in (theirs.tag_, "")
            n_other_tags += ours.tag_ != theirs.tag_
    assert n_other_tags == {"en_ewt-ud-dev": 0, "tr_imst-ud-train": 3}[name]

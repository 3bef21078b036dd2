"""The bundled corpora: their format, their tags, their splits, and the second look at rare tags."""

import csv
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import spacy

CORPUS = Path(__file__).parent.parent / "corpus"
REVIEWED_PAIRS = sorted(Path(__file__).parent.glob("reviewed_pairs*.tsv"))

MINIMUM_SENTENCES = {
    "en-train": 420,
    "en-dev": 110,
    "textbook": 2,
    "zh-train": 120,
    "zh-dev": 30,
}
FILES = sorted(MINIMUM_SENTENCES)
ENGLISH_FILES = ["en-train", "en-dev", "textbook"]
LANGUAGES = ["en", "zh"]

UPOS = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X"

ENGLISH_UPOS_OF_XPOS = {
    "$": "SYM",
    "''": "PUNCT",
    ",": "PUNCT",
    "-LRB-": "PUNCT",
    "-RRB-": "PUNCT",
    ".": "PUNCT",
    ":": "PUNCT",
    "ADD": "PROPN",
    "AFX": "X",
    "CC": "CCONJ",
    "CD": "NUM",
    "DT": "DET PRON",
    "EX": "PRON",
    "FW": "ADV NOUN X",
    "HYPH": "PUNCT",
    "IN": "ADP SCONJ",
    "JJ": "ADJ",
    "JJR": "ADJ",
    "JJS": "ADJ",
    "LS": "NUM",
    "MD": "AUX",
    "NFP": "PUNCT SYM",
    "NN": "NOUN PRON SYM",
    "NNP": "ADJ PROPN",
    "NNPS": "PROPN",
    "NNS": "NOUN",
    "PDT": "DET",
    "POS": "PART",
    "PRP": "PRON",
    "PRP$": "PRON",
    "RB": "ADV PART",
    "RBR": "ADV",
    "RBS": "ADV",
    "RP": "ADP",
    "SYM": "SYM",
    "TO": "PART",
    "UH": "INTJ",
    "VB": "AUX VERB",
    "VBD": "AUX VERB",
    "VBG": "AUX VERB",
    "VBN": "AUX VERB",
    "VBP": "AUX VERB",
    "VBZ": "AUX VERB",
    "WDT": "DET PRON",
    "WP": "PRON",
    "WP$": "PRON",
    "WRB": "ADV",
    "``": "PUNCT",
}

CHINESE_XPOS = (
    "AD AS BA CC CD CS DEC DEG DER DEV DT EM ETC FW IJ JJ LB LC M MSP NN NR NT OD ON P PN PU "
    "SB SP URL VA VC VE VV"
)


class Token(NamedTuple):
    """The columns that the corpora use."""

    form: str
    upos: str
    xpos: str
    space_after: bool


class Sentence(NamedTuple):
    """A sentence with its comments."""

    sent_id: str
    text: str
    tokens: list[Token]


class Pair(NamedTuple):
    """A word with a tag that it has once, while it has other tags more often."""

    language: str
    word: str
    tag: str
    sent_id: str


def language_of(name: str) -> str:
    """The language of a corpus file."""
    return "en" if name in ENGLISH_FILES else name.split("-")[0]


def blocks(name: str) -> list[list[str]]:
    """The lines of each sentence of a file."""
    content = (CORPUS / f"{name}.conllu").read_text(encoding="utf8")
    return [block.split("\n") for block in content.strip("\n").split("\n\n")]


def rows(block: list[str]) -> list[list[str]]:
    """The columns of the token lines of a sentence."""
    return [line.split("\t") for line in block if not line.startswith("#")]


def comment(block: list[str], key: str) -> str:
    """The value of a comment that a sentence has once."""
    values = [line.split(" = ", 1)[1] for line in block if line.startswith(f"# {key} = ")]
    assert len(values) == 1, f"not one comment '{key}' in {block[:4]}"
    return values[0]


@cache
def sentences(name: str) -> list[Sentence]:
    """The sentences of a file."""
    return [
        Sentence(
            comment(block, "sent_id"),
            comment(block, "text"),
            [Token(r[1], r[3], r[4], "SpaceAfter=No" not in r[9].split("|")) for r in rows(block)],
        )
        for block in blocks(name)
    ]


def surface(sentence: Sentence) -> str:
    """The text that the tokens of a sentence make."""
    return "".join(t.form + " " * t.space_after for t in sentence.tokens).strip()


def tags_once(language: str) -> dict[Pair, set[str]]:
    """The pairs to review, each with the majority tags of its word (several only in a draw)."""
    places: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in FILES:
        if language_of(name) == language:
            for sentence in sentences(name):
                for token in sentence.tokens:
                    places[token.form.lower()][token.xpos].append(sentence.sent_id)
    pairs = {}
    for word, tags in places.items():
        most = max(map(len, tags.values()))
        majority = {tag for tag, ids in tags.items() if len(ids) == most}
        if most > 1:
            for tag, ids in tags.items():
                if len(ids) == 1:
                    pairs[Pair(language, word, tag, ids[0])] = majority
    return pairs


def reviewed(language: str) -> dict[Pair, str]:
    """The reviewed pairs, each with the majority tag that its reviewer saw."""
    pairs = {}
    for path in REVIEWED_PAIRS:
        with path.open(encoding="utf8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                if row["language"] == language:
                    pair = Pair(language, row["word"], row["tag"], row["sent_id"])
                    pairs[pair] = row["majority_tag"]
    return pairs


def listing(found: list[str]) -> str:
    """The findings for an assertion's message, one a line."""
    return "\n" + "\n".join(found)


@pytest.mark.parametrize("name", FILES)
def test_enough_sentences(name: str) -> None:
    assert len(sentences(name)) >= MINIMUM_SENTENCES[name]


@pytest.mark.parametrize("name", FILES)
def test_conllu_columns(name: str) -> None:
    for block in blocks(name):
        table = rows(block)
        assert table, f"no token in {block}"
        assert {len(row) for row in table} == {10}, f"not 10 columns in {block[0]}"
        assert all(column for row in table for column in row), f"empty column in {block[0]}"
        assert [row[0] for row in table] == [str(i + 1) for i in range(len(table))], block[0]


@pytest.mark.parametrize("name", FILES)
def test_flat_tree(name: str) -> None:
    """One root a sentence: `spacy convert` then keeps the sentence in one piece."""
    for block in blocks(name):
        heads = [(row[6], row[7]) for row in rows(block)]
        assert heads == [("0", "root")] + [("1", "dep")] * (len(heads) - 1), block[0]


@pytest.mark.parametrize("name", FILES)
def test_text_is_the_tokens(name: str) -> None:
    wrong = [s.sent_id for s in sentences(name) if surface(s) != s.text]
    assert not wrong, listing(wrong)


def test_sentence_ids_are_unique() -> None:
    ids = Counter(s.sent_id for name in FILES for s in sentences(name))
    assert not [sent_id for sent_id, count in ids.items() if count > 1]


def test_no_sentence_twice() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for name in FILES:
        for sentence in sentences(name):
            places[sentence.text.lower()].append(sentence.sent_id)
    twice = [f"{', '.join(ids)}: {text}" for text, ids in places.items() if len(ids) > 1]
    assert not twice, listing(twice)


@pytest.mark.parametrize("name", FILES)
def test_tag_inventory(name: str) -> None:
    allowed = set(ENGLISH_UPOS_OF_XPOS) if language_of(name) == "en" else set(CHINESE_XPOS.split())
    tokens = [token for sentence in sentences(name) for token in sentence.tokens]
    assert {token.xpos for token in tokens} <= allowed
    assert {token.upos for token in tokens} <= set(UPOS.split())


@pytest.mark.parametrize("name", ENGLISH_FILES)
def test_english_upos_fits_xpos(name: str) -> None:
    wrong = [
        f"{sentence.sent_id}: {token.form} {token.xpos} {token.upos}"
        for sentence in sentences(name)
        for token in sentence.tokens
        if token.upos not in ENGLISH_UPOS_OF_XPOS[token.xpos].split()
    ]
    assert not wrong, listing(wrong)


@pytest.mark.parametrize("language", LANGUAGES)
def test_held_out_tags_occur_in_training(language: str) -> None:
    train, dev = (
        {token.xpos for s in sentences(f"{language}-{split}") for token in s.tokens}
        for split in ("train", "dev")
    )
    assert dev <= train, f"only in the held-out file: {sorted(dev - train)}"


@pytest.mark.parametrize("name", ENGLISH_FILES)
def test_english_tokens_are_spacys(name: str) -> None:
    nlp = spacy.blank("en")
    different = [
        f"{s.sent_id}: {s.text}"
        for s in sentences(name)
        if [token.text for token in nlp(s.text)] != [token.form for token in s.tokens]
    ]
    assert len(different) <= 0.03 * len(sentences(name)), listing(different)


@pytest.mark.parametrize("language", LANGUAGES)
def test_rare_tags_were_reviewed(language: str) -> None:
    known = reviewed(language)
    texts = {s.sent_id: s.text for name in FILES for s in sentences(name)}
    unseen = [
        f"{pair.sent_id}: {pair.word} is {pair.tag} once and {'/'.join(sorted(majority))} more "
        f"often: {texts[pair.sent_id]}"
        for pair, majority in sorted(tags_once(language).items())
        if known.get(pair) not in majority
    ]
    assert not unseen, (
        "Look at these tags in their sentences; fix them, or add them to "
        f"tests/reviewed_pairs*.tsv:{listing(unseen)}"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_reviewed_tags_are_still_there(language: str) -> None:
    gone = sorted(set(reviewed(language)) - set(tags_once(language)))
    assert not gone, "No longer rare, remove from tests/reviewed_pairs*.tsv:" + listing(
        ["\t".join(pair) for pair in gone]
    )

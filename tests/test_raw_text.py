"""Raw text as other programs write it: the right texts, or an error that names file and line."""

import codecs
import gzip
import json

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from spacy_lstm_tagger.files.raw_text import read_docs, read_placed_docs

ENGLISH = spacy.blank("en")


def texts_of(path, data: bytes, **settings) -> list[str]:
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return [doc.text for doc in read_docs(path, ENGLISH, **settings)]


@pytest.mark.parametrize("name", ["raw.txt", "raw.txt.gz", "raw.TXT"])
def test_byte_order_mark_is_no_part_of_a_text(name, tmp_path) -> None:
    data = codecs.BOM_UTF8 + b"I like eggs\n"
    assert texts_of(tmp_path / name, data) == ["I like eggs"]
    # files that were put together keep the marks of all
    assert texts_of(tmp_path / name, data * 2) == ["I like eggs"] * 2
    assert texts_of(tmp_path / name, codecs.BOM_UTF8) == []
    assert texts_of(tmp_path / name, codecs.BOM_UTF8 + b"\n \n") == []


@pytest.mark.parametrize("name", ["raw.jsonl", "raw.jsonl.gz"])
def test_byte_order_mark_is_no_part_of_json(name, tmp_path) -> None:
    line = codecs.BOM_UTF8 + b'{"text": "I like eggs"}\n'
    assert texts_of(tmp_path / name, line * 2) == ["I like eggs"] * 2
    inside = [{"text": "\ufeffI like eggs"}, {"text": "\ufeff"}]
    data = "\n".join(map(json.dumps, inside)).encode()
    assert texts_of(tmp_path / name, data) == ["I like eggs"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('{"text": null}', '"text" is null, but must be a string'),
        ('{"text": 5}', '"text" is 5, but must be a string'),
        ('{"text": false}', '"text" is false, but must be a string'),
        ('{"text": ["a", "b"]}', '"text" is ["a", "b"], but must be a string'),
        ('{"text": {"a": 1}}', '"text" is {"a": 1}, but must be a string'),
        ('{"text": "\\ud83d"}', "half of a surrogate pair is its character 1"),
        ('{"Text": "a"}', 'not a JSON object with the key "text"; its keys are ["Text"]'),
        ('["a"]', 'not a JSON object with the key "text", but ["a"]'),
        ('"text"', 'not a JSON object with the key "text", but "text"'),
        ("null", 'not a JSON object with the key "text", but null'),
        ("text", 'not a JSON object with the key "text" (JSONDecodeError'),
        ('{"text": "a"} {"text": "b"}', "Extra data"),
        ("[" * 100_000, "RecursionError"),
    ],
)
def test_text_that_is_none_is_refused_by_its_line(line, found, tmp_path) -> None:
    path = tmp_path / "raw.jsonl"
    data = f'{{"text": "I like eggs"}}\n\n{line}\n{{"text": "Eat ham"}}\n'.encode()
    with pytest.raises(ValueError) as error:
        texts_of(path, data)
    assert str(error.value).startswith(f"{path}, line 3: ")
    assert found in str(error.value)
    assert len(str(error.value)) < len(str(path)) + 200
    messages: list[str] = []
    assert texts_of(path, data, on_error=messages.append) == ["I like eggs", "Eat ham"]
    assert messages == [str(error.value)]


def test_lines_that_are_not_in_utf_8_are_named_exactly(tmp_path) -> None:
    path = tmp_path / "raw.txt"
    lines = [f"line {number}".encode() for number in range(1, 3001)]
    lines[1233] = "très bien".encode("latin-1")
    lines[2000] += b"\x80"
    with pytest.raises(ValueError, match=r"line 1234: not in UTF-8: the byte 0xE8 is its char.* 3"):
        texts_of(path, b"\n".join(lines))
    messages: list[str] = []
    found = texts_of(path, b"\n".join(lines), on_error=messages.append)
    assert [message.split(":")[0] for message in messages] == [
        f"{path}, line 1234",
        f"{path}, line 2001",
    ]
    assert found == [line.decode() for i, line in enumerate(lines) if i not in (1233, 2000)]


@pytest.mark.parametrize("name", ["raw.txt", "raw.txt.gz", "raw.jsonl"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_other_encodings_are_refused_by_name(encoding, name, tmp_path) -> None:
    data = '{"text": "I like eggs"}\n'.encode(encoding)
    with pytest.raises(ValueError, match=rf"{name} cannot be read: .* UTF-16.*Save it in UTF-8"):
        texts_of(tmp_path / name, data, on_error=lambda message: None)


def test_lines_end_where_other_programs_end_them(tmp_path) -> None:
    strange = "a\fb\vc\x1cd\u2028e\u2029f\x85g"
    lines = ["I like eggs", strange, "Eat ham"]
    for end in ("\n", "\r\n", "\r"):
        assert texts_of(tmp_path / "raw.txt", end.join(lines).encode()) == lines
        objects = [json.dumps({"text": line}, ensure_ascii=False) for line in lines]
        assert texts_of(tmp_path / "raw.jsonl", end.join(objects).encode()) == lines


def test_texts_without_a_word_are_left_out(tmp_path) -> None:
    empty = ["", " ", "\t", "\n\n", "\u3000", "\u2028"]
    texts = [*empty, "ham", *empty]
    data = "\n".join(json.dumps({"text": text}) for text in texts).encode()
    assert texts_of(tmp_path / "raw.jsonl", data) == ["ham"]
    assert texts_of(tmp_path / "raw.txt", "\n".join(texts).encode()) == ["ham"]
    nlp = spacy.blank("en")
    docs = [Doc(nlp.vocab), Doc(nlp.vocab, words=["\n"]), Doc(nlp.vocab, words=["ham"])]
    DocBin(docs=docs).to_disk(tmp_path / "raw.spacy")
    places = [place for _, place in read_placed_docs(tmp_path / "raw.spacy", nlp)]
    assert places == [f"{tmp_path / 'raw.spacy'}, doc 3"]


def test_text_keeps_its_white_space_in_json_alone(tmp_path) -> None:
    assert texts_of(tmp_path / "raw.jsonl", b'{"text": " ham\\n eggs "}') == [" ham\n eggs "]
    assert texts_of(tmp_path / "raw.txt", b" ham  eggs \n") == ["ham  eggs"]


def test_what_follows_a_damaged_file_is_not_skipped_in_silence(tmp_path) -> None:
    path = tmp_path / "raw.txt.gz"
    path.write_bytes(gzip.compress(b"I like eggs\n" * 9)[:-4])
    with pytest.raises(
        ValueError, match=r"raw\.txt\.gz cannot be read after line 9: it is damaged"
    ):
        list(read_docs(path, ENGLISH, on_error=lambda message: None))


# Length


def long_text(nlp) -> str:
    return "ham " * (nlp.max_length // 4 + 1)


def test_text_of_any_length_is_read_if_nothing_limits_it(make_nlp, tmp_path) -> None:
    nlp = make_nlp()
    nlp.max_length = 1000
    (tmp_path / "raw.txt").write_text(long_text(nlp))
    (doc,) = nlp.pipe(read_docs(tmp_path / "raw.txt", nlp))
    assert len(doc) == 251
    assert all(token.tag_ for token in doc)


def test_text_of_more_than_a_million_characters_is_read(tmp_path) -> None:
    nlp = spacy.blank("en")
    (tmp_path / "raw.txt").write_text(long_text(nlp))
    assert [len(doc) for doc in read_docs(tmp_path / "raw.txt", nlp)] == [250_001]


@pytest.mark.parametrize("component", ["parser", "ner", "beam_parser", "beam_ner"])
def test_too_long_text_for_a_parser_is_refused_by_its_line(component, tmp_path) -> None:
    nlp, other = spacy.blank("en"), spacy.blank("en")
    nlp.max_length = other.max_length = 1000
    other.add_pipe(component)
    path = tmp_path / "raw.jsonl"
    lines = [{"text": "ham"}, {"text": long_text(nlp)}, {"text": "eggs"}]
    path.write_text("\n".join(map(json.dumps, lines)))
    what = rf"line 2: the text has 1,004 .* '{component}' reads at most 1,000 .*Split the"
    for pipelines in ((other,), (nlp, other)):
        with pytest.raises(ValueError, match=what):
            list(read_docs(path, *pipelines))
        messages: list[str] = []
        docs = list(read_docs(path, *pipelines, on_error=messages.append))
        assert ([doc.text for doc in docs], len(messages)) == (["ham", "eggs"], 1)
    with other.select_pipes(disable=[component]):
        assert [len(doc) for doc in read_docs(path, other)] == [1, 251, 1]


def test_failing_tokenizer_is_named_by_the_line(tmp_path) -> None:
    nlp = spacy.blank("en")
    tokenizer = nlp.tokenizer

    def limited(text: str) -> Doc:
        if "eggs" in text:
            raise RuntimeError("input is too long")  # as Japanese's tokenizer does
        return tokenizer(text)

    nlp.tokenizer = limited
    (tmp_path / "raw.txt").write_text("ham\neggs\nham")
    with pytest.raises(ValueError, match=r"line 2: the tokenizer failed .*input is too long"):
        list(read_docs(tmp_path / "raw.txt", nlp))
    messages: list[str] = []
    docs = read_docs(tmp_path / "raw.txt", nlp, on_error=messages.append)
    assert ([doc.text for doc in docs], len(messages)) == (["ham", "ham"], 1)

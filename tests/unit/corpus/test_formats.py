"""What people's files look like, read to the line; what is wrong with them is in tests/golden."""

import json
from pathlib import Path

import pytest

from zhbert.corpus.formats import read_documents, read_examples, read_json_lines, read_lines, read_text
from zhbert.errors import DataError
from zhbert.records import EntityExample, LabelExample, PairExample, Span, to_json

ODD = "一\u2028二\u2029三\v四\x85五\x1c六"  # str.splitlines would cut at every one of these


def write(path: Path, text: str, *, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def test_a_bom_is_no_text_and_lines_end_at_newlines_only(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", f"{ODD}\r\n\r\n第二行\n  \n末行", encoding="utf-8-sig")
    assert list(read_lines(path)) == [(1, ODD), (3, "第二行"), (5, "末行")]
    assert read_text(write(tmp_path / "b.txt", "\ufeff")) == ""


def test_the_place_of_a_bad_byte_counts_the_bom(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfa\n\xff")
    with pytest.raises(DataError, match=r"a\.txt:2: not UTF-8 at byte 5"):
        read_text(path)


def test_line_numbers_stay_exact_in_a_long_file(tmp_path: Path) -> None:
    row = json.dumps({"id": "x", "text": ODD}, ensure_ascii=False)
    path = write(tmp_path / "a.jsonl", f"{row}\n" * 35_000 + '{"id": "x", text\n' + f"{row}\n" * 10)
    with pytest.raises(DataError, match=r"a\.jsonl:35001: not valid JSON: .* at column 13"):
        list(read_json_lines(path))


def test_words_that_look_like_nothing_or_numbers_stay_texts(tmp_path: Path) -> None:
    examples = [
        LabelExample(id="001", text="NA", labels=("001",)),
        LabelExample(id="null", text="null", labels=("None",)),
        LabelExample(id="nan", text="", labels=()),
    ]
    path = write(tmp_path / "a.jsonl", "".join(to_json(e) + "\r\n" for e in examples))
    assert read_examples(path, "classify") == examples


def test_offsets_hold_beyond_the_basic_plane(tmp_path: Path) -> None:
    example = EntityExample(id="1", text="😀李明𠮷", entities=(Span.of("😀李明𠮷", 1, 3, "人名"),))
    path = write(tmp_path / "a.jsonl", json.dumps(json.loads(to_json(example))))  # as escaped pairs
    assert read_examples(path, "ner") == [example]


@pytest.mark.parametrize(
    ("task", "example"),
    [
        ("classify", LabelExample(id="1", text="主队赢了", labels=("体育", "财金"))),
        ("pair", PairExample(id="1", first="甲", second="乙", label="财金")),
        ("ner", EntityExample(id="1", text="股市", entities=(Span(0, 2, "财金"),))),
    ],
)
def test_every_label_of_every_task_is_held_against_the_set(
    task: str, example: object, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.jsonl", to_json(example))
    with pytest.raises(DataError, match=r'a\.jsonl:1: the label "财金" is not in the label set'):
        read_examples(path, task, labels=["体育", "财经"])
    assert read_examples(path, task, labels=["体育", "财经", "财金"]) == [example]


TEXT = "第一段\n又一行\r\n\n \n第二段\n"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("files", [("a.txt:1", "第一段\n又一行\n\n \n第二段")]),
        ("lines", [("a.txt:1", "第一段"), ("a.txt:2", "又一行"), ("a.txt:5", "第二段")]),
        ("blocks", [("a.txt:1", "第一段\n又一行"), ("a.txt:5", "第二段")]),
    ],
)
def test_what_a_document_is_in_a_text_file(
    form: str, expected: list[tuple[str, str]], tmp_path: Path
) -> None:
    path = write(tmp_path / "a.txt", TEXT)
    assert [(d.id, d.text) for d in read_documents(path, form=form)] == expected


def test_a_folder_is_read_in_the_order_of_names_and_ids_differ(tmp_path: Path) -> None:
    write(tmp_path / "b" / "x.txt", "乙")
    write(tmp_path / "a" / "x.txt", "甲")
    write(tmp_path / "c.jsonl", '{"text": "丙"}\n{"id": 7, "text": "丁"}\n{"id": "\\ud800", "text": "戊"}')
    write(tmp_path / "table.csv", "不读")
    found = [(d.id, d.text, d.source) for d in read_documents(tmp_path)]
    assert found == [
        ("a/x.txt:1", "甲", "a/x.txt"),
        ("b/x.txt:1", "乙", "b/x.txt"),
        ("c.jsonl:1", "丙", "c.jsonl"),
        ("7", "丁", "c.jsonl"),
        ("\\ud800", "戊", "c.jsonl"),
    ]


def test_the_guess_names_the_encoding_and_how_to_convert(tmp_path: Path) -> None:
    for encoding, named in (("gbk", "GB18030"), ("utf-16", "UTF-16")):
        path = write(tmp_path / f"{encoding}.txt", "中国的城市在发展", encoding=encoding)
        with pytest.raises(DataError, match=f"it reads as {named}: iconv -f {named.lower()} -t utf-8"):
            read_text(path)
    path = tmp_path / "noise.bin"
    path.write_bytes(b"\xff\xff\xff")
    with pytest.raises(DataError, match="convert the file to UTF-8"):
        read_text(path)

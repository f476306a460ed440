"""Text files in their three forms, and Markdown."""

import pytest

from zhbert.read.piece import Reject

TEXT = "第一段\n又一行\r\n\n \n第二段\n"
ODD = "一\u2028二\u2029三\v四\x85五\x1c六\x00七\u3000"  # str.splitlines would cut at some of these


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("files", [("a.txt:1", "第一段\n又一行\n\n \n第二段")]),
        ("lines", [("a.txt:1", "第一段"), ("a.txt:2", "又一行"), ("a.txt:5", "第二段")]),
        ("blocks", [("a.txt:1", "第一段\n又一行"), ("a.txt:5", "第二段")]),
    ],
)
def test_what_a_document_is_in_a_text_file(form: str, expected: list[tuple[str, str]], read) -> None:
    assert [(d.id, d.text) for d in read({"a.txt": TEXT}, form=form)] == expected


@pytest.mark.parametrize("form", ["files", "lines", "blocks"])
def test_lines_end_at_newlines_only(form: str, read) -> None:
    documents = read({"a.txt": "\ufeff" + ODD}, form=form, encoding="utf-8")
    assert [(d.at, d.text) for d in documents] == [("a.txt:1", ODD)]


def test_markdown_is_one_document_as_it_is(read) -> None:
    page = "# 菜谱\n\n```\n一\n\n二\n```"
    assert [d.text for d in read({"a.md": page, "b.RST": page})] == [page, page]


def test_a_bad_line_costs_its_block_alone(read) -> None:
    rejects: list[Reject] = []
    data = "第一\n".encode() + b"\xff\n\xfe\n" + "第一段完了\n\n第二段\n\n".encode() + b"\xff"
    assert [d.text for d in read({"a.txt": data}, rejects=rejects)] == ["第二段"]
    assert [(r.at, r.what) for r in rejects] == [
        ("a.txt:2", "not UTF-8 at byte 7"),
        ("a.txt:8", "not UTF-8 at byte 39"),
    ]


def test_a_block_without_an_end_is_refused(read) -> None:
    rejects: list[Reject] = []
    data = "短\n\n" + ("长" * 1000 + "\n") * 1100 + "\n短二\n"
    assert [d.at for d in read({"a.txt": data}, rejects=rejects, max_record_mb=1)] == [
        "a.txt:1",
        "a.txt:1104",
    ]
    assert [(r.at, r.what) for r in rejects] == [("a.txt:3", "longer than 1 MB")]


def test_a_replaced_byte_is_seen(read) -> None:
    data = "北京".encode() + b"\xff" + "大学".encode()
    assert [d.text for d in read({"a.txt": data}, undecodable="replace")] == ["北京\ufffd大学"]

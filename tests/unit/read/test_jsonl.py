"""JSONL: what stays as it was written, and what is no document."""

import json

import pytest

from zhbert.read.piece import Reject

ODD = "一\u2028二\u2029三\v四\x85五😀𠮷\x00"


def test_values_stay_as_they_were_written(read) -> None:
    line = (
        '{"text": "NA", "id": "001", "n": 1.10, "big": %s, "no": null, "yes": true, "none": "null", '
        '"nan": NaN, "tags": ["甲", 2.50, null], "of": {"a": {"b": "\\u0041"}}, "e": 1E5}'
    ) % ("7" * 5000)
    (document,) = read({"a.jsonl": line})
    assert (document.id, document.text, document.source) == ("001", "NA", "a.jsonl")
    assert document.meta == {
        "n": "1.10",
        "big": "7" * 5000,
        "yes": "true",
        "none": "null",
        "nan": "NaN",
        "tags": '["甲", 2.50, null]',
        "of": '{"a": {"b": "A"}}',
        "e": "1E5",
    }


def test_ids_and_sources(read) -> None:
    lines = [
        {"text": ODD},
        {"text": "乙", "id": 7, "source": "wiki"},
        {"text": "丙", "id": None, "source": None},
        {"text": "\ud83d", "id": "\ud800"},
        {"text": ""},
    ]
    data = "\ufeff" + "\r\n\n".join(map(json.dumps, lines))
    assert [(d.id, d.text, d.source, d.at) for d in read({"a.jsonl": data})] == [
        ("a.jsonl:1", ODD, "a.jsonl", "a.jsonl:1"),
        ("7", "乙", "wiki", "a.jsonl:3"),
        ("a.jsonl:5", "丙", "a.jsonl", "a.jsonl:5"),
        ("\\ud800", "\ud83d", "a.jsonl", "a.jsonl:7"),  # half a pair in a text is for cleaning to drop
        ("a.jsonl:9", "", "a.jsonl", "a.jsonl:9"),
    ]


def test_other_keys_can_be_named(read) -> None:
    data = '{"content": "北京", "url": "u", "site": "s", "text": "不是"}'
    (document,) = read({"a.ndjson": data}, text_key="content", id_key="url", source_key="site")
    assert (document.text, document.id, document.source) == ("北京", "u", "s")
    assert document.meta == {"text": "不是"}


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("[1]", "not a JSON object, but a list"),
        ("7", "not a JSON object, but a number"),
        ('"北京"', "not a JSON object, but a text"),
        ('{"text": 7}', '"text" must be a text, not a number'),
        ('{"text": true}', '"text" must be a text, not true or false'),
        ('{"text": {}}', '"text" must be a text, not an object'),
        ('{"txt": "北京"}', 'no "text" in this record'),
        ('{"text": "北京"} {}', "not valid JSON: extra data at column 16"),
        ('{"text": "a\tb"}', "not valid JSON: invalid control character at column 12"),
        ('{"text": "北京", "id": true}', 'the id is not a text: "id" is true or false'),
        ('{"text": "北京", "source": {}}', 'the source is not a text: "source" is an object'),
        ('{"text": "北京", "a": {"b": 1, "b": 1}}', 'a key stands twice in an object: "b"'),
        ("[" * 100_000, "not valid JSON: nested too deep"),
        ('{"text": "北京", "a": ' + "[" * 900 + "]" * 900 + "}", "not valid JSON: nested too deep"),
    ],
)
def test_what_is_no_document(line: str, what: str, read) -> None:
    rejects: list[Reject] = []
    good = '{"text": "好"}'
    documents = read({"a.jsonl": f"{good}\n{line}\n{good}"}, rejects=rejects)
    assert [d.at for d in documents] == ["a.jsonl:1", "a.jsonl:3"]
    assert [(r.at, r.what, r.raw) for r in rejects] == [("a.jsonl:2", what, line[:200])]
    assert what.startswith(rejects[0].reason)


def test_gb18030_needs_no_saying(read) -> None:
    data = "".join(
        json.dumps({"text": f"他说这个问题我们想了{i}年\\"}, ensure_ascii=False) + "\n" for i in range(9)
    )
    assert [d.text[-2:] for d in read({"a.jsonl": data.encode("gb18030")})] == ["年\\"] * 9

"""What annotation tools export: doccano, Label Studio, brat."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zhbert.errors import DataError
from zhbert.read.forms import FORMS, How
from zhbert.records import EntityExample, LabelExample, Span

SPANS = {"id": 3, "text": "他在北京", "label": [[2, 4, "地点"]]}
KIND = {"id": 3, "text": "他在北京", "label": ["旅游", "新闻"]}
HERE = EntityExample(id="3", text="他在北京", entities=(Span(2, 4, "地点"),))


def task(text: str, *values: dict[str, Any], type: str = "labels", **more: Any) -> dict[str, Any]:
    results = [{"type": type, "value": value} for value in values]
    return {"id": 3, "data": {"text": text}, "annotations": [{"result": results}], **more}


def span(start: int, end: int, text: str, *labels: str) -> dict[str, Any]:
    return {"start": start, "end": end, "text": text, "labels": list(labels or ["地点"])}


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def test_doccano_spans_in_both_its_ways(read: Callable[..., Any]) -> None:
    entity = {"id": 1, "label": "地点", "start_offset": 2, "end_offset": 4}
    other = {"id": 3, "text": "他在北京", "entities": [entity], "relations": [{"id": 1}]}
    assert read("doccano", [SPANS])[0] == [HERE]
    examples, how = read("doccano", [other])
    assert (examples, dict(how.counts)) == ([HERE], {"left out: relations": 1})


def test_doccano_labels(read: Callable[..., Any]) -> None:
    examples, _ = read("doccano", [KIND | {"label": []}, KIND])
    assert [example.labels for example in examples] == [(), ("旅游", "新闻")]


def test_doccano_counts_as_it_is_told(read: Callable[..., Any]) -> None:
    emoji = {"text": "👍🏽他在北京", "label": [[3, 5, "地点"]]}
    (example,), _ = read("doccano", [emoji], offsets="graphemes")
    assert example.entities[0].surface == "北京"


def test_label_studio_counts_utf16(read: Callable[..., Any]) -> None:
    (example,), _ = read("labelstudio", as_json([task("😀在北京", span(3, 5, "北京"))]))
    assert [(s.start, s.end) for s in example.entities] == [(2, 4)]
    with pytest.raises(DataError, match="fit with --offsets characters"):
        read("labelstudio", as_json([task("😀在北京", span(2, 4, "北京"))]))


def test_label_studio_choices_and_what_is_left_out(read: Callable[..., Any]) -> None:
    given = task("他在北京", {"choices": ["旅游"]}, type="choices")
    given["annotations"][0]["result"].append({"type": "rating", "value": {"rating": 3}})
    given["annotations"] = [{"was_cancelled": True, "result": []}, *given["annotations"], {"result": []}]
    (example,), how = read("labelstudio", as_json([given]))
    assert example == LabelExample(id="3", text="他在北京", labels=("旅游",))
    assert how.counts == {
        "left out: further annotations": 1,
        "left out: results that are neither spans nor choices": 1,
    }


def test_label_studio_texts_have_names(read: Callable[..., Any]) -> None:
    given = task("", span(2, 4, "北京")) | {"data": {"review": "他在北京", "stars": 3}}
    assert read("labelstudio", as_json([given]))[0] == [HERE]
    given["data"]["title"] = "题"
    with pytest.raises(DataError, match="task 1: text: this key is needed"):
        read("labelstudio", as_json([given]))
    assert read("labelstudio", as_json([given]), columns={"text": "review"})[0] == [HERE]


def brat(folder: Path, text: str, ann: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "3.txt").write_bytes(text.encode())
    (folder / "3.ann").write_bytes(ann.encode())
    return folder


def test_brat(tmp_path: Path) -> None:
    how, ann = How(), "T1\t地点 2 4\t北京\nR1\tIn Arg1:T1 Arg2:T1\n#1\tNote T1\t好\n"
    folder = brat(tmp_path / "b", "他在北京", ann)
    for path in (folder, folder / "3.txt", folder / "3.ann"):
        how = How()
        assert [example for _, example in FORMS["brat"].read(path, how)] == [HERE]
    assert how.counts == {"left out: neither text nor span": 2}


def test_parts_on_two_lines_are_one_span(tmp_path: Path) -> None:
    folder = brat(tmp_path / "b", "他在北\n京", "T1\t地点 2 3;4 5\t北 京\n")
    ((_, example),) = FORMS["brat"].read(folder, How())
    assert example.entities == (Span(2, 5, "地点"),)  # type: ignore[union-attr]  # it is an EntityExample


def test_spans_in_parts_are_refused_or_left_out(tmp_path: Path) -> None:
    folder = brat(tmp_path / "b", "他在北京", "T1\t地点 0 1;2 4\t他 北京\nT2\t地点 2 4\t北京\n")
    with pytest.raises(DataError, match=r'3\.ann:1: "他 北京" is written in parts'):
        list(FORMS["brat"].read(folder, How()))
    how = How(misplaced="drop")
    assert [example for _, example in FORMS["brat"].read(folder, how)] == [HERE]
    assert how.counts == {"left out: spans in parts": 1}


def test_names_are_in_their_order(tmp_path: Path) -> None:
    examples = [EntityExample(id=f"a{i}", text="好") for i in (1, 2, 10)]
    FORMS["brat"].write(examples, tmp_path / "b")
    assert [example for _, example in FORMS["brat"].read(tmp_path / "b", How())] == examples


@pytest.mark.parametrize(
    ("ann", "said"),
    [
        ("T1\t地点 2 9\t北京", r'3\.ann:1: "北京" has 2 characters'),
        ("T1\t地点 0 2\t北京", r'3\.ann:1: "北京" should stand at 0 but'),
        ("T1\t地点 2-4\t北京", "is no entity of brat"),
    ],
)
def test_what_brat_refuses(ann: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        list(FORMS["brat"].read(brat(tmp_path / "b", "他在北京", ann), How()))


@pytest.mark.parametrize(
    ("form", "content", "said"),
    [
        ("doccano", [SPANS, KIND], "data.txt:2: the label 旅游 is not one of ner .one kind a file"),
        ("doccano", [KIND | {"label": []}], "no record has a label .say what they are: --task"),
        ("doccano", [SPANS | {"label": [[2, 4]]}], r"a span must be \[start, end, label\]"),
        (
            "doccano",
            [SPANS | {"label": [[2, 40, "X"]]}],
            r"data.txt:1: a span 2\.\.40 does not lie in the text",
        ),
        ("doccano", [{"label": []}, SPANS], "data.txt:1: text: this key is needed"),
        ("labelstudio", "{}", "the file: must be list, not dict"),
        ("labelstudio", "[5]", "task 1: must be an object with annotations, not int"),
        ("labelstudio", as_json([task("好")]), "no task has a label"),
        ("labelstudio", as_json([{"annotations": [5]}]), "annotations: must be dict, not int"),
        (
            "labelstudio",
            as_json([task("好", span(0, 1, "好")), task("好", {"choices": ["a"]}, type="choices")]),
            "has both spans and choices",
        ),
    ],
)
def test_what_is_refused(form: str, content: Any, said: str, read: Callable[..., Any]) -> None:
    with pytest.raises(DataError, match=said):
        read(form, content)


@pytest.mark.parametrize(
    ("example", "said"),
    [
        (EntityExample(id="../x", text="好"), "cannot be the name of a file"),
        (EntityExample(id="n1", text="好", entities=(Span(0, 1, "a b"),)), 'the label "a b"'),
        (EntityExample(id="n1", text="好\n", entities=(Span(0, 2, "a"),)), "ends in a line break"),
        (LabelExample(id="n1", text="好"), "brat cannot hold LabelExample"),
    ],
)
def test_what_brat_cannot_hold(example: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        FORMS["brat"].write([example], tmp_path / "b")

"""Tables, JSON lines and saved data sets: which column is what."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Sequence, Value

from zhbert.errors import DataError
from zhbert.read.forms import FORMS, How
from zhbert.read.forms.saved import from_dataset
from zhbert.records import ChoiceExample, LabelExample, PairExample, ReadingExample, Span

REVIEWS = 'cat,label,review\n书籍,1,"好书，\n值得"\n酒店,0,\n'


def test_columns_are_named(read: Callable[..., Any]) -> None:
    examples, _ = read("csv", REVIEWS, columns={"text": "review", "label": "cat"})
    assert examples == [
        LabelExample(id="1", text="好书，\n值得", labels=("书籍",)),
        LabelExample(id="2", text="", labels=("酒店",)),
    ]


def test_a_column_that_is_called_like_a_field_is_that_field(read: Callable[..., Any]) -> None:
    examples, _ = read("csv", REVIEWS, columns={"text": "review"})
    assert [example.labels for example in examples] == [("1",), ("0",)]
    examples, _ = read("csv", REVIEWS, columns={"text": "review", "label": ""})
    assert [example.labels for example in examples] == [(), ()]


def test_columns_are_counted_where_there_is_no_header(read: Callable[..., Any]) -> None:
    examples, _ = read("tsv", '他说"好"\t好\t4.5\r\n', columns={"first": "1", "second": "2", "value": "3"})
    assert examples == [PairExample(id="1", first='他说"好"', second="好", value=4.5)]


def test_who_names_a_value_wants_no_label(read: Callable[..., Any]) -> None:
    content = "text,label,score\n好,正面,0.5\n"
    assert read("csv", content, columns={"value": "score"})[0] == [LabelExample(id="1", text="好", value=0.5)]


def test_packed_files_are_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(REVIEWS.encode()))
    read = FORMS["csv"].read(path, How(columns={"text": "review"}))
    assert [where for where, _ in read] == [f"{path}:2", f"{path}:4"]
    path.write_bytes(gzip.compress(REVIEWS.encode())[:-9])
    with pytest.raises(DataError, match=r"a\.csv\.gz: not a whole gzip file"):
        list(FORMS["csv"].read(path, How()))


def test_several_labels(read: Callable[..., Any]) -> None:
    assert read("csv", "text,labels\n好,甲|乙\n坏,\n")[0] == [
        LabelExample(id="1", text="好", labels=("甲", "乙")),
        LabelExample(id="2", text="坏"),
    ]
    assert read("jsonl", [{"text": "好", "label": ["甲", "乙"]}])[0][0].labels == ("甲", "乙")


@pytest.mark.parametrize(
    ("form", "content", "columns", "said"),
    [
        ("csv", REVIEWS, {"text": "reveiw"}, 'no column "reveiw" .did you mean "review"'),
        ("csv", REVIEWS, {"txt": "review"}, 'no field "txt" .did you mean "text"'),
        ("csv", REVIEWS, {}, r"which column is the text\? .--columns text=NAME; the columns are cat, label"),
        ("csv", "text,label\n好\n", {}, "data.txt:2: 1 columns where the first row has 2"),
        ("csv", 'text,label\n"好,1\n', {}, "data.txt:2: not valid CSV"),
        ("csv", "text,text\n好,1\n", {}, 'the column "text" stands twice'),
        ("tsv", "text\tvalue\n好\tnan\n", {}, "data.txt:2: value: nan is not a finite number"),
        ("tsv", "text\tvalue\n好\t四\n", {}, 'data.txt:2: value: "四" is not a number'),
        ("tsv", "text\tlabel\tvalue\n好\ta\t1\n", {}, "data.txt:2: an answer is a label or a value"),
        ("tsv", "好\t1\n", {"first": "1", "second": "3"}, 'no column "3"'),
        ("jsonl", [{"text": 5}], {}, "data.txt:1: text: must be str, not int"),
        ("jsonl", [{"text": "好"}, {"txt": "好"}], {}, "data.txt:2: text: this key is needed"),
        ("jsonl", [{"text": "好", "label": {"a": 1}}], {}, "label: must be a word or a number, not dict"),
        ("jsonl", [{"tokens": ["好"], "tags": []}], {}, "data.txt:1: 1 tokens but 0 tags"),
        ("jsonl", [{"tokens": ["好", ""], "tags": ["O", "O"]}], {}, "an empty token"),
        (
            "jsonl",
            [{"tokens": ["好"], "tags": ["O"]}, {"tokens": ["好"], "tags": ["I-X"]}],
            {},
            "data.txt:2: .I-X",
        ),
    ],
)
def test_what_is_refused(
    form: str, content: Any, columns: dict[str, str], said: str, read: Callable[..., Any]
) -> None:
    options = {"scheme": "BIO"} if "tokens" in str(content) else {}
    with pytest.raises(DataError, match=said):
        read(form, content, columns=columns, **options)


def test_json_lines_hold_every_task(read: Callable[..., Any]) -> None:
    reading = {
        "context": "他在北京",
        "question": "哪里？",
        "answers": {"text": ["北京"], "answer_start": [2]},
    }
    assert read("jsonl", [reading])[0] == [
        ReadingExample(id="1", context="他在北京", question="哪里？", answers=(Span(2, 4),))
    ]
    choice = {"context": "他", "question": "谁？", "options": ["他", "我"], "answer": "我"}
    assert read("jsonl", [choice, choice | {"answer": 1}])[0] == [
        ChoiceExample(id=str(i), context="他", question="谁？", options=("他", "我"), answer=1)
        for i in (1, 2)
    ]


def test_numbers_of_a_data_set_become_names() -> None:
    features = Features({"review": Value("string"), "cat": ClassLabel(names=["坏", "好"])})
    dataset = Dataset.from_dict({"review": ["很好", "很坏", "?"], "cat": [1, 0, -1]}, features=features)
    how = How(columns={"text": "review", "label": "cat"})
    assert [example for _, example in from_dataset(dataset, how)] == [
        LabelExample(id="1", text="很好", labels=("好",)),
        LabelExample(id="2", text="很坏", labels=("坏",)),
        LabelExample(id="3", text="?"),
    ]


def test_tags_of_a_data_set_are_named() -> None:
    tags = Sequence(ClassLabel(names=["O", "B-X", "I-X"]))
    features = Features({"tokens": Sequence(Value("string")), "ner_tags": tags})
    dataset = Dataset.from_dict({"tokens": [["北", "京", "好"]], "ner_tags": [[1, 2, 0]]}, features=features)
    how = How(columns={"tags": "ner_tags"})
    ((_, example),) = from_dataset(dataset, how)
    assert example.entities == (Span(0, 2, "X"),)  # type: ignore[union-attr]  # it is an EntityExample


@pytest.mark.slow
def test_saved_data_sets(tmp_path: Path) -> None:
    dataset = Dataset.from_dict({"text": ["好", "坏"], "label": ["a", "b"]})
    DatasetDict({"train": dataset}).save_to_disk(tmp_path / "set")
    examples = [example for _, example in FORMS["datasets"].read(tmp_path / "set" / "train", How())]
    assert examples == [
        LabelExample(id="1", text="好", labels=("a",)),
        LabelExample(id="2", text="坏", labels=("b",)),
    ]
    with pytest.raises(DataError, match=r"holds several splits .name one: .*train"):
        list(FORMS["datasets"].read(tmp_path / "set", How()))
    with pytest.raises(DataError, match="is no folder of save_to_disk"):
        list(FORMS["datasets"].read(tmp_path, How()))


@pytest.mark.parametrize(
    ("form", "example", "said"),
    [
        ("tsv", LabelExample(id="n1", text="a\tb"), "n1: tsv cannot hold a tab"),
        (
            "csv",
            ChoiceExample(id="n1", context="", question="", options=("甲", "乙")),
            "n1: csv cannot hold Choice",
        ),
        ("csv", LabelExample(id="n1", text="a", labels=("a|b", "c")), "n1: csv cannot hold a label with"),
        ("clue", LabelExample(id="n1", text="a", labels=("b", "c")), "n1: clue cannot hold 2 labels"),
        ("datasets", LabelExample(id="n1", text="a"), "datasets can be read but not written"),
    ],
)
def test_what_cannot_be_written(form: str, example: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        FORMS[form].write([example], tmp_path / "x")

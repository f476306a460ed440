"""`data convert`: from any form into any other that holds the same."""

import json
from pathlib import Path
from typing import get_args

import pytest

from zhbert.corpus.convert import ConvertConfig, Written, convert
from zhbert.corpus.labelled import FormName, columns_of
from zhbert.errors import DataError
from zhbert.files import Work
from zhbert.read.forms import FORMS, How
from zhbert.records import LabelExample

CITIES = "北 B-地点\n京 I-地点\n好 O\n\n上 B-地点\n海 I-地点\n\n他 O\n"


def converted(folder: Path, content: str = CITIES, **options: object) -> Work:
    (folder / "a.txt").write_text(content, encoding="utf-8")
    work = Work(folder / "out")
    work.folder.mkdir()
    convert(ConvertConfig(source=folder / "a.txt", **options), work)  # type: ignore[arg-type]  # any option
    return work


def test_the_names_of_forms_are_those_of_the_table() -> None:
    assert set(get_args(FormName)) == set(FORMS)
    assert set(get_args(Written)) == {name for name, form in FORMS.items() if form.writer}


@pytest.mark.parametrize("to", ["zhbert", "conll", "cluener", "doccano", "labelstudio", "brat"])
def test_every_form_of_a_task_leads_to_every_other(to: str, tmp_path: Path) -> None:
    work = converted(tmp_path, form="conll", to=to)
    examples = [example for _, example in FORMS["conll"].read(tmp_path / "a.txt", How())]
    written = work.folder / ("examples" + FORMS[to].suffix)
    assert [example for _, example in FORMS[to].read(written, How())] == examples
    assert work.counts == {
        "task": "ner",
        "examples": 3,
        "of": 3,
        "apart": 0,
        "labels": {"地点": 2},
        "scheme": "BIO",
    }


def test_a_scheme_is_written_as_asked(tmp_path: Path) -> None:
    work = converted(tmp_path, form="conll", to="conll", to_scheme="BMES")
    assert (work.folder / "examples.txt").read_text("utf-8").splitlines()[:2] == ["北\tB-地点", "京\tE-地点"]


def test_what_was_mended_is_counted(tmp_path: Path) -> None:
    work = converted(tmp_path, CITIES + "\n天 O\n津 I-地点\n", form="conll", repair=True)
    assert work.counts["sentences with mended tags"] == 1


def test_one_text_is_on_one_side(tmp_path: Path) -> None:
    rows = "".join(f"{i % 20}好\n" for i in range(100))
    work = converted(tmp_path, "text\n" + rows, form="csv", apart=0.3)
    sides = [
        {json.loads(line)["text"] for line in (work.folder / name).read_text("utf-8").splitlines()}
        for name in ("examples.jsonl", "apart.jsonl")
    ]
    assert sides[0] | sides[1] == {f"{i}好" for i in range(20)}
    assert not sides[0] & sides[1]
    assert 0 < work.counts["apart"] < 60


def test_a_sample_keeps_the_order(tmp_path: Path) -> None:
    work = converted(tmp_path, "text\n" + "".join(f"{i}\n" for i in range(50)), form="csv", sample=9)
    ids = [int(example.id) for _, example in FORMS["zhbert"].read(work.folder / "examples.jsonl", How())]
    assert len(ids) == 9
    assert ids == sorted(ids)
    assert (work.counts["examples"], work.counts["of"]) == (9, 50)


def test_a_reference_needs_no_form(tmp_path: Path) -> None:
    work = Work(tmp_path)
    convert(ConvertConfig(source=Path("mini:topics/test"), to="csv", sample=3), work)
    ((_, first), *_) = FORMS["csv"].read(tmp_path / "examples.csv", How())
    assert isinstance(first, LabelExample)
    assert work.counts["task"] == "classify"


def test_half_a_character_is_written_as_json_can(tmp_path: Path) -> None:
    content = '{"text": "坏' + "\\" + 'ud83d"}'
    work = converted(tmp_path, content, form="jsonl")
    ((_, example),) = FORMS["zhbert"].read(work.folder / "examples.jsonl", How())
    assert example == LabelExample(id="1", text="坏" + chr(0xD83D))
    (tmp_path / "again").mkdir()
    with pytest.raises(DataError, match="half a character"):
        converted(tmp_path / "again", content, form="jsonl", to="csv")


def test_columns_in_words() -> None:
    assert columns_of("") == {}
    assert columns_of("text=a=b,label=") == {"text": "a=b", "label": ""}

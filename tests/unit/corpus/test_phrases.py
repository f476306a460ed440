"""The stage that mines phrases, and the list that it writes and reads back."""

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from zhbert.corpus.documents import Columns
from zhbert.corpus.phrases import HEAD, NAME, Listed, PhrasesConfig, phrases, read_phrases
from zhbert.errors import DataError
from zhbert.files import Work
from zhbert.records import Document
from zhbert.text.segment import segmenter
from zhbert.text.units import UnitsConfig, make_units

DATA = Path(os.environ.get("ZHBERT_DATA", Path(__file__).parents[4] / "shared" / "data"))


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Return a built corpus in which "犯罪嫌疑人" comes in many surroundings."""
    rng = random.Random(10)
    verbs, things = (
        ["逮捕", "释放", "讯问", "传唤", "拘留", "通知"],
        ["到场", "回家", "签字", "陈述", "离开", "休息"],
    )
    lines = [f"公安机关{rng.choice(verbs)}犯罪嫌疑人{rng.choice(things)}。" for _ in range(200)]
    documents = [Document(id=str(i), text="\n".join(lines[i : i + 10])) for i in range(0, 200, 10)]
    folder = tmp_path / "built"
    folder.mkdir()
    for number in range(2):
        Columns.of(documents[number::2]).write(folder / f"part-{number:05d}.parquet")
    return folder


def mine(folder: Path, output: Path, **values: Any) -> Path:
    output.mkdir()
    work = Work(output)
    phrases(PhrasesConfig(documents=folder, **values), work)
    (output / "counts.json").write_text(json.dumps(work.counts), "utf-8")
    return output / NAME


def test_a_list_of_phrases(built: Path, tmp_path: Path) -> None:
    path = mine(built, tmp_path / "out")
    lines = path.read_text("utf-8").splitlines()
    assert lines[0] == HEAD
    assert lines[1].startswith("犯罪嫌疑人\t200\t")
    assert [phrase.text for phrase in read_phrases(path)] == [line.split("\t")[0] for line in lines[1:]]
    counts = json.loads((tmp_path / "out" / "counts.json").read_text("utf-8"))
    assert counts["phrases"] == len(lines) - 1
    assert counts["complete_from"] == 20
    assert [file.name for file in sorted((tmp_path / "out").iterdir())] == ["counts.json", NAME]


def test_the_same_bytes_again_and_only_the_best(built: Path, tmp_path: Path) -> None:
    once, again = (mine(built, tmp_path / name, min_pmi=0.0, min_entropy=0.0) for name in ("1", "2"))
    assert once.read_bytes() == again.read_bytes()
    assert len(read_phrases(once)) > 3
    assert (
        read_phrases(mine(built, tmp_path / "3", min_pmi=0.0, min_entropy=0.0, most=2))
        == read_phrases(once)[:2]
    )


def test_no_phrases_at_all(built: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no run of words is a phrase \(lower min_count"):
        mine(built, tmp_path / "out", min_count=1000)
    assert list((tmp_path / "out").iterdir()) == []


def test_the_list_finds_its_phrases_again(built: Path, tmp_path: Path) -> None:
    units = make_units(UnitsConfig(phrases=mine(built, tmp_path / "out"), entities=False))
    text = "他是犯罪嫌疑人。"
    found, *_ = units.ranges(text, segmenter().ends(text))
    assert found.tolist() == [[2, 7]]


def test_an_edited_list(tmp_path: Path) -> None:
    path = tmp_path / "phrases.tsv"
    path.write_bytes(
        f"\ufeff{HEAD}\r\n犯罪嫌疑人\t806\t-0.902\t4\t3.874\r\n#删掉的\t1\t1\t1\t1\n\n 加的 \n".encode()
    )
    assert read_phrases(path) == [
        Listed(text="犯罪嫌疑人", count=806, pmi=-0.902, left=4.0, right=3.874),
        Listed(text="加的"),
    ]


@pytest.mark.parametrize(
    "line",
    ["犯罪嫌疑人\t806", "犯罪嫌疑人\t八\t1\t1\t1", "\t1\t1\t1\t1", "a\t1\t1\t1\t1\t1", "a\t1\t1\t1\tnan"],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "phrases.tsv"
    path.write_text(f"{HEAD}\n好的\n{line}\n", "utf-8")
    with pytest.raises(DataError, match=r"phrases.tsv:3: not a line of phrases"):
        read_phrases(path)


def test_a_list_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_phrases(tmp_path / "none.tsv")
    (tmp_path / "gbk.tsv").write_bytes("短语".encode("gb18030"))
    with pytest.raises(DataError, match="not UTF-8 at byte 0"):
        read_phrases(tmp_path / "gbk.tsv")


@pytest.mark.slow
@pytest.mark.realdata
def test_phrases_of_real_text(tmp_path: Path) -> None:
    path = DATA / "text" / "mixed-sample.txt"
    if not path.exists():
        pytest.skip(f"no {path}; set ZHBERT_DATA to the folder of data sets")
    lines = path.read_text("utf-8").split("\n")
    (tmp_path / "built").mkdir()
    Columns.of(Document(id=str(i), text=line) for i, line in enumerate(lines)).write(
        tmp_path / "built" / "part-00000.parquet"
    )
    found = {phrase.text for phrase in read_phrases(mine(tmp_path / "built", tmp_path / "out"))}
    assert "主管税务机关" in found

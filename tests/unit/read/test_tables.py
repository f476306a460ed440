"""CSV and TSV, to the line."""

import csv
import io
import random

import pytest

from zhbert.errors import DataError
from zhbert.read.piece import Reject

SIGNS = ["北", "京", ",", '"', "\n", "\t", " ", "\u2028", "\v", "\x85", ";", "😀", "'"]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_csv_module_writes_comes_back_with_its_line(seed: int, read) -> None:
    dice = random.Random(seed)
    rows = [["".join(dice.choices(SIGNS, k=dice.randrange(9))) for _ in range(3)] for _ in range(30)]
    file, lines, line = io.StringIO(), [], 2
    writer = csv.writer(file, lineterminator=dice.choice(["\n", "\r\n"]))
    writer.writerow(["id", "text", "标签"])
    for row in rows:
        writer.writerow(row)
        lines.append(line)
        line += 1 + sum(cell.count("\n") for cell in row)
    found = [(d.id, d.text, d.meta["标签"], d.at) for d in read({"a.csv": "\ufeff" + file.getvalue()})]
    assert found == [
        (id or f"a.csv:{n}", text, label, f"a.csv:{n}")
        for n, (id, text, label) in zip(lines, rows, strict=True)
    ]


def test_words_stay_words_and_cells_may_be_long(read) -> None:
    data = "text,n\nNA,001\nnull,1.10\n" + "长" * 200_000 + ",\n"
    assert [(d.text[:4], d.meta["n"]) for d in read({"a.csv": data})] == [
        ("NA", "001"),
        ("null", "1.10"),
        ("长长长长", ""),
    ]


def test_a_quote_in_a_tsv_is_a_character(read) -> None:
    data = 'label\ttext\n1\t"引号没有关\n2\t他说"好"\r\n'
    assert [d.text for d in read({"a.tsv": data})] == ['"引号没有关', '他说"好"']
    quoted = 'label\ttext\n1\t"两\n行"\n'
    assert [d.text for d in read({"b.tsv": quoted}, quoting="quoted")] == ["两\n行"]


def test_other_delimiters_and_nameless_columns(read) -> None:
    documents = read({"a.csv": ";text;;b\n0;北京;x;y\n"}, delimiter=";")
    assert [(d.text, d.meta) for d in documents] == [("北京", {"column 1": "0", "column 3": "x", "b": "y"})]


def test_an_open_quote_costs_one_row(read) -> None:
    rejects: list[Reject] = []
    rows = [f"{n},第{n}行" for n in range(2, 3002)]
    rows[10] = '12,"没有关'
    rows[20] = '22,"两\n行"'
    rows[30] = '33,"又没有关'
    documents = read({"a.csv": "id,text\n" + "\n".join(rows)}, rejects=rejects)
    assert [(r.at, r.reason, r.raw) for r in rejects] == [
        ("a.csv:12", "not valid CSV", '12,"没有关'),
        ("a.csv:33", "not valid CSV", '33,"又没有关'),
    ]
    assert len(documents) == 2998
    assert [d.text for d in documents if d.id == "22"] == ["两\n行"]
    assert documents[-1].at == "a.csv:3002"


def test_a_file_full_of_open_quotes_ends(read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhbert.read.tables._MOST_AGAIN", 20_000)
    rejects: list[Reject] = []
    data = "text,n\n好,1\n" + 'x","开\n' * 501  # each opens a quote that the next one closes and opens again
    documents = read({"a.csv": data}, rejects=rejects)
    assert rejects[-1].what == "too many quotes that are never closed"
    assert len(documents) + len(rejects) < 600


def test_a_table_without_a_header_is_told_in_one_short_line(read) -> None:
    with pytest.raises(DataError) as caught:
        read({"a.csv": "\n".join([",".join(["长" * 5000] + [f'"两\n行{n}"' for n in range(99)])] * 2)})
    assert str(caught.value).startswith('a.csv:1: no column "text" (known: 两 行0, 两 行1, ')
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_blank_lines_are_nothing_and_a_header_alone_is_no_record(read) -> None:
    rejects: list[Reject] = []
    assert [d.at for d in read({"a.csv": "text\n\n甲\n\n\n乙\n"})] == ["a.csv:3", "a.csv:6"]
    assert read({"b.csv": "text\n"}, rejects=rejects) == read({"c.csv": ""}, rejects=rejects) == []
    assert [r.what for r in rejects] == ["the file has no records"] * 2

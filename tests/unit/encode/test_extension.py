"""The record of what was added to a tokenizer."""

import json
from pathlib import Path

import pytest

from zhbert.encode.extension import EXTENSION, Extension, NewToken, read_extension, write_extension
from zhbert.errors import DataError

FOUND = Extension(
    base="a",
    tokenizer="b",
    base_size=7,
    size=9,
    groups={"Han": (5, 6)},
    tokens=(
        NewToken(token="龘", id=7, count=3, group="Han"),
        NewToken(token='##\u2028"', id=8, count=2, init=(5, 5)),
    ),
)


def test_what_is_written_is_read_a_token_a_line(tmp_path: Path) -> None:
    write_extension(tmp_path, FOUND)
    assert read_extension(tmp_path) == FOUND
    assert FOUND.starts() == {7: (5, 6), 8: (5, 5)}
    lines = (tmp_path / EXTENSION).read_text(encoding="utf-8").split("\n")
    assert lines[1] == '{"token": "龘", "id": 7, "count": 3, "init": [], "group": "Han"},'
    assert (len(lines), lines[-1]) == (5, "")


def test_nothing_added_is_an_extension_too(tmp_path: Path) -> None:
    nothing = Extension(base="a", tokenizer="a", base_size=7, size=7)
    write_extension(tmp_path, nothing)
    assert read_extension(tmp_path) == nothing


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"groups": {}}, 'the token "龘" has nothing to start from'),
        ({"size": "9"}, '"size" must be a whole number, not a text'),
        ({"bases": 1}, 'unknown field "bases"'),
    ],
)
def test_a_wrong_file_says_what_is_wrong(tmp_path: Path, change: dict[str, object], message: str) -> None:
    write_extension(tmp_path, FOUND)
    path = tmp_path / EXTENSION
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read_extension(tmp_path)
    assert caught.value.where == str(path)


def test_no_file_or_no_json_is_said_too(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no extension\.json in it \(zhbert vocab with extend writes one\)"):
        read_extension(tmp_path)
    (tmp_path / EXTENSION).write_text("{")
    with pytest.raises(DataError, match="not valid JSON"):
        read_extension(tmp_path)

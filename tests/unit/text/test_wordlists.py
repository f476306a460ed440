"""Word lists in the shapes people have, and the line that is named when one is broken."""

import os
from pathlib import Path

import pytest

from zhbert.errors import DataError
from zhbert.text.wordlists import read_words

DATA = Path(os.environ.get("ZHBERT_DATA", Path(__file__).parents[4] / "shared" / "data"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("发展\n部门\n", ("发展", "部门")),
        ("发展 \t 1934814 \n部门\t170\n", ("发展", "部门")),
        ("\ufeff中国\t1\r北京\t2\r北京\t3", ("中国", "北京")),
        ("云计算 3 n\r\n蓝翔 nz\r\n台中 5\r\n", ("云计算", "蓝翔", "台中")),
        (
            "iPhone 15 Pro\n小米 14\n小米 14\t\nWindows 11\n华为 Mate 60\n",
            ("iPhone 15 Pro", "小米", "小米 14", "Windows 11", "华为 Mate 60"),
        ),
        ("# 说明\n#删掉\t3\t0.5\n犯罪嫌疑人\t806\t0.902\t4.112\t3.874\n\n", ("犯罪嫌疑人",)),
        ("让·雷诺\n一\u2028行\n", ("让·雷诺", "一\u2028行")),
    ],
)
def test_shapes_of_lists(tmp_path: Path, content: str, words: tuple[str, ...]) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content.encode())
    assert read_words(path) == words


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"words.txt: no words in it \(one word a line\)"),
        ("# 只有说明\n".encode(), "words.txt: no words in it"),
        ("好\n云计算".encode("gb18030"), r"words.txt:1: not UTF-8 \(save the list as UTF-8\)"),
        ("好\r\n".encode() + b"\xff", r"words.txt:2: not UTF-8"),
        (("好词\n" + "长" * 65).encode(), r"words.txt:2: an entry of 65 characters, more than 64"),
    ],
)
def test_a_broken_list_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_words(path)


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_words(tmp_path / "none.txt")


@pytest.mark.slow
@pytest.mark.realdata
def test_all_lists_of_thuocl() -> None:
    lists = sorted((DATA / "lexicons" / "thuocl").glob("*.txt"))
    if not lists:
        pytest.skip(f"no lexicons in {DATA}; set ZHBERT_DATA to the folder of data sets")
    words = {path.stem: read_words(path) for path in lists}
    assert sum(map(len, words.values())) == 157_163
    assert words["THUOCL_diming"][:2] == ("中国", "北京")
    assert not any("\t" in word or word != word.strip() for found in words.values() for word in found)

"""The lines of a file: where they end, and where a bad one is."""

import json
from pathlib import Path

import pytest

from zhbert.errors import DataError
from zhbert.read.lines import read_json_lines, read_lines, read_text

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


def test_the_guess_names_the_encoding_and_how_to_convert(tmp_path: Path) -> None:
    for encoding, named in (("gbk", "GB18030"), ("utf-16", "UTF-16")):
        path = write(tmp_path / f"{encoding}.txt", "中国的城市在发展", encoding=encoding)
        with pytest.raises(DataError, match=f"it reads as {named}: iconv -f {named.lower()} -t utf-8"):
            read_text(path)
    path = tmp_path / "noise.bin"
    path.write_bytes(b"\xff\xff\xff")
    with pytest.raises(DataError, match="convert the file to UTF-8"):
        read_text(path)

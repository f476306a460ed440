"""Raw text into documents: what is kept, what is dropped and why, what is on disk."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from zhbert.corpus.build import SCHEMA, BuildConfig, build, count_built, han_share, make_filters, read_built
from zhbert.errors import DataError
from zhbert.files import Work

GOOD = "上海的图书馆每天早上九点开门，读者可以免费借书。"
OTHER = "这座城市的公园里有许多老人在清晨打太极拳，非常热闹。"


def built(folder: Path, text: str, **options: Any) -> Work:
    (folder / "raw.txt").write_text(text, encoding="utf-8")
    work = Work(folder / "out")
    work.folder.mkdir()
    build(BuildConfig(source=folder / "raw.txt", **options), work)
    return work


def texts(work: Work) -> list[str]:
    return [document.text for document in read_built(work.folder)]


def test_nothing_is_dropped_without_a_reason(tmp_path: Path) -> None:
    wide = GOOD.replace("，", " ，\n")
    latin = "this is an English sentence with no Chinese in it at all"
    work = built(tmp_path, "\n\n".join([GOOD, "太短", latin, OTHER, GOOD, wide]))
    assert texts(work) == [GOOD, OTHER]
    assert work.counts == {
        "documents": 2,
        "characters": len(GOOD) + len(OTHER),
        "dropped": {"too short": 1, "too little Han": 1, "repeated": 2},
    }


def test_the_first_filter_that_objects_names_the_reason() -> None:
    filters = make_filters(BuildConfig(source=Path()))
    assert list(filters) == ["too short", "too little Han", "repeated"]
    assert [name for name, objects in filters.items() if objects("abc")] == ["too short", "too little Han"]
    assert "repeated" not in make_filters(BuildConfig(source=Path(), dedup=False))


def test_repeats_may_stay(tmp_path: Path) -> None:
    assert texts(built(tmp_path, f"{GOOD}\n\n{GOOD}", dedup=False)) == [GOOD, GOOD]


def test_texts_are_normalised_before_they_are_judged(tmp_path: Path) -> None:
    traditional = "圖書館每天早上九點開門\x00，讀者可以免費借書，請大家互相轉告一下。"
    work = built(tmp_path, f"{traditional}\n\nＡＢＣ{GOOD}", simplify=True)
    assert texts(work)[0].startswith("图书馆每天早上九点开门，读者")
    assert texts(work)[1] == f"ＡＢＣ{GOOD}"


def test_full_width_characters_are_folded_on_request(tmp_path: Path) -> None:
    assert texts(built(tmp_path, f"ＡＢＣ{GOOD}", nfkc=True)) == [f"ABC{GOOD}".replace("，", ",")]


def test_parts_hold_so_many_documents_and_keep_their_order(tmp_path: Path) -> None:
    lines = [f"第{i}条：{GOOD}" for i in range(7)]
    work = built(tmp_path, "\n".join(lines), form="lines", part_documents=3)
    parts = sorted(work.folder.iterdir())
    assert [pq.ParquetFile(part).metadata.num_rows for part in parts] == [3, 3, 1]
    assert all(pq.read_schema(part).equals(SCHEMA) for part in parts)
    documents = list(read_built(work.folder))
    assert [d.id for d in documents] == [f"raw.txt:{i}" for i in range(1, 8)]
    assert {(d.source, tuple(d.meta)) for d in documents} == {("raw.txt", ())}
    assert count_built(work.folder) == 7


def test_a_built_corpus_is_the_same_bytes_again(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    first, second = (built(tmp_path / name, f"{GOOD}\n\n{OTHER}") for name in "ab")
    part = "part-00000.parquet"
    assert (first.folder / part).read_bytes() == (second.folder / part).read_bytes()


def test_datasets_reads_the_parts(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    work = built(tmp_path, f"{GOOD}\n\n{OTHER}")
    loaded = datasets.load_dataset(
        "parquet", data_files=str(work.folder / "*.parquet"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert loaded["text"][:] == [GOOD, OTHER]


def test_a_folder_that_is_no_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a built corpus"):
        next(read_built(tmp_path))


@pytest.mark.parametrize(
    ("text", "share"), [("", 0), (" \n", 0), ("汉", 1), ("汉a", 0.5), ("𠮷㐀", 1), ("，", 0)]
)
def test_han_share(text: str, share: float) -> None:
    assert han_share(text) == share

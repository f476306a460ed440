"""Raw text into documents: what is kept, what is dropped and why, what is on disk, whoever does the work."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from zhbert.app.stages import execute, find_stage
from zhbert.config import parse
from zhbert.corpus.build import BuildConfig
from zhbert.corpus.documents import SCHEMA, count_built, read_built
from zhbert.errors import ConfigError, DataError
from zhbert.files import Manifest, list_files

GOOD = "上海的图书馆每天早上九点开门，读者可以免费借书。"
OTHER = "这座城市的公园里有许多老人在清晨打太极拳，非常热闹。"
LONG = "第一条为了规范城市公共汽车客运活动保障运营安全提高服务质量促进城市公共汽车客运事业健康发展制定本条例"


def built(folder: Path, text: str = "", **options: Any) -> Manifest:
    """Build the documents of a text into `out`, as the command line does."""
    if text:
        (folder / "raw.txt").write_text(text, encoding="utf-8")
    values = {"source": str(folder / "raw.txt"), "workers": 1} | options
    stage = find_stage("corpus build")
    return execute(stage, parse(BuildConfig, values), folder / "out").manifest


def texts(folder: Path) -> list[str]:
    return [document.text for document in read_built(folder / "out")]


def facts(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "out" / "facts.json").read_text("utf-8"))
    return found


def left_out(folder: Path) -> dict[str, str]:
    lines = "".join(path.read_text("utf-8") for path in sorted(folder.glob("left-out-*.jsonl"))).splitlines()
    return {record["at"]: record["reason"] for record in map(json.loads, lines)}


def test_nothing_is_dropped_without_a_reason(tmp_path: Path) -> None:
    wide = GOOD.replace("，", " ，\n")
    latin = "this is an English sentence with no Chinese in it at all"
    manifest = built(tmp_path, "\n\n".join([GOOD, "太短", latin, OTHER, GOOD, wide]))
    assert texts(tmp_path) == [GOOD, OTHER]
    assert manifest.counts == {
        "documents": 2,
        "characters": len(GOOD) + len(OTHER),
        "dropped": {"too short": 1, "too little Han": 1, "repeated": 2},
    }


def test_every_step_says_what_went_in_and_came_out(tmp_path: Path) -> None:
    built(tmp_path, "\n\n".join([GOOD, "太短", OTHER, GOOD]))
    found = facts(tmp_path)
    flow = [(step["step"], step["documents_in"], step["documents_out"]) for step in found["steps"]]
    assert flow == [("normalise", 4, 4), ("filter", 4, 3), ("duplicates", 3, 2)]
    for before, after in zip(found["steps"], found["steps"][1:], strict=False):
        assert before["characters_out"] == after["characters_in"]
    assert found["read"]["documents"] == 4
    assert found["kept"] == {"documents": 2, "characters": len(GOOD) + len(OTHER)}
    assert found["sources"]["raw.txt"]["kept"]["documents"] == 2
    assert found["examples"]["filter: too short"] == [{"id": "raw.txt:3", "at": "raw.txt:3", "text": "太短"}]
    assert sum(found["lengths"]["counts"]) == sum(found["han"]["counts"]) == 2
    assert found["scripts"]["Han"] == sum("一" <= c <= "鿿" for c in GOOD + OTHER)


def test_repeats_may_stay(tmp_path: Path) -> None:
    built(tmp_path, f"{GOOD}\n\n{GOOD}", dedup="none")
    assert texts(tmp_path) == [GOOD, GOOD]


def test_steps_are_done_in_their_order(tmp_path: Path) -> None:
    traditional = "圖書館每天早上九點開門\u200b，讀者可以免費借書，請大家互相轉告一下。"
    steps = ["normalise simplify=true width=half", "filter min_characters=30"]
    built(tmp_path, f"{traditional}\n\nＡＢＣ{GOOD}", steps=steps)
    assert texts(tmp_path) == ["图书馆每天早上九点开门，读者可以免费借书，请大家互相转告一下。"]
    assert facts(tmp_path)["examples"]["filter: too short"][0]["text"] == f"ＡＢＣ{GOOD}"


def test_an_unknown_step_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean"):
        built(tmp_path, GOOD, steps=["normalize"])


def test_of_near_duplicates_the_longest_stays(tmp_path: Path) -> None:
    built(tmp_path, "\n\n".join([LONG, GOOD, LONG + "。全文", OTHER]), dedup="near")
    assert texts(tmp_path) == [GOOD, LONG + "。全文", OTHER]
    found = facts(tmp_path)
    (cluster,) = found["clusters"]["largest"]
    assert (cluster["kept"]["at"], cluster["dropped"][0]["at"]) == ("raw.txt:5", "raw.txt:1")
    assert 0.9 < cluster["dropped"][0]["similarity"] < 1
    assert [step["reasons"] for step in found["steps"]][-1] == {"nearly the same": 1}


def test_repeated_paragraphs_go_and_so_does_a_document_of_nothing_else(tmp_path: Path) -> None:
    notice = "版权所有，未经书面授权不得以任何形式转载本页内容。"
    built(tmp_path, f"{GOOD}\n{notice}\n\n{OTHER}\n{notice}\n\n{notice}\n{GOOD}", dedup="none", paragraphs=10)
    assert texts(tmp_path) == [f"{GOOD}\n{notice}", OTHER]
    last = facts(tmp_path)["steps"][-1]
    assert last["step"] == "paragraphs"
    assert (last["documents_in"], last["documents_out"]) == (3, 2)
    assert (last["reasons"], last["changes"]) == ({"nothing left": 1}, {"repeated lines": 3})
    assert last["characters_out"] == sum(map(len, texts(tmp_path)))


@pytest.mark.parametrize("guarded", ["drop", "flag"])
def test_text_of_a_test_is_found_and_dropped_or_flagged(guarded: str, tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    tests = [{"text": "另一件事情，与此毫无关系，也不会被找到，请放心。", "labels": ["甲"]}, {"text": OTHER}]
    lines = "\n".join(json.dumps(test, ensure_ascii=False) for test in tests)
    (tmp_path / "sets" / "test.jsonl").write_text(lines, encoding="utf-8")
    built(tmp_path, f"{GOOD}\n\n{GOOD}{OTHER}", guard=[str(tmp_path / "sets")], guarded=guarded)
    kept = list(read_built(tmp_path / "out"))
    assert [document.meta for document in kept] == [{}, {"shared with a test": "sets/test.jsonl:2"}][
        : len(kept)
    ]
    assert len(kept) == (1 if guarded == "drop" else 2)
    found = facts(tmp_path)["guard"]
    assert found["sets"] == {"sets/test.jsonl": {"texts": 2, "found": 1}}
    (hit,) = found["list"]
    assert (hit["at"], hit["test"]) == ("raw.txt:3", "sets/test.jsonl:2")
    assert hit["run"] in GOOD + OTHER
    assert json.loads((tmp_path / "out" / "guard.jsonl").read_text("utf-8")) == hit


def test_a_later_build_leaves_out_what_an_earlier_one_kept(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    built(tmp_path / "first", f"{LONG}\n\n{GOOD}\n\n短", index=True)
    earlier = {"against": [str(tmp_path / "first" / "out")]}
    text = f"{OTHER}\n\n {GOOD}\n\n{LONG}。完"
    built(tmp_path / "second", text, **earlier)
    assert texts(tmp_path / "second") == [OTHER, LONG + "。完"]
    built(tmp_path / "second", text, **earlier, dedup="near")
    assert texts(tmp_path / "second") == [OTHER]
    assert facts(tmp_path / "second")["steps"][2]["reasons"] == {"in an earlier build": 2}
    with pytest.raises(DataError, match="no index here"):
        built(tmp_path / "first", against=[str(tmp_path / "second" / "out")])


def test_rejects_hold_all_that_is_left_out_and_bad_records_do_not_stop_the_rest(tmp_path: Path) -> None:
    records = [{"text": GOOD}, {"text": "太短"}, {"text": 7}, {"text": GOOD}, {"text": OTHER}]
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    (tmp_path / "raw.jsonl").write_text("\n".join([*lines, "{broken"]), encoding="utf-8")
    options = {"source": str(tmp_path / "raw.jsonl")}
    with pytest.raises(DataError, match=r"raw\.jsonl:3"):
        built(tmp_path, **options)
    assert not (tmp_path / "out").exists()
    built(tmp_path, **options, rejects=str(tmp_path / "rejects"))
    assert texts(tmp_path) == [GOOD, OTHER]
    reasons = left_out(tmp_path / "rejects")
    assert list(reasons) == ["raw.jsonl:3", "raw.jsonl:6", "raw.jsonl:2", "raw.jsonl:4"]
    assert (reasons["raw.jsonl:2"], reasons["raw.jsonl:4"]) == ("filter: too short", "duplicates: repeated")
    assert sum(facts(tmp_path)["read"]["bad"].values()) == 2


def test_rejects_that_are_gone_are_written_again(tmp_path: Path) -> None:
    first = built(tmp_path, f"{GOOD}\n\n太短", rejects=str(tmp_path / "rejects"))
    assert built(tmp_path, rejects=str(tmp_path / "elsewhere")).started != ""
    assert left_out(tmp_path / "elsewhere") == {"raw.txt:3": "filter: too short"}
    assert first.settings["rejects"] == "<output>"


def test_a_document_leads_back_to_its_record(tmp_path: Path) -> None:
    record = {"id": "甲", "text": GOOD, "source": "日报", "year": 2023, "tags": ["a"]}
    (tmp_path / "raw.jsonl").write_text("\n" + json.dumps(record, ensure_ascii=False), encoding="utf-8")
    built(tmp_path, source=[str(tmp_path / "raw.jsonl")])
    (document,) = read_built(tmp_path / "out")
    assert (document.id, document.source, document.at) == ("甲", "日报", "raw.jsonl:2")
    assert document.meta["year"] == "2023"


def test_parts_hold_so_many_characters_and_keep_their_order(tmp_path: Path) -> None:
    lines = [f"第{i}条：{GOOD}" for i in range(7)]
    built(tmp_path, "\n".join(lines), form="lines", part_characters=60)
    parts = sorted((tmp_path / "out").glob("*.parquet"))
    assert [pq.ParquetFile(part).metadata.num_rows for part in parts] == [3, 3, 1]
    assert all(pq.read_schema(part).equals(SCHEMA) for part in parts)
    assert texts(tmp_path) == lines
    assert count_built(tmp_path / "out") == 7
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "facts.json",
        "manifest.json",
        *(part.name for part in parts),
    }


def test_a_part_of_which_nothing_is_left_is_not_there(tmp_path: Path) -> None:
    built(tmp_path, f"{GOOD}\n\n{GOOD}\n\n{OTHER}", part_characters=10)
    assert [p.name for p in sorted((tmp_path / "out").glob("*.parquet"))] == [
        "part-00000.parquet",
        "part-00002.parquet",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("how", [{"workers": 2}, {"workers": 1, "part_characters": 100}])
def test_who_does_the_work_changes_nothing(how: dict[str, Any], tmp_path: Path) -> None:
    text = "\n\n".join([*(f"{i}号文件{GOOD}{LONG[: 20 + i]}" for i in range(40)), GOOD, GOOD, "短"])
    options = {"dedup": "near", "paragraphs": 15, "part_characters": 100}
    seen = {}
    for name, more in {"one": {"workers": 1}, "other": how}.items():
        folder = tmp_path / name
        folder.mkdir()
        built(folder, text, **options | more, rejects=str(folder / "rejects"))
        files = [path for path in list_files(folder) if not path.endswith("manifest.json")]
        seen[name] = {path: (folder / path).read_bytes() for path in files}
    assert seen["one"] == seen["other"]
    assert sum("part-" in name for name in seen["one"]) > 3


def test_how_the_work_is_done_is_no_reason_to_do_it_again(tmp_path: Path) -> None:
    first = built(tmp_path, GOOD)
    assert built(tmp_path, workers=2) == first


def test_half_a_surrogate_pair_becomes_a_sign_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "raw.jsonl").write_text(json.dumps({"text": GOOD + "\ud83d"}), encoding="utf-8")
    built(tmp_path, source=str(tmp_path / "raw.jsonl"), steps=["filter preset=light"])
    assert texts(tmp_path) == [GOOD + "\ufffd"]


def test_datasets_reads_the_parts(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    built(tmp_path, f"{GOOD}\n\n{OTHER}")
    files, cache = str(tmp_path / "out" / "*.parquet"), str(tmp_path / "cache")
    loaded = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=cache)
    assert loaded["text"][:] == [GOOD, OTHER]


def test_a_folder_that_is_no_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a built corpus"):
        next(read_built(tmp_path))

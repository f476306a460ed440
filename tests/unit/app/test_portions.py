"""What `apply` reads: every form of texts, bad records, ids, and no more in memory than a portion."""

import gzip
import json
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from zhbert.app import saying
from zhbert.app.portions import Portions
from zhbert.errors import DataError
from zhbert.files import read_manifest
from zhbert.read.config import ReadConfig

Stage = Callable[..., Path]
TEXTS = ["王芳在杭州市图书馆工作，" * n + "李明去了北京。" for n in (1, 2, 9, 1, 3)]


def lines_of(folder: Path, name: str = "predictions.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text("utf-8").split("\n") if line]


def write_examples(path: Path, texts: list[str]) -> Path:
    lines = [json.dumps({"id": str(i), "text": text}) + "\n" for i, text in enumerate(texts)]
    path.write_text("".join(lines), "ascii")
    return path


def pack_zip(path: Path, name: str, text: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, text)


def pack_tar(path: Path, name: str, text: str) -> None:
    inner = path.with_name(name)
    inner.write_text(text, "utf-8")
    with tarfile.open(path, "w:gz") as archive:
        archive.add(inner, name)
    inner.unlink()


LINES = "\n".join(TEXTS[:2]) + "\n"
TABLE = [{"id": "甲", "text": TEXTS[0]}, {"id": "乙", "text": TEXTS[1]}]
RECORDS = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in TABLE)
FORMS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "a.txt": (lambda p: p.write_text(LINES, "utf-8"), ["1", "2"]),
    "b.txt": (lambda p: p.write_text(LINES, "gb18030"), ["1", "2"]),
    "a.txt.gz": (lambda p: p.write_bytes(gzip.compress(LINES.encode())), ["1", "2"]),
    "a.txt.zst": (
        lambda p: p.write_bytes(zstandard.compress(LINES.encode())),
        ["a.txt.zst:1", "a.txt.zst:2"],
    ),
    "a.zip": (lambda p: pack_zip(p, "b.txt", LINES), ["a.zip/b.txt:1", "a.zip/b.txt:2"]),
    "a.tgz": (lambda p: pack_tar(p, "b.txt", LINES), ["a.tgz/b.txt:1", "a.tgz/b.txt:2"]),
    "a.csv": (
        lambda p: p.write_text("id,text\n" + "".join(f"{r['id']},{r['text']}\n" for r in TABLE)),
        ["甲", "乙"],
    ),
    "a.parquet": (lambda p: pq.write_table(pa.Table.from_pylist(TABLE), p), ["甲", "乙"]),
    "a.jsonl": (lambda p: p.write_text(RECORDS, "utf-8"), ["甲", "乙"]),
    "a.jsonl.gz": (lambda p: p.write_bytes(gzip.compress(RECORDS.encode())), ["甲", "乙"]),
    "a.jsonl.zst": (lambda p: p.write_bytes(zstandard.compress(RECORDS.encode())), ["甲", "乙"]),
}


@pytest.mark.slow
def test_every_form_of_input_is_read(
    stage: Stage, tiny_models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = None
    for name, (write, ids) in FORMS.items():
        write(tmp_path / name)
        said = lines_of(stage("apply", tmp_path / f"out-{name}", model=tiny_models["ner"], source=name))
        assert [line.pop("id") for line in said] == ids, name
        expected = expected or said
        assert said == expected, name
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text(LINES, "utf-8")
    for number, (place, form, ids) in enumerate(
        (
            ("folder", "lines", ["a.txt:1", "a.txt:2"]),
            ("fold*/*.txt", "lines", None),
            ("a.txt", "files", ["a.txt:1"]),
        )
    ):
        out = stage("apply", tmp_path / f"out-{number}", model=tiny_models["ner"], source=place, form=form)
        assert ids is None or [line["id"] for line in lines_of(out)] == ids


@pytest.mark.slow
def test_bad_records_go_to_rejects_with_their_place(
    stage: Stage, tiny_models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    good = [json.dumps({"id": str(i), "text": TEXTS[0]}) for i in range(3)]
    for name, bad in (("examples", b'{"id": "9", "txt": ""}'), ("documents", b"[]")):
        rows = [good[0].encode(), bad, good[1].encode(), b"\xff", b"{", good[2].encode()]
        source = Path(f"{name}.jsonl" if name == "examples" else f"{name}.ndjson.zst")
        data = b"\n".join(rows)
        source.write_bytes(data if name == "examples" else zstandard.compress(data))
        asked = {
            "model": tiny_models["classify"],
            "source": source.as_posix(),
            "encoding": "utf-8",
            "portion_characters": 9,
        }
        with pytest.raises(DataError, match=rf"^{source}:2: "):
            stage("apply", tmp_path / f"{name}-stopped", **asked)
        rejects = tmp_path / f"{name}-rejects"
        out = stage("apply", tmp_path / name, **asked, rejects=rejects)
        assert [line["id"] for line in lines_of(out)] == ["0", "1", "2"]
        left = lines_of(rejects, "left-out.jsonl")
        assert [line["at"] for line in left] == [f"{source}:{n}" for n in (2, 4, 5)]
        assert [line["reason"].partition(" ")[0] for line in left][1:] == ["not", "not"]
        assert (read_manifest(out).counts["left out"], read_manifest(rejects).counts["left out"]) == (3, 3)


def test_ids_of_examples_differ_before_anything_is_predicted(
    stage: Stage, tiny_models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saying.Say, "__call__", None)
    source = write_examples(tmp_path / "asked.jsonl", TEXTS)
    with source.open("a") as handle:
        handle.write('{"id": "3", "text": "王芳"}\n')
    with pytest.raises(DataError, match=r'asked\.jsonl:6: the id "3" was used before, at .*asked\.jsonl:4'):
        stage("apply", tmp_path / "out", model=tiny_models["ner"], source=source)
    with pytest.raises(DataError, match=r"texts cannot be given to a pair model \(use JSONL\)"):
        stage(
            "apply",
            tmp_path / "out",
            model=tiny_models["pair"],
            source=write_examples(tmp_path / "a.txt", TEXTS),
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["asked.jsonl.gz", "asked.txt"])
def test_no_more_than_a_portion_is_in_memory(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with (gzip.open if name.endswith("gz") else open)(path, "wt", encoding="utf-8") as handle:
        for number in range(16_000):
            text = f"{number}{TEXTS[2]}"
            line = text if name.endswith("txt") else json.dumps({"id": str(number), "text": text})
            handle.write(line + "\n")
    list(Portions("mini:topics/dev", ["classify"], ReadConfig(), rejects=False).units(5000))  # loads the rest
    tracemalloc.start()
    portions = Portions(str(path), ["classify"], ReadConfig(form="lines"), rejects=False)
    done = sum(unit.payload.size for unit in portions.units(10_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done == portions.total > 0
    assert peak < 2e6, "the texts take 5 MB"

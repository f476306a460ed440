"""`apply` for many records: portions, several models, workers, other forms of input and output."""

import gzip
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import zstandard

from zhbert.app import apply as room
from zhbert.app import saying
from zhbert.app.formats import FORMATS, schema_of
from zhbert.app.saying import take_share
from zhbert.app.stages import execute, find_stage
from zhbert.app.told import cost_of, coverage_of, predictions_file
from zhbert.config import parse
from zhbert.engine.run import cores
from zhbert.errors import ConfigError, DataError
from zhbert.files import read_manifest
from zhbert.read.examples import read_predictions
from zhbert.records import PREDICTIONS, to_json

Stage = Callable[..., Path]
TEXTS = ["王芳在杭州市图书馆工作，" * n + "李明去了北京。" for n in (1, 2, 9, 1, 3)]
UGLY = ["半\ud83d个王芳", "零\x00字节", "行\u2028李明", "👩‍👩‍👧在北京"]
SMALL = {"portion_characters": 40}


def lines_of(folder: Path, name: str = "predictions.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text("utf-8").split("\n") if line]


def write_examples(path: Path, texts: list[str]) -> Path:
    lines = [json.dumps({"id": str(i), "text": text}) + "\n" for i, text in enumerate(texts)]
    path.write_text("".join(lines), "ascii")
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_examples(tmp_path / "asked.jsonl", (TEXTS + UGLY) * 3)


def test_predictions_do_not_depend_on_who_makes_them(
    stage: Stage, tiny_models: dict[str, Path], source: Path, tmp_path: Path
) -> None:
    asked = {"model": tiny_models["ner"], "source": source} | SMALL
    one = stage("apply", tmp_path / "one", **asked)
    said = lines_of(one)
    assert [line["id"] for line in said] == [str(i) for i in range(27)]
    assert len(lines_of(one, "logs/portions.jsonl")) > 9
    two = stage("apply", tmp_path / "two", **asked, workers=2)
    assert read_manifest(one).content == read_manifest(two).content
    assert (coverage_of(one).examples, coverage_of(one)) == (27, coverage_of(two))
    assert cost_of(two).parameters == cost_of(one).parameters > 0
    assert sum(band.n for band in cost_of(two).bands) == 27
    assert not [path for path in one.rglob("*") if path.name in ("portions", "seen.json")]


@pytest.mark.slow
def test_predictions_on_ray_are_the_same(
    stage: Stage, tiny_models: dict[str, Path], source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="needs zhbert[ray]")
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")
    asked = {"model": tiny_models["ner"], "source": source} | SMALL
    one = stage("apply", tmp_path / "one", **asked)
    two = stage("apply", tmp_path / "two", **asked, workers=2, engine="ray")
    assert read_manifest(one).content == read_manifest(two).content


@pytest.mark.parametrize("moment", ["portion", "together", "log", "tidy"])
def test_a_run_that_is_broken_off_goes_on(
    moment: str,
    stage: Stage,
    stop_after: Callable[[int], Any],
    tiny_models: dict[str, Path],
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = {"model": tiny_models["classify"], "source": source} | SMALL
    calm = stage("apply", tmp_path / "calm", **asked)
    config = parse(room.ApplyConfig, {key: str(v) if isinstance(v, Path) else v for key, v in asked.items()})
    progress = stop_after(12 if moment == "portion" else 99)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        for step, name in (("together", "write_costs"), ("log", "_collect_rejects"), ("tidy", "remove")):
            if step == moment:
                patch.setattr(room, name, stop)
        with pytest.raises(KeyboardInterrupt):
            execute(find_stage("apply"), config, tmp_path / "out", progress)
    calls: list[object] = []
    say = saying.Say._say
    monkeypatch.setattr(saying.Say, "_say", lambda *all_: calls.append(all_) or say(*all_))
    again = execute(find_stage("apply"), config, tmp_path / "out")
    assert again.manifest.content == read_manifest(calm).content
    assert again.manifest.counts == read_manifest(calm).counts
    portions = len(lines_of(calm, "logs/portions.jsonl"))
    assert 0 < len(calls) < portions if moment == "portion" else not calls


def test_two_models_in_one_pass_are_two_passes(
    stage: Stage, tiny_models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("\n\n".join(TEXTS) + "\n", "utf-8")
    models = {"实体": tiny_models["ner"], "topic": tiny_models["classify"]}
    encoded: list[str] = []
    encode = saying.Tokenizer.encode_batch
    monkeypatch.setattr(
        saying.Tokenizer, "encode_batch", lambda self, texts: encoded.extend(texts) or encode(self, texts)
    )
    config = parse(
        room.ApplyConfig, {"model": {k: str(v) for k, v in models.items()}, "source": str(texts)} | SMALL
    )
    both = execute(find_stage("apply"), config, tmp_path / "both")
    assert encoded == TEXTS, "the tokens of each text are made once for both models"
    for name, model in models.items():
        alone = stage("apply", tmp_path / name, model=model, source=texts, **SMALL)
        own, theirs = read_manifest(tmp_path / "both" / name), read_manifest(alone)
        assert (own.content, own.plan, own.counts) == (theirs.content, theirs.plan, theirs.counts)
        assert predictions_file(tmp_path / "both" / name).is_file()
        assert [line["id"] for line in lines_of(alone)] == ["1", "3", "5", "7", "9"]
    assert both.manifest.counts["records"] == 5
    assert both.manifest.counts["topic"]["coverage"] == 1.0
    again = execute(find_stage("apply"), config, tmp_path / "again").manifest
    assert again.content == both.manifest.content


def test_models_are_named_once_and_by_folders() -> None:
    def model(*given: Any) -> Any:
        return parse(
            room.ApplyConfig, {"model": given[0] if len(given) == 1 else list(given), "source": "a"}
        ).model

    assert model(["work/ner"]) == model("work/ner") == Path("work/ner")
    assert model("b=work/ner", "a=work/topic") == {"b": Path("work/ner"), "a": Path("work/topic")}
    assert model(["a=work/ner"]) == {"a": Path("work/ner")}
    for wrong, said in (
        (["x", "y"], "NAME=PATH each"),
        (["a=x", "a=y"], 'two models are called "a"'),
        (["../a=x", "b=y"], "no name for a folder"),
        ([{"logs": "x"}], "no name for a folder"),
        ([{}], "name a model at least"),
    ):
        with pytest.raises(ConfigError, match=said):
            model(*wrong)


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


@pytest.mark.parametrize("task", ["classify", "pair", "ner", "reading"])
def test_a_table_holds_the_same(
    task: str,
    stage: Stage,
    tiny_models: dict[str, Path],
    tiny_sets: dict[str, tuple[Path, Path]],
    tmp_path: Path,
) -> None:
    asked = {"model": tiny_models[task], "source": tiny_sets[task][1], "portion_characters": 200}
    lines = read_predictions(stage("apply", tmp_path / "lines", **asked) / "predictions.jsonl", task)
    path = stage("apply", tmp_path / "table", **asked, format="parquet") / "predictions.parquet"
    rows = pq.read_table(path).to_pylist()
    FORMATS["parquet"].write(tmp_path / "again.parquet", lines, task)
    assert rows == pq.read_table(tmp_path / "again.parquet").to_pylist()
    assert pq.read_schema(path).equals(schema_of(task))
    assert [row["id"] for row in rows] == [line.id for line in lines]
    assert list(rows[0]) == list(PREDICTIONS[task].__dataclass_fields__)
    kept = rows[0].get("entities", [{"start": 0}])
    assert [span["start"] for span in kept] == [
        span["start"] for span in json.loads(to_json(lines[0])).get("entities", [{"start": 0}])
    ]


def test_each_worker_has_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[object] = []
    monkeypatch.setattr(torch, "set_num_threads", lambda n: taken.append(("threads", n)))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda n: taken.append(n))
    take_share("", workers=1)
    assert taken == []
    for worker in "012":
        take_share(worker, workers=3)
    assert taken[1::2] == [0, 1, 0]
    assert taken[0] == ("threads", max(1, cores() // 3))

"""Test texts are met in training examples, in documents and in shards, each by its own rule."""

import json
from pathlib import Path
from typing import Any

import pytest

import zhbert
from zhbert.corpus.contamination import ContaminationConfig, contamination
from zhbert.errors import ConfigError
from zhbert.files import Work
from zhbert.plain import to_json
from zhbert.records import LabelExample, ReadingExample, Span

LONG = "这家酒店的早餐很丰盛，房间也非常干净，下次来出差一定还会选择这里入住。"
OTHER = "博物馆今年新开了三个展厅，展出的文物大多来自近年的考古发掘，值得一看。"


def _write(path: Path, *texts: str) -> Path:
    lines = [to_json(LabelExample(id=str(i), text=text, labels=("好",))) for i, text in enumerate(texts)]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def _look(folder: Path, **config: Any) -> dict[str, Any]:
    work = Work(folder / "found")
    work.folder.mkdir()
    contamination(ContaminationConfig(**config), work)
    found: dict[str, Any] = json.loads((work.folder / "contamination.json").read_text("utf-8"))
    return found


def test_training_examples_are_met_whole_or_by_a_run(tmp_path: Path):
    gold = _write(tmp_path / "gold.jsonl", LONG, OTHER, "不错！", "新")
    train = _write(
        tmp_path / "train.jsonl", LONG[:25] + "不过贵了点", "不 错", "无关的话", OTHER.replace("，", ",")
    )
    found = _look(tmp_path, task="classify", gold=gold, train=train)
    assert [(m["id"], m["where"], m["whole"]) for m in found["meetings"]] == [
        ("0", "0", False),
        ("1", "3", True),
        ("2", "1", True),
    ]


def test_a_whole_meeting_counts_for_more_than_a_run_before_it(tmp_path: Path):
    gold = _write(tmp_path / "gold.jsonl", LONG)
    train = _write(tmp_path / "train.jsonl", LONG + "真的。", LONG)
    (meeting,) = _look(tmp_path, task="classify", gold=gold, train=train)["meetings"]
    assert (meeting["where"], meeting["whole"]) == ("1", True)


@pytest.mark.slow
def test_near_copies_are_met_in_documents_and_in_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    texts = [f"第{i}篇：{'图书馆的阅览室在二楼，' * 3}开放到晚上九点。" for i in range(30)]
    texts += [LONG[::-1]] * 5  # so that its characters are tokens
    texts[7] += "有人写道：" + LONG[4:].replace("早餐", "早餐 ") + "就这些。"
    Path("raw.txt").write_text("\n\n".join(texts), encoding="utf-8")
    recipe = """
    [stages.documents]
    use = "corpus build"
    source = "raw.txt"
    form = "blocks"
    dedup = "none"
    [stages.vocabulary]
    use = "vocab"
    documents = "@documents"
    size = 500
    [stages.shards]
    use = "encode"
    documents = "@documents"
    tokenizer = "@vocabulary"
    held_out = 0.0
    """
    Path("r.toml").write_text(recipe, encoding="utf-8")
    zhbert.run("r.toml", folder="out")
    gold = _write(tmp_path / "gold.jsonl", OTHER, LONG)
    found = _look(
        tmp_path, task="classify", gold=gold, documents=Path("out/documents"), shards=Path("out/shards")
    )
    assert [(m["id"], m["source"]) for m in found["meetings"]] == [("1", "documents"), ("1", "shards, train")]
    assert "document 7" in found["meetings"][1]["where"]
    assert "房间也非常干净" in found["meetings"][0]["shared"]


def test_question_and_passage_are_met_by_themselves(tmp_path: Path):
    def asked(name: str, question: str) -> Path:
        example = ReadingExample(id="1", context=LONG, question=question, answers=(Span.of(LONG, 0, 4),))
        path = tmp_path / name
        path.write_text(to_json(example) + "\n", encoding="utf-8")
        return path

    gold, train = asked("gold.jsonl", "哪里的早餐很丰盛？"), asked("train.jsonl", "什么很干净？")
    found = _look(tmp_path, task="reading", gold=gold, train=train)
    assert [m["field"] for m in found["meetings"]] == ["context"]


def test_there_must_be_something_to_look_through(tmp_path: Path):
    with pytest.raises(ConfigError, match="nothing to look through"):
        _look(tmp_path, task="classify", gold=_write(tmp_path / "gold.jsonl", LONG))

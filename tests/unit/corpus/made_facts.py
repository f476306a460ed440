"""Facts of a made-up build and of its shards, with every block and every ugly text in them."""

import json
from pathlib import Path
from typing import Any

from zhbert.files import Plan, building, read_manifest

UGLY = (
    "<script>alert('不该运行')</script>第一条",
    'a" onmouseover="alert(1)',
    "主队\u202e赢了\u2066，\u200fשלום",
    "长" * 10_000,
    "\ud83d半个\x00\x07",
)
SOURCES = 200
STEPS = ("normalise", "filter preset=light min_han=0.4", "filter min_words=3")


def excerpts(count: int, text: str = "第{}条 为了规范市场秩序，制定本条例。") -> list[dict[str, Any]]:
    found = [{"id": f"法规:{i}", "at": f"laws.jsonl:{i}", "text": text.format(i)} for i in range(count)]
    return [row | ({"text": UGLY[i], "at": UGLY[i]} if i < len(UGLY) else {}) for i, row in enumerate(found)]


def row(step: str, sizes: list[int], reasons: dict[str, int], **changes: int) -> dict[str, Any]:
    keys = ("documents_in", "documents_out", "characters_in", "characters_out")
    return {"step": step, **dict(zip(keys, sizes, strict=True)), "reasons": reasons, "changes": changes}


def cluster(size: int) -> dict[str, Any]:
    kept = {"id": "甲", "at": "a.txt:1", "text": "北京市道路管理条例，二〇一八年修订。"}
    other = {
        "id": UGLY[1],
        "at": UGLY[1],
        "text": "北京市道路管理条例，二〇二〇年修订。" + UGLY[0],
        "similarity": 0.912,
    }
    return {"kept": kept, "dropped": [other] * min(size - 1, 5), "size": size}


def build_facts() -> dict[str, Any]:
    names = [f"来源{i:03}" for i in range(SOURCES - len(UGLY))] + list(UGLY)
    amounts = {name: {"documents": 60, "characters": 200_000 - 7 * i} for i, name in enumerate(names)}
    characters = sum(amount["characters"] for amount in amounts.values())
    sizes = [characters, characters - 9, characters - 99, characters - 999, 900, 800]
    return {
        "read": {
            "documents": 12_000,
            "characters": characters,
            "bytes": 3 * characters,
            "bad": {"not valid JSON": 3000, UGLY[0]: 1},
            "encodings": {"a.txt": "gb18030", UGLY[1]: UGLY[2]},
            "left out": {"a file of another kind: .pdf": 2},
        },
        "kept": {"documents": 8100, "characters": 800},
        "steps": [
            row("normalise", [12_000, 12_000, *sizes[:2]], {}, controls=12),
            row("filter", [12_000, 11_400, *sizes[1:3]], {"too short": 400, "too little Han": 200}),
            row("filter 2", [11_400, 10_200, *sizes[2:4]], {"too few words": 1200, UGLY[0]: 0}),
            row("duplicates", [10_200, 10_200, *sizes[3:4], 900], {}),
            row("near duplicates", [10_200, 8100, *sizes[4:]], {"nearly the same": 2100}),
        ],
        "sources": {
            name: {"read": amount, "kept": {"documents": 40, "characters": amount["characters"] // 2}}
            for name, amount in amounts.items()
        },
        "examples": {
            "not valid JSON": excerpts(2),
            "filter: too short": excerpts(10),
            "near duplicates: nearly the same": excerpts(1),
        },
        "clusters": {"count": 12, "documents": 40, "unsettled": 3, "largest": [cluster(9), cluster(2)]},
        "guard": {
            "sets": {
                "test.tsv": {"texts": 1200, "found": 325, "too short": 2},
                UGLY[0]: {"texts": 1, "found": 0},
            },
            "list": [{"id": "x", "at": UGLY[1], "test": "test.tsv:17", "run": UGLY[3]}] * 50,
        },
        "lengths": {"edges": [0, 8, 16, 32], "counts": [0, 3, 8000, 97]},
        "han": {"edges": [i / 20 for i in range(21)], "counts": list(range(20))},
        "scripts": {"Han": 700, "Latin": 50, "digits": 20, "punctuation": 30, "kana": 0, "other": 1},
    }


def shard_facts() -> dict[str, Any]:
    side = {"documents": 8000, "tokens": 700, "words": 400, "in phrases": 30, "in entities": 50, "unknown": 7}
    return {
        "sides": {"train": side, "held-out": side | {"documents": 100, "tokens": 30}},
        "sources": {f"来源{i:03}": 3 for i in range(150)},
        "kinds": {"number": 41, "date": 12, UGLY[0]: 3},
        "unknown": {"𠮷": 9, "—": 9, "\ud83d": 2, "😀" * 40: 1, UGLY[0]: 1},
        "words": {f"词语{i}": 300 - i for i in range(300)} | {UGLY[0]: 400},
        "phrases": {"有限公司": 12},
        "entities": {"《史记》": 9, UGLY[2]: 2},
        "sample": 200_000,
    }


def finished(folder: Path, stage: str, facts: Any, *, inputs: dict[str, str], **settings: Any) -> Path:
    plan = Plan(stage=stage, settings=settings, inputs=inputs, version="0")
    with building(folder, plan) as work:
        (work.folder / "facts.json").write_text(json.dumps(facts), encoding="ascii")
    return folder


def write_build(folder: Path, facts: Any = None, **inputs: str) -> Path:
    """Write a finished build of such facts."""
    settings = {"steps": list(STEPS), "similarity": 0.75, "guarded": "drop", "note": UGLY[0]}
    facts = build_facts() if facts is None else facts
    return finished(
        folder, "corpus build", facts, inputs=inputs or {"source.0": "00", "source.1": "11"}, **settings
    )


def write_shards(folder: Path, documents: Path) -> Path:
    """Write finished shards of a finished build."""
    manifest = read_manifest(documents)
    assert manifest
    return finished(
        folder, "encode", shard_facts(), inputs={"documents": manifest.content}, segmenter="jieba"
    )

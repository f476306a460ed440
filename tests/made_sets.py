"""Small files in the forms of published data sets, for references that name their folder."""

import json
from pathlib import Path

TEXTS = [f"第{number}条评论：房间{'干净' if number % 2 else '很吵'}" for number in range(40)]


def sentiment(folder: Path) -> Path:
    """ChnSentiCorp: thirty texts in train, of which five stand in test too, and one in dev."""
    rows = {"train": range(30), "dev": range(29, 35), "test": range(25, 40)}
    folder.mkdir(exist_ok=True)
    for split, numbers in rows.items():
        lines = ["label\ttext_a", *(f"{number % 2}\t{TEXTS[number]}" for number in numbers)]
        (folder / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def entities(folder: Path) -> Path:
    """CLUENER: a name in every sentence, and a test file without labels."""
    folder.mkdir(exist_ok=True)
    for split, count in (("train", 12), ("dev", 4), ("test", 4)):
        records = [_entity(f"{split}第{number}人是王芳", number, split) for number in range(count)]
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        (folder / f"{split}.json").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _entity(text: str, number: int, split: str) -> dict[str, object]:
    if split == "test":
        return {"id": number, "text": text}
    return {"text": text, "label": {"name": {"王芳": [[len(text) - 2, len(text) - 1]]}}}


def relations(folder: Path, count: int = 60) -> Path:
    """OCNLI: pairs, every tenth of which has no agreed label."""
    folder.mkdir(exist_ok=True)
    names = ["entailment", "neutral", "contradiction"]
    for file in ("train.10k.json", "dev.json"):
        records = [
            {
                "sentence1": f"{file}的第{number}句",
                "sentence2": "另一句",
                "label": "-" if number % 10 == 9 else names[number % 3],
                "id": number,
            }
            for number in range(count)
        ]
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        (folder / file).write_text("\n".join(lines), encoding="utf-8")
    return folder

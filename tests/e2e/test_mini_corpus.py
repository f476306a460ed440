"""The bundled corpus is what its card says, and what its source gives."""

import hashlib
import json
import math
import tomllib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from zhbert.corpus.compose import compose
from zhbert.corpus.source import read_sections, read_source
from zhbert.records import EXAMPLES, from_plain

pytestmark = pytest.mark.slow

HOME = Path(__file__).parents[2] / "corpora" / "mini"
CARD = tomllib.loads((HOME / "card.toml").read_text("utf-8"))
SPLITS = [(task, split) for task, table in CARD["tasks"].items() for split in table["splits"]]
LABELLED_FRAMES = ("topics", "ner", "pairs", "reading")


def read(task: str, split: str) -> list[dict[str, Any]]:
    path = HOME / CARD["tasks"][task]["splits"][split]["file"]
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def raw() -> str:
    return "\n\n".join(path.read_text("utf-8") for path in sorted((HOME / "raw").glob("*.txt")))


def texts(task: str, split: str) -> list[str]:
    """Every text that must not come twice: of a reading example, the passage once."""
    if task == "reading":
        return list(dict.fromkeys(row["context"] for row in read(task, split)))
    fields = ("first", "second") if task == "pairs" else ("text",)
    return [row[name] for row in read(task, split) for name in fields]


def test_the_source_gives_the_committed_files_byte_for_byte(tmp_path: Path) -> None:
    made = {*compose(HOME / "source", tmp_path), "card.toml"}
    there = {str(path.relative_to(HOME).as_posix()) for path in HOME.rglob("*") if path.is_file()}
    assert made == {name for name in there if not name.startswith("source/")}
    assert [
        name for name in sorted(made) if (tmp_path / name).read_bytes() != (HOME / name).read_bytes()
    ] == []


@pytest.mark.parametrize(("task", "split"), SPLITS)
def test_counts_and_checksums_of_the_card_are_true(task: str, split: str) -> None:
    facts = CARD["tasks"][task]["splits"][split]
    data = (HOME / facts["file"]).read_bytes()
    assert facts["sha256"] == hashlib.sha256(data).hexdigest()
    assert facts["examples"] == len(data.decode().splitlines())


@pytest.mark.parametrize(("task", "split"), SPLITS)
def test_every_line_is_an_example_whose_spans_match(task: str, split: str) -> None:
    kind = EXAMPLES[CARD["tasks"][task]["task"]]
    rows = read(task, split)
    examples = [from_plain(kind, row) for row in rows]
    assert [example.id for example in examples] == [f"{task}-{split}-{i + 1:04d}" for i in range(len(rows))]
    for row in rows:
        for span in [*row.get("entities", []), *row.get("answers", [])]:
            text = row["context"] if "context" in row else row["text"]
            assert span["surface"] == text[span["start"] : span["end"]] != ""


def test_sizes_are_as_agreed() -> None:
    sizes = {task: [s["examples"] for s in table["splits"].values()] for task, table in CARD["tasks"].items()}
    assert sizes == {
        "topics": [1200, 300, 500],
        "ner": [1200, 300, 500],
        "pairs": [600, 150, 250],
        "reading": [600, 120, 180],
    }
    assert sum(len(texts("reading", split)) for split in ("train", "dev", "test")) == 300


def test_labels_are_those_of_the_card_and_balanced() -> None:
    for split in ("train", "dev", "test"):
        topics = Counter(label for row in read("topics", split) for label in row["labels"])
        assert sorted(topics) == sorted(CARD["tasks"]["topics"]["labels"])
        assert max(topics.values()) - min(topics.values()) <= 1
        pairs = Counter(row["label"] for row in read("pairs", split))
        assert pairs["同义"] == pairs["不同义"] == len(read("pairs", split)) // 2
        kinds = Counter(span["label"] for row in read("ner", split) for span in row["entities"])
        assert sorted(kinds) == sorted(CARD["tasks"]["ner"]["labels"])
        assert min(kinds.values()) >= 0.05 * sum(kinds.values())
        assert sum(not row["entities"] for row in read("ner", split)) >= 0.05 * len(read("ner", split))
        assert sum(not row["answers"] for row in read("reading", split)) * 5 == len(read("reading", split))


def test_lengths_are_as_agreed() -> None:
    for split in ("train", "dev", "test"):
        assert all(15 <= len(text) <= 80 for text in texts("topics", split))
        assert all(100 <= len(text) <= 250 for text in texts("reading", split))
    assert all(
        100 <= len(document) <= 600 for document in raw().strip().replace("\n\n\n", "\n\n").split("\n\n")
    )


@pytest.mark.parametrize("task", LABELLED_FRAMES)
def test_no_text_is_empty_or_comes_twice_within_or_across_splits(task: str) -> None:
    seen = Counter(text for split in ("train", "dev", "test") for text in texts(task, split))
    assert "" not in seen
    assert [text for text, count in seen.items() if count > 1] == []


def test_no_labelled_text_is_in_the_raw_text() -> None:
    sentences = set(raw().replace("。", "。\n").replace("？", "？\n").splitlines())
    whole = raw()
    for task, split in SPLITS:
        assert [text for text in texts(task, split) if text in sentences or text in whole] == []


def test_no_frame_serves_two_tasks_nor_a_task_and_the_raw_text_nor_training_and_test() -> None:
    where: dict[Any, set[str]] = defaultdict(set)
    for job in read_source(HOME / "source").jobs():
        for section in job.sections:
            use = f"{job.spec.file}{' test' if section.test else ''}" if job.spec.splits else "raw"
            for line in (line for block in section.blocks for line in block):
                where[line.frame].add(use)
    assert [(frame, uses) for frame, uses in where.items() if len(uses) > 1] == []


def test_the_raw_text_is_large_and_its_vocabulary_wide() -> None:
    text = raw()
    assert 3_000_000 <= sum(path.stat().st_size for path in (HOME / "raw").glob("*.txt")) <= 4_000_000
    assert len({char for char in text if "\u4e00" <= char <= "\u9fff"}) >= 2000


def test_the_raw_text_has_every_word_that_tells_a_topic_or_an_entity() -> None:
    source, text = read_source(HOME / "source"), raw()
    held = [name for name in source.spec.held_out if name not in ("day", "timeword")]
    words = [word for name in held for word in source.lexicons[name].part("all")]
    assert [word for word in words if text.count(word) < 15] == []


def test_the_source_is_written_by_hand_in_hundreds_of_frames_and_thousands_of_entries() -> None:
    source = read_source(HOME / "source")
    frames = {
        line.frame for job in source.jobs() for s in job.sections for block in s.blocks for line in block
    }
    made = {*source.spec.lexicons, *source.groups}
    entries = {
        word for name, words in source.lexicons.items() if name not in made for word in words.part("all")
    }
    assert len(frames) >= 500
    assert len(entries) >= 2000
    assert read_sections(HOME / "source" / "tasks" / "ner.txt")[1].test


def grams(text: str) -> list[str]:
    return [*text, *(text[i : i + 2] for i in range(len(text) - 1))]


def test_counting_characters_does_not_solve_the_topics() -> None:
    """Multinomial naive Bayes on characters and their pairs: 0.49 on test."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in read("topics", "train"):
        counts[row["labels"][0]].update(grams(row["text"]))
    size = len(set().union(*counts.values()))
    totals = {label: sum(seen.values()) + size for label, seen in counts.items()}

    def guess(text: str) -> str:
        return max(counts, key=lambda k: sum(math.log((counts[k][g] + 1) / totals[k]) for g in grams(text)))

    rows = read("topics", "test")
    accuracy = sum(guess(row["text"]) == row["labels"][0] for row in rows) / len(rows)
    print(f"naive Bayes on topics/test: {accuracy:.3f}")
    assert 0.25 < accuracy < 0.70


def test_looking_names_up_does_not_solve_the_entities() -> None:
    known = {e["surface"]: e["label"] for row in read("ner", "train") for e in row["entities"]}
    names = {e["surface"] for row in read("ner", "test") for e in row["entities"]}
    assert names & set(known) == set()
    hits = found = gold = 0
    longest = max(map(len, known))
    for row in read("ner", "test"):
        text, at, spans = row["text"], 0, {(e["start"], e["end"], e["label"]) for e in row["entities"]}
        gold += len(spans)
        while at < len(text):
            end = next((e for e in range(min(len(text), at + longest), at, -1) if text[at:e] in known), 0)
            found += bool(end)
            hits += (at, end, known.get(text[at:end], "")) in spans
            at = end or at + 1
    f1 = 2 * hits / (found + gold)
    print(f"looking names up on ner/test: F1 {f1:.3f} ({hits} of {gold}, {found} found)")
    assert f1 < 0.15

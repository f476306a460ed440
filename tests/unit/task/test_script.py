"""Traditional text read as simplified: the same answers, and offsets and surfaces of what was given."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zhbert.model.store import Stored
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    EntityPrediction,
    LabelExample,
    PairExample,
    ReadingExample,
    ReadingPrediction,
)
from zhbert.task.predict import predict
from zhbert.task.registry import task_of
from zhbert.task.script import simplified
from zhbert.text.normalize import normal_text

OLD = "王芳在臺灣大學圖書館工作，李強說他後來去了頭髮店。"
NEW = "王芳在台湾大学图书馆工作，李强说他后来去了头发店。"
ASKED: dict[str, Callable[[str], Any]] = {
    "classify": lambda text: LabelExample(id="1", text=text, labels=("體育",)),
    "pair": lambda text: PairExample(id="1", first=text, second=text[::-1]),
    "ner": lambda text: EntityExample(id="1", text=text),
    "reading": lambda text: ReadingExample(id="1", context=text * 3, question=text[:7]),
}


@pytest.mark.parametrize("task", ASKED)
def test_answers_are_those_of_the_simplified_text_at_the_original_places(
    task: str, stored: dict[str, Stored]
) -> None:
    model, asked = stored[task], ASKED[task](OLD)
    reader = task_of(model, answers=3.0)
    (new,) = predict(reader, model.model, [ASKED[task](NEW)])
    (old,) = predict(reader, model.model, [asked], script="simplified")
    assert old == new  # surfaces are no part of it
    spans = []
    if isinstance(old, EntityPrediction):
        spans = list(old.entities)
    elif isinstance(old, ReadingPrediction):
        spans = [old.answer, *(other.span for other in old.others)]
    for span in filter(None, spans):
        assert span.surface
        span.check(asked.text if task == "ner" else asked.context)


def test_options_and_answers_are_read_too_and_ids_are_kept() -> None:
    example = ChoiceExample(id="臺1", context="臺灣", question="頭髮？", options=("後來", "後面"))
    assert simplified(example) == ChoiceExample(
        id="臺1", context="台湾", question="头发？", options=("后来", "后面")
    )


@pytest.mark.realdata
def test_no_published_text_changes_its_length(published: Callable[[str], Path]) -> None:
    (path,) = published("drcd").glob("*dev*.json")
    paragraphs = [p for article in json.loads(path.read_text("utf-8"))["data"] for p in article["paragraphs"]]
    changed = 0
    for paragraph in paragraphs:
        simple = normal_text(paragraph["context"], nfkc=False, controls=False, simplify=True)
        assert len(simple) == len(paragraph["context"])
        changed += simple != paragraph["context"]
    assert changed == len(paragraphs) == 1000

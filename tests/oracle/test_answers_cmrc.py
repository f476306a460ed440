"""Reading figures against the official CMRC 2018 script, question by question."""

import json
import os
from pathlib import Path

import pytest

from zhbert.records import ReadingExample, Span
from zhbert.score.answers import AVERAGE, EXACT, F1, count_answers, judge_answer

DATA = Path(os.environ.get("ZHBERT_DATA", Path(__file__).parents[3] / "shared" / "data"))
GOLD, ORACLE = DATA / "cmrc2018" / "cmrc2018_dev.json", DATA.parent / "oracles" / "cmrc2018"

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(
        not (GOLD.is_file() and ORACLE.is_dir()), reason=f"no CMRC 2018 and its oracle beside {DATA}"
    ),
]


def gold_examples() -> tuple[list[ReadingExample], dict[str, list[str]]]:
    """Return the questions, and the published answers: 193 of them do not stand in their passage."""
    examples, published = [], {}
    for article in json.loads(GOLD.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            context = paragraph["context"]
            for asked in paragraph["qas"]:
                published[asked["id"]] = [answer["text"] for answer in asked["answers"]]
                places = [(context.find(text), len(text)) for text in published[asked["id"]]]
                spans = tuple(Span.of(context, at, at + size) for at, size in places if at >= 0)
                given = {"id": asked["id"], "context": context, "question": asked["question"]}
                examples.append(ReadingExample(**given, answers=spans))
    return examples, published


def test_every_question_is_equal_to_the_last_digit() -> None:
    lines = (ORACLE / "per_question.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 3193
    for row in rows:
        assert judge_answer(row["answers"], row["prediction"]) == (row["em"], row["f1"]), row["id"]


def test_the_data_set_as_a_whole_is_equal() -> None:
    official = json.loads((ORACLE / "official.json").read_text(encoding="utf-8"))
    predictions = json.loads((ORACLE / "predictions.json").read_text(encoding="utf-8"))
    examples, published = gold_examples()
    counts = count_answers(examples, predictions, published=published)
    assert len(counts) == official["total"] == 3219
    assert len(set(counts.ids) - set(predictions)) == official["skipped"]
    for metric, name in ((F1, "f1"), (EXACT, "em"), (AVERAGE, "average")):
        assert 100 * float(metric(counts)) == pytest.approx(official[name], abs=1e-10)
    assert len(counts.units()) == 848

"""Reading figures against the official CMRC 2018 script, question by question."""

import json
import os
from pathlib import Path

import pytest

from zhbert.app.foreign import score_foreign
from zhbert.read.forms import FORMS, How
from zhbert.records import ReadingExample
from zhbert.score.answers import AVERAGE, EXACT, F1, count_answers, judge_answer

DATA = Path(os.environ.get("ZHBERT_DATA", Path(__file__).parents[3] / "shared" / "data"))
GOLD, ORACLE = DATA / "cmrc2018" / "cmrc2018_dev.json", DATA.parent / "oracles" / "cmrc2018"

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(
        not (GOLD.is_file() and ORACLE.is_dir()), reason=f"no CMRC 2018 and its oracle beside {DATA}"
    ),
]


def gold_examples() -> list[ReadingExample]:
    """Return the questions as zhbert reads them, with the answers as they were published."""
    how = How(misplaced="search")
    return [example for _, example in FORMS["squad"].read(GOLD, how) if isinstance(example, ReadingExample)]


@pytest.mark.slow
def test_every_question_is_equal_to_the_last_digit() -> None:
    lines = (ORACLE / "per_question.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 3193
    for row in rows:
        assert judge_answer(row["answers"], row["prediction"]) == (row["em"], row["f1"]), row["id"]


@pytest.mark.slow
def test_the_data_set_as_a_whole_is_equal() -> None:
    official = json.loads((ORACLE / "official.json").read_text(encoding="utf-8"))
    predictions = json.loads((ORACLE / "predictions.json").read_text(encoding="utf-8"))
    gold = gold_examples()
    counts = count_answers(gold, predictions)
    assert sum(text not in one.context for one in gold for text in one.texts) == 177  # 193 with the repeated
    assert len(counts) == official["total"] == 3219
    assert len(set(counts.ids) - set(predictions)) == official["skipped"]
    for metric, name in ((F1, "f1"), (EXACT, "em"), (AVERAGE, "average")):
        assert 100 * float(metric(counts)) == pytest.approx(official[name], abs=1e-10)
    assert len(counts.units()) == 848


@pytest.mark.slow
def test_the_command_says_what_the_script_says() -> None:
    official = json.loads((ORACLE / "official.json").read_text(encoding="utf-8"))
    figures, notes = score_foreign("cmrc2018", GOLD, ORACLE / "predictions.json")
    assert figures == official
    assert [note[:17] for note in notes] == ["no prediction for"]

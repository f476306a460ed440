"""Official figures of foreign predictions, in the forms that people have."""

import json
from pathlib import Path
from typing import Any

import pytest

from zhbert.app.foreign import score_foreign
from zhbert.errors import ConfigError, DataError

CONTEXT = "他毕业于北京大学，后来在上海工作。"


def _json(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def _lines(path: Path, *values: Any) -> Path:
    path.write_text("".join(json.dumps(v, ensure_ascii=False) + "\n" for v in values), encoding="utf-8")
    return path


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    asked = [("一", "北京大学", 4), ("二", "上海", 12), ("三", "上海市", 0)]  # the last stands nowhere
    qas = [{"id": i, "question": "哪里？", "answers": [{"text": t, "answer_start": s}]} for i, t, s in asked]
    return _json(tmp_path / "gold.json", {"data": [{"paragraphs": [{"context": CONTEXT, "qas": qas}]}]})


def test_cmrc_counts_what_is_missing_as_wrong_and_names_it(questions: Path, tmp_path: Path):
    said = _json(tmp_path / "said.json", {"一": "北京大学。", "三": "上海", "四": "多余"})
    figures, notes = score_foreign("cmrc2018", questions, said)
    assert figures == pytest.approx(
        {"f1": 60.0, "em": 100 / 3, "average": (60 + 100 / 3) / 2, "total": 3, "skipped": 1}
    )
    assert notes == ["no prediction for 二: counted as wrong", "not in the gold data: 四"]


def test_drcd_and_squad_count_bags_of_characters(questions: Path, tmp_path: Path):
    said = _json(tmp_path / "said.json", {"一": "大学，北京", "二": "上海", "三": "上海市"})
    drcd, _ = score_foreign("drcd", questions, said)
    squad, _ = score_foreign("squad", questions, said)
    cmrc, _ = score_foreign("cmrc2018", questions, said)
    assert drcd["f1"] == pytest.approx(100.0)
    assert drcd["em"] == pytest.approx(200 / 3)
    assert squad["f1"] == pytest.approx((2 * 0.8 / 1.8 + 2) / 3 * 100), "the wide comma stays"
    assert cmrc["f1"] == pytest.approx((0.5 + 2) / 3 * 100), "北京 is the longest run that both have"


def test_a_report_shows_answers_that_stand_nowhere(questions: Path, tmp_path: Path):
    said = _json(tmp_path / "said.json", {"一": "清华大学", "二": "上海", "三": "上海市"})
    score_foreign("cmrc2018", questions, said, report=tmp_path / "report", forms=("html", "md"))
    assert "| predictions |" in (tmp_path / "report" / "report.md").read_text("utf-8")
    page = (tmp_path / "report" / "report.html").read_text("utf-8")
    assert "清华大学" in page
    assert len((tmp_path / "report" / "predictions.jsonl").read_text("utf-8").splitlines()) == 3


def test_entities_as_cluener_takes_them_without_texts(tmp_path: Path):
    gold = _lines(
        tmp_path / "gold.json",
        {"text": "上海到上海站", "label": {"地名": {"上海": [[0, 1], [3, 4]]}}},
        {"text": "李明来了", "label": {"人名": {"李明": [[0, 1]]}}},
    )
    said = _lines(
        tmp_path / "said.json",
        {"id": 1, "label": {"地名": {"上海": [[0, 1]]}}},
        {"id": 2, "label": {"人名": {"李明": [[0, 1]]}}},
    )
    figures, notes = score_foreign("entities", gold, said)
    assert (figures["precision"], figures["recall"]) == pytest.approx((100.0, 200 / 3))
    assert figures["surface_macro_f1"] == 100.0, "surfaces are a set"
    assert notes == []


def test_entities_of_two_conll_files(tmp_path: Path):
    gold, said = tmp_path / "gold.txt", tmp_path / "said.txt"
    gold.write_text("李\tB-人名\n明\tI-人名\n来\tO\n\n京\tB-地名\n城\tO\n", encoding="utf-8")
    said.write_text("李\tB-人名\n明\tI-人名\n来\tO\n\n京\tB-人名\n城\tO\n", encoding="utf-8")
    figures, _ = score_foreign("entities", gold, said)
    assert figures["micro_f1"] == pytest.approx(50.0)


def test_tags_that_break_their_scheme_are_scored_as_both_modes_of_seqeval_read_them(tmp_path: Path):
    gold, said = tmp_path / "gold.txt", tmp_path / "said.txt"
    gold.write_text("李\tB-人名\n明\tI-人名\n来\tO\n\n京\tB-地名\n城\tO\n", encoding="utf-8")
    said.write_text("李\tI-人名\n明\tI-人名\n来\tO\n\n京\tB-地名\n城\tO\n", encoding="utf-8")
    figures, notes = score_foreign("entities", gold, said)
    assert (figures["precision"], figures["recall"]) == (100.0, 50.0)
    assert figures["default_micro_f1"] == figures["default_precision"] == figures["default_recall"] == 100.0
    assert len(notes) == 1
    assert notes[0].startswith("sentences with tags that break their scheme, such as I after O: 1;")
    said.write_text("李\tI-人名\n明\tI-人名\n来\tO\n\n京\tI-地名\n城\tO\n", encoding="utf-8")
    figures, _ = score_foreign("entities", gold, said)
    assert (figures["micro_f1"], figures["default_micro_f1"]) == (0.0, 100.0), "gold begins its spans with B"
    gold.write_text(gold.read_text("utf-8").replace("B-", "I-"), encoding="utf-8")
    figures, notes = score_foreign("entities", gold, said)
    assert figures["micro_f1"] == 100.0
    assert "default_micro_f1" not in figures
    assert notes == []


def test_broken_tags_of_another_text_are_refused(tmp_path: Path):
    gold, said = tmp_path / "gold.txt", tmp_path / "said.txt"
    gold.write_text("李\tB-人名\n明\tI-人名\n", encoding="utf-8")
    said.write_text("王\tO\n明\tI-人名\n阿\tB-人名\n", encoding="utf-8")
    with pytest.raises(DataError, match="another text"):
        score_foreign("entities", gold, said)


def test_labels_of_tables_and_of_an_object(tmp_path: Path):
    gold = tmp_path / "gold.tsv"
    gold.write_text("text\tlabel\n主队赢了\t体育\n股价大涨\t财经\n", encoding="utf-8")
    said = tmp_path / "said.tsv"
    said.write_text("text\tlabel\n主队赢了\t体育\n股价大涨\t体育\n", encoding="utf-8")
    figures, _ = score_foreign("labels", gold, said)
    assert figures["accuracy"] == 50.0
    again, _ = score_foreign("labels", gold, _json(tmp_path / "said.json", {"1": "体育", "2": "财经"}))
    assert again["accuracy"] == 100.0


def test_pairs_of_clue(tmp_path: Path):
    gold = _lines(
        tmp_path / "gold.json",
        {"id": 0, "sentence1": "下雨了", "sentence2": "天晴了", "label": "contradiction"},
        {"id": 1, "sentence1": "下雨了", "sentence2": "有雨", "label": "entailment"},
    )
    figures, _ = score_foreign(
        "pairs", gold, _json(tmp_path / "said.json", {"0": "contradiction", "1": "neutral"})
    )
    assert figures["accuracy"] == 50.0


def test_words(tmp_path: Path):
    gold, said = tmp_path / "gold.txt", tmp_path / "said.txt"
    gold.write_text("我\tS-词\n爱\tS-词\n北\tB-词\n京\tE-词\n", encoding="utf-8")
    said.write_text("我\tB-词\n爱\tE-词\n北\tB-词\n京\tE-词\n", encoding="utf-8")
    figures, _ = score_foreign("segmentation", gold, said)
    assert figures["word_f1"] == pytest.approx(100 * 2 * 0.5 * (1 / 3) / (0.5 + 1 / 3))


def test_elsewhere_a_missing_id_is_refused(tmp_path: Path):
    gold = tmp_path / "gold.tsv"
    gold.write_text("text\tlabel\n主队赢了\t体育\n股价大涨\t财经\n", encoding="utf-8")
    with pytest.raises(DataError, match="no prediction for 2"):
        score_foreign("labels", gold, _json(tmp_path / "said.json", {"1": "体育"}))


def test_other_texts_and_unknown_metrics_are_refused(tmp_path: Path):
    gold, said = tmp_path / "gold.tsv", tmp_path / "said.tsv"
    gold.write_text("text\tlabel\n主队赢了\t体育\n", encoding="utf-8")
    said.write_text("text\tlabel\n主队输了\t体育\n", encoding="utf-8")
    with pytest.raises(DataError, match="another text"):
        score_foreign("labels", gold, said)
    with pytest.raises(ConfigError, match='no metric "cmrc"'):
        score_foreign("cmrc", gold, said)


def test_the_report_counts_what_is_missing_as_the_figures_do(tmp_path: Path):
    answers = {"一": ["北京大学"], "二": [], "三": [], "四": ["上海"]}
    qas = [
        {
            "id": i,
            "question": "哪里？",
            "answers": [{"text": t, "answer_start": CONTEXT.find(t)} for t in texts],
        }
        for i, texts in answers.items()
    ]
    gold = _json(tmp_path / "gold.json", {"data": [{"paragraphs": [{"context": CONTEXT, "qas": qas}]}]})
    said = _json(tmp_path / "said.json", {"一": "北京大学", "三": ""})
    figures, notes = score_foreign("cmrc2018", gold, said, report=tmp_path / "out", forms=("json",))
    assert notes == ["no prediction for 二, 四: counted as wrong"]
    assert (figures["em"], figures["f1"]) == (50.0, 50.0)
    report = json.loads((tmp_path / "out/report.json").read_text("utf-8"))
    (system,) = report["sections"][0]["systems"]
    shown = {row["name"]: row["of"]["value"] for row in system["figures"]}
    assert (shown["exact_match"], shown["f1"]) == (0.5, 0.5)

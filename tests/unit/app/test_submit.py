"""Files for CLUE: names, fields, labels as the benchmark writes them, ids of the test file and its order."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from zhbert.app.submit import TASKS
from zhbert.errors import DataError
from zhbert.files import read_manifest
from zhbert.records import (
    ChoicePrediction,
    EntityPrediction,
    LabelPrediction,
    PairPrediction,
    Prediction,
    ReadingPrediction,
    Span,
    to_json,
)

Stage = Callable[..., Path]


def said(folder: Path, predictions: Sequence[Prediction]) -> Path:
    path = folder / "predictions.jsonl"
    path.write_text("".join(to_json(one) + "\n" for one in predictions), "utf-8")
    return path


def labelled(*labels: str, first: int = 0) -> list[Prediction]:
    return [LabelPrediction(id=str(i), labels=(label,), scores={}) for i, label in enumerate(labels, first)]


def paired(*labels: str) -> list[Prediction]:
    return [PairPrediction(id=str(i), label=label, scores={}) for i, label in enumerate(labels)]


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_numbers_are_written_where_labels_have_names(stage: Stage, tmp_path: Path) -> None:
    path = said(tmp_path, labelled("news_car", "100"))
    out = stage("data submit", tmp_path / "out", task="tnews", predictions=path)
    assert lines(out / "tnews11_predict.json") == [
        {"id": 0, "label": "107", "label_desc": "news_car"},
        {"id": 1, "label": "100", "label_desc": "news_story"},
    ]
    path = said(tmp_path, labelled("打车", "其他"))
    out = stage("data submit", tmp_path / "apps", task="iflytek", predictions=path)
    assert lines(out / "iflytek_predict.json") == [{"id": 0, "label": "0"}, {"id": 1, "label": "118"}]


@pytest.mark.parametrize(
    ("task", "version", "name"),
    [
        ("tnews", "1.0", "tnews10_predict.json"),
        ("tnews", "1.1", "tnews11_predict.json"),
        ("afqmc", "1.0", "afqmc_predict.json"),
        ("iflytek", "1.1", "iflytek_predict.json"),
        ("ocnli", "1.1", "ocnli_50k_predict.json"),
        ("cmnli", "1.1", "cmnli_predict.json"),
        ("csl", "1.1", "csl_predict.json"),
        ("cluewsc2020", "1.0", "cluewsc10_predict.json"),
        ("cluewsc2020", "1.1", "cluewsc11_predict.json"),
        ("c3", "1.1", "c311_predict.json"),
        ("cluener", "1.1", "cluener_predict.json"),
        ("cmrc2018", "1.1", "cmrc2018_predict.json"),
    ],
)
def test_every_task_has_the_published_name(
    stage: Stage, tmp_path: Path, task: str, version: str, name: str
) -> None:
    kinds: dict[str, Prediction] = {
        "classify": LabelPrediction(id="0", labels=("true",), scores={}),
        "pair": PairPrediction(id="0", label="0", scores={}),
        "ner": EntityPrediction(id="0", entities=(), scores=()),
        "reading": ReadingPrediction(id="TEST_0_QUERY_0", answer=None, score=0.0, null_score=0.0),
        "choice": ChoicePrediction(id="0", answer=1, scores=(0.1, 0.9)),
    }
    special: dict[str, Prediction] = {
        "tnews": labelled("news_car")[0],
        "iflytek": labelled("打车")[0],
        "ocnli": paired("neutral")[0],
        "cmnli": paired("neutral")[0],
    }
    path = said(tmp_path, [special.get(task, kinds[TASKS[task].task])])
    out = stage("data submit", tmp_path / "out", task=task, predictions=path, version=version)
    assert [p.name for p in out.iterdir() if p.name != "manifest.json"] == [name]


def test_entities_end_with_their_last_character(stage: Stage, tmp_path: Path) -> None:
    text = "王芳在杭州，王芳在北京"
    spans = tuple(
        Span.of(text, *place, label) for *place, label in [(0, 2, "name"), (3, 5, "address"), (6, 8, "name")]
    )
    path = said(tmp_path, [EntityPrediction(id="0", entities=spans, scores=(1.0, 1.0, 1.0))])
    out = stage("data submit", tmp_path / "out", task="cluener", predictions=path)
    assert lines(out / "cluener_predict.json") == [
        {"id": 0, "label": {"name": {"王芳": [[0, 1], [6, 7]]}, "address": {"杭州": [[3, 4]]}}}
    ]


def test_answers_are_one_object(stage: Stage, tmp_path: Path) -> None:
    answer = Span.of("他在北京", 2, 4)
    path = said(
        tmp_path,
        [
            ReadingPrediction(id="TEST_0_QUERY_0", answer=answer, score=1.0, null_score=0.0),
            ReadingPrediction(id="TEST_0_QUERY_1", answer=None, score=0.0, null_score=1.0),
        ],
    )
    out = stage("data submit", tmp_path / "out", task="cmrc2018", predictions=path)
    assert json.loads((out / "cmrc2018_predict.json").read_text("utf-8")) == {
        "TEST_0_QUERY_0": "北京",
        "TEST_0_QUERY_1": "",
    }


def test_choices_are_numbered_in_the_order_of_the_file(stage: Stage, tmp_path: Path) -> None:
    asked = [{"question": "谁？", "choice": ["甲", "乙"]}, {"question": "哪里？", "choice": ["丙", "丁"]}]
    test = tmp_path / "test.json"
    test.write_text(json.dumps([[["男：你好"], asked, "7-1"]], ensure_ascii=False), "utf-8")
    choices = [ChoicePrediction(id=f"7-1-{i}", answer=i, scores=(0.5, 0.5)) for i in (1, 0)]
    path = said(tmp_path, choices)
    out = stage("data submit", tmp_path / "out", task="c3", predictions=path, test=test)
    assert lines(out / "c311_predict.json") == [{"id": 0, "label": 0}, {"id": 1, "label": 1}]


def test_the_file_has_the_ids_and_the_order_of_the_test_file(stage: Stage, tmp_path: Path) -> None:
    test = tmp_path / "test.json"
    test.write_text(
        "".join(f'{{"id": {i}, "sentence1": "甲", "sentence2": "乙"}}\n' for i in (2, 0, 1)), "utf-8"
    )
    path = said(tmp_path, paired("neutral", "entailment", "contradiction"))
    out = stage("data submit", tmp_path / "out", task="ocnli", predictions=path, test=test)
    assert lines(out / "ocnli_50k_predict.json") == [
        {"id": 2, "label": "contradiction"},
        {"id": 0, "label": "neutral"},
        {"id": 1, "label": "entailment"},
    ]
    manifest = read_manifest(out)
    assert manifest
    assert manifest.counts["checked against the test file"] is True


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ((0, 1, 2), "no prediction for 2"),
        ((0,), "predicted but not in the test file 1"),
        ((0, 1, 1), "the test file has twice 1"),
    ],
)
def test_ids_that_do_not_fit_are_named(
    stage: Stage, tmp_path: Path, ids: tuple[int, ...], words: str
) -> None:
    (tmp_path / "test.json").write_text("".join(f'{{"id": {i}}}\n' for i in ids), "utf-8")
    path = said(tmp_path, paired("0", "1"))
    with pytest.raises(DataError, match=words):
        stage("data submit", tmp_path / "out", task="afqmc", predictions=path, test=tmp_path / "test.json")


@pytest.mark.parametrize(
    ("task", "predictions", "words"),
    [
        ("tnews", labelled("news_cars"), r'0: the task has no label "news_cars" \(did you mean "news_car"'),
        ("cmnli", paired("neutrl"), r'the task has no label "neutrl" \(did you mean "neutral"'),
        ("cluewsc2020", labelled("1"), 'the task has no label "1"'),
        ("afqmc", labelled("0"), "unknown field"),
        ("tnews", [LabelPrediction(id="0", labels=(), scores={})], "0 labels where one is asked for"),
        (
            "cluener",
            [EntityPrediction(id="5", entities=(Span(0, 1, "PER", "王"),), scores=(1.0,))],
            '5: the task has no label "PER"',
        ),
    ],
)
def test_what_the_task_does_not_know_is_refused(
    stage: Stage, tmp_path: Path, task: str, predictions: list[Prediction], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        stage("data submit", tmp_path / "out", task=task, predictions=said(tmp_path, predictions))

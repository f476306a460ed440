"""Models with a temperature, from labelled examples to what the report says of them."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from zhbert.app.pipeline import load
from zhbert.model import store
from zhbert.read.examples import read_examples, read_predictions
from zhbert.read.references import find
from zhbert.records import LabelExample, to_json
from zhbert.task import finish
from zhbert.task.answers import best_answers
from zhbert.task.predict import heard, predict
from zhbert.task.registry import task_of
from zhbert.task.temperature import Ballot, sureness

pytestmark = pytest.mark.slow
Run = Callable[..., Path]
DEV = 60
FOLDERS = {"classify": "topics", "pair": "pairs", "ner": "ner", "reading": "reading", "several": "topics"}


def several(example: Any) -> LabelExample:
    """Labels that stand in the text itself: each, some or none of them may."""
    labels = tuple(label for label in ("的", "在", "了") if label in example.text)
    return LabelExample(id=example.id, text=example.text, labels=labels)


def write(path: Path, examples: Sequence[object]) -> Path:
    path.write_text("".join(to_json(example) + "\n" for example in examples), "utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tempered")


@pytest.fixture(scope="module")
def devs(folder: Path) -> dict[str, Path]:
    found = {}
    for name, source in FOLDERS.items():
        task = "classify" if name == "several" else name
        examples = read_examples(find(f"mini:{source}/dev"), task)[:DEV]
        chosen = list(map(several, examples)) if name == "several" else examples
        found[name] = write(folder / f"{name}-dev.jsonl", chosen)
    return found


@pytest.fixture(scope="module")
def models(
    folder: Path, devs: dict[str, Path], tiny_finetune: Callable[..., dict[str, Any]], stage: Run
) -> dict[str, Path]:
    found = {}
    for name, dev in devs.items():
        more: dict[str, Any] = {"dev": dev, "epochs": 1}
        if name == "several":
            train = read_examples(find("mini:topics/train"), "classify")[:24]
            more |= {"train": write(folder / "several-train.jsonl", list(map(several, train)))}
            more |= {"head": "several", "labels": ["的", "在", "了"]}
        settings = tiny_finetune("classify" if name == "several" else name, **more)
        found[name] = stage("finetune", folder / name, **settings)
    return found


def said(model: Path, examples: Sequence[Any]) -> list[Any]:
    stored = store.load(model)
    return list(predict(task_of(stored), stored.model, examples))


@pytest.fixture(scope="module")
def answers(models: dict[str, Path], devs: dict[str, Path]) -> dict[str, tuple[list[Any], list[Any]]]:
    """Gold and predictions of every model on its dev set."""
    gold = {n: read_examples(path, "classify" if n == "several" else n) for n, path in devs.items()}
    return {name: (gold[name], said(models[name], gold[name])) for name in models}


@pytest.mark.parametrize("name", FOLDERS)
def test_dev_decides_a_temperature_and_says_so(name: str, models: dict[str, Path]) -> None:
    facts = store.read_facts(models[name])
    told = facts.provenance["temperature"]
    assert facts.decoding["temperature"] == told["value"] != 1
    assert told["NLL after"] < told["NLL before"]
    assert 50 <= told["examples of dev"] <= DEV


@pytest.mark.parametrize("name", FOLDERS)
def test_without_it_the_probabilities_are_those_kept_as_raw(
    name: str, models: dict[str, Path], answers: dict[str, tuple[list[Any], list[Any]]], tmp_path: Path
) -> None:
    gold, found = answers[name]
    shutil.copytree(models[name], tmp_path / "plain")
    facts = json.loads((tmp_path / "plain" / store.FACTS).read_text("utf-8"))
    del facts["decoding"]["temperature"]
    (tmp_path / "plain" / store.FACTS).write_text(json.dumps(facts), "utf-8")
    plain = said(tmp_path / "plain", gold)
    assert [sureness(one) for one in plain] == [one.raw for one in found]
    assert not any(one.raw for one in plain)
    assert any(sureness(one) != one.raw for one in found if one.raw)
    if name in ("classify", "pair", "ner"):  # no threshold: the answer is the same
        assert plain == [replace(a, scores=b.scores, raw=()) for a, b in zip(found, plain, strict=True)]
    elif name == "reading":
        best = [[one.answer, *(other.span for other in one.others)] for one in plain]
        assert [list(filter(None, spans))[:1] for spans in best] == [
            list(filter(None, [one.answer, *(other.span for other in one.others)]))[:1] for one in found
        ]


def test_what_is_written_of_dev_is_what_dev_says(
    models: dict[str, Path], answers: dict[str, tuple[list[Any], list[Any]]]
) -> None:
    gold, found = answers["classify"]
    told = store.read_facts(models["classify"]).provenance["temperature"]
    right = [list(p.scores).index(g.labels[0]) for g, p in zip(gold, found, strict=True)]
    before = [-np.log(p.raw[at]) for p, at in zip(found, right, strict=True)]
    after = [-np.log(sureness(p)[at]) for p, at in zip(found, right, strict=True)]
    assert told["NLL before"] == pytest.approx(np.mean(before), abs=1e-4)
    assert told["NLL after"] == pytest.approx(np.mean(after), abs=1e-4)


@pytest.mark.parametrize("name", ["classify", "pair", "several", "reading"])
def test_what_dev_is_judged_by_is_what_the_model_says(
    name: str, models: dict[str, Path], answers: dict[str, tuple[list[Any], list[Any]]]
) -> None:
    """The logits from which the temperature came, divided by it, are the logs of the probabilities."""
    gold, found = answers[name]
    stored = store.load(models[name])
    task, temperature = task_of(stored), stored.facts.decoding["temperature"]
    for one, (example, prepared, scores) in zip(
        found[:20], heard(task, stored.model, gold[:20]), strict=True
    ):
        ballot = task.ballot(example, prepared, scores)
        if ballot is None:
            continue
        logits = torch.from_numpy(np.asarray(ballot.logs, dtype=np.float64))
        shares = [(logits / by).softmax(-1) for by in (temperature, 1.0)]
        for share, kept in zip(shares, (sureness(one), one.raw), strict=True):
            if name == "reading":
                null = share[0, :1].tolist() if task.undecided else [0.0]
                best = float(share[0, len(null) * task.undecided :].max())
                assert kept == pytest.approx((best, *null), abs=2e-6)
                assert ballot.logs[ballot.right].sum() == pytest.approx(
                    _right_odds(task, example, prepared, scores)
                )
            else:
                assert kept == pytest.approx(share[:, 0] if name == "several" else share[0], abs=2e-6)
        if name != "reading":
            marks = ballot.right[:, 0] if name == "several" else ballot.right[0]
            labels = {n for n, mark in zip(one.scores, marks, strict=True) if mark}
            assert labels == ({example.label} if name == "pair" else set(example.labels))  # type: ignore[union-attr]


def test_of_a_large_dev_set_answers_are_taken_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    class Numbered:
        def ballot(self, number: int, *_: object) -> Ballot:
            return Ballot(np.full((1, 4), float(number)), np.array([[True, False, False, False]]))

    monkeypatch.setattr(finish, "LOGITS", 20)
    said: Any = [(number, None, None) for number in range(18)]
    found = finish._ballots(Numbered(), said)  # type: ignore[arg-type]
    assert [int(one.logs[0, 0]) for one in found] == [0, 4, 8, 12, 16]


def _right_odds(task: Any, example: Any, prepared: Any, scores: Any) -> float:
    """The summed logarithms of the odds of all spans that read like a right answer; 0 for "none"."""
    cuts, offset = [feature.span for feature in prepared.features], prepared.features[0].offset
    longest = int(task.setting.decoding["longest"])
    every, _ = best_answers(scores, cuts, offset=offset, longest=longest, count=1_000_000)
    spans = [(one, prepared.encoded.offsets[one.first : one.stop]) for one in every]
    said = [(one.value, example.context[at[0, 0] : at[-1, 1]]) for one, at in spans]
    return sum(value for value, text in said if text in example.texts)


@pytest.mark.parametrize("name", ["classify", "several"])
def test_transformers_has_the_logits_and_the_pipeline_divides_them(
    name: str, models: dict[str, Path]
) -> None:
    model = transformers.AutoModelForSequenceClassification.from_pretrained(models[name])
    tokenizer = transformers.AutoTokenizer.from_pretrained(models[name])
    text, ours = "王芳在杭州市图书馆工作了", load(models[name])
    with torch.inference_mode():
        logits = model.eval()(**tokenizer(text, return_tensors="pt")).logits[0]
    found: Any = ours(text)  # type: ignore[operator]  # a task model, not an encoder
    share = torch.sigmoid if name == "several" else lambda values: values.softmax(-1)
    tempered = share(logits / ours.facts.decoding["temperature"]).tolist()
    assert list(found.scores.values()) == pytest.approx(tempered, abs=2e-5)
    assert found.raw == pytest.approx(share(logits).tolist(), abs=2e-5)
    assert "raw" not in repr(found)


@pytest.mark.parametrize("name", ["several", "reading"])
def test_thresholds_are_chosen_on_scores_of_the_same_kind(
    name: str, models: dict[str, Path], answers: dict[str, tuple[list[Any], list[Any]]]
) -> None:
    gold, found = answers[name]
    stored = store.load(models[name])
    if name == "several":
        threshold = stored.facts.decoding["threshold"]
        assert all(set(p.labels) == {n for n, s in p.scores.items() if s >= threshold} for p in found)
    assert stored.facts.score == pytest.approx(_score(name, gold, found), abs=1e-6)
    if name == "reading" and "none" not in stored.facts.decoding:
        return
    again = task_of(stored).choose(gold, found)
    assert {key: stored.facts.decoding[key] for key in again} == pytest.approx(again)


def _score(name: str, gold: list[Any], found: list[Any]) -> float:
    from zhbert.score.judge import judge

    judged = judge(
        "classify" if name == "several" else name, gold, found, head="" if name == "reading" else name
    )
    return float(judged.headline(judged.counts))


def test_few_examples_of_dev_decide_nothing(tiny_models: dict[str, Path]) -> None:
    for task, path in tiny_models.items():
        facts = store.read_facts(path)
        assert "temperature" not in facts.decoding
        told = facts.provenance["temperature"]
        assert (told["value"], told["why"]) == (1.0, "fewer than 50 examples")
        examples = read_examples(find(f"mini:{FOLDERS[task]}/test"), task)[:3]
        assert not any(one.raw for one in said(path, examples))


def test_other_right_answers_of_the_test_set_change_nothing_that_was_chosen(
    models: dict[str, Path], stage: Run, tmp_path: Path
) -> None:
    """Whatever the test set holds to be right, predictions, facts and probabilities are the same."""
    gold: Any = read_examples(find("mini:topics/test"), "classify")[:DEV]
    labels = [example.labels for example in gold]
    others = {"right": labels, "moved": labels[7:] + labels[:7], "one": labels[:1] * DEV}
    kept, told = set(), {}
    for name, moved in others.items():
        file = write(
            tmp_path / f"{name}.jsonl", [replace(e, labels=of) for e, of in zip(gold, moved, strict=True)]
        )
        answers = stage("apply", tmp_path / f"{name}-said", model=models["classify"], source=file)
        section = {"name": "甲", "task": "classify", "gold": str(file), "systems": {"一": str(answers)}}
        page = stage("score", tmp_path / f"{name}-report", sections=[section], draws=100)
        report = json.loads((page / "report.json").read_text("utf-8"))["sections"][0]
        told[name], sure = report["systems"][0], report["calibration"][0]
        said_of = [[b["said"] for b in one["bins"]] for one in (sure, sure["before"])]
        files = [(answers / file).read_bytes() for file in ("predictions.jsonl", "model.json")]
        kept.add(json.dumps([told[name]["facts"], said_of, *map(str, files)]))
        assert said_of[0] != said_of[1]
    assert len(kept) == 1
    assert told["one"]["figures"] != told["right"]["figures"], "the right answers are others"
    assert float(told["right"]["facts"]["temperature.value"]) != 1
    assert all(p.raw for p in read_predictions(tmp_path / "right-said" / "predictions.jsonl", "classify"))

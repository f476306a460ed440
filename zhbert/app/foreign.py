"""`score --metric`: official figures of predictions that zhbert did not make, and a report of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from zhbert.errors import ConfigError, DataError, nearest
from zhbert.files import write_text
from zhbert.plain import to_json
from zhbert.read.foreign import read_broken_tags, read_gold, read_said
from zhbert.records import Example, Prediction, ReadingExample, ReadingPrediction
from zhbert.score.counts import some
from zhbert.score.official import OFFICIAL
from zhbert.score.report import USUAL, SectionInput, build_report, write_report

Figures = dict[str, float | int]
BROKEN = (
    "sentences with tags that break their scheme, such as I after O: {}; what these spell is no entity, but "
    "in the figures that begin with default it counts as conlleval and seqeval's default mode read it"
)


def score_foreign(
    metric: str,
    gold: Path,
    predictions: Path,
    *,
    form: str = "",
    report: Path | None = None,
    title: str = "Evaluation",
    forms: Sequence[str] = USUAL,
) -> tuple[Figures, list[str]]:
    """Return the figures in per cent, and notes on ids that do not fit; `report` is a folder for a report."""
    if metric not in OFFICIAL:
        raise ConfigError(f'no metric "{metric}"', remedy=nearest(metric, OFFICIAL))
    rule = OFFICIAL[metric]
    asked = read_gold(gold, rule.task, form=form)
    broken = read_broken_tags(predictions, asked, gold) if metric == "entities" else None
    given = broken[0] if broken else read_said(predictions, rule.task, asked)
    said = {prediction.id: prediction for prediction in given}
    ids = {example.id for example in asked}
    missing, extra = [id_ for id_ in ids if id_ not in said], [id_ for id_ in said if id_ not in ids]
    if missing and rule.task != "reading":
        raise DataError(f"no prediction for {some(sorted(missing))}", where=predictions)
    answers = [said.get(example.id) for example in asked]
    figures = rule.figures(asked, answers)
    if broken:
        mended = {prediction.id: prediction for prediction in broken[1]}
        lenient = rule.figures(asked, [mended[example.id] for example in asked])
        figures |= {f"default_{name}": lenient[name] for name in ("precision", "recall", "micro_f1")}
    if report:
        _report(report, title, rule.task, asked, answers, forms)
    notes = [f"no prediction for {some(sorted(missing))}: counted as wrong"] if missing else []
    notes += [f"not in the gold data: {some(sorted(extra))}"] if extra else []
    notes += [BROKEN.format(broken[2])] if broken else []
    return {**figures, "total": len(asked), "skipped": len(missing)}, notes


def _report(
    folder: Path,
    title: str,
    task: str,
    gold: Sequence[Example],
    answers: Sequence[Prediction | None],
    forms: Sequence[str],
) -> None:
    said = [one or _nothing(example) for example, one in zip(gold, answers, strict=True)]
    section = SectionInput(name=title, task=task, gold=gold, systems={"predictions": said})
    folder.mkdir(parents=True, exist_ok=True)
    records: tuple[tuple[str, Sequence[Any]], ...] = (("gold", gold), ("predictions", said))
    for name, every in records:
        write_text(folder / f"{name}.jsonl", "".join(to_json(record) + "\n" for record in every))
    report = build_report(title, sections=[section], rng=np.random.default_rng(1))
    write_report(report, folder, forms=forms)


def _nothing(example: Example) -> ReadingPrediction:
    """Return what stands for no prediction, which is wrong also where there is no answer.

    >>> _nothing(ReadingExample(id="1", context="他在北京", question="谁？")).text
    '(no prediction)'
    """
    text = "" if cast("ReadingExample", example).texts else "(no prediction)"
    return ReadingPrediction(id=example.id, answer=None, text=text, score=0.0, null_score=1.0)

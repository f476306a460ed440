"""`data submit`: predictions as the files that a benchmark takes, under the names that it wants.

CLUE scores a file of another name, or of another order, with 0 and says nothing. So the name follows from
the task and the version; with the test file at hand, its ids are compared with those of the predictions and
the file has its order; every label must be one that the task has.

    afqmc iflytek ocnli cmnli csl cluewsc2020    {"id", "label"} a line
    tnews                                        the same with label_desc
    c3                                           the same, where the label is the number of the option
    cluener                                      {"id", "label": {type: {surface: [[first, last]]}}} a line
    cmrc2018                                     one object, id: answer
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from zhbert.app.told import predictions_file
from zhbert.config import Config, Input
from zhbert.errors import DataError, nearest
from zhbert.files import Work, write_text
from zhbert.progress import SILENT, Progress
from zhbert.read.card import load_card
from zhbert.read.examples import read_predictions
from zhbert.read.forms.base import get, read_json, records_of
from zhbert.read.references import find
from zhbert.records import (
    ChoicePrediction,
    EntityPrediction,
    LabelPrediction,
    PairPrediction,
    Prediction,
    ReadingPrediction,
)
from zhbert.score.counts import some

Id = str | int
ClueTask = Literal[
    "tnews", "afqmc", "iflytek", "ocnli", "cmnli", "csl", "cluewsc2020", "c3", "cluener", "cmrc2018"
]


class SubmitConfig(Config):
    """What is handed in, and where."""

    benchmark: Literal["clue"] = Field(default="clue", description="whose form the files take")
    task: ClueTask = Field(description="which task of the benchmark the predictions are for")
    predictions: Input = Field(description="what `zhbert apply` wrote for the test file")
    test: Input | None = Field(
        default=None, description="the test file, or its reference such as tnews:topics/test, to check ids by"
    )
    version: Literal["1.0", "1.1"] = Field(
        default="1.1", description="version of the test sets of tnews, cluewsc2020 and c3"
    )


def submit(config: SubmitConfig, work: Work, _: Progress = SILENT) -> None:
    """Write the one file of the task."""
    way = TASKS[config.task]
    file = predictions_file(config.predictions)
    said = {prediction.id: prediction for prediction in read_predictions(file, way.task)}
    ids = _in_order(list(way.ids(find(config.test))), said, file) if config.test else _as_numbers(list(said))
    labels = Labels.of(way)
    records = [way.record(name, said[str(name)], labels) for name in ids]
    if way.numbered and not all(isinstance(name, int) for name in ids):
        records = [record | {"id": number} for number, record in enumerate(records)]
    name = f"{way.name or config.task}{config.version.replace('.', '') * way.versions}_predict.json"
    write_text(work.folder / name, way.text(records))
    work.counts |= {
        "file": name,
        "predictions": len(records),
        "checked against the test file": bool(config.test),
    }


@dataclass(frozen=True, slots=True)
class Labels:
    """What a benchmark writes for labels, and what it calls them."""

    known: tuple[str, ...]
    codes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, way: "Way") -> "Labels":
        """Return the labels of a task, which its card knows."""
        if not way.card:
            return cls(way.labels)
        labelled = next(iter(load_card(way.card).tasks.values()))
        return cls(tuple(labelled.labels), {name: code for code, name in labelled.names.items()})

    def code(self, label: str, ident: str) -> str:
        """Return what is written for a label: its number where it has one.

        >>> Labels(("news_car",), {"news_car": "107"}).code("news_car", "0")
        '107'
        """
        if label in self.codes.values():
            return label
        if label not in self.known:
            raise DataError(
                f'the task has no label "{label}"', where=ident, remedy=nearest(label, self.known)
            )
        return self.codes.get(label, label)


def _in_order(asked: Sequence[Id], said: dict[str, Prediction], file: Path) -> list[Id]:
    """Return the ids of a test file; the predictions must be for them and for no others."""
    names = Counter(str(name) for name in asked)
    faults = {
        "the test file has twice": [name for name, times in names.items() if times > 1],
        "no prediction for": [name for name in names if name not in said],
        "predicted but not in the test file": [name for name in said if name not in names],
    }
    wrong = [f"{words} {some(found)}" for words, found in faults.items() if found]
    if wrong:
        raise DataError("; ".join(wrong), where=file, remedy="predict the test file itself, whole")
    return list(asked)


def _as_numbers(names: Sequence[str]) -> list[Id]:
    """Return ids as the test files have them: numbers, if all of them are.

    >>> _as_numbers(["0", "12"]), _as_numbers(["0", "TEST_0"])
    ([0, 12], ['0', 'TEST_0'])
    """
    numbers = [int(name) for name in names if name.isascii() and name.isdigit()]
    return list(numbers) if [str(number) for number in numbers] == list(names) else list(names)


def _line_ids(path: Path) -> Iterator[Id]:
    for number, (_, record) in enumerate(records_of(path), start=1):
        yield record.get("id", number)


def _question_ids(path: Path) -> Iterator[Id]:
    for article in get(read_json(path), "data", list, path):
        for paragraph in get(article, "paragraphs", list, path):
            yield from (get(asked, "id", (str, int), path) for asked in get(paragraph, "qas", list, path))


def _choice_ids(path: Path) -> Iterator[Id]:
    for number, item in enumerate(read_json(path), start=1):
        if not isinstance(item, list) or len(item) < 2:
            raise DataError(f"item {number} must be [lines, questions, id]", where=path)
        name = item[2] if len(item) > 2 else number
        yield from (asked.get("id", f"{name}-{count}") for count, asked in enumerate(item[1]))


def _labelled(name: Id, said: Prediction, labels: Labels) -> dict[str, Any]:
    label = said.label if isinstance(said, PairPrediction) else ""
    if isinstance(said, LabelPrediction):
        if len(said.labels) != 1:
            raise DataError(f"{len(said.labels)} labels where one is asked for", where=said.id)
        label = said.labels[0]
    return {"id": name, "label": labels.code(label, said.id)}


def _described(name: Id, said: Prediction, labels: Labels) -> dict[str, Any]:
    record = _labelled(name, said, labels)
    names = {code: label for label, code in labels.codes.items()}
    return record | {"label_desc": names[record["label"]]}


def _chosen(name: Id, said: Prediction, _: Labels) -> dict[str, Any]:
    assert isinstance(said, ChoicePrediction)
    return {"id": name, "label": said.answer}


def _entities(name: Id, said: Prediction, labels: Labels) -> dict[str, Any]:
    assert isinstance(said, EntityPrediction)
    found: dict[str, dict[str, list[list[int]]]] = {}
    for span in said.entities:
        places = found.setdefault(labels.code(span.label, said.id), {}).setdefault(span.surface, [])
        places.append([span.start, span.end - 1])
    return {"id": name, "label": found}


def _answered(name: Id, said: Prediction, _: Labels) -> dict[str, Any]:
    assert isinstance(said, ReadingPrediction)
    return {str(name): said.answer.surface if said.answer else ""}


def _lines(records: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _one(records: Sequence[dict[str, Any]]) -> str:
    merged = {key: value for record in records for key, value in record.items()}
    return json.dumps(merged, ensure_ascii=False, indent=1) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How one task is handed in: the kind of its predictions, the name of its file, what a record is."""

    task: str
    card: str = ""
    labels: tuple[str, ...] = ()
    name: str = ""
    versions: bool = False
    numbered: bool = False  # questions without numbers of their own are counted
    record: Callable[[Id, Prediction, Labels], dict[str, Any]] = _labelled
    ids: Callable[[Path], Iterator[Id]] = _line_ids
    text: Callable[[Sequence[dict[str, Any]]], str] = _lines


TASKS: dict[str, Way] = {
    "tnews": Way(task="classify", card="tnews", versions=True, record=_described),
    "afqmc": Way(task="pair", card="afqmc"),
    "iflytek": Way(task="classify", card="iflytek"),
    "ocnli": Way(task="pair", card="ocnli", name="ocnli_50k"),
    "cmnli": Way(task="pair", card="cmnli"),
    "csl": Way(task="pair", card="csl"),
    "cluewsc2020": Way(task="classify", labels=("true", "false"), name="cluewsc", versions=True),
    "c3": Way(task="choice", versions=True, numbered=True, record=_chosen, ids=_choice_ids),
    "cluener": Way(task="ner", card="cluener", record=_entities),
    "cmrc2018": Way(task="reading", record=_answered, ids=_question_ids, text=_one),
}

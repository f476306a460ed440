"""CLUE and FewCLUE: one JSON object a line, a text or two and a label.

    TNEWS, IFLYTEK    sentence, label, label_desc or label_des: the name of the label is taken, not its number
    OCNLI, CMNLI …    sentence1, sentence2, label; "-" says that the annotators disagree: left out, counted
    CSL               abst, keyword (a list), label: a pair of keywords and abstract, or with `task` classify
                      one text of both

What else a record holds is not taken over.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zhbert.errors import DataError
from zhbert.read.forms.base import Form, Placed, checked, get, records_of, refuse, write_json_lines
from zhbert.read.forms.how import How
from zhbert.records import Example, LabelExample, PairExample

_NAMES = ("label_desc", "label_des", "label")
_NO_AGREEMENT = "-"
_JOIN = "、"


def _read(path: Path, how: How) -> Iterator[Placed]:
    for number, (where, record) in enumerate(records_of(path), start=1):
        label = _label(record, where)
        if label == _NO_AGREEMENT:
            how.counts['left out: label "-"'] += 1
            continue
        first, second = _texts(record, where, as_one=how.task == "classify")
        if how.task and (how.task == "pair") != (second is not None):
            raise DataError(f"this record is not one of {how.task}", where=where, remedy="leave --task out")
        yield where, _example(str(record.get("id", number)), first, second, label)


def _example(ident: str, first: str, second: str | None, label: str) -> Example:
    if second is None:
        return LabelExample(id=ident, text=first, labels=(label,) if label else ())
    return PairExample(id=ident, first=first, second=second, label=label)


def _label(record: dict[str, Any], where: str) -> str:
    """Return the name of the label; none in a test file."""
    key = next((name for name in _NAMES if name in record), None)
    if key is None or record[key] is None:
        return ""
    return str(checked(record[key], (str, int), key, where))


def _texts(record: dict[str, Any], where: str, *, as_one: bool) -> tuple[str, str | None]:
    if "sentence1" in record:
        return get(record, "sentence1", str, where), get(record, "sentence2", str, where)
    if "abst" not in record:
        return get(record, "sentence", str, where), None
    words = get(record, "keyword", list, where)
    abstract = get(record, "abst", str, where)
    keywords = _JOIN.join(checked(word, str, "keyword", where) for word in words)
    return (f"{keywords}。{abstract}", None) if as_one else (keywords, abstract)


def _write(examples: Sequence[Example], path: Path, _: How) -> None:
    write_json_lines(path, [_record(example) for example in examples])


def _record(example: Example) -> dict[str, Any]:
    match example:
        case PairExample():
            record = {"id": example.id, "sentence1": example.first, "sentence2": example.second}
            return record | ({"label": example.label} if example.label else {})
        case LabelExample(labels=labels) if len(labels) < 2:
            record = {"id": example.id, "sentence": example.text}
            return record | ({"label": labels[0]} if labels else {})
        case LabelExample():
            raise DataError(f"clue cannot hold {len(example.labels)} labels of one text", where=example.id)
    raise refuse(example, "clue")


CLUE = Form(
    name="clue",
    about="CLUE, FewCLUE: a text (TNEWS, IFLYTEK) or two (OCNLI, AFQMC, CSL) a JSON object and line",
    tasks=("classify", "pair"),
    reader=_read,
    writer=_write,
)

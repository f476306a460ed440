"""C3: a list of `[[lines of the text], [{"question", "choice", "answer"}], id]`.

The right option is named by its text. Options that stand twice are counted: the first of them is the answer.
The lines of a text are joined with line breaks. Questions have no ids of their own: they are numbered.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from zhbert.errors import DataError
from zhbert.read.forms.base import Form, Placed, checked, dumped, get, read_json, refuse, write_lines
from zhbert.read.forms.how import How
from zhbert.records import ChoiceExample, Example


def _read(path: Path, how: How) -> Iterator[Placed]:
    for number, item in enumerate(checked(read_json(path), list, "the file", path), start=1):
        place = f"{path}: item {number}"
        if not isinstance(item, list) or len(item) not in (2, 3):
            raise DataError("an item must be [lines, questions, id]", where=place)
        lines = [checked(line, str, "line", place) for line in checked(item[0], list, "lines", place)]
        name = str(item[2]) if len(item) == 3 else str(number)
        for count, asked in enumerate(checked(item[1], list, "questions", place)):
            where = f"{place}, question {count + 1}"
            ident = str(get(asked, "id", (str, int), where, f"{name}-{count}"))
            yield where, _example(ident, "\n".join(lines), asked, how, where)


def _example(ident: str, context: str, asked: Any, how: How, where: str) -> ChoiceExample:
    choice = get(asked, "choice", list, where)
    options = tuple(checked(option, str, "choice", where) for option in choice)
    question = get(asked, "question", str, where)
    answer = answer_of(asked.get("answer"), options, how, where)
    return ChoiceExample(id=ident, context=context, question=question, options=options, answer=answer)


def answer_of(answer: Any, options: tuple[str, ...], how: How, where: str) -> int | None:
    """Return which option the answer is; none where it is not known, which test sets write as ""."""
    if answer is None or (answer == "" and "" not in options):
        return None
    if len(set(options)) < len(options):
        how.counts["options that stand twice"] += 1
    if checked(answer, str, "answer", where) not in options:
        raise DataError(f'the answer "{answer}" is none of {len(options)} options', where=where)
    return options.index(answer)


def _write(examples: Sequence[Example], path: Path, _: How) -> None:
    """Write questions that follow each other on one text as one item."""
    chosen = [_choice(example) for example in examples]
    groups = groupby(chosen, key=lambda example: example.context)
    items = [
        [context.split("\n"), [_asked(one) for one in group], str(number)]
        for number, (context, group) in enumerate(groups, start=1)
    ]
    write_lines(path, [dumped(items)])


def _choice(example: Example) -> ChoiceExample:
    if not isinstance(example, ChoiceExample):
        raise refuse(example, "c3")
    if example.answer is not None and example.options.index(example.options[example.answer]) < example.answer:
        raise DataError("c3 cannot tell two equal options apart", where=example.id)
    return example


def _asked(example: ChoiceExample) -> dict[str, Any]:
    answer = {} if example.answer is None else {"answer": example.options[example.answer]}
    return {"id": example.id, "question": example.question, "choice": list(example.options), **answer}


C3 = Form(
    name="c3",
    about="C3: texts with questions and options to choose from",
    tasks=("choice",),
    reader=_read,
    writer=_write,
    suffix=".json",
)

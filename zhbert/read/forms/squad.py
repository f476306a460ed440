"""SQuAD, CMRC 2018 and DRCD: articles, paragraphs, questions.

- Where the published answers are not just what stands at their places, all of them are kept as texts
  (`published`), for those are what an answer is scored against.
- An answer at -1 is one of which the publisher says that it stands nowhere: it is kept as a text.
- A test set whose publisher withholds the answers has FAKE_ANSWER_1 and so on at -1: these are no answers,
  and the question stays, to be answered.
- A question none of whose answers has a place is left out and counted, unless it is only to be scored; one
  that has no answers stays.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from zhbert.errors import DataError
from zhbert.read.forms.base import Form, Placed, dumped, get, read_json, refuse, write_lines
from zhbert.read.forms.how import How
from zhbert.records import Example, ReadingExample, Span

_WITHHELD = re.compile(r"FAKE_ANSWER_\d+")


def _read(path: Path, how: How) -> Iterator[Placed]:
    for article in get(read_json(path), "data", list, path):
        for paragraph in get(article, "paragraphs", list, path):
            context = get(paragraph, "context", str, path)
            for asked in get(paragraph, "qas", list, path):
                ident = str(get(asked, "id", (str, int), path))
                where = f"{path}: {ident}"
                if example := _question(asked, ident, context, how, where):
                    yield where, example


def _question(asked: Any, ident: str, context: str, how: How, where: str) -> ReadingExample | None:
    """Return a question with the answers that stand in the text, or none if all of them had to go."""
    given = [] if asked.get("is_impossible") else get(asked, "answers", list, where, [])
    texts = [get(one, "text", str, where) for one in given]
    starts = [get(one, "answer_start", int, where) for one in given]
    question = get(asked, "question", str, where)
    return question_of(ident, context, question, texts, starts, how, where)


def question_of(
    ident: str, context: str, question: str, texts: list[str], starts: list[int], how: How, where: str
) -> ReadingExample | None:
    """Return the example of a question and its published answers."""
    found: list[Span] = []
    known = [(t, at) for t, at in zip(texts, starts, strict=True) if at != -1 or not _WITHHELD.fullmatch(t)]
    texts = [text for text, _ in known]
    for text, start in known:
        if start == -1 and text and text not in context:
            how.counts["stands nowhere, kept as a text"] += 1
        elif span := how.span(context, start, None, text, where=where):
            found.append(span)
    if texts and not found and not how.scored:
        how.counts["without an answer"] += 1
        return None
    published = tuple(dict.fromkeys(text for text in texts if text))
    answers = tuple(dict.fromkeys(found))
    same = set(published) == {span.surface for span in answers}
    return ReadingExample(
        id=ident,
        context=context,
        question=question,
        answers=answers,
        published=() if same else published,
    )


def _write(examples: Sequence[Example], path: Path, _: How) -> None:
    """Write questions that follow each other on one text as one paragraph."""
    reading = [_reading(example) for example in examples]
    paragraphs = [
        {"context": context, "qas": [_asked(example) for example in group]}
        for context, group in groupby(reading, key=lambda example: example.context)
    ]
    articles = [{"title": "", "paragraphs": [paragraph]} for paragraph in paragraphs]
    write_lines(path, [dumped({"version": "1.0", "data": articles})])


def _reading(example: Example) -> ReadingExample:
    if not isinstance(example, ReadingExample):
        raise refuse(example, "squad")
    return example


def _asked(example: ReadingExample) -> dict[str, Any]:
    """Return a question as SQuAD 2 writes it; what stands nowhere is at -1."""
    answers = [{"text": text, "answer_start": start} for text, start in _published(example)]
    for text, start in _published(example):
        if start == -1 and text in example.context:
            what = f'squad cannot hold "{text}", which stands in the text without a place'
            raise DataError(what, where=example.id)
    record = {"id": example.id, "question": example.question, "answers": answers}
    return record if answers else record | {"is_impossible": True}


def _published(example: ReadingExample) -> Iterator[tuple[str, int]]:
    """Yield the answers in the order in which they were published."""
    spans = [(example.context[span.start : span.end], span.start) for span in example.answers]
    placed, left = {text for text, _ in spans}, list(example.published)
    for text, start in spans:
        while text in left:  # up to it
            if (one := left.pop(0)) not in placed:
                yield one, -1
        yield text, start
    yield from ((text, -1) for text in left if text not in placed)


SQUAD = Form(
    name="squad",
    about="SQuAD, CMRC 2018, DRCD: articles, paragraphs, questions",
    tasks=("reading",),
    reader=_read,
    writer=_write,
    suffix=".json",
)

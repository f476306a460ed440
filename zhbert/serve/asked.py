"""What a request asks: one type for every task, checked to the last key, and said plainly where it is wrong.

A text is whatever JSON can say of one: empty, of spaces, with NUL or half a surrogate pair in it. Whatever
`zhbert.load(...)` answers is answered here too.
"""

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, FailFast, Field, PlainValidator, ValidationError

from zhbert.errors import nearest
from zhbert.serve.queue import texts_in

SHOWN = 60  # characters of what somebody sent that come back in a message
FIELDS = {
    "classify": "texts",
    "ner": "texts",
    "segment": "texts",
    "pair": "pairs",
    "reading": "questions",
    "choice": "questions",
}


class Refused(Exception):
    """A request that is not answered, and with which status."""

    def __init__(self, status: int, what: str, **headers: str) -> None:
        self.status, self.what, self.headers = status, what, headers
        super().__init__(what)


def _text(value: object) -> str:
    """Take any text, half surrogate pairs too, which pydantic's own type of text refuses."""
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return value


Text = Annotated[str, PlainValidator(_text, json_schema_input_type=str)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pair(_Strict):
    """Two texts whose relation is asked."""

    first: Text = Field(description="one text")
    second: Text = Field(description="the other")


class Question(_Strict):
    """A question on a context, with options where one of them is to be chosen."""

    question: Text = Field(description="what is asked")
    context: Text = Field(description="where the answer stands")
    options: Annotated[list[Text], FailFast()] = Field(
        default=[], description="for a model of choices: two or more"
    )


class Asked(_Strict):
    """What a model is asked: texts, pairs or questions, as its task needs; answers come in their order."""

    model: Text | None = Field(
        default=None, description="the name of a model; needed where there are several"
    )
    texts: Annotated[list[Text], FailFast()] = Field(
        default=[], description="for classes, entities and words"
    )
    pairs: Annotated[list[Pair], FailFast()] = Field(default=[], description="for pairs")
    questions: Annotated[list[Question], FailFast()] = Field(
        default=[], description="for reading and choices"
    )


def parsed(body: bytes) -> Asked:
    """Return what the body of a request asks.

    >>> parsed('{"texts": ["主队赢了"]}'.encode()).texts
    ['主队赢了']
    >>> parsed(b'{"text": ["a"]}')
    Traceback (most recent call last):
    zhbert.serve.asked.Refused: unknown field "text" (did you mean "texts"?)
    """
    try:
        plain = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise Refused(400, "the body is not UTF-8") from None
    except RecursionError:
        raise Refused(400, "the body is nested too deeply") from None
    except ValueError as error:
        raise Refused(400, f"the body is not JSON: {begun(str(error))}") from None
    if not isinstance(plain, dict):
        raise Refused(422, 'the body must be an object, such as {"texts": ["…"]}')
    unknown = next((key for key in plain if key not in Asked.model_fields), None)
    if unknown is not None:
        remedy = nearest(begun(unknown), Asked.model_fields)
        raise Refused(422, f'unknown field "{begun(unknown)}" ({remedy})')
    try:
        return Asked.model_validate(plain)
    except ValidationError as error:
        raise Refused(422, _in_words(error)) from None


def _in_words(error: ValidationError) -> str:
    """Return the first thing that is wrong, in one line."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ""
    for part in first["loc"]:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
    words = {
        "missing": "is missing",
        "extra_forbidden": "is unknown",
        "string_unicode": "has a field whose name is no text",
        "list_type": "must be a list",
        "model_type": "must be an object",
        "value_error": "must be a text",
    }
    return f'"{begun(place)}" {words.get(first["type"], begun(first["msg"]))}'


def questions_of(asked: Asked, task: str, *, most: int, longest: int) -> list[Any]:
    """Return the questions of a request as a pipeline of a task takes them, or refuse it.

    >>> questions_of(Asked(pairs=[Pair(first="甲", second="乙")]), "pair", most=9, longest=9)
    [('甲', '乙')]
    """
    wanted = FIELDS[task]
    given = [name for name in ("texts", "pairs", "questions") if name in asked.model_fields_set]
    if given != [wanted]:
        instead = f", not {', '.join(given)}" if given else ""
        raise Refused(422, f'a {task} model takes "{wanted}" alone{instead}')
    found = [_question(one, task) for one in getattr(asked, wanted)]
    if len(found) > most:
        raise Refused(413, f"{len(found):,} {wanted} are too many: {most:,} at most")
    for place, one in enumerate(found):
        if (size := sum(map(len, texts_in(one)))) > longest:
            raise Refused(413, f"{wanted}[{place}] has {size:,} characters: {longest:,} at most")
    return found


def _question(one: str | Pair | Question, task: str) -> Any:
    if isinstance(one, Pair):
        return one.first, one.second
    if isinstance(one, str):
        return one
    if task == "choice":
        if len(one.options) < 2:
            raise Refused(422, "a choice needs two options or more")
        return one.context, one.question, one.options
    if one.options:
        raise Refused(422, "a reading model takes no options")
    return one.question, one.context


def begun(text: str) -> str:
    """Return the beginning of a text that may be anything, on one line.

    >>> begun("一\\n二"), len(begun("字" * 99))
    ('一 二', 61)
    """
    line = " ".join(text[: SHOWN + 1].split())
    return line[:SHOWN] + "…" if len(text) > SHOWN else line

"""Frames and lexicons: the small language in which a synthetic corpus is written.

    {person}          a draw from the lexicon "person"; {person#1} stays the same all through one scope
    {n:3-9}           a whole number of that range; {n:3-9#1} stays the same in the same way
    [很|非常|]         one of several wordings; they nest, and one may be empty
    <谁:{person#1}>    a marked span, for instance the answer to a question

A draw from a lexicon that has a label is an entity. What a frame composes inside one entry of
another lexicon (the city in the name of a factory) is not: only the outermost entry counts.

Every choice derives from `random.Random(seed).random()`, the one method whose sequence Python
promises to keep from version to version, so a corpus is the same bytes everywhere.
"""

import hashlib
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from zhbert.errors import DataError
from zhbert.records import Span

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A draw from a lexicon, or of a number between bounds; the same key draws once in a scope."""

    name: str
    key: str = ""
    bounds: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of several frames."""

    options: tuple["Frame", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A frame whose rendering becomes a labelled span."""

    label: str
    body: "Frame"


Node = str | Slot | Choice | Mark
Frame = tuple[Node, ...]

_TOKEN = re.compile(r"[\[\]{}|<>]|[^\[\]{}|<>]+")
_SLOT = re.compile(r"(?P<name>[^#:]+|n:(?P<low>\d+)-(?P<high>\d+))(?:#(?P<key>\w+))?")


def parse(line: str, *, where: str = "") -> Frame:
    """Return the frame that a line of text describes.

    >>> parse("{person}[很|非常]高兴")
    (Slot(name='person', key='', bounds=None), Choice(options=(('很',), ('非常',))), '高兴')
    >>> parse("[很|非常高兴", where="news.txt:3")
    Traceback (most recent call last):
    zhbert.errors.DataError: news.txt:3: a bracket is not closed: "[" (every [ needs its ], every < its >)
    """
    tokens = _TOKEN.findall(line)
    options, end = _options(tokens, 0, "", where)
    if end < len(tokens) or len(options) > 1:
        stray = tokens[end] if end < len(tokens) else "|"
        raise DataError(f'stray "{stray}" in a frame', where=where, remedy="wordings stand in [a|b]")
    return options[0]


def _options(tokens: Sequence[str], at: int, close: str, where: str) -> tuple[tuple[Frame, ...], int]:
    """Read wordings separated by bars up to `close`; return them and the index after it."""
    options: list[Frame] = []
    nodes: list[Node] = []
    while at < len(tokens) and tokens[at] not in ("]", ">", "}"):
        if tokens[at] == "|":
            options.append(tuple(nodes))
            nodes, at = [], at + 1
        else:
            node, at = _node(tokens, at, where)
            nodes.append(node)
    options.append(tuple(nodes))
    if close and (at >= len(tokens) or tokens[at] != close):
        opening = {"]": "[", ">": "<"}[close]
        remedy = "every [ needs its ], every < its >"
        raise DataError(f'a bracket is not closed: "{opening}"', where=where, remedy=remedy)
    return tuple(options), at + 1 if close else at


def _node(tokens: Sequence[str], at: int, where: str) -> tuple[Node, int]:
    token = tokens[at]
    if token == "[":
        options, at = _options(tokens, at + 1, "]", where)
        return Choice(options=options), at
    if token == "<":
        options, at = _options(tokens, at + 1, ">", where)
        head = options[0][0] if options[0] else ""
        if len(options) > 1 or not isinstance(head, str) or ":" not in head:
            raise DataError("a mark must read <label:text>", where=where)
        label, rest = head.split(":", 1)
        return Mark(label=label, body=(*((rest,) if rest else ()), *options[0][1:])), at
    if token == "{":
        return _slot(tokens, at, where), at + 3
    return token, at + 1


def _slot(tokens: Sequence[str], at: int, where: str) -> Slot:
    found = _SLOT.fullmatch(tokens[at + 1]) if "".join(tokens[at + 2 : at + 3]) == "}" else None
    if not found:
        raise DataError("a slot is not well formed", where=where, remedy="write {name}, {name#1} or {n:1-9}")
    bounds = (int(found["low"]), int(found["high"])) if found["low"] else None
    return Slot(name=found["name"], key=found["key"] or "", bounds=bounds)


def walk(frame: Frame) -> Iterator[Slot | Mark]:
    """Yield every slot and mark of a frame, those inside wordings and marks too.

    >>> [node.name for node in walk(parse("[在{place}|由{org}]举行")) if isinstance(node, Slot)]
    ['place', 'org']
    """
    for node in frame:
        if isinstance(node, (Slot, Mark)):
            yield node
        if isinstance(node, Mark):
            yield from walk(node.body)
        if isinstance(node, Choice):
            for option in node.options:
                yield from walk(option)


class Dice:
    """Choices that are the same on every Python, drawn from a seed.

    >>> Dice("种子").shuffled(["春", "夏", "秋", "冬"])
    ['春', '秋', '夏', '冬']
    """

    def __init__(self, seed: str) -> None:
        digest = hashlib.sha256(seed.encode()).digest()
        self._random = random.Random(int.from_bytes(digest[:8], "big")).random

    def below(self, bound: int) -> int:
        """Return a whole number from 0 up to, not including, `bound`."""
        return int(self._random() * bound)

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` up to and including `high`."""
        return low + self.below(high - low + 1)

    def pick(self, items: Sequence[T]) -> T:
        """Return one of the items."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in a new order."""
        result = list(items)
        for last in range(len(result) - 1, 0, -1):
            other = self.below(last + 1)
            result[last], result[other] = result[other], result[last]
        return result


class Deck(Generic[T]):
    """Draws that use every item once before any item again, so that rare entries do not exist."""

    def __init__(self, items: Sequence[T], dice: Dice) -> None:
        self._items, self._dice = items, dice
        self._left: list[T] = []

    def draw(self) -> T:
        """Return the next item."""
        if not self._left:
            self._left = self._dice.shuffled(self._items)
        return self._left.pop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Entries in two halves, and the label that they carry as entities ("" for none)."""

    name: str
    label: str = ""
    seen: tuple[str, ...] = ()
    held: tuple[str, ...] = ()

    def part(self, half: str) -> tuple[str, ...]:
        """Return the entries of the half "seen" or "held", or of "all"."""
        return {"seen": self.seen, "held": self.held, "all": self.seen + self.held}[half]


def is_held(entry: str) -> bool:
    """Tell whether an entry belongs to the held-out third, by its text alone.

    >>> [word for word in ["足球", "篮球", "象棋", "滑雪", "跳水"] if is_held(word)]
    ['足球', '篮球']
    """
    return hashlib.sha256(entry.encode()).digest()[0] % 3 == 0


@dataclass(slots=True)
class Scope:
    """What a text has bound and used so far: keyed draws return, other draws do not repeat."""

    bound: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def without(self, key: str) -> "Scope":
        """Return a copy in which one key is free again, and its old value may not come back."""
        return Scope({k: v for k, v in self.bound.items() if k != key}, set(self.used))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A text, the entities that its slots made and the spans that its frame marked."""

    text: str
    entities: tuple[Span, ...] = ()
    marks: tuple[Span, ...] = ()


class Pen:
    """Renders frames with the lexicons of one half.

    >>> place = Lexicon(name="place", label="地点", seen=("兰州",))
    >>> pen = Pen({"place": place}, half="seen", dice=Dice("1"))
    >>> pen.write(parse("他在{place}工作"), Scope()).entities
    (Span(start=2, end=4, label='地点', surface='兰州'),)
    """

    def __init__(self, lexicons: Mapping[str, Lexicon], *, half: str, dice: Dice) -> None:
        self._lexicons, self._half, self._dice = lexicons, half, dice
        self._decks: dict[str, Deck[str]] = {}

    def write(
        self, frame: Frame, scope: Scope, *, alias: Mapping[str, Sequence[str]] | None = None
    ) -> Rendered:
        """Return the rendering of a frame; an alias is a slot name that stands for some lexicons."""
        return join([self._node(node, scope, alias or {}) for node in frame])

    def _node(self, node: Node, scope: Scope, alias: Mapping[str, Sequence[str]]) -> Rendered:
        if isinstance(node, Choice):
            return self.write(self._dice.pick(node.options), scope, alias=alias)
        if isinstance(node, Mark):
            body = self.write(node.body, scope, alias=alias)
            mark = Span.of(body.text, 0, len(body.text), node.label)
            return Rendered(text=body.text, entities=body.entities, marks=(*body.marks, mark))
        if isinstance(node, str):
            return Rendered(text=node)
        names = alias.get(node.name, (node.name,))
        key = f"{node.name}#{node.key}"
        value = scope.bound.get(key) or self._fresh(node, self._dice.pick(names), scope)
        if node.key:
            scope.bound[key] = value
        label = "" if node.bounds else self._lexicons[names[0]].label
        spans = (Span.of(value, 0, len(value), label),) if label else ()
        return Rendered(text=value, entities=spans)

    def _fresh(self, node: Slot, name: str, scope: Scope) -> str:
        """Draw until the value is new in its scope; a small range of numbers may run out of new ones."""
        value = ""
        for _ in range(50):
            value = str(self._dice.between(*node.bounds)) if node.bounds else self._draw(name)
            if value not in scope.used:
                break
        scope.used.add(value)
        return value

    def _draw(self, name: str) -> str:
        if name not in self._decks:
            entries = self._lexicons[name].part(self._half)
            if not entries:
                raise DataError(f'the lexicon "{name}" has no entry in its {self._half} part')
            self._decks[name] = Deck(entries, self._dice)
        return self._decks[name].draw()


def join(parts: Sequence[Rendered], between: str = "") -> Rendered:
    """Return renderings one after another as one, the spans moved along.

    >>> name = Rendered(text="李明", entities=(Span.of("李明", 0, 2, "人名"),))
    >>> join([Rendered(text="我叫"), name]).entities[0]
    Span(start=2, end=4, label='人名', surface='李明')
    """
    texts: list[str] = []
    entities: list[Span] = []
    marks: list[Span] = []
    at = 0
    for part in parts:
        entities += [Span(s.start + at, s.end + at, s.label, s.surface) for s in part.entities]
        marks += [Span(s.start + at, s.end + at, s.label, s.surface) for s in part.marks]
        texts.append(part.text)
        at += len(part.text) + len(between)
    return Rendered(text=between.join(texts), entities=tuple(entities), marks=tuple(marks))

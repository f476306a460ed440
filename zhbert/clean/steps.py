"""Cleaning steps in a row, each written as one short line: `name key=value key=value`.

    Steps(["markup", "normalise simplify=true", "pii kinds=mobile,email", "filter preset=web min_han=0.4"])

The line is the same in a recipe, on the command line and in Python; `STEPS` lists the names. Every document
comes out either cleaned or dropped by exactly one step for exactly one reason. A step that leaves nothing
but white space drops the document ("nothing left").
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zhbert.clean.base import Outcome, Step, StepConfig
from zhbert.clean.boilerplate import Boilerplate
from zhbert.clean.filters import Filter
from zhbert.clean.funnel import Funnel
from zhbert.clean.markup import Markup
from zhbert.clean.normalise import Normalise
from zhbert.clean.pii import Pii
from zhbert.config import fingerprint, parse, parse_value
from zhbert.errors import ConfigError, nearest
from zhbert.text.sentences import sentences


class Sentences(StepConfig):
    """One sentence a line."""

    def make(self) -> Step:
        """Return the function that does the step."""
        return _one_a_line


def _one_a_line(text: str) -> Outcome:
    """Return the sentences of `text`, one a line.

    >>> _one_a_line("今天下雨。明天呢？\\n\\n不知道").text
    '今天下雨。\\n明天呢？\\n不知道'
    """
    parts = [text[start:end].strip() for start, end in sentences(text)]
    return Outcome(text="\n".join(part for part in parts if part))


STEPS: dict[str, type[StepConfig]] = {
    "markup": Markup,
    "boilerplate": Boilerplate,
    "normalise": Normalise,
    "pii": Pii,
    "filter": Filter,
    "sentences": Sentences,
}
DEFAULT = ("normalise", "filter preset=light")
NOTHING_LEFT = "nothing left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """A text after all steps, or as it was when a step dropped it."""

    text: str
    dropped_by: str = ""
    reason: str = ""
    changes: Mapping[str, int] = field(default_factory=dict)


class Steps:
    """Steps in a row, as a function of a text; it pickles as its lines.

    >>> steps = Steps(["normalise width=half", "filter min_characters=6"])
    >>> steps("　　Ａ股今天大涨。  ").text
    'A股今天大涨。'
    >>> steps("你好")
    Cleaned(text='你好', dropped_by='filter', reason='too short', changes={})
    """

    def __init__(self, lines: Iterable[str] = DEFAULT, *, where: object = "") -> None:
        self.lines = tuple(lines)
        configs = [read_step(line, where=where) for line in self.lines]
        self.names = _numbered([line.split()[0] for line in self.lines])
        _refuse_flat_markup(configs, where)
        self.settings: list[dict[str, Any]] = [
            {"step": name.split()[0]} | config.settings()
            for name, config in zip(self.names, configs, strict=True)
        ]
        self._steps = [(name, config.make()) for name, config in zip(self.names, configs, strict=True)]

    def __reduce__(self) -> tuple[type["Steps"], tuple[tuple[str, ...]]]:
        return Steps, (self.lines,)

    @property
    def fingerprint(self) -> str:
        """Return a hash that is the same for lines that do the same."""
        return fingerprint(self.settings)

    def funnel(self) -> Funnel:
        """Return an empty funnel of these steps."""
        return Funnel.of(self.names)

    def __call__(self, text: str, funnel: Funnel | None = None) -> Cleaned:
        """Return `text` cleaned, and count what every step did in `funnel`."""
        changes: dict[str, int] = {}
        for name, step in self._steps:
            done = step(text)
            reason = done.reason or (NOTHING_LEFT if not done.text or done.text.isspace() else "")
            if funnel is not None:
                funnel.count(
                    name, before=len(text), after=len(done.text), reason=reason, changes=done.changes
                )
            for kind, number in done.changes.items():
                changes[kind] = changes.get(kind, 0) + number
            text = done.text
            if reason:
                return Cleaned(text=text, dropped_by=name, reason=reason, changes=changes)
        return Cleaned(text=text, changes=changes)


def read_step(line: str, *, where: object = "") -> StepConfig:
    """Return the settings that one line describes.

    >>> read_step("normalise simplify=true").simplify
    True
    >>> read_step("filter min_hann=0.5")
    Traceback (most recent call last):
    zhbert.errors.ConfigError: filter.min_hann: unknown key (did you mean "min_han"?)
    """
    name, *parts = line.split() or [""]
    if name not in STEPS:
        raise ConfigError(f'unknown step "{name}"', where=where, remedy=nearest(name, STEPS))
    values: dict[str, Any] = {}
    for part in parts:
        key, equals, value = part.partition("=")
        if not (key and equals and value):
            raise ConfigError(f'{name}: not a setting: "{part}"', where=where, remedy="write key=value")
        if key in values:
            raise ConfigError(f"{name}.{key}: given twice", where=where)
        values[key] = parse_value(value)
    return parse(STEPS[name], values, where=where, key=name)


def _numbered(names: list[str]) -> list[str]:
    """Return the names of the steps, with a number where one comes again.

    >>> _numbered(["filter", "pii", "filter"])
    ['filter', 'pii', 'filter 2']
    """
    counts: Counter[str] = Counter()
    numbered = []
    for name in names:
        counts[name] += 1
        numbered.append(name if counts[name] == 1 else f"{name} {counts[name]}")
    return numbered


def _refuse_flat_markup(configs: list[StepConfig], where: object) -> None:
    """Refuse to look for markup where the indentation that it is made of has been taken away."""
    flat = False
    for config in configs:
        if flat and isinstance(config, Markup):
            raise ConfigError("markup comes too late", where=where, remedy='put "markup" before "normalise"')
        flat = flat or (isinstance(config, Normalise) and config.whitespace)

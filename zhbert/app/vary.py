"""Values of a recipe: what is named once and used in many places, one for all or one after the other.

    [values]
    encoder = "bert-base-chinese"
    strategy = ["char", "wwm"]
    seed = [1, 2, 3]

    [stages."encoder-{strategy}-{seed}"]
    strategy = "{strategy}"
    seed = "{seed}"

Whatever mentions a list is there once for each of its items: a stage, when its name does; a key of a table
inside it; an item of a list, or a table in one when a text of its own does. What stands inside takes the same
item. A text that is nothing but a mention becomes the value itself, so numbers stay numbers.
"""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

from zhbert.errors import ConfigError, nearest

Values = dict[str, Any]
_MENTION = re.compile(r"\{(\w+)\}")
_PLAIN = (str, int, float, bool)


def expand(stages: dict[str, Any], values: Values, *, where: object = "") -> dict[str, Any]:
    """Return the stages with every mention of a value replaced, and with as many copies as lists ask for.

    >>> expand({"a-{n}": {"size": "{n}", "of": ["{n}/{who}"]}}, {"n": [1, 2], "who": ["x", "y"]})
    {'a-1': {'size': 1, 'of': ['1/x', '1/y']}, 'a-2': {'size': 2, 'of': ['2/x', '2/y']}}
    """
    for name, value in values.items():
        items = value if isinstance(value, list) else [value]
        if not items or not all(isinstance(item, _PLAIN) for item in items):
            what = f"values.{name}: must be a text, a number, true or false, or a list of these"
            raise ConfigError(what, where=where)
    if not values:
        return stages
    return _Expansion(values, where).table(stages, "stages", {})


class _Expansion:
    """The replacement of mentions, with what is needed to say where one is wrong."""

    def __init__(self, values: Values, where: object) -> None:
        self.lists = {name: value for name, value in values.items() if isinstance(value, list)}
        self.single = {name: value for name, value in values.items() if name not in self.lists}
        self.where = where

    def table(self, table: dict[str, Any], at: str, taken: Values) -> dict[str, Any]:
        """Return a table, with a key for each item of the lists that its key mentions."""
        found: dict[str, Any] = {}
        for key, value in table.items():
            for more in self._choices([key], at, taken):
                name = str(self._text(key, f"{at}.{key}", more))
                if name in found:
                    raise ConfigError(f"{at}.{name}: stands there twice", where=self.where)
                found[name] = self._value(value, f"{at}.{name}", more)
        return found

    def _value(self, value: Any, at: str, taken: Values) -> Any:
        if isinstance(value, dict):
            return self.table(value, at, taken)
        if isinstance(value, list):
            return [
                self._value(item, f"{at}[{i}]", more)
                for i, item in enumerate(value)
                for more in self._choices(_texts(item), f"{at}[{i}]", taken)
            ]
        return self._text(value, at, taken) if isinstance(value, str) else value

    def _choices(self, texts: list[str], at: str, taken: Values) -> Iterator[Values]:
        """Yield what is taken where these texts stand: once for each item of the lists they mention."""
        mentioned = dict.fromkeys(name for text in texts for name in self._names(text, at))
        open_lists = [name for name in mentioned if name in self.lists and name not in taken]
        for items in product(*(self.lists[name] for name in open_lists)):
            yield taken | dict(zip(open_lists, items, strict=True))

    def _names(self, text: str, at: str) -> list[str]:
        names = _MENTION.findall(text)
        for name in names:
            if name not in self.lists and name not in self.single:
                remedy = nearest(name, [*self.lists, *self.single])
                raise ConfigError(f"{at}: {{{name}}} is none of the values", where=self.where, remedy=remedy)
        return names

    def _text(self, text: str, at: str, taken: Values) -> Any:
        known = self.single | taken
        for name in self._names(text, at):
            if name not in known:
                what = f"{at}: {{{name}}} is a list, and which of its items is meant is not said"
                remedy = f"mention {{{name}}} in the stage's name, or put the text into a list"
                raise ConfigError(what, where=self.where, remedy=remedy)
        if whole := _MENTION.fullmatch(text):
            return known[whole[1]]
        return _MENTION.sub(lambda mention: str(known[mention[1]]), text)


def _texts(item: Any) -> list[str]:
    """Return the texts by which an item of a list is repeated: itself, or those of a table's own keys."""
    own = item.values() if isinstance(item, dict) else [item]
    return [text for text in own if isinstance(text, str)]

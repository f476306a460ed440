"""Units to mask beside words: phrases, which are runs of whole words, and entities.

    characters ─▶ words ─▶ phrases ─▶ entities        a level of masking takes its own units and those before

What is peculiar:

- Phrases come from lists: those that `zhbert corpus phrases` has mined, after somebody has looked at them,
  and idioms. An entry matches where it begins and ends with words, and only there.
- Entities come from rules and from a user's lists; see `entities`. They need not agree with words.
- Of entries that overlap the leftmost is taken, and of these the longest.
- The order of lists and of their entries does not matter, nor does an entry that is there twice.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from pydantic import Field

from zhbert.config import Config, Input
from zhbert.text.blob import NO_RANGES, Blob, Places, Ranges, leftmost_longest
from zhbert.text.entities import Kinds, entities
from zhbert.text.matching import Matcher
from zhbert.text.wordlists import read_words

Rule = Literal["title", "date", "time", "number", "latin", "person"]


class UnitsConfig(Config):
    """Which units there are beside words."""

    phrases: Input | None = Field(
        default=None, description="phrases.tsv of `zhbert corpus phrases`, or a list of one phrase a line"
    )
    idioms: list[Input] = Field(
        default=[], description="lists of idioms and set phrases: one a line, or THUOCL, or jieba's format"
    )
    gazetteers: list[Input] = Field(
        default=[], description="lists of entities: one a line, or THUOCL, or jieba's format"
    )
    entities: bool = Field(default=True, description="find entities by rule")
    entity_rules: list[Rule] = Field(
        default=list(get_args(Rule)), description="the rules to use: " + ", ".join(get_args(Rule))
    )


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Finds phrases and entities; read-only, so threads may share it, and it travels as its lists."""

    phrases: Matcher | None
    gazetteer: Matcher | None
    rules: tuple[Rule, ...]

    def ranges(self, text: str, ends: Places) -> tuple[Ranges, Ranges, Kinds]:
        """Return the ranges of phrases, those of entities, and the places of their kinds in `entities.KINDS`.

        `text` may be many texts joined by line feeds, and `ends` is where its words end.

        >>> from zhbert.text.entities import KINDS
        >>> units = Units(Matcher(["县级以上人民政府"]), None, ("date",))
        >>> phrases, entities, kinds = units.ranges("1949年县级以上人民政府", np.array([4, 5, 7, 9, 11, 13]))
        >>> phrases.tolist(), entities.tolist(), [KINDS[kind] for kind in kinds]
        ([[5, 13]], [[0, 5]], ['date'])
        """
        blob = Blob.of(text)
        borders_N1 = np.zeros(len(text) + 1, dtype=np.bool_)
        borders_N1[0] = True
        borders_N1[ends] = True
        phrases = NO_RANGES
        if self.phrases is not None:
            phrases = self.phrases.found(blob, borders_N1=borders_N1)
            phrases = phrases[leftmost_longest(phrases)]
        found, kinds = entities(blob, borders_N1, rules=self.rules, listed=self.gazetteer)
        return phrases, found, kinds


def make_units(config: UnitsConfig) -> Units:
    """Return what finds the units of a configuration; lists are read once in a process.

    >>> make_units(UnitsConfig(entity_rules=["date"])).rules
    ('date',)
    """
    lists = [config.phrases] if config.phrases else []
    rules = tuple(rule for rule in get_args(Rule) if config.entities and rule in config.entity_rules)
    return Units(_matcher((*lists, *config.idioms)), _matcher(tuple(config.gazetteers)), rules)


def _matcher(paths: tuple[Path, ...]) -> Matcher | None:
    """Return what finds the words of some lists, None for no lists."""
    changed = tuple(path.stat().st_mtime_ns if path.is_file() else 0 for path in paths)
    return _matcher_of(paths, changed) if paths else None


@lru_cache(maxsize=8)
def _matcher_of(paths: tuple[Path, ...], changed: tuple[int, ...]) -> Matcher:
    return Matcher(word for path in paths for word in read_words(path))

"""Filters of the examples that a page shows; several may be set at once.

- A filter asks one question: what the first system did, which label is in gold or in its answer, in which
  part of the test set the example lies (a filter a family of parts), how sure the system was of what it was
  least sure of.
- An answer to it has a style class, which its button and the examples share. The page hides, by style alone,
  the examples that lack the class of a pressed button; where that is not understood, all are to be seen.
- A question to which all examples have one answer is not asked; the most frequent answers have buttons.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from zhbert.score.sheet import Exhibit, Section

RIGHT = "right"
MOST = 16  # answers to one question
EDGES = (0.5, 0.7, 0.9, 0.99)
SURE = ("< 50 %", "50–70 %", "70–90 %", "90–99 %", "≥ 99 %")
Answers = dict[str, list[str]]  # ids of exhibits by answer


@dataclass(frozen=True, slots=True)
class Choice:
    """One button of a filter."""

    word: str
    count: int
    style: str


@dataclass(frozen=True, slots=True)
class Filter:
    """One question and its buttons."""

    name: str
    choices: tuple[Choice, ...]


@dataclass(slots=True)
class Browser:
    """The filters of a section, and the style classes of its examples."""

    filters: list[Filter] = field(default_factory=list)
    styles: dict[str, list[str]] = field(default_factory=dict)
    used: int = 0

    def add(self, name: str, answers: Answers, *, order: Callable[[str], Any]) -> None:
        """Add a filter, its buttons in an order, if it tells examples apart."""
        most = sorted(answers, key=lambda answer: -len(answers[answer]))[:MOST]
        shown = sorted(most, key=order)
        if len(shown) < 2:
            return
        choices = []
        for answer in shown:
            style = f"x{self.used}"
            self.used += 1
            choices.append(Choice(answer, len(answers[answer]), style))
            for id_ in answers[answer]:
                self.styles.setdefault(id_, []).append(style)
        self.filters.append(Filter(name, tuple(choices)))

    def style_of(self, exhibit: Exhibit) -> str:
        """Return the style classes of an example."""
        return " ".join(self.styles.get(exhibit.id, ()))


def browser_of(section: Section, exhibits: Sequence[Exhibit]) -> Browser:
    """Return the filters of some examples of a section, what kind they are of before all others."""
    browser = Browser()
    kinds = _answers(exhibits, lambda exhibit: exhibit.kinds)
    browser.add("kind", kinds, order=lambda kind: (kind == RIGHT, -len(kinds[kind])))
    labels = _answers(exhibits, _labels(section))
    browser.add("label", labels, order=lambda label: (-len(labels[label]), label))
    for family, parts in _parts(section, exhibits):
        browser.add(family, parts, order=list(parts).index)
    browser.add("how sure", _answers(exhibits, sureness), order=SURE.index)
    return browser


def sureness(exhibit: Exhibit) -> tuple[str, ...]:
    """Return in which band the probability lies of what the first system was least sure of.

    >>> from zhbert.score.sheet import Marking
    >>> gold = Marking(by="gold", outcome="gold", labels=("体育",))
    >>> said = Marking(by="wwm", outcome="right", labels=("体育",), scores=(0.93,))
    >>> sureness(Exhibit(id="1", kinds=("right",), text="主队赢了", markings=(gold, said)))
    ('90–99 %',)
    """
    least = min(exhibit.markings[1].scores, default=-1.0)
    return (SURE[bisect_right(EDGES, least)],) if 0 <= least <= 1 else ()


def _labels(section: Section) -> Callable[[Exhibit], Collection[str]]:
    known = {row.label for row in section.systems[0].classes} - {""}

    def labels(exhibit: Exhibit) -> Collection[str]:
        said = exhibit.markings[:2]
        found = dict.fromkeys(label for one in said for label in (*one.labels, *(s.label for s in one.spans)))
        return [label for label in found if label in known]

    return labels


def _answers(exhibits: Sequence[Exhibit], ask: Callable[[Exhibit], Collection[str]]) -> Answers:
    found: Answers = {}
    for exhibit in exhibits:
        for answer in ask(exhibit):
            found.setdefault(answer, []).append(exhibit.id)
    return found


def _parts(section: Section, exhibits: Sequence[Exhibit]) -> Iterator[tuple[str, Answers]]:
    """Return where the examples lie, family by family, in the order of the parts; labels have a filter."""
    shown = {exhibit.id for exhibit in exhibits}
    families: dict[str, Answers] = {}
    for row in section.slices:
        if row.family != "label" and (ids := [id_ for id_ in row.ids if id_ in shown]):
            families.setdefault(row.family, {})[row.name] = ids
    yield from families.items()

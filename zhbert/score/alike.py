"""Which examples ask the same, and whether they are answered alike.

Two examples ask the same when all their texts are the same but for width (NFKC), case and white space. They
contradict each other when both have an answer and the answers differ; of a question on a passage, when no
answer is in both. Spans are compared by where they stand in the texts without these differences.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from zhbert.records import (
    ChoiceExample,
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    ReadingExample,
    texts_of,
)

_CUT = 40  # characters of an answer that are shown
Key = tuple[str, ...]


def folded(text: str) -> str:
    """Return a text without what makes no other question of it.

    >>> folded("ＡＢＣ 公司\\n招人")
    'abc公司招人'
    """
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def key_of(example: Example) -> Key:
    """Return what is the same for two examples that ask the same.

    >>> key_of(PairExample(id="1", first="今天 下雨", second="今天晴"))
    ('今天下雨', '今天晴')
    """
    return tuple(map(folded, texts_of(example).values()))


def answer_of(example: Example) -> Any:
    """Return the answer of an example in a form that compares; None where it is not known.

    >>> answer_of(LabelExample(id="1", text="主队赢了", labels=("体育",)))
    ('体育',)
    """
    match example:
        case LabelExample() if example.labels:
            return tuple(sorted(example.labels))
        case LabelExample() | PairExample() if example.value is not None:
            return example.value
        case PairExample():
            return example.label or None
        case EntityExample():
            text = example.text
            return frozenset(
                (len(folded(text[: span.start])), len(folded(text[: span.end])), span.label)
                for span in example.entities
            )
        case ReadingExample():
            return frozenset(map(folded, example.texts))
        case ChoiceExample() if example.answer is not None:
            return folded(example.options[example.answer])
    return None


def contradict(one: Example, other: Example) -> bool:
    """Return whether two examples that ask the same are answered differently.

    >>> asked = [LabelExample(id=label, text="主队赢了", labels=(label,)) for label in ("体育", "财经")]
    >>> contradict(*asked), contradict(asked[0], LabelExample(id="2", text="主队赢了"))
    (True, False)
    """
    first, second = answer_of(one), answer_of(other)
    if first is None or second is None:
        return False
    if isinstance(one, ReadingExample):
        return bool(first.isdisjoint(second)) and bool(first or second)
    return bool(first != second)


def opposed(group: Sequence[Example]) -> tuple[int, int] | None:
    """Return the places of the first two of a group that contradict each other, if any do."""
    if len(group) < 2:
        return None
    kinds: dict[Any, int] = {}
    for place, example in enumerate(group):
        kinds.setdefault(answer_of(example), place)
    different = list(kinds.values())
    pairs = ((one, other) for at, other in enumerate(different) for one in different[:at])
    return next((pair for pair in pairs if contradict(group[pair[0]], group[pair[1]])), None)


def groups_of(examples: Iterable[Example]) -> dict[Key, list[int]]:
    """Return the places of examples by what they ask, in the order in which that first occurs.

    >>> [*groups_of(LabelExample(id="", text=text) for text in ("好 用", "贵", "好用")).values()]
    [[0, 2], [1]]
    """
    found: dict[Key, list[int]] = defaultdict(list)
    for place, example in enumerate(examples):
        found[key_of(example)].append(place)
    return dict(found)


def answer_in_words(example: Example) -> str:
    """Return an answer as a person reads it, its beginning if it is long.

    >>> answer_in_words(ReadingExample(id="1", context="他在北京", question="哪？", published=("北京", "京")))
    '北京 / 京'
    """
    said = _in_words(example)
    return said if len(said) <= _CUT else said[: _CUT - 1] + "…"


def _in_words(example: Example) -> str:
    match example:
        case EntityExample():
            return ", ".join(f"{span.surface} {span.label}" for span in example.entities)
        case ReadingExample():
            return " / ".join(example.texts)
        case ChoiceExample() if example.answer is not None:
            return example.options[example.answer]
    answer = answer_of(example)
    return ", ".join(answer) if isinstance(answer, tuple) else str(answer)


def overlap(example: EntityExample) -> bool:
    """Return whether spans of a text share a character.

    >>> from zhbert.records import Span
    >>> overlap(EntityExample(id="1", text="北京大学", entities=(Span(0, 4, "机构"), Span(0, 2, "地点"))))
    True
    """
    spans, end = sorted(set(example.entities)), 0
    for span in spans:
        if span.start < end:
            return True
        end = span.end
    return False

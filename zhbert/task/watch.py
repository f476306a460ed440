"""Who looks on while a model predicts: how much of the texts it sees, and what that takes.

- Coverage is counted with the answers that gold has; the model is never shown them.
- A batch takes its seconds for all its windows at once: each gets its share by its tokens, and an example the
  shares of its windows, its share of the tokenising (by characters) and its own decoding. That is what an
  example costs where many are read together, not how long one alone would have to wait.
- What looking on takes is no part of any seconds.
- Counts are sums, so those of portions add up to those of the whole (`Seen`), however many examples there
  are: of seconds it keeps how often three digits of them occurred in a band of lengths, of surfaces the
  commonest.
"""

import operator
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from zhbert.corpus.fit import code_point, unseen
from zhbert.read.sets import asked
from zhbert.records import Example, characters_of
from zhbert.score.cost import Band, Cost, band_of
from zhbert.score.coverage import MOST, Coverage
from zhbert.score.lengths import bands_of
from zhbert.task.base import Prepared, Task
from zhbert.task.predict import Onlooker
from zhbert.task.reach import answers_in, out_of_reach

_CUT = 24  # characters of an unknown surface or an answer that are kept
_KEPT = 10_000  # surfaces that are counted at a time; the rare ones of more are forgotten
_COUNTED = ("windows", "several", "cut", "unread", "tokens", "answers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was counted of some examples, as JSON can hold it.

    `spent` says how many examples of a band of lengths cost so many seconds: {"1 0.0031": 20}.
    """

    sums: dict[str, int] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)
    why: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)
    shown: tuple[str, ...] = ()

    def coverage(self) -> Coverage:
        """Return what the model saw."""
        sums, unknown, dropped = Counter(self.sums), Counter(self.unknown), Counter(self.dropped)
        return Coverage(
            examples=sums["examples"],
            characters=sums["characters"],
            **{name: sums[name] for name in _COUNTED},
            unknown=sums["unknown"],
            unknown_surfaces={_short(text): n for text, n in unknown.most_common(MOST)},
            dropped={code_point(sign): n for sign, n in dropped.most_common(MOST)},
            out_of_reach=dict(Counter(self.why).most_common()),
            shown=self.shown,
        )

    def cost(self, **known: Any) -> Cost:
        """Return what it took, with what else is known of it."""
        return Cost(
            examples=self.sums.get("examples", 0),
            characters=self.sums.get("characters", 0),
            seconds=round(sum(self.times.values()), 3),
            preparing=round(self.times.get("preparing", 0.0), 3),
            model=round(self.times.get("model", 0.0), 3),
            deciding=round(self.times.get("deciding", 0.0), 3),
            bands=_bands(self.spent),
            **known,
        )


def _bands(spent: Mapping[str, int]) -> tuple[Band, ...]:
    rows = sorted(
        (int(band), float(seconds), n) for key, n in spent.items() for band, seconds in [key.split()]
    )
    bands = dict.fromkeys(band for band, _, _ in rows)
    return tuple(band_of(band, [(seconds, n) for b, seconds, n in rows if b == band]) for band in bands)


class Total:
    """Adds up what was seen of one portion after the other.

    >>> total = Total()
    >>> for number in (1, 2):
    ...     total.add(Seen(sums={"examples": number}, unknown={"𠮷": number}))
    >>> total.seen.sums, total.seen.unknown
    ({'examples': 3}, {'𠮷': 3})
    """

    def __init__(self) -> None:
        self._sums: dict[str, Counter[str]] = {f.name: Counter() for f in fields(Seen) if f.name != "shown"}
        self._shown: tuple[str, ...] = ()

    def add(self, seen: Seen) -> None:
        """Add a portion."""
        for name, sums in self._sums.items():
            sums.update(getattr(seen, name))
        self._sums["unknown"] = _commonest(self._sums["unknown"])
        self._shown = (self._shown + seen.shown)[:MOST]

    @property
    def seen(self) -> Seen:
        """What was seen so far."""
        sums: dict[str, Any] = {name: dict(counts) for name, counts in self._sums.items()}
        return Seen(**sums, shown=self._shown)


def _commonest(counts: Counter[str]) -> Counter[str]:
    return counts if len(counts) <= 2 * _KEPT else Counter(dict(counts.most_common(_KEPT)))


class Watch(Onlooker):
    """Counts what a model sees, and times what it does."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.preparing = self.model = self.deciding = 0.0
        self._sums, self._why = Counter[str](), Counter[str]()
        self._unknown, self._dropped = Counter[str](), Counter[str]()
        self._shown: list[str] = []
        self._lengths, self._spent = array("q"), array("d")
        self._begin = 0  # of the chunk that is under way, among all examples

    def prepared(self, chunk: Sequence[Example], prepared: Sequence[Prepared], seconds: float) -> None:
        """Count what became of a chunk, which took so long."""
        self.preparing += seconds
        lengths = [characters_of(example) for example in chunk]
        total = max(1, sum(lengths))
        self._begin = len(self._lengths)
        self._lengths.extend(lengths)
        self._spent.extend(seconds * length / total for length in lengths)
        self._count_tokens([asked(one.example) for one in prepared])
        for gold, one in zip(chunk, prepared, strict=True):
            self._count(gold, one)

    def _count_tokens(self, examples: Sequence[tuple[str, ...]]) -> None:
        """Count the tokens of the texts of examples, a text as often as it is read."""
        read = Counter(text for texts in examples for text in texts)
        texts, times = list(read), list(read.values())
        tokenizer = self.task.setting.tokenizer
        encoded = tokenizer.encode_batch(texts)
        self._sums["tokens"] += sum(map(operator.mul, times, map(len, encoded)))
        found = unseen(texts, encoded, tokenizer)
        for place, surface in found.unknown:
            self._unknown[surface] += times[place]
        for place, sign in found.dropped:
            self._dropped[sign] += times[place]

    def _count(self, gold: Example, one: Prepared) -> None:
        windows = len({feature.span for feature in one.features})
        self._sums.update(windows=windows, several=windows > 1, cut=one.coverage < 1, unread=one.unread)
        self._sums["answers"] += answers_in(gold)
        for why, what in out_of_reach(self.task, gold, one):
            self._why[why] += 1
            if len(self._shown) < MOST:
                self._shown.append(f"{gold.id}: {_short(what)}")

    def ran(self, places: Sequence[int], tokens: Sequence[int], seconds: float) -> None:
        """Share the seconds of a batch among the examples whose windows it held."""
        self.model += seconds
        each = seconds / sum(tokens)
        for place, length in zip(places, tokens, strict=True):
            self._spent[self._begin + place] += each * length

    def decoded(self, place: int, seconds: float) -> None:
        """Add what an example's answer took."""
        self.deciding += seconds
        self._spent[self._begin + place] += seconds

    def seen(self) -> Seen:
        """Return what was seen so far."""
        spent = zip(bands_of(self._lengths).tolist(), self._spent, strict=True)
        sums = {"examples": len(self._lengths), "characters": sum(self._lengths)}
        return Seen(
            sums=sums
            | {"unknown": self._unknown.total()}
            | {name: int(self._sums[name]) for name in _COUNTED},
            times={"preparing": self.preparing, "model": self.model, "deciding": self.deciding},
            why=dict(self._why),
            unknown=dict(_commonest(self._unknown)),
            dropped=dict(self._dropped),
            spent=dict(Counter(f"{band} {seconds:.3g}" for band, seconds in spent)),
            shown=tuple(self._shown),
        )


def _short(text: str) -> str:
    """Return the beginning of a text.

    >>> _short("哈" * 30)
    '哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈…'
    """
    return text if len(text) <= _CUT else text[: _CUT - 1] + "…"

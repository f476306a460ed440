"""From what encoders guessed to figures, differences and parts: nothing here needs a model.

- Documents are resampled, not words: the words of a document go together.
- The first encoder is the one that is judged; every other is compared with it, document by document. Where
  two have different tokenizers, only figures that travel are compared.
- Parts are parts of the words that were masked all over the text, but for the kinds of units, which were
  hidden one at a time.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zhbert.score.counts import Metric
from zhbert.score.guesses import (
    ITEM_1,
    ITEM_5,
    LOSS,
    LOSS_PER_CHARACTER,
    PERPLEXITY,
    PERPLEXITY_PER_CHARACTER,
    TOKEN_1,
    TOKEN_5,
    Ints,
    Items,
)
from zhbert.score.interval import Difference, interval, paired, verdict
from zhbert.score.probesheet import Against, Cut, Judged, Measure
from zhbert.score.questions import bands
from zhbert.score.slices import SMALL

DRAWS = 2000
SOURCES = 20
OTHERS = "other sources"
LENGTHS, SEEN = (1, 2, 3, 4, 5), (0, 1, 10, 100, 1000)
KINDS = {"token": "a single token", "word": "a word", "phrase": "a phrase", "entity": "an entity"}
_WORSE = {"better": "worse", "worse": "better"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A figure: of what was hidden, its metric, its kind, and whether it travels to another tokenizer."""

    hidden: str
    metric: Metric
    kind: str
    travels: bool


ASKED = (
    Asked("masked", LOSS, "loss", travels=False),
    Asked("masked", LOSS_PER_CHARACTER, "loss", travels=True),
    Asked("masked", TOKEN_1, "share", travels=False),
    Asked("masked", TOKEN_5, "share", travels=False),
    Asked("masked", ITEM_1, "share", travels=True),
    Asked("masked", ITEM_5, "share", travels=True),
    Asked("word", ITEM_1, "share", travels=True),
    Asked("word", ITEM_5, "share", travels=True),
    Asked("word", PERPLEXITY, "perplexity", travels=False),
    Asked("word", PERPLEXITY_PER_CHARACTER, "perplexity", travels=True),
    Asked("token", TOKEN_1, "share", travels=False),
    Asked("token", TOKEN_5, "share", travels=False),
    Asked("token", PERPLEXITY, "perplexity", travels=False),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """What one encoder guessed, by what was hidden, and what is known of the masked words.

    `sources_I`, `lengths_I` and `seen_I` belong to `items["masked"]`: a place in `sources`, characters, and
    how often the word stands in the training text.
    """

    name: str
    tokenizer: str
    documents: tuple[str, ...]
    items: dict[str, Items]
    sources: tuple[str, ...]
    sources_I: Ints
    lengths_I: Ints
    seen_I: Ints
    facts: dict[str, str] = field(default_factory=dict)


def judged(sheet: Sheet, *, rng: np.random.Generator) -> Judged:
    """Return all figures of an encoder."""
    counts = {hidden: items.counts(sheet.documents) for hidden, items in sheet.items.items()}
    return Judged(
        name=sheet.name,
        measures=tuple(
            Measure(
                hidden=asked.hidden,
                name=asked.metric.name,
                of=interval(counts[asked.hidden], asked.metric, rng=rng, draws=DRAWS),
                kind=asked.kind,
                travels=asked.travels,
            )
            for asked in ASKED
        ),
        items={hidden: len(items) for hidden, items in sheet.items.items()},
        facts=sheet.facts,
        tokenizer=sheet.tokenizer,
    )


def compared(first: Sheet, second: Sheet, *, rng: np.random.Generator) -> tuple[Against, ...]:
    """Return the differences of two encoders that were judged on the same documents."""
    same = first.tokenizer == second.tokenizer
    found = []
    for asked in ASKED:
        if same or asked.travels:
            a, b = (sheet.items[asked.hidden].counts(sheet.documents) for sheet in (first, second))
            difference = paired(a, b, asked.metric, rng=rng, draws=DRAWS)
            found.append(
                Against(
                    first=first.name,
                    second=second.name,
                    hidden=asked.hidden,
                    name=asked.metric.name,
                    kind=asked.kind,
                    difference=difference,
                    verdict=said_of(difference, asked.kind),
                )
            )
    return tuple(found)


def said_of(difference: Difference, kind: str) -> str:
    """Return the verdict on the first of two encoders; of a loss, less is better.

    >>> said_of(Difference(0.2, 0.1, 0.3, 0.001), "share"), said_of(Difference(0.2, 0.1, 0.3, 0.001), "loss")
    ('better', 'worse')
    """
    words = verdict(difference)
    return words if kind == "share" else _WORSE.get(words, words)


def cuts(sheets: Sequence[Sheet], *, rng: np.random.Generator) -> tuple[Cut, ...]:
    """Return the parts of what was asked, family by family; a family with one part is left out."""
    found: list[Cut] = []
    for family, parts in _families(sheets).items():
        rows = [_cut(family, name, part, sheets, rng) for name, part in parts]
        if len(rows) > 1:
            found += rows
    return tuple(found)


Part = list[tuple[str, "NDArray[np.bool_] | None"]]  # of every encoder: what was hidden, and which of it


def _cut(family: str, name: str, part: Part, sheets: Sequence[Sheet], rng: np.random.Generator) -> Cut:
    counts = [
        sheet.items[hidden].counts(sheet.documents, chosen_I)
        for sheet, (hidden, chosen_I) in zip(sheets, part, strict=True)
    ]
    size = int(counts[0].pick(["n"]).sum()[0])
    return Cut(
        family=family,
        name=name,
        size=size,
        small=size < SMALL,
        accuracy=tuple(interval(c, ITEM_1, rng=rng, draws=DRAWS) for c in counts),
        loss=tuple(interval(c, LOSS_PER_CHARACTER, rng=rng, draws=DRAWS) for c in counts),
    )


def _families(sheets: Sequence[Sheet]) -> dict[str, list[tuple[str, Part]]]:
    units: list[tuple[str, Part]] = [
        (name, [(hidden, None)] * len(sheets))
        for hidden, name in KINDS.items()
        if len(sheets[0].items[hidden])
    ]
    return {
        "kind of unit, hidden alone": units,
        "source": list(_by_source(sheets)),
        "word length": list(_by_band(LENGTHS, [sheet.lengths_I for sheet in sheets])),
        "times in the training text": list(_by_band(SEEN, [sheet.seen_I for sheet in sheets])),
    }


def _by_source(sheets: Sequence[Sheet]) -> Iterator[tuple[str, Part]]:
    names_I = [np.array(sheet.sources, dtype=object)[sheet.sources_I] for sheet in sheets]
    sizes = Counter(names_I[0].tolist())
    ranked = sorted(sizes, key=lambda name: (-sizes[name], name))
    shown, rest = ranked[:SOURCES], ranked[SOURCES:]
    for name in shown:
        yield name, [("masked", own_I == name) for own_I in names_I]
    if rest:
        yield OTHERS, [("masked", ~np.isin(own_I.astype(str), shown)) for own_I in names_I]


def _by_band(edges: tuple[int, ...], values: Sequence[Ints]) -> Iterator[tuple[str, Part]]:
    bands_I = [np.searchsorted(edges, own_I, side="right") - 1 for own_I in values]
    for at, name in enumerate(bands(*edges)):
        if (bands_I[0] == at).any():
            yield name, [("masked", own_I == at) for own_I in bands_I]

"""What can be said of groups of texts: words, central texts, labels, and points for the map.

The texts are read from their file once for each question; none of them stays in memory but those to be shown.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from zhbert.score.partition import Fit, fit
from zhbert.text.segment import segmenter
from zhbert.vectors.keywords import keywords
from zhbert.vectors.kmeans import Groups, drawn
from zhbert.vectors.nearest import Floats
from zhbert.vectors.saved import Saved
from zhbert.vectors.sheet import Central, Cluster, Clusters, Plane, Point

POINTS = 3000  # on the map
KEYWORDS, LABELS = 12, 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grouped:
    """Vectors, their groups, and where they lie on the map, of which `kept` says how true it is."""

    saved: Saved
    groups: Groups
    tried: dict[int, float]
    silhouette: float
    places_N2: Floats
    kept: float

    @property
    def numbers(self) -> list[int]:
        """The group of each text."""
        found: list[int] = self.groups.groups_N.tolist()
        return found


def described(grouped: Grouped, *, title: str, source: str, examples: int) -> Clusters:
    """Return all that is said of the groups."""
    groups = grouped.groups
    return Clusters(
        title=title,
        source=source,
        model=grouped.saved.facts.model,
        texts=len(groups.groups_N),
        cosine=round(groups.fit, 4),
        silhouette=round(grouped.silhouette, 4),
        tried={str(number): round(value, 4) for number, value in grouped.tried.items()},
        clusters=_clusters(grouped, examples),
        plane=Plane(kept=round(grouped.kept, 4), shown=min(POINTS, len(groups.groups_N))),
        fit=_fit(grouped),
    )


def points(grouped: Grouped, *, seed: int) -> list[Point]:
    """Return the texts of the map: all, or as many as it has room for, drawn by lot."""
    shown = set(drawn(len(grouped.numbers), POINTS, np.random.default_rng(seed)).tolist())
    return [
        Point(x=round(x, 2), y=round(100 - y, 2), cluster=number, text=text.text)
        for place, (text, number, (x, y)) in enumerate(
            zip(grouped.saved.texts(), grouped.numbers, grouped.places_N2.tolist(), strict=True)
        )
        if place in shown
    ]


def _clusters(grouped: Grouped, examples: int) -> tuple[Cluster, ...]:
    groups, count = grouped.groups, len(grouped.groups.centres_KH)
    sizes_K = np.bincount(groups.groups_N, minlength=count)
    texts = (text.text for text in grouped.saved.texts())
    words = keywords(texts, grouped.numbers, count, segmenter(), top=KEYWORDS)
    central, labels = _central(grouped, examples), _labels(grouped, count)
    return tuple(
        Cluster(
            number=number,
            texts=int(sizes_K[number]),
            cosine=round(float(groups.cosines_N[groups.groups_N == number].mean()), 4),
            keywords=words[number],
            central=tuple(central[number]),
            labels=dict(labels[number].most_common(LABELS)),
        )
        for number in range(count)
    )


def _central(grouped: Grouped, wanted: int) -> list[list[Central]]:
    """Return the texts of each group that lie nearest its centre, none twice."""
    groups = grouped.groups
    rank_N = np.empty(len(groups.groups_N), np.int64)
    rank_N[np.lexsort((np.arange(len(rank_N)), -groups.cosines_N))] = np.arange(len(rank_N))
    found: list[dict[str, tuple[int, Central]]] = [{} for _ in groups.centres_KH]
    for place, text in enumerate(grouped.saved.texts()):
        best = found[groups.groups_N[place]]
        rank = int(rank_N[place])
        if text.text in best and best[text.text][0] < rank:
            continue
        cosine = round(float(groups.cosines_N[place]), 4)
        best[text.text] = (rank, Central(id=text.id, text=text.text, cosine=cosine))
        if len(best) > wanted:
            del best[max(best, key=lambda key: best[key][0])]
    return [[one for _, one in sorted(best.values(), key=lambda pair: pair[0])] for best in found]


def _labels(grouped: Grouped, count: int) -> list[Counter[str]]:
    found = [Counter[str]() for _ in range(count)]
    for text, number in zip(grouped.saved.texts(), grouped.numbers, strict=True):
        found[number].update(text.labels)
    return found


def _fit(grouped: Grouped) -> Fit | None:
    """Return how the groups fit the labels, over the texts that have one label; None where none has."""
    both = [
        (text.labels[0], number)
        for text, number in zip(grouped.saved.texts(), grouped.numbers, strict=True)
        if len(text.labels) == 1
    ]
    return fit(*zip(*both, strict=True)) if both else None

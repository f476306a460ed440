"""The page of groups of texts (`score/page.py` says what all pages have in common).

- A point of the map is a text: its beginning shows where the pointer rests. Places are per cents, so the map
  stretches with the page and points keep their size.
- Colours go round the circle of hues by the golden angle; a group's number stands at its middle as well, so
  that colour is not the only sign.
- A group that is picked leaves the others pale: radio buttons and CSS.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zhbert.score import marks
from zhbert.score.page import in_both, render_page
from zhbert.score.words import chinese, percent
from zhbert.vectors.sheet import Clusters, Point

if TYPE_CHECKING:
    from markupsafe import Markup

BEGINNING = 60  # characters of a text that a point shows
PICKED = 100  # groups that have a button of their own
_GOLDEN = 137.508


def render(found: Clusters, points: Sequence[Point]) -> str:
    """Return the whole page."""
    return render_page(
        "clusters.html.j2",
        room="vectors",
        title=found.title,
        format=found.format,
        styles=["clusters.css"],
        functions=(t, say, hue, beginning, figure, share, middles),
        found=found,
        points=points,
        picked=min(PICKED, len(found.clusters)),
    )


def t(word: str) -> "Markup":
    """Return a word in both languages; one that the table does not know stands once.

    >>> "关键词" in t("Keywords"), str(t("体育"))
    (True, '体育')
    """
    return in_both(word, chinese(word, "vectors"))


def say(sentence: str, **values: object) -> "Markup":
    """Return a sentence in both languages with its figures filled in.

    >>> "80.0 %" in say("The map keeps {kept} of what tells the middles of the groups apart.", kept="80.0 %")
    True
    """
    translated = chinese(sentence, "vectors") or sentence
    return in_both(sentence.format(**values), translated.format(**values))


def hue(number: int) -> float:
    """Return the hue of a group, in degrees.

    >>> hue(0), hue(1), hue(2)
    (210.0, 347.5, 125.0)
    """
    return round((210 + number * _GOLDEN) % 360, 1)


def beginning(text: str, size: int = BEGINNING) -> str:
    """Return the beginning of a text in one line, safe to show.

    >>> beginning("主队\\n赢了比赛", 4)
    '主队 赢…'
    """
    line = " ".join(text[: 4 * size].split())
    return marks.clean(line[:size] + ("…" if len(line) > size else ""))


def figure(value: float) -> str:
    """Return a figure between −1 and 1 as it is printed.

    >>> figure(0.51234), figure(-0.02)
    ('0.512', '−0.020')
    """
    return f"{value:.3f}".replace("-", "−")


def share(value: float) -> str:
    """Return a share as per cent.

    >>> share(0.5)
    '50.0 %'
    """
    return f"{percent(value)} %"


def middles(points: Sequence[Point]) -> list[tuple[int, float, float]]:
    """Return the number of each group that is on the map, and where its middle lies."""
    places: dict[int, list[tuple[float, float]]] = {}
    for point in points:
        places.setdefault(point.cluster, []).append((point.x, point.y))
    return [
        (number, *(round(float(value), 2) for value in np.median(of, axis=0)))  # type: ignore[misc]  # two
        for number, of in sorted(places.items())
    ]

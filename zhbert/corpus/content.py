"""What documents are made of: how long they are, what is written in them, whose they are."""

import numpy as np
from numpy.typing import ArrayLike

from zhbert.corpus.documents import Columns
from zhbert.corpus.tallies import Tally
from zhbert.text.scripts import SCRIPTS, count_scripts, han_shares

LENGTHS: list[float] = [0, *(2**power for power in range(3, 25))]
HAN: list[float] = [round(step / 20, 2) for step in range(20)]


def content(columns: Columns) -> Tally:
    """Return the numbers of documents and characters, histograms of lengths and Han, scripts and sources."""
    lengths = [len(text) for text in columns.text]
    scripts = count_scripts(columns.text)
    return {
        "documents": len(columns),
        "characters": sum(lengths),
        "lengths": _histogram(lengths, LENGTHS),
        "han": _histogram(han_shares(scripts), HAN),
        "scripts": dict(zip(SCRIPTS, scripts.sum(axis=0).tolist(), strict=True)),
        "sources": by_source(columns, "kept"),
    }


def by_source(columns: Columns, what: str) -> Tally:
    """Return how many documents and characters there are of each source.

    >>> by_source(Columns(id=["1"], text=["北京"], source=["法规"], at=[""], meta=[{}]), "kept")
    {'法规': {'kept': {'documents': 1, 'characters': 2}}}
    """
    found: Tally = {}
    for source, text in zip(columns.source, columns.text, strict=True):
        counts = found.setdefault(source, {what: {"documents": 0, "characters": 0}})[what]
        counts["documents"] += 1
        counts["characters"] += len(text)
    return found


def _histogram(values: ArrayLike, edges: list[float]) -> dict[str, int]:
    """Return how many values lie from each edge to the next; the last takes whatever is larger.

    >>> _histogram([3, 20, 10**9], [0, 8, 16])
    {'0': 1, '8': 0, '16': 2}
    """
    homes = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 1)
    counts = np.bincount(homes, minlength=len(edges)).tolist()
    return {str(edge): count for edge, count in zip(edges, counts, strict=True)}

"""What a build has to say of itself: `facts.json`, which the data card shows.

read       documents, characters and bytes that went in, records that could not be read, encodings
kept       documents and characters that came out
steps      what went into each step and came out of it, why documents were dropped, what was changed
sources    documents and characters by source, read and kept
examples   ten of what was left out, for each reason
clusters   near-duplicates: how many, and the largest
guard      what is shared with test texts
lengths, han, scripts   of what came out
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from zhbert.corpus.judge import Judgement
from zhbert.corpus.tallies import Tally, total
from zhbert.read.reader import Reader

SHOWN = 50  # finds of the guard that are shown; all of them are in guard.jsonl


def account(
    sifted: Sequence[Tally],
    judgement: Judgement,
    settled: Sequence[Tally],
    *,
    reader: Reader,
    tests: Mapping[str, int],
) -> Tally:
    """Return the facts of a build from what its passes counted."""
    before, after = total(sifted), total(settled)
    steps = before["steps"] | judgement.steps | after.get("steps", {})
    return {
        "read": before["read"] | {"encodings": reader.encodings, "left out": dict(reader.left_out)},
        "kept": {"documents": after["documents"], "characters": after["characters"]},
        "steps": [{"step": name} | counts for name, counts in steps.items()],
        "sources": total([{"": before["sources"]}, {"": after["sources"]}])[""],
        "examples": before["examples"] | after["examples"],
        "clusters": judgement.clusters,
        "guard": _guarded(tests, judgement.shared) if tests else {},
        "lengths": _spread(after["lengths"]),
        "han": _spread(after["han"], last=1.0),
        "scripts": after["scripts"],
    }


def _guarded(tests: Mapping[str, int], shared: Sequence[Tally]) -> Tally:
    """Return how many texts each test set has, how many of them were found, and the first finds."""
    found = Counter(test.rpartition(":")[0] for test in {hit["test"] for hit in shared})
    sets = {name: {"texts": texts, "found": found[name]} for name, texts in tests.items()}
    return {"sets": sets, "list": list(shared[:SHOWN])}


def _spread(histogram: dict[str, int], *, last: float | None = None) -> Tally:
    """Return a histogram as edges and counts, without the empty end.

    >>> _spread({"0": 1, "8": 2, "16": 0})
    {'edges': [0, 8, 16], 'counts': [1, 2]}
    """
    edges = [float(edge) if "." in edge else int(edge) for edge in histogram]
    counts = list(histogram.values())
    if last is not None:
        return {"edges": [*edges, last], "counts": counts}
    while len(counts) > 1 and not counts[-1]:
        counts.pop()
    return {"edges": edges[: len(counts) + 1], "counts": counts}

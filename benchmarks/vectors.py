"""How well vectors say what is alike: pairs of STS-B's dev set in Chinese, and groups of THUCNews titles.

Prints Spearman's correlation for each way of pooling, about the mean or not, without the first components,
and for what needs no encoder: the share of characters in common; then how well ten groups of 2,000 titles fit
their classes (NMI, mean of three seeds). Needs ZHBERT_DATA. Another encoder: `python benchmarks/vectors.py
FOLDER`.
"""

import json
import sys
from pathlib import Path

import numpy as np
from _machine import commit, machine
from _text import need_data
from scipy.stats import spearmanr

from zhbert.config import model_named
from zhbert.model.store import load_encoder
from zhbert.read.examples import read_examples
from zhbert.score.partition import fit
from zhbert.vectors.centre import Centre
from zhbert.vectors.embedder import LAYERS, Embedder
from zhbert.vectors.kmeans import drawn, group
from zhbert.vectors.nearest import Floats, unit

REMOVED = (0, 1, 2, 3, 5, 10)
TITLES = 2000


def main() -> None:
    need_data()
    name = sys.argv[1] if len(sys.argv) > 1 else "bundled"
    pairs = read_examples(Path("sts-b:similarity/dev"), "pair")
    gold = [pair.value for pair in pairs]
    texts = [pair.first for pair in pairs] + [pair.second for pair in pairs]
    embedder = Embedder(load_encoder(model_named(name)))
    found = {"characters in common": spearman([in_common(p.first, p.second) for p in pairs], gold)}
    for pooling in LAYERS:
        vectors = embedder.embed(texts, pooling=pooling)
        found[pooling] = spearman(cosines(vectors), gold)
        for count in REMOVED:
            centred = Centre.of(vectors, components=count).taken_from(vectors)
            found[f"{pooling}, centred, {count} components removed"] = spearman(cosines(centred), gold)
    groups = group_figures(embedder)
    for what, value in (found | groups).items():
        print(f"{value:7.4f}  {what}")
    facts = {"machine": machine(), "commit": commit(), "encoder": name, "pairs": len(pairs)}
    facts |= {"spearman": found, "nmi": groups}
    print(json.dumps(facts, ensure_ascii=False))


def group_figures(embedder: Embedder) -> dict[str, float]:
    """Return the NMI of groups with the classes of titles, by what was taken away from their vectors."""
    titles = read_examples(Path("thucnews-titles:topics/dev"), "classify")
    some = [titles[i] for i in drawn(len(titles), TITLES, np.random.default_rng(0))]
    labels, raw = [title.labels[0] for title in some], embedder.embed(title.text for title in some)
    kinds = {"groups of titles": raw}
    for count in REMOVED:
        centred = Centre.of(raw, components=count).taken_from(raw)
        kinds[f"groups of titles, centred, {count} components removed"] = centred
    return {
        kind: round(
            float(np.mean([fit(labels, group(v, 10, seed=s).groups_N.tolist()).nmi for s in range(3)])), 4
        )
        for kind, v in kinds.items()
    }


def cosines(vectors: Floats) -> Floats:
    """Return the cosines of the first half of vectors with the second, one by one."""
    firsts, seconds = np.split(unit(vectors), 2)
    return (firsts * seconds).sum(1)


def in_common(one: str, other: str) -> float:
    """Return the share of characters that two texts share."""
    return len(set(one) & set(other)) / max(1, len(set(one) | set(other)))


def spearman(said: Floats | list[float], gold: list[float | None]) -> float:
    """Return Spearman's correlation."""
    return round(float(spearmanr(said, gold)[0]), 4)


if __name__ == "__main__":
    main()

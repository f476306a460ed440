"""Near-duplicates whose likeness is known: planted in real documents, found by zhbert and by datasketch.

A document is a stretch of a real text, long (500 to 20,000 characters) or short (50 to 500). Half of them
get a copy in which characters are changed, sentences are left out or sentences are moved, so that the
Jaccard indices of the pairs are spread from 0.5 to 1. The index is counted over Python sets of strings:
on the letters, which is what zhbert compares, and, as `raw`, on the texts as they are.

- Recall is the share of planted pairs with an index of 0.8 or more of which one document goes.
- Precision is the share of documents that go whose index with the one that stays for them is 0.7 or more.
- `python benchmarks/_near.py` prints the figures; the ones without a size are the worse of the two.
"""

import json
import random
import re
import statistics
from collections.abc import Callable

import numpy as np
import xxhash
from _text import beside, documents, need_data, ratio
from datasketch import MinHash, MinHashLSH

from zhbert.clean.clusters import cluster
from zhbert.clean.exact import hashes
from zhbert.clean.fold import fold, unfold
from zhbert.clean.sketch import sketches

SIZES = {"long": (500, 20_000, 2000), "short": (50, 500, 6000)}
COPIED = 0.5
THRESHOLD = 0.75
_SENTENCE = re.compile(r"[^。！？；\n]*[。！？；\n]?")

Pair = tuple[int, int]
Figures = dict[str, float]
Edit = Callable[[str, float, random.Random], str]


def plant(texts: list[str], size: str, *, seed: int = 1) -> tuple[list[str], list[Pair]]:
    """Return stretches of real texts, copies among them, and which of them are pairs."""
    rng = random.Random(f"{size} {seed}")
    shortest, longest, count = SIZES[size]
    enough = [text for text in texts if len(text) >= 2 * shortest]
    chosen = rng.sample(enough, count)
    bases = [_stretch(text, rng, shortest, longest) for text in chosen]
    copied = rng.sample(range(count), int(COPIED * count))
    copies = [_copy(bases[base], _EDITS[n % len(_EDITS)], rng) for n, base in enumerate(copied)]
    order = list(range(count + len(copies)))
    rng.shuffle(order)
    place = {old: new for new, old in enumerate(order)}
    pairs = [(place[base], place[count + n]) for n, base in enumerate(copied)]
    return [(bases + copies)[old] for old in order], pairs


def _stretch(text: str, rng: random.Random, shortest: int, longest: int) -> str:
    size = min(len(text), int(shortest * (longest / shortest) ** rng.random()))
    start = rng.randrange(len(text) - size + 1)
    return text[start : start + size]


def _copy(text: str, edit: Edit, rng: random.Random) -> str:
    """Return a text edited, and never as it was: a text of one sentence has its characters changed."""
    for change in (edit, edit, edit):
        if (copy := change(text, rng.random(), rng)) != text:
            return copy
    return _characters(text, 1, rng)


def _characters(text: str, level: float, rng: random.Random) -> str:
    """Change up to 9 % of the characters: one is put in, left out or replaced."""
    result = []
    for char in text:
        if rng.random() < 0.09 * level:
            char = rng.choice(["", char + rng.choice(text), rng.choice(text)])
        result.append(char)
    return "".join(result)


def _shorter(text: str, level: float, rng: random.Random) -> str:
    """Leave out up to half of the sentences."""
    return "".join(part for part in _SENTENCE.findall(text) if rng.random() > 0.5 * level)


def _moved(text: str, level: float, rng: random.Random) -> str:
    """Move up to half of the sentences to another place, and change a character here and there."""
    parts = _SENTENCE.findall(text)
    for _ in range(int(len(parts) * level / 2)):
        parts.insert(rng.randrange(len(parts)), parts.pop(rng.randrange(len(parts))))
    return _characters("".join(parts), level / 3, rng)


_EDITS = (_characters, _shorter, _moved)


def true_jaccard(left: str, right: str) -> float:
    """Return what two strings share of their sets of five characters on end."""
    a, b = ({text[i : i + 5] for i in range(len(text) - 4)} for text in (left, right))
    return len(a & b) / max(len(a | b), 1)


def by_zhbert(texts: list[str]) -> dict[int, int]:
    """Return which document goes, and for which one."""
    letters = fold(texts).letters()
    found = cluster(
        sketches(letters),
        letters.lengths.astype(np.uint32),
        threshold=THRESHOLD,
        texts_of=lambda numbers: [texts[n] for n in numbers],
    )
    return {gone: int(found.keepers[gone]) for gone in np.flatnonzero(~found.stays).tolist()}


def by_datasketch(texts: list[str]) -> dict[int, int]:
    """The same with datasketch as its documentation has it: a generator of MinHashes, a fast hash function,
    and an index of the same bands that is asked before each insertion; candidates are judged by estimate."""
    sets = (
        list({text[i : i + 5].encode("utf-8", "surrogatepass") for i in range(len(text) - 4)})
        for text in texts
    )
    index = MinHashLSH(threshold=THRESHOLD, num_perm=128, params=(25, 5))
    kept: dict[int, MinHash] = {}
    gone = {}
    for number, one in enumerate(MinHash.generator(sets, num_perm=128, hashfunc=xxhash.xxh32_intdigest)):
        alike = [other for other in index.query(one) if one.jaccard(kept[other]) >= THRESHOLD]
        if alike:
            gone[number] = alike[0]
        else:
            kept[number] = one
            index.insert(number, one, check_duplication=False)
    return gone


def score(texts: list[str], pairs: list[Pair], gone: dict[int, int]) -> Figures:
    """Return recall and precision of what was found, on the letters and on the texts as they are."""
    found: Figures = {}
    for form, strings in {"": unfold(fold(texts).letters()), "_raw": texts}.items():
        alike = [(a, b) for a, b in pairs if true_jaccard(strings[a], strings[b]) >= 0.8]
        declared = [true_jaccard(strings[a], strings[b]) for a, b in gone.items()]
        found[f"pairs{form}"] = len(alike)
        found[f"recall{form}"] = round(statistics.fmean(a in gone or b in gone for a, b in alike), 4)
        found[f"precision{form}"] = round(statistics.fmean(index >= 0.7 for index in declared), 4)
    return found


def measure(*, rounds: int = 5) -> Figures:
    """Return recall, precision and documents per second, both sides timed in turn."""
    real = [text for _, text in documents()]
    figures: Figures = {}
    for size in SIZES:
        texts, pairs = plant(real, size)
        ways: dict[str, Callable[[], dict[int, int]]] = {
            "datasketch": lambda texts=texts: by_datasketch(texts),
            "zhbert": lambda texts=texts: by_zhbert(texts),
        }
        gone = ways["zhbert"]()
        seconds = beside(ways, rounds=rounds)
        found = score(texts, pairs, gone) | {
            "ratio": ratio(seconds, "datasketch", "zhbert"),
            "docs_per_s": round(len(texts) / statistics.median(seconds["zhbert"])),
            "datasketch_docs_per_s": round(len(texts) / statistics.median(seconds["datasketch"])),
        }
        figures |= {f"near_{name}_{size}": value for name, value in found.items()}
    for name in ("recall", "precision", "recall_raw", "precision_raw", "ratio"):
        figures[f"near_{name}"] = min(figures[f"near_{name}_{size}"] for size in SIZES)
    return figures | {"near_bytes_a_document": bytes_a_document(real[:100])}


def bytes_a_document(texts: list[str]) -> float:
    """Return what is kept of a document for as long as it may be compared: hash, sketch and length."""
    folded = fold(texts)
    arrays = hashes(folded), sketches(folded.letters()), folded.lengths.astype(np.uint32)
    return sum(array.nbytes for array in arrays) / len(texts)


if __name__ == "__main__":
    need_data()
    print(json.dumps(measure()))

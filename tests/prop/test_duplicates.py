"""What holds for every pile of texts: folding, duplicates and contamination, held against slow ways."""

import random
import unicodedata
from itertools import combinations

import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from zhbert.clean.buckets import Forest
from zhbert.clean.clusters import cluster
from zhbert.clean.exact import first_occurrences, hashes
from zhbert.clean.fold import fold, letter_places, unfold
from zhbert.clean.guard import SHORTEST, Guard
from zhbert.clean.jaccard import jaccard
from zhbert.clean.overlap import RUN
from zhbert.clean.paragraphs import paragraphs
from zhbert.clean.sketch import _FACTORS, _SEEDS, BINS, shingles, sketches
from zhbert.text.normalize import normalize

ODD = "😀❤️龘𠀀𪚥漢髮乾薴ＡｂⅣ㎏…①éが\u0301\u3099\x00\u200b\u2028\ue000\ud800\udfff\ufeff \u3000\n\t，。-ßİ"
texts = st.lists(
    st.text(st.one_of(st.sampled_from(ODD + "天地玄黄ab1"), st.characters()), max_size=20), max_size=8
)


def slow_letters(text: str) -> str:
    return "".join(char for char in slow_fold(text) if unicodedata.category(char)[0] in "LMN" or is_han(char))


def slow_fold(text: str) -> str:
    return "".join(map(slow_char, text))


def slow_char(char: str) -> str:
    """Fold a character by what Python and OpenCC say of it."""
    kind = unicodedata.category(char)
    selector = 0xFE00 <= ord(char) < 0xFE10 or 0xE0100 <= ord(char) < 0xE01F0
    if kind in ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp") or char.isspace() or selector:
        return ""
    for change in (lambda c: unicodedata.normalize("NFKC", c).lower(), simpler, simpler):
        new = change(char)
        char = new if len(new) == 1 else char
    return char


def simpler(char: str) -> str:
    return normalize(char, nfkc=False, controls=False, simplify=True).text


def is_han(char: str) -> bool:
    return 0x20000 <= ord(char) < 0x40000


@pytest.mark.slow
@examples(60)
@given(texts)
def test_folding_is_what_it_is_for_each_character(texts: list[str]) -> None:
    folded = fold(texts)
    assert unfold(folded) == [slow_fold(text) for text in texts]
    assert unfold(folded.letters()) == [slow_letters(text) for text in texts]
    for text, letters in zip(texts, unfold(folded.letters()), strict=True):
        assert "".join(slow_char(text[place]) for place in letter_places(text)) == letters
    assert unfold(fold(unfold(folded))) == unfold(folded)


@examples(100)
@given(texts, st.integers(1, 6))
def test_equal_texts_and_lines_are_those_with_equal_forms(texts: list[str], shortest: int) -> None:
    forms = [slow_fold(text) for text in texts]
    assert first_occurrences(hashes(fold(texts))).tolist() == [forms.index(form) for form in forms]
    lines = [
        (n, m, slow_fold(line)) for n, text in enumerate(texts) for m, line in enumerate(text.split("\n"))
    ]
    long = [line for line in lines if len(line[2]) >= shortest]
    found = paragraphs(texts, shortest=shortest)
    assert list(zip(found.texts.tolist(), found.lines.tolist(), strict=True)) == [line[:2] for line in long]
    bodies = [line[2] for line in long]
    assert first_occurrences(found.hashes).tolist() == [bodies.index(body) for body in bodies]


few = st.text(st.sampled_from("天地玄黄宇宙洪荒"), max_size=40)


@examples(100)
@given(st.lists(few, min_size=1, max_size=6))
def test_a_sketch_is_the_least_values_of_all_rounds(texts: list[str]) -> None:
    letters = fold(texts).letters()
    words, counts = shingles(letters)
    ends = np.cumsum(counts)
    expected = [
        slow_sketch(words[end - count : end].tolist()) for end, count in zip(ends, counts, strict=True)
    ]
    assert sketches(letters).tolist() == expected


def slow_sketch(words: list[int]) -> list[int]:
    bins: dict[int, int] = {}
    for turn, (seed, factor) in enumerate(zip(_SEEDS.tolist(), _FACTORS.tolist(), strict=True)):
        if len(bins) == BINS:
            break
        for word in words:
            value = ((word ^ seed) * factor) % 2**64
            value ^= value >> 29
            place = value >> 57 if turn < BINS else turn - BINS
            ranked = turn << 48 | value % 2**48
            bins[place] = min(bins.get(place, ranked), ranked)
    return [bins.get(place, 0) % 256 for place in range(BINS)]


def index_of(left: str, right: str) -> float:
    a, b = ({text[i : i + 5] for i in range(len(text) - 4)} for text in (left, right))
    return len(a & b) / max(len(a | b), 1)


@examples(100)
@given(st.lists(few, min_size=2, max_size=6))
def test_the_jaccard_index_is_that_of_the_sets(texts: list[str]) -> None:
    pairs = list(combinations(range(len(texts)), 2))
    left, right = np.array(pairs).T
    lengths = np.array(list(map(len, texts)), dtype=np.uint32)
    found = jaccard(left, right, lengths=lengths, texts_of=lambda numbers: [texts[n] for n in numbers])
    assert found.tolist() == [index_of(texts[a], texts[b]) for a, b in pairs]


@examples(150)
@given(
    st.lists(few, min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 40)), max_size=6),
)
def test_who_goes_has_a_keeper_and_who_stays_has_no_equal(
    texts: list[str], copies: list[tuple[int, int]]
) -> None:
    for number, cut in copies:
        text = texts[number % len(texts)]
        texts.append(text[:cut] + "甲" + text[cut:])
    letters = fold(texts).letters()
    lengths = letters.lengths.astype(np.uint32)
    found = cluster(sketches(letters), lengths, texts_of=lambda numbers: [texts[n] for n in numbers])
    assert found.unsettled == 0
    for number, keeper in enumerate(found.keepers.tolist()):
        assert found.keepers[keeper] == keeper
        if keeper != number:
            assert (-len(texts[keeper]), keeper) < (-len(texts[number]), number)
            assert found.similarity[number] == np.float32(index_of(texts[number], texts[keeper])) >= 0.75
    stay = np.flatnonzero(found.stays).tolist()
    assert all(index_of(texts[a], texts[b]) < 0.9 for a, b in combinations(stay, 2))


@examples(100)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20))
def test_groups_are_those_of_a_plain_union(pairs: list[tuple[int, int]]) -> None:
    names = list(range(12))
    forest = Forest(12)
    for a, b in pairs:
        low, high = sorted((names[a], names[b]))
        names = [low if name == high else name for name in names]
    for half in (pairs[::2], pairs[1::2]):
        left, right = np.array(half, dtype=np.int64).reshape(-1, 2).T
        forest.join(left, right)
    assert forest.roots(np.arange(12)).tolist() == names


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_the_guard_finds_what_comparing_everything_finds(seed: int) -> None:
    rng = random.Random(seed)
    met = 0
    for _ in range(15):
        tests, texts = leak(rng)
        guard = Guard.build((str(number), text) for number, text in enumerate(tests))
        hits = guard.hits(texts)
        expected = [
            (n, str(m)) for n, text in enumerate(texts) for m, test in enumerate(tests) if meets(text, test)
        ]
        assert sorted((hit.text, hit.test) for hit in hits) == sorted(expected)
        for hit in hits:
            shared, test = slow_letters(hit.shared), slow_letters(tests[int(hit.test)])
            assert texts[hit.text][hit.start : hit.end] == hit.shared
            assert len(shared) == (
                longest_run(slow_letters(texts[hit.text]), test) if len(test) >= RUN else len(test)
            )
            assert shared in test
        met += len(hits)
    assert met > 10


def leak(rng: random.Random) -> tuple[list[str], list[str]]:
    """Return test texts, and documents of stretches of them that end near where they would be found."""
    tests = [written(rng, rng.choice([5, 9, 15, 22, 40, 90])) for _ in range(4)]
    texts = []
    for _ in range(4):
        parts = [written(rng, rng.randrange(25)), rng.choice(tests), stretch(rng, rng.choice(tests)), "\n"]
        texts.append("".join(rng.sample(parts, rng.randrange(5))))
    return tests, texts


def written(rng: random.Random, size: int) -> str:
    return "".join(
        rng.choices("天地玄黄宇宙洪荒ＡA，。😀\u3000\n\ud800", [9] * 8 + [3] * 4 + [1] * 4, k=size)
    )


def stretch(rng: random.Random, text: str) -> str:
    start = rng.randrange(len(text))
    return text[start : start + rng.randrange(18, 30)].replace("A", "ａ").replace("。", "")


def meets(text: str, test: str) -> bool:
    letters = slow_letters(test)
    if SHORTEST <= len(letters) < RUN:
        return letters in [slow_letters(part) for part in (text, *text.split("\n"))]
    return longest_run(slow_letters(text), letters) >= RUN


def longest_run(left: str, right: str) -> int:
    """Return the length of the longest common stretch of two strings."""
    best = 0
    for start in range(len(right)):
        while start + best < len(right) and right[start : start + best + 1] in left:
            best += 1
    return best

"""The Jaccard index, counted."""

import numpy as np
import pytest

from zhbert.clean import jaccard as module
from zhbert.clean.jaccard import jaccard


def strings(count: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    bases = ["".join(map(chr, rng.integers(0x4E00, 0x4E40, rng.integers(5, 400)))) for _ in range(count // 2)]
    return bases + [base[: len(base) * 2 // 3] + base[::-1][:9] for base in bases]


def slow(left: str, right: str) -> float:
    a, b = ({text[i : i + 5] for i in range(len(text) - 4)} for text in (left, right))
    return len(a & b) / len(a | b)


@pytest.mark.parametrize(("letters", "at_a_time"), [(1 << 22, 1 << 14), (900, 50)])
def test_it_is_that_of_the_sets_however_it_is_cut(
    monkeypatch: pytest.MonkeyPatch, letters: int, at_a_time: int
) -> None:
    monkeypatch.setattr(module, "_LETTERS", letters)
    monkeypatch.setattr(module, "_SHINGLES", at_a_time)
    texts = strings(40, seed=letters)
    rng = np.random.default_rng(1)
    left = np.concatenate([np.arange(20), rng.integers(0, 40, 60)])
    right = np.concatenate([np.arange(20, 40), rng.integers(0, 40, 60)])
    lengths = np.array(list(map(len, texts)), dtype=np.uint32)
    asked: list[list[int]] = []

    def texts_of(numbers: list[int]) -> list[str]:
        asked.append(numbers)
        return [texts[number] for number in numbers]

    found = jaccard(left, right, lengths=lengths, texts_of=texts_of)
    assert found.tolist() == [slow(texts[a], texts[b]) for a, b in zip(left, right, strict=True)]
    assert all(numbers == sorted(set(numbers)) for numbers in asked)
    assert all(len(numbers) <= 2 or sum(len(texts[n]) for n in numbers) <= letters for numbers in asked)


def test_a_shingle_counts_once_however_often_it_stands_in_a_text() -> None:
    texts = ["哈" * 30, "哈" * 9, "甲乙丙" * 9 + "哈" * 9, "甲乙丙丁戊"]
    left, right = np.array([0, 0, 1, 2]), np.array([1, 2, 2, 3])
    found = jaccard(left, right, lengths=np.full(4, 36, np.uint32), texts_of=lambda n: [texts[i] for i in n])
    assert found.tolist() == [1.0, 1 / 8, 1 / 8, 0.0]


def test_no_pairs_ask_for_nothing() -> None:
    none = np.empty(0, dtype=np.int64)
    assert jaccard(none, none, lengths=np.empty(0, np.uint32), texts_of=lambda numbers: 1 / 0).tolist() == []  # type: ignore[arg-type,return-value]

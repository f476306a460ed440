"""Figures against plain ways to compute them, those of FineWeb-2 against its filters, written out again."""

import random
import re
from collections import Counter

import jieba
import pytest

from zhbert.clean.figures import FIGURES, OF_WORDS, Measured, count_han, figures, han_share
from zhbert.clean.filters import Filter
from zhbert.clean.grams import Grams, repeated_passages
from zhbert.clean.presets import LINE_ENDS, NO_WORD, PRESETS, STOP_WORDS

ODD = ["", "\x00", "\ud800", "\ud840\udc00", "\n", " \n ", "𠮷𠮷", "a", "，", "\u2028", "e\u0301", "😀", "一"]
WORDS = [*"去了的在是a，。！…#\n-•", "今天", "明天", "下雨", "北京", "BERT", "2.0", "..."]


def texts(count: int, seed: int = 3) -> list[str]:
    """Return random texts, many with words and lines that come again."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        few = rng.sample(WORDS, rng.randint(2, 12))
        lines = ["".join(rng.choices(few, k=rng.randint(0, 30))) for _ in range(rng.randint(1, 5))]
        made.append("\n".join(rng.choices(lines, k=rng.randint(1, 8))))
    return made


def fineweb2(text: str, words: list[str]) -> set[str]:
    """Return all that the filters of FineWeb-2 (cmn_Hani) object to, from datatrove's definitions."""
    p, bad = PRESETS["fineweb2-zh"], set()
    lines = re.split("\n+", text)
    if (len(lines) - len(set(lines))) / len(lines) > p["max_repeated_lines"]:
        bad.add("max_repeated_lines")
    for n in (2, 3, 4):
        grams = Counter(" ".join(words[i : i + n]) for i in range(len(words) - n + 1))
        top, times = grams.most_common(1)[0] if grams else ("", 0)
        if len(top) * times / len(text) > p[f"max_top_{n}_words"]:
            bad.add(f"max_top_{n}_words")
    for n in range(5, 11):
        if read_again(words, n) / len(text) > p[f"max_repeated_{n}_words"]:
            bad.add(f"max_repeated_{n}_words")
    lines = [line for line in text.split("\n") if line.strip()]
    again = [line for i, line in enumerate(lines) if line in lines[:i]]
    real = [word for word in words if any(char not in NO_WORD for char in word)]
    length = sum(map(len, real)) / max(len(real), 1)
    every = text.splitlines()
    checks = {
        "min_line_ends": sum(line[-1] in LINE_ENDS for line in lines) / len(lines) < 0.106,
        "max_repeated_line_characters": sum(map(len, again)) / len(text.replace("\n", "")) > 0.1,
        "max_breaks_per_word": text.count("\n") / len(words) > 0.178,
        "min_words": len(real) < 50,
        "min_word_length": length < 1,
        "max_word_length": length > 5,
        "max_hashes_per_word": text.count("#") / len(words) > 0.1,
        "max_ellipses_per_word": (text.count("...") + text.count("…")) / len(words) > 0.1,
        "max_bullet_lines": sum(line.lstrip()[:1] in ("•", "-") for line in every if line.strip())
        / len(every)
        > 0.9,
        "max_ellipsis_lines": sum(line.rstrip()[-3:] == "..." or line.rstrip()[-1:] == "…" for line in every)
        / len(every)
        > 0.3,
        "min_letter_words": sum(any(c.isalpha() for c in w) for w in words) / len(words) < 0.735,
        "min_stop_words": len(STOP_WORDS & set(words)) < 2,
    }
    return bad | {name for name, objects in checks.items() if objects}


def read_again(words: list[str], n: int) -> int:
    seen, total, i = set(), 0, 0
    while i < len(words) - n + 1:
        gram = "".join(words[i : i + n])
        if gram in seen:
            total += len(gram)
            i += n
        else:
            seen.add(gram)
            i += 1
    return total


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> jieba.Tokenizer:
    tokenizer = jieba.Tokenizer()
    tokenizer.tmp_dir = str(tmp_path_factory.mktemp("jieba"))
    return tokenizer


@pytest.mark.slow
def test_fineweb2_objects_to_the_same(plain: jieba.Tokenizer) -> None:
    fields = [name for name in PRESETS["fineweb2-zh"] if name not in ("language", "max_words")]
    seen: Counter[str] = Counter()
    for text in [t for t in texts(400) if t.strip()]:
        words = [word.strip() for word in plain.lcut(text) if word.strip()]
        expected = fineweb2(text, words)
        bounds = PRESETS["fineweb2-zh"]
        found = {f for f in fields if Filter.model_validate({f: bounds[f]}).make()(text).reason}
        assert found == expected, text
        seen.update(expected)
    never = {"min_word_length", "max_word_length"}
    assert set(fields) - set(seen) <= never  # the texts try every bound


def test_han_is_counted_as_one_by_one() -> None:
    rng = random.Random(5)
    pool = "一㐀鿿\ua000\u33ff〇a，\n\u3000𠮷\U0001ffff\U0010ffff\ud840\udc00\x00豈"
    for text in [*ODD, *("".join(rng.choices(pool, k=rng.randint(0, 20))) for _ in range(2000))]:
        han = sum("\u3400" <= c <= "\u9fff" or c >= "\U00020000" for c in text)
        visible = [c for c in text if not c.isspace()]
        assert count_han(text) == han
        assert han_share(text) == (han / len(visible) if visible else 0)


def test_classes_of_characters() -> None:
    text = "一丁𠮷 aé かカ ア、ー 한 #=|□😀 5，。%/- \ue000 я"
    of = Measured(text).of
    assert of == {"other": 15, "letter": 3, "han": 3, "latin": 2, "kana": 3, "symbol": 6}
    assert sum(of.values()) == len(text)


@pytest.mark.parametrize("text", ODD)
def test_every_figure_of_every_odd_text_is_a_number(text: str) -> None:
    found = figures(text, FIGURES)
    assert list(found) == list(FIGURES)
    assert all(isinstance(value, float) and value >= 0 for value in found.values())
    for name, value in found.items():
        counts_something = name in ("characters", "line_length", "words", "word_length", "stop_words")
        assert counts_something or value <= 1 or name in OF_WORDS


def test_figures_without_words_are_the_default() -> None:
    assert set(figures("今天")) == set(FIGURES) - set(OF_WORDS)


@pytest.mark.slow
def test_runs_of_words_are_found_as_by_reading() -> None:
    rng = random.Random(9)
    for _ in range(600):
        words = rng.choices(["一", "二二", "三", "四四四", "五"], k=rng.randint(0, 40))
        for n in range(2, 8):
            grams = Grams(words)
            counts = Counter(" ".join(words[i : i + n]) for i in range(len(words) - n + 1))
            top, times = counts.most_common(1)[0] if counts else ("", 0)
            assert grams.top(n) == len(top) * times
            assert Grams(words).again(n) == read_again(words, n)


def test_passages_are_found_as_by_reading() -> None:
    rng = random.Random(4)
    for _ in range(600):
        text = "".join(rng.choices("一二𠮷 \n\ud800", k=rng.randint(0, 60))) * rng.randint(1, 3)
        packed = "".join(text.split())
        grams = Counter(packed[i : i + 13] for i in range(len(packed) - 12))
        again = sum(number for number in grams.values() if number > 1)
        assert repeated_passages(text) == (again / grams.total() if len(packed) > 13 else 0)

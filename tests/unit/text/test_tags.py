"""Tags: the three schemes, what they refuse, and the constrained path."""

import itertools

import numpy as np
import pytest

from zhbert.errors import ConfigError, DataError
from zhbert.records import Span
from zhbert.text.paths import best_path
from zhbert.text.tags import allowed, check, tag_names, to_spans, to_tags

SPANS = [Span(0, 1, "人名"), Span(1, 3, "地点"), Span(4, 8, "地点")]


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("BIO", "B-人名 B-地点 I-地点 O B-地点 I-地点 I-地点 I-地点 O"),
        ("BIOES", "S-人名 B-地点 E-地点 O B-地点 I-地点 I-地点 E-地点 O"),
        ("BMES", "S-人名 B-地点 E-地点 O B-地点 M-地点 M-地点 E-地点 O"),
    ],
)
def test_there_and_back(scheme: str, tags: str) -> None:
    assert to_tags(reversed(SPANS), 9, scheme=scheme) == tags.split()
    assert to_spans(tags.split(), scheme=scheme) == SPANS


def test_labels_with_hyphens_and_without_letters() -> None:
    spans = [Span(0, 2, "WORK-OF-ART"), Span(2, 3, "")]
    tags = to_tags(spans, 3, scheme="BIOES")
    assert tags == ["B-WORK-OF-ART", "E-WORK-OF-ART", "S"]
    assert to_spans(tags, scheme="BIOES") == spans


def test_overlaps_and_long_spans_are_refused() -> None:
    with pytest.raises(DataError, match=r'span 0..3 "甲" and span 2..4 "乙" overlap'):
        to_tags([Span(2, 4, "乙"), Span(0, 3, "甲")], 9)
    with pytest.raises(DataError, match="overlap"):
        to_tags([Span(0, 3, "甲"), Span(0, 3, "乙")], 9)
    with pytest.raises(DataError, match=r"span 2..4 .* ends after the last of 3 units"):
        to_tags([Span(2, 4, "乙")], 3)


@pytest.mark.parametrize(
    ("tags", "scheme", "message"),
    [
        ("I-甲", "BIO", 'tag 1, "I-甲", may not follow "O"'),
        ("B-甲 I-乙", "BIO", 'tag 2, "I-乙", may not follow "B-甲"'),
        ("B-甲 O", "BIOES", 'tag 2, "O", may not follow "B-甲"'),
        ("B-甲 I-甲", "BIOES", 'the last tag, "I-甲", leaves its span open'),
        ("S-甲 M-甲", "BMES", 'tag 2, "M-甲", may not follow "S-甲"'),
        ("E-甲", "BMES", "may not follow"),
        ("B-甲 I-甲", "BMES", 'tag 2, "I-甲", is not of BMES'),
        ("O O-甲", "BIO", "is not of BIO"),
        ("S-甲", "BIO", "the letters are O B I"),
        (" O", "BIO", 'tag 1, "", is not of BIO'),
    ],
)
def test_an_invalid_sequence_is_refused(tags: str, scheme: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        to_spans(tags.split(" "), scheme=scheme)
    assert message in str(caught.value)


def test_unknown_schemes_and_double_labels_are_refused() -> None:
    with pytest.raises(ConfigError, match='did you mean "BIOES"'):
        check(["O"], "BOES")
    with pytest.raises(DataError, match="twice"):
        tag_names(["甲", "甲"])


def test_tag_names() -> None:
    assert tag_names(["甲"]) == ("O", "B-甲", "I-甲")
    assert tag_names(["甲"], "BIOES") == ("O", "B-甲", "I-甲", "E-甲", "S-甲")
    assert tag_names([""], "BMES") == ("O", "B", "M", "E", "S")
    assert tag_names([]) == ("O",)


def is_valid(tags: list[str], scheme: str) -> bool:
    try:
        check(tags, scheme)
    except DataError:
        return False
    return True


@pytest.mark.parametrize("scheme", ["BIO", "BIOES", "BMES"])
def test_best_path_is_the_best_of_all_valid_sequences(scheme: str) -> None:
    names, rng = tag_names(["甲", "乙"] if scheme == "BIO" else ["甲"], scheme), np.random.default_rng(7)
    table = allowed(names, scheme=scheme)
    valid = [
        p for p in itertools.product(range(len(names)), repeat=4) if is_valid([names[i] for i in p], scheme)
    ]
    for _ in range(20):
        scores = rng.normal(size=(4, len(names)))
        best = max(valid, key=lambda path: scores[range(4), path].sum())
        assert tuple(best_path(scores, table)) == best


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_best_path_is_valid_whatever_the_scores(value: float) -> None:
    names = tag_names(["甲", "乙"], "BIOES")
    table = allowed(names, scheme="BIOES")
    for bad in range(len(names)):
        scores = np.zeros((6, len(names)), dtype=np.float32)
        scores[:, bad] = value
        check([names[i] for i in best_path(scores, table)], "BIOES")
    check([names[i] for i in best_path(np.full((6, len(names)), value), table)], "BIOES")


def test_best_path_of_nothing() -> None:
    assert best_path(np.zeros((0, 3)), allowed(tag_names(["甲"]))).tolist() == []


def test_allowed_refuses_a_foreign_name() -> None:
    with pytest.raises(DataError, match='tag name 2, "S-甲", is not of BIO'):
        allowed(["O", "S-甲"])

"""A unit and its tag a line: columns, schemes, and what is no valid sequence."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from zhbert.errors import DataError
from zhbert.read.forms import FORMS, How
from zhbert.read.forms.tagged import SCHEMES, Sentence, examples_of
from zhbert.records import EntityExample, Span
from zhbert.text.tags import to_tags

BIO = "李 B-人名\n明 I-人名\n在 O\n北 B-地点\n京 I-地点\n"


def found(example: EntityExample) -> list[tuple[str, str]]:
    return [(span.surface, span.label) for span in example.entities]


@pytest.mark.parametrize(
    ("content", "scheme"),
    [
        (BIO, "BIO"),
        (BIO.replace(" ", "\t"), "BIO"),
        ("\ufeff" + BIO.replace("\n", "\r\n"), "BIO"),
        (BIO.replace("明 I", "明 E").replace("京 I", "京 E").replace("在 O", "在 O\n他 S-人名"), "BIOES"),
        (BIO.replace("明 I", "明 E").replace("北 B", "东 B-地点\n北 M"), ""),
        (BIO.replace("I", "I").replace("B", "I"), "IOB1"),
    ],
)
def test_the_scheme_is_found_and_named(content: str, scheme: str, read: Callable[..., Any]) -> None:
    if not scheme:
        with pytest.raises(DataError, match='no scheme has tags that begin with "B", "E", "I", "M"'):
            read("conll", content)
        return
    (example,), how = read("conll", content)
    assert how.found == {"scheme": scheme}
    assert found(example)[0] == ("李明", "人名")
    assert found(example)[-1] == ("北京", "地点")


@pytest.mark.parametrize(
    ("letters", "scheme"),
    [("BIIE S", "BIOES"), ("BMME S", "BMES"), ("BMME W", "BMEWO"), ("BIIL U", "BILOU"), ("BIII B", "BIO")],
)
def test_every_scheme_is_told_from_its_letters(letters: str, scheme: str, read: Callable[..., Any]) -> None:
    lines = [
        f"{c} {'O' if letter == ' ' else letter + '-X'}"
        for c, letter in zip("甲乙丙丁的戊", letters, strict=True)
    ]
    (example,), how = read("conll", "\n".join(lines))
    assert (how.found["scheme"], found(example)) == (scheme, [("甲乙丙丁", "X"), ("戊", "X")])


def test_b_parts_neighbours_of_one_label_in_iob1(read: Callable[..., Any]) -> None:
    (example,), how = read("conll", "甲 I-X\n乙 I-X\n丙 B-X\n丁 I-Y\n")
    assert found(example) == [("甲乙", "X"), ("丙", "X"), ("丁", "Y")]
    assert how.found == {"scheme": "IOB1"}
    assert not how.counts


def test_places_in_words_are_taken_off(read: Callable[..., Any]) -> None:
    (example,), how = read("conll", "科0\tB-PER.NAM\n比1\tI-PER.NAM\n20\tO\n")
    assert (example.text, found(example)) == ("科比2", [("科比", "PER.NAM")])
    assert "taken off" in how.found["units"]
    (other,), _ = read("conll", "科0\tO\n比\tO\n")
    assert other.text == "科0比"


def test_words_of_latin_letters_are_kept_apart(read: Callable[..., Any]) -> None:
    (example,), _ = read("conll", "我 O\n爱 O\nNew B-L\nYork I-L\n！ O\n")
    assert (example.text, found(example)) == ("我爱New York！", [("New York", "L")])
    (letters,), _ = read("conll", "N B-L\nB I-L\nA I-L\n")
    assert letters.text == "NBA"


def test_a_unit_may_be_a_space_and_a_head_is_left_out(read: Callable[..., Any]) -> None:
    examples, how = read("conll", "-DOCSTART- -X- O\n\n甲 O\n  O\n\u3000 O\n\n \tO\n\u2028\tO\n\t\tO\n")
    assert [example.text for example in examples] == ["甲 \u3000", " \u2028\t"]
    assert how.counts == {"left out: -DOCSTART-": 1}


def test_bare_tags_get_a_label(read: Callable[..., Any]) -> None:
    assert found(read("conll", "北 B\n京 E\n人 S\n")[0][0]) == [("北京", "word"), ("人", "word")]
    assert found(read("conll", "北 B\n京 E\n", label="词")[0][0]) == [("北京", "词")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("甲 B-X\n乙 O\n丙 I-X\n", 'data.txt:3: "I-X" may not follow "O" in BIO'),
        ("甲 O\n\n甲 O\n乙 B-X\n丙 I-Y\n丁 B-Y\n", 'data.txt:5: "I-Y" may not follow "B-X" in BIO'),
        ("甲 B-X\n乙 M-X\n丙 E-X\n丁 B-X\n", 'data.txt:4: "O" may not follow "B-X" in BMES'),
        ("甲\n", 'data.txt:1: "甲" is not a unit and its tag'),
        ("甲 O\n乙 Q-X\n", 'no scheme has tags that begin with "Q"'),
        ("甲\tO\n\tO\n", "data.txt:2: .* is not a unit"),
        ("甲\t\n", "data.txt:1: .* is not a unit"),
    ],
)
def test_what_is_refused(content: str, said: str, read: Callable[..., Any]) -> None:
    with pytest.raises(DataError, match=said):
        read("conll", content)


def test_a_scheme_can_be_named(read: Callable[..., Any]) -> None:
    with pytest.raises(DataError, match=r'data.txt:2: "I-人名" may not follow "B-人名" in BMES'):
        read("conll", BIO, scheme="BMES")
    with pytest.raises(DataError, match='no scheme "BIE"'):
        read("conll", BIO, scheme="BIE")


TAGS = st.lists(st.sampled_from(["O", "B-X", "I-X", "B-Y", "I-Y"]), min_size=1, max_size=8)


@given(TAGS)
def test_mended_tags_are_read_as_conlleval_reads_them(tags: list[str]) -> None:
    """Held against seqeval, whose default is conlleval's."""
    sentence = Sentence(line=1, ident="1", units=["好"] * len(tags), tags=tags)
    how = How(repair=True, scheme="BIO")
    ((_, example),) = examples_of([sentence], how, "a")
    assert isinstance(example, EntityExample)
    ours = [(span.label, span.start, span.end - 1) for span in example.entities]
    assert ours == [tuple(entity) for entity in get_entities(tags)]
    again = to_tags([Span(start, end + 1, label) for label, start, end in ours], len(tags))
    assert bool(how.counts) == (again != tags)


@given(st.sampled_from(sorted(set(SCHEMES) - {"IOB1"})), st.data())
def test_every_scheme_gives_its_spans_back(name: str, data: Any) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, 9), min_size=2, max_size=6)))
    spans = [(a, b, data.draw(st.sampled_from("XY"))) for a, b in pairwise(cuts)]
    tags = ["O"] * 9
    for start, end, label in spans:
        tags[start:end] = [f"{letter}-{label}" for letter in SCHEMES[name].spell(end - start)]
    sentence = Sentence(line=1, ident="1", units=["好"] * 9, tags=tags)
    ((_, example),) = examples_of([sentence], How(scheme=name), "a")
    assert isinstance(example, EntityExample)
    assert [(s.start, s.end, s.label) for s in example.entities] == spans


@pytest.mark.parametrize("scheme", ["BIO", "BIOES", "BMES"])
def test_what_is_written_is_in_the_scheme(scheme: str, tmp_path: Path) -> None:
    example = EntityExample(id="1", text="李明在 北京", entities=(Span.of("李明在 北京", 0, 2, "人名"),))
    FORMS["conll"].write([example], tmp_path / "x.txt", How(scheme=scheme))
    assert (tmp_path / "x.txt").read_text("utf-8").splitlines()[
        1
    ] == f"明\t{'I' if scheme == 'BIO' else 'E'}-人名"


@pytest.mark.parametrize(
    ("text", "spans", "said"),
    [
        ("北\n京", [], "n1: conll cannot hold a line break"),
        ("", [], "n1: conll cannot hold an empty text"),
        ("北京市", [(0, 2), (0, 3)], "n1: span .* overlap"),
    ],
)
def test_what_cannot_be_written(text: str, spans: list[tuple[int, int]], said: str, tmp_path: Path) -> None:
    entities = tuple(Span.of(text, *span, "X") for span in spans)
    with pytest.raises(DataError, match=said):
        FORMS["conll"].write([EntityExample(id="n1", text=text, entities=entities)], tmp_path / "x.txt")

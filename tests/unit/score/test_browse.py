"""What a page shows of its examples: which filters there are, and which part of a long text."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhbert.records import Span
from zhbert.score.browse import MOST, SURE, Browser, browser_of, sureness
from zhbert.score.marks import CROP, answer_pieces, entity_pieces, pieces, windows
from zhbert.score.report import Report
from zhbert.score.sheet import Exhibit, Marking, Section


def shown(section: Section, browser: Browser, **pressed: str) -> set[str]:
    """Return what the page shows when buttons are pressed: the examples that have the style of each."""
    names = {name.replace("_", " "): word for name, word in pressed.items()}
    styles = {c.style for f in browser.filters for c in f.choices if names.get(f.name) == c.word}
    assert len(styles) == len(pressed)
    return {ex.id for ex in section.exhibits if styles <= set(browser.style_of(ex).split())}


def test_every_button_shows_what_it_counts(report: Report) -> None:
    for section in report.sections:
        browser = browser_of(section, section.exhibits)
        for one in browser.filters:
            for choice in one.choices:
                found = shown(section, browser, **{one.name.replace(" ", "_"): choice.word})
                assert len(found) == choice.count > 0


def test_filters_are_combined(report: Report) -> None:
    section = report.sections[0]
    browser = browser_of(section, section.exhibits)
    assert [one.name for one in browser.filters][:3] == ["kind", "label", "text length"]
    assert browser.filters[0].choices[-1].word == "right"
    both = shown(section, browser, kind="missed", label="机构")
    expected = {
        ex.id
        for ex in section.exhibits
        if "missed" in ex.kinds and any(s.label == "机构" for m in ex.markings[:2] for s in m.spans)
    }
    assert both == expected
    (row,) = [
        row for row in section.slices if (row.family, row.name) == ("entity in the training set", "unseen")
    ]
    part = shown(section, browser, kind="missed", entity_in_the_training_set="unseen")
    assert part == {ex.id for ex in section.exhibits if "missed" in ex.kinds and ex.id in row.ids}


def test_how_sure_is_asked_where_probabilities_are(report: Report) -> None:
    names = [one.name for one in browser_of(report.sections[1], report.sections[1].exhibits).filters]
    assert "how sure" in names
    assert names.count("label") == 1  # the family of parts that is called so is not asked once more
    assert browser_of(report.sections[0], ()).filters == []


@pytest.mark.parametrize(
    ("scores", "band"),
    [((0.0,), 0), ((0.5,), 1), ((0.99, 0.69), 1), ((0.7,), 2), ((0.9,), 3), ((0.99,), 4), ((1.0,), 4)],
)
def test_bands_hold_their_lower_edge(scores: tuple[float, ...], band: int) -> None:
    said = Marking(by="a", outcome="right", scores=scores)
    exhibit = Exhibit(id="1", kinds=(), text="", markings=(said, said))
    assert sureness(exhibit) == (SURE[band],)
    none = replace(said, scores=())
    assert sureness(replace(exhibit, markings=(none, none))) == ()


def test_a_filter_has_no_more_buttons_than_can_be_read(report: Report) -> None:
    ex = report.sections[1].exhibits[0]
    many = tuple(replace(ex, id=str(i), kinds=(f"kind {min(i, 40)}",)) for i in range(45))
    (kinds, *_) = browser_of(report.sections[1], many).filters
    assert len(kinds.choices) == MOST
    assert kinds.choices[0].word == "kind 40"


spans = st.builds(
    lambda a, n, label: Span(a, a + n, label),
    st.integers(0, 2990),
    st.integers(1, 40),
    st.sampled_from("甲乙"),
)


@given(st.integers(0, 3000), st.lists(spans, max_size=12))
def test_windows_are_in_order_apart_and_few(size: int, marked: list[Span]) -> None:
    text = "字" * size
    marked = [span for span in marked if span.end <= size]
    found = windows(text, marked)
    edges = [edge for window in found for edge in window]
    assert edges == sorted(edges)
    assert min(edges) >= 0
    assert max(edges) <= size
    assert sum(end - start for start, end in found) <= 2 * CROP
    if marked and sum(160 for _ in marked) <= 2 * CROP:
        assert all(any(a <= s.start and s.end <= b for a, b in found) for s in marked)
    if size <= CROP:
        assert found == [(0, size)]
    cut = pieces(text, marked, classes=lambda over: over[0].label, tags=True)
    assert sum(len(piece.text) for piece in cut if piece.text != "…") == sum(b - a for a, b in found)


def test_a_text_full_of_marks_is_cut() -> None:
    found = windows("字" * 9000, [Span(at, at + 30) for at in range(0, 9000, 200)])
    assert sum(end - start for start, end in found) == 2 * CROP
    assert windows("字" * 9000, [Span(5, 8000)]) == [(0, 2 * CROP)]


@given(st.lists(spans, max_size=12))
def test_pieces_are_marked_as_a_slow_reader_would(marked: list[Span]) -> None:
    text = "".join(chr(0x4E00 + i % 500) for i in range(400))
    marked = [span for span in marked if span.end <= 400]
    cut = pieces(text, marked, classes=lambda over: "+".join(s.label for s in over), tags=True)
    assert "".join(piece.text for piece in cut) == text
    at = 0
    for piece in cut:
        over = [s for s in marked if s.start <= at < s.end]
        over.sort(key=lambda s: (s.end - s.start, s.label, s.start))
        assert [piece.classes, piece.title] == [
            "+".join(s.label for s in over),
            " + ".join(s.label for s in over),
        ]
        at += len(piece.text)
        assert piece.tag == (over[0].label if over and over[0].end == at else "")


def test_both_sides_of_a_long_text_show_the_same_part() -> None:
    text = "字" * 5000
    gold = tuple(Span(a, a + 2, "地点") for a in range(0, 5000, 50))
    said = (*gold[:60], Span(3000, 3003, "地点"), *gold[61:])
    ex = Exhibit(
        id="1",
        kinds=("wrong boundary",),
        text=text,
        markings=(
            Marking(by="gold", outcome="gold", spans=gold),
            Marking(by="a", outcome="wrong", spans=said),
        ),
    )
    left, right = (entity_pieces(ex, marking, {}) for marking in ex.markings)
    assert ["off" in piece.classes for piece in left].count(True) == 1
    assert ["off" in piece.classes for piece in right].count(True) == 1
    assert len("".join(p.text for p in left)) == len("".join(p.text for p in right)) <= CROP + 2


def test_answers_that_lie_far_apart_are_both_shown() -> None:
    gold, said = Span(100, 105), Span(90_000, 90_004)
    markings = (
        Marking(by="gold", outcome="gold", spans=(gold,)),
        Marking(by="a", outcome="wrong", spans=(said,)),
    )
    found = answer_pieces(Exhibit(id="1", kinds=(), text="字" * 100_000, markings=markings))
    assert [piece.classes for piece in found if piece.classes] == ["gold", "said"]
    assert [piece.text for piece in found].count("…") == 3

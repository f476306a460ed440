"""What stands beside the figures: other rules for entities, the best of several answers, McNemar, parts."""

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhbert import score
from zhbert.records import (
    Candidate,
    EntityExample,
    EntityPrediction,
    LabelExample,
    LabelPrediction,
    ReadingExample,
    ReadingPrediction,
    Span,
)
from zhbert.score.answers import judge_answer
from zhbert.score.entities import EXACT, MICRO_F1, PARTIAL, TYPE, count_entities
from zhbert.score.interval import benjamini_hochberg
from zhbert.score.mcnemar import coin
from zhbert.score.render import render
from zhbert.score.sections import SectionInput, System, build_section
from zhbert.score.sheet import Report, Section
from zhbert.score.words import chinese, name_of

LABELS = "甲乙"
Spans = list[Span]


def section(task: str, gold, draws: int = 200, train=None, **systems) -> Section:
    named = SectionInput(name="x", task=task, gold=gold, systems=systems, train=train)
    return build_section(named, rng=np.random.default_rng(1), draws=draws)


def test_the_published_example_of_the_four_rules():
    """The drugs of the table that goes with SemEval 2013's rules: 3, 3, 3 and 2 of 6 are right."""
    gold = [(0, 3, "品牌"), (20, 25, "药"), (30, 35, "药"), (40, 45, "药"), (50, 55, "药"), (60, 65, "类")]
    said = [
        (10, 13, "品牌"),
        (19, 25, "药"),
        (30, 35, "品牌"),
        (40, 45, "药"),
        (50, 55, "药"),
        (58, 65, "药"),
    ]
    a, b = ([Span(*one) for one in spans] for spans in (gold, said))
    counts = count_entities(["1"], [a], [b])
    found = [round(float(metric(counts)), 2) for metric in (TYPE, PARTIAL, EXACT, MICRO_F1)]
    assert found == [0.5, 0.67, 0.5, 0.33]


def spans_in(width: int) -> st.SearchStrategy[Span]:
    edges = st.tuples(st.integers(0, width), st.integers(0, width)).filter(lambda pair: pair[0] < pair[1])
    return st.builds(lambda pair, label: Span(*pair, label), edges, st.sampled_from(LABELS))


def slow_f1(places: list[tuple[Span | None, Span | None]], right, half=lambda _a, _b: False) -> float:
    """Return F1 by the book: precision and recall of places with at most one entity on either side."""
    pairs = [(a, b) for a, b in places if a and b and min(a.end, b.end) > max(a.start, b.start)]
    gained = sum(1.0 if right(a, b) else 0.5 if half(a, b) else 0.0 for a, b in pairs)
    golds, saids = (sum(place[side] is not None for place in places) for side in (0, 1))
    if not gained:
        return 0.0
    precision, recall = gained / saids, gained / golds
    return 2 * precision * recall / (precision + recall)


@given(st.lists(st.tuples(st.none() | spans_in(6), st.none() | spans_in(6)), min_size=1, max_size=8))
def test_the_rules_by_the_book(places: list[tuple[Span | None, Span | None]]):
    def moved(side: int) -> Spans:
        found = ((10 * i, place[side]) for i, place in enumerate(places))
        return [Span(by + one.start, by + one.end, one.label) for by, one in found if one]

    def same(a: Span, b: Span) -> bool:
        return (a.start, a.end) == (b.start, b.end)

    counts = count_entities(["1"], [moved(0)], [moved(1)])
    assert float(EXACT(counts)) == pytest.approx(slow_f1(places, same), abs=1e-12)
    assert float(PARTIAL(counts)) == pytest.approx(slow_f1(places, same, lambda _a, _b: True), abs=1e-12)
    assert float(TYPE(counts)) == pytest.approx(slow_f1(places, lambda a, b: a.label == b.label), abs=1e-12)
    assert float(MICRO_F1(counts)) <= float(EXACT(counts)) <= float(PARTIAL(counts)) + 1e-12
    assert float(MICRO_F1(counts)) <= float(TYPE(counts))


def sentence(i: int, *spans: tuple[int, int, str]) -> EntityExample:
    text = "他昨天在北京大学听了一场讲座"
    return EntityExample(id=f"句{i}", text=text, entities=tuple(Span.of(text, *one) for one in spans))


def answered(gold: EntityExample, *spans: tuple[int, int, str]) -> EntityPrediction:
    found = tuple(Span.of(gold.text, *one) for one in spans)
    return EntityPrediction(id=gold.id, entities=found, scores=(0.9,) * len(found))


def test_borders_that_slip_are_counted_and_named():
    gold = [sentence(i, (4, 8, "机构")) for i in range(9)]
    ways = [(4, 7), (4, 7), (4, 7), (3, 9), (3, 9), (4, 8), (0, 2), (4, 6), (4, 7)]
    labels = ["机构"] * 8 + ["地点"]
    said = [answered(g, (*way, label)) for g, way, label in zip(gold, ways, labels, strict=True)]
    (system,) = section("ner", gold, 系统=said).systems
    assert [(slip.start, slip.end, slip.count) for slip in system.slips] == [
        (0, -1, 3),
        (-1, 1, 2),
        (0, -2, 1),
    ]
    assert system.slips[0].ids == ("句0", "句1", "句2")
    assert sum(slip.count for slip in system.slips) == system.mistakes["wrong boundary"]


def test_entities_have_figures_by_four_other_rules_and_surfaces_are_sets():
    gold = [sentence(i, (4, 8, "机构")) for i in range(30)]
    said = [answered(g, (4, 8, "机构"), (4, 6, "地点")) if i % 2 else answered(g) for i, g in enumerate(gold)]
    (system,) = section("ner", gold, 系统=said).systems
    found = {aside.name: aside.of for aside in system.asides}
    assert list(found) == ["semeval_exact_f1", "semeval_partial_f1", "semeval_type_f1", "surface_macro_f1"]
    assert found["surface_macro_f1"].value == pytest.approx((2 / 3 + 0) / 2)
    assert all(of.low < of.value < of.high for of in found.values())


CONTEXT = "他毕业于北京大学，后来在上海工作。"


def question(i: int, *places: tuple[int, int]) -> ReadingExample:
    return ReadingExample(
        id=f"问{i}", context=CONTEXT, question="？", answers=tuple(Span.of(CONTEXT, *p) for p in places)
    )


def reply(i: int, *places: tuple[int, int] | None) -> ReadingPrediction:
    first, *others = (Span.of(CONTEXT, *place) if place else None for place in places)
    return ReadingPrediction(
        id=f"问{i}",
        answer=first,
        score=0.5,
        null_score=0.1,
        others=tuple(Candidate(span, 0.1) for span in others if span),
    )


def test_the_best_of_several_answers():
    gold = [question(0, (4, 8)), question(1, (12, 14)), question(2), question(3, (4, 8), (12, 14))]
    said = [
        reply(0, (4, 6), (0, 2), (4, 8)),
        reply(1, None, (11, 14), (0, 1)),
        reply(2, (4, 8), (0, 1)),
        reply(3, (12, 14), (4, 5)),
    ]
    (system,) = section("reading", gold, 系统=said).systems
    figures = {aside.name: (aside.of.value, aside.best_of) for aside in system.asides}
    f1 = judge_answer(["上海"], "在上海")[1]
    assert figures == {
        "best_f1": (pytest.approx((1 + f1 + 0 + 1) / 4), 3),
        "best_exact_match": (pytest.approx(2 / 4), 3),
    }
    (alone,) = section("reading", gold, 系统=[reply(i, (4, 8)) for i in range(4)]).systems
    assert alone.asides == ()


@pytest.mark.parametrize(("heads", "tails"), [(0, 0), (1, 0), (5, 5), (12, 5), (3, 40), (700, 640), (0, 60)])
def test_the_exact_test_is_the_binomial_one(heads: int, tails: int):
    stats = pytest.importorskip("scipy.stats")
    theirs = stats.binomtest(heads, heads + tails).pvalue if heads + tails else 1.0
    assert coin(heads, tails) == coin(tails, heads) == pytest.approx(theirs, rel=1e-9)


def labelled(wrong: set[int], n: int = 40) -> list[LabelPrediction]:
    return [LabelPrediction(id=str(i), labels=("乙" if i in wrong else "甲",), scores={}) for i in range(n)]


def test_comparisons_of_right_and_wrong_have_the_exact_test():
    gold = [LabelExample(id=str(i), text=f"第{i}条", labels=("甲",)) for i in range(40)]
    systems = {"一": labelled({0, 1}), "二": labelled(set(range(1, 9))), "三": labelled({0, 5})}
    found = {(c.second, c.metric): c.exact for c in section("classify", gold, **systems).comparisons}
    assert (found["二", "accuracy"].first, found["二", "accuracy"].second) == (7, 1)
    assert found["二", "accuracy"].p == pytest.approx(2 * coin(7, 1)), "of two comparisons the stricter one"
    assert found["三", "accuracy"].p == 1.0
    assert found["二", "macro_f1"] is None
    several = section("classify", gold, 一=[System(predictions=systems["一"])] * 2, 二=systems["二"])
    assert {c.exact for c in several.comparisons} == {None}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_many_p_values_are_adjusted_as_scipy_does(ps: list[float]):
    stats = pytest.importorskip("scipy.stats")
    found = benjamini_hochberg(ps)
    assert found == pytest.approx(stats.false_discovery_control(ps, method="bh").tolist(), abs=1e-12)
    order = sorted(range(len(ps)), key=ps.__getitem__)
    assert all(found[a] <= found[b] for a, b in pairwise(order))


def test_parts_in_which_two_systems_differ_are_marked():
    gold = [
        LabelExample(id=str(i), text="字" * (5 if i < 100 else 20 if i < 200 else 40), labels=("甲",))
        for i in range(210)
    ]
    first = labelled({*range(0, 100, 9), *range(100, 200, 9)}, 210)
    second = labelled({*range(0, 100, 2), *range(104, 200, 9)}, 210)
    rows = {row.name: row for row in section("classify", gold, draws=2000, 一=first, 二=second).slices}
    assert rows["0–16"].verdict == "better"
    assert rows["0–16"].difference.p == pytest.approx(2 / 2001), "the smaller of two p values, adjusted"
    assert rows["0–16"].difference.value == pytest.approx(0.38)
    assert rows["17–32"].verdict == "not distinguishable"
    assert rows["33–64"].difference is None, "ten are too few to be told apart"
    assert rows["33–64"].verdict == ""


def test_the_page_shows_them_in_both_languages():
    gold = [sentence(i, (4, 8, "机构")) for i in range(40)]
    said = [answered(g, (4, 7 if i % 3 else 8, "机构")) for i, g in enumerate(gold)]
    entities = section("ner", gold, train=gold[:3], 一=said, 二=[answered(g) for g in gold])
    asked = [question(i, (4, 8)) for i in range(4)]
    answers = section("reading", asked, 一=[reply(i, (4, 6), (4, 8)) for i in range(4)])
    topics = [LabelExample(id=str(i), text="字" * (5 + i % 2 * 20), labels=("甲",)) for i in range(40)]
    right = section("classify", topics, 一=labelled({0}), 二=labelled(set(range(9))))
    page = render(Report(title="报告", sections=(entities, answers, right)))
    for words in (
        "By other rules",
        "按其他规则",
        "ends too early by",
        "best of",
        "McNemar",
        "first − second",
    ):
        assert words in page
    templates = Path(score.__file__).parent / "templates"
    texts = "".join((templates / f"{name}.html.j2").read_text("utf-8") for name in ("asides", "slips"))
    sentences = re.findall(r'\bt\("([^"]+)"', texts) + re.findall(r'"(\w+)": "([^"]+)"', texts)
    words = {word for found in sentences for word in ([found] if isinstance(found, str) else found)}
    families = {row.family for one in (entities, answers, right) for row in one.slices}
    missing = [word for word in words | families if chinese(name_of(word)) is None]
    assert missing == []

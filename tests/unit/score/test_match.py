"""Systems set against each other in a report: every pair, who stands where, where only one is right."""

import json
from collections import Counter
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhbert.errors import DataError
from zhbert.plain import from_plain, to_plain
from zhbert.records import LabelExample, LabelPrediction
from zhbert.score.judge import judge
from zhbert.score.marks import entity_pieces
from zhbert.score.match import ONLY_FIRST, ONLY_SECOND, with_match
from zhbert.score.report import Report, SectionInput, System, build_report, headline
from zhbert.score.sections import build_section
from zhbert.score.sheet import Section
from zhbert.score.summary import write_summary

LABELS = ("体育", "财经", "美食")
NAMES = ("甲", "乙", "丙")
GOLD = [LabelExample(id=f"题{i}", text="新闻" * (i % 30 + 1), labels=(LABELS[i % 3],)) for i in range(60)]


def said(*wrong: int) -> list[LabelPrediction]:
    """Answers that are right but for some rows."""
    labels = [LABELS[(i + (i in wrong)) % 3] for i in range(len(GOLD))]
    return [LabelPrediction(id=e.id, labels=(x,), scores={x: 0.9}) for e, x in zip(GOLD, labels, strict=True)]


def section_of(systems: dict[str, Any], *, every_pair: bool = True, draws: int = 100) -> Section:
    asked = SectionInput(name="新闻", task="classify", gold=GOLD, systems=systems, every_pair=every_pair)
    return build_section(asked, rng=np.random.default_rng(3), draws=draws)


@pytest.fixture(scope="module")
def entities(made: dict[str, Any]) -> SectionInput:
    """Three taggers, of which the first has two trainings."""
    rng = np.random.default_rng(5)
    gold = made["entity_examples"](60, rng)

    def trained(*rates: float) -> list[System]:
        return [System(predictions=[made["damage"](e, rate, rng) for e in gold]) for rate in rates]

    systems = {"词 <wwm>": trained(0.2, 0.3), "字": trained(0.3), "表": trained(0.9)}
    return SectionInput(name="实体", task="ner", gold=gold, systems=systems, every_pair=True)


@pytest.fixture(scope="module")
def compared(entities: SectionInput) -> Section:
    return build_section(entities, rng=np.random.default_rng(1), draws=100)


def test_a_report_that_was_not_asked_says_nothing_of_it() -> None:
    systems = {"a": said(1, 2), "b": said(3)}
    plain, asked = section_of(systems, every_pair=False), section_of(systems)
    assert not {"match", "contrasts"} & set(to_plain(plain))
    assert replace(asked, match=None, contrasts=()) == plain


def test_every_pair_is_compared_on_the_headline_and_corrected_for_all_of_them() -> None:
    systems = {"a": said(), "b": said(), "c": said(*range(40))}
    asked, plain = section_of(systems), section_of(systems, every_pair=False)
    lead = {(c.first, c.second): c for c in asked.comparisons if c.metric == "accuracy"}
    assert list(lead) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert lead["b", "c"].difference.value == pytest.approx(2 / 3)
    exact = lead["b", "c"].exact
    assert exact is not None
    assert asked.match is not None
    tally = asked.match.tallies[2]
    assert (exact.first, exact.second) == (tally.only_first, tally.only_second) == (40, 0)
    once = 1 / 101  # no swap gives as much: the smallest p value of a hundred draws
    assert [lead[pair].difference.p for pair in (("a", "c"), ("b", "c"))] == pytest.approx([3 * once] * 2)
    before = next(c for c in plain.comparisons if (c.second, c.metric) == ("c", "accuracy"))
    assert before.difference.p == pytest.approx(2 * once)
    others = [(c.first, c.second) for c in asked.comparisons if c.metric == "macro_f1"]
    assert others == [("a", "b"), ("a", "c")]


@pytest.mark.parametrize("order", [("worse", "near", "best"), ("best", "near", "worse")])
def test_the_best_stands_first_and_the_others_by_the_paired_test(order: tuple[str, ...]) -> None:
    answers = {"worse": said(*range(40)), "near": said(1, 2), "best": said(1)}
    found = section_of({name: answers[name] for name in order}).match
    assert found is not None
    assert [(one.system, one.verdict) for one in found.standings] == [
        ("best", "best"),
        ("near", "not distinguishable"),
        ("worse", "worse"),
    ]
    assert [one.value for one in found.standings] == pytest.approx([59 / 60, 58 / 60, 20 / 60])


@pytest.fixture(scope="module")
def three() -> Section:
    return section_of({name: said() for name in NAMES})


@settings(max_examples=30, deadline=None)
@given(wrong=st.lists(st.sets(st.integers(0, 59)), min_size=2, max_size=3))
def test_examples_are_tallied_one_by_one(three: Section, wrong: list[set[int]]) -> None:
    names = NAMES[: len(wrong)]
    judged = {name: [judge("classify", GOLD, said(*rows))] for name, rows in zip(names, wrong, strict=True)}
    found = with_match(three, judged, rng=np.random.default_rng(1))
    assert found.match is not None
    assert [(t.first, t.second) for t in found.match.tallies] == list(combinations(names, 2))
    for tally, (a, b) in zip(found.match.tallies, combinations(wrong, 2), strict=True):
        times = Counter((row not in a, row not in b) for row in range(60))
        assert (tally.both, tally.only_first) == (times[True, True], times[True, False])
        assert (tally.only_second, tally.neither) == (times[False, True], times[False, False])
    for part, row in zip(found.match.parts, found.slices, strict=True):
        rows = {int(id_[1:]) for id_ in row.ids}
        assert (part.family, part.name, part.size) == (row.family, row.name, row.size)
        assert part.only_first == len(rows & (wrong[1] - wrong[0]))
        assert part.only_second == len(rows & (wrong[0] - wrong[1]))


def test_parts_that_count_entities_look_at_these_alone(compared: Section, entities: SectionInput) -> None:
    first, second = ([*entities.systems.values()][i][0].predictions for i in (0, 1))  # type: ignore[union-attr]
    assert compared.match is not None
    rows = [part for part in compared.match.parts if part.family == "entity length"]
    assert {part.unit for part in rows} == {"entities"}
    for part in rows:
        edges = [int(edge) for edge in part.name.replace("+", "–99").split("–")]
        lengths = range(edges[0], edges[-1] + 1)

        def of(record: Any, lengths: range = lengths) -> set[Any]:
            return {span for span in record.entities if span.end - span.start in lengths}

        right = [
            (of(g) == of(a), of(g) == of(b)) for g, a, b in zip(entities.gold, first, second, strict=True)
        ]
        assert part.only_first == right.count((True, False))
        assert part.only_second == right.count((False, True))
    assert any(part.only_first for part in rows)


def test_contrasts_are_right_in_one_system_alone(compared: Section) -> None:
    assert compared.match is not None
    tally = compared.match.tallies[0]
    kinds = Counter(exhibit.kinds[0] for exhibit in compared.contrasts)
    assert kinds == {ONLY_FIRST: min(30, tally.only_first), ONLY_SECOND: min(30, tally.only_second)}
    for exhibit in compared.contrasts:
        gold, first, second = exhibit.markings
        assert (gold.by, first.by, second.by) == ("gold", "词 <wwm>", "字")
        winner, loser = (first, second) if exhibit.kinds[0] == ONLY_FIRST else (second, first)
        assert winner.spans == gold.spans
        assert (winner.outcome, loser.outcome) == ("right", exhibit.kinds[1])
        assert loser.spans != gold.spans


def test_what_the_wrong_one_lacks_is_marked_in_gold(compared: Section) -> None:
    for exhibit in compared.contrasts:
        winner, loser = (1, 2) if exhibit.kinds[0] == ONLY_FIRST else (2, 1)
        lacking = set(exhibit.markings[0].spans) - set(exhibit.markings[loser].spans)
        for against, wanted in ((loser, len(lacking)), (winner, 0)):
            found = entity_pieces(exhibit, exhibit.markings[0], {}, against)
            assert len([piece for piece in found if piece.classes.endswith(" off")]) == wanted


def test_trainings_of_every_pair_lie_apart_or_overlap(compared: Section) -> None:
    metrics = [figure.name for figure in compared.systems[0].figures]
    assert [gap.metric for gap in compared.gaps] == [name for name in metrics for _ in range(2)]
    lead = [(gap.first, gap.second) for gap in compared.gaps if gap.metric == compared.headline]
    assert lead == [("词 <wwm>", "字"), ("词 <wwm>", "表")], "the other two have one training each"
    twice = [System(predictions=said(2)), System(predictions=said(3))]
    several = section_of({"a": said(1), "b": twice, "c": said(4)})
    assert ("b", "c") in [(gap.first, gap.second) for gap in several.gaps]
    assert ("a", "c") not in [(gap.first, gap.second) for gap in several.gaps]


def test_a_comparison_comes_back_from_its_json(compared: Section) -> None:
    report = Report(title="比较", sections=(compared,))
    plain = json.loads(json.dumps(to_plain(report)))
    assert set(plain["sections"][0]["match"]) == {"standings", "tallies", "parts"}
    assert from_plain(Report, plain) == report


def test_a_terminal_and_markdown_say_who_is_best() -> None:
    systems = {"a|b": said(1, 2, 3), "c": said(3, 4)}
    asked = SectionInput(name="新闻", task="classify", gold=GOLD, systems=systems, every_pair=True)
    report = build_report("比较", sections=[asked], rng=np.random.default_rng(1), draws=100)
    assert headline(report)[-2:] == [
        "best: c 96.7 %; not distinguishable: a|b 95.0 %",
        "a|b, c: both right 56, only a|b 1, only c 2, neither 1",
    ]
    text = write_summary(report)
    assert "| a\\|b | c | 56 | 1 | 2 | 1 |" in text
    assert "| part | n | only a\\|b is right | only c is right |" in text


def test_one_system_alone_is_refused() -> None:
    with pytest.raises(DataError, match="one system alone: there is nothing to compare"):
        section_of({"a": said()})

"""Funnels: counting, adding, and the way to JSON and back."""

import json

from zhbert.clean.funnel import Funnel, StepCounts
from zhbert.records import from_plain, to_plain


def test_what_is_dropped_has_a_reason_and_no_characters_afterwards() -> None:
    funnel = Funnel.of(["filter", "dedup"])
    funnel.count("filter", before=10, after=8, changes={"tags": 2})
    funnel.count("filter", before=5, after=5, reason="too short")
    funnel.count("guard", before=8, after=8, reason="in a test set")
    assert funnel.steps == {
        "filter": StepCounts(
            documents_in=2,
            documents_out=1,
            characters_in=15,
            characters_out=8,
            reasons={"too short": 1},
            changes={"tags": 2},
        ),
        "dedup": StepCounts(),
        "guard": StepCounts(documents_in=1, characters_in=8, reasons={"in a test set": 1}),
    }


def test_adding_leaves_both_sides_alone() -> None:
    one, other = Funnel(), Funnel()
    one.count("filter", before=3, after=0, reason="too short")
    other.count("filter", before=4, after=0, reason="too short")
    total = one + other
    assert total.steps["filter"].reasons == {"too short": 2}
    assert one.steps["filter"].reasons == other.steps["filter"].reasons == {"too short": 1}


def test_there_and_back() -> None:
    funnel = Funnel.of(["normalise", "filter"])
    funnel.count("filter", before=3, after=0, reason="太短", changes={"mobile": 1})
    plain = json.loads(json.dumps(to_plain(funnel), ensure_ascii=False))
    assert from_plain(Funnel, plain) == funnel

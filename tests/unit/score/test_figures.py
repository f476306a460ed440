"""Counts, intervals and the joining of predictions to gold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhbert.errors import ConfigError, DataError
from zhbert.records import EntityExample, EntityPrediction, LabelExample, LabelPrediction, Span
from zhbert.score.answers import judge_answer, units
from zhbert.score.counts import Counts, ratio
from zhbert.score.entities import ERRORS, MACRO_F1, MICRO_F1, count_entities, errors
from zhbert.score.interval import Difference, holm, interval, paired, resample, swaps, verdict
from zhbert.score.judge import judge
from zhbert.score.labels import ACCURACY, count_labels
from zhbert.score.latin import latin_words
from zhbert.score.questions import question_word
from zhbert.score.sections import SectionInput, build_section

spans = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 4), st.sampled_from("甲乙")).map(
        lambda s: Span(s[0], s[0] + s[1], s[2])
    ),
    max_size=6,
)


def counts(correct: list[int], groups: tuple[str, ...] = ()) -> Counts:
    table = np.array([[1, c] for c in correct], dtype=np.float64)
    return Counts(("n", "correct"), table, tuple(map(str, range(len(correct)))), groups)


@given(st.lists(st.tuples(spans, spans), min_size=1, max_size=5))
def test_every_wrong_entity_has_one_kind(pairs: list[tuple[list[Span], list[Span]]]) -> None:
    gold, said = zip(*pairs, strict=True)
    found = count_entities([str(i) for i in range(len(pairs))], gold, said)
    total = dict(zip(found.names, found.sum().tolist(), strict=True))
    paired_up = sum(total[kind] for kind in ERRORS[2:])
    assert total["fn"] == total["missed"] + paired_up
    assert total["fp"] == total["spurious"] + paired_up


@given(st.lists(st.tuples(spans, spans), min_size=2, max_size=8), st.integers(1, 7))
def test_shards_add_up_to_the_whole(pairs: list[tuple[list[Span], list[Span]]], cut: int) -> None:
    gold, said = zip(*pairs, strict=True)
    ids = [str(i) for i in range(len(pairs))]
    whole = count_entities(ids, gold, said)
    parts = [
        count_entities(ids[part], gold[part], said[part])
        for part in (slice(cut), slice(cut, None))
        if ids[part]
    ]
    summed = parts[0] if len(parts) == 1 else parts[0] + parts[1]
    for metric in (MICRO_F1, MACRO_F1):
        assert float(metric(summed)) == float(metric(whole))


@given(spans, spans)
def test_the_closest_pairs_first(gold: list[Span], said: list[Span]) -> None:
    for kind, a, b in errors(gold, said):
        if kind == "wrong type":
            assert a is not None
            assert b is not None
            assert (a.start, a.end) == (b.start, b.end)
            assert a.label != b.label


def test_a_family_is_one_axis_for_every_draw() -> None:
    found = count_entities(["1", "2"], [[Span(0, 1, "甲")], [Span(0, 1, "乙")]], [[Span(0, 1, "甲")], []])
    many = np.stack([found.sum(), 2 * found.sum(), 0 * found.sum()])
    assert MACRO_F1.at(found.names, many).tolist() == [0.5, 0.5, 0.0]


def test_adding_the_same_ids_is_refused() -> None:
    with pytest.raises(DataError, match="stand in both: 0, 1"):
        counts([1, 0]) + counts([1, 0])


def test_the_interval_is_the_binomial_one() -> None:
    found = interval(counts([1] * 700 + [0] * 300), ACCURACY, rng=np.random.default_rng(1))
    spread = 1.96 * (0.7 * 0.3 / 1000) ** 0.5
    assert found.value == 0.7
    assert found.low == pytest.approx(0.7 - spread, abs=0.003)
    assert found.high == pytest.approx(0.7 + spread, abs=0.003)


def test_groups_widen_the_interval() -> None:
    correct, groups = [1, 1, 1, 1, 0, 0, 0, 0] * 25, tuple(str(i // 4) for i in range(200))
    alone = interval(counts(correct), ACCURACY, rng=np.random.default_rng(1))
    grouped = interval(counts(correct, groups), ACCURACY, rng=np.random.default_rng(1))
    assert grouped.high - grouped.low == pytest.approx(2 * (alone.high - alone.low), rel=0.1)


@pytest.mark.parametrize(
    "values", [np.arange(1000) % 3, np.arange(1000), np.minimum(np.arange(1000), 600), np.arange(1000) // 30]
)
def test_draws_of_merged_rows_and_of_single_ones_have_the_same_moments(values: np.ndarray) -> None:
    units_ = np.c_[np.ones(1000), values]
    drawn = resample(units_, rng=np.random.default_rng(3), draws=4000)
    assert (drawn[:, 0] == 1000).all()
    spread = units_[:, 1].std() * 1000**0.5
    assert drawn[:, 1].mean() == pytest.approx(units_[:, 1].sum(), abs=4 * spread / 4000**0.5)
    assert drawn[:, 1].std() == pytest.approx(spread, rel=0.05)
    moved = swaps(units_, rng=np.random.default_rng(4), draws=4000)
    assert moved[:, 0].mean() == pytest.approx(500, abs=2)
    assert moved[:, 0].std() == pytest.approx(1000**0.5 / 2, rel=0.05)


def test_two_equal_systems_cannot_be_told_apart_and_two_different_ones_can() -> None:
    rng = np.random.default_rng(5)
    a, b = counts([1] * 80 + [0] * 20), counts([1] * 60 + [0] * 40)
    same, other = paired(a, a, ACCURACY, rng=rng), paired(a, b, ACCURACY, rng=rng)
    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)
    assert other.value == pytest.approx(0.2)
    assert other.p < 0.001
    assert verdict(other) == "better"
    assert verdict(paired(b, a, ACCURACY, rng=rng)) == "worse"
    assert verdict(Difference(0.1, 0.01, 0.2, 0.06)) == "not distinguishable"


def test_the_p_value_is_fair_when_nothing_differs() -> None:
    rng = np.random.default_rng(6)
    found = [
        paired(
            *(counts((rng.random(60) < 0.5).astype(int).tolist()) for _ in "ab"), ACCURACY, rng=rng, draws=200
        ).p
        for _ in range(200)
    ]
    assert np.mean(np.array(found) <= 0.05) < 0.1


def test_two_systems_must_answer_the_same_examples() -> None:
    a = Counts(("n",), np.ones((2, 1)), ("一", "二"))
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="only the first has 一; only the second has 三"):
        paired(a, Counts(("n",), np.ones((2, 1)), ("二", "三")), ACCURACY, rng=rng)
    with pytest.raises(DataError, match="the order differs from 一 on"):
        paired(a, a.filter([1, 0]), ACCURACY, rng=rng)


def say(*ids: str) -> list[LabelPrediction]:
    return [LabelPrediction(id=id, labels=("体育",), scores={}) for id in ids]


GOLD = [LabelExample(id=id, text="主队赢了", labels=("体育",)) for id in "一二三"]


@pytest.mark.parametrize(
    ("ids", "what"),
    [
        ("一二", "no prediction for 三"),
        ("一二三四", "not in the gold data 四"),
        ("一一二三", "predicted twice 一"),
    ],
)
def test_ids_that_do_not_fit_are_named(ids: str, what: str) -> None:
    with pytest.raises(DataError, match=what):
        judge("classify", GOLD, say(*ids))


def test_order_of_predictions_does_not_matter() -> None:
    assert judge("classify", GOLD, say(*"三一二")).counts.ids == ("一", "二", "三")


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(ConfigError, match='did you mean "classify"'):
        judge("clasify", GOLD, say(*"一二三"))
    with pytest.raises(DataError, match="not a EntityExample: 一, 二, 三"):
        judge("ner", GOLD, say(*"一二三"))
    with pytest.raises(DataError, match="no gold label: 空"):
        judge("classify", [LabelExample(id="空", text="无")], say("空"))
    sentence = EntityExample(id="句", text="李明在北京")
    shifted = EntityPrediction(id="句", entities=(Span(2, 4, "地点", "北京"),), scores=(0.9,))
    with pytest.raises(
        DataError, match=r'句: the predicted span 2\.\.4 "北京" is not there: the text has "在北"'
    ):
        judge("ner", [sentence], [shifted])


def test_columns_that_one_system_lacks_are_zero() -> None:
    a = count_labels(["1"], [("体育",)], [("体育",)])
    b = count_labels(["1"], [("体育",)], [("财经",)])
    assert paired(a, b, ACCURACY, rng=np.random.default_rng(0), draws=50).value == 1
    assert (a.pick(["tp:财经"]).sum() == 0).all()


@pytest.mark.parametrize(
    ("gold", "answer", "figures"),
    [
        (["北京大学"], "北京清华大学", (0, 0.4)),
        (["(北京)"], "北京", (0, 2 / 3)),
        (["1996年"], "1996 年", (0, 1)),
        (["……"], "…", (0, 0)),
        (["，。"], "", (1, 0)),
        (["北京"], "", (0, 0)),
        ([], "", (1, 1)),
        ([], "北京", (0, 0)),
    ],
)
def test_traps_of_the_official_rule(gold: list[str], answer: str, figures: tuple[float, float]) -> None:
    assert judge_answer(gold, answer) == pytest.approx(figures)


def test_only_the_basic_block_is_cut_into_characters() -> None:
    assert units("㭴榔村") == ["㭴", "榔", "村"]
    assert units("㑩㭴") == ["㑩㭴"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("don't stop.", ["do", "n't", "stop", "."]),
        ('"a" b', ["``", "a", "''", "b"]),
        ("1,000 a,b", ["1,000", "a", ",", "b"]),
        ("u.s. 3.5%", ["u.s.", "3.5", "%"]),
        ("cannot", ["can", "not"]),
        ("", []),
    ],
)
def test_latin_words(text: str, words: list[str]) -> None:
    assert latin_words(text) == words


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("何时成立？", "何时"),
        ("为什么离开？", "为什么"),
        ("有几个？", "多少"),
        ("位于哪里？", "哪"),
        ("是否属实", "是否"),
    ],
)
def test_question_words(question: str, word: str) -> None:
    assert question_word(question) == word


def test_a_share_of_nothing_is_nothing() -> None:
    assert ratio(np.zeros(2), np.array([0.0, 4.0])).tolist() == [0, 0]


def test_holm_is_the_slow_step_down():
    for ps in ([0.2], [0.01, 0.02, 0.03, 0.005], [0.5, 0.9], [0.04, 0.04]):
        order = sorted(range(len(ps)), key=lambda i: ps[i])
        wanted = [0.0] * len(ps)
        for place, i in enumerate(order):
            wanted[i] = min(1.0, max((len(ps) - j) * ps[order[j]] for j in range(place + 1)))
        assert holm(ps) == pytest.approx(wanted)


def test_p_values_of_several_comparisons_are_corrected():
    gold = [LabelExample(id=str(i), text=f"第{i}条", labels=("甲",)) for i in range(100)]

    def say(wrong: int) -> list[LabelPrediction]:
        return [
            LabelPrediction(id=g.id, labels=("乙" if i < wrong else "甲",), scores={})
            for i, g in enumerate(gold)
        ]

    def p_of(*others: int) -> float:
        systems = {"一": say(0)} | {str(n): say(wrong) for n, wrong in enumerate(others)}
        given = SectionInput(name="x", task="classify", gold=gold, systems=systems)
        section = build_section(given, rng=np.random.default_rng(1), draws=2000)
        return next(c.difference.p for c in section.comparisons if c.second == "0" and c.metric == "accuracy")

    alone, beside = p_of(6), p_of(6, 0, 0)
    assert beside == pytest.approx(3 * alone, rel=0.5)

"""What reports cost: processor seconds, generously, so that a slow machine passes and a slip does not."""

from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zhbert.records import EntityExample, EntityPrediction, ReadingExample, Span
from zhbert.score.answers import AVERAGE, F1, count_answers
from zhbert.score.counts import Counts, Metric
from zhbert.score.entities import MACRO_F1 as MACRO_OF_TYPES
from zhbert.score.entities import MICRO_F1, count_entities
from zhbert.score.interval import distinct, interval, paired
from zhbert.score.labels import ACCURACY, MACRO_F1, MCC, count_labels
from zhbert.score.sections import SectionInput, build_section

N = 10_000
KINDS = [st.integers(-2, 2), st.sampled_from([0.0, 0.5, 1 / 3, 1e9, -1e17]), st.integers(0, 2**40)]


@pytest.mark.slow
@given(st.integers(0, 12).flatmap(lambda n: st.integers(1, 30).map(lambda k: (n, k))), st.data())
def test_distinct_rows_are_those_of_numpy(shape: tuple[int, int], data: st.DataObject):
    rows = data.draw(arrays(np.float64, shape, elements=data.draw(st.sampled_from(KINDS)).map(float)))
    rows = rows[data.draw(st.lists(st.integers(0, max(0, shape[0] - 1)), max_size=20 * bool(shape[0])))]
    theirs, times = np.unique(rows, axis=0, return_counts=True)
    ours, often, number = distinct(rows)
    assert np.array_equal(ours, theirs)
    assert np.array_equal(ours[number], rows)
    assert often.tolist() == times.tolist()


def seconds(counts: Counts, other: Counts, metric: Metric) -> tuple[float, float]:
    rng = np.random.default_rng(1)
    begun = process_time()
    interval(counts, metric, rng=rng)
    between = process_time()
    paired(counts, other, metric, rng=rng)
    return between - begun, process_time() - between


def labelled(labels: int) -> list[Counts]:
    rng = np.random.default_rng(labels)
    shares = 1 / np.arange(1, labels + 1)
    gold, other = (rng.choice(labels, size=N, p=shares / shares.sum()) for _ in "ab")
    ids = tuple(map(str, range(N)))
    found = []
    for right in (0.6, 0.55):
        said = np.where(rng.random(N) < right, gold, other)
        found.append(count_labels(ids, [(str(g),) for g in gold], [(str(s),) for s in said]))
    return found


def sentences(n: int, rate: float, *, seed: int) -> tuple[list[EntityExample], list[EntityPrediction]]:
    rng, damage = np.random.default_rng(1), np.random.default_rng(seed)
    gold, said = [], []
    for i in range(n):
        text = "".join(map(chr, 0x4E00 + (3000 * rng.random(40) ** 2).astype(int)))
        places = [int(place) for place in range(0, 36, 9) if rng.random() < 0.5]
        spans = [
            Span.of(text, at, at + int(rng.integers(1, 6)), f"类{int(10 * rng.random() ** 2)}")
            for at in places
        ]
        gold.append(EntityExample(id=str(i), text=text, entities=tuple(spans)))
        kept = [
            Span.of(text, s.start, s.end + int(damage.random() < rate), f"类{damage.integers(10)}")
            if damage.random() < rate
            else s
            for s in spans
        ]
        said.append(EntityPrediction(id=str(i), entities=tuple(kept), scores=(0.9,) * len(kept)))
    return gold, said


@pytest.mark.slow
def test_ten_thousand_draws_of_ten_thousand_examples_take_a_second():
    few, many = labelled(5), labelled(119)
    assert max(seconds(*few, ACCURACY)) < 1
    assert max(seconds(*few, MACRO_F1)) < 1
    gold, said = sentences(N, 0.2, seed=2)
    ids, right = [g.id for g in gold], [g.entities for g in gold]
    tagged = [
        count_entities(ids, right, [p.entities for p in each])
        for each in (said, sentences(N, 0.3, seed=3)[1])
    ]
    assert max(seconds(*tagged, MICRO_F1)) < 1
    for metric in (MACRO_F1, MCC):  # 119 labels: it took a minute as long as tables were sorted row by row
        assert max(seconds(*many, metric)) < 6
    assert max(seconds(*tagged, MACRO_OF_TYPES)) < 6


@pytest.mark.slow
def test_answers_that_hang_together_by_passage_take_a_second():
    rng = np.random.default_rng(1)
    context = "他毕业于北京大学，后来在上海工作。"
    asked = [
        ReadingExample(id=str(i), context=f"{i // 3}{context}", question="？", published=("北京大学",))
        for i in range(N)
    ]
    counts = [count_answers(asked, {e.id: "北京大学"[: rng.integers(1, 5)] for e in asked}) for _ in "ab"]
    assert max(seconds(*counts, F1)) < 1
    assert max(seconds(*counts, AVERAGE)) < 1


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_report_on_ten_thousand_sentences_takes_seconds():
    gold, said = sentences(N, 0.2, seed=2)
    _, other = sentences(N, 0.3, seed=3)
    given = SectionInput(
        name="x", task="ner", gold=gold, systems={"一": said, "二": other}, train=gold[: N // 4]
    )
    begun = process_time()
    section = build_section(given, rng=np.random.default_rng(1))
    assert process_time() - begun < 30
    assert section.n == N

"""Which of near-duplicates stays."""

from collections.abc import Sequence

import numpy as np
import pytest

from zhbert.clean import clusters as module
from zhbert.clean.clusters import Clusters, cluster
from zhbert.clean.fold import fold
from zhbert.clean.sketch import sketches


def text(size: int, seed: int) -> str:
    return "".join(map(chr, np.random.default_rng(seed).integers(0x4E00, 0x9FFF, size)))


def found(texts: Sequence[str], *, exactly: bool = True, among: Sequence[bool] | None = None) -> Clusters:
    letters = fold(texts).letters()
    return cluster(
        sketches(letters),
        letters.lengths.astype(np.uint32),
        texts_of=(lambda numbers: [texts[number] for number in numbers]) if exactly else None,
        among=None if among is None else np.array(among),
    )


@pytest.mark.parametrize("exactly", [True, False])
def test_the_longest_stays_and_of_equally_long_ones_the_first(exactly: bool) -> None:
    a, b = text(300, 1), text(300, 2)
    result = found([b, a[:280], a, "，" + a, b + "。", text(300, 3)], exactly=exactly)
    assert result.keepers.tolist() == [0, 2, 2, 2, 0, 5]
    assert [(keeper, members.tolist()) for keeper, members in result] == [(2, [1, 3]), (0, [4])]
    assert result.similarity[3] == result.similarity[4] == 1.0
    assert 0.9 < result.similarity[1] < 1.0


def test_a_chain_is_cut_where_likeness_to_the_keeper_ends() -> None:
    whole = text(1400, 4)
    chain = [whole[:1001], whole[125:1125], whole[250:1250], whole[375:1375]]
    result = found(chain)
    assert result.keepers.tolist() == [0, 0, 2, 2]
    assert all(result.similarity[[1, 3]] > 0.75)
    assert result.similarity[[0, 2]].tolist() == [1.0, 1.0]


def test_the_threshold_is_that_of_the_counted_index() -> None:
    whole = text(1004, 5)
    below, above = whole[:753], whole[:755]  # 749 and 751 of 1000 shingles
    assert found([whole, below]).stays.tolist() == [True, True]
    assert found([whole, above]).stays.tolist() == [True, False]


def test_texts_without_shingles_and_texts_left_out_stay() -> None:
    a = text(100, 6)
    for exactly in (True, False):
        assert found(["甲乙", "甲乙", "", "", "。"], exactly=exactly).stays.all()
    assert found([a, a, a], among=[True, False, True]).keepers.tolist() == [0, 1, 0]
    assert found([]).stays.tolist() == []
    assert list(found([])) == []


def test_a_hundred_versions_of_one_law_leave_one() -> None:
    law = text(2000, 7)
    result = found([law[:n] + text(3, n) + law[n:] for n in range(100)])
    assert result.stays.sum() == 1
    assert result.stays[0]


def test_what_could_not_be_settled_stays_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TURNS", 1)
    whole = text(1400, 4)
    result = found([whole[:1001], whole[125:1125], whole[250:1250], whole[375:1375]])
    assert result.keepers.tolist() == [0, 0, 2, 3]
    assert result.unsettled == 2


def test_the_same_texts_give_the_same_clusters() -> None:
    texts = [text(200, n)[: 150 + k * 20] for n in range(20) for k in range(3)]
    one, other = found(texts), found(texts)
    assert (one.keepers == other.keepers).all()
    assert one.stays.sum() == 20

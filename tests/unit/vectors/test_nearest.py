"""The nearest by blocks are those of one large table; centres are those of scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhbert.errors import ConfigError, DataError
from zhbert.vectors import nearest as room
from zhbert.vectors.centre import Centre
from zhbert.vectors.nearest import nearest


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 40), st.integers(1, 4), st.integers(1, 50), st.integers(1, 300), st.integers(0, 99))
def test_blocks_find_what_one_table_finds(count: int, queries: int, k: int, size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-2, 3, (count, 3)).astype(np.float32)  # many are equal, some zeros
    asked = rng.integers(-2, 3, (queries, 3)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "BYTES", size)
        places, cosines = nearest(asked, vectors, k)
    for query, found, values in zip(asked, places, cosines, strict=True):
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query)
        table = np.divide(vectors @ query, lengths, out=np.zeros(count), where=lengths > 0).round(5)
        order = sorted(range(count), key=lambda place: -table[place])[:k]
        np.testing.assert_allclose(values, table[order], atol=2e-5)
        np.testing.assert_allclose(values, table[found], atol=2e-5)
        assert len(set(found.tolist())) == min(k, count)
        assert values.tolist() == sorted(values.tolist(), reverse=True)


def test_of_equals_the_first_comes_first() -> None:
    vectors = np.eye(2, dtype=np.float32)[np.arange(400) % 7 % 2]
    places, _ = nearest(vectors[:1], vectors, 300)
    along = (vectors[:, 0] == 1).nonzero()[0].tolist()
    assert places[0, : len(along)].tolist() == along


def test_what_does_not_compare_is_refused() -> None:
    one = np.ones((1, 4), np.float32)
    with pytest.raises(ConfigError, match="k = 0"):
        nearest(one, one, 0)
    with pytest.raises(DataError, match="do not compare"):
        nearest(one, np.ones((2, 5), np.float32), 1)


@pytest.mark.parametrize("components", [0, 1, 4])
def test_a_centre_is_that_of_sklearn(components: int, monkeypatch: pytest.MonkeyPatch) -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    monkeypatch.setattr(room, "BYTES", 4 * 6 * 7)  # seven rows at a time
    vectors = np.random.default_rng(1).normal(3, (1, 2, 3, 4, 5, 6), (50, 6)).astype(np.float32)
    centre = Centre.of(vectors, components=components)
    about = vectors - vectors.mean(0)
    if components:
        theirs = decomposition.PCA(components).fit(vectors).components_
        np.testing.assert_allclose(np.abs(centre.axes_CH @ theirs.T), np.eye(components), atol=1e-5)
        about = about - about @ theirs.T @ theirs
    np.testing.assert_allclose(centre.taken_from(vectors), about, atol=1e-4)


def test_more_components_than_there_are_is_refused() -> None:
    with pytest.raises(DataError, match="do not have 3 components"):
        Centre.of(np.ones((3, 6), np.float32), components=3)

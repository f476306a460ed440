"""Groups are as good as scikit-learn's, exact, the same for the same seed; silhouettes are scikit-learn's."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhbert.errors import ConfigError
from zhbert.vectors import kmeans as room
from zhbert.vectors import nearest as near
from zhbert.vectors.kmeans import Groups, assigned, group, number_of_groups, silhouette
from zhbert.vectors.nearest import Floats, unit
from zhbert.vectors.plane import plane


def blobs(count: int, groups: int, *, width: int = 8, spread: float = 0.6, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(groups, width))
    return (middles[rng.integers(groups, size=count)] + rng.normal(0, spread, (count, width))).astype(
        np.float32
    )


def inertia(vectors: Floats, groups: np.ndarray) -> float:
    units = unit(vectors)
    return sum(
        float(((units[groups == g] - units[groups == g].mean(0)) ** 2).sum()) for g in set(groups.tolist())
    )


@pytest.mark.parametrize(("count", "groups"), list(product([60, 400], [2, 5, 12])))
def test_groups_are_as_close_as_those_of_sklearn(count: int, groups: int) -> None:
    cluster = pytest.importorskip("sklearn.cluster")
    vectors = blobs(count, groups, seed=groups)
    theirs = cluster.KMeans(groups, n_init=10, random_state=0).fit(unit(vectors))
    found = group(vectors, groups)
    assert inertia(vectors, found.groups_N) <= 1.03 * theirs.inertia_


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 30), st.integers(1, 6), st.integers(1, 200), st.integers(0, 99))
def test_every_vector_is_with_its_nearest_centre(count: int, groups: int, size: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).integers(-2, 3, (count, 3)).astype(np.float32)
    centres = unit(np.random.default_rng(seed + 1).normal(size=(groups, 3)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near, "BYTES", size)
        found, cosines = assigned(vectors, centres)
    for vector, place, cosine in zip(vectors, found, cosines, strict=True):
        table = [float(unit(vector[None])[0] @ centre) for centre in centres]
        assert cosine == pytest.approx(max(table), abs=1e-5)
        assert table[place] == pytest.approx(max(table), abs=1e-5)


def test_groups_come_to_rest_the_largest_first() -> None:
    vectors = blobs(300, 6)
    found = group(vectors, 6)
    assert np.array_equal(assigned(vectors, found.centres_KH)[0], found.groups_N)
    sizes = np.bincount(found.groups_N)
    assert sizes.tolist() == sorted(sizes.tolist(), reverse=True)
    for number in range(6):
        middle = unit(unit(vectors[found.groups_N == number]).sum(0, keepdims=True))[0]
        assert float(middle @ found.centres_KH[number]) > 0.999


def test_the_same_seed_gives_the_same_groups_in_any_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = blobs(200, 4)
    one = group(vectors, 4, seed=3).groups_N
    assert np.array_equal(one, group(vectors, 4, seed=3).groups_N)
    monkeypatch.setattr(near, "BYTES", 4 * 8 * 37)
    assert np.array_equal(one, group(vectors, 4, seed=3).groups_N)


def test_starts_on_a_sample_end_over_all(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = blobs(500, 4, spread=0.1)
    whole = group(vectors, 4)
    monkeypatch.setattr(room, "SAMPLE", 60)
    sampled = group(vectors, 4)
    assert len(sampled.groups_N) == 500
    assert sampled.fit == pytest.approx(whole.fit, abs=1e-4)


def test_an_empty_group_begins_again_at_the_worst_vector() -> None:
    vectors = np.array([[1, 0], [1, 0.1], [0, 1]], np.float32)
    groups_N, cosines_N = np.zeros(3, np.int64), np.array([1, 0.9, 0.1], np.float32)
    centres = room._centres(vectors, groups_N, cosines_N, np.zeros((2, 2), np.float32))
    assert centres[1].tolist() == [0, 1]


def test_no_more_groups_than_different_vectors() -> None:
    found = group(np.ones((5, 3), np.float32), 3)
    assert (found.groups_N == 0).all()
    assert len(found.centres_KH) == 1
    assert group(np.zeros((2, 3), np.float32), 2).groups_N.tolist() == [0, 0]
    one = group(np.array([[1, 2]], np.float32), 1)
    assert (one.groups_N.tolist(), one.fit) == ([0], pytest.approx(1, abs=1e-6))
    with pytest.raises(ConfigError, match="2 texts cannot be 3 groups"):
        group(np.ones((2, 3), np.float32), 3)


@pytest.mark.parametrize("seed", range(8))
def test_silhouettes_are_those_of_sklearn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(40, 5)).astype(np.float32)
    vectors[0] = 0
    groups = rng.integers(0, 4, 40)
    groups[7] = 4  # alone
    theirs = metrics.silhouette_score(vectors.astype(np.float64), groups, metric="cosine")
    assert silhouette(vectors, groups) == pytest.approx(theirs, abs=1e-5)
    assert silhouette(vectors, np.zeros(40, np.int64)) == 0


def test_the_number_of_groups_is_found() -> None:
    noise = np.random.default_rng(2).normal(0, 0.1, (300, 8))
    number, tried = number_of_groups((np.eye(8)[np.arange(300) % 5] + noise).astype(np.float32))
    assert number == 5
    assert tried[5] == max(tried.values())
    assert number_of_groups(np.ones((1, 4), np.float32)) == (1, {})


@pytest.mark.parametrize("count", [1, 2, 50])
@pytest.mark.parametrize("width", [1, 8])
def test_a_plane_has_every_vector_on_it(count: int, width: int) -> None:
    vectors = blobs(count, 3, width=width)
    places, kept = plane(vectors, group(vectors, min(count, 3)))
    assert places.shape == (count, 2)
    assert ((places >= 0) & (places <= 100)).all()
    assert 0 <= kept <= 1


def test_the_plane_is_that_of_the_centres_not_of_the_widest_spread() -> None:
    rng = np.random.default_rng(0)
    of = np.arange(200) % 3
    vectors = 0.5 * np.eye(6, dtype=np.float32)[of + 1] + rng.normal(0, 0.02, (200, 6)).astype(np.float32)
    vectors[:, 0] += 1
    vectors[:, 5] += rng.normal(0, 0.4, 200).astype(np.float32)
    centres = unit(np.stack([unit(vectors[of == g]).sum(0) for g in range(3)]))
    places, kept = plane(vectors, Groups(of, np.ones(200, np.float32), centres))
    assert kept > 0.98
    middles = np.stack([places[of == g].mean(0) for g in range(3)])
    nearest_middle = np.linalg.norm(places[:, None] - middles, axis=2).argmin(1)
    assert np.array_equal(nearest_middle, of)


def test_a_mean_cosine_is_the_fit() -> None:
    ones = np.ones(2, np.float32)
    assert Groups(np.zeros(2, np.int64), ones / 2, np.ones((1, 2), np.float32)).fit == 0.5

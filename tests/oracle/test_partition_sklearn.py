"""Groups against labels: the figures of scikit-learn."""

import numpy as np
import pytest

from zhbert.score.partition import fit


@pytest.mark.parametrize("seed", range(40))
def test_figures_are_equal(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 80))
    labels = rng.integers(0, rng.integers(1, 7), n).tolist()
    groups = [label if rng.random() < seed / 40 else int(rng.integers(9)) for label in labels]
    found = fit(labels, groups)
    assert found.nmi == pytest.approx(metrics.normalized_mutual_info_score(labels, groups), abs=1e-9)
    assert found.ari == pytest.approx(metrics.adjusted_rand_score(labels, groups), abs=1e-9)
    table = metrics.cluster.contingency_matrix(labels, groups)
    assert found.purity == pytest.approx(table.max(0).sum() / n)
    assert (found.texts, found.labels) == (n, len(set(labels)))

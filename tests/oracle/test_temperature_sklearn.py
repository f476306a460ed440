"""The temperature of dev against scikit-learn's, which minimises the same by another way."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from zhbert.task.temperature import Ballot, fit_temperature, logs, tempered


class Said(ClassifierMixin, BaseEstimator):
    """A classifier that says what it is given."""

    def fit(self, X, y):
        self.classes_, self.n_features_in_ = np.unique(y), X.shape[1]
        return self

    def decision_function(self, X):
        return X

    def predict(self, X):
        return self.classes_[X.argmax(axis=1)]


@pytest.mark.parametrize(("labels", "scale"), [(3, 0.3), (4, 1.0), (8, 6.0)])
def test_the_temperature_is_scikit_learns(labels: int, scale: float):
    rng = np.random.default_rng(labels)
    logits = rng.normal(size=(400, labels))
    right = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    shown = scale * logits
    try:
        theirs = CalibratedClassifierCV(FrozenEstimator(Said().fit(shown, right)), method="temperature", cv=5)
        theirs.fit(shown, right)
    except ValueError:
        pytest.skip("this scikit-learn knows no temperature")
    found = fit_temperature([Ballot(shown, np.arange(labels) == right[:, None])])
    ours = tempered(np.exp(shown) / np.exp(shown).sum(axis=1, keepdims=True), found.temperature)
    assert ours == pytest.approx(theirs.predict_proba(shown), abs=2e-5)
    assert found.temperature == pytest.approx(scale, rel=0.25), "the logits were drawn at 1, then scaled"
    assert logs(ours).max() <= 0

"""Classification figures against scikit-learn."""

import numpy as np
import pytest

from zhbert.score.counts import PER_LABEL, label_metric
from zhbert.score.labels import ACCURACY, MACRO_F1, MCC, MICRO_F1, SUBSET, confusion, count_labels

LABELS = ("体育", "财经", "科技", "教育", "娱乐")


@pytest.mark.parametrize("seed", range(40))
def test_single_label_figures_are_equal(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    gold = [LABELS[i] for i in rng.integers(0, rng.integers(1, 6), size=n)]
    said = [g if rng.random() < 0.6 else LABELS[rng.integers(5)] for g in gold]
    counts = count_labels([str(i) for i in range(n)], [(g,) for g in gold], [(s,) for s in said])
    assert float(ACCURACY(counts)) == pytest.approx(metrics.accuracy_score(gold, said), abs=1e-12)
    macro = metrics.f1_score(gold, said, average="macro", zero_division=0)
    assert float(MACRO_F1(counts)) == pytest.approx(macro, abs=1e-12)
    assert float(MCC(counts)) == pytest.approx(metrics.matthews_corrcoef(gold, said), abs=1e-9)
    report = metrics.classification_report(gold, said, output_dict=True, zero_division=0)
    for label in {*gold, *said}:
        for kind in PER_LABEL:
            theirs = report[label]["f1-score" if kind == "f1" else kind]
            assert float(label_metric(kind, label)(counts)) == pytest.approx(theirs, abs=1e-12)
    matrix = metrics.confusion_matrix(gold, said, labels=LABELS)
    ours = confusion([(g,) for g in gold], [(s,) for s in said])
    assert [[ours[a, b] for b in LABELS] for a in LABELS] == matrix.tolist()


@pytest.mark.parametrize("seed", range(20))
def test_multi_label_figures_are_equal(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    gold, said = rng.random((30, 5)) < 0.4, rng.random((30, 5)) < 0.4
    names = [[tuple(np.array(LABELS)[row].tolist()) for row in table] for table in (gold, said)]
    counts = count_labels([str(i) for i in range(30)], *names, several=True)
    assert float(SUBSET(counts)) == pytest.approx(metrics.accuracy_score(gold, said), abs=1e-12)
    for ours, average in ((MICRO_F1, "micro"), (MACRO_F1, "macro")):
        theirs = metrics.f1_score(gold, said, average=average, zero_division=0)
        assert float(ours(counts)) == pytest.approx(theirs, abs=1e-12)


def random_answers(rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """Return gold and predicted labels of a small or a large set; some predictions are of no label at all."""
    labels = [f"类{i}" for i in range(int(rng.choice([1, 2, 3, 10, 119])))]
    n = int(rng.integers(1, 80))
    gold = [labels[i] for i in rng.integers(0, len(labels), size=n)]
    silent = rng.random() * (rng.random() < 0.3)
    said = [g if rng.random() < 0.5 else labels[rng.integers(len(labels))] for g in gold]
    return gold, ["" if rng.random() < silent else s for s in said]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:A single label was found")
def test_a_thousand_random_sets_of_labels_are_equal() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(41)
    for _ in range(1000):
        gold, said = random_answers(rng)
        counts = count_labels(
            [str(i) for i in range(len(gold))], [(g,) for g in gold], [(s,) if s else () for s in said]
        )
        known = sorted({*gold, *said} - {""})
        each = metrics.precision_recall_fscore_support(gold, said, labels=known, zero_division=0)
        for kind, theirs in zip(PER_LABEL, each, strict=False):
            ours = [float(label_metric(kind, label)(counts)) for label in known]
            assert ours == pytest.approx(theirs.tolist(), abs=1e-12)
        assert float(MACRO_F1(counts)) == pytest.approx(each[2].mean(), abs=1e-12)
        assert float(ACCURACY(counts)) == pytest.approx(metrics.accuracy_score(gold, said), abs=1e-12)
        if "" not in said:
            assert float(MCC(counts)) == pytest.approx(metrics.matthews_corrcoef(gold, said), abs=1e-12)


@pytest.mark.slow
def test_a_thousand_random_sets_of_several_labels_are_equal() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(42)
    for _ in range(1000):
        n, shares = int(rng.integers(1, 30)), rng.choice([0.0, 0.1, 0.4, 0.9], size=2)
        gold, said = (rng.random((n, 5)) < share for share in shares)
        names = [[tuple(np.array(LABELS)[row].tolist()) for row in table] for table in (gold, said)]
        counts = count_labels([str(i) for i in range(n)], *names, several=True)
        assert float(SUBSET(counts)) == pytest.approx(metrics.accuracy_score(gold, said), abs=1e-12)
        micro = metrics.f1_score(gold, said, average="micro", zero_division=0)
        assert float(MICRO_F1(counts)) == pytest.approx(micro, abs=1e-12)
        occur = np.flatnonzero((gold | said).any(axis=0)).tolist()
        macro = metrics.f1_score(gold, said, labels=occur, average="macro", zero_division=0) if occur else 0.0
        assert float(MACRO_F1(counts)) == pytest.approx(macro, abs=1e-12)

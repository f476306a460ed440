"""Entity figures against seqeval: strict spans are `mode="strict", scheme=IOB2`, to the last digit."""

import numpy as np
import pytest

from zhbert.records import Span
from zhbert.score.counts import PER_LABEL, label_metric
from zhbert.score.entities import MACRO_F1, MICRO_F1, PRECISION, RECALL, count_entities

TYPES = ("人名", "地点", "机构")


def random_spans(n: int, rng: np.random.Generator) -> list[Span]:
    spans, at = [], int(rng.integers(0, 4))
    while at < n - 1:
        end = min(n, at + int(rng.integers(1, 5)))
        spans.append(Span(at, end, TYPES[rng.integers(3)]))
        at = end + int(rng.integers(0, 4))
    return spans


def copied(gold: list[Span], n: int, rng: np.random.Generator) -> list[Span]:
    if rng.random() < 0.3:
        return random_spans(n, rng)
    kept = [span for span in gold if rng.random() < 0.8]
    return [Span(s.start, s.end, TYPES[rng.integers(3)] if rng.random() < 0.2 else s.label) for s in kept]


def tags(spans: list[Span], n: int) -> list[str]:
    found = ["O"] * n
    for span in spans:
        found[span.start : span.end] = [f"B-{span.label}"] + [f"I-{span.label}"] * (span.end - span.start - 1)
    return found


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning", "ignore:.*ill-defined.*")
@pytest.mark.parametrize("block", range(4))
def test_two_hundred_random_corpora_are_equal(block: int) -> None:
    metrics = pytest.importorskip("seqeval.metrics")
    scheme = pytest.importorskip("seqeval.scheme").IOB2
    rng = np.random.default_rng(block)
    for _ in range(50):
        sizes = rng.integers(5, 30, size=rng.integers(1, 8)).tolist()
        gold = [random_spans(n, rng) for n in sizes]
        said = [copied(spans, n, rng) for spans, n in zip(gold, sizes, strict=True)]
        counts = count_entities([str(i) for i in range(len(sizes))], gold, said)
        true, predicted = ([tags(s, n) for s, n in zip(spans, sizes, strict=True)] for spans in (gold, said))
        options = {"mode": "strict", "scheme": scheme, "zero_division": 0}
        for ours, theirs in (
            (MICRO_F1, "f1_score"),
            (PRECISION, "precision_score"),
            (RECALL, "recall_score"),
        ):
            assert float(ours(counts)) == pytest.approx(
                getattr(metrics, theirs)(true, predicted, **options), abs=1e-12
            )
        report = metrics.classification_report(true, predicted, output_dict=True, **options)
        assert float(MACRO_F1(counts)) == pytest.approx(report["macro avg"]["f1-score"], abs=1e-12)
        for label in set(report) & set(TYPES):
            for kind in PER_LABEL:
                theirs = report[label]["f1-score" if kind == "f1" else kind]
                assert float(label_metric(kind, label)(counts)) == pytest.approx(theirs, abs=1e-12)

"""Tags that break their scheme, against seqeval: strict and default mode, on random letters and labels.

seqeval knows no M: BMES is spelt with I for it.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from zhbert.read.forms.how import How
from zhbert.read.forms.tagged import Sentence, examples_of
from zhbert.score.counts import PER_LABEL, label_metric
from zhbert.score.entities import MACRO_F1, MICRO_F1, PRECISION, RECALL, count_entities

LABELS = ("人名", "地点", "机构")
SCHEMES = {"BIO": ("IOB2", "BI"), "BIOES": ("IOBES", "BIES"), "BMES": ("IOBES", "BMES")}
CASES = 1000
Tags = list[list[str]]


def random_tags(rng: np.random.Generator, sizes: list[int], letters: str) -> Tags:
    """Return tags of which no one asked whether they fit together, more of them O in some corpora."""
    outside, labels = rng.random() * 0.7, LABELS[: rng.integers(1, 4)]
    return [
        [
            "O" if rng.random() < outside else f"{rng.choice(list(letters))}-{rng.choice(labels)}"
            for _ in range(n)
        ]
        for n in sizes
    ]


def repeated(tags: Tags, other: Tags, rng: np.random.Generator) -> Tags:
    """Return the tags with some of them taken from elsewhere."""
    share = rng.random()
    return [
        [b if rng.random() < share else a for a, b in zip(one, two, strict=True)]
        for one, two in zip(tags, other, strict=True)
    ]


def spans(tags: Tags, scheme: str, *, strict: bool):
    sentences = [
        Sentence(line=i, ident=str(i), units=["字"] * len(one), tags=one) for i, one in enumerate(tags)
    ]
    how = How(task="ner", scheme=scheme, repair=True, scored=strict)
    return [example.entities for _, example in examples_of(sentences, how, Path("tags"))]


def cases(scheme: str) -> Iterator[tuple[Tags, Tags]]:
    rng = np.random.default_rng(sorted(SCHEMES).index(scheme))
    for case in range(CASES):
        sizes = rng.integers(1, 9, size=rng.integers(1, 5)).tolist()
        gold = random_tags(rng, sizes, SCHEMES[scheme][1])
        said = repeated(gold, random_tags(rng, sizes, SCHEMES[scheme][1]), rng)
        nothing = [["O"] * n for n in sizes]
        yield (nothing if case % 50 == 0 else gold), (nothing if case % 50 in (0, 1) else said)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning", "ignore:.*ill-defined.*")
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_a_thousand_random_corpora_are_equal(scheme: str, strict: bool) -> None:
    from seqeval import scheme as schemes
    from seqeval.metrics import sequence_labeling, v1

    figures = (v1 if strict else sequence_labeling).precision_recall_fscore_support
    options = {"scheme": getattr(schemes, SCHEMES[scheme][0])} if strict else {}
    for gold, said in cases(scheme):
        a, b = spans(gold, scheme, strict=strict), spans(said, scheme, strict=strict)
        counts = count_entities([str(i) for i in range(len(gold))], a, b)
        foreign = [
            [[tag.replace("M-", "I-") if scheme == "BMES" else tag for tag in one] for one in tags]
            for tags in (gold, said)
        ]
        micro = figures(*foreign, average="micro", zero_division=0, **options)[:3]
        ours = [float(metric(counts)) for metric in (PRECISION, RECALL, MICRO_F1)]
        assert ours == pytest.approx(micro, abs=1e-12), (gold, said)
        labels = sorted({span.label for every in (*a, *b) for span in every})
        if not labels:  # seqeval has no mean of nothing
            assert float(MACRO_F1(counts)) == 0
            continue
        macro = figures(*foreign, average="macro", zero_division=0, **options)[2]
        assert float(MACRO_F1(counts)) == pytest.approx(macro, abs=1e-12), (gold, said)
        each = figures(*foreign, average=None, zero_division=0, **options)
        for kind, theirs in zip(PER_LABEL, each, strict=False):
            found = [float(label_metric(kind, label)(counts)) for label in labels]
            assert found == pytest.approx(theirs.tolist(), abs=1e-12)

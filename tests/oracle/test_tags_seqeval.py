"""Spans of tags against seqeval's strict schemes, with mode and scheme always given."""

import numpy as np
import pytest
from seqeval.scheme import IOB2, IOBES, Entities

from zhbert.records import Span
from zhbert.text.tags import allowed, tag_names, to_spans, to_tags

FOREIGN = {"BIO": ("BIO", IOB2), "BIOES": ("BIOES", IOBES), "BMES": ("BIOES", IOBES)}
LABELS = ["人名", "地点", "WORK-OF-ART"]


def random_tags(rng: np.random.Generator, scheme: str) -> list[str]:
    """Return a random walk through the allowed transitions, ended where it may end."""
    names = tag_names(LABELS, scheme)
    table = allowed(names, scheme=scheme)
    tags, at = [], len(names)
    while len(tags) < 12 or not table[at, -1]:
        at = int(rng.choice(np.flatnonzero(table[at, :-1])))
        tags.append(names[at])
    return tags


@pytest.mark.parametrize("scheme", sorted(FOREIGN))
def test_spans_are_the_strict_entities_of_seqeval(scheme: str) -> None:
    rng = np.random.default_rng(11)
    own_name, foreign = FOREIGN[scheme]
    for _ in range(150):
        tags = random_tags(rng, scheme)
        spans = to_spans(tags, scheme=scheme)
        converted = to_tags(spans, len(tags), scheme=own_name)
        (entities,) = Entities([converted], scheme=foreign).entities
        assert spans == [Span(entity.start, entity.end, entity.tag) for entity in entities]
        assert spans
        assert scheme == "BMES" or converted == tags


@pytest.mark.slow  # seqeval.metrics takes seconds to import
@pytest.mark.parametrize("scheme", sorted(FOREIGN))
def test_of_valid_tags_its_lenient_reading_is_the_same(scheme: str) -> None:
    from seqeval.metrics.sequence_labeling import get_entities

    rng = np.random.default_rng(12)
    letters = str.maketrans("M", "I") if scheme == "BMES" else {}
    for _ in range(100):
        tags = random_tags(rng, scheme)
        theirs = get_entities([tag[:1].translate(letters) + tag[1:] for tag in tags])
        spans = to_spans(tags, scheme=scheme)
        assert [(span.label, span.start, span.end - 1) for span in spans] == theirs
        assert to_tags(spans, len(tags), scheme=scheme) == tags

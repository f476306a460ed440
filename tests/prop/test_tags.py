"""What holds for every tag sequence: spans come back, and no path is invalid."""

from random import Random

import numpy as np
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zhbert.records import Span
from zhbert.text.paths import best_path
from zhbert.text.tags import SCHEMES, allowed, check, tag_names, to_spans, to_tags

schemes = st.sampled_from(sorted(SCHEMES))
labels = st.sampled_from(["人名", "地点", "A-B", ""])


@st.composite
def flat_spans(draw: st.DrawFn) -> tuple[list[Span], int]:
    """Draw spans that do not overlap and the number of units they lie in."""
    spans, at = [], 0
    for gap, size in draw(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), max_size=6)):
        spans.append(Span(at + gap, at + gap + size, draw(labels)))
        at += gap + size
    return spans, at + draw(st.integers(0, 3))


@examples(150)
@given(flat_spans(), schemes, st.randoms(use_true_random=False))
def test_spans_come_back(drawn: tuple[list[Span], int], scheme: str, random: Random) -> None:
    spans, length = drawn
    shuffled = random.sample(spans, len(spans))
    tags = to_tags(shuffled, length, scheme=scheme)
    check(tags, scheme)
    assert len(tags) == length
    assert to_spans(tags, scheme=scheme) == spans


@examples(150)
@given(schemes, st.data())
def test_no_path_is_invalid(scheme: str, data: st.DataObject) -> None:
    names = tag_names(["人名", "地点"], scheme)
    shape = (data.draw(st.integers(0, 8)), len(names))
    scores = data.draw(arrays(np.float32, shape, elements=st.floats(width=32)))
    path = best_path(scores, allowed(names, scheme=scheme))
    check([names[i] for i in path], scheme)


@examples(100)
@given(flat_spans(), schemes)
def test_a_valid_favourite_is_the_path(drawn: tuple[list[Span], int], scheme: str) -> None:
    names = tag_names(["人名", "地点", "A-B", ""], scheme)
    wanted = [names.index(tag) for tag in to_tags(*drawn, scheme=scheme)]
    scores = np.eye(len(names))[wanted]
    assert best_path(scores, allowed(names, scheme=scheme)).tolist() == wanted

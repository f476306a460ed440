"""R-Drop asks of every way of answering what two looks at it differ in."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from zhbert.task.doubt import disagreement


class Output(SimpleNamespace):
    def __contains__(self, name: str) -> bool:
        return hasattr(self, name)


def both(shape: tuple[int, ...]) -> tuple[Any, Any]:
    made = torch.Generator().manual_seed(1)
    return Output(logits=torch.randn(shape, generator=made)), Output(
        logits=torch.randn(shape, generator=made)
    )


def apart(p: torch.Tensor, q: torch.Tensor) -> float:
    """The mean of both Kullback-Leibler divergences of two distributions."""
    return float(((p * (p / q).log()).sum() + (q * (q / p).log()).sum()) / 2)


def test_several_labels_are_as_many_questions_that_count_as_one() -> None:
    one, other = both((4, 3))
    found = disagreement(one, other, {"labels": torch.ones(4, 3)})
    expected = 0.0
    for x, y in zip(one.logits.flatten(), other.logits.flatten(), strict=True):
        p, q = x.sigmoid(), y.sigmoid()
        expected += apart(torch.stack([p, 1 - p]), torch.stack([q, 1 - q]))
    assert float(found) == pytest.approx(expected / 3, rel=1e-4)


def test_the_options_of_a_question_are_one_question() -> None:
    one, other = both((5, 1))
    tensors = {"labels": torch.tensor([1, 0]), "options": torch.tensor([3, 2])}
    found = disagreement(one, other, tensors)
    parts = [(o.logits[:3, 0].softmax(0), o.logits[3:, 0].softmax(0)) for o in (one, other)]
    expected = sum(apart(p, q) for p, q in zip(*parts, strict=True))
    assert float(found) == pytest.approx(expected, rel=1e-4)


def test_numbers_differ_by_the_square() -> None:
    one, other = both((6, 1))
    found = disagreement(one, other, {"labels": torch.zeros(6)})
    assert float(found) == pytest.approx(float(((one.logits - other.logits) ** 2).sum()), rel=1e-5)

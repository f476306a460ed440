"""Learning-rate schedules."""

import pytest

from zhbert.train.schedule import SCHEDULES, ScheduleName, share


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize(
    ("steps", "warmup"), [(1, 0.0), (1, 0.5), (2, 0.9), (10, 0.06), (100, 0.1), (997, 0.99)]
)
def test_every_share_is_above_zero_at_most_one_and_the_peak_is_reached(
    name: ScheduleName, steps: int, warmup: float
) -> None:
    shares = [share(name, step, steps=steps, warmup=warmup) for step in range(steps)]
    assert all(0 < x <= 1 for x in shares)
    assert max(shares) == 1
    peak = shares.index(1)
    assert shares[: peak + 1] == sorted(shares[: peak + 1])
    assert shares[peak:] == sorted(shares[peak:], reverse=True)


def test_warm_up_takes_its_part_of_the_steps() -> None:
    shares = [share("constant", step, steps=100, warmup=0.1) for step in range(100)]
    assert shares[:10] == pytest.approx([0.1 * (i + 1) for i in range(10)])
    assert set(shares[9:]) == {1.0}


def test_shapes() -> None:
    at = [0, 25, 50, 75, 99]
    assert [round(share("linear", i, steps=100, warmup=0), 2) for i in at] == [1, 0.75, 0.5, 0.25, 0.01]
    assert [round(share("cosine", i, steps=100, warmup=0), 2) for i in at] == [1, 0.85, 0.5, 0.15, 0.0]
    assert [round(share("wsd", i, steps=100, warmup=0), 2) for i in (0, 79, 80, 90, 99)] == [
        1,
        1,
        1,
        0.5,
        0.05,
    ]

"""The hash behind every draw, held to the published splitmix64."""

import numpy as np
import pytest

from zhbert.encode.draws import below, draw, stream, uniform


@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        (0, [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC]),
        (1234567, [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]),
    ],
)
def test_splitmix64_as_published(seed: int, expected: list[int]) -> None:
    assert draw(np.array([seed], np.uint64), np.arange(1, 5)).tolist() == expected


def test_every_key_and_the_purpose_make_another_stream() -> None:
    streams = [
        stream("unit", 1, 2, 3),
        stream("cross", 1, 2, 3),
        stream("unit", 2, 1, 3),
        stream("unit", 1, 3, 2),
    ]
    assert len({int(bits[0]) for bits in streams}) == 4
    assert stream("unit", 1, 2, np.array([3, 4]))[0] == streams[0][0]


def test_a_negative_seed_is_a_seed() -> None:
    assert stream("unit", -1) != stream("unit", 1)


def test_draws_are_even() -> None:
    bits = draw(stream("unit", 7), np.arange(100_000))
    assert abs(uniform(bits).mean() - 0.5) < 0.005
    assert uniform(np.array([2**64 - 1], np.uint64))[0] < 1
    shares = np.bincount(below(bits, 7), minlength=7) / 100_000
    assert np.allclose(shares, 1 / 7, atol=0.005)

"""How long answers take, as drawn and as read from a command line."""

import re
from random import Random

import pytest

from gateway.emulator import Constant, Latency, Lognormal, Uniform
from gateway.emulator.options import read_latency


def drawn(latency: Latency, times: int = 1001) -> list[float]:
    random = Random(7)
    return sorted(latency.draw(random) for _ in range(times))


def test_constant_is_the_same_each_time() -> None:
    assert drawn(Constant(0.2), 3) == [0.2, 0.2, 0.2]


def test_uniform_lies_between_its_ends_and_fills_them() -> None:
    seconds = drawn(Uniform(1, 3))
    assert 1 <= seconds[0] < 1.01
    assert seconds[500] == pytest.approx(2, rel=0.05)
    assert 2.99 < seconds[-1] <= 3


def test_lognormal_has_its_median_and_a_long_tail() -> None:
    seconds = drawn(Lognormal(0.1, 0.8))
    assert seconds[500] == pytest.approx(0.1, rel=0.1)
    # e to the 1.645 times sigma: the 95th percentile.
    assert seconds[950] == pytest.approx(0.373, rel=0.1)


def test_lognormal_without_sigma_is_its_median() -> None:
    assert drawn(Lognormal(0.5, 0), 2) == pytest.approx([0.5, 0.5])


def test_lognormal_never_takes_longer_than_ten_minutes() -> None:
    assert drawn(Lognormal(600, 10))[-1] == pytest.approx(600)


def test_a_lower_end_above_the_higher_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^`low` must not be above `high`$"):
        Uniform(2, 1)


@pytest.mark.parametrize(
    ("text", "latency"),
    [
        ("0", Constant(0)),
        ("200", Constant(0.2)),
        ("50-500", Uniform(0.05, 0.5)),
        ("5-5", Uniform(0.005, 0.005)),
    ],
)
def test_latency_is_read_in_milliseconds(text: str, latency: Latency) -> None:
    assert read_latency(text) == latency


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0.5", "'0.5' is not a whole number from 0 to 600000"),
        ("-5", "'' is not a whole number from 0 to 600000"),
        ("5-", "'' is not a whole number from 0 to 600000"),
        ("1-2-3", "'2-3' is not a whole number from 0 to 600000"),
        ("600001", "'600001' is not a whole number from 0 to 600000"),
        ("500-50", "500 is above 50: the lower number comes first"),
    ],
)
def test_latency_that_makes_no_sense_is_told(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        read_latency(text)

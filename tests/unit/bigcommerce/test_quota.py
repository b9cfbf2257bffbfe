"""The quota of one process, from one answer to the next."""

import math

import pytest
from clock import Clock

from gateway.bigcommerce.quota import LONGEST_OVERLOAD_SECONDS, Quota
from gateway.bigcommerce.rate_limit import RateLimit


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def quota(clock: Clock) -> Quota:
    return Quota(clock, lambda _, longest: longest)


def answer(
    quota: Quota, remaining: int, resets_in: float = 20.0, window: float = 30.0, limit: int = 150
) -> None:
    quota.record(RateLimit(remaining, limit, resets_in, window))


def test_before_the_first_answer_anything_may_be_sent(quota: Quota) -> None:
    quota.in_flight += 10
    assert (quota.remaining, quota.available, quota.wait_seconds) == (None, math.inf, 0.0)


def test_requests_in_flight_count_as_used(quota: Quota) -> None:
    answer(quota, 2)
    quota.in_flight += 2
    assert (quota.remaining, quota.available) == (2, 0)
    assert quota.wait_seconds == pytest.approx(20, abs=0.01)


def test_lowest_remainder_counts_as_answers_overtake_each_other(quota: Quota) -> None:
    answer(quota, 7)
    answer(quota, 9)
    assert quota.available == 7


@pytest.mark.parametrize("window", [1.0, 5.0, 30.0])
def test_after_its_reset_a_window_has_its_quota_again(
    quota: Quota, clock: Clock, window: float
) -> None:
    answer(quota, 0, window * 0.7, window=window, limit=25)
    clock.now += window * 0.7
    assert (quota.remaining, quota.available) == (0, 0)
    clock.now += 0.002
    assert (quota.remaining, quota.available, quota.wait_seconds) == (None, 25, 0.0)


def test_new_window_bears_its_quota_in_flight_and_waits_for_an_answer(
    quota: Quota, clock: Clock
) -> None:
    answer(quota, 0, 4.0, window=5.0, limit=3)
    clock.now += 4.1
    quota.in_flight += 3
    assert (quota.available, quota.wait_seconds) == (0, 5.0)
    quota.in_flight -= 1
    answer(quota, 2, 4.9, window=5.0, limit=3)
    assert (quota.remaining, quota.available) == (2, 0)


def test_late_answer_of_an_earlier_window_changes_nothing(quota: Quota, clock: Clock) -> None:
    answer(quota, 1)
    clock.now += 21
    answer(quota, 140, 29.0)
    answer(quota, 0, 0.1)
    assert (quota.remaining, quota.available) == (140, 140)


def test_answer_of_a_later_window_replaces_what_is_known(quota: Quota, clock: Clock) -> None:
    answer(quota, 0, 1.0)
    clock.now += 0.9
    answer(quota, 140, 29.9)
    assert quota.available == 140
    assert clock() < 1001  # the reset that the first answer named


def test_window_of_another_length_is_followed(quota: Quota, clock: Clock) -> None:
    answer(quota, 0, 20.0, window=30.0)
    clock.now += 21
    answer(quota, 0, 4.0, window=5.0, limit=25)
    assert quota.wait_seconds == pytest.approx(4.0, abs=0.01)
    clock.now += 4.1
    assert quota.available == 25


def test_quota_of_none_is_asked_once_a_window(quota: Quota, clock: Clock) -> None:
    answer(quota, 0, limit=0)
    assert quota.available == 0
    clock.now += 21
    assert quota.available == 1
    quota.in_flight += 1
    assert quota.available == 0


def test_reset_of_no_time_leaves_the_next_window(quota: Quota, clock: Clock) -> None:
    answer(quota, 0, 0.0)
    clock.now += 0.002
    assert quota.available == 150


def test_pauses_double_until_the_platform_answers_again(quota: Quota, clock: Clock) -> None:
    pauses = []
    for _ in range(7):
        pauses.append(quota.record_overload(None))
        assert quota.wait_seconds == pauses[-1]
        clock.now += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, LONGEST_OVERLOAD_SECONDS, LONGEST_OVERLOAD_SECONDS]
    quota.record_success()
    assert quota.record_overload(None) == 1


def test_requests_sent_at_once_make_one_pause(quota: Quota, clock: Clock) -> None:
    quota.record_overload(None)
    clock.now += 0.5
    assert quota.record_overload(None) == 0.5
    clock.now += 0.5
    assert quota.record_overload(None) == 2


def test_longest_time_that_a_429_names_counts(quota: Quota) -> None:
    quota.record_overload(None)
    assert [quota.record_overload(seconds) for seconds in (5.0, 3.0, 0.0)] == [5, 5, 5]

import math
from dataclasses import dataclass

import pytest

from gateway.bigcommerce.quota import LONGEST_PAUSE_SECONDS, QuotaView
from gateway.bigcommerce.rate_limit import RateLimit


@dataclass
class Clock:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def view(clock: Clock) -> QuotaView:
    return QuotaView(clock, lambda _, longest: longest)


def told(view: QuotaView, left: int, resets_in: float = 20.0, sent_at: float = 1000.0) -> None:
    view.send()
    view.answered(sent_at, sent_at, RateLimit(left, 150, resets_in))


def lost(view: QuotaView, clock: Clock) -> None:
    view.send()
    view.answered(clock(), clock(), None)


def test_anything_may_be_sent_while_nobody_told(view: QuotaView) -> None:
    view.send()
    assert (view.told, view.left, view.wait_seconds) == (None, math.inf, 0.0)
    assert not view.is_used_up


def test_what_is_in_flight_may_have_been_counted(view: QuotaView) -> None:
    told(view, 2)
    view.send()
    view.send()
    assert (view.told, view.left) == (2, 0)
    assert view.wait_seconds == pytest.approx(20, abs=0.01)
    assert not view.is_used_up  # an answer may tell that one is left


def test_answer_that_was_overtaken_tells_nothing_new(view: QuotaView) -> None:
    told(view, 7)
    told(view, 9)
    assert view.left == 7


def test_lost_answer_may_have_been_counted_until_a_later_request_tells(
    view: QuotaView, clock: Clock
) -> None:
    told(view, 5)
    clock.seconds += 1
    lost(view, clock)
    assert view.left == 4
    told(view, 4, sent_at=1000.5)  # may have been written before the lost one was counted
    assert view.left == 3
    told(view, 4, sent_at=1001)
    assert view.left == 4


def test_answer_that_was_lost_before_the_first_one_came_counts_too(
    view: QuotaView, clock: Clock
) -> None:
    view.send()
    clock.seconds += 1
    lost(view, clock)
    view.answered(1000.0, clock(), RateLimit(5, 150, 20.0))
    assert view.left == 4


def test_after_its_end_a_window_has_its_quota_again(view: QuotaView, clock: Clock) -> None:
    told(view, 0)
    assert view.is_used_up
    clock.seconds += 19.9
    assert view.left == 0
    clock.seconds += 0.2
    assert (view.left, view.wait_seconds, view.is_used_up) == (150, 0.0, False)


def test_answer_of_a_window_that_has_ended_tells_nothing(view: QuotaView, clock: Clock) -> None:
    told(view, 0)
    view.send()
    clock.seconds += 21
    assert view.left == 149
    view.answered(1000.0, clock(), RateLimit(0, 150, 0.0))
    assert view.left == 150


def test_what_was_lost_in_a_window_is_forgotten_with_it(view: QuotaView, clock: Clock) -> None:
    told(view, 3)
    for _ in range(3):
        lost(view, clock)
    assert view.is_used_up
    clock.seconds += 300
    for _ in range(150):
        lost(view, clock)
    assert view.left == 0
    clock.seconds += 31
    assert view.left == 150


def test_store_that_tells_of_a_quota_of_none_is_asked_once_a_window(
    view: QuotaView, clock: Clock
) -> None:
    view.send()
    view.answered(clock(), clock(), RateLimit(0, 0, 20.0))
    assert view.is_used_up
    clock.seconds += 21
    assert view.left == 1


def test_pauses_double_until_the_platform_answers_again(view: QuotaView, clock: Clock) -> None:
    pauses = []
    for _ in range(7):
        pauses.append(view.overloaded(None))
        assert view.wait_seconds == pauses[-1]
        clock.seconds += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]
    view.recovered()
    assert view.overloaded(None) == 1


def test_requests_that_were_sent_side_by_side_make_one_pause(view: QuotaView, clock: Clock) -> None:
    view.overloaded(None)
    clock.seconds += 0.5
    assert view.overloaded(None) == 0.5
    clock.seconds += 0.5
    assert view.overloaded(None) == 2


def test_longest_time_that_the_platform_named_is_kept_to(view: QuotaView) -> None:
    view.overloaded(None)
    assert [view.overloaded(seconds) for seconds in (5.0, 3.0, 0.0)] == [5, 5, 5]


def test_pause_of_no_seconds_is_none_that_was_named(view: QuotaView) -> None:
    assert view.overloaded(0.0) == 1

import logging

import pytest

from gateway.redis.availability import Ask, Availability


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def redis(clock: Clock) -> Availability:
    return Availability(clock, lambda: 0.5)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_many_calls_that_fail_are_told_once(
    redis: Availability, caplog: pytest.LogCaptureFixture
) -> None:
    asks = [redis.ask() for _ in range(5)]
    for ask in asks:
        assert ask is not None
        redis.failed(ask, "no answer in time")
    assert redis.ask() is None
    assert told(caplog) == ["Redis is away and passed over: no answer in time"]


def test_probe_that_fails_prolongs_the_pause(
    redis: Availability, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    ask = redis.ask()
    for _ in range(3):
        assert ask is not None
        redis.failed(ask, "connection refused")
        clock.seconds += 0.49
        assert redis.ask() is None
        clock.seconds += 0.01
        ask = redis.ask()
        assert redis.ask() is None
    assert len(told(caplog)) == 1


def test_failure_from_before_it_was_back_is_none_of_now(redis: Availability, clock: Clock) -> None:
    slow, early = redis.ask(), redis.ask()
    assert slow is not None
    assert early is not None
    redis.failed(early, "connection closed")
    clock.seconds += 0.5
    probe = redis.ask()
    assert probe is not None
    redis.answered(probe, "reads")
    redis.failed(slow, "no answer in time")
    assert redis.state == "connected"


def test_early_call_that_is_given_up_is_not_the_probe(redis: Availability, clock: Clock) -> None:
    slow, early = redis.ask(), redis.ask()
    assert slow is not None
    assert early is not None
    redis.failed(early, "connection closed")
    clock.seconds += 0.5
    assert redis.ask() is not None
    redis.gave_up(slow)
    redis.answered(slow, "reads")
    assert redis.ask() is None
    assert redis.state == "away"


def an_ask(redis: Availability) -> Ask:
    ask = redis.ask()
    assert ask is not None
    return ask


def test_each_reason_is_logged_once_until_all_is_well(
    redis: Availability, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(2):
        redis.refused(an_ask(redis), "answers", "it is full (maxmemory)")
        redis.refused(an_ask(redis), "leases", "it is full (maxmemory)")
        redis.refused(an_ask(redis), "reads", "the user may not do it")
        redis.answered(an_ask(redis), "news of writes")
        redis.answered(an_ask(redis), "leases")
    assert redis.state == "refuses reads"
    redis.answered(an_ask(redis), "reads")
    assert redis.state == "refuses writes"
    redis.answered(an_ask(redis), "answers")
    assert redis.state == "connected"
    redis.refused(an_ask(redis), "leases", "it is full (maxmemory)")
    assert told(caplog) == [
        "Redis refuses answers: it is full (maxmemory)",
        "Redis refuses reads: the user may not do it",
        "Redis works again",
        "Redis refuses leases: it is full (maxmemory)",
    ]


def test_what_it_refused_before_it_went_away_is_refused_until_it_works(
    redis: Availability, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(3):
        redis.refused(an_ask(redis), "leases", "it is full (maxmemory)")
        redis.failed(an_ask(redis), "connection refused")
        clock.seconds += 0.5
        redis.answered(an_ask(redis), "reads")
        assert redis.state == "refuses writes"
    redis.answered(an_ask(redis), "leases")
    assert redis.state == "connected"
    assert told(caplog) == [
        "Redis refuses leases: it is full (maxmemory)",
        "Redis is away and passed over: connection refused",
        "Redis works again",
    ]

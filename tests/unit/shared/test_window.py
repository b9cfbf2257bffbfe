import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis_server import RedisServer, redis_server

from gateway.bigcommerce.quota import QuotaView
from gateway.bigcommerce.rate_limit import RateLimit
from gateway.shared.connection import RedisConnection
from gateway.shared.window import SharedWindow, Take

GIVEN_UP_AFTER = 20.0
NOW = 1_790_000_000.25


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


class Model:
    """Each process's own view of the quota, with the tokens of what is in flight."""

    def __init__(self) -> None:
        self.now = NOW
        self.view = QuotaView(lambda: self.now)
        self.in_flight: dict[str, float] = {}

    def give_up(self) -> None:
        for token in [token for token, ends in self.in_flight.items() if ends <= self.now]:
            del self.in_flight[token]
            self.view.answered(self.now, self.now, None)

    def take(self, token: str, floor: int) -> Take:
        self.give_up()
        if self.view.pause_seconds > 0:
            return Take(False, self.view.pause_seconds, is_sure=True)
        if self.view.left <= floor:
            return Take(False, self.view._latest - self.now, self.view.is_used_up)
        self.view.send()
        self.in_flight[token] = self.now + GIVEN_UP_AFTER
        return Take(True, 0.0)

    def tell(self, token: str, sent: float, limit: RateLimit | None) -> None:
        self.give_up()
        if self.in_flight.pop(token, None) is None:
            self.view.send()  # it was given up, or never taken: an answer tells all the same
        self.view.answered(sent, self.now, limit)


@dataclass(frozen=True)
class Move:
    """One step: eighths of seconds are exact, so that both sides reckon the same."""

    kind: str
    token: str
    later: int
    took: int = 0
    left: int = 0
    resets_in: int = 0
    floor: int = 0


tokens = st.sampled_from("abcde")
# Mostly little passes between two steps: what is told of one window has to come together.
passing = st.sampled_from([0, 0, 1, 2, 8, 8, 80])
takes = st.builds(Move, st.just("take"), tokens, passing, floor=st.sampled_from([0, 0, 2]))
tells = st.builds(
    Move,
    st.just("tell"),
    tokens,
    passing,
    took=st.sampled_from([0, 0, 4, 80]),
    left=st.integers(0, 5),
    resets_in=st.sampled_from([0, 16, 80, 90, 240]),
)
pauses = st.builds(Move, st.just("pause"), tokens, passing, took=st.sampled_from([8, 80]))
moves = st.lists(
    takes
    | takes
    | tells
    | tells
    | st.builds(Move, st.just("no headers"), tokens, passing)
    | pauses,
    min_size=5,
    max_size=30,
)


@given(moves)
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_window_does_what_its_model_does(server: RedisServer, moves: list[Move]) -> None:
    server.admin.flushall()
    model = Model()

    async def play() -> None:
        connection = RedisConnection(server.url, timeout_seconds=20)
        window = SharedWindow(connection, "gateway", given_up_after_seconds=GIVEN_UP_AFTER)
        for number, move in enumerate(moves):
            model.now += move.later / 8
            now = model.now
            model.give_up()
            # Each request has a token of its own; an answer is to one of those in flight, if any.
            flying = sorted(model.in_flight)
            answered = flying[ord(move.token) % len(flying)] if flying else f"untold {number}"
            match move.kind:
                case "take":
                    token = f"request {number}"
                    taken = await window.take(token, now, move.floor)
                    assert taken == model.take(token, move.floor)
                case "pause":
                    until = now + move.took / 8
                    await window.pause(until)
                    model.view.pause(move.took / 8)
                case "tell":
                    sent, resets_in = now - move.took / 8, move.resets_in / 8
                    await window.tell(answered, sent, now, move.left, 5, resets_in)
                    model.tell(answered, sent, RateLimit(move.left, 5, resets_in))
                case _:
                    await window.tell(answered, now, now)
                    model.tell(answered, now, None)
        await connection.close()
        assert connection.failures == 0

    asyncio.run(play())


@pytest.fixture
async def window(server: RedisServer) -> AsyncIterator[SharedWindow]:
    server.admin.flushall()
    connection = RedisConnection(server.url, timeout_seconds=20)
    yield SharedWindow(connection, "gateway", given_up_after_seconds=GIVEN_UP_AFTER)
    await connection.close()


def refused_for(take: Take | None) -> tuple[float, bool] | None:
    """For how many seconds a request is refused, and whether that is sure; None where granted."""
    assert take is not None
    return None if take.granted else (round(take.wait_seconds, 2), take.is_sure)


async def test_requests_in_flight_count_against_what_is_left(window: SharedWindow) -> None:
    await window.tell("first", NOW, NOW + 1, left=3, quota=150, resets_in=10)
    taken = [await window.take(token, NOW + 2, 1) for token in ("a", "b", "c")]
    # The window ends at NOW + 11 at the latest, when it was received.
    assert taken[:2] == [Take(True, 0.0)] * 2
    assert refused_for(taken[2]) == (9.0, False)


async def test_nothing_known_grants(window: SharedWindow) -> None:
    assert await window.take("a", NOW, 1000) == Take(True, 0.0)


async def test_answer_without_headers_may_have_been_counted(window: SharedWindow) -> None:
    await window.tell("first", NOW, NOW, left=2, quota=150, resets_in=10)
    assert await window.take("a", NOW, 0) == Take(True, 0.0)
    await window.tell("a", NOW, NOW)
    assert refused_for(await window.take("b", NOW, 1)) == (10.0, False)


async def test_request_of_a_process_that_died_may_have_been_counted(window: SharedWindow) -> None:
    assert await window.take("dies", NOW, 0) == Take(True, 0.0)
    await window.tell("first", NOW, NOW, left=2, quota=150, resets_in=25)
    assert await window.take("a", NOW + GIVEN_UP_AFTER, 0) == Take(True, 0.0)
    assert refused_for(await window.take("b", NOW + GIVEN_UP_AFTER, 0)) == (5.0, False)


async def test_after_its_end_a_window_has_its_quota_again(window: SharedWindow) -> None:
    await window.tell("first", NOW, NOW, left=0, quota=2, resets_in=10)
    assert refused_for(await window.take("a", NOW + 9.5, 0)) == (0.5, True)
    assert await window.take("a", NOW + 10.01, 0) == Take(True, 0.0)
    await window.tell("late", NOW + 1, NOW + 10, left=1, quota=2, resets_in=9)
    assert await window.take("b", NOW + 10.01, 0) == Take(True, 0.0)
    assert refused_for(await window.take("c", NOW + 10.01, 0)) == (30.0, False)


async def test_store_that_tells_of_a_quota_of_none_is_asked_once_a_window(
    window: SharedWindow,
) -> None:
    await window.tell("first", NOW, NOW, left=0, quota=0, resets_in=10)
    assert await window.take("a", NOW + 10.01, 0) == Take(True, 0.0)
    assert refused_for(await window.take("b", NOW + 10.01, 0)) == (30.0, False)


async def test_everybody_pauses_until_the_latest_time(window: SharedWindow) -> None:
    await window.pause(NOW + 5)
    await window.pause(NOW + 3)
    assert refused_for(await window.take("a", NOW, 0)) == (5.0, True)
    assert await window.take("a", NOW + 5, 0) == Take(True, 0.0)


async def test_redis_that_is_away_knows_nothing() -> None:
    connection = RedisConnection("redis://127.0.0.1:1", timeout_seconds=1)
    window = SharedWindow(connection, "gateway", given_up_after_seconds=GIVEN_UP_AFTER)
    assert await window.take("a", NOW, 0) is None
    await window.tell("a", NOW, NOW)
    await window.pause(NOW)
    assert (connection.failures, connection.passed_over) == (1, 2)

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis_server import RedisServer, redis_server

from gateway.shared.connection import RedisConnection
from gateway.shared.window import SharedWindow, Take

GIVEN_UP_AFTER = 20.0
NOW = 1_790_000_000.25


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@dataclass
class Model:
    """The window in Python, as the record of the decision tells it."""

    told: int | None = None
    quota: int = 0
    earliest: float = 0.0
    latest: float = 0.0
    paused_until: float = 0.0
    in_flight: dict[str, float] = field(default_factory=dict)

    def begin(self, now: float) -> None:
        given_up = [token for token, ends in self.in_flight.items() if ends <= now]
        for token in given_up:
            del self.in_flight[token]
        if self.told is None:
            return
        self.told -= len(given_up)
        if now >= self.latest:
            self.told = max(self.quota, 1)
            self.earliest += 30.0
            self.latest = now + 30.0

    def take(self, token: str, now: float, floor: int) -> Take:
        self.begin(now)
        if now < self.paused_until:
            return Take(False, self.paused_until - now, is_sure=True)
        if self.told is not None and self.told - len(self.in_flight) <= floor:
            return Take(False, self.latest - now, is_sure=self.told <= 0)
        self.in_flight[token] = now + GIVEN_UP_AFTER
        return Take(True, 0.0)

    def tell(
        self,
        token: str,
        sent: float,
        received: float,
        left: int | None = None,
        quota: int | None = None,
        resets_in: float | None = None,
    ) -> None:
        self.begin(received)
        self.in_flight.pop(token, None)
        if left is None or quota is None or resets_in is None:
            if self.told is not None:
                self.told -= 1
            return
        earliest, latest = sent + resets_in, received + resets_in
        if self.told is None or earliest - self.earliest > 15.0:
            self.told, self.quota, self.earliest, self.latest = left, quota, earliest, latest
        elif earliest - self.earliest >= -15.0:
            self.told, self.quota = min(self.told, left), quota
            self.earliest = max(self.earliest, earliest)
            self.latest = min(self.latest, latest)


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
    model, now = Model(), NOW

    async def play() -> None:
        nonlocal now
        connection = RedisConnection(server.url, timeout_seconds=20)
        window = SharedWindow(connection, "gateway", given_up_after_seconds=GIVEN_UP_AFTER)
        for move in moves:
            now += move.later / 8
            match move.kind:
                case "take":
                    taken = await window.take(move.token, now, move.floor)
                    assert taken == model.take(move.token, now, move.floor)
                case "pause":
                    until = now + move.took / 8
                    await window.pause(until)
                    model.paused_until = max(model.paused_until, until)
                case "tell":
                    sent, resets_in = now - move.took / 8, move.resets_in / 8
                    await window.tell(move.token, sent, now, move.left, 5, resets_in)
                    model.tell(move.token, sent, now, move.left, 5, resets_in)
                case _:
                    await window.tell(move.token, now, now)
                    model.tell(move.token, now, now)
        await connection.close()
        assert connection.failures == 0

    asyncio.run(play())


@pytest.fixture
async def window(server: RedisServer) -> AsyncIterator[SharedWindow]:
    server.admin.flushall()
    connection = RedisConnection(server.url, timeout_seconds=20)
    yield SharedWindow(connection, "gateway", given_up_after_seconds=GIVEN_UP_AFTER)
    await connection.close()


async def test_requests_in_flight_count_against_what_is_left(window: SharedWindow) -> None:
    await window.tell("first", NOW, NOW + 1, left=3, quota=150, resets_in=10)
    taken = [await window.take(token, NOW + 2, 1) for token in ("a", "b", "c")]
    # The window ends at NOW + 11 at the latest, when it was received.
    assert taken == [Take(True, 0.0), Take(True, 0.0), Take(False, 9.0)]


async def test_nothing_known_grants(window: SharedWindow) -> None:
    assert await window.take("a", NOW, 1000) == Take(True, 0.0)


async def test_answer_without_headers_may_have_been_counted(window: SharedWindow) -> None:
    await window.tell("first", NOW, NOW, left=2, quota=150, resets_in=10)
    assert await window.take("a", NOW, 0) == Take(True, 0.0)
    await window.tell("a", NOW, NOW)
    assert await window.take("b", NOW, 1) == Take(False, 10.0)


async def test_request_of_a_process_that_died_may_have_been_counted(window: SharedWindow) -> None:
    assert await window.take("dies", NOW, 0) == Take(True, 0.0)
    await window.tell("first", NOW, NOW, left=2, quota=150, resets_in=25)
    assert await window.take("a", NOW + GIVEN_UP_AFTER, 0) == Take(True, 0.0)
    assert await window.take("b", NOW + GIVEN_UP_AFTER, 0) == Take(False, 5.0)


async def test_after_its_end_a_window_has_its_quota_again(window: SharedWindow) -> None:
    await window.tell("first", NOW, NOW, left=0, quota=2, resets_in=10)
    assert await window.take("a", NOW + 9.5, 0) == Take(False, 0.5, is_sure=True)
    assert await window.take("a", NOW + 10, 0) == Take(True, 0.0)
    await window.tell("late", NOW + 1, NOW + 10, left=1, quota=2, resets_in=9)
    assert await window.take("b", NOW + 10, 0) == Take(True, 0.0)
    assert await window.take("c", NOW + 10, 0) == Take(False, 30.0)


async def test_store_that_tells_of_a_quota_of_none_is_asked_once_a_window(
    window: SharedWindow,
) -> None:
    await window.tell("first", NOW, NOW, left=0, quota=0, resets_in=10)
    assert await window.take("a", NOW + 10, 0) == Take(True, 0.0)
    assert await window.take("b", NOW + 10, 0) == Take(False, 30.0)


async def test_everybody_pauses_until_the_latest_time(window: SharedWindow) -> None:
    await window.pause(NOW + 5)
    await window.pause(NOW + 3)
    assert await window.take("a", NOW, 0) == Take(False, 5.0, is_sure=True)
    assert await window.take("a", NOW + 5, 0) == Take(True, 0.0)


async def test_redis_that_is_away_knows_nothing() -> None:
    connection = RedisConnection("redis://127.0.0.1:1", timeout_seconds=1)
    window = SharedWindow(connection, "gateway", given_up_after_seconds=GIVEN_UP_AFTER)
    assert await window.take("a", NOW, 0) is None
    await window.tell("a", NOW, NOW)
    await window.pause(NOW)
    assert (connection.failures, connection.passed_over) == (1, 2)

"""Two processes that share a view of the quota, against the emulator's own count."""

import asyncio
import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis_server import RedisServer, redis_server

from gateway.bigcommerce.quota import QuotaView
from gateway.bigcommerce.rate_limit import RateLimit, read_rate_limit
from gateway.emulator.rate_limit import RateLimitWindow
from gateway.shared.connection import RedisConnection
from gateway.shared.window import SharedWindow


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@dataclass(order=True)
class Event:
    """A request that arrives at the store, or its answer that comes back, maybe lost (None)."""

    at: float
    number: int
    process: int = field(compare=False)
    token: str = field(compare=False)
    sent_at: float = field(compare=False)
    is_answer: bool = field(compare=False, default=False)
    limit: RateLimit | None = field(compare=False, default=None)


class World:
    """Two views, one shared, and the store that counts; the wire takes its time both ways."""

    def __init__(self, shared: SharedWindow, quota: int, wire: float, lost: float, seed: int):
        self.random = Random(seed)
        self.now = 1_800_000_000.0 + 30 * self.random.random()
        self.store = RateLimitWindow(quota, lambda: self.now)
        self.views = [QuotaView(lambda: self.now) for _ in range(2)]
        self.shared = shared
        self.wire, self.lost = wire, lost
        self.events: list[Event] = []
        self.numbers = 0
        self.sent = self.refused = 0
        self.is_told = False

    async def try_to_send(self, process: int) -> None:
        view = self.views[process]
        if view.left <= 0:
            return
        view.send()
        self.numbers += 1
        token = f"request {self.numbers}"
        take = await self.shared.take(token, self.now, 0)
        if take is None or not take.granted:
            view.in_flight -= 1
            return
        self.sent += 1
        self._push(process, token, self.now)

    async def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        while self.events and self.events[0].at <= until:
            event = heapq.heappop(self.events)
            self.now = max(self.now, event.at)
            await (self._answer(event) if event.is_answer else self._arrive(event))
        self.now = until

    async def _arrive(self, event: Event) -> None:
        is_within = self.store.take()
        self.refused += self.is_told and not is_within
        is_lost = self.is_told and self.random.random() < self.lost
        headers = {name.lower(): value for name, value in self.store.headers().items()}
        limit = None if is_lost else read_rate_limit(headers)
        self._push(event.process, event.token, event.sent_at, is_answer=True, limit=limit)

    async def _answer(self, event: Event) -> None:
        limit = event.limit
        self.views[event.process].answered(event.sent_at, self.now, limit)
        told = limit and (limit.requests_left, limit.requests_quota, limit.resets_in)
        await self.shared.tell(event.token, event.sent_at, self.now, *(told or ()))
        self.is_told = self.is_told or limit is not None

    def _push(
        self,
        process: int,
        token: str,
        sent_at: float,
        *,
        is_answer: bool = False,
        limit: RateLimit | None = None,
    ) -> None:
        self.numbers += 1
        at = self.now + self.wire * self.random.random()
        event = Event(at, self.numbers, process, token, sent_at, is_answer, limit)
        heapq.heappush(self.events, event)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from([1, 3, 5, 20]),
    st.sampled_from([0.05, 1.0, 4.0]),
    st.sampled_from([0.0, 0.2]),
    st.integers(0, 2**32),
)
def test_two_processes_together_are_never_refused_once_one_was_told(
    server: RedisServer, quota: int, wire: float, lost: float, seed: int
) -> None:
    asyncio.run(play(server, quota, wire, lost, seed))


async def play(server: RedisServer, quota: int, wire: float, lost: float, seed: int) -> None:
    server.admin.flushall()
    connection = RedisConnection(server.url, timeout_seconds=20)
    shared = SharedWindow(connection, "gateway", given_up_after_seconds=11)
    world = World(shared, quota, wire, lost, seed)
    await world.try_to_send(0)
    for _ in range(150):
        await world.pass_time(world.random.choice([0.01, 0.3, 2.0, 8.0]))
        if world.is_told:
            for _ in range(world.random.choice([0, 1, 3, 8])):
                await world.try_to_send(world.random.randrange(2))
    await connection.close()
    assert world.refused == 0
    assert world.sent > quota  # of some 15 windows

"""Clients that hang up, followed from HTTP through flights, pool and gate to the wire."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest
from in_process import InProcess, in_process
from redis_server import RedisServer, redis_server

from gateway.emulator.rate_limit import RateLimitWindow
from gateway.request_scope import ABANDONED

LAST_PAGE = "{ segments(last: 1) { nodes { entityId } } }"
LATE = 900  # the number of a segment that the first block does not show


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@dataclass
class Clock:
    seconds: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class World:
    gateway: InProcess
    clock: Clock
    answers: asyncio.Event

    @property
    def lookup(self) -> str:
        """A query for one segment that nothing else reads."""
        row_id = self.gateway.emulator.store.segments[LATE].id
        return f'{{ segment(entityId: "{row_id}") {{ name }} }}'

    async def hang_up(self, *queries: str, when: Callable[[], bool]) -> None:
        """Asks, and hangs up as soon as it is time."""
        clients = [asyncio.ensure_future(self.gateway.ask(query)) for query in queries]
        await until(when)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.001)
    for _ in range(50):  # whatever else would happen at once
        await asyncio.sleep(0)


@pytest.fixture(params=["alone", "with Redis"])
async def world(request: pytest.FixtureRequest, server: RedisServer) -> AsyncIterator[World]:
    server.admin.flushall()
    clock, answers = Clock(), asyncio.Event()
    begin = partial(in_process, 1000, latency_seconds=1, clock=clock)
    if request.param == "alone":
        gateway = begin(LOOKUP_WINDOW_MILLISECONDS="0")
    else:
        gateway = begin(
            LOOKUP_WINDOW_MILLISECONDS="0",
            REDIS_URL=server.url,
            REDIS_TIMEOUT_MILLISECONDS="5000",
        )
    gateway.emulator.sleep = lambda _: answers.wait()
    gateway.emulator.window = RateLimitWindow(100, clock)
    async with gateway.services.running():
        yield World(gateway, clock, answers)


@pytest.mark.parametrize("kind", ["list", "lookup"])
async def test_what_is_on_the_wire_is_kept_for_the_next_client(world: World, kind: str) -> None:
    query = LAST_PAGE if kind == "list" else world.lookup
    gateway = world.gateway
    await world.hang_up(*[query] * 10, when=lambda: gateway.upstream_requests == 1)
    again = asyncio.ensure_future(gateway.data(query))
    await until(lambda: True)
    world.answers.set()
    asked = gateway.upstream_requests
    assert await again == await gateway.data(query)
    requests = 2 if kind == "list" else 1  # the first block tells where the last one is
    assert (asked, gateway.upstream_requests) == (1, requests)


@pytest.mark.parametrize("kind", ["list", "lookup"])
async def test_what_is_on_the_wire_is_stored_where_nobody_comes_meanwhile(
    world: World, kind: str
) -> None:
    query = "{ segments { totalCount } }" if kind == "list" else world.lookup
    gateway = world.gateway
    await world.hang_up(query, when=lambda: gateway.upstream_requests == 1)
    world.answers.set()
    await until(lambda: gateway.services.client.rate_limit is not None)
    await gateway.data(query)
    assert gateway.upstream_requests == 1


async def test_nothing_is_sent_for_those_who_hung_up_while_the_quota_was_used_up(
    world: World,
) -> None:
    gateway = world.gateway
    world.answers.set()
    gateway.emulator.window.quota = 1
    world.clock.seconds += 25
    await gateway.data("{ segments { totalCount } }")
    before = len(asyncio.all_tasks())

    def all_wait() -> bool:
        # Twelve clients, and a flight for the block and one for the id: in the limiter each of
        # those waits for the reset and for an answer.
        return len(asyncio.all_tasks()) >= before + 12 + 2 * 3

    await world.hang_up(*[LAST_PAGE] * 6, *[world.lookup] * 6, when=all_wait)
    assert gateway.upstream_requests == 1
    gateway.emulator.window.quota = 100
    world.clock.seconds += 6
    await gateway.data(world.lookup)
    await until(lambda: True)
    assert gateway.upstream_requests == 2
    assert dict(gateway.emulator.statuses) == {"200": 2}


async def test_parts_of_a_lookup_that_are_on_the_wire_are_all_kept() -> None:
    gateway, answers = in_process(1000, latency_seconds=1, longest_query=1000), asyncio.Event()
    gateway.emulator.sleep = lambda _: answers.wait()
    answers.set()
    ids = [row.id for row in gateway.emulator.store.segments]
    await gateway.services.lookups.look_up_segments(ids[:50])  # learns how many go at once
    answers.clear()
    before = gateway.upstream_requests
    lookup = asyncio.ensure_future(gateway.services.lookups.look_up_segments(ids[50:90]))
    await until(lambda: gateway.upstream_requests == before + 2)
    lookup.cancel(ABANDONED)
    answers.set()
    assert [*await lookup] == ids[50:90]
    assert [*await gateway.services.lookups.kept_segments(ids[50:90])] == ids[50:90]
    assert gateway.upstream_requests == before + 2

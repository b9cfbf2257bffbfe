"""Flights of two processes on one real Redis, under any order of what may happen to them."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis_server import RedisServer, redis_server

from examples import examples
from gateway.cache.across import SharedFlights
from gateway.cache.backend import RedisBackend
from gateway.errors import UpstreamUnavailable
from gateway.redis.connection import RedisConnection
from gateway.redis.keys import lease_of
from gateway.redis.leases import Leases

PLENTY = 20.0
KEYS = ("a", "b", "c")


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@dataclass
class World:
    """One upstream for all processes; it answers when it is let, with what is newest then."""

    server: RedisServer
    version: int = 0
    in_flight: "dict[asyncio.Future[bool], Sequence[str]]" = field(default_factory=dict)
    expired: set[str] = field(default_factory=set)

    def process(self) -> "Process":
        return Process(self, RedisConnection(self.server.url, timeout_seconds=PLENTY))

    def land(self, is_well: bool) -> None:
        """Lets the fill that began first end."""
        waiting = [fill for fill in self.in_flight if not fill.done()]
        if waiting:
            waiting[0].set_result(is_well)


class Process:
    def __init__(self, world: World, connection: RedisConnection) -> None:
        self.world = world
        self.connection = connection
        self.backend = RedisBackend(connection)
        self.flights = SharedFlights(
            Leases(connection, seconds=PLENTY),
            patience_seconds=PLENTY,
            sleep=lambda _: asyncio.sleep(0),
        )

    async def fill(self, keys: Sequence[str], now: int) -> Mapping[str, bytes]:
        world = self.world
        for key in set(keys) - world.expired:
            held = world.server.admin.get(key)
            assert held is None or int(held) < now  # nothing is filled that was there
        together = {key for others in world.in_flight.values() for key in others}
        assert together.intersection(keys) <= world.expired  # one flight per key
        landing = asyncio.get_running_loop().create_future()
        world.in_flight[landing] = keys
        value = str(world.version).encode()
        try:
            if not await landing:
                raise UpstreamUnavailable("down")
            await self.backend.set_many([(key, value) for key in keys], 60)
        finally:
            del world.in_flight[landing]
        return dict.fromkeys(keys, value)

    async def ask(self, keys: Sequence[str]) -> None:
        """Asks for what is no older than now, and checks that it is."""
        now = self.world.version
        found = await self.flights.do_many(
            keys, lambda keys: self.fill(keys, now), lambda value: int(value) >= now
        )
        assert found.keys() == set(keys)
        assert all(int(value) >= now for value in found.values())


keys = st.lists(st.sampled_from(KEYS), min_size=1, max_size=3)
asks = st.tuples(st.just("ask"), st.integers(0, 1), keys)
others = (
    st.tuples(st.just("land"), st.sampled_from([True, True, False]), st.none())
    | st.tuples(st.just("cancel"), st.integers(0, 5), st.none())
    | st.tuples(st.just("expire"), st.sampled_from(KEYS), st.none())
    | st.tuples(st.just("write"), st.none(), st.none())
)
# Each move, and how often Redis may answer before the next one.
moves = st.lists(st.tuples(asks | others, st.integers(0, 12)), min_size=4, max_size=16)


@given(moves)
@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_call_ends_with_what_it_asked_for_and_keys_fly_once(
    server: RedisServer, moves: list[tuple[tuple[str, object, object], int]]
) -> None:
    server.admin.flushall()
    asyncio.run(play(World(server), moves))
    assert server.admin.exists(*map(lease_of, KEYS)) == 0


async def play(world: World, moves: list[tuple[tuple[str, object, object], int]]) -> None:
    processes = [world.process(), world.process()]
    calls: list[asyncio.Task[None]] = []
    for move, answers in moves:
        match move:
            case ("ask", int(number), list(keys)):
                calls.append(asyncio.create_task(processes[number].ask(keys)))
            case ("land", bool(is_well), _):
                world.land(is_well)
            case ("cancel", int(number), _) if number < len(calls):
                calls[number].cancel()
            case ("expire", str(key), _):
                if world.server.admin.delete(lease_of(key)):
                    world.expired.add(key)
            case ("write", _, _):
                world.version += 1
        for _ in range(answers):
            world.server.admin.ping()  # what was asked before this has been answered then
            for _ in range(3):
                await asyncio.sleep(0)
    async with asyncio.timeout(PLENTY):
        while not all(call.done() for call in calls):
            world.land(True)
            await asyncio.sleep(0)
    for call in calls:
        if not call.cancelled() and (error := call.exception()) is not None:
            assert isinstance(error, UpstreamUnavailable), error
    for process in processes:
        assert process.connection.failures == 0
        await process.connection.close()

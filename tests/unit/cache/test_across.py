import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence

import pytest
from redis_server import RedisServer, redis_server

from gateway.cache.across import SharedFlights
from gateway.cache.backend import RedisBackend
from gateway.errors import UpstreamUnavailable
from gateway.redis.connection import RedisConnection
from gateway.redis.keys import lease_of
from gateway.redis.leases import TOKEN_LENGTH, Leases

PLENTY = 20.0


class Time:
    """A clock that every sleep sets forward."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


class Process:
    """The flights of one process, and an upstream that answers once its gate is open."""

    def __init__(self, server: RedisServer, time: Time, lease_seconds: float) -> None:
        self.connection = RedisConnection(server.url, timeout_seconds=PLENTY)
        self.backend = RedisBackend(self.connection)
        self.flights = SharedFlights(
            Leases(self.connection, seconds=lease_seconds),
            patience_seconds=5,
            clock=time,
            sleep=time.sleep,
        )
        self.fills: list[list[str]] = []
        self.began = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None

    async def fill(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        self.fills.append(list(keys))
        self.began.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        values = {key: f"{key} {len(self.fills)}".encode() for key in keys if key != "absent"}
        await self.backend.set_many(list(values.items()), 60.0)
        return values

    def do(
        self, *keys: str, is_enough: Callable[[bytes], bool] = lambda value: True
    ) -> asyncio.Task[dict[str, bytes]]:
        return asyncio.create_task(self.flights.do_many(keys, self.fill, is_enough))


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def start(server: RedisServer, time: Time) -> AsyncIterator[Callable[..., Process]]:
    processes: list[Process] = []

    def start(lease_seconds: float = PLENTY) -> Process:
        processes.append(Process(server, time, lease_seconds))
        return processes[-1]

    yield start
    for process in processes:
        await process.connection.close()


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Lets the loop turn until something is so."""
    async with asyncio.timeout(PLENTY):
        while True:
            seen = condition()
            if seen if isinstance(seen, bool) else await seen:
                return
            await asyncio.sleep(0)


async def test_what_redis_holds_is_taken(start: Callable[..., Process]) -> None:
    process = start()
    await process.backend.set_many([("a", b"held"), ("b", b"old")], 60.0)
    found = await process.do("a", "b", "c", "a", is_enough=lambda value: value != b"old")
    assert found == {"a": b"held", "b": b"b 1", "c": b"c 1"}
    assert process.fills == [["b", "c"]]
    assert process.flights.leases == 2


async def test_leases_are_given_back(server: RedisServer, start: Callable[..., Process]) -> None:
    process = start()
    process.gate.clear()
    flight = process.do("a", "b")
    await process.began.wait()
    assert server.admin.exists(lease_of("a"), lease_of("b")) == 2
    process.gate.set()
    await flight
    assert sorted(server.admin.keys()) == [b"a", b"b"]


async def test_other_process_waits_for_the_first_one_s_fill(
    start: Callable[..., Process],
) -> None:
    first, second = start(), start()
    first.gate.clear()
    early = first.do("a")
    await first.began.wait()
    late = second.do("a", "b")
    await until(lambda: second.flights.waited == 1)
    assert second.fills == [["b"]]  # what was free is not kept waiting
    first.gate.set()
    assert await early == {"a": b"a 1"}
    assert await late == {"a": b"a 1", "b": b"b 1"}
    assert (first.fills, second.fills) == ([["a"]], [["b"]])
    assert second.flights.taken_over == 0


async def test_two_that_hold_parts_of_each_other_s_batch_both_end(
    start: Callable[..., Process],
) -> None:
    first, second = start(), start()
    for process in (first, second):
        process.gate.clear()
    flights = [first.do("a"), second.do("b")]
    await asyncio.gather(first.began.wait(), second.began.wait())
    flights += [first.do("a", "b"), second.do("b", "a")]
    await until(lambda: first.flights.waited == second.flights.waited == 1)
    for process in (first, second):
        process.gate.set()
    for found in (await asyncio.gather(*flights))[2:]:
        assert found == {"a": b"a 1", "b": b"b 1"}
    assert (first.fills, second.fills) == ([["a"]], [["b"]])


async def test_in_a_process_one_call_asks_for_all(
    server: RedisServer, start: Callable[..., Process]
) -> None:
    process = start()
    asked = server.admin.info("stats")["total_commands_processed"]
    flights = [process.do("a") for _ in range(200)]
    assert await asyncio.gather(*flights) == [{"a": b"a 1"}] * 200
    assert process.fills == [["a"]]
    commands = server.admin.info("stats")["total_commands_processed"] - asked
    # Looked, leased, stored, released; the connections of one call, and this test's own.
    assert commands < 20


async def test_what_left_too_early_is_not_joined(start: Callable[..., Process]) -> None:
    process = start()
    process.gate.clear()
    early = process.do("a")
    await process.began.wait()
    late = process.do("a", is_enough=lambda value: value != b"a 1")
    process.gate.set()
    assert await early == {"a": b"a 1"}
    assert await late == {"a": b"a 2"}


async def test_what_has_landed_is_asked_for_anew_while_its_call_waits_for_more(
    start: Callable[..., Process],
) -> None:
    other, process = start(), start()
    other.gate.clear()
    holding = other.do("b")
    await other.began.wait()
    waiting = process.do("a", "b")
    await until(lambda: process.flights.waited == 1)
    async with asyncio.timeout(PLENTY):
        assert await process.do("a", is_enough=lambda value: value != b"a 1") == {"a": b"a 2"}
        assert await process.do("a") == {"a": b"a 2"}
    other.gate.set()
    assert await waiting == {"a": b"a 1", "b": b"b 1"}
    await holding
    assert process.fills == [["a"], ["a"]]


async def test_error_reaches_all_of_the_process_and_another_one_takes_over(
    server: RedisServer, start: Callable[..., Process]
) -> None:
    first, second = start(), start()
    first.gate.clear()
    first.error = UpstreamUnavailable("down")
    failing = [first.do("a"), first.do("a")]
    await first.began.wait()
    waiting = second.do("a")
    await until(lambda: second.flights.waited == 1)
    first.gate.set()
    assert await asyncio.gather(*failing, return_exceptions=True) == [first.error] * 2
    assert await waiting == {"a": b"a 1"}
    assert (len(first.fills), second.flights.taken_over) == (1, 1)
    assert server.admin.keys() == [b"a"]


async def test_error_does_not_reach_who_asked_for_another_key(
    start: Callable[..., Process],
) -> None:
    holder, process = start(), start()
    holder.gate.clear()
    held = holder.do("b")
    await holder.began.wait()
    process.gate.clear()
    process.error = UpstreamUnavailable("down")
    failing = process.do("a", "b")
    await process.began.wait()
    joined = process.do("b")
    await asyncio.sleep(0)
    process.gate.set()
    with pytest.raises(UpstreamUnavailable):
        await failing
    holder.gate.set()
    assert await held == await joined == {"b": b"b 1"}
    assert process.fills == [["a"]]


async def test_caller_that_is_cancelled_gives_its_leases_to_the_next(
    server: RedisServer, start: Callable[..., Process]
) -> None:
    first, second = start(), start()
    first.gate.clear()
    early = first.do("a")
    await first.began.wait()
    joined, other = first.do("a"), second.do("a")
    await until(lambda: second.flights.waited == 1)
    early.cancel()
    first.gate.set()
    assert {**await joined, **await other}.keys() == {"a"}
    # Whoever was faster of the two filled, and the other took that.
    assert (len(first.fills) - 1) + len(second.fills) == 1
    assert server.admin.keys() == [b"a"]


async def test_key_that_its_fill_leaves_out_is_left_out_for_all_who_joined(
    start: Callable[..., Process],
) -> None:
    process = start()
    flights = [process.do("absent", "a"), process.do("absent")]
    assert await asyncio.gather(*flights) == [{"a": b"a 1"}, {}]
    assert process.fills == [["absent", "a"]]


async def test_lease_whose_holder_died_is_taken_over(
    server: RedisServer, start: Callable[..., Process]
) -> None:
    process = start()
    server.admin.set(lease_of("a"), "k" * TOKEN_LENGTH)
    waiting = process.do("a")
    await until(lambda: process.flights.waited == 1)
    server.admin.delete(lease_of("a"))  # as its time runs out
    assert await waiting == {"a": b"a 1"}
    assert process.flights.taken_over == 1


async def test_patience_ends(
    server: RedisServer, start: Callable[..., Process], time: Time
) -> None:
    process = start()
    server.admin.set(lease_of("a"), "e" * TOKEN_LENGTH, ex=60)
    before = time()
    assert await process.do("a") == {"a": b"a 1"}
    assert 5 <= time() - before < 5.1
    assert server.admin.get(lease_of("a")) == b"e" * TOKEN_LENGTH


async def test_lease_without_a_life_is_removed_after_two_seconds(
    server: RedisServer, start: Callable[..., Process], time: Time
) -> None:
    process = start()
    server.admin.set(lease_of("a"), "e" * TOKEN_LENGTH)
    before = time()
    assert await process.do("a") == {"a": b"a 1"}
    assert 2 <= time() - before < 2.1
    assert server.admin.get(lease_of("a")) is None


async def test_lease_is_renewed_while_its_holder_fills(
    server: RedisServer, start: Callable[..., Process]
) -> None:
    process = start(lease_seconds=0.15)
    process.gate.clear()
    flight = process.do("a")
    await process.began.wait()
    token = server.admin.get(lease_of("a"))
    # Only what was renewed has more than two thirds of its life left after less than that.
    for _ in range(2):
        await until(lambda: server.admin.pttl(lease_of("a")) <= 110)
        await until(lambda: server.admin.pttl(lease_of("a")) > 120)
    assert server.admin.get(lease_of("a")) == token
    process.gate.set()
    await flight


@pytest.mark.parametrize("trouble", [RedisServer.kill, RedisServer.fill])
async def test_without_leases_all_is_filled_at_once(
    trouble: Callable[[RedisServer], None], server: RedisServer, start: Callable[..., Process]
) -> None:
    process = start()
    trouble(server)
    flights = [process.do("a", "b"), process.do("a")]
    assert await asyncio.gather(*flights) == [{"a": b"a 1", "b": b"b 1"}, {"a": b"a 1"}]
    assert process.fills == [["a", "b"]]


@pytest.mark.parametrize("trouble", [RedisServer.kill, RedisServer.restart])
async def test_waiter_fills_when_redis_goes_away_or_forgets(
    trouble: Callable[[RedisServer], None], server: RedisServer, start: Callable[..., Process]
) -> None:
    first, second = start(), start()
    first.gate.clear()
    early = first.do("a")
    await first.began.wait()
    waiting = second.do("a")
    await until(lambda: second.flights.waited == 1)
    trouble(server)
    assert await waiting == {"a": b"a 1"}
    first.gate.set()
    assert await early == {"a": b"a 1"}
    assert (first.fills, second.fills) == ([["a"]], [["a"]])

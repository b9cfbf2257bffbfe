import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from redis_server import RedisServer, redis_server

from gateway.cache.invalidations import POLL_SECONDS, Invalidations
from gateway.redis.connection import LONGEST_PAUSE_SECONDS, RedisConnection

PLENTY = 20.0
KEEP = 600.0
NOW = 1_790_000_000.123456


class Time:
    """One clock for all: of the wall, of the pauses, and of a poll that waits until it is let."""

    def __init__(self) -> None:
        self.seconds = NOW
        self.waits: list[float] = []
        self.is_asleep = asyncio.Event()
        self.gate = asyncio.Event()

    def __call__(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.is_asleep.set()
        await self.gate.wait()
        self.gate.clear()


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    running.admin.flushall()
    return running


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def start(server: RedisServer, time: Time) -> AsyncIterator[Callable[[], Invalidations]]:
    connections: list[RedisConnection] = []

    def start() -> Invalidations:
        connections.append(RedisConnection(server.url, timeout_seconds=PLENTY, clock=time))
        return Invalidations(
            connections[-1], "gateway:abc", keep_seconds=KEEP, clock=time, sleep=time.sleep
        )

    yield start
    for connection in connections:
        await connection.close()


async def test_without_redis_a_write_holds_in_the_process(time: Time) -> None:
    async with Invalidations(None, "gateway", keep_seconds=KEEP, clock=time) as alone:
        assert alone.invalidated_at("segments") == 0.0
        await alone.announce("segments", NOW)
        await alone.announce("segments", NOW - 5)
        await alone.ask()
        assert alone.invalidated_at("segments") == NOW


async def test_others_learn_the_exact_time(start: Callable[[], Invalidations]) -> None:
    writer, reader = start(), start()
    await writer.announce("segments", NOW)
    await writer.announce("a segment's profiles: é", NOW - 1 / 3)
    await reader.ask()
    assert reader.invalidated_at("segments") == NOW
    assert reader.invalidated_at("a segment's profiles: é") == NOW - 1 / 3


async def test_earlier_time_changes_nothing(start: Callable[[], Invalidations]) -> None:
    writer, slow_writer, reader = start(), start(), start()
    await writer.announce("segments", NOW)
    await slow_writer.announce("segments", NOW - 5)
    await reader.ask()
    assert reader.invalidated_at("segments") == NOW


async def test_what_is_told_late_is_learnt_as_well(start: Callable[[], Invalidations]) -> None:
    writer, reader = start(), start()
    await writer.announce("segments", NOW)
    await reader.ask()
    await writer.announce("profiles", NOW - 300)
    await reader.ask()
    assert reader.invalidated_at("profiles") == NOW - 300


async def test_no_news_costs_no_reading(
    server: RedisServer, start: Callable[[], Invalidations]
) -> None:
    writer, reader = start(), start()
    await writer.announce("segments", NOW)
    await reader.ask()
    before = server.admin.info("commandstats")["cmdstat_zrange"]["calls"]
    await reader.ask()
    assert server.admin.info("commandstats")["cmdstat_zrange"]["calls"] == before


async def test_process_that_starts_knows_what_was_written(
    start: Callable[[], Invalidations],
) -> None:
    await start().announce("segments", NOW)
    async with start() as reader:
        assert reader.invalidated_at("segments") == NOW


async def test_block_asks_again_and_again(start: Callable[[], Invalidations], time: Time) -> None:
    writer = start()
    async with start() as reader:
        await time.is_asleep.wait()
        time.is_asleep.clear()
        await writer.announce("segments", NOW)
        assert reader.invalidated_at("segments") == 0.0
        time.gate.set()
        await time.is_asleep.wait()
        assert reader.invalidated_at("segments") == NOW
    assert time.waits == [POLL_SECONDS] * 2


async def test_what_redis_lost_is_told_again(
    server: RedisServer, start: Callable[[], Invalidations]
) -> None:
    writer, reader = start(), start()
    await writer.announce("segments", NOW)
    server.admin.flushall()
    await writer.ask()
    await reader.ask()
    assert reader.invalidated_at("segments") == NOW


async def test_what_redis_had_forgotten_of_late_is_told_again(
    server: RedisServer, start: Callable[[], Invalidations]
) -> None:
    writer, other, reader = start(), start(), start()
    await writer.announce("segments", NOW)
    server.admin.flushall()
    await other.announce("profiles", NOW)
    await writer.ask()
    await reader.ask()
    assert reader.invalidated_at("segments") == reader.invalidated_at("profiles") == NOW


async def test_times_without_their_stamp_count_as_lost(
    server: RedisServer, start: Callable[[], Invalidations], time: Time
) -> None:
    writer, reader = start(), start()
    await writer.announce("segments", NOW)
    server.admin.zadd("gateway:abc:invalidated", {"segments": float("inf")})
    server.admin.delete("gateway:abc:invalidated!stamp")
    for _ in range(3):  # what has no stamp would be news at each poll
        time.seconds += POLL_SECONDS
        await reader.ask()
        assert reader.invalidated_at("segments") == 0.0
    await writer.ask()
    await reader.ask()
    assert reader.invalidated_at("segments") == time()


@pytest.mark.parametrize("odd", ["gateway:abc:invalidated", "gateway:abc:invalidated!stamp"])
@pytest.mark.parametrize("words", [["SET", "odd"], ["HSET", "odd", "odd"], ["SADD", "odd"]])
async def test_value_of_another_type_counts_as_lost_and_is_replaced(
    odd: str, words: list[str], server: RedisServer, start: Callable[[], Invalidations]
) -> None:
    writer, reader = start(), start()
    await writer.announce("segments", NOW)
    server.admin.delete(odd)
    server.admin.execute_command(words[0], odd, *words[1:])  # type: ignore[no-untyped-call]
    await reader.ask()
    await writer.ask()
    await writer.announce("profiles", NOW)
    await reader.ask()
    assert reader.invalidated_at("profiles") == NOW


async def test_write_while_redis_is_away_is_told_once_it_is_back(
    start: Callable[[], Invalidations], server: RedisServer, time: Time
) -> None:
    writer, reader = start(), start()
    server.kill()
    await writer.announce("segments", NOW)
    assert writer.invalidated_at("segments") == NOW
    await writer.ask()
    server.start()
    time.seconds += LONGEST_PAUSE_SECONDS
    await writer.ask()
    await reader.ask()
    assert reader.invalidated_at("segments") == NOW


async def test_write_that_a_full_redis_refuses_is_told_once_it_is_not(
    start: Callable[[], Invalidations], server: RedisServer
) -> None:
    writer, reader = start(), start()
    server.fill()
    await writer.announce("segments", NOW)
    server.empty()
    await writer.ask()
    await reader.ask()
    assert reader.invalidated_at("segments") == NOW


async def test_old_news_are_forgotten_everywhere(
    server: RedisServer, start: Callable[[], Invalidations], time: Time
) -> None:
    writer, reader = start(), start()
    await writer.announce("segments", NOW)
    await reader.ask()
    time.seconds = NOW + KEEP
    await reader.ask()
    assert reader.invalidated_at("segments") == NOW
    time.seconds = NOW + KEEP + 1
    await reader.ask()
    await writer.announce("profiles", time())
    assert reader.invalidated_at("segments") == writer.invalidated_at("segments") == 0.0
    assert server.admin.zrange("gateway:abc:invalidated", 0, -1) == [b"profiles"]
    assert 0 < server.admin.pttl("gateway:abc:invalidated") <= KEEP * 1000 + 1


async def test_write_of_a_clock_that_goes_ahead_counts_from_when_it_is_learnt(
    start: Callable[[], Invalidations], time: Time
) -> None:
    writer, reader = start(), start()
    await writer.announce("segments", NOW + 60)
    time.seconds = NOW + 0.5
    await reader.ask()
    assert reader.invalidated_at("segments") == NOW + 0.5

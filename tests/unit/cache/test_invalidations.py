from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from clock import Clock, settle
from redis_server import RedisServer, redis_server

from gateway.cache.invalidations import (
    MOST_MEMBERS,
    MOST_ROWS,
    WRITES_POLL_SECONDS,
    Invalidations,
)
from gateway.redis.connection import AWAY_SECONDS, RedisConnection
from gateway.redis.signer import Signer

PLENTY = 20.0
KEEP = 600.0
NOW = 1_790_000_000.123456
KEY = "gateway:abc:invalidated"
SIGNER = Signer("token")

Start = Callable[[], Invalidations]


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    running.admin.flushall()
    return running


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
async def start(server: RedisServer, clock: Clock) -> AsyncIterator[Start]:
    """Returns the invalidations of one more process."""
    connections: list[RedisConnection] = []

    def start() -> Invalidations:
        connections.append(RedisConnection(server.url, timeout_seconds=PLENTY, clock=clock))
        return Invalidations(
            connections[-1],
            "gateway:abc",
            signer=SIGNER,
            keep_seconds=KEEP,
            clock=clock,
            sleep=clock.sleep,
        )

    yield start
    for connection in connections:
        await connection.close()


async def test_without_redis_a_write_holds_in_the_process(clock: Clock) -> None:
    async with Invalidations(
        None, "gateway", signer=SIGNER, keep_seconds=KEEP, clock=clock
    ) as alone:
        assert alone.written_at("segments") == 0.0
        await alone.announce(["segments"], NOW)
        await alone.announce(["segments"], NOW - 5)
        await alone.poll()
        assert alone.written_at("segments") == NOW


async def test_without_redis_writes_are_kept_as_long_as_values_may_be_served(clock: Clock) -> None:
    async with Invalidations(
        None, "gateway", signer=SIGNER, keep_seconds=KEEP, clock=clock
    ) as alone:
        await alone.announce(["a"], clock.now)
        clock.advance(KEEP + 1)
        await alone.announce(["b"], clock.now)
        assert (alone.written_at("a"), alone.written_at("b")) == (0.0, clock.now)


async def test_other_processes_learn_the_exact_time(start: Start) -> None:
    writer, reader = start(), start()
    await writer.announce(["segments"], NOW)
    await writer.announce(["a segment's profiles: é"], NOW - 1 / 3)
    await reader.poll()
    assert reader.written_at("segments") == NOW
    assert reader.written_at("a segment's profiles: é") == NOW - 1 / 3


async def test_process_that_starts_learns_earlier_writes(start: Start) -> None:
    await start().announce(["segments"], NOW)
    async with start() as reader:
        assert reader.written_at("segments") == NOW


async def test_redis_is_polled_until_the_block_ends(start: Start, clock: Clock) -> None:
    writer = start()
    async with start() as reader:
        await settle()
        await writer.announce(["segments"], NOW)
        assert reader.written_at("segments") == 0.0
        clock.advance(WRITES_POLL_SECONDS)
        while len(clock.slept) < 2:
            await settle(1)
        assert reader.written_at("segments") == NOW
    assert clock.slept == [WRITES_POLL_SECONDS] * 2


async def test_later_write_counts_once_its_writer_has_polled(start: Start) -> None:
    writer, slow_writer, reader = start(), start(), start()
    await writer.announce(["segments"], NOW)
    await slow_writer.announce(["segments"], NOW - 5)
    for process in (writer, slow_writer, reader):
        await process.poll()
        assert process.written_at("segments") == NOW


async def test_write_is_learned_however_old_it_is(start: Start) -> None:
    writer, reader = start(), start()
    await writer.announce(["segments"], NOW)
    await reader.poll()
    await writer.announce(["profiles"], NOW - 300)
    await reader.poll()
    assert reader.written_at("profiles") == NOW - 300


@pytest.mark.parametrize("at", [NOW + 60, float("inf")])
async def test_write_by_a_clock_that_is_ahead_counts_once_from_when_it_is_learned(
    at: float, server: RedisServer, start: Start, clock: Clock
) -> None:
    writer, reader = start(), start()
    server.admin.zadd(KEY, {SIGNER.sign(KEY, at, b"segments"): at})
    clock.advance(0.5)
    await reader.poll()
    assert reader.written_at("segments") == NOW + 0.5
    clock.advance(0.5)
    await reader.poll()
    assert reader.written_at("segments") == NOW + 0.5
    await writer.announce(["segments"], NOW + 1)  # the write of another process counts as well
    await reader.poll()
    assert reader.written_at("segments") == NOW + 1


async def test_process_has_one_member_for_a_collection(server: RedisServer, start: Start) -> None:
    writer, other = start(), start()
    for at in (NOW - 2, NOW, NOW - 1, NOW):
        await writer.announce(["segments"], at)
    assert server.admin.zrange(KEY, 0, -1) == [SIGNER.sign(KEY, NOW, b"segments")]
    await other.announce(["segments"], NOW - 1)
    await writer.announce(["profiles"], NOW)
    assert server.admin.zcard(KEY) == 3


async def test_members_that_no_process_has_signed_are_ignored(
    server: RedisServer, start: Start
) -> None:
    reader = start()
    forged = Signer("another").sign(KEY, NOW, b"segments")
    elsewhere = SIGNER.sign("gateway:abd:invalidated", NOW, b"segments")
    server.admin.zadd(KEY, dict.fromkeys([b"segments", b"", b"\xff" * 40, forged, elsewhere], NOW))
    await reader.poll()
    assert reader.written_at("segments") == 0.0
    assert server.admin.zcard(KEY) == 5  # another token's may be among them


async def test_score_of_a_member_counts_for_nothing(server: RedisServer, start: Start) -> None:
    writer, reader = start(), start()
    await writer.announce(["segments"], NOW - 60)
    server.admin.zadd(KEY, {SIGNER.sign(KEY, NOW - 60, b"segments"): float("inf")})
    await reader.poll()
    assert reader.written_at("segments") == NOW - 60


async def test_members_of_another_writer_hide_no_write(server: RedisServer, start: Start) -> None:
    writer, reader = start(), start()
    await writer.announce(["segments"], NOW)
    server.admin.zadd(KEY, {f"{n}": float("inf") for n in range(MOST_MEMBERS)})
    await writer.poll()
    await reader.poll()
    assert reader.written_at("segments") == NOW
    assert server.admin.zcard(KEY) == 1


async def test_writes_that_redis_lost_are_added_again(server: RedisServer, start: Start) -> None:
    writer, other, reader = start(), start(), start()
    await writer.announce(["segments"], NOW)
    server.admin.flushall()
    await other.announce(["profiles"], NOW)
    await writer.poll()
    await reader.poll()
    assert reader.written_at("segments") == reader.written_at("profiles") == NOW


@pytest.mark.parametrize("words", [["SET", "odd"], ["HSET", "odd", "odd"], ["SADD", "odd"]])
async def test_value_of_another_type_is_replaced(
    words: list[str], server: RedisServer, start: Start
) -> None:
    writer, reader = start(), start()
    await writer.announce(["segments"], NOW)
    server.admin.delete(KEY)
    server.admin.execute_command(words[0], KEY, *words[1:])  # type: ignore[no-untyped-call]
    await reader.poll()
    await writer.poll()
    await reader.poll()
    assert reader.written_at("segments") == NOW


async def test_write_while_redis_is_away_is_added_once_it_is_back(
    start: Start, server: RedisServer, clock: Clock
) -> None:
    writer, reader = start(), start()
    server.kill()
    await writer.announce(["segments"], NOW)
    assert writer.written_at("segments") == NOW
    await writer.poll()
    server.start()
    clock.advance(AWAY_SECONDS)
    await writer.poll()
    await reader.poll()
    assert reader.written_at("segments") == NOW


@pytest.mark.parametrize("command", ["zadd", "zrevrangebyscore"])
async def test_write_that_redis_refuses_is_added_once_it_does_not(
    command: str, start: Start, server: RedisServer
) -> None:
    writer, reader = start(), start()
    server.admin.acl_setuser("default", commands=[f"-{command}"], enabled=True)
    try:
        await writer.announce(["segments"], NOW)
        await writer.poll()
    finally:
        server.admin.acl_setuser("default", commands=["+@all"], enabled=True)
    await writer.poll()
    await reader.poll()
    assert reader.written_at("segments") == NOW


async def test_old_writes_are_forgotten_everywhere(
    server: RedisServer, start: Start, clock: Clock
) -> None:
    writer, reader = start(), start()
    await writer.announce(["segments"], NOW)
    await reader.poll()
    clock.advance(KEEP)
    await reader.poll()
    assert reader.written_at("segments") == NOW
    clock.advance(1)
    await reader.poll()
    await writer.announce(["profiles"], clock())
    await writer.poll()
    assert reader.written_at("segments") == writer.written_at("segments") == 0.0
    assert server.admin.zrange(KEY, 0, -1) == [SIGNER.sign(KEY, clock(), b"profiles")]
    assert 0 < server.admin.pttl(KEY) <= KEEP * 1000 + 1


# Rows, and lists of one shape.


async def test_a_write_to_a_row_is_none_to_its_collection(start: Start) -> None:
    writer, reader = start(), start()
    await writer.announce(["customers/17", "customers/18"], NOW)
    await reader.poll()
    for process in (writer, reader):
        assert process.rows_written("customers") == {"17": NOW, "18": NOW}
        assert (process.written_at("customers"), process.rows_written("segments")) == (0.0, {})


async def test_a_write_to_all_lists_of_a_shape_is_one_to_each(start: Start) -> None:
    writer, reader = start(), start()
    await writer.announce(["segments/*/shopper-profiles"], NOW)
    await writer.announce(["segments/a/shopper-profiles"], NOW + 1)
    await reader.poll()
    for name, at in (
        ("segments/a/shopper-profiles", NOW + 1),
        ("segments/b/shopper-profiles", NOW),
        ("shopper-profiles/a/segments", 0.0),
        ("segments/a/other", 0.0),
        ("segments", 0.0),
    ):
        assert (writer.written_at(name), min(reader.written_at(name), NOW)) == (at, min(at, NOW))


async def test_many_rows_are_announced_as_their_collection(
    server: RedisServer, start: Start
) -> None:
    writer, reader = start(), start()
    await writer.announce([f"customers/{n}" for n in range(MOST_ROWS)], NOW)
    assert server.admin.zcard(KEY) == MOST_ROWS
    await writer.announce([f"customers/{n}" for n in range(MOST_ROWS - 1)], NOW + 1)
    assert server.admin.zcard(KEY) == MOST_ROWS
    await writer.announce(["customers/new", "segments"], NOW + 2)
    assert sorted(server.admin.zrange(KEY, 0, -1)) == sorted(
        SIGNER.sign(KEY, NOW + 2, name) for name in (b"customers", b"segments")
    )
    await reader.poll()
    assert writer.written_at("customers") == NOW + 2
    assert reader.written_at("customers") > 0


async def test_many_lists_of_a_shape_are_announced_as_all_of_them(
    server: RedisServer, start: Start
) -> None:
    writer = start()
    for n in range(MOST_ROWS + 1):
        await writer.announce([f"segments/{n}/shopper-profiles", "segments"], NOW + n)
    latest = NOW + MOST_ROWS
    assert sorted(server.admin.zrange(KEY, 0, -1)) == sorted(
        SIGNER.sign(KEY, latest, name) for name in (b"segments/*/shopper-profiles", b"segments")
    )
    assert writer.written_at("segments/0/shopper-profiles") == latest
    assert writer.written_at("segments/new/shopper-profiles") == latest


async def test_rows_are_forgotten_as_collections_are(start: Start, clock: Clock) -> None:
    writer = start()
    await writer.announce(["customers/1"], NOW)
    clock.advance(KEEP + 1)
    await writer.announce(["customers/2"], clock())
    assert writer.rows_written("customers") == {"2": clock()}
    clock.advance(KEEP + 1)
    await writer.poll()
    assert writer.rows_written("customers") == {}


async def test_rows_of_many_processes_count_as_their_collection(
    server: RedisServer, start: Start, clock: Clock
) -> None:
    reader = start()
    for batch in range(3):
        names = [b"customers/%d" % (400 * batch + n) for n in range(400)]
        at = NOW + batch
        server.admin.delete(KEY)
        server.admin.zadd(KEY, {SIGNER.sign(KEY, at, name): at for name in names})
        clock.advance(1)
        await reader.poll()
        assert len(reader.rows_written("customers")) <= MOST_MEMBERS
    assert reader.written_at("customers") == NOW + 2

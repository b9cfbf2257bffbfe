import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from redis_server import RedisServer, redis_server

from gateway.redis.connection import RedisConnection
from gateway.redis.keys import lease_of
from gateway.redis.leases import Leases

PLENTY = 20.0
# As a token of another process.
ANOTHER = "0123456789abcdef" * 2
MANY = [f"k{n}" for n in range(1000)]


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
async def leases(server: RedisServer) -> AsyncIterator[Leases]:
    connection = RedisConnection(server.url, timeout_seconds=PLENTY)
    yield Leases(connection, seconds=PLENTY)
    await connection.close()


async def test_look_tells_values_and_leases(server: RedisServer, leases: Leases) -> None:
    server.admin.mset({"a": "value", lease_of("b"): ANOTHER})
    assert await leases.look(["a", "b", "c"]) == [(b"value", False), (None, True), (None, False)]


async def test_leases_that_are_free_come_with_their_values(
    server: RedisServer, leases: Leases
) -> None:
    # As stored by a holder who gave the lease back since somebody looked.
    server.admin.set("a", "value")
    server.admin.set(lease_of("b"), ANOTHER, ex=60)
    async with leases.taken(["a", "b", "c"]) as ours:
        assert ours == {"a": b"value", "c": None}
        async with leases.taken(["a", "b", "c"]) as others:
            assert others == {}
        assert PLENTY * 500 < server.admin.pttl(lease_of("a")) <= PLENTY * 1000
    assert sorted(server.admin.keys()) == [b"a", lease_of("b").encode()]


async def test_many_are_taken_at_once(server: RedisServer, leases: Leases) -> None:
    async with leases.taken(MANY) as ours:
        assert ours == dict.fromkeys(MANY)
    assert server.admin.dbsize() == 0


async def test_lease_that_another_one_took_over_is_left_to_it(
    server: RedisServer, leases: Leases
) -> None:
    async with leases.taken(["a"]):
        server.admin.set(lease_of("a"), ANOTHER)
    assert server.admin.get(lease_of("a")) == ANOTHER.encode()


async def test_block_that_fails_gives_them_back(server: RedisServer, leases: Leases) -> None:
    with pytest.raises(ZeroDivisionError):
        async with leases.taken(["a"]):
            raise ZeroDivisionError
    assert server.admin.dbsize() == 0


async def take_for_ever(leases: Leases) -> None:
    async with leases.taken(["a", "b"]):
        await asyncio.Event().wait()


async def test_whoever_is_cancelled_at_any_time_gives_them_back(
    server: RedisServer, leases: Leases
) -> None:
    for turns in range(40):
        taking = asyncio.create_task(take_for_ever(leases))
        for _ in range(turns):
            await asyncio.sleep(0)
            if turns % 2:
                server.admin.ping()  # what was asked before this has been carried out
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
        assert server.admin.dbsize() == 0


@pytest.mark.parametrize("command", ["SET", "HSET", "SADD"])
async def test_what_lies_in_the_place_of_a_lease_is_replaced(
    command: str, server: RedisServer, leases: Leases
) -> None:
    put_odd(server, lease_of("a"), command)
    assert await leases.look(["a", "b"]) == [(None, False), (None, False)]
    async with leases.taken(["a", "b"]) as ours:
        assert ours == {"a": None, "b": None}
        async with leases.taken(["a", "b"]) as others:
            assert others == {}
    assert server.admin.dbsize() == 0


@pytest.mark.parametrize("command", ["HSET", "SADD"])
async def test_value_that_is_no_string_is_none(
    command: str, server: RedisServer, leases: Leases
) -> None:
    put_odd(server, "a", command)
    assert await leases.look(["a"]) == [(None, False)]
    async with leases.taken(["a"]) as ours:
        assert ours == {"a": None}
    assert server.admin.keys() == [b"a"]


def put_odd(server: RedisServer, key: str, command: str) -> None:
    words = {"SET": ["odd"], "HSET": ["odd", "odd"], "SADD": ["odd"]}[command]
    server.admin.execute_command(command, key, *words)  # type: ignore[no-untyped-call]


async def test_redis_that_is_away_leases_nothing(server: RedisServer, leases: Leases) -> None:
    server.kill()
    assert await leases.look(["a"]) is None
    async with leases.taken(["a"]) as ours:
        assert ours is None

from collections.abc import AsyncIterator, Iterator

import pytest
from redis_server import RedisServer, redis_server

from gateway.cache.backend import RedisBackend
from gateway.redis.connection import RedisConnection

PLENTY = 20.0
MANY = [(f"k{n}", b"\x00\xff" + bytes(str(n), "ascii")) for n in range(250)]


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
async def connection(server: RedisServer) -> AsyncIterator[RedisConnection]:
    connection = RedisConnection(server.url, timeout_seconds=PLENTY)
    yield connection
    await connection.close()


async def test_bytes_come_back_as_they_went_in(connection: RedisConnection) -> None:
    backend = RedisBackend(connection)
    await backend.set_many(MANY, 60)
    assert await backend.get_many(["none", *(key for key, _ in MANY)]) == [
        None,
        *(value for _, value in MANY),
    ]
    await backend.set_many([("empty", b"")], 60)
    assert await backend.get_many(["empty"]) == [b""]


async def test_keys_and_values_lie_in_redis_as_they_are(
    server: RedisServer, connection: RedisConnection
) -> None:
    await RedisBackend(connection).set_many([("a:b", b"\x80raw")], 60)
    assert server.admin.get("a:b") == b"\x80raw"
    assert server.admin.keys() == [b"a:b"]


async def test_values_live_so_long(server: RedisServer, connection: RedisConnection) -> None:
    await RedisBackend(connection).set_many([("a", b"1"), ("b", b"2")], 90.5)
    for key in ("a", "b"):
        assert 80_000 < server.admin.pttl(key) <= 90_500


@pytest.mark.parametrize("life_seconds", [0, 0.0004, -1.0])
async def test_life_of_nothing_stores_nothing(
    life_seconds: float, server: RedisServer, connection: RedisConnection
) -> None:
    await RedisBackend(connection).set_many([("a", b"1")], life_seconds)
    assert server.admin.keys() == []
    assert connection.failures == 0


async def test_nothing_asked_is_no_call(server: RedisServer, connection: RedisConnection) -> None:
    backend = RedisBackend(connection)
    assert await backend.get_many([]) == []
    await backend.set_many([], 60)
    assert connection.state == "not asked yet"


async def test_redis_that_is_away_misses(server: RedisServer, connection: RedisConnection) -> None:
    server.kill()
    backend = RedisBackend(connection)
    await backend.set_many([("a", b"1")], 60)
    assert await backend.get_many(["a", "b"]) == [None, None]
    assert (connection.failures, connection.passed_over) == (1, 1)


async def test_all_or_nothing_is_stored(server: RedisServer, connection: RedisConnection) -> None:
    server.fill()
    await RedisBackend(connection).set_many(MANY, 60)
    assert connection.state == "refuses writes"
    server.admin.config_set("maxmemory", 0)
    assert server.admin.keys() == []

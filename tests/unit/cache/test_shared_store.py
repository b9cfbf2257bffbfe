from collections.abc import AsyncIterator, Iterator

import pytest
from redis_server import RedisServer, redis_server

from gateway.cache.shared_store import SharedStore, read_values
from gateway.redis.connection import RedisConnection
from gateway.redis.signer import Signer

PLENTY = 20.0
SIGNER = Signer("token")
READ_AT = 1_800_000_000.123456
SIGNED = SIGNER.sign("a", READ_AT, b"value")
MANY = [(f"k{n}", READ_AT + n, b"\x00\xff" + bytes(str(n), "ascii")) for n in range(250)]


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
async def connection(server: RedisServer) -> AsyncIterator[RedisConnection]:
    connection = RedisConnection(server.url, timeout_seconds=PLENTY)
    yield connection
    await connection.close()


async def test_values_come_back_with_the_exact_time_of_their_read(
    connection: RedisConnection,
) -> None:
    store = SharedStore(connection, 60, SIGNER)
    await store.set_many([*MANY, ("empty", READ_AT, b"")])
    assert await store.get_many(["none", *(key for key, _, _ in MANY), "empty"]) == [
        None,
        *((read_at, value) for _, read_at, value in MANY),
        (READ_AT, b""),
    ]


async def test_keys_lie_in_redis_unchanged_and_expire_together(
    server: RedisServer, connection: RedisConnection
) -> None:
    await SharedStore(connection, 90.5, SIGNER).set_many(
        [("a:b", READ_AT, b"1"), ("c", READ_AT, b"2")]
    )
    assert server.admin.get("a:b") == SIGNER.sign("a:b", READ_AT, b"1")
    assert sorted(server.admin.keys()) == [b"a:b", b"c"]
    for key in ("a:b", "c"):
        assert 80_000 < server.admin.pttl(key) <= 90_500


@pytest.mark.parametrize("max_age_seconds", [0, 0.0004])
async def test_max_age_of_less_than_a_millisecond_stores_nothing(
    max_age_seconds: float, connection: RedisConnection
) -> None:
    store = SharedStore(connection, max_age_seconds, SIGNER)
    await store.set_many([("a", READ_AT, b"1")])
    assert connection.state == "not asked yet"


async def test_storing_nothing_is_no_call(connection: RedisConnection) -> None:
    await SharedStore(connection, 60, SIGNER).set_many([])
    assert connection.state == "not asked yet"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"text",
        SIGNED[:23],
        SIGNED[:-1],
        SIGNED.replace(b"value", b"eulav"),
        SIGNED[:7] + b"\xff" + SIGNED[8:],
        SIGNER.sign("b", READ_AT, b"value"),
        Signer("another").sign("a", READ_AT, b"value"),
    ],
    ids=["empty", "text", "cut", "shorter", "changed", "later", "of another key", "forged"],
)
async def test_what_was_not_signed_for_the_key_is_a_miss(
    raw: bytes, server: RedisServer, connection: RedisConnection
) -> None:
    server.admin.set("a", raw)
    assert await SharedStore(connection, 60, SIGNER).get_many(["a"]) == [None]
    assert connection.failures == 0


async def test_redis_that_is_away_misses(server: RedisServer, connection: RedisConnection) -> None:
    server.kill()
    store = SharedStore(connection, 60, SIGNER)
    await store.set_many([("a", READ_AT, b"1")])
    assert await store.get_many(["a", "b"]) == [None, None]
    assert (connection.failures, connection.passed_over) == (1, 1)


async def test_all_values_are_stored_or_none(
    server: RedisServer, connection: RedisConnection
) -> None:
    server.fill()
    await SharedStore(connection, 60, SIGNER).set_many(MANY)
    assert connection.state == "refuses writes"
    server.admin.config_set("maxmemory", 0)
    assert server.admin.keys() == []


@pytest.mark.parametrize(
    "answer", [b"OK", 1, None, [], [b"a"], [b"a", 1], [b"a", "text"], [b"a", [b"b"]], (b"a", b"b")]
)
def test_answer_without_values_is_not_read(answer: object) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        read_values(answer, 2)


def test_values_are_read_as_they_are() -> None:
    assert read_values([b"a", None], 2) == [b"a", None]

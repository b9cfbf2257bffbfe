from collections.abc import AsyncIterator, Iterator

import pytest
from redis_front import nonsense_server
from redis_server import RedisServer, redis_server

from gateway.redis.connection import RedisConnection
from gateway.redis.parser import MAXIMUM_ANSWER_BYTES

PLENTY = 20.0
# Each element of an answer counts as 64 bytes more than its text.
LARGEST = MAXIMUM_ANSWER_BYTES - 64


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    running.admin.flushall()
    return running


@pytest.fixture
async def connection(server: RedisServer) -> AsyncIterator[RedisConnection]:
    connection = RedisConnection(server.url, timeout_seconds=PLENTY)
    yield connection
    await connection.close()


async def size_of(connection: RedisConnection, *keys: str) -> int:
    """The bytes of the values at these keys; -1 if they are not read."""

    async def read(redis: object) -> int:
        values = await connection.client.mget(keys)
        return sum(len(value or b"") for value in values)

    return await connection.run(read, -1)


async def test_largest_answer_is_read_and_a_larger_one_is_not(
    server: RedisServer, connection: RedisConnection, caplog: pytest.LogCaptureFixture
) -> None:
    largest = LARGEST - 64  # an array of one element
    server.admin.set("large", bytes(largest))
    server.admin.set("larger", bytes(largest + 1))
    server.admin.set("small", b"1")
    assert await size_of(connection, "large") == largest
    assert await size_of(connection, "larger") == -1
    assert connection.state == "refuses reads"
    # The rest of the answer is not taken for the next one.
    assert [await size_of(connection, "small") for _ in range(3)] == [1] * 3
    assert (connection.state, connection.failures) == ("connected", 1)
    assert [record.getMessage() for record in caplog.records] == [
        "Redis refuses reads: a key of the gateway holds more than 8 MiB"
    ]


async def test_sum_of_an_answer_is_bounded(
    server: RedisServer, connection: RedisConnection
) -> None:
    keys = [f"k{n}" for n in range(9)]
    server.admin.mset(dict.fromkeys(keys, bytes(1024 * 1024)))
    assert await size_of(connection, *keys[:7]) == 7 * 1024 * 1024
    assert await size_of(connection, *keys) == -1


@pytest.mark.parametrize("reply", [b"$536870912\r\n", b"*1000000000\r\n" + b":1\r\n" * 200_000])
async def test_giant_answer_is_not_waited_for(reply: bytes) -> None:
    async with nonsense_server(reply) as url:
        connection = RedisConnection(url, timeout_seconds=PLENTY)
        otherwise: bytes | str | None = b"otherwise"
        assert await connection.run(lambda redis: redis.get("k"), otherwise) == otherwise
        assert connection.state == "refuses reads"
        await connection.close()

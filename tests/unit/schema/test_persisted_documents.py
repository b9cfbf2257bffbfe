"""Documents that clients store by their hash, in memory and in a real Redis."""

from collections.abc import AsyncIterator, Iterator
from hashlib import sha256

import pytest
from redis_server import RedisServer, redis_server

from gateway.redis.connection import RedisConnection
from gateway.schema.persisted_documents import (
    EXPIRY_SECONDS,
    MOST_BYTES,
    REWRITE_SECONDS,
    PersistedDocuments,
)

TEXT = "{ segments { totalCount } } # é"
STORE = "gateway:v4:store"


def hash_of(text: str | bytes) -> str:
    return sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()


def key_of(text: str | bytes) -> str:
    return f"{STORE}:document:{hash_of(text)[:3]}"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_document_is_found_by_its_hash() -> None:
    documents = PersistedDocuments(None, STORE, Clock())
    assert await documents.find(hash_of(TEXT)) is None
    await documents.keep(hash_of(TEXT), TEXT, "a")
    await documents.keep(hash_of(TEXT), TEXT, "b")
    assert await documents.find(hash_of(TEXT)) == TEXT
    assert documents.knows(hash_of(TEXT), TEXT)
    assert not documents.knows(hash_of(TEXT), "{ here }")
    assert not documents.knows(hash_of("{ here }"), "{ here }")
    assert len(documents.memory) == 1


@pytest.mark.parametrize(("text", "is_kept"), [("é" * 16_384, True), ("é" * 16_384 + "a", False)])
async def test_document_of_more_than_32_kib_is_not_kept(text: str, is_kept: bool) -> None:
    documents = PersistedDocuments(None, STORE, Clock())
    await documents.keep(hash_of(text), text, "a")
    assert (await documents.find(hash_of(text)) == text) is is_kept


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    with redis_server() as redis:
        yield redis


@pytest.fixture
async def connection(running: RedisServer) -> AsyncIterator[RedisConnection]:
    running.admin.flushall()
    connection = RedisConnection(running.url, timeout_seconds=10)
    yield connection
    await connection.close()


async def test_document_of_one_process_is_found_by_another(
    running: RedisServer, connection: RedisConnection
) -> None:
    first, second = (PersistedDocuments(connection, STORE, Clock()) for _ in range(2))
    await first.keep(hash_of(TEXT), TEXT, "a")
    assert await second.find(hash_of(TEXT)) == TEXT
    assert EXPIRY_SECONDS - 60 < running.admin.ttl(key_of(TEXT)) <= EXPIRY_SECONDS == 86_400
    assert running.admin.keys() == [key_of(TEXT).encode()]


async def test_document_in_use_is_written_again_after_a_while(
    running: RedisServer, connection: RedisConnection
) -> None:
    clock = Clock()
    documents = PersistedDocuments(connection, STORE, clock)
    await documents.keep(hash_of(TEXT), TEXT, "a")
    running.admin.flushall()
    clock.now += REWRITE_SECONDS - 1
    await documents.keep(hash_of(TEXT), TEXT, "a")
    assert running.admin.keys() == []
    clock.now += 1
    for expected in ([key_of(TEXT).encode()], []):
        await documents.keep(hash_of(TEXT), TEXT, "a")
        assert running.admin.keys() == expected
        running.admin.flushall()


async def test_documents_without_end_take_4096_keys(
    running: RedisServer, connection: RedisConnection
) -> None:
    documents = PersistedDocuments(connection, STORE, Clock())
    texts: dict[str, str] = {}
    number = 0
    while len(texts) < 2:  # two documents with one place
        text = f"{{ a{number}: here }}"
        if hash_of(text).startswith("00a"):
            texts[hash_of(text)] = text
        number += 1
    for sha256_hex, text in texts.items():
        await documents.keep(sha256_hex, text, "a")
    other = PersistedDocuments(connection, STORE, Clock())
    assert [await other.find(sha256_hex) for sha256_hex in texts] == [None, [*texts.values()][1]]
    assert running.admin.keys() == [f"{STORE}:document:00a".encode()]


@pytest.mark.parametrize(
    "value", [b"", b"{ other }", b"x" * (MOST_BYTES + 1)], ids=["empty", "other", "large"]
)
async def test_value_that_is_not_of_the_hash_is_a_miss(
    value: bytes, running: RedisServer, connection: RedisConnection
) -> None:
    running.admin.set(key_of(TEXT), value)
    documents = PersistedDocuments(connection, STORE, Clock())
    assert await documents.find(hash_of(TEXT)) is None
    assert connection.failures == 0


async def test_value_beyond_the_bound_is_not_read_though_its_hash_fits(
    running: RedisServer, connection: RedisConnection
) -> None:
    value = b"#" * (MOST_BYTES + 2)
    running.admin.set(key_of(value), value)
    assert await PersistedDocuments(connection, STORE, Clock()).find(hash_of(value)) is None


async def test_value_that_is_no_text_is_a_miss(
    running: RedisServer, connection: RedisConnection
) -> None:
    value = b"\xff\xfe"
    running.admin.set(key_of(value), value)
    assert await PersistedDocuments(connection, STORE, Clock()).find(hash_of(value)) is None


async def test_value_of_another_kind_is_a_miss_and_documents_are_kept_in_memory(
    running: RedisServer, connection: RedisConnection
) -> None:
    running.admin.lpush(key_of(TEXT), "x")
    documents = PersistedDocuments(connection, STORE, Clock())
    assert await documents.find(hash_of(TEXT)) is None
    await documents.keep(hash_of(TEXT), TEXT, "a")
    assert await documents.find(hash_of(TEXT)) == TEXT
    # SET replaces a value of any kind.
    assert running.admin.get(key_of(TEXT)) == TEXT.encode()


async def test_text_that_is_no_hash_is_not_looked_for_in_redis(running: RedisServer) -> None:
    connection = RedisConnection(running.url, timeout_seconds=10)
    documents = PersistedDocuments(connection, STORE, Clock())
    assert [await documents.find(text) for text in ("", "1a", "G" * 64, "0" * 65)] == [None] * 4
    assert connection.state == "not asked yet"


async def test_document_is_kept_in_memory_while_redis_is_away() -> None:
    with redis_server() as server:
        connection = RedisConnection(server.url, timeout_seconds=10)
        server.kill()
        documents = PersistedDocuments(connection, STORE, Clock())
        assert await documents.find(hash_of(TEXT)) is None
        await documents.keep(hash_of(TEXT), TEXT, "a")
        assert await documents.find(hash_of(TEXT)) == TEXT
        assert connection.failures == 1
        await connection.close()

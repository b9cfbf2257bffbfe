"""A Redis that is another one than before, that talks nonsense, or that holds odd bytes."""

import asyncio
import logging
import math
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from zlib import crc32

import httpx
import msgspec
import pytest
from cache_counts import total_of
from in_process import InProcess, in_process
from processes import emulator_on_a_port
from redis_front import front_before, nonsense_server
from redis_server import RedisServer, redis_server
from running import Running, store_at

from gateway.bigcommerce.models import Segment
from gateway.data_source import ALL_SEGMENTS
from gateway.emulator import Store, seeded_store
from gateway.pagination import Block
from gateway.redis.connection import log as connection_log
from gateway.redis.signer import Signer

# Above a pause and a few fills, on a busy machine.
SHARED_AGAIN_SECONDS = 10.0
# As long as a busy machine may take to answer, in milliseconds.
PLENTY = "10000"
ROWS = 60
STORE_KEY = "segments-gateway:v4:teststore"
FIRST_BLOCK = f"{STORE_KEY}:segments:block:250:0"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def store(server: RedisServer) -> Store:
    server.admin.flushall()
    return seeded_store(ROWS)


@pytest.fixture
async def start(store: Store) -> AsyncIterator["Start"]:
    """Starts gateways over the store and the Redis at a URL."""
    async with AsyncExitStack() as running:

        async def start(url: str, milliseconds: str = PLENTY) -> InProcess:
            gateway = in_process(store, REDIS_URL=url, REDIS_TIMEOUT_MILLISECONDS=milliseconds)
            await running.enter_async_context(gateway.services.running())
            return gateway

        yield start


Start = Callable[..., Awaitable[InProcess]]


def log_of_redis(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == connection_log.name]


def fail_over(old: RedisServer, new: RedisServer) -> None:
    """Makes `old` a replica of `new`, as a failover does that both outlive."""
    old.admin.replicaof("127.0.0.1", new.port)


async def test_processes_share_again_within_seconds_after_a_failover(
    run: Callable[..., Running],
) -> None:
    with redis_server() as old, redis_server() as new, emulator_on_a_port(ROWS) as (url, emulator):
        async with front_before(old.port) as front, httpx.AsyncClient(timeout=30) as http:
            settings = {
                **store_at(url),
                "GATEWAY_REDIS_URL": front.url,
                "GATEWAY_REDIS_TIMEOUT_MILLISECONDS": PLENTY,
                "GATEWAY_CACHE_TTL_SECONDS": "0.2",
                "GATEWAY_CACHE_STALE_WHILE_REVALIDATE_SECONDS": "0",
                "GATEWAY_CACHE_STALE_IF_ERROR_SECONDS": "0",
            }
            gateways = [await asyncio.to_thread(run, "serve", **settings) for _ in range(2)]

            async def read(gateway: Running) -> None:
                query = {"query": "{ segments(first: 1) { totalCount } }"}
                answer = (await http.post(f"{gateway.url}/graphql", json=query)).json()
                assert answer["data"] == {"segments": {"totalCount": ROWS}}, answer

            async def redis_of(gateway: Running) -> object:
                return (await http.get(f"{gateway.url}/health/ready")).json()["parts"]["redis"]

            async def both_share_the_new_one() -> None:
                is_shared = False
                while not is_shared or {*await asyncio.gather(*map(redis_of, gateways))} != {
                    "connected"
                }:
                    await asyncio.sleep(0.3)  # so that what was read before is stale
                    before = emulator.requests.total()
                    for gateway in gateways:
                        await read(gateway)
                    is_shared = bool(new.admin.dbsize()) and emulator.requests.total() == before + 1
                    gateways.reverse()  # each fills in turn, and the other uses that

            await asyncio.gather(*map(read, gateways))
            assert old.admin.dbsize() > 0
            front.leads_to = new.port
            fail_over(old, new)
            async with asyncio.timeout(SHARED_AGAIN_SECONDS):
                await both_share_the_new_one()
            logs = [(await asyncio.to_thread(gateway.stop))[2] for gateway in gateways]
    for log in logs:
        lines = [line for line in log.splitlines() if "Redis" in line and "upstream:" not in line]
        assert len(lines) == 2, lines
        assert "it is a replica that takes no writes" in lines[0]
        assert lines[1].endswith("Redis works again")


async def test_address_that_goes_on_leading_to_a_replica_is_logged_once(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with redis_server() as old, redis_server() as new:
        async with front_before(old.port) as front:
            gateway = await start(front.url)
            await gateway.page(first=1)
            fail_over(old, new)
            for _ in range(10):
                gateway.services.segments.invalidate_before(gateway.services.cache.now())
                assert (await gateway.page(first=1))["totalCount"] == ROWS
            assert gateway.services.redis is not None
            assert gateway.services.redis.state == "refuses writes"
            assert front.connections < 20
    assert log_of_redis(caplog) == ["Redis refuses locks: it is a replica that takes no writes"]


NONSENSE = {
    "a status": b"+OK\r\n",
    "an integer": b":1\r\n",
    "a large integer": b":99999999999999999999999\r\n",
    "no value": b"$-1\r\n",
    "no array": b"*-1\r\n",
    "text": b"$2\r\nOK\r\n",
    "an empty array": b"*0\r\n",
    "too few": b"*1\r\n$1\r\na\r\n",
    "integers": b"*2\r\n:1\r\n:1\r\n",
    "nested arrays": b"*2\r\n*1\r\n*1\r\n:1\r\n*0\r\n",
    "deeply nested arrays": b"*1\r\n" * 5000,
    "times that are no numbers": b"*2\r\n$1\r\na\r\n$1\r\nx\r\n",
    "an error": b"-ERR s3cr3t\r\n",
    "an error of no words": b"-\r\n",
    "errors within": b"*2\r\n-ERR s3cr3t\r\n-ERR s3cr3t\r\n",
    "HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "bytes": bytes(range(256)),
    "a length that is none": b"$x\r\n",
    "an array that never ends": b"*1000000000\r\n:1\r\n",
}


@pytest.mark.parametrize("reply", NONSENSE.values(), ids=NONSENSE.keys())
async def test_redis_that_talks_nonsense_is_passed_over(
    reply: bytes, store: Store, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with nonsense_server(reply) as url:
        gateway = await start(url, "100")
        await gateway.services.invalidations.announce(["segments"], gateway.services.cache.now())
        for _ in range(3):
            gateway.services.segments.invalidate_before(gateway.services.cache.now())
            assert (await gateway.page(first=1))["totalCount"] == ROWS
            row_id = store.segments[0].id
            data = await gateway.data(f'{{ segment(entityId: "{row_id}") {{ entityId }} }}')
            assert data == {"segment": {"entityId": row_id}}
        redis = gateway.services.redis
        assert redis is not None
        assert redis.failures > 0
        assert redis.state in ("away", "refuses reads")
    assert len(log_of_redis(caplog)) == 1
    assert not [record for record in caplog.records if record.exc_info]
    assert "s3cr3t" not in caplog.text


NOW = 1_790_000_000.0


def key_of(row_id: str) -> str:
    return f"{STORE_KEY}:segments:id:{row_id}"


def block_of(store: Store, index: int = 0) -> bytes:
    rows = [Segment(row.id, "from Redis") for row in store.segments]
    return ALL_SEGMENTS.codec.blocks.encode(Block(index, 250, ROWS, rows, NOW))


Spoil = Callable[[str, bytes], bytes]
SIGNER = Signer("test-token")


def signed(value: bytes) -> Spoil:
    """Any value of the store's own processes, under the key where it belongs."""
    return lambda key, _: SIGNER.sign(key, NOW, value)


def read_at(seconds: float) -> Spoil:
    return lambda key, value: SIGNER.sign(key, seconds, value)


def bytes_of(change: Callable[[bytes], bytes]) -> Spoil:
    """The bytes of the sound value, changed."""
    return lambda key, value: change(SIGNER.sign(key, NOW, value))


# What is made of a sound value; the clock stands at `NOW`.
SPOILED: dict[str, Spoil] = {
    "nothing": bytes_of(lambda _: b""),
    "a head cut off": bytes_of(lambda raw: raw[:23]),
    "a value cut off": bytes_of(lambda raw: raw[:-1]),
    "a bit": bytes_of(lambda raw: raw[:-1] + b"\x00"),
    "a later time": bytes_of(lambda raw: struct.pack(">d", NOW + 1) + raw[8:]),
    "text": bytes_of(lambda _: b"a value of another program"),
    "without a signature": lambda _, value: value,
    "with a checksum in its place": lambda _, value: struct.pack(">dI", NOW, crc32(value)) + value,
    "of another key": lambda key, value: SIGNER.sign(f"{key}0", NOW, value),
    "of a store with another token": lambda key, value: Signer("forged").sign(key, NOW, value),
    "an empty value of a block": signed(b""),
    "no msgpack": signed(b"\xc1"),
    "another shape": signed(msgspec.msgpack.encode({"a": 1})),
    "deeply nested arrays": signed(b"\x91" * 100_000),
    "half of it": lambda key, value: SIGNER.sign(key, NOW, value[:50]),
    "another block": signed(block_of(Store(), 7)),
    "a block with fewer rows": signed(block_of(Store())),
    "no time": read_at(math.nan),
    "endless": read_at(math.inf),
    "before all time": read_at(-math.inf),
    "before the epoch": read_at(-NOW),
    "the far future": read_at(NOW + 1e9),
    "too old": read_at(NOW - 1e4),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
async def test_bytes_that_are_no_entry_are_a_miss_and_are_replaced(
    spoil: Spoil, server: RedisServer, store: Store
) -> None:
    first, second = (
        in_process(
            store, clock=lambda: NOW, REDIS_URL=server.url, REDIS_TIMEOUT_MILLISECONDS=PLENTY
        )
        for _ in range(2)
    )
    row = store.segments[0]
    server.admin.set(FIRST_BLOCK, spoil(FIRST_BLOCK, block_of(store)))
    odd_row = msgspec.msgpack.encode({"id": row.id, "name": [7]})
    server.admin.set(key_of(row.id), spoil(key_of(row.id), odd_row))
    async with first.services.running(), second.services.running():
        for gateway in (first, second):
            query = f'{{ segment(entityId: "{row.id}") {{ name }} }}'
            # An empty value is one of a segment's: that there is none, until the list shows it.
            is_absent = spoil is SPOILED["an empty value of a block"] and gateway is first
            expected = None if is_absent else {"name": row.name}
            assert await gateway.data(query) == {"segment": expected}
            assert (await gateway.page(first=1))["totalCount"] == ROWS
            assert len(await gateway.walk(50)) == ROWS
            misses = total_of(gateway.services.cache.counts).miss
            assert (await gateway.page(first=1))["totalCount"] == ROWS
            assert total_of(gateway.services.cache.counts).miss == misses
        for gateway in (first, second):
            assert gateway.services.redis is not None
            assert (gateway.services.redis.failures, gateway.services.redis.state) == (
                0,
                "connected",
            )
    assert second.upstream_requests == 0
    assert total_of(first.services.cache.counts).miss >= 1


ODD = {
    "hash": ["HSET", "odd", "odd"],
    "set": ["SADD", "odd"],
    "list": ["RPUSH", "odd"],
    "sorted set": ["ZADD", "inf", "odd"],
    "string": ["SET", "odd"],
    "number": ["SET", "17"],
}


@pytest.mark.parametrize("words", ODD.values(), ids=ODD.keys())
async def test_values_of_another_type_are_replaced(
    words: list[str], server: RedisServer, store: Store, start: Start
) -> None:
    keys = [FIRST_BLOCK, *(key_of(row.id) for row in store.segments)]
    for key in (*keys, f"{STORE_KEY}:invalidated"):
        server.admin.execute_command(words[0], key, *words[1:])  # type: ignore[no-untyped-call]
    first, second = await start(server.url), await start(server.url)
    assert (await first.page(first=1))["totalCount"] == ROWS
    assert (await second.page(first=1))["totalCount"] == ROWS
    await first.data(f'{{ segment(entityId: "{store.segments[0].id}") {{ name }} }}')
    assert (first.upstream_requests, second.upstream_requests) == (1, 0)
    store.delete([store.segments[0].id])
    await first.services.invalidations.announce(["segments"], first.services.cache.now())
    async with asyncio.timeout(2):
        while (await second.page(first=1))["totalCount"] == ROWS:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
    for gateway in (first, second):
        assert gateway.services.redis is not None
        assert (gateway.services.redis.failures, gateway.services.redis.state) == (0, "connected")

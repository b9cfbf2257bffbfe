"""Another writer of the same Redis: what it can make of answers, quota and time."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from clock import Clock
from in_process import InProcess, in_process
from redis_server import RedisServer, redis_server

from gateway.bigcommerce.models import Segment
from gateway.cache.invalidations import MOST_MEMBERS
from gateway.data_source import ALL_SEGMENTS
from gateway.emulator import Store, seeded_store
from gateway.pagination import Block
from gateway.redis.parser import MAXIMUM_ANSWER_BYTES
from gateway.redis.signer import Signer

# As long as a busy machine may take to answer, in milliseconds.
PLENTY = "10000"
ROWS = 60
NOW = 1_790_000_000.0
STORE_KEY = "segments-gateway:v4:teststore"
FIRST_BLOCK = f"{STORE_KEY}:segments:block:250:0"
INVALIDATED = f"{STORE_KEY}:invalidated"
# The writer knows everything but the store's token.
SIGNER, FORGER = Signer("test-token"), Signer("not the token")


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
def store() -> Store:
    return seeded_store(ROWS)


Start = Callable[..., Awaitable[InProcess]]


@pytest.fixture
async def start(server: RedisServer, store: Store, clock: Clock) -> AsyncIterator[Start]:
    """Starts one more gateway over the store and the Redis."""
    async with AsyncExitStack() as running:

        async def start(
            ttl: str = "15", token: str = "test-token", deadline: str = "10"
        ) -> InProcess:
            gateway = in_process(
                store,
                clock=clock,
                REDIS_URL=server.url,
                REDIS_TIMEOUT_MILLISECONDS=PLENTY,
                CACHE_TTL_SECONDS=ttl,
                ACCESS_TOKEN=token,
                REQUEST_TIMEOUT_SECONDS=deadline,
            )
            await running.enter_async_context(gateway.services.running())
            return gateway

        yield start


def state_of(gateway: InProcess) -> str:
    redis = gateway.services.redis
    assert redis is not None
    return redis.state


def forged_block(rows: int) -> bytes:
    names = [Segment(f"00000000-0000-4000-8000-{n:012}", "forged") for n in range(rows)]
    return ALL_SEGMENTS.codec.blocks.encode(Block(0, 250, rows, names, NOW))


async def test_forged_list_is_not_served(server: RedisServer, start: Start) -> None:
    server.admin.set(FIRST_BLOCK, FORGER.sign(FIRST_BLOCK, NOW, forged_block(3)))
    gateway = await start()
    assert (await gateway.page(first=1))["totalCount"] == ROWS
    assert gateway.upstream_requests == 1


async def test_forged_absence_is_not_served(
    server: RedisServer, start: Start, store: Store
) -> None:
    row = store.segments[0]
    key = f"{STORE_KEY}:segments:id:{row.id}"
    server.admin.set(key, FORGER.sign(key, NOW, b""))
    gateway = await start()
    query = f'{{ segment(entityId: "{row.id}") {{ name }} }}'
    assert await gateway.data(query) == {"segment": {"name": row.name}}


async def test_sound_entry_in_place_of_another_is_not_served(
    server: RedisServer, start: Start, store: Store
) -> None:
    writer = await start()
    one, other = (f"{STORE_KEY}:segments:id:{row.id}" for row in store.segments[:2])
    absent = "00000000-0000-4000-8000-000000000001"
    # Before the list is read, which would settle it without an entry.
    await writer.data(f'{{ segment(entityId: "{absent}") {{ name }} }}')
    await writer.page(first=1)
    raw = server.admin.get(f"{STORE_KEY}:segments:id:{absent}")
    assert isinstance(raw, bytes)
    server.admin.mset({one: raw, other: raw})
    reader = await start()
    for row in store.segments[:2]:
        query = f'{{ segment(entityId: "{row.id}") {{ name }} }}'
        assert await reader.data(query) == {"segment": {"name": row.name}}


async def test_entries_of_another_token_are_misses(start: Start) -> None:
    await (await start()).page(first=1)
    rotated = await start(token="another-token")
    answer = await rotated.ask("{ segments { totalCount } }")
    # It does not get what the other token gives access to: the emulator refuses this one.
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UPSTREAM_FORBIDDEN"]


async def test_giant_value_is_a_miss_and_is_replaced(server: RedisServer, start: Start) -> None:
    server.admin.set(FIRST_BLOCK, bytes(MAXIMUM_ANSWER_BYTES))
    first = await start()
    assert (await first.page(first=1))["totalCount"] == ROWS
    assert server.admin.strlen(FIRST_BLOCK) < 100_000
    second = await start()
    assert (await second.page(first=1))["totalCount"] == ROWS
    assert (first.upstream_requests, second.upstream_requests) == (1, 0)
    assert state_of(second) == "connected"


async def test_old_entry_that_is_put_back_is_as_old_as_it_is(
    server: RedisServer, start: Start, store: Store, clock: Clock
) -> None:
    writer = await start()
    await writer.page(first=1)
    old = server.admin.get(FIRST_BLOCK)
    assert isinstance(old, bytes)
    store.delete([store.segments[0].id])
    clock.advance(100)  # past the time in which it is served while it is refreshed
    assert (await writer.page(first=1))["totalCount"] == ROWS - 1
    server.admin.set(FIRST_BLOCK, old)
    reader = await start()
    assert (await reader.page(first=1))["totalCount"] == ROWS - 1
    assert reader.upstream_requests == 1


async def test_old_entry_that_is_put_back_after_a_write_is_not_served(
    server: RedisServer, start: Start, store: Store, clock: Clock
) -> None:
    writer = await start()
    await writer.page(first=1)
    old = server.admin.get(FIRST_BLOCK)
    assert isinstance(old, bytes)
    clock.advance(1)
    store.delete([store.segments[0].id])
    await writer.services.invalidations.announce(["segments"], clock())
    reader = await start()
    server.admin.set(FIRST_BLOCK, old)
    assert (await reader.page(first=1))["totalCount"] == ROWS - 1


# What a writer may put into the set of writes; each takes the time of the attempt.
LIES: dict[str, Callable[[float], dict[bytes, float]]] = {
    "the name alone": lambda now: {b"segments": now},
    "a name in the far future": lambda now: {b"segments": 1e308 - now},
    "a name without end": lambda _: {b"segments": float("inf")},
    "a forged signature": lambda now: {FORGER.sign(INVALIDATED, now, b"segments"): now},
    "bytes": lambda now: {random.Random(now).randbytes(40): now},
    "a name that is no text": lambda now: {b"\xff" * 30: now},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
async def test_writes_that_are_made_up_all_the_time_cost_no_request(
    lie: Callable[[float], dict[bytes, float]], server: RedisServer, start: Start, clock: Clock
) -> None:
    gateway = await start(ttl="60")
    # One minute of a writer that is faster than the poll.
    for _ in range(600):
        clock.advance(0.1)
        server.admin.zadd(INVALIDATED, lie(clock()))
        await gateway.services.invalidations.poll()
        assert (await gateway.page(first=1))["totalCount"] == ROWS
    assert gateway.upstream_requests <= 2  # the first, and one refresh
    assert gateway.services.invalidations.written_at("segments") == 0.0
    assert state_of(gateway) == "connected"


async def test_write_that_is_put_back_all_the_time_counts_once(
    server: RedisServer, start: Start, clock: Clock
) -> None:
    gateway = await start(ttl="60")
    await gateway.services.invalidations.announce(["segments"], clock())
    written_at = clock()
    member = SIGNER.sign(INVALIDATED, written_at, b"segments")
    assert server.admin.zrange(INVALIDATED, 0, -1) == [member]
    for turn in range(100):
        clock.advance(0.1)
        server.admin.zadd(INVALIDATED, {member: clock()})
        await gateway.services.invalidations.poll()
        server.admin.delete(INVALIDATED)
        if turn % 2:
            await gateway.services.invalidations.poll()
        await gateway.page(first=1)
    assert gateway.services.invalidations.written_at("segments") == written_at
    assert gateway.upstream_requests == 1


CROWDS: dict[str, Callable[[int], bytes]] = {
    "many": lambda n: b"forged %d" % n,
    "large": lambda n: b"%d" % n + bytes(2 * MAXIMUM_ANSWER_BYTES // MOST_MEMBERS),
}


@pytest.mark.parametrize("member", CROWDS.values(), ids=CROWDS.keys())
async def test_crowd_of_made_up_writes_does_not_hide_those_of_processes(
    member: Callable[[int], bytes], server: RedisServer, start: Start, clock: Clock
) -> None:
    writer, reader = await start(), await start()
    await writer.services.invalidations.announce(["segments"], clock())
    crowd = {member(n): float("inf") for n in range(MOST_MEMBERS + 1)}
    server.admin.zadd(INVALIDATED, crowd)
    for gateway in (reader, writer, reader):
        await gateway.services.invalidations.poll()
    assert reader.services.invalidations.written_at("segments") == clock()
    assert server.admin.zcard(INVALIDATED) == 1


async def test_flush_at_any_time_costs_no_answer(
    server: RedisServer, start: Start, clock: Clock
) -> None:
    gateways = [await start() for _ in range(2)]
    done = asyncio.Event()

    async def flush() -> None:
        while not done.is_set():
            await asyncio.to_thread(server.admin.flushall)

    flushing = asyncio.create_task(flush())
    for turn in range(100):
        clock.advance(1)
        if turn % 10 == 0:
            await gateways[0].services.invalidations.announce(["segments"], clock())
        pages = await asyncio.gather(*(gateway.page(first=1) for gateway in gateways))
        assert [page["totalCount"] for page in pages] == [ROWS, ROWS]
    done.set()
    await flushing
    await gateways[0].services.invalidations.poll()
    await gateways[1].services.invalidations.poll()
    assert gateways[1].services.invalidations.written_at("segments") == clock() - 9
    assert [state_of(gateway) for gateway in gateways] == ["connected"] * 2


async def test_lock_of_another_writer_delays_one_read_and_is_removed(
    server: RedisServer, start: Start
) -> None:
    server.admin.set(f"{FIRST_BLOCK}!lock", "forged", px=10**12)
    gateway = await start(deadline="2")  # a lock lasts 60 % of it
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    answer = await gateway.ask("{ segments { totalCount } }")
    assert answer["data"] == {"segments": {"totalCount": ROWS}}
    assert loop.time() - began_at >= 1.2
    assert server.admin.exists(f"{FIRST_BLOCK}!lock") == 0

"""Two whole gateways on one real Redis and one store: what one knows, the other uses."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from in_process import InProcess, in_process
from processes import emulator_on_a_port
from redis_server import RedisServer, redis_server

from gateway.app import check
from gateway.emulator import Emulator, Fault, Rule, Store, seeded_store
from gateway.settings import load_settings

FIRST = "{ segments(first: 2) { totalCount } }"
# News of a write is to be seen within so long.
SEEN_SECONDS = 1.0


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as redis:
        yield redis


@pytest.fixture
def store(server: RedisServer) -> Store:
    server.admin.flushall()
    return seeded_store(300)


Pair = tuple[InProcess, InProcess]


@pytest.fixture
async def pair(server: RedisServer, store: Store) -> AsyncIterator[Pair]:
    first, second = (in_process(store, REDIS_URL=server.url) for _ in range(2))
    async with AsyncExitStack() as running:
        for gateway in (first, second):
            await running.enter_async_context(gateway.services.running())
        yield first, second


async def until(is_so: Callable[[], bool]) -> None:
    """Waits for what another process tells, which can only be looked at again and again."""
    while not is_so():  # noqa: ASYNC110 - see above
        await asyncio.sleep(0.005)


async def cache_of(gateway: InProcess, query: str = FIRST) -> object:
    answer = await gateway.ask(query)
    assert "errors" not in answer, answer
    return answer["extensions"]["cache"]


async def test_what_one_has_read_the_other_does_not_ask_for(pair: Pair) -> None:
    first, second = pair
    ids = [row.id for row in first.emulator.store.segments]
    await first.page(first=250)
    assert (await second.page(first=250))["totalCount"] == 300
    assert len(await second.services.segment_loader.load_segments_by_id(ids[:120])) == 120
    await first.data('{ segment(entityId: "00000000-0000-4000-8000-000000000001") { name } }')
    absent = '{ segment(entityId: "00000000-0000-4000-8000-000000000001") { name } }'
    assert await second.data(absent) == {"segment": None}
    assert (first.upstream_requests, second.upstream_requests) == (2, 0)


async def test_a_write_in_one_is_seen_in_the_other_within_a_second(
    pair: Pair, store: Store
) -> None:
    first, second = pair
    for gateway in pair:
        assert (await gateway.page(first=1))["totalCount"] == 300
    store.delete([store.segments[0].id])
    await first.services.invalidate_segments()
    assert (await first.page(first=1))["totalCount"] == 299
    async with asyncio.timeout(SEEN_SECONDS):
        await until(lambda: second.services.cache.invalidated_at() > 0)
        assert (await second.page(first=1))["totalCount"] == 299
    assert second.upstream_requests == 0  # the other one has read it by then


async def test_what_is_stale_in_one_serves_the_other_where_the_store_fails(pair: Pair) -> None:
    first, second = pair
    await first.page(first=2)
    second.emulator.faults.rules = [Rule(Fault.SERVER_ERROR)]
    assert await cache_of(second) == {"age": 0, "stale": False}
    # Superseded, so that it would have to be read anew.
    second.services.segments.supersede(second.services.cache.now())
    assert await cache_of(second) == {"age": 0, "stale": True, "error": "UPSTREAM_UNAVAILABLE"}
    row_id = first.emulator.store.segments[0].id
    assert await cache_of(second, f'{{ segment(entityId: "{row_id}") {{ name }} }}') == {
        "age": 0,
        "stale": False,
    }


async def test_keys_name_the_prefix_the_layout_the_store_and_the_collection(
    server: RedisServer, pair: Pair
) -> None:
    await pair[0].page(first=1)
    keys = {str(key, "ascii") for key in server.admin.scan_iter() if isinstance(key, bytes)}
    assert {key.rpartition("segments:")[0] for key in keys if ":id:" in key} == {
        "segments-gateway:v3:teststore:"
    }
    assert "segments-gateway:v3:teststore:segments:block:250:0" in keys
    assert all(key.startswith("segments-gateway:v3:teststore:") for key in keys)


async def test_redis_that_goes_away_and_comes_back_costs_no_answer(
    server: RedisServer, pair: Pair
) -> None:
    first, _ = pair
    await first.page(first=2)
    server.kill()
    try:
        first.services.segments.supersede(first.services.cache.now())
        assert (await first.page(first=2))["totalCount"] == 300
        assert first.upstream_requests == 2
    finally:
        server.start()


def environment_of(url: str, emulator: Emulator, server: RedisServer) -> dict[str, str]:
    return {
        "GATEWAY_STORE_HASH": emulator.store_hash,
        "GATEWAY_ACCESS_TOKEN": emulator.token,
        "GATEWAY_UPSTREAM_URL": url,
        "GATEWAY_REDIS_URL": server.url,
    }


async def test_check_asks_the_store_itself_and_tells_how_redis_is(
    server: RedisServer, pair: Pair
) -> None:
    await pair[0].page(first=1)  # lies in Redis now
    with emulator_on_a_port(3) as (url, emulator):
        environment = environment_of(url, emulator, server)
        for _ in range(2):
            is_well, sentence = await check(load_settings(environment))
            assert is_well, sentence
            assert sentence.endswith("Redis is connected.")
        assert emulator.requests.total() == 2
        is_well, sentence = await check(
            load_settings({**environment, "GATEWAY_ACCESS_TOKEN": "wrong"})
        )
        assert not is_well
        assert "refused the token" in sentence


async def test_check_finds_a_redis_that_takes_no_writes(server: RedisServer) -> None:
    with emulator_on_a_port(3) as (url, emulator):
        environment = environment_of(url, emulator, server)
        server.admin.replicaof("127.0.0.1", "1")
        try:
            is_well, sentence = await check(load_settings(environment))
        finally:
            server.admin.replicaof("NO", "ONE")
    assert not is_well
    assert sentence.endswith("Redis refuses writes.")

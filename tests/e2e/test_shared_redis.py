"""Whole gateways on one real Redis and one store: what one has read, the other uses."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from in_process import InProcess, in_process
from processes import emulator_on_a_port
from redis import Redis
from redis_server import RedisServer, redis_server
from running import Running, store_at

from gateway.app import check
from gateway.bigcommerce.models import Customer
from gateway.emulator import Emulator, Fault, Rule, Store, seeded_store
from gateway.settings import load_settings

FIRST = "{ segments(first: 2) { totalCount } }"
# Within this time the other processes see a write.
SEEN_SECONDS = 1.0
READERS = 200
DEPLOYMENT = Path(__file__).parents[2] / "docs" / "deployment.md"


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
    """Waits for what another process does, which can only be polled."""
    while not is_so():  # noqa: ASYNC110 - see above
        await asyncio.sleep(0.005)


async def cache_of(gateway: InProcess, query: str = FIRST) -> object:
    answer = await gateway.ask(query)
    assert "errors" not in answer, answer
    return answer["extensions"]["cache"]


async def test_identical_cold_requests_to_two_processes_cost_one_upstream_request(
    server: RedisServer, store: Store, run: Callable[..., Running]
) -> None:
    # The answer takes so long that both processes ask meanwhile.
    with emulator_on_a_port(3, latency_seconds=0.3) as (url, emulator):
        environment = {
            **store_at(url),
            "GATEWAY_REDIS_URL": server.url,
            "GATEWAY_REDIS_TIMEOUT_MILLISECONDS": "10000",
        }
        gateways = await asyncio.gather(
            *(asyncio.to_thread(run, "serve", **environment) for _ in range(2))
        )
        async with httpx.AsyncClient(timeout=30, limits=httpx.Limits()) as http:
            answers = await asyncio.gather(
                *(
                    http.post(f"{gateway.url}/graphql", json={"query": FIRST})
                    for gateway in gateways
                    for _ in range(READERS)
                )
            )
        assert [answer.json()["data"]["segments"]["totalCount"] for answer in answers] == (
            [3] * 2 * READERS
        )
        assert emulator.requests.total() == 1


async def test_user_of_the_documentation_may_do_all_that_the_gateway_needs(
    server: RedisServer, store: Store
) -> None:
    (line,) = re.findall(r"^ACL SETUSER .*$", DEPLOYMENT.read_text(encoding="utf-8"), re.M)
    server.admin.execute_command(*line.split())  # type: ignore[no-untyped-call]
    server.admin.script_flush()
    gateway = in_process(store, REDIS_URL=f"redis://gateway:PASSWORD@127.0.0.1:{server.port}/1")
    try:
        # What lies in the place of a lock, and of the times of writes, has to be removed.
        with Redis(port=server.port, db=1) as odd:
            for key in ("segments:block:250:0!lock", "invalidated"):
                odd.set(f"segments-gateway:v4:teststore:{key}", "odd")
        async with gateway.services.running():
            for _ in range(2):
                now = gateway.services.cache.now()
                await gateway.services.invalidations.announce(["segments"], now)
                assert (await gateway.page(first=1))["totalCount"] == 300
            documents = gateway.services.persisted_documents
            assert await documents.find("0" * 64) is None
            await documents.keep("0" * 64, "{ __typename }", "a client")
            await gateway.services.invalidations.poll()
            redis = gateway.services.redis
            assert redis is not None
            assert (redis.failures, redis.state) == (0, "connected")
            # It is alone with its keys.
            refused: bytes | str | None = b"refused"
            outside = await redis.run(lambda client: client.get("another program's"), refused)
            assert (outside, redis.state) == (refused, "refuses reads")
    finally:
        server.admin.acl_deluser("gateway")


async def test_document_that_one_has_stored_is_executed_by_the_other(pair: Pair) -> None:
    first, second = pair
    hashed = {"persistedQuery": {"version": 1, "sha256Hash": sha256(FIRST.encode()).hexdigest()}}
    for gateway, body, total in (
        (second, {"extensions": hashed}, None),
        (first, {"query": FIRST, "extensions": hashed}, 300),
        (second, {"extensions": hashed}, 300),
    ):
        answer = (await gateway.http.post("/graphql", json=body)).json()
        assert answer.get("data", {}).get("segments", {}).get("totalCount") == total
    assert len(second.services.persisted_documents.memory) == 1


async def test_what_one_has_read_the_other_does_not_ask_for(pair: Pair) -> None:
    first, second = pair
    ids = [row.id for row in first.emulator.store.segments]
    await first.page(first=250)
    assert (await second.page(first=250))["totalCount"] == 300
    assert len(await second.services.segment_lookups.load(ids[:120])) == 120
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
    row_id = store.segments[0].id
    assert await first.services.writes.delete_segments([row_id]) == [row_id]
    assert (await first.page(first=1))["totalCount"] == 299
    async with asyncio.timeout(SEEN_SECONDS):
        await until(lambda: second.services.invalidations.written_at("segments") > 0)
        assert (await second.page(first=1))["totalCount"] == 299
        assert await second.services.segment_lookups.load([row_id]) == [None]
    assert second.upstream_requests == 0  # the other one has read it by then


async def test_a_customer_put_into_a_segment_in_one_is_in_it_in_the_other(
    pair: Pair, store: Store
) -> None:
    first, second = pair
    segment_id = store.segments[250].id
    for gateway in pair:
        (before,) = await gateway.services.customers.load(["1"])
        assert isinstance(before, Customer)
        assert segment_id not in (before.segment_ids or ())
    result = await first.services.writes.add_customers(segment_id, [1], True)
    async with asyncio.timeout(SEEN_SECONDS):
        await until(lambda: bool(second.services.invalidations.rows_written("customers")))
        assert await second.services.customers.load(["1"]) == result.outcomes
    assert second.upstream_requests == 0  # what the store returned is in Redis


async def test_what_is_stale_in_one_serves_the_other_where_the_store_fails(pair: Pair) -> None:
    first, second = pair
    await first.page(first=2)
    second.emulator.faults.rules = [Rule(Fault.SERVER_ERROR)]
    assert await cache_of(second) == {"age": 0, "stale": False}
    # Superseded, so that it would have to be read anew.
    second.services.segments.invalidate_before(second.services.cache.now())
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
        "segments-gateway:v4:teststore:"
    }
    assert "segments-gateway:v4:teststore:segments:block:250:0" in keys
    assert all(key.startswith("segments-gateway:v4:teststore:") for key in keys)


async def test_redis_that_goes_away_and_comes_back_costs_no_answer(
    server: RedisServer, pair: Pair
) -> None:
    first, _ = pair
    await first.page(first=2)
    server.kill()
    try:
        first.services.segments.invalidate_before(first.services.cache.now())
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
            report = await check(load_settings(environment))
            assert report.problems == [], report.as_text()
            assert report.redis == "connected"
        assert emulator.requests.total() == 14
        report = await check(load_settings({**environment, "GATEWAY_ACCESS_TOKEN": "wrong"}))
        assert report.problems == ["list_segments"]
        assert "refused the token" in report.as_text()


async def test_check_finds_a_redis_that_takes_no_writes(server: RedisServer) -> None:
    with emulator_on_a_port(3) as (url, emulator):
        environment = environment_of(url, emulator, server)
        server.admin.replicaof("127.0.0.1", "1")
        try:
            report = await check(load_settings(environment))
        finally:
            server.admin.replicaof("NO", "ONE")
    assert report.problems == ["redis"]
    assert report.redis == "refuses writes"


async def test_check_finds_a_redis_that_is_down() -> None:
    with emulator_on_a_port(3) as (url, emulator):
        settings = {
            "GATEWAY_STORE_HASH": emulator.store_hash,
            "GATEWAY_ACCESS_TOKEN": emulator.token,
            "GATEWAY_UPSTREAM_URL": url,
            "GATEWAY_REDIS_URL": "redis://127.0.0.1:9",  # a port without a listener
        }
        report = await check(load_settings(settings))
    assert report.problems == ["redis"]
    assert report.redis == "away"

"""What `/metrics` counts of the requests of clients, and who may read it."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
from clock import Clock, settle
from in_process import InProcess, in_process
from redis_server import redis_server
from samples import samples
from served_whole import ServedWhole
from starlette.requests import Request

from gateway.api_keys import create_api_key
from gateway.bigcommerce.operation_health import FAILURES_IN_A_ROW
from gateway.emulator import Fault
from gateway.identity import ALL_SCOPES, AccessScope, Client
from gateway.web import metrics

DURATION = "graphql_server_request_duration_seconds_count"
ERRORS = "graphql_server_response_errors_total"
ACTIVE = "graphql_server_active_requests"
PAGE = "query Page { segments(first: 1) { totalCount } }"
TWO = "query One { __typename } query Two { segments(first: 2) { totalCount } }"
ABSENT = "ffffffff-0000-4000-8000-ffffffffffff"


@asynccontextmanager
async def measured(
    *, is_whole: bool = False, segments: int = 3, **options: Any
) -> AsyncIterator[InProcess]:
    """Yields a gateway that runs and counts; with `is_whole`, served as the server does."""
    gateway = in_process(segments, METRICS="true", **options)
    if is_whole:
        gateway.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(ServedWhole(gateway.app)), base_url="http://localhost"
        )
    async with gateway.app.router.lifespan_context(gateway.app), gateway.http:
        yield gateway


async def post(gateway: InProcess, **body: object) -> httpx.Response:
    return await gateway.http.post("/graphql", json=body)


@pytest.mark.parametrize("is_whole", [False, True], ids=["by the application", "at once"])
async def test_the_names_of_trusted_documents_alone_are_told(
    is_whole: bool, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"page": PAGE, "two": TWO}), "utf-8")
    async with measured(is_whole=is_whole, TRUSTED_DOCUMENTS_FILE=str(manifest)) as gateway:
        for _ in range(3):  # executed, planned, from the response cache
            await post(gateway, documentId="page")
            await post(gateway, query=PAGE)
            await post(gateway, query=PAGE, operationName="Page")
            await post(gateway, documentId="two", operationName="Two")
            await post(gateway, query="query Invented { segments(first: 1) { totalCount } }")
            assert (await post(gateway, query=PAGE, operationName="Invented")).status_code == 400
            assert (await post(gateway, documentId="two")).status_code == 400
        assert await samples(gateway.http, DURATION) == {
            ("Page", "query"): 9,
            ("Two", "query"): 3,
            ("", "query"): 3,
            ("", "unknown"): 6,
        }


async def test_operations_have_the_type_as_which_they_are_executed() -> None:
    async with measured() as gateway:
        await post(
            gateway, query="mutation { createSegments(input: {segments: []}) { __typename } }"
        )
        await post(gateway, query="{ segments(first: 1) { totalCount } }")
        await post(gateway, query="{ segments(first: -1) { totalCount } }")
        await post(gateway, query="subscription { segments }")
        await post(gateway, query="mutation { nothing }")
        await post(gateway, query="{")
        await gateway.http.get("/graphql", headers={"Accept": "text/html"})  # GraphiQL
        assert await samples(gateway.http, DURATION) == {
            ("", "mutation"): 1,
            ("", "query"): 2,
            ("", "unknown"): 3,
        }


BAD_CURSOR = '{ segments(first: 1, after: "x") { totalCount } }'
PARTIAL = f"""{{
  a: segments(first: -1) {{ totalCount }} b: segments(first: 1, after: "x") {{ totalCount }}
  c: segments(first: -2) {{ totalCount }} d: segment(entityId: "{ABSENT}") {{ name }}
}}"""


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"query": "{ segments(first: 1) { totalCount } }"}, {}),
        ({"query": "{"}, {"GRAPHQL_PARSE_FAILED": 1}),
        ({"query": "{ nothing }"}, {"GRAPHQL_VALIDATION_FAILED": 1}),
        ({"query": BAD_CURSOR}, {"BAD_CURSOR": 1}),
        (
            {"query": "query($n: Int!) { segments(first: $n) { totalCount } }"},
            {"BAD_USER_INPUT": 1},
        ),
        ({"query": PARTIAL}, {"BAD_USER_INPUT": 2, "BAD_CURSOR": 1}),
        ({"query": 1}, {"BAD_REQUEST": 1}),
        ({"query": TWO}, {"BAD_REQUEST": 1}),
        ({"documentId": "unknown"}, {"PERSISTED_QUERY_NOT_FOUND": 1}),
        ([], {"BAD_REQUEST": 1}),
    ],
)
async def test_each_error_is_counted_by_its_code(body: object, errors: dict[str, int]) -> None:
    async with measured() as gateway:
        await gateway.http.post("/graphql", json=body)
        assert await samples(gateway.http, ERRORS) == {(code,): n for code, n in errors.items()}


@pytest.mark.parametrize(
    ("fault", "code"),
    [(Fault.SERVER_ERROR, "UPSTREAM_UNAVAILABLE"), (Fault.OVERLOADED, "RATE_LIMITED")],
)
async def test_errors_of_the_store_are_counted_by_their_code(fault: Fault, code: str) -> None:
    async with measured(REQUEST_TIMEOUT_SECONDS="1") as gateway:
        gateway.emulator.faults.add(fault, times=None)
        await post(gateway, query="{ segments(first: 1) { totalCount } }")
        assert await samples(gateway.http, ERRORS) == {(code,): 1}


@pytest.mark.parametrize(
    ("request_", "errors"),
    [
        ({"method": "PUT"}, {"BAD_REQUEST": 1}),
        ({"method": "GET", "headers": {"Accept": "text/event-stream"}}, {"BAD_REQUEST": 1}),
        ({"method": "POST", "content": b"{"}, {"BAD_REQUEST": 1}),
        ({"method": "POST", "content": b" " * 2000}, {"BAD_REQUEST": 1}),
    ],
    ids=["method", "media type", "no json", "too large"],
)
async def test_a_request_that_is_refused_is_an_error_of_no_known_type(
    request_: dict[str, Any], errors: dict[str, int]
) -> None:
    async with measured(MAX_BODY_BYTES="1024") as gateway:
        headers = {"Content-Type": "application/json", **request_.pop("headers", {})}
        answer = await gateway.http.request(url="/graphql", headers=headers, **request_)
        assert 400 <= answer.status_code < 500
        assert await samples(gateway.http, ERRORS) == {(code,): n for code, n in errors.items()}
        assert await samples(gateway.http, DURATION) == {("", "unknown"): 1}


async def test_an_unexpected_failure_is_an_internal_server_error() -> None:
    async def broken(request: Request) -> Client:
        if request.url.path == "/graphql":
            raise LookupError("a bug")
        return Client("prometheus", ALL_SCOPES)

    async with measured(authenticate=broken) as gateway:
        assert (await post(gateway, query=PAGE)).status_code == 500
        assert await samples(gateway.http, ERRORS) == {("INTERNAL_SERVER_ERROR",): 1}
        assert await samples(gateway.http, DURATION) == {("", "unknown"): 1}
        assert await samples(gateway.http, ACTIVE) == {}


async def test_a_request_that_the_stop_cuts_off_is_counted_as_its_client_sees_it() -> None:
    async def never(request: Request) -> Client:
        if request.url.path == "/graphql":
            await asyncio.Event().wait()
        return Client("prometheus", ALL_SCOPES)

    async with measured(authenticate=never) as gateway:
        asked = asyncio.create_task(post(gateway, query=PAGE))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.wait([asked])
        assert await samples(gateway.http, ERRORS) == {("UPSTREAM_UNAVAILABLE",): 1}
        assert await samples(gateway.http, DURATION) == {("", "unknown"): 1}
        assert await samples(gateway.http, ACTIVE) == {}


async def test_requests_are_active_until_they_are_answered() -> None:
    may_go_on = asyncio.Event()

    async def slow(request: Request) -> Client:
        if request.url.path == "/graphql":
            await may_go_on.wait()
        return Client("prometheus", ALL_SCOPES)

    async with measured(authenticate=slow) as gateway:
        asked = [asyncio.create_task(post(gateway, query=PAGE)) for _ in range(2)]
        await asyncio.sleep(0)
        assert await samples(gateway.http, ACTIVE) == {(): 2}
        assert await samples(gateway.http, DURATION) == {}
        may_go_on.set()
        await asyncio.gather(*asked)
        assert await samples(gateway.http, ACTIVE) == {}
        assert await samples(gateway.http, DURATION) == {("", "query"): 2}


async def answer_of(http: httpx.AsyncClient, key: str | None = None) -> tuple[int, str]:
    """Returns the status of `/metrics`, and the error code or the media type."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    answer = await http.get("/metrics", headers=headers)
    kind = answer.headers["Content-Type"].partition(";")[0]
    if kind == "text/plain":
        return answer.status_code, kind
    return answer.status_code, answer.json()["errors"][0]["extensions"]["code"]


async def test_metrics_need_their_scope(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    others = ALL_SCOPES - {AccessScope.METRICS}
    prometheus = create_api_key(file, "prometheus", [AccessScope.METRICS])
    web = create_api_key(file, "web", [*others])
    async with measured(API_KEYS_FILE=str(file)) as gateway:
        assert await answer_of(gateway.http) == (401, "UNAUTHENTICATED")
        assert await answer_of(gateway.http, "wrong") == (401, "UNAUTHENTICATED")
        assert await answer_of(gateway.http, web) == (403, "FORBIDDEN")
        assert await answer_of(gateway.http, prometheus) == (200, "text/plain")
    for may in ("read", "write"):
        async with measured(ALLOW_ANONYMOUS=may, API_KEYS_FILE=str(file)) as gateway:
            assert await answer_of(gateway.http) == (403, "FORBIDDEN")
            assert await answer_of(gateway.http, prometheus) == (200, "text/plain")


async def test_metrics_are_there_only_if_they_are_on() -> None:
    async with in_process(3).http as http:
        assert (await http.get("/metrics")).status_code == 404
        assert "/metrics" not in (await http.get("/")).json()["paths"]
    async with measured() as gateway:
        assert "/metrics" in (await gateway.http.get("/")).json()["paths"]


async def test_metrics_are_served_in_the_format_that_is_asked_for() -> None:
    async with measured() as gateway:
        for accept, media_type, end in (
            ("*/*", "text/plain; version=0.0.4; charset=utf-8", b""),
            ("text/plain; version=x", "text/plain; version=0.0.4; charset=utf-8", b""),
            (
                "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
                b"# EOF\n",
            ),
        ):
            answer = await gateway.http.get("/metrics", headers={"Accept": accept})
            assert answer.headers["Content-Type"] == media_type
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.content.endswith(end)
            head = await gateway.http.head("/metrics", headers={"Accept": accept})
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["Content-Type"] == media_type
        assert (await gateway.http.post("/metrics")).status_code == 405


async def test_event_loop_runs_while_the_metrics_are_read() -> None:
    goes_on, read_by = threading.Event(), list[int]()

    def exposition(accept: str) -> tuple[bytes, str]:
        assert goes_on.wait(timeout=2)
        return accept.encode(), "text/plain"

    endpoint = metrics(lambda: read_by.append(threading.get_ident()), exposition)
    asyncio.get_running_loop().call_soon(goes_on.set)
    answer = await endpoint(Request({"type": "http", "headers": [(b"accept", b"a")]}))
    # What the parts have counted is read by the thread that counts it.
    assert (answer.body, read_by) == (b"a", [threading.get_ident()])


async def test_a_scrape_by_address_needs_an_allowed_host() -> None:
    by_address = {"Host": "10.0.0.7:8000"}
    async with measured() as gateway:
        assert (await gateway.http.get("/metrics", headers=by_address)).status_code == 421
    async with measured(ALLOWED_HOSTS="localhost,10.0.0.7") as gateway:
        assert (await gateway.http.get("/metrics", headers=by_address)).status_code == 200
    async with measured(ALLOWED_HOSTS="*") as gateway:
        assert (await gateway.http.get("/metrics", headers=by_address)).status_code == 200


CACHE = "gateway_cache_requests_total"
BY_COLLECTION = {
    "segments": "{{ segments(first: 1) {{ nodes {{ name }} }} }}",
    "customers": "{{ customer(entityId: 1) {{ email }} }}",
    "shopper-profiles": "{{ shopperProfiles(first: 1) {{ nodes {{ entityId }} }} }}",
    "segments/*/shopper-profiles": (
        '{{ segment(entityId: "{id}") {{ shopperProfiles(first: 1) {{ nodes {{ entityId }} }} }} }}'
    ),
    "shopper-profiles/*/segments": (
        "{{ customer(entityId: 1) {{ segments {{ nodes {{ name }} }} }} }}"
    ),
}


@pytest.mark.parametrize("collection", BY_COLLECTION)
async def test_each_read_of_a_key_is_counted_by_its_result(collection: str) -> None:
    clock = Clock()
    async with measured(profiles=5, clock=clock, RESPONSE_CACHE_MAX_BYTES="0") as gateway:
        if collection == "shopper-profiles/*/segments":
            gateway.ignored_text = b"%2Csegment_ids"  # of the customer
        document = BY_COLLECTION[collection].format(id=gateway.emulator.store.segments[0].id)

        async def results() -> dict[str, float]:
            found = await samples(gateway.http, CACHE)
            return {result: number for (of, result), number in found.items() if of == collection}

        await asyncio.gather(*[gateway.data(document) for _ in range(3)])
        assert await results() == {"miss": 1, "coalesced": 2}
        await gateway.data(document)
        assert await results() == {"miss": 1, "coalesced": 2, "hit": 1}
        clock.now += 20
        before = gateway.upstream_requests
        await gateway.data(document)
        assert await results() == {"miss": 1, "coalesced": 2, "hit": 1, "stale": 1}
        for _ in range(5000):
            if gateway.upstream_requests > before:
                break
            await asyncio.sleep(0.001)
        await settle()  # the background refresh has ended


async def test_batches_and_answers_that_were_kept_are_counted() -> None:
    async with measured() as gateway:
        ids = [row.id for row in gateway.emulator.store.segments]
        one, two = ids[:1], ids[1:]
        query = "query($ids: [ID!]!) { segmentsByEntityId(entityIds: $ids) { name } }"
        for asked in (one, two, two, two):  # the second time, it is kept
            await gateway.data(query, ids=asked)
        assert await samples(gateway.http, "gateway_lookup_batch_size_count") == {(): 2}
        assert await samples(gateway.http, "gateway_lookup_batch_size_sum") == {(): 3}
        assert await samples(gateway.http, "gateway_response_cache_requests_total") == {
            ("hit",): 1,
            ("miss",): 3,
        }


async def test_the_store_and_the_process_are_measured() -> None:
    clock = Clock()
    async with measured(clock=clock) as gateway:

        async def now(name: str) -> float:
            return (await samples(gateway.http, name)).get((), 0)

        remaining, limit = "gateway_upstream_quota_remaining", "gateway_upstream_quota_limit"
        assert (await now(remaining), await now(limit)) == (inf, 0)
        assert (await now("gateway_cache_bytes"), await now("gateway_redis_up")) == (0, 1)
        await gateway.page(first=1)
        assert (await now(remaining), await now(limit)) == (999_999, 1_000_000)
        clock.now += 31  # the window has ended
        assert (await now(remaining), await now(limit)) == (1_000_000, 1_000_000)
        services = gateway.services
        assert await now("gateway_cache_bytes") == (
            services.cache.memory.bytes + gateway.app.state.response_cache.bytes
        )
        assert await now("gateway_cache_bytes") > 1000
        assert 2**25 < await now("process_resident_memory_bytes") < 2**32


async def test_the_circuit_is_open_after_failures_in_a_row() -> None:
    async with measured(clock=Clock()) as gateway:
        gateway.emulator.faults.add(Fault.SERVER_ERROR, times=None)
        for failures in range(FAILURES_IN_A_ROW):
            assert await samples(gateway.http, "gateway_upstream_circuit_open") == {}, failures
            await post(gateway, query="{ segments(first: 1) { totalCount } }")
        assert await samples(gateway.http, "gateway_upstream_circuit_open") == {(): 1}
        assert await samples(gateway.http, "gateway_upstream_requests_total") == {
            ("list_segments", "failed"): gateway.upstream_requests
        }


async def test_redis_that_is_gone_is_down() -> None:
    with redis_server() as redis:
        async with measured(REDIS_URL=redis.url, CACHE_TTL_SECONDS="0.001") as gateway:
            await gateway.page(first=1)
            assert await samples(gateway.http, "gateway_redis_up") == {(): 1}
            redis.kill()
            until = monotonic() + 20
            while await samples(gateway.http, "gateway_redis_up") and monotonic() < until:
                await gateway.page(first=1)
                await asyncio.sleep(0.01)
            assert await samples(gateway.http, "gateway_redis_up") == {}

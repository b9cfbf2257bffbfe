"""The wire of the emulated store: order of the checks, counting, quota and latency."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from clock import Clock, settle
from starlette.applications import Starlette

from gateway.emulator import Emulator, Fault, create_emulator, seeded_store
from gateway.emulator.resources import TokenScope

STATUS_CODES = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"


def error(status: int, title: str) -> dict[str, object]:
    return {"status": status, "title": title, "type": STATUS_CODES, "errors": {}}


@asynccontextmanager
async def client_of(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://emulator.localhost",
        headers={"X-Auth-Token": "emulator-token"},
    ) as client:
        yield client


def emulator_of(app: Starlette) -> Emulator:
    emulator = app.state.emulator
    assert isinstance(emulator, Emulator)
    return emulator


SEGMENTS = "/stores/emulator/v3/segments"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/stores/emulator/v3/coupons"),
        ("POST", "/stores/emulator/v3/customers"),
        ("PUT", "/stores/emulator/v3/shopper-profiles"),
        ("GET", "/stores/emulator/v2/segments"),
        ("GET", f"{SEGMENTS}/1a466884-f3f4-4249-9c28-ff90a5aec797"),
        ("PATCH", SEGMENTS),
        ("OPTIONS", SEGMENTS),
        ("TRACE", SEGMENTS),
        ("PROPFIND", SEGMENTS),
    ],
)
@pytest.mark.parametrize("token", ["emulator-token", "wrong", ""])
async def test_unknown_route_or_method_is_not_found_whatever_the_token(
    method: str, path: str, token: str
) -> None:
    app = create_emulator(seeded_store(1))
    async with client_of(app) as client:
        answer = await client.request(method, path, headers={"X-Auth-Token": token})
    assert answer.status_code == 404
    assert answer.json() == error(404, "The route is not found, check the URL")
    assert emulator_of(app).requests == {"unknown": 1}


async def test_credentials_are_checked_before_the_store() -> None:
    async with client_of(create_emulator(seeded_store(1))) as client:
        answer = await client.get(
            "/stores/another/v3/segments?name=x", headers={"X-Auth-Token": "bad"}
        )
    assert (answer.status_code, answer.json()) == (401, error(401, "Unauthorized"))
    assert "x-rate-limit-requests-left" not in answer.headers


@pytest.mark.parametrize(
    ("store", "token_scope"), [("another", "store_v2_customers"), ("emulator", None)]
)
async def test_store_and_scope_are_checked_before_the_query(
    store: str, token_scope: TokenScope | None
) -> None:
    async with client_of(create_emulator(seeded_store(1), token_scope=token_scope)) as client:
        answer = await client.get(f"/stores/{store}/v3/segments?name=x")
    title = "You don't have a required scope to access the endpoint"
    assert (answer.status_code, answer.json()) == (403, error(403, title))
    assert answer.headers["X-Rate-Limit-Requests-Left"] == "149"


async def test_read_only_scope_reads() -> None:
    app = create_emulator(seeded_store(1), token_scope="store_v2_customers_read_only")
    async with client_of(app) as client:
        assert (await client.get(SEGMENTS)).status_code == 200


async def test_page_past_the_end_is_empty_unless_it_is_to_be_refused() -> None:
    async with client_of(create_emulator(seeded_store(1))) as client:
        empty = await client.get(f"{SEGMENTS}?page=2")
    async with client_of(create_emulator(seeded_store(1), past_the_end="refuse")) as client:
        refused = await client.get(f"{SEGMENTS}?page=2")
    assert (empty.status_code, empty.json()["data"]) == (200, [])
    assert (refused.status_code, refused.json()) == (
        422,
        error(422, "page must not be past the end."),
    )


async def test_slash_at_the_end_is_the_same_route() -> None:
    async with client_of(create_emulator(seeded_store(1))) as client:
        assert (await client.get(f"{SEGMENTS}/")).json()["meta"]["pagination"]["total"] == 1


async def test_used_up_quota_is_429_until_the_window_ends() -> None:
    clock = Clock()
    app = create_emulator(seeded_store(1), rate_limit_quota=2, clock=clock)
    async with client_of(app) as client:
        clock.advance(29)
        statuses = [(await client.get(SEGMENTS)).status_code for _ in range(2)]
        refused = await client.get(SEGMENTS)
        clock.advance(1)
        statuses.append((await client.get(SEGMENTS)).status_code)
    assert statuses == [200, 200, 200]
    assert (refused.status_code, refused.json()) == (429, error(429, "Too many requests"))
    assert refused.headers["X-Rate-Limit-Requests-Left"] == "0"
    assert refused.headers["X-Rate-Limit-Time-Reset-Ms"] == "1000"


async def test_refused_credentials_cost_no_quota() -> None:
    async with client_of(create_emulator(seeded_store(1), rate_limit_quota=1)) as client:
        for token in ("", "wrong"):
            await client.get(SEGMENTS, headers={"X-Auth-Token": token})
        assert (await client.get(SEGMENTS)).status_code == 200


async def test_every_request_has_its_own_id() -> None:
    async with client_of(create_emulator(seeded_store(1))) as client:
        ids = {(await client.get(SEGMENTS)).headers["X-Request-Id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", request_id) for request_id in ids)


async def test_latencies_of_concurrent_requests_overlap() -> None:
    clock = Clock()
    app = create_emulator(seeded_store(1), latency_seconds=0.2, sleep=clock.sleep)
    async with client_of(app) as client, asyncio.TaskGroup() as group:
        answers = [group.create_task(client.get(SEGMENTS)) for _ in range(5)]
        await settle()
        assert emulator_of(app).requests == {"list_segments": 5}
        assert clock.slept == [0.2] * 5
        clock.advance(0.2)
    assert [answer.result().status_code for answer in answers] == [200] * 5


async def test_answer_shows_the_store_as_it_was_at_the_arrival_of_the_request() -> None:
    clock = Clock()
    app = create_emulator(seeded_store(3), latency_seconds=0.2, sleep=clock.sleep)
    async with client_of(app) as client, asyncio.TaskGroup() as group:
        answer = group.create_task(client.get(SEGMENTS))
        await settle()
        emulator_of(app).store.segments.clear()
        clock.advance(0.2)
    assert answer.result().json()["meta"]["pagination"]["total"] == 3


async def test_latency_between_two_ends_is_drawn_for_each_answer() -> None:
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    app = create_emulator(seeded_store(1), latency_seconds=(1, 3), sleep=sleep)
    async with client_of(app) as client:
        for _ in range(100):
            await client.get(SEGMENTS)
    slept.sort()
    assert 1 <= slept[0] < 1.2 < 1.7 < slept[50] < 2.3 < 2.8 < slept[-1] <= 3


async def test_without_latency_nothing_sleeps() -> None:
    clock = Clock()
    async with client_of(create_emulator(seeded_store(1), sleep=clock.sleep)) as client:
        assert (await client.get(SEGMENTS)).status_code == 200
    assert clock.slept == []


WRITES_OF_LIMITED_CONCURRENCY = [
    ("POST", "", [{"name": "New"}]),
    ("PUT", "", [{"id": "unknown"}]),
    ("POST", "/{}/shopper-profiles", []),
]


async def test_eleventh_write_in_flight_is_429_while_there_is_quota() -> None:
    clock = Clock()
    app = create_emulator(seeded_store(1, 0), latency_seconds=0.2, sleep=clock.sleep)
    segment = emulator_of(app).store.segments[0].id
    async with client_of(app) as client, asyncio.TaskGroup() as group:
        writes = []
        for number in range(11):
            method, path, body = WRITES_OF_LIMITED_CONCURRENCY[number % 3]
            url = SEGMENTS + path.format(segment)
            writes.append(group.create_task(client.request(method, url, json=body)))
            await settle()
        others = [
            group.create_task(client.request(method, f"{SEGMENTS}?{query}"))
            for method, query in (("GET", ""), ("DELETE", "id:in=unknown"))
        ]
        await settle()
        clock.advance(0.2)
    assert [write.result().status_code for write in writes].count(429) == 1
    refused = writes[10].result()
    assert (refused.status_code, refused.json()) == (429, error(429, "Too many requests"))
    assert refused.headers["X-Rate-Limit-Requests-Left"] == "139"
    assert [other.result().status_code for other in others] == [200, 422]


async def test_write_that_is_answered_is_in_flight_no_more() -> None:
    app = create_emulator(seeded_store(1, 0))
    async with client_of(app) as client:
        emulator_of(app).faults.add(Fault.LOST_ANSWER, times=6)
        for number in range(6):
            with pytest.raises(ConnectionResetError):
                await client.post(SEGMENTS, json=[{"name": f"{number}"}])
        answers = [await client.post(SEGMENTS, json=[{"name": f"{n}"}]) for n in range(6, 12)]
    assert [answer.status_code for answer in answers] == [201] * 6


async def test_write_is_carried_out_at_its_arrival() -> None:
    clock = Clock()
    app = create_emulator(seeded_store(0, 0), latency_seconds=0.2, sleep=clock.sleep)
    async with client_of(app) as client, asyncio.TaskGroup() as group:
        group.create_task(client.post(SEGMENTS, json=[{"name": "New"}]))
        await settle()
        assert [row.name for row in emulator_of(app).store.segments] == ["New"]
        clock.advance(0.2)

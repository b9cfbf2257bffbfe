"""The parts together, over a transport that answers as a test says, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import httpx
import msgspec
from in_process import in_process
from virtual_time import in_virtual_time

from gateway.app import Services
from gateway.app.composition import create_services
from gateway.bigcommerce.models import Segment
from gateway.errors import UpstreamError, UpstreamForbidden, UpstreamTimeout, UpstreamUnreadable
from gateway.request_scope import open_request_scope
from gateway.settings import load_settings

A, B, C, D = (f"{n:08d}-0000-4000-8000-00000000000a" for n in range(4))

Answer = Callable[[Sequence[str]], Awaitable[httpx.Response]]


def rows(ids: Sequence[object]) -> httpx.Response:
    found = {
        "data": [{"id": row_id} for row_id in ids],
        "meta": {"pagination": {"per_page": 250, "total": len(ids)}},
    }
    # A session cookie, as a proxy in front of the store's API may set it.
    headers = {"set-cookie": "proxy=1; Path=/"}
    return httpx.Response(200, headers=headers, stream=httpx.ByteStream(msgspec.json.encode(found)))


def status(code: int) -> httpx.Response:
    return httpx.Response(code, stream=httpx.ByteStream(b"{}"))


def services_over(answer: Answer, sent: list[httpx.Request] | None = None) -> Services:
    async def carry(request: httpx.Request) -> httpx.Response:
        if sent is not None:
            sent.append(request)
        return await answer(request.url.params.get("id:in", "").split(","))

    now = asyncio.get_running_loop().time
    return create_services(
        load_settings(
            {
                "GATEWAY_STORE_HASH": "store",
                "GATEWAY_ACCESS_TOKEN": "token",
                "GATEWAY_UPSTREAM_URL": "http://localhost",
            }
        ),
        httpx.MockTransport(carry),
        clock=lambda: 1_800_000_000.0 + now(),
    )


def kinds(outcomes: Sequence[Segment | UpstreamError | None]) -> list[type]:
    return [type(outcome) for outcome in outcomes]


@in_virtual_time
async def test_nothing_stale_is_served_after_a_refusal_though_an_older_answer_comes_late() -> None:
    refused = False

    async def answer(ids: Sequence[str]) -> httpx.Response:
        is_refused = refused
        await asyncio.sleep(3 if C in ids else 0.1)
        return status(403) if is_refused else rows(ids)

    lookups = services_over(answer).segment_lookups
    await lookups.load([A])
    await asyncio.sleep(30)
    late = asyncio.ensure_future(lookups.load([C]))
    await asyncio.sleep(1)
    refused = True
    assert kinds(await lookups.load([D])) == [UpstreamForbidden]
    assert kinds(await late) == [Segment]
    assert kinds(await lookups.load([A])) == [UpstreamForbidden]


@in_virtual_time
async def test_answer_that_reports_a_refusal_contains_nothing_stale() -> None:
    refused = False

    async def answer(ids: Sequence[str]) -> httpx.Response:
        return status(403) if refused else rows(ids)

    lookups = services_over(answer).segment_lookups
    await lookups.load([A])
    await asyncio.sleep(30)
    refused = True
    assert kinds(await lookups.load([A, B])) == [UpstreamForbidden] * 2


@in_virtual_time
async def test_id_that_is_refused_again_and_again_keeps_no_other_row_stale_for_long() -> None:
    async def answer(ids: Sequence[str]) -> httpx.Response:
        return status(400) if B in ids else rows(ids)

    lookups = services_over(answer).segment_lookups
    await lookups.load([A])
    await asyncio.sleep(100)
    ages = []
    for _ in range(60):
        await lookups.load([B])
        await asyncio.sleep(0.9)
        with open_request_scope(10) as scope:
            await lookups.load([A])
        assert scope.oldest_read_at is not None
        ages.append(1_800_000_000 + asyncio.get_running_loop().time() - scope.oldest_read_at)
    assert max(ages[6:]) < 25


@in_virtual_time
async def test_caller_that_joins_a_lookup_waits_until_its_own_deadline() -> None:
    now = asyncio.get_running_loop().time
    gateway = in_process(1000, clock=lambda: 1_800_000_000.0 + now(), latency_seconds=5.5)
    ids = [row.id for row in gateway.emulator.store.segments][:900]

    async def ask() -> set[type]:
        with open_request_scope(10):
            return set(kinds(await gateway.services.segment_lookups.load(ids)))

    first = asyncio.ensure_future(ask())  # two blocks, one after the other: 11 seconds
    await asyncio.sleep(5)
    assert await ask() == {Segment}
    assert UpstreamTimeout in await first


@in_virtual_time
async def test_row_whose_id_cannot_be_read_is_not_taken_for_an_absent_one() -> None:
    async def answer(ids: Sequence[str]) -> httpx.Response:
        return rows([A, 12345])

    lookups = services_over(answer).segment_lookups
    assert kinds(await lookups.load([A, B])) == [Segment, UpstreamUnreadable]


@in_virtual_time
async def test_cookies_are_neither_kept_nor_sent() -> None:
    async def answer(ids: Sequence[str]) -> httpx.Response:
        return rows(ids)

    sent: list[httpx.Request] = []
    services = services_over(answer, sent)
    for row_id in (A, B):
        await services.segment_lookups.load([row_id])
    assert [request.headers.get("cookie") for request in sent] == [None, None]

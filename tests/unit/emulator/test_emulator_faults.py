"""The queue of faults, and what each fault does to an answer."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.emulator import Fault, Faults, Rule, create_emulator, seeded_store

RATE_LIMIT_HEADERS = {
    "x-rate-limit-time-window-ms",
    "x-rate-limit-time-reset-ms",
    "x-rate-limit-requests-quota",
    "x-rate-limit-requests-left",
}


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def upstream(faults: Faults) -> AsyncIterator[httpx.AsyncClient]:
    app = create_emulator(seeded_store(3), faults=faults, rate_limit_quota=10, clock=lambda: 0.0)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://emulator.localhost/stores/emulator/v3/",
        headers={"X-Auth-Token": "emulator-token"},
    ) as client:
        yield client


def test_queue_gives_each_fault_as_often_as_told() -> None:
    faults = Faults()
    faults.add(Fault.HTML)
    faults.skip(2)
    faults.add(Fault.TRUNCATED, times=2)
    taken = [faults.take() for _ in range(6)]
    assert taken == [Fault.HTML, None, None, Fault.TRUNCATED, Fault.TRUNCATED, None]


def test_cleared_queue_is_empty() -> None:
    faults = Faults()
    faults.add(Fault.HTML, times=3)
    faults.clear()
    assert faults.take() is None


async def test_fault_meets_the_next_request_only(
    upstream: httpx.AsyncClient, faults: Faults
) -> None:
    faults.add(Fault.SERVER_ERROR)
    assert [(await upstream.get("segments")).status_code for _ in range(2)] == [500, 200]


async def test_server_error_is_an_error_object(upstream: httpx.AsyncClient, faults: Faults) -> None:
    faults.add(Fault.SERVER_ERROR)
    answer = await upstream.get("segments")
    assert answer.json()["title"] == "Internal Server Error"
    assert set(answer.headers) > RATE_LIMIT_HEADERS


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (400, "Bad Request"),
        (429, "Too Many Requests"),
        (503, "Service Unavailable"),
        (599, "Status 599"),
    ],
)
async def test_any_status_comes_with_an_error_object(
    upstream: httpx.AsyncClient, faults: Faults, status: int, title: str
) -> None:
    faults.rules.append(Rule(Fault.STATUS, status=status))
    answer = await upstream.get("segments")
    assert answer.status_code == status
    assert (answer.json()["status"], answer.json()["title"]) == (status, title)
    assert answer.headers["X-Rate-Limit-Requests-Left"] == "9"


async def test_rate_limited_says_that_nothing_is_left(
    upstream: httpx.AsyncClient, faults: Faults
) -> None:
    faults.add(Fault.RATE_LIMITED)
    answer = await upstream.get("segments")
    assert (answer.status_code, answer.json()["title"]) == (429, "Too many requests")
    assert answer.headers["X-Rate-Limit-Requests-Left"] == "0"
    assert answer.headers["X-Rate-Limit-Time-Reset-Ms"] == "30000"
    assert (await upstream.get("segments")).headers["X-Rate-Limit-Requests-Left"] == "8"


async def test_overload_is_a_429_without_rate_limit_headers(
    upstream: httpx.AsyncClient, faults: Faults
) -> None:
    faults.add(Fault.OVERLOADED)
    answer = await upstream.get("segments")
    assert (answer.status_code, answer.json()["title"]) == (429, "Too many requests")
    assert RATE_LIMIT_HEADERS.isdisjoint(answer.headers)


async def test_html_comes_with_status_200(upstream: httpx.AsyncClient, faults: Faults) -> None:
    faults.add(Fault.HTML)
    answer = await upstream.get("segments")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!doctype html>")


async def test_truncated_json_ends_in_the_middle(
    upstream: httpx.AsyncClient, faults: Faults
) -> None:
    faults.add(Fault.TRUNCATED)
    cut, whole = await upstream.get("segments"), await upstream.get("segments")
    assert cut.content == whole.content[: len(whole.content) // 2]
    assert (cut.status_code, cut.headers["Content-Type"]) == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        cut.json()


async def test_null_data_keeps_the_pagination(upstream: httpx.AsyncClient, faults: Faults) -> None:
    faults.add(Fault.NULL_DATA)
    body = (await upstream.get("segments")).json()
    assert body["data"] is None
    assert body["meta"]["pagination"]["total"] == 3


async def test_page_size_of_zero_comes_with_rows(
    upstream: httpx.AsyncClient, faults: Faults
) -> None:
    faults.add(Fault.ZERO_PER_PAGE)
    body = (await upstream.get("segments")).json()
    assert len(body["data"]) == 3
    assert body["meta"]["pagination"]["per_page"] == 0


async def test_missing_row_is_counted_all_the_same(
    upstream: httpx.AsyncClient, faults: Faults
) -> None:
    faults.add(Fault.MISSING_ROW)
    body = (await upstream.get("segments")).json()
    assert len(body["data"]) == 2
    assert (body["meta"]["pagination"]["count"], body["meta"]["pagination"]["total"]) == (3, 3)


async def test_request_beyond_the_quota_uses_up_no_fault(
    upstream: httpx.AsyncClient, faults: Faults
) -> None:
    for _ in range(10):
        await upstream.get("segments")
    faults.add(Fault.HTML)
    assert (await upstream.get("segments")).status_code == 429
    assert faults.take() is Fault.HTML


async def test_request_without_credentials_uses_up_no_fault(
    upstream: httpx.AsyncClient, faults: Faults
) -> None:
    faults.add(Fault.HTML)
    assert (await upstream.get("segments", headers={"X-Auth-Token": ""})).status_code == 401
    assert faults.take() is Fault.HTML

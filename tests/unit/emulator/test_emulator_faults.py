"""The rules of faults, and what each fault does to an answer."""

import json
import re
from collections.abc import AsyncIterator
from random import Random

import httpx
import pytest

from gateway.emulator import Fault, Faults, Rule, create_emulator, seeded_store
from gateway.emulator.operation_names import OperationName

RATE_LIMIT_HEADERS = {
    "x-rate-limit-time-window-ms",
    "x-rate-limit-time-reset-ms",
    "x-rate-limit-requests-quota",
    "x-rate-limit-requests-left",
}


def taken(faults: Faults, times: int) -> list[Fault | None]:
    random = Random(7)
    rules = [faults.take(random, "list_segments") for _ in range(times)]
    return [None if rule is None else rule.fault for rule in rules]


def test_rules_are_met_in_order_and_as_often_as_they_say() -> None:
    faults = Faults([Rule(Fault.RESET, times=1)])
    faults.skip(2)
    faults.add(Fault.HTML, times=2)
    faults.add(Fault.TRUNCATED, times=None)
    assert taken(faults, 2) == [Fault.RESET, None]
    assert faults.rules[:2] == [Rule(None, times=1), Rule(Fault.HTML, times=2)]
    assert taken(faults, 5) == [None, Fault.HTML, Fault.HTML, Fault.TRUNCATED, Fault.TRUNCATED]
    assert faults.rules == [Rule(Fault.TRUNCATED)]
    faults.clear()
    assert taken(faults, 1) == [None]


def test_rule_of_an_operation_leaves_others_alone() -> None:
    faults, random = Faults(), Random(7)
    faults.skip(1, "create_segments")
    faults.add(Fault.RESET, operation="create_segments")
    faults.add(Fault.HTML, times=None)
    create: OperationName = "create_segments"
    asked: tuple[OperationName, ...] = ("list_segments", create, create, create)
    rules = [faults.take(random, operation) for operation in asked]
    assert [rule and rule.fault for rule in rules] == [Fault.HTML, None, Fault.RESET, Fault.HTML]
    assert faults.rules == [Rule(Fault.HTML)]


def test_rule_with_a_probability_leaves_the_rest_to_the_next_one() -> None:
    faults = Faults([Rule(Fault.RESET, probability=0.25), Rule(Fault.HTML)])
    met = taken(faults, 1000)
    assert met.count(Fault.RESET) == pytest.approx(250, abs=40)
    assert met.count(Fault.HTML) == 1000 - met.count(Fault.RESET)


def test_probability_uses_up_only_the_times_that_are_met() -> None:
    faults = Faults([Rule(Fault.RESET, probability=0.5, times=10)])
    assert taken(faults, 100).count(Fault.RESET) == 10
    assert faults.rules == []


@pytest.mark.parametrize(("probability", "met"), [(0.0, 0), (1.0, 50)])
def test_probability_of_0_or_1_is_certain(probability: float, met: int) -> None:
    faults = Faults([Rule(Fault.RESET, probability=probability)])
    assert taken(faults, 50).count(Fault.RESET) == met


@pytest.mark.parametrize(
    ("fault", "status", "seconds", "sentence"),
    [
        (Fault.STATUS, None, None, "`status` goes with the fault status, and with no other"),
        (Fault.HTML, 503, None, "`status` goes with the fault status, and with no other"),
        (Fault.DRIP, None, None, "`seconds` goes with the fault drip, and with no other"),
        (Fault.CUT, None, 2.0, "`seconds` goes with the fault drip, and with no other"),
    ],
)
def test_invalid_rule_is_refused(
    fault: Fault, status: int | None, seconds: float | None, sentence: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Rule(fault, status=status, seconds=seconds)


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


@pytest.mark.parametrize(
    ("rule", "status", "title"),
    [
        (Rule(Fault.SERVER_ERROR, times=1), 500, "Internal Server Error"),
        (Rule(Fault.STATUS, status=400, times=1), 400, "Bad Request"),
        (Rule(Fault.STATUS, status=429, times=1), 429, "Too Many Requests"),
        (Rule(Fault.STATUS, status=599, times=1), 599, "Status 599"),
    ],
)
async def test_status_comes_once_with_an_error_object_and_the_quota(
    upstream: httpx.AsyncClient, faults: Faults, rule: Rule, status: int, title: str
) -> None:
    faults.rules.append(rule)
    answer = await upstream.get("segments")
    assert answer.status_code == status
    assert (answer.json()["status"], answer.json()["title"]) == (status, title)
    assert answer.headers["X-Rate-Limit-Requests-Left"] == "9"
    assert (await upstream.get("segments")).status_code == 200


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


@pytest.mark.parametrize(
    ("fault", "rows", "per_page"),
    [(Fault.NULL_DATA, None, 50), (Fault.ZERO_PER_PAGE, 3, 0), (Fault.MISSING_ROW, 2, 50)],
)
async def test_body_contradicts_its_pagination(
    upstream: httpx.AsyncClient, faults: Faults, fault: Fault, rows: int | None, per_page: int
) -> None:
    faults.add(fault)
    body = (await upstream.get("segments")).json()
    page = body["meta"]["pagination"]
    assert (body["data"] and len(body["data"])) == rows
    assert (page["total"], page["count"], page["per_page"]) == (3, 3, per_page)


async def test_refused_request_uses_up_no_fault(
    upstream: httpx.AsyncClient, faults: Faults
) -> None:
    faults.skip(9)
    faults.add(Fault.HTML)
    assert (await upstream.get("segments", headers={"X-Auth-Token": ""})).status_code == 401
    for _ in range(9):
        await upstream.get("segments")
    assert faults.rules == [Rule(Fault.HTML, times=1)]
    faults.skip()
    await upstream.get("segments")
    assert (await upstream.get("segments")).status_code == 429
    assert faults.rules == [Rule(None, times=1)]

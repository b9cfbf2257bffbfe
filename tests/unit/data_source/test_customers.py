"""Customers by id and by e-mail address: two pools, and one set of rows."""

import asyncio
from collections.abc import Iterator

import httpx
import msgspec
import pytest
from clock import Clock
from in_process import InProcess, in_process
from redis_server import RedisServer, redis_server
from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from gateway.app import create_services
from gateway.bigcommerce.models import Customer
from gateway.errors import UpstreamError
from gateway.settings import load_settings


def email_of(gateway: InProcess, number: int) -> str:
    return gateway.emulator.store.customers[number - 1].email


def ids_of(rows: list[Customer | UpstreamError | None]) -> list[str | None]:
    return [row.id if isinstance(row, Customer) else None for row in rows]


async def test_addresses_of_all_callers_share_one_request_and_fill_the_rows_by_id() -> None:
    gateway = in_process(10)
    customers = gateway.services.customers
    some = [email_of(gateway, number) for number in (3, 4, 5)]
    found = await asyncio.gather(
        customers.load_by_email([some[0], "absent@example.com", some[0].upper()]),
        customers.load_by_email(some[1:]),
    )
    assert [ids_of(rows) for rows in found] == [["3", None, "3"], ["4", "5"]]
    assert ids_of(await customers.load(["5", "3"])) == ["5", "3"]
    assert ids_of(await customers.load_by_email(["Absent@example.com"])) == [None]
    assert gateway.emulator.requests == {"list_customers": 1}
    (query,) = [QueryParams(query) for _, _, query in gateway.sent]
    assert query["email:in"].split(",") == [some[0], "absent@example.com", *some[1:]]


async def test_address_with_any_character_that_is_taken_reaches_the_store_as_it_is() -> None:
    gateway = in_process(10)
    customers = gateway.emulator.store.customers
    odd = [
        "o'brien+vip@example.com",
        "100%41@example.com",
        "a&id:in=1@example.com",
        "é#?/@b.example",
    ]
    for number, email in enumerate(odd, 9001):
        customers.add(msgspec.structs.replace(customers[0], id=number, email=email))
    rows = await gateway.services.customers.load_by_email([email.upper() for email in odd])
    assert ids_of(rows) == ["9001", "9002", "9003", "9004"]
    assert gateway.emulator.requests == {"list_customers": 1}


async def test_customer_whose_address_has_changed_is_not_found_by_the_old_one() -> None:
    gateway = in_process(10, clock=(clock := Clock()))
    services, rows = gateway.services.customers, gateway.emulator.store.customers
    row = rows[2]
    assert ids_of(await services.load_by_email([row.email])) == ["3"]
    rows.remove([row])
    rows.add(msgspec.structs.replace(row, email="new@example.com"))
    clock.now += 1
    assert ids_of(await services.load_by_email(["new@example.com"])) == ["3"]
    # The row that this has read is newer than what is known of the old address.
    assert ids_of(await services.load_by_email([row.email])) == [None]
    assert ids_of(await services.load_by_email([row.email, "new@example.com"])) == [None, "3"]
    assert gateway.emulator.requests == {"list_customers": 3}


LONG = [f"{number:03}" + "ω" * 119 + "@example.com" for number in range(20)]
LONGEST_URL = 4096


async def test_long_addresses_go_in_short_urls_and_fail_no_other_caller() -> None:
    gateway = in_process(10, longest_query=LONGEST_URL)
    customers, some = gateway.services.customers, email_of(gateway, 3)
    found = await asyncio.gather(
        customers.load_by_email(LONG), customers.load_by_email([some, "absent@example.com"])
    )
    assert [ids_of(rows) for rows in found] == [[None] * 20, ["3", None]]
    # Each of the long ones takes 732 characters, so that five are in a URL.
    asked = [QueryParams(query)["email:in"].split(",") for _, _, query in gateway.sent]
    assert asked == [LONG[:5], LONG[5:10], LONG[10:15], [*LONG[15:], some, "absent@example.com"]]


async def test_address_of_many_customers_is_that_of_the_first_and_fails_no_other() -> None:
    asked: list[QueryParams] = []

    async def storefronts(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(QueryParams(scope["query_string"]))
        rows = [{"id": n, "email": "Ana@example.com"} for n in range(2, 60)]
        data = [*rows, {"id": 99, "email": "eva@example.com"}]
        pagination = {"total": len(data), "per_page": 250}
        await JSONResponse({"data": data, "meta": {"pagination": pagination}})(scope, receive, send)

    services = create_services(load_settings({}), httpx.ASGITransport(storefronts))
    emails = ["ana@example.com", "eva@example.com", "ivo@example.com"]
    assert ids_of(await services.customers.load_by_email(emails)) == ["2", "99", None]
    assert ids_of(await services.customers.load(["2"])) == ["2"]
    assert [(query["limit"], query["include"]) for query in asked] == [
        ("250", "shopper_profile_id,segment_ids")
    ]


async def test_address_that_is_refused_has_its_own_error() -> None:
    gateway = in_process(10)
    some = [email_of(gateway, number) for number in range(1, 5)]
    gateway.refused_text = some[2].partition("@")[0]
    rows = await gateway.services.customers.load_by_email(some)
    assert [isinstance(row, UpstreamError) for row in rows] == [False, False, True, False]


async def test_without_a_cache_an_address_costs_a_request_by_each_way() -> None:
    gateway = in_process(10, CACHE_TTL_SECONDS="0")
    rows = await gateway.services.customers.load_by_email([email_of(gateway, 3)])
    assert ids_of(rows) == ["3"]
    assert gateway.emulator.requests == {"list_customers": 2}


async def test_customer_is_read_again_after_its_ttl() -> None:
    clock = Clock()
    gateway = in_process(10, clock=clock)
    for _ in range(2):
        await gateway.services.customers.load(["3"])
        clock.advance(1000)
    assert gateway.emulator.requests == {"list_customers": 2}


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


async def test_redis_and_memory_hold_the_fields_of_the_graph_and_no_others(
    redis: RedisServer,
) -> None:
    writer, reader = (in_process(10, REDIS_URL=redis.url) for _ in range(2))
    row = writer.emulator.store.customers[3]
    assert (row.notes, row.phone) == ("Prefers delivery in the morning.", "+1 555 0104")
    async with writer.services.running(), reader.services.running():
        (found,) = await writer.services.customers.load_by_email([row.email])
        assert isinstance(found, Customer)
        assert (found.id, found.first_name) == ("4", row.first_name)
        for load, key in (
            (reader.services.customers.load_by_email, row.email),
            (reader.services.customers.load, "4"),
        ):
            assert await load([key]) == [found]
        assert reader.upstream_requests == 0
        connection = writer.services.redis
        assert connection is not None
        names = [name async for name in connection.client.scan_iter()]
        values = [await connection.client.get(name) for name in names]
        stored = repr((names, values)).encode()
    assert row.first_name.encode() in stored
    for secret in (row.notes, row.phone, row.registration_ip_address, "example_review", "origin"):
        assert secret.encode() not in stored

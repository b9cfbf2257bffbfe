"""Customers over the wire."""

from collections.abc import AsyncIterator

import msgspec
import pytest
from emulated import Emulated, emulated, error

from gateway.emulator import seeded_store


@pytest.fixture
async def store() -> AsyncIterator[Emulated]:
    """A store of the customers 1 to 42; the last two have no profile."""
    async with emulated(seeded_store(3, 40)) as store:
        yield store


async def ids(store: Emulated, query: str) -> list[int]:
    status, body = await store.ask("GET", f"customers{query}")
    assert status == 200
    return [row["id"] for row in body["data"]]


async def test_page_shows_customers_with_more_fields_than_a_gateway_needs(store: Emulated) -> None:
    status, body = await store.ask("GET", "customers?page=2&limit=30")
    assert (status, body["data"]) == (200, msgspec.to_builtins(store.store.customers[30:]))
    assert body["meta"]["pagination"]["total"] == 42
    first = body["data"][0]
    assert {"email", "first_name", "last_name", "company", "phone", "notes"} < first.keys()
    assert first.keys().isdisjoint({"shopper_profile_id", "segment_ids"})


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?id:in=7,3,3,99", [3, 7]),
        ("?id:in=x,,-1,1.0,9999999999999999999999", []),
        ("?id:in=1,2,3&limit=2&page=2", [3]),
        ("?id:in=", []),
        ("?email:in=", []),
        ("?email:in=unknown@example.com", []),
    ],
)
async def test_ids_select_customers(store: Emulated, query: str, found: list[int]) -> None:
    assert await ids(store, query) == found


async def test_addresses_select_customers_whatever_their_case(store: Emulated) -> None:
    second, third = (store.store.customers[place].email for place in (1, 2))
    assert await ids(store, f"?email:in={third.upper()},{second}") == [2, 3]
    assert await ids(store, f"?email:in={third},{second}&id:in=1,3") == [3]


async def test_only_what_is_included_is_shown(store: Emulated) -> None:
    profile = store.store.profiles[5]
    segments = [row.id for row in store.store.segments]
    for include, shown in (
        ("shopper_profile_id", {"shopper_profile_id": profile.id}),
        ("segment_ids", {"segment_ids": segments}),
        (
            "shopper_profile_id,segment_ids",
            {"shopper_profile_id": profile.id, "segment_ids": segments},
        ),
    ):
        _, body = await store.ask("GET", f"customers?id:in=6&include={include}")
        assert body["data"] == [{**msgspec.to_builtins(store.store.customers[5]), **shown}]


async def test_customer_without_a_profile_is_in_no_segment(store: Emulated) -> None:
    _, body = await store.ask("GET", "customers?id:in=41&include=shopper_profile_id,segment_ids")
    (row,) = body["data"]
    assert (row["shopper_profile_id"], row["segment_ids"]) == (None, [])


async def test_includes_show_writes(store: Emulated) -> None:
    query = "customers?id:in=41&include=shopper_profile_id,segment_ids"
    _, made = await store.ask("POST", "shopper-profiles", [{"customer_id": 41}])
    profile, segment = made["data"][0]["id"], store.store.segments[2].id
    await store.ask("POST", f"segments/{segment}/shopper-profiles", [profile])
    (row,) = (await store.ask("GET", query))[1]["data"]
    assert (row["shopper_profile_id"], row["segment_ids"]) == (profile, [segment])
    await store.ask("DELETE", f"segments?id:in={segment}")
    (row,) = (await store.ask("GET", query))[1]["data"]
    assert (row["shopper_profile_id"], row["segment_ids"]) == (profile, [])


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("name:in=x", "The filter(s): name:in are not valid filter parameter(s)."),
        ("include=segment_ids,addresses", "The include(s): addresses are not valid."),
        ("limit=0", "limit must be a whole number of 1 or more."),
    ],
)
async def test_query_without_sense_is_refused(store: Emulated, query: str, title: str) -> None:
    assert await store.ask("GET", f"customers?{query}") == (422, error(422, title))

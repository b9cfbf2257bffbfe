"""Shopper profiles of the whole store, over the wire and in both dialects."""

from collections.abc import AsyncIterator

import msgspec
import pytest
from emulated import INVALID, Emulated, emulated, error

from gateway.emulator import seeded_store

NOT_FOUND = "The customer is not found."
HAS_ONE = "The customer has a shopper profile."


@pytest.fixture
async def old() -> AsyncIterator[Emulated]:
    """A store in the dialect of 2025; customers 41 and 42 have no profile."""
    async with emulated(seeded_store(2, 40), dialect="2025") as store:
        yield store


@pytest.fixture
async def new() -> AsyncIterator[Emulated]:
    """The same store in the dialect of 2026."""
    async with emulated(seeded_store(2, 40)) as store:
        yield store


async def test_list_is_paged(new: Emulated) -> None:
    status, body = await new.ask("GET", "shopper-profiles?page=2&limit=30")
    rows = [msgspec.to_builtins(row) for row in new.store.profiles[30:]]
    assert (status, body["data"]) == (200, rows)
    assert body["meta"]["pagination"]["total_pages"] == 2
    title = "The filter(s): id:in are not valid filter parameter(s)."
    assert await new.ask("GET", "shopper-profiles?id:in=x") == (422, error(422, title))


async def test_created_profiles_are_at_the_end_and_answered(old: Emulated, new: Emulated) -> None:
    for of, rest in (
        (old, {"meta": {}}),
        (new, {"errors": [], "meta": {"total": 2, "success": 2, "failed": 0}}),
    ):
        batch = [{"customer_id": 42}, {"customer_id": 41}]
        status, body = await of.ask("POST", "shopper-profiles", batch)
        rows = of.store.profiles[40:]
        assert (status, body) == (201, {"data": [msgspec.to_builtins(row) for row in rows], **rest})
        assert [row.customer_id for row in rows] == [42, 41]
        assert [of.store.members.of_profile(row) for row in rows] == [[], []]


async def test_customers_without_sense_refuse_all_or_themselves(
    old: Emulated, new: Emulated
) -> None:
    batch = [{"customer_id": number} for number in (41, 40, 41, 43, "42", True)] + [{}]
    problems = {
        "1.customer_id": HAS_ONE,
        "2.customer_id": HAS_ONE,
        **{f"{index}.customer_id": NOT_FOUND for index in (3, 4, 5, 6)},
    }
    answer = await old.ask("POST", "shopper-profiles", batch)
    assert answer == (400, error(400, INVALID, problems))
    status, body = await new.ask("POST", "shopper-profiles", batch)
    assert (status, body["errors"]) == (422, [error(422, INVALID, problems)])
    assert body["meta"] == {"total": 7, "success": 1, "failed": 6}
    assert (len(old.store.profiles), len(new.store.profiles)) == (40, 41)


async def test_deleted_profile_is_in_no_segment_and_its_customer_can_have_another(
    old: Emulated, new: Emulated
) -> None:
    success = {"data": [], "errors": [], "meta": {"total": 1, "success": 1, "failed": 0}}
    for of, answer in ((old, (204, None)), (new, (200, success))):
        gone = of.store.profiles[1]
        assert await of.ask("DELETE", f"shopper-profiles?id:in={gone.id.upper()}") == answer
        assert [len(of.store.members.of_segment(row.id)) for row in of.store.segments] == [39, 19]
        assert of.store.profiles.find(2) is None
        assert (await of.ask("POST", "shopper-profiles", [{"customer_id": 2}]))[0] == 201
        assert [row.id for row in of.store.profiles].count(gone.id) == 0


async def test_deleting_without_ids_deletes_every_profile_and_no_customer(new: Emulated) -> None:
    status, body = await new.ask("DELETE", "shopper-profiles")
    assert (status, body["meta"]) == (200, {"total": 40, "success": 40, "failed": 0})
    assert (len(new.store.profiles), len(new.store.customers)) == (0, 42)
    assert [len(new.store.members.of_segment(row.id)) for row in new.store.segments] == [0, 0]
    assert new.emulator.unbounded_deletes == 1

"""Writes of shopper profiles and memberships, over the emulator in both published dialects."""

from collections.abc import Sequence
from typing import Literal

import pytest
from in_process import InProcess, in_process

from gateway.bigcommerce.models import Customer, ShopperProfile
from gateway.data_source.collection import ALL_SHOPPER_PROFILES, members_of, segments_of
from gateway.emulator import Fault, seeded_store
from gateway.user_errors import UserError

Dialect = Literal["2025", "2026"]
both_dialects = pytest.mark.parametrize("dialect", ["2025", "2026"])
ABSENT = "00000000-0000-4000-8000-000000000001"
# Customers 1 to 100 have a profile, 101 to 105 have none, and 106 does not exist.
PROFILES = 100


def gateway_of(dialect: Dialect, batch: int = 50) -> InProcess:
    gateway = in_process(seeded_store(3, PROFILES), WRITE_BATCH_PROFILES=str(batch))
    gateway.emulator.dialect = dialect
    return gateway


def profile_of(gateway: InProcess, customer_id: int) -> str:
    row = gateway.emulator.store.profiles.find(customer_id)
    assert row is not None
    return row.id


def segment_of(gateway: InProcess, index: int) -> str:
    return gateway.emulator.store.segments[index].id


def members(gateway: InProcess, index: int) -> set[int]:
    """The customers in a segment."""
    return {
        row.customer_id
        for row in gateway.emulator.store.members.of_segment(segment_of(gateway, index))
    }


def codes(outcomes: Sequence[object]) -> list[object]:
    return [one.code.value if isinstance(one, UserError) else one for one in outcomes]


async def total(gateway: InProcess, name: str) -> int:
    """The total of a list, through the cache."""
    lists = gateway.services.lists
    collection = {"profiles": ALL_SHOPPER_PROFILES}.get(name) or members_of(name)
    return (await lists.of(collection).read(0)).total


@both_dialects
async def test_profiles_are_created_for_customers_without_one(dialect: Dialect) -> None:
    gateway = gateway_of(dialect)
    assert await total(gateway, "profiles") == 100
    before = await gateway.services.customers.load(["101"])
    outcomes = await gateway.services.writes.create_shopper_profiles([101, 5, 106, 102])
    made = [one.customer_id if isinstance(one, ShopperProfile) else one for one in outcomes]
    assert codes(made) == [101, "HAS_SHOPPER_PROFILE", "NOT_FOUND", 102]
    assert await total(gateway, "profiles") == 102
    (after,) = await gateway.services.customers.load(["101"])
    assert isinstance(before[0], Customer)
    assert isinstance(after, Customer)
    assert (before[0].shopper_profile_id, after.shopper_profile_id) == (
        None,
        profile_of(gateway, 101),
    )
    assert gateway.emulator.requests["create_shopper_profiles"] == (1 if dialect == "2026" else 2)


@both_dialects
async def test_profiles_are_deleted_with_their_memberships(dialect: Dialect) -> None:
    gateway = gateway_of(dialect)
    first, profile = segment_of(gateway, 0), profile_of(gateway, 7)
    (customer,) = await gateway.services.customers.load(["7"])
    assert await total(gateway, first) == 100
    outcomes = await gateway.services.writes.delete_shopper_profiles([profile, ABSENT])
    assert codes(outcomes) == [
        profile,
        ABSENT if dialect == "2025" else "NOT_FOUND",  # a 204 says nothing
    ]
    assert await total(gateway, first) == 99
    (after,) = await gateway.services.customers.load(["7"])
    assert isinstance(customer, Customer)
    assert isinstance(after, Customer)
    assert (customer.shopper_profile_id, after.shopper_profile_id) == (profile, None)
    assert gateway.emulator.unbounded_deletes == 0


@both_dialects
async def test_profiles_are_put_into_a_segment_and_taken_out(dialect: Dialect) -> None:
    gateway = gateway_of(dialect)
    second = segment_of(gateway, 1)
    one, two, three = (profile_of(gateway, n) for n in (1, 2, 3))
    writes = gateway.services.writes
    inside = next(n for n in (1, 2, 3) if n in members(gateway, 1))
    assert await total(gateway, second) == len(members(gateway, 1))
    outcomes = await writes.add_shopper_profiles(second, [one, two, ABSENT, three])
    expected: list[object] = [one, two, "NOT_FOUND", three]
    expected[{1: 0, 2: 1, 3: 3}[inside]] = "ALREADY_MEMBER"
    if dialect == "2025":
        # the bad item is named, then the conflict, then the rest is carried out
        assert gateway.emulator.requests["add_segment_shopper_profiles"] == 3
    assert codes(outcomes)[0:2] + codes(outcomes)[3:] == expected[0:2] + expected[3:]
    assert codes(outcomes)[2] == "NOT_FOUND"
    assert {1, 2, 3} <= members(gateway, 1)
    assert await total(gateway, second) == len(members(gateway, 1))
    lists = gateway.services.lists
    assert second in {
        row.id for row in (await lists.of(segments_of(three)).read(0)).rows if row is not None
    }
    removed = await writes.remove_shopper_profiles(second, [one, ABSENT])
    assert codes(removed) == [one, ABSENT if dialect == "2025" else "NOT_A_MEMBER"]
    assert await total(gateway, second) == len(members(gateway, 1))
    for outcomes in (
        await writes.add_shopper_profiles(ABSENT, [one, two]),
        await writes.remove_shopper_profiles(ABSENT, [one]),
    ):
        assert set(codes(outcomes)) == {"NOT_FOUND"}
    assert gateway.emulator.unbounded_deletes == 0


@both_dialects
async def test_customers_are_put_into_a_segment_with_the_profiles_that_they_lack(
    dialect: Dialect,
) -> None:
    gateway = gateway_of(dialect)
    second = segment_of(gateway, 1)
    await gateway.services.segments.read(0)
    inside = min(members(gateway, 1))
    outside = min(set(range(1, 101)) - members(gateway, 1))
    gateway.emulator.reset_requests()
    asked = [outside, 101, 106, inside, 102]
    result = await gateway.services.writes.add_customers(second, asked, True)
    ids = [one.id if isinstance(one, Customer) else one for one in result.outcomes]
    assert codes(ids) == [f"{outside}", "101", "NOT_FOUND", f"{inside}", "102"]
    assert result.created_profiles == 2
    assert {outside, 101, inside, 102} <= members(gateway, 1)
    assert gateway.emulator.requests == {
        "list_customers": 1,
        "create_shopper_profiles": 1,
        "add_segment_shopper_profiles": 1,
    }
    for outcome in result.outcomes:
        if isinstance(outcome, Customer):
            assert second in (outcome.segment_ids or ())
            assert outcome.shopper_profile_id == profile_of(gateway, int(outcome.id))
    # what is known of the customers needs no further request
    written = [f"{outside}", "101", "102"]
    loaded = await gateway.services.customers.load(written)
    assert loaded == [result.outcomes[0], result.outcomes[1], result.outcomes[4]]
    assert gateway.emulator.requests["list_customers"] == 1


@both_dialects
async def test_customers_without_a_profile_are_reported_where_none_is_to_be_made(
    dialect: Dialect,
) -> None:
    gateway = gateway_of(dialect)
    result = await gateway.services.writes.add_customers(segment_of(gateway, 1), [101], False)
    assert (codes(result.outcomes), result.created_profiles) == (["NO_SHOPPER_PROFILE"], 0)
    assert gateway.emulator.requests == {"list_customers": 1}


@both_dialects
async def test_no_profile_is_made_for_a_segment_that_does_not_exist(dialect: Dialect) -> None:
    gateway = gateway_of(dialect)
    writes = gateway.services.writes
    for asked in ([101, 1], [1, 2], [1]):
        result = await writes.add_customers(ABSENT, asked, True)
        assert codes(result.outcomes) == ["NOT_FOUND"] * len(asked)
        result = await writes.remove_customers(ABSENT, asked)
        assert codes(result.outcomes) == ["NOT_FOUND"] * len(asked)
    assert gateway.emulator.store.profiles.find(101) is None
    assert gateway.emulator.requests["create_shopper_profiles"] == 0


@both_dialects
async def test_customers_are_taken_out_of_a_segment(dialect: Dialect) -> None:
    gateway = gateway_of(dialect)
    first = segment_of(gateway, 0)
    assert await total(gateway, first) == 100
    result = await gateway.services.writes.remove_customers(first, [1, 101, 106, 2])
    ids = [one.id if isinstance(one, Customer) else one for one in result.outcomes]
    assert codes(ids) == ["1", "101", "NOT_FOUND", "2"]
    assert members(gateway, 0) == set(range(3, 101))
    assert all(
        first not in (one.segment_ids or ()) for one in result.outcomes if isinstance(one, Customer)
    )
    assert await total(gateway, first) == 98
    assert gateway.emulator.requests["remove_segment_shopper_profiles"] == 1


@both_dialects
async def test_members_of_a_segment_are_found_in_a_refusal_of_all(dialect: Dialect) -> None:
    """Another application has put them into it since the customers were read."""
    gateway = gateway_of(dialect)
    third = segment_of(gateway, 2)
    outside = sorted(set(range(1, 101)) - members(gateway, 2))[:10]
    store = gateway.emulator.store
    counted = gateway.emulator.requests

    async def add_meanwhile(_: float) -> None:
        if counted == {"list_customers": 1}:
            for customer_id in outside[:3]:
                row = store.profiles.find(customer_id)
                assert row is not None
                store.members.add(third, row)

    gateway.emulator.latency_seconds, gateway.emulator.sleep = 1, add_meanwhile
    result = await gateway.services.writes.add_customers(third, outside, True)
    assert [one.id for one in result.outcomes if isinstance(one, Customer)] == [
        f"{n}" for n in outside
    ]
    assert set(outside) <= members(gateway, 2)
    assert counted["add_segment_shopper_profiles"] == 2


@both_dialects
async def test_a_lost_addition_is_unknown_and_its_customers_are_read_again(
    dialect: Dialect,
) -> None:
    gateway = gateway_of(dialect, batch=2)
    third = segment_of(gateway, 2)
    outside = sorted(set(range(1, 101)) - members(gateway, 2))[:2]
    ids = [f"{n}" for n in outside]
    await gateway.services.customers.load(ids)
    gateway.emulator.faults.add(Fault.LOST_ANSWER, operation="add_segment_shopper_profiles")
    result = await gateway.services.writes.add_customers(third, outside, True)
    assert codes(result.outcomes) == ["OUTCOME_UNKNOWN"] * 2
    assert gateway.emulator.requests["add_segment_shopper_profiles"] == 1
    for row in await gateway.services.customers.load(ids):
        assert isinstance(row, Customer)
        assert third in (row.segment_ids or ())


@both_dialects
async def test_many_customers_go_in_batches_and_are_announced_together(dialect: Dialect) -> None:
    gateway = gateway_of(dialect)
    first = segment_of(gateway, 0)
    everyone = list(range(1, 101))
    result = await gateway.services.writes.remove_customers(first, everyone)
    assert [one.id for one in result.outcomes if isinstance(one, Customer)] == [
        f"{n}" for n in everyone
    ]
    assert members(gateway, 0) == set()
    assert gateway.emulator.requests == {"list_customers": 1, "remove_segment_shopper_profiles": 2}
    written_at = gateway.services.invalidations.written_at
    assert written_at("customers") > 0
    assert written_at(f"shopper-profiles/{ABSENT}/segments") > 0
    assert written_at("segments") == written_at("shopper-profiles") == 0
    assert await gateway.services.customers.load([f"{n}" for n in everyone]) == result.outcomes
    assert gateway.emulator.requests["list_customers"] == 1

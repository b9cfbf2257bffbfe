"""The mutations of memberships and profiles through HTTP, over the emulated store."""

from typing import Any
from uuid import UUID

import pytest
from in_process import InProcess, in_process

from gateway.emulator import Fault, seeded_store
from gateway.emulator.resources import Dialect
from gateway.schema.node import global_id

DIALECTS: tuple[Dialect, ...] = ("2025", "2026")
CUSTOMERS = """
  segment { entityId }
  customers { entityId shopperProfile { entityId } segments(first: 20) { nodes { entityId } } }
  createdShopperProfiles
  userErrors { field code message }
"""
ADD = (
    "mutation ($i: SegmentCustomersInput!) { addCustomersToSegment(input: $i)"
    f" {{ {CUSTOMERS} }} }}"
)
REMOVE = ADD.replace("addCustomersTo", "removeCustomersFrom")
PROFILES = "segment { entityId } shopperProfiles { entityId } userErrors { field code message }"
ADD_PROFILES = (
    "mutation ($i: SegmentShopperProfilesInput!) { addShopperProfilesToSegment(input: $i)"
    f" {{ {PROFILES} }} }}"
)
REMOVE_PROFILES = ADD_PROFILES.replace("addShopperProfilesTo", "removeShopperProfilesFrom")
CREATE = (
    "mutation ($i: CreateShopperProfilesInput!) { createShopperProfiles(input: $i)"
    " { shopperProfiles { entityId createdAt customer { entityId } }"
    " userErrors { field code message } } }"
)
DELETE = (
    "mutation ($i: DeleteShopperProfilesInput!) { deleteShopperProfiles(input: $i)"
    " { deletedShopperProfileEntityIds userErrors { field code message } } }"
)
ABSENT = str(UUID(int=7, version=4))


@pytest.fixture(params=DIALECTS)
def gateway(request: pytest.FixtureRequest) -> InProcess:
    """A gateway of 8 segments and 40 profiles: the customers 41 and 42 have none.

    Segment 1 has all profiles; profile 1 is in segment 1 alone.
    """
    gateway = in_process(seeded_store(8, 40))
    gateway.emulator.dialect = request.param
    return gateway


async def payload(gateway: InProcess, document: str, **i: object) -> Any:
    """The payload of the one mutation of an answer without errors."""
    (found,) = (await gateway.data(document, i=i)).values()
    return found


def problems(found: Any) -> list[tuple[str, ...]]:
    """The errors of a payload: code, then the path below `input`."""
    for error in found["userErrors"]:
        assert error["message"].endswith(".")
        assert error["field"][0] == "input"
    return [(error["code"], *error["field"][1:]) for error in found["userErrors"]]


def segment_ids(gateway: InProcess) -> list[str]:
    return [row.id for row in gateway.emulator.store.segments]


def members(gateway: InProcess, segment: int) -> list[int]:
    store = gateway.emulator.store
    return [one.customer_id for one in store.members.of_segment(store.segments[segment].id)]


def profile_ids(gateway: InProcess, *customers: int) -> list[str]:
    by_customer = {one.customer_id: one.id for one in gateway.emulator.store.profiles}
    return [by_customer[one] for one in customers]


def requests(gateway: InProcess) -> dict[str, int]:
    return dict(gateway.emulator.requests)


# --- customers -----------------------------------------------------------------------------------


async def test_customers_are_put_into_a_segment_with_profiles_where_missing(
    gateway: InProcess,
) -> None:
    segment = segment_ids(gateway)[6]  # of the customers 7, 14, 21, 28 and 35
    found = await payload(
        gateway, ADD, segmentEntityId=segment, customerEntityIds=[41, 1, 7, 9999, 41, 0, 2]
    )
    assert [one["entityId"] for one in found["customers"]] == [41, 1, 7, 2]
    assert problems(found) == [
        ("NOT_FOUND", "customerEntityIds", "3"),
        ("INVALID", "customerEntityIds", "5"),
    ]
    assert (found["createdShopperProfiles"], found["segment"]) == (1, {"entityId": segment})
    for one in found["customers"]:
        assert one["shopperProfile"] is not None
        assert {"entityId": segment} in one["segments"]["nodes"]
    assert members(gateway, 6) == [7, 14, 21, 28, 35, 41, 1, 2]


async def test_the_requests_of_an_addition_are_counted(gateway: InProcess) -> None:
    document = ADD.replace(CUSTOMERS, "createdShopperProfiles customers { entityId }")
    found = await payload(
        gateway,
        document,
        segmentId=global_id("Segment", segment_ids(gateway)[6]),
        customerEntityIds=[1, 2, 41],
    )
    assert found["createdShopperProfiles"] == 1
    assert requests(gateway) == {
        "list_customers": 1,
        "list_segments": 1,
        "create_shopper_profiles": 1,
        "add_segment_shopper_profiles": 1,
    }
    gateway.emulator.reset_requests()
    await payload(gateway, document, segmentEntityId=segment_ids(gateway)[6], customerEntityIds=[3])
    assert requests(gateway) == {"list_customers": 1, "add_segment_shopper_profiles": 1}


async def test_no_profile_is_made_where_none_is_wanted(gateway: InProcess) -> None:
    found = await payload(
        gateway,
        ADD,
        segmentEntityId=segment_ids(gateway)[6],
        customerEntityIds=[41, 1],
        createMissingProfiles=False,
    )
    assert [one["entityId"] for one in found["customers"]] == [1]
    assert problems(found) == [("NO_SHOPPER_PROFILE", "customerEntityIds", "0")]
    assert found["createdShopperProfiles"] == 0
    assert "create_shopper_profiles" not in requests(gateway)


async def test_customers_are_taken_out_of_a_segment(gateway: InProcess) -> None:
    segment = segment_ids(gateway)[6]
    found = await payload(
        gateway, REMOVE, segmentEntityId=segment, customerEntityIds=[7, 14, 7, 1, 42, 9999]
    )
    assert [one["entityId"] for one in found["customers"]] == [7, 14, 1, 42]
    assert problems(found) == [("NOT_FOUND", "customerEntityIds", "5")]
    assert found["createdShopperProfiles"] == 0
    for one in found["customers"]:
        assert {"entityId": segment} not in one["segments"]["nodes"]
    assert members(gateway, 6) == [21, 28, 35]
    assert gateway.emulator.requests["remove_segment_shopper_profiles"] == 1
    assert gateway.emulator.unbounded_deletes == 0


async def test_a_segment_that_does_not_exist_is_one_error(gateway: InProcess) -> None:
    for document in (ADD, REMOVE):
        ids = [1, 41, 0]
        found = await payload(gateway, document, segmentEntityId=ABSENT, customerEntityIds=ids)
        assert (found["segment"], found["customers"]) == (None, [])
        assert problems(found) == [
            ("NOT_FOUND", "segmentEntityId"),
            ("INVALID", "customerEntityIds", "2"),
        ]
    assert len(gateway.emulator.store.profiles) == 40


async def test_the_next_reads_see_the_membership(gateway: InProcess) -> None:
    segment = segment_ids(gateway)[6]
    read = (
        f'{{ segment(entityId: "{segment}") {{ shopperProfiles {{ totalCount }} }}'
        " customer(entityId: 1) { segments { totalCount } } }"
    )
    before = await gateway.data(read)
    assert before["segment"]["shopperProfiles"]["totalCount"] == 5
    of_customer = before["customer"]["segments"]["totalCount"]
    await payload(gateway, ADD, segmentEntityId=segment, customerEntityIds=[1])
    after = await gateway.data(read)
    assert after == {
        "segment": {"shopperProfiles": {"totalCount": 6}},
        "customer": {"segments": {"totalCount": of_customer + 1}},
    }
    await payload(gateway, REMOVE, segmentEntityId=segment, customerEntityIds=[1])
    assert await gateway.data(read) == before


async def test_query_shows_the_members_in_the_same_answer(gateway: InProcess) -> None:
    segment = segment_ids(gateway)[6]
    document = (
        "mutation ($i: SegmentCustomersInput!, $id: ID) { addCustomersToSegment(input: $i)"
        " { query { segment(entityId: $id) { shopperProfiles { totalCount } } } } }"
    )
    i = {"segmentEntityId": segment, "customerEntityIds": [1, 2]}
    await gateway.data(
        f'{{ segment(entityId: "{segment}") {{ shopperProfiles {{ totalCount }} }} }}'
    )
    data = await gateway.data(document, i=i, id=segment)
    of_segment = data["addCustomersToSegment"]["query"]["segment"]
    assert of_segment == {"shopperProfiles": {"totalCount": 7}}


# --- profiles ------------------------------------------------------------------------------------


async def test_profiles_are_put_into_a_segment_and_taken_out(gateway: InProcess) -> None:
    segment = segment_ids(gateway)[6]
    one, two, seven = profile_ids(gateway, 1, 2, 7)
    found = await payload(
        gateway,
        ADD_PROFILES,
        segmentEntityId=segment,
        shopperProfileEntityIds=[two.upper(), seven, one, ABSENT, "?", two],
    )
    assert [profile["entityId"] for profile in found["shopperProfiles"]] == [two, one]
    assert problems(found) == [
        ("ALREADY_MEMBER", "shopperProfileEntityIds", "1"),
        ("NOT_FOUND", "shopperProfileEntityIds", "3"),
        ("INVALID", "shopperProfileEntityIds", "4"),
    ]
    assert members(gateway, 6)[-2:] == [2, 1]
    found = await payload(
        gateway,
        REMOVE_PROFILES,
        segmentId=global_id("Segment", segment),
        shopperProfileEntityIds=[seven, two],
    )
    assert [profile["entityId"] for profile in found["shopperProfiles"]] == [seven, two]
    assert problems(found) == []
    assert members(gateway, 6) == [14, 21, 28, 35, 1]
    assert gateway.emulator.unbounded_deletes == 0


async def test_profiles_are_created_once(gateway: InProcess) -> None:
    found = await payload(gateway, CREATE, customerEntityIds=[41, 1, 42, 9999, -1, 41])
    assert [one["customer"]["entityId"] for one in found["shopperProfiles"]] == [41, 42]
    assert problems(found) == [
        ("HAS_SHOPPER_PROFILE", "customerEntityIds", "1"),
        ("NOT_FOUND", "customerEntityIds", "3"),
        ("INVALID", "customerEntityIds", "4"),
    ]
    assert len(gateway.emulator.store.profiles) == 42


async def test_profiles_are_deleted(gateway: InProcess) -> None:
    one, two = profile_ids(gateway, 1, 2)
    found = await payload(gateway, DELETE, entityIds=[two, one.upper(), "?", two])
    assert found["deletedShopperProfileEntityIds"] == [two, one]
    assert problems(found) == [("INVALID", "entityIds", "2")]
    assert len(gateway.emulator.store.profiles) == 38
    assert requests(gateway) == {"delete_shopper_profiles": 1}
    assert gateway.emulator.unbounded_deletes == 0


# --- whole inputs --------------------------------------------------------------------------------

WHOLE_INPUTS = [
    (ADD, {"customerEntityIds": [1]}, "exactly one"),
    (ADD, {"segmentId": "x", "segmentEntityId": ABSENT, "customerEntityIds": [1]}, "exactly one"),
    (ADD, {"segmentEntityId": "?", "customerEntityIds": [1]}, "entity id"),
    (ADD, {"segmentId": ABSENT, "customerEntityIds": [1]}, "global id"),
    (ADD, {"segmentEntityId": ABSENT, "customerEntityIds": []}, "at least one"),
    (REMOVE, {"segmentEntityId": ABSENT, "customerEntityIds": []}, "at least one"),
    (ADD_PROFILES, {"segmentEntityId": ABSENT, "shopperProfileEntityIds": []}, "at least one"),
    (REMOVE_PROFILES, {"segmentEntityId": ABSENT, "shopperProfileEntityIds": []}, "at least one"),
    (REMOVE_PROFILES, {"shopperProfileEntityIds": [ABSENT]}, "exactly one"),
    (CREATE, {"customerEntityIds": []}, "names no customers or shopper profiles."),
    (DELETE, {"entityIds": []}, "at least one"),
    (
        ADD.replace(CUSTOMERS, "__typename"),
        {"segmentEntityId": ABSENT, "customerEntityIds": [*range(1, 1002)]},
        "GATEWAY_MAX_CUSTOMERS_PER_MUTATION",
    ),
    (DELETE, {"entityIds": [ABSENT] * 1001}, "GATEWAY_MAX_CUSTOMERS_PER_MUTATION"),
]


@pytest.mark.parametrize(("document", "i", "said"), WHOLE_INPUTS)
async def test_a_whole_input_that_is_wrong_is_refused_and_nothing_is_sent(
    document: str, i: dict[str, object], said: str
) -> None:
    gateway = in_process(seeded_store(3, 4))
    answer = await gateway.ask(document, i=i)
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert said in error["message"]
    assert [*answer["data"].values()] == [None]
    assert gateway.upstream_requests == 0


async def test_removals_stay_where_deletes_are_switched_off() -> None:
    gateway = in_process(seeded_store(8, 40), ALLOW_DELETES="false")
    answer = await gateway.ask(DELETE, i={"entityIds": profile_ids(gateway, 1)})
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN"}
    assert "GATEWAY_ALLOW_DELETES" in error["message"]
    assert gateway.upstream_requests == 0
    segment = segment_ids(gateway)[0]
    found = await payload(gateway, REMOVE, segmentEntityId=segment, customerEntityIds=[1])
    assert problems(found) == []
    assert 1 not in members(gateway, 0)


async def test_an_input_of_a_thousand_customers_is_answered() -> None:
    gateway = in_process(seeded_store(8, 1000))
    found = await payload(
        gateway,
        ADD.replace(CUSTOMERS, "customers { entityId } userErrors { code field message }"),
        segmentEntityId=segment_ids(gateway)[6],
        customerEntityIds=[*range(1, 1001)],
    )
    assert [one["entityId"] for one in found["customers"]] == [*range(1, 1001)]
    assert problems(found) == []
    assert len(members(gateway, 6)) == 1000


async def test_what_was_carried_out_before_a_failure_is_reported(gateway: InProcess) -> None:
    gateway.emulator.faults.add(
        Fault.SERVER_ERROR, times=None, operation="add_segment_shopper_profiles"
    )
    found = await payload(
        gateway, ADD, segmentEntityId=segment_ids(gateway)[6], customerEntityIds=[41, 7]
    )
    assert [one["entityId"] for one in found["customers"]] == [7]
    (problem,) = problems(found)
    assert problem[0] in ("REFUSED", "OUTCOME_UNKNOWN")
    assert found["createdShopperProfiles"] == 1

"""Each read after each mutation: in its process, and in another one that has learned of it."""

from collections.abc import Collection
from string import Template
from typing import Any

import pytest
from in_process import InProcess, in_process

from gateway.emulator import Store, seeded_store
from gateway.schema.node import global_id

# Customers 1 to 40 have a profile, 41 and 42 have none.
SEGMENTS, PROFILES = 8, 40
LISTS = "totalCount nodes { entityId } "
READS = {
    "page": f"segments(first: 3) {{ {LISTS} nodes {{ name description }} }}",
    "sorted": f"segments(sortKey: NAME, reverse: true) {{ {LISTS} }}",
    "filtered": f'segments(filter: {{ nameContains: "e" }}) {{ {LISTS} }}',
    "counts": 'all: segmentsCount some: segmentsCount(filter: { nameContains: "new" })',
    "segment": 'segment(entityId: "$SEGMENT") { name description }',
    "members": f'segment(entityId: "$SEGMENT") {{ shopperProfiles {{ {LISTS} }} }}',
    "names of members": 'segment(entityId: "$SEGMENT") { shopperProfiles { nodes { customer {'
    " firstName segments { nodes { name } } } } } }",
    "by ids": 'segmentsByEntityId(entityIds: ["$SEGMENT", "$OTHER"]) { name }',
    "node": "node(id: $GLOBAL) { ... on Segment { name shopperProfiles { totalCount } } }",
    "profiles": f"shopperProfiles {{ {LISTS} }}",
    "customer": f"customer(entityId: 1) {{ shopperProfile {{ entityId }} segments {{ {LISTS} }} }}",
    "new customer": "customer(entityId: 41) { shopperProfile { entityId }"
    " segments { totalCount } }",
    "by e-mail": f'customersByEmail(emails: ["$EMAIL"]) {{ segments {{ {LISTS} }} }}',
    "customers": "customersByEntityId(entityIds: [1, 2, 41, 42]) { shopperProfile { entityId }"
    " segments { nodes { name } } }",
}
MUTATIONS = {
    "create": 'createSegments(input: { segments: [{ name: "new" }] })',
    "update by name": "createSegments(input: { ifNameTaken: UPDATE,"
    ' segments: [{ name: "$NAME", description: "another" }] })',
    "update": 'updateSegments(input: { segments: [{ entityId: "$SEGMENT", name: "new" }] })',
    "delete": 'deleteSegments(input: { entityIds: ["$SEGMENT"] })',
    "add customers": "addCustomersToSegment(input:"
    ' { segmentEntityId: "$SEGMENT", customerEntityIds: [1, 41] })',
    "remove customers": "removeCustomersFromSegment(input:"
    ' { segmentEntityId: "$SEGMENT", customerEntityIds: [2] })',
    "add profiles": "addShopperProfilesToSegment(input:"
    ' { segmentEntityId: "$SEGMENT", shopperProfileEntityIds: ["$ONE"] })',
    "remove profiles": "removeShopperProfilesFromSegment(input:"
    ' { segmentEntityId: "$SEGMENT", shopperProfileEntityIds: ["$TWO"] })',
    "create profiles": "createShopperProfiles(input: { customerEntityIds: [41] })",
    "delete profiles": 'deleteShopperProfiles(input: { entityIds: ["$TWO"] })',
}


def store_of_two() -> Store:
    """A store whose customer 2 is in the first segment, and customer 1 is not."""
    store = seeded_store(SEGMENTS, PROFILES)
    one, two = store.profiles.find(1), store.profiles.find(2)
    assert one is not None
    assert two is not None
    first = store.segments[0].id
    for profile in (one, two):
        if store.members.has(first, profile):
            store.members.remove(first, [profile])
    store.members.add(first, two)
    return store


def texts_of(store: Store) -> dict[str, str]:
    segment, other, customer = store.segments[0], store.segments[1], store.customers[0]
    return {
        "SEGMENT": segment.id,
        "OTHER": other.id,
        "NAME": segment.name,
        "GLOBAL": f'"{global_id("Segment", segment.id)}"',
        "EMAIL": customer.email,
        "ONE": store.profiles[0].id,
        "TWO": store.profiles[1].id,
    }


async def read_all(gateway: InProcess, texts: dict[str, str]) -> dict[str, Any]:
    found = {}
    for what, document in READS.items():
        found[what] = await gateway.data(f"{{ {Template(document).substitute(texts)} }}")
    return found


@pytest.mark.parametrize("what", MUTATIONS)
async def test_every_read_shows_the_mutation(what: str) -> None:
    store = store_of_two()
    texts = texts_of(store)
    mutation = Template(MUTATIONS[what]).substitute(texts)
    gateway, replica = in_process(store), in_process(store)
    announce = gateway.services.invalidations.announce

    async def announce_to_both(names: Collection[str], at: float) -> None:
        await announce(names, at)
        await replica.services.invalidations.announce(names, at)

    gateway.services.invalidations.announce = announce_to_both  # type: ignore[method-assign]
    for one in (gateway, replica):
        for _ in range(3):  # by then, answers are kept whole
            before = await read_all(one, texts)
    data = await gateway.data(f"mutation {{ done: {mutation} {{ userErrors {{ code }} }} }}")
    assert data == {"done": {"userErrors": []}}
    expected = await read_all(in_process(store, CACHE_TTL_SECONDS="0"), texts)
    assert expected != before
    for one in (gateway, replica):
        for _ in range(3):
            assert await read_all(one, texts) == expected

"""A second collection, the shopper profiles of a segment, over the emulator.

It costs what stands between the two lines below. Blocks, cursors, the cache, lookups, learned
limits and the health of its operation are the product's own.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
import strawberry
from in_process import InProcess, in_process
from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from gateway.app import create_services
from gateway.bigcommerce.models import uuid_in_lower_case
from gateway.bigcommerce.protocol import Listing
from gateway.bigcommerce.values import text_of, whole_number_of
from gateway.data_source import Codec, Collection, Lookups
from gateway.emulator import Members, ShopperProfileRow, Store, seeded_store
from gateway.identity import ALL_SCOPES, Client
from gateway.schema import Context
from gateway.schema.connection import Connection, resolve_connection
from gateway.schema.federation import VERSION
from gateway.schema.node import Node, checked_entity_id, global_id
from gateway.schema.query import Query
from gateway.settings import load_settings


# --- a row, its listing, its collection, its type and a resolver
class Profile(msgspec.Struct, frozen=True, gc=False):
    id: str
    customer_id: int | None = None


def read_profile(raw: Mapping[str, object]) -> Profile | None:
    row_id = uuid_in_lower_case(text_of(raw.get("id")) or "")
    if row_id is None:
        return None
    return Profile(row_id, whole_number_of(raw.get("customer_id")))


CODEC = Codec(Profile)


def profiles_of(segment_id: str) -> Collection[Profile]:
    path = f"/segments/{segment_id}/shopper-profiles"
    listing = Listing("list_segment_shopper_profiles", path, "shopper profiles", read_profile)
    return Collection(path.removeprefix("/"), listing, CODEC)


@strawberry.federation.type(keys=["id"])
class ShopperProfile(Node):
    customer_id: int | None


def shopper_profile(row: Profile) -> ShopperProfile:
    return ShopperProfile(id=global_id("ShopperProfile", row.id), customer_id=row.customer_id)


@strawberry.type(name="Query")
class ProfilesQuery(Query):
    @strawberry.field
    async def shopper_profiles(
        self,
        info: strawberry.Info[Context, None],
        segment: strawberry.ID,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[ShopperProfile] | None:
        source = info.context.lists.of(profiles_of(checked_entity_id(segment)))
        return await resolve_connection(
            info, source, shopper_profile, first=first, after=after, last=last, before=before
        )


# ---
SCHEMA = strawberry.federation.Schema(query=ProfilesQuery, federation_version=VERSION)
PROFILES = 600
PROFILES_PAGE = """
query Page($segment: ID!, $first: Int, $after: String, $last: Int, $before: String) {
  shopperProfiles(
    segment: $segment, first: $first, after: $after, last: $last, before: $before
  ) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes { customerId }
  }
}
"""


def a_store() -> Store:
    """A store of 300 segments, of which the first has all profiles."""
    store, day = seeded_store(300), "2024-05-01T10:00:00Z"
    members = [ShopperProfileRow(str(UUID(int=n, version=4)), n, day, day) for n in range(PROFILES)]
    store.members = Members(lambda: {store.segments[0].id: members})
    return store


@pytest.fixture
def gateway() -> InProcess:
    return in_process(a_store())


async def ask(gateway: InProcess, query: str, **variables: object) -> tuple[Any, list[Any]]:
    """Returns the data and the codes of the errors."""
    context = Context(
        Client("a", ALL_SCOPES),
        gateway.services.lists,
        gateway.services.segment_lookups,
        "",
        rows_allowed=10_000,
        representations_allowed=1,
    )
    segment = gateway.emulator.store.segments[0].id
    result = await SCHEMA.execute(query, {"segment": segment, **variables}, context)
    codes = [(error.extensions or {}).get("code") for error in result.errors or ()]
    return result.data, codes


async def a_page(gateway: InProcess, **variables: object) -> Any:
    data, codes = await ask(gateway, PROFILES_PAGE, **variables)
    assert codes == []
    return data["shopperProfiles"]


async def test_walks_in_both_directions_read_each_block_once(gateway: InProcess) -> None:
    for count, cursor, edge, more in (
        ("first", "after", "endCursor", "hasNextPage"),
        ("last", "before", "startCursor", "hasPreviousPage"),
    ):
        shown: list[int] = []
        page = await a_page(gateway, **{count: 70})
        shown += [node["customerId"] for node in page["nodes"]][:: 1 if count == "first" else -1]
        while page["pageInfo"][more]:
            page = await a_page(gateway, **{count: 70, cursor: page["pageInfo"][edge]})
            numbers = [node["customerId"] for node in page["nodes"]]
            shown += numbers if count == "first" else numbers[::-1]
        expected = range(PROFILES) if count == "first" else reversed(range(PROFILES))
        assert shown == list(expected)
        assert page["totalCount"] == PROFILES
    assert dict(gateway.emulator.requests) == {"list_segment_shopper_profiles": 3}


async def test_cursor_of_another_list_is_bad(gateway: InProcess) -> None:
    segments, _ = await ask(gateway, "{ segments(first: 1) { pageInfo { endCursor } } }")
    foreign = segments["segments"]["pageInfo"]["endCursor"]
    assert await ask(gateway, PROFILES_PAGE, first=1, after=foreign) == (
        {"shopperProfiles": None},
        ["BAD_CURSOR"],
    )
    own = (await a_page(gateway, first=1))["pageInfo"]["endCursor"]
    other = gateway.emulator.store.segments[1].id
    _, codes = await ask(gateway, PROFILES_PAGE, segment=other, first=1, after=own)
    assert codes == ["BAD_CURSOR"]


async def test_token_without_the_scope_for_profiles_leaves_segments_as_they_are(
    gateway: InProcess,
) -> None:
    gateway.emulator.token_scope = "store_v2_customers_read_only"
    for _ in range(2):
        assert await ask(gateway, PROFILES_PAGE, first=1) == (
            {"shopperProfiles": None},
            ["UPSTREAM_FORBIDDEN"],
        )
        assert await ask(gateway, "{ segments(first: 1) { totalCount } }") == (
            {"segments": {"totalCount": 300}},
            [],
        )
    upstream = gateway.services.upstream
    assert upstream.is_forbidden("list_segment_shopper_profiles")
    assert not upstream.is_forbidden("list_segments")
    assert upstream.defer_reason("list_segments", foreground=False) is None
    # The refused operation pauses, and the page of segments is in the cache.
    assert dict(gateway.emulator.requests) == {
        "list_segment_shopper_profiles": 1,
        "list_segments": 1,
    }


async def test_segment_that_does_not_exist_is_an_answer_and_no_failure(gateway: InProcess) -> None:
    missing = str(UUID(int=1, version=4))
    _, codes = await ask(gateway, PROFILES_PAGE, segment=missing, first=1)
    assert codes == ["UPSTREAM_UNAVAILABLE"]
    assert (await a_page(gateway, first=1))["totalCount"] == PROFILES


async def test_page_size_of_one_operation_is_not_that_of_another(gateway: InProcess) -> None:
    gateway.emulator.max_limit = 100
    await a_page(gateway, first=100)
    gateway.emulator.max_limit = 250
    await gateway.page(first=100)
    first, second = (row.id for row in gateway.emulator.store.segments[:2])
    lists = gateway.services.lists
    # Lists of one operation share what was learned.
    assert [lists.of(profiles_of(row_id)).size for row_id in (first, second)] == [100, 100]
    assert gateway.services.segments.size == 250


async def test_write_to_one_collection_leaves_another_in_the_cache(gateway: InProcess) -> None:
    await a_page(gateway, first=1)
    await gateway.page(first=1)
    name = profiles_of(gateway.emulator.store.segments[0].id).name
    await gateway.services.invalidations.announce(name, gateway.services.cache.now())
    await a_page(gateway, first=1)
    await gateway.page(first=1)
    assert dict(gateway.emulator.requests) == {
        "list_segment_shopper_profiles": 2,
        "list_segments": 1,
    }


async def test_rows_by_id_of_all_callers_share_one_request() -> None:
    rows = {row.id: row for row in a_store().members.of_segment(a_store().segments[0].id)}
    asked: list[list[str]] = []

    # BigCommerce filters no profiles by id: this upstream does.
    async def by_id(scope: Scope, receive: Receive, send: Send) -> None:
        query = QueryParams(scope["query_string"])
        ids = query["id:in"].split(",")
        asked.append(ids)
        assert query["limit"] == str(len(ids))
        data = [msgspec.to_builtins(rows[row_id]) for row_id in ids if row_id in rows]
        pagination = {"total": len(data), "per_page": len(ids)}
        answer = JSONResponse({"data": data, "meta": {"pagination": pagination}})
        await answer(scope, receive, send)

    services = create_services(load_settings({}), httpx.ASGITransport(by_id))
    lookups = Lookups(profiles_of(a_store().segments[0].id), services.lists, window_seconds=0)
    some, absent = [*rows][:3], str(UUID(int=PROFILES, version=4))
    found = await asyncio.gather(
        lookups.load([some[0], absent]), lookups.load([some[1]]), lookups.load([some[2], some[0]])
    )
    numbers = [[row and getattr(row, "customer_id", row) for row in rows] for rows in found]
    assert numbers == [[0, None], [1], [2, 0]]
    assert asked == [[some[0], absent, some[1], some[2]]]
    assert lookups.batches == 1
    # However many there are: a list without a maximum is not read whole.
    assert None not in await lookups.load([*rows])
    assert [len(ids) for ids in asked] == [4, 100, 100, 100, 100, 100, 97]


async def test_its_types_are_named_after_its_node() -> None:
    names = "ShopperProfileConnection", "ShopperProfileEdge", "SegmentConnection", "SegmentEdge"
    for name in names:
        result = await SCHEMA.execute(f'{{ __type(name: "{name}") {{ name }} }}')
        assert result.data == {"__type": {"name": name}}

"""Whatever is to be deleted, no DELETE is sent without ids: that would delete everything."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qsl

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st
from in_process import in_process

from gateway.bigcommerce.client import BigCommerceClient
from gateway.bigcommerce.ids import Ids
from gateway.bigcommerce.models import uuid_in_lower_case
from gateway.bigcommerce.protocol import Request
from gateway.bigcommerce.writes import (
    Write,
    delete_segments,
    delete_shopper_profiles,
    remove_segment_shopper_profiles,
)

uuids = st.uuids().map(str)
texts = uuids | st.text(max_size=40) | st.sampled_from(["", ",", "*", "%2C", "\x00", "null"])
lists = st.lists(texts, max_size=4)
DELETIONS = """mutation (
  $ids: [ID!]!, $profiles: [ID!]!, $segment: ID!, $customers: [Int!]!
) {
  a: deleteSegments(input: {entityIds: $ids}) { userErrors { code } }
  b: deleteSegments(input: {ids: $ids}) { userErrors { code } }
  c: deleteShopperProfiles(input: {entityIds: $profiles}) { userErrors { code } }
  d: removeShopperProfilesFromSegment(
    input: {segmentEntityId: $segment, shopperProfileEntityIds: $profiles}
  ) { userErrors { code } }
  e: removeCustomersFromSegment(
    input: {segmentEntityId: $segment, customerEntityIds: $customers}
  ) { userErrors { code } }
}"""
SEGMENT = "00000000-0000-4000-8000-000000000001"
BUILDERS: list[Callable[[Any], Write[Any]]] = [
    delete_segments,
    delete_shopper_profiles,
    lambda ids: remove_segment_shopper_profiles(SEGMENT, ids),
]


def deleted_by(requests: list[httpx.Request]) -> list[str]:
    """Returns the ids that the DELETEs name; fails for one that would delete everything."""
    ids: list[str] = []
    for request in requests:
        if request.method == "DELETE":
            ((name, value),) = parse_qsl(request.url.query.decode(), keep_blank_values=True)
            assert name == "id:in"
            named = value.split(",")
            assert all(uuid_in_lower_case(one) == one for one in named)
            ids += named
    return ids


async def nothing() -> AsyncIterator[bytes]:
    yield b""


def try_to_build(build: Callable[[], Request]) -> Request | None:
    try:
        return build()
    except (ValueError, TypeError):
        return None


@given(
    ids=lists | st.none() | texts,
    build=st.sampled_from(BUILDERS),
    as_ids=st.booleans(),
    query=st.lists(st.tuples(st.sampled_from(["id:in", "id", "limit"]), texts), max_size=2),
    method=st.sampled_from(["DELETE", "delete", "GET"]),
    path=st.sampled_from(["/segments", "/shopper-profiles", f"/segments/{SEGMENT}/x"]),
)
def test_no_delete_without_ids_can_be_built_or_sent(
    ids: Any,
    build: Callable[[Any], Write[Any]],
    as_ids: bool,
    query: list[tuple[str, str]],
    method: str,
    path: str,
) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(204, content=nothing())

    async def send() -> None:
        transport = httpx.MockTransport(answer)
        async with httpx.AsyncClient(transport=transport, base_url="http://store/v3/") as http:
            client = BigCommerceClient(http)
            for request in requests:
                await client.send(request, 1)

    built = [
        try_to_build(lambda: build(Ids(ids) if as_ids else ids).request),
        try_to_build(lambda: Request("delete", method, path, tuple(query))),
    ]
    requests = [request for request in built if request is not None]
    asyncio.run(send())
    deleted_by(sent)


@settings(max_examples=20)  # each on a gateway of its own
@given(
    ids=lists,
    profile_ids=lists,
    segment_id=texts,
    customer_ids=st.lists(st.integers(10**9, 2**31 - 1) | st.integers(-9, 0), max_size=3),
)
def test_no_mutation_deletes_what_it_does_not_name(
    ids: list[str], profile_ids: list[str], segment_id: str, customer_ids: list[int]
) -> None:
    async def write() -> None:
        gateway = in_process(3)
        first = gateway.emulator.store.segments[0].id
        everything = len(gateway.emulator.store.profiles)
        for segment in (segment_id, first):
            answer = await gateway.ask(
                DELETIONS,
                ids=[one for one in ids if one.lower() != first],
                profiles=profile_ids,
                segment=segment,
                customers=customer_ids,
            )
            codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
            assert codes <= {"BAD_USER_INPUT"}
        assert gateway.emulator.unbounded_deletes == 0
        assert len(gateway.emulator.store.segments) == 3
        assert len(gateway.emulator.store.profiles) == everything

    asyncio.run(write())

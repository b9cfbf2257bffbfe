"""What client requests cost upstream, over real HTTP between three parties."""

import asyncio
from typing import Any

import httpx
import pytest
from processes import emulator_on_a_port, gateway_over

PAGE = """query Page($first: Int, $after: String, $last: Int, $before: String) {
  segments(first: $first, after: $after, last: $last, before: $before) {
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { entityId } } }"""
ORDERED = """query Page($after: String, $order: SegmentSortKey, $reverse: Boolean) {
  segments(first: 200, after: $after, sortKey: $order, reverse: $reverse) {
    pageInfo { endCursor } nodes { entityId } } }"""
BY_IDS = "query($ids: [ID!]!) { segmentsByEntityId(entityIds: $ids) { entityId } }"


async def ask(http: httpx.AsyncClient, query: str, **variables: object) -> dict[str, Any]:
    response = await http.post("/graphql", json={"query": query, "variables": variables})
    answer = response.json()
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    return data


def client(url: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None)
    return httpx.AsyncClient(base_url=url, timeout=60, limits=limits)


@pytest.mark.parametrize("step", [1, 7, 30, 50, 250])
async def test_walks_over_real_http_cost_four_requests_together(step: int) -> None:
    with emulator_on_a_port(1000) as (upstream, emulator), gateway_over(upstream) as url:
        rows = [row.id for row in emulator.store.segments]
        async with client(url) as http:
            forward: list[str] = []
            backward: list[str] = []
            after = before = None
            while len(forward) < 1000:
                page = (await ask(http, PAGE, first=step, after=after))["segments"]
                forward += [node["entityId"] for node in page["nodes"]]
                after = page["pageInfo"]["endCursor"]
                assert page["pageInfo"]["hasNextPage"] is (len(forward) < 1000)
            while len(backward) < 1000:
                page = (await ask(http, PAGE, last=step, before=before))["segments"]
                backward = [node["entityId"] for node in page["nodes"]] + backward
                before = page["pageInfo"]["startCursor"]
                assert page["pageInfo"]["hasPreviousPage"] is (len(backward) < 1000)
        assert forward == backward == rows
        assert emulator.requests.total() == 4


async def test_walks_in_each_order_over_real_http_cost_four_requests_together() -> None:
    with emulator_on_a_port(1000) as (upstream, emulator), gateway_over(upstream) as url:
        rows = {row.id for row in emulator.store.segments}
        async with client(url) as http:
            for order in ("STORE_ORDER", "NAME", "CREATED_AT", "UPDATED_AT"):
                for reverse in (False, True):
                    shown: list[str] = []
                    after = None
                    while len(shown) < 1000:
                        asked = {"order": order, "reverse": reverse, "after": after}
                        page = (await ask(http, ORDERED, **asked))["segments"]
                        shown += [node["entityId"] for node in page["nodes"]]
                        after = page["pageInfo"]["endCursor"]
                    assert set(shown) == rows
        assert emulator.requests.total() == 4


async def test_200_cold_requests_at_once_cost_one() -> None:
    with (
        emulator_on_a_port(1000, latency_seconds=0.2) as (upstream, emulator),
        gateway_over(upstream) as url,
    ):
        expected = [row.id for row in emulator.store.segments[:20]]
        async with client(url) as http:
            pages = await asyncio.gather(*(ask(http, PAGE, first=20) for _ in range(200)))
        assert [[n["entityId"] for n in p["segments"]["nodes"]] for p in pages] == [expected] * 200
        assert emulator.requests.total() == 1


async def test_16_requests_for_20_other_segments_each_cost_four() -> None:
    with emulator_on_a_port(1000) as (upstream, emulator), gateway_over(upstream) as url:
        ids = [row.id for row in emulator.store.segments[:320]]
        documents = [
            "{ "
            + " ".join(
                f'a{n}: segment(entityId: "{row_id}") {{ entityId }}'
                for n, row_id in enumerate(ids[at : at + 20])
            )
            + " }"
            for at in range(0, 320, 20)
        ]
        async with client(url) as http:
            for _ in range(2):  # cold, then warm
                answers = await asyncio.gather(*(ask(http, document) for document in documents))
                found = [node["entityId"] for answer in answers for node in answer.values()]
                assert found == ids
                assert emulator.requests.total() <= 4


async def test_250_ids_cost_three_and_again_nothing() -> None:
    with emulator_on_a_port(1000) as (upstream, emulator), gateway_over(upstream) as url:
        ids = [row.id for row in emulator.store.segments[:250]]
        async with client(url) as http:
            for _ in range(2):
                found = (await ask(http, BY_IDS, ids=ids))["segmentsByEntityId"]
                assert [segment["entityId"] for segment in found] == ids
                assert emulator.requests.total() == 3


async def test_ids_that_a_list_brought_cost_nothing_and_absent_ones_one_lookup() -> None:
    absent = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"]
    with emulator_on_a_port(1000) as (upstream, emulator), gateway_over(upstream) as url:
        ids = [row.id for row in emulator.store.segments[:250]]
        async with client(url) as http:
            await ask(http, PAGE, first=10)
            await ask(http, BY_IDS, ids=ids)
            assert emulator.requests.total() == 1
            for _ in range(3):
                found = await ask(http, BY_IDS, ids=absent)
                assert found == {"segmentsByEntityId": [None, None]}
                assert emulator.requests.total() == 2

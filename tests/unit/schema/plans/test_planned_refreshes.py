"""What a plan does to the cache, the upstream, and the allowances of its request."""

import asyncio
from dataclasses import replace

import pytest
from cache_counts import total_of
from clock import Clock, settle
from direct_requests import CLIENTS, Ask, NamedByHeader, receive_answer
from in_process import InProcess, in_process
from operations import Operation
from twins import counts_of
from virtual_time import run_in_virtual_time
from ways import Warm, way_of

from gateway.emulator import seeded_store

ROW = seeded_store(1).segments[0]
PAGE = "{ segments(first: 2) { nodes { name } } }"
LOOKUP = f'{{ segment(entityId: "{ROW.id}") {{ name }} }}'
TWICE = f'{{ segmentsByEntityId(entityIds: ["{ROW.id}", "{ROW.id}"]) {{ name }} }}'
STALE = {"cache": {"age": 20, "stale": True}}
# As few as the setting takes, of which 1000 are those of four pages.
ROWS = "1250"
FOUR_PAGES = " ".join(f"p{at}: segments(first: 250) {{ nodes {{ id }} }}" for at in range(4))
FRESH = {"cache": {"age": 0, "stale": False}}


def hits_of(gateway: InProcess) -> tuple[int, int, int]:
    cache = gateway.services.cache
    total = total_of(cache.counts)
    return total.hit, total.stale, total.miss


@pytest.mark.parametrize("document", [PAGE, LOOKUP, TWICE], ids=["page", "row", "one row twice"])
def test_stale_answer_is_given_at_once_and_refreshed_once_behind_it(document: str) -> None:
    async def ask_when_stale() -> None:
        clock = Clock()
        gateway = in_process(3, clock=clock, latency_seconds=1.0, RESPONSE_CACHE_MAX_BYTES="0")
        for _ in range(2):
            await gateway.data(document)
        clock.advance(20)
        requests, (hits, stale_hits, misses) = gateway.upstream_requests, hits_of(gateway)
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        for _ in range(3):
            way, answer = await way_of(gateway, document)
            assert (way, answer["extensions"]) == ("planned", STALE)
        assert loop.time() == began_at
        await asyncio.sleep(2)
        assert gateway.upstream_requests == requests + 1
        assert hits_of(gateway) == (hits, stale_hits + 3, misses)
        way, answer = await way_of(gateway, document)
        assert (way, answer["extensions"]) == ("planned", FRESH)
        assert gateway.upstream_requests == requests + 1

    run_in_virtual_time(ask_when_stale())


async def test_fresh_answer_counts_its_hits_once_and_asks_for_nothing() -> None:
    gateway = in_process(3, clock=Clock(), RESPONSE_CACHE_MAX_BYTES="0")
    both = f"{{ {PAGE[1:-1]} {LOOKUP[1:-1]} }}"
    await gateway.data(both)
    requests, (hits, stale_hits, misses) = gateway.upstream_requests, hits_of(gateway)
    assert (await way_of(gateway, both))[0] == "planned"
    assert hits_of(gateway) == (hits + 2, stale_hits, misses)
    assert gateway.upstream_requests == requests


async def test_lookup_shows_what_a_page_has_read_since() -> None:
    clock = Clock()
    gateway = in_process(3, clock=clock, RESPONSE_CACHE_MAX_BYTES="0")
    lookups = (LOOKUP, TWICE, f"{{ {LOOKUP[1:-1]} {TWICE[1:-1]} }}")
    for document in lookups * 3:
        await gateway.ask(document)
    clock.advance(5)
    segments = gateway.emulator.store.segments
    segments[0] = replace(segments[0], name="Renamed")
    await gateway.data(PAGE)
    clock.advance(1)
    for document in lookups:
        way, answer = await way_of(gateway, document)
        assert way == "planned"
        assert ROW.name not in str(answer)
        assert "Renamed" in str(answer)
        assert answer["extensions"]["cache"]["age"] == 1


async def test_total_alone_is_planned_while_it_is_fresh() -> None:
    clock = Clock()
    gateway = in_process(3, clock=clock, RESPONSE_CACHE_MAX_BYTES="0")
    total = "{ segments { totalCount } }"
    ways = [(await way_of(gateway, total))[0] for _ in range(2)]
    clock.advance(20)
    for _ in range(3):
        ways.append((await way_of(gateway, total))[0])
        await settle()
    # What a refresh has brought is learned when it is served.
    assert ways == ["executed", "planned", "executed", "executed", "planned"]


async def test_page_of_a_list_that_is_not_in_memory_is_executed() -> None:
    clock = Clock()
    gateway = in_process(3, clock=clock, RESPONSE_CACHE_MAX_BYTES="0")
    await gateway.data(PAGE)
    clock.advance(10_000)
    ways = [(await way_of(gateway, PAGE))[0] for _ in range(2)]
    assert ways == ["executed", "planned"]


async def test_rows_of_the_allowance_are_charged_once_if_a_plan_has_no_answer() -> None:
    clock = Clock()
    gateway = in_process(250, clock=clock, RESPONSE_CACHE_MAX_BYTES="0", MAX_ROWS_PER_REQUEST=ROWS)
    whole = f"{{ {FOUR_PAGES} segments(first: 250) {{ nodes {{ id }} }} }}"
    ways = [(await way_of(gateway, whole))[0]]
    clock.advance(10_000)
    for _ in range(2):
        way, answer = await way_of(gateway, whole)
        ways.append(way)
        assert len(answer["data"]["segments"]["nodes"]) == 250
    assert ways == ["executed", "executed", "planned"]


async def test_entities_of_the_allowance_are_charged_once_if_a_plan_has_no_answer() -> None:
    clock = Clock()
    gateway = in_process(3, clock=clock, RESPONSE_CACHE_MAX_BYTES="0", MAX_REPRESENTATIONS="1")
    document = (
        f'{{ _entities(representations: [{{__typename: "Segment", entityId: "{ROW.id}"}}]) '
        "{ __typename } }"
    )
    ways = [(await way_of(gateway, document))[0] for _ in range(2)]
    clock.advance(10_000)
    ways += [(await way_of(gateway, document))[0] for _ in range(2)]
    assert ways == ["executed", "planned", "executed", "planned"]


async def test_request_beyond_an_allowance_is_refused_by_graphql_core() -> None:
    one = f'{{__typename: "Segment", entityId: "{ROW.id}"}}'
    fields = {
        "250 rows": "segments(first: 250) { nodes { id } }",
        "125 rows as edges and nodes": (
            "segments(first: 125) { nodes { id } edges { node { id } } }"
        ),
        "126 rows as edges and nodes": (
            "segments(first: 126) { nodes { id } edges { node { id } } }"
        ),
        "250 edges without their rows": "segments(first: 250) { edges { cursor } }",
        "126 rows twice in an edge": (
            "segments(first: 126) { edges { a: node { id } b: node { id } } }"
        ),
        "126 rows in two fields": (
            "a: segments(first: 126) { nodes { id } } b: segments(first: 126) { nodes { id } }"
        ),
        "an id beside 245 rows": (
            f'segment(entityId: "{ROW.id}") {{ id }} segments(first: 245) {{ nodes {{ id }} }}'
        ),
        "an id beside 246 rows": (
            f'segment(entityId: "{ROW.id}") {{ id }} segments(first: 246) {{ nodes {{ id }} }}'
        ),
        "an entity": f"_entities(representations: [{one}]) {{ __typename }}",
        "two entities": f"_entities(representations: [{one}, {one}]) {{ __typename }}",
    }
    warm = Warm(250, MAX_ROWS_PER_REQUEST=ROWS, MAX_REPRESENTATIONS="1")
    ways = {fact: await warm.way(f"{{ {FOUR_PAGES} {field} }}") for fact, field in fields.items()}
    assert ways == {
        "250 rows": "planned",
        "125 rows as edges and nodes": "planned",
        "126 rows as edges and nodes": "executed",
        "250 edges without their rows": "planned",
        "126 rows twice in an edge": "executed",
        "126 rows in two fields": "executed",
        "an id beside 245 rows": "planned",
        "an id beside 246 rows": "executed",
        "an entity": "planned",
        "two entities": "executed",
    }


ENTITY = (
    f'{{ _entities(representations: [{{__typename: "Segment", entityId: "{ROW.id}"}}]) '
    "{ ... on Segment { name } } }"
)
FIELDS = {
    "segments": PAGE,
    "segment": LOOKUP,
    "_entities": ENTITY,
    "nothing": "{ segments @skip(if: true) { totalCount } }",
}


def test_plan_answers_only_a_client_that_may_read_all_of_it() -> None:
    async def ways() -> dict[str, dict[str, str]]:
        gateway = in_process(
            3, clock=Clock(), authenticate=NamedByHeader(), RESPONSE_CACHE_MAX_BYTES="0"
        )
        found: dict[str, dict[str, str]] = {name: {} for name in CLIENTS}
        for field, document in FIELDS.items():
            for client in ("all", *CLIENTS):
                before = counts_of(gateway)
                await receive_answer(gateway, Ask(Operation(document), client))
                (found[client][field],) = (counts_of(gateway) - before).elements()
        return found

    planned = {"segments": "planned", "segment": "planned", "_entities": "planned"}
    refused = {"segments": "executed", "segment": "executed", "_entities": "executed"}
    of_all = {"nothing": "planned"}
    assert run_in_virtual_time(ways()) == {
        "all": planned | of_all,
        "another with all": planned | of_all,
        "reader": planned | {"_entities": "executed"} | of_all,
        "router": refused | of_all,
        "nothing": refused | of_all,
    }

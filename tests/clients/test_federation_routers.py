"""The larger graph of examples/federation behind real routers, and what it costs the store.

Beside the example's subgraphs stands one that refers to segments by the graph's own `id`. The
gateway's clock is the test's: each test begins with a cache in which nothing is fresh.
"""

import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bookmarks
import customers
import httpx
import promotions
import pytest
import start
import yaml
from federation_router import needs_routers, router_over
from npm_tools import needs
from processes import PATIENCE_SECONDS, TOKEN, emulator_on_a_port, serving

from gateway.app import create_app
from gateway.emulator import Fault
from gateway.emulator.app import Emulator
from gateway.settings import load_settings

COMPOSER = start.HERE / "composer"
VIP, GOLD, LAPSED = (
    promotions.VIP_CUSTOMERS,
    promotions.LOYALTY_GOLD,
    promotions.LAPSED_CUSTOMERS,
)
CACHE_LIFE_SECONDS = 3600

# A GraphQL answer is as deep and as wide as its query.
Answer = dict[str, Any]
PathInAnswer = list[str | int]

pytestmark = [*needs_routers(), *needs(COMPOSER)]


class Clock:
    """Real time, of which the test can let any number of seconds pass at once."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.passed


@dataclass
class LargerGraph:
    """Four subgraphs behind one router, and the store behind one of them."""

    router: str
    url: str
    emulator: Emulator
    clock: Clock

    @property
    def upstream_requests(self) -> int:
        """How many requests the store has got."""
        return self.emulator.requests.total()

    def ask(self, query: str, **variables: object) -> Answer:
        """Returns the whole answer."""
        response = httpx.post(
            self.url, json={"query": query, "variables": variables}, timeout=PATIENCE_SECONDS
        )
        answer: Answer = response.json()
        return answer

    def data(self, query: str, *absent: PathInAnswer, **variables: object) -> Answer:
        """Returns the data of an answer without errors of ours.

        At the paths that are absent, Hive Gateway has an error of its own where a field of the
        segment is not nullable, beside the same data.
        """
        answer = self.ask(query, **variables)
        told = [error["path"] for error in answer.get("errors", [])]
        assert told == (list(absent) if self.router == "hive" else []), answer["errors"]
        data: Answer = answer["data"]
        return data


@dataclass
class Subgraphs:
    """What stands behind the routers."""

    emulator: Emulator
    clock: Clock
    supergraph: Path


@pytest.fixture(scope="module")
def subgraphs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subgraphs]:
    folder = tmp_path_factory.mktemp("graph")
    clock = Clock()
    with ExitStack() as stack:
        upstream, emulator = stack.enter_context(emulator_on_a_port(1000))
        settings = load_settings(
            {
                "GATEWAY_STORE_HASH": "emulator",
                "GATEWAY_ACCESS_TOKEN": TOKEN,
                "GATEWAY_UPSTREAM_URL": upstream,
                "GATEWAY_CACHE_TTL_SECONDS": str(CACHE_LIFE_SECONDS),
            }
        )
        apps = {
            "segments": create_app(settings, clock=clock),
            "promotions": promotions.app,
            "customers": customers.app,
            "bookmarks": bookmarks.app,
        }
        composed = yaml.safe_load((start.HERE / "subgraphs.yaml").read_text(encoding="utf-8"))
        composed["subgraphs"]["bookmarks"] = {"schema": {"file": str(folder / "bookmarks.graphql")}}
        (folder / "bookmarks.graphql").write_text(bookmarks.schema.as_str(), encoding="utf-8")
        for name, app in apps.items():
            subgraph = composed["subgraphs"][name]
            subgraph["routing_url"] = stack.enter_context(serving(app)) + "/graphql"
            subgraph["schema"]["file"] = str(start.HERE / subgraph["schema"]["file"])
        (folder / "subgraphs.yaml").write_text(yaml.safe_dump(composed), encoding="utf-8")
        supergraph = folder / "supergraph.graphql"
        subprocess.run(
            ["node", COMPOSER / "compose.mjs", folder / "subgraphs.yaml", supergraph], check=True
        )
        yield Subgraphs(emulator, clock, supergraph)


@pytest.fixture(scope="module", params=start.ROUTERS)
def running(request: pytest.FixtureRequest, subgraphs: Subgraphs) -> Iterator[LargerGraph]:
    with router_over(request.param, {}, subgraphs.supergraph) as url:
        yield LargerGraph(request.param, url, subgraphs.emulator, subgraphs.clock)


@pytest.fixture
def graph(running: LargerGraph) -> LargerGraph:
    """The graph with nothing fresh in the gateway's cache, and no request counted."""
    running.clock.passed += 2 * CACHE_LIFE_SECONDS
    running.emulator.requests.clear()
    return running


def global_id(uuid: str) -> str:
    return b64encode(f"Segment:{uuid}".encode()).decode()


def ids_of(graph: LargerGraph) -> list[str]:
    return [row.id for row in graph.emulator.store.segments]


# --- references ----------------------------------------------------------------------------------

PROMOTIONS = "{ promotions { edges { node { name segments { name } } } } }"
CUSTOMERS = """{
  customersByIds(entityIds: [2, 3, 20001]) { firstName segments { nodes { name } } }
}"""
ALL_PROMOTIONS = {
    "edges": [
        {
            "node": {
                "name": "Free shipping",
                "segments": [{"name": "VIP customers"}, {"name": "Loyalty gold"}],
            }
        },
        {"node": {"name": "Private sale", "segments": [{"name": "VIP customers"}]}},
        {
            "node": {
                "name": "Welcome back",
                "segments": [{"name": "Lapsed customers"}, {"name": None}],
            }
        },
    ]
}
ALL_CUSTOMERS = [
    {
        "firstName": "Ada",
        "segments": {"nodes": [{"name": "VIP customers"}, {"name": "First-time buyers"}]},
    },
    {
        "firstName": "Grace",
        "segments": {"nodes": [{"name": "VIP customers"}, {"name": "Repeat buyers"}]},
    },
    {"firstName": "Alan", "segments": {"nodes": []}},
]


def test_promotions_get_their_segments_for_one_request(graph: LargerGraph) -> None:
    # Among them one that several name, and one that was deleted.
    assert graph.data(PROMOTIONS) == {"promotions": ALL_PROMOTIONS}
    assert graph.upstream_requests == 1
    assert graph.data(PROMOTIONS) == {"promotions": ALL_PROMOTIONS}
    assert graph.upstream_requests == 1


def test_customers_get_their_segments_for_one_request_of_each_kind(graph: LargerGraph) -> None:
    assert graph.data(CUSTOMERS) == {"customersByIds": ALL_CUSTOMERS}
    assert graph.emulator.requests == {"list_customers": 1, "list_segments": 1}
    assert graph.data(CUSTOMERS) == {"customersByIds": ALL_CUSTOMERS}
    assert graph.upstream_requests == 2


def test_names_of_customers_cost_the_store_nothing(graph: LargerGraph) -> None:
    data = graph.data("{ customersByIds(entityIds: [3, 1]) { entityId email firstName lastName } }")
    grace = {"entityId": 3, "email": "grace@example.com", "firstName": "Grace"}
    assert data == {"customersByIds": [{**grace, "lastName": "Hopper"}, None]}
    assert graph.upstream_requests == 0


def test_customers_that_the_gateway_finds_get_the_names_of_the_platform(graph: LargerGraph) -> None:
    members = "shopperProfiles(first: 3) { nodes { customer { entityId firstName } } }"
    data = graph.data(f'{{ segment(entityId: "{VIP}") {{ {members} }} }}')
    assert [row["customer"] for row in data["segment"]["shopperProfiles"]["nodes"]] == [
        {"entityId": 1, "firstName": None},
        {"entityId": 2, "firstName": "Ada"},
        {"entityId": 3, "firstName": "Grace"},
    ]
    by_email = graph.data('{ customer(email: "absent@example.com") { firstName } }')
    assert by_email == {"customer": None}


def test_one_query_over_all_subgraphs_costs_a_lookup_for_each_that_refers_and_a_page(
    graph: LargerGraph,
) -> None:
    query = f"""{{
      segments(first: 2) {{ totalCount nodes {{ name promotions {{ name }} }} }}
      {PROMOTIONS[1:-1]} {CUSTOMERS[1:-1]}
    }}"""
    first = graph.data(query)
    assert first == {
        "segments": {
            "totalCount": 1000,
            "nodes": [
                {
                    "name": "VIP customers",
                    "promotions": [{"name": "Free shipping"}, {"name": "Private sale"}],
                },
                {"name": "First-time buyers", "promotions": []},
            ],
        },
        "promotions": ALL_PROMOTIONS,
        "customersByIds": ALL_CUSTOMERS,
    }
    # The customers, the page, and one or two lookups: they share one where they come within the
    # pool's window, or find the rows of the page.
    assert graph.emulator.requests["list_customers"] == 1
    assert graph.emulator.requests["list_segments"] in (2, 3)
    cold = graph.upstream_requests
    assert graph.data(query) == first
    assert graph.upstream_requests == cold


def test_a_list_that_was_read_spares_the_lookups(graph: LargerGraph) -> None:
    graph.data("{ segments(first: 50) { totalCount nodes { name } } }")
    assert graph.data(CUSTOMERS) == {"customersByIds": ALL_CUSTOMERS}
    assert graph.emulator.requests == {"list_segments": 1, "list_customers": 1}


def test_a_segment_that_does_not_exist_is_null(graph: LargerGraph) -> None:
    absent = global_id("ffffffff-0000-4000-8000-ffffffffffff")
    query = "query ($ids: [ID!]!) { bookmarks(ids: $ids) { entityId name } }"
    assert graph.data(query, ["bookmarks", 0, "entityId"], ids=[absent, global_id(VIP)]) == {
        "bookmarks": [None, {"entityId": VIP, "name": "VIP customers"}]
    }
    assert graph.data(query, ["bookmarks", 0, "entityId"], ids=[absent]) == {"bookmarks": [None]}
    assert graph.upstream_requests == 1


def test_both_keys_in_one_query(graph: LargerGraph) -> None:
    query = """
    query ($ids: [ID!]!) {
      bookmarks(ids: $ids) { entityId name }
      promotions(first: 1) { edges { node { segments { id } } } }
    }
    """
    assert graph.data(query, ids=[global_id(VIP), global_id(GOLD)]) == {
        "bookmarks": [
            {"entityId": VIP, "name": "VIP customers"},
            {"entityId": GOLD, "name": "Loyalty gold"},
        ],
        "promotions": {
            "edges": [{"node": {"segments": [{"id": global_id(VIP)}, {"id": global_id(GOLD)}]}}]
        },
    }
    assert graph.upstream_requests in (1, 2)


def test_references_to_the_same_segment_by_either_key_are_one_segment(graph: LargerGraph) -> None:
    ids = [global_id(VIP)] * 3
    data = graph.data("query ($ids: [ID!]!) { bookmarks(ids: $ids) { entityId } }", ids=ids)
    assert data == {"bookmarks": [{"entityId": VIP}] * 3}
    assert graph.upstream_requests == 1


def test_one_that_is_wrong_fails_alone(graph: LargerGraph) -> None:
    wrong = b64encode(b"Promotion:1").decode()
    answer = graph.ask(
        "query ($ids: [ID!]!) { bookmarks(ids: $ids) { entityId } }",
        ids=[global_id(VIP), wrong, global_id(GOLD)],
    )
    assert answer["data"] == {"bookmarks": [{"entityId": VIP}, None, {"entityId": GOLD}]}
    (error,) = answer["errors"]
    assert error["message"] == (
        "This is not a global id of this graph. Pass an `id` that it answered; BigCommerce's own "
        "ids go into `entityId`."
    )
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert graph.upstream_requests == 1


def test_a_store_that_fails_leaves_the_other_subgraphs_data(graph: LargerGraph) -> None:
    graph.emulator.faults.add(Fault.SERVER_ERROR, 1)
    answer = graph.ask("{ promotions { edges { node { name segments { id name } } } } }")
    assert [edge["node"] for edge in answer["data"]["promotions"]["edges"]] == [
        {"name": "Free shipping", "segments": [None, None]},
        {"name": "Private sale", "segments": [None]},
        {"name": "Welcome back", "segments": [None, None]},
    ]
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"UPSTREAM_UNAVAILABLE"}
    assert graph.upstream_requests == 1


# --- lists ---------------------------------------------------------------------------------------


def test_segments_are_paged_through_the_router_both_ways(graph: LargerGraph) -> None:
    page = """
    query ($first: Int, $after: String, $last: Int, $before: String) {
      segments(first: $first, after: $after, last: $last, before: $before) {
        nodes { entityId } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }
    """
    forward: list[str] = []
    after = None
    while True:
        segments = graph.data(page, first=150, after=after)["segments"]
        forward += [node["entityId"] for node in segments["nodes"]]
        if not segments["pageInfo"]["hasNextPage"]:
            break
        after = segments["pageInfo"]["endCursor"]
    assert forward == ids_of(graph)
    backward: list[str] = []
    before = None
    while True:
        segments = graph.data(page, last=150, before=before)["segments"]
        backward = [node["entityId"] for node in segments["nodes"]] + backward
        if not segments["pageInfo"]["hasPreviousPage"]:
            break
        before = segments["pageInfo"]["startCursor"]
    assert backward == ids_of(graph)
    assert graph.upstream_requests == 4


def test_a_thousand_segments_in_one_operation_cost_four_requests(graph: LargerGraph) -> None:
    ids = [global_id(uuid) for uuid in ids_of(graph)]
    query = "query ($ids: [ID!]!) { bookmarks(ids: $ids) { entityId } }"
    data = graph.data(query, ids=ids)
    assert [one["entityId"] for one in data["bookmarks"]] == ids_of(graph)
    assert graph.upstream_requests == 4
    assert graph.data(query, ids=ids) == data
    assert graph.upstream_requests == 4


def test_more_than_a_thousand_in_one_operation_are_one_clear_error(graph: LargerGraph) -> None:
    ids = [global_id(f"{n:08x}-0000-4000-8000-000000000000") for n in range(1001)]
    answer = graph.ask("query ($ids: [ID!]!) { bookmarks(ids: $ids) { entityId } }", ids=ids)
    messages = {error["message"] for error in answer["errors"]}
    assert "The request asks for more than 1000 entities." in " ".join(messages)
    assert graph.upstream_requests == 0


# --- what a client of the larger graph sees ------------------------------------------------------


def test_introspection_of_the_larger_graph_tells_what_segments_cost(graph: LargerGraph) -> None:
    data = graph.data('{ __type(name: "Query") { fields { name description } } }')
    told = {field["name"]: field["description"] for field in data["__type"]["fields"]}
    assert {"segments", "segment", "segmentsByEntityId", "node", "promotions"} <= set(told)
    assert {"customer", "customersByEntityId", "customersByIds"} <= set(told)
    assert "Costs one upstream request for each 250 segments" in told["segments"]
    assert not any(name.startswith("_") for name in told)

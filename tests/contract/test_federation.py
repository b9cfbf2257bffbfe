"""The subgraph, clause by clause: Apollo's subgraph specification and its compatibility suite.

The rows of the suite that apply to this schema are here; its example schema is another one.
docs/federation.md is checked, too: its table of representations, and its table of costs.
"""

import json
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml
from directives import coordinates_of, uses_of
from graphql import (
    build_schema,
    get_introspection_query,
    is_enum_type,
    is_input_object_type,
    parse,
)
from in_process import Answer, InProcess, in_process

from gateway.emulator import seeded_store
from gateway.schema import Federation, build_graph
from gateway.schema.federation import WEIGHT_OF_AN_UPSTREAM_REQUEST

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "federation.md").read_text(encoding="utf-8")
VIP = "1a466884-f3f4-4249-9c28-ff90a5aec797"
ABSENT = "ffffffff-0000-4000-8000-ffffffffffff"
ENTITIES = """
query ($representations: [_Any!]!) {
  _entities(representations: $representations) { __typename ... on Segment { entityId name } }
}
"""
SDL = "{ _service { sdl } }"


def by_entity_id(entity_id: str) -> dict[str, object]:
    return {"__typename": "Segment", "entityId": entity_id}


def by_id(entity_id: str) -> dict[str, object]:
    text = b64encode(f"Segment:{entity_id}".encode()).decode()
    return {"__typename": "Segment", "id": text}


def ids_of(gateway: InProcess) -> list[str]:
    return [row.id for row in gateway.emulator.store.segments]


async def entities(gateway: InProcess, *representations: object) -> list[Answer | None]:
    """Returns `_entities` of an answer without errors."""
    data = await gateway.data(ENTITIES, representations=list(representations))
    found: list[Answer | None] = data["_entities"]
    return found


async def sdl_of(gateway: InProcess) -> str:
    sdl: str = (await gateway.data(SDL))["_service"]["sdl"]
    return sdl


# --- the clauses ---------------------------------------------------------------------------------


async def service_tells_the_sdl(gateway: InProcess) -> None:
    sdl = await sdl_of(gateway)
    assert "type Query" in sdl
    assert sdl == (ROOT / "schema.graphql").read_text(encoding="utf-8")


async def sdl_links_one_federation(gateway: InProcess) -> None:
    assert uses_of(await sdl_of(gateway), "link")["schema"] == {
        '@link(import: ["@cost", "@key", "@listSize", "@shareable", "@tag"], '
        'url: "https://specs.apollo.dev/federation/v2.9")'
    }


async def sdl_names_no_machinery(gateway: InProcess) -> None:
    elements = coordinates_of(await sdl_of(gateway))
    assert [name for name in elements if name.startswith(("_", "Query._"))] == []
    assert {name for name in elements if name.startswith("Query.") and name.count(".") == 1} == {
        "Query.segments",
        "Query.segmentsCount",
        "Query.segment",
        "Query.segmentsByEntityId",
        "Query.customer",
        "Query.customersByEntityId",
        "Query.customersByEmail",
        "Query.shopperProfiles",
    }


async def entities_have_two_keys(gateway: InProcess) -> None:
    keys = {'@key(fields: "id")', '@key(fields: "entityId")'}
    assert uses_of(await sdl_of(gateway), "key") == {"Segment": keys, "Customer": keys}


async def key_resolves_by_id(gateway: InProcess) -> None:
    assert await entities(gateway, by_id(VIP)) == [
        {"__typename": "Segment", "entityId": VIP, "name": "VIP customers"}
    ]


async def key_resolves_by_entity_id(gateway: InProcess) -> None:
    assert await entities(gateway, by_entity_id(VIP)) == await entities(gateway, by_id(VIP))


async def several_keys_resolve_in_one_request(gateway: InProcess) -> None:
    found = await entities(gateway, by_id(VIP), by_entity_id(VIP))
    assert [one and one["name"] for one in found] == ["VIP customers"] * 2


async def order_and_length_are_kept(gateway: InProcess) -> None:
    ids = ids_of(gateway)[:5]
    asked = [ids[3], ABSENT, ids[0], ids[3]]
    found = await entities(gateway, *(by_entity_id(row_id) for row_id in asked))
    assert [one and one["entityId"] for one in found] == [ids[3], None, ids[0], ids[3]]


async def no_representations_are_no_entities(gateway: InProcess) -> None:
    assert await entities(gateway) == []


async def literals_are_taken_as_variables_are(gateway: InProcess) -> None:
    query = (
        "query ($uuid: ID!) { _entities(representations: "
        '[{ __typename: "Segment", entityId: $uuid }]) { ... on Segment { name } } }'
    )
    data = await gateway.data(query, uuid=VIP)
    assert data == {"_entities": [{"name": "VIP customers"}]}


async def values_are_shareable(gateway: InProcess) -> None:
    assert uses_of(await sdl_of(gateway), "shareable") == {
        name: {"@shareable"}
        for name in (
            "PageInfo",
            "SegmentConnection",
            "SegmentEdge",
            "ShopperProfileConnection",
            "ShopperProfileEdge",
            "Customer.email",
            "Customer.firstName",
            "Customer.lastName",
            "UserError",
        )
    }


async def everything_is_tagged(gateway: InProcess) -> None:
    sdl = await sdl_of(gateway)
    # Every subgraph has these; a directive bears none.
    untagged = {"schema", "Query", "Mutation", "contact"}
    # Of inputs and enums, each field and each value.
    types = {"Query", "Mutation"} | {
        name
        for name, type_ in build_schema(build_graph().api_sdl).type_map.items()
        if is_input_object_type(type_) or (is_enum_type(type_) and not name.startswith("__"))
    }
    to_be_tagged = {
        name
        for name in coordinates_of(sdl) - untagged
        if name.split(".")[0] in types or name.count(".") != 1  # all arguments
    }
    shared = {"DateTime", "DateTimeRange", "Node", "PageInfo"}  # with other subgraphs
    assert uses_of(sdl, "tag") == {
        name: {f'@tag(name: "{"shared" if name.split(".")[0] in shared else "segments"}")'}
        for name in to_be_tagged
    }


async def lists_tell_their_size(gateway: InProcess) -> None:
    page = (
        "@listSize(assumedSize: 50, requireOneSlicingArgument: false, "
        'sizedFields: ["edges", "nodes"], slicingArguments: ["first", "last"])'
    )
    ids = "@listSize(assumedSize: 250, requireOneSlicingArgument: false)"
    assert uses_of(await sdl_of(gateway), "listSize") == {
        "Query.segments": {page},
        "Query.shopperProfiles": {page},
        "Segment.shopperProfiles": {page},
        "Customer.segments": {page},
        "Query.segmentsByEntityId": {ids},
        "Query.customersByEntityId": {ids},
        "Query.customersByEmail": {ids},
    }


async def fields_tell_their_cost(gateway: InProcess) -> None:
    assert uses_of(await sdl_of(gateway), "cost") == {
        "Query.segments": {"@cost(weight: 20)"},
        "Query.segmentsCount": {"@cost(weight: 40)"},
        "Query.segment": {"@cost(weight: 10)"},
        "Query.segmentsByEntityId": {"@cost(weight: 30)"},
        "Query.customer": {"@cost(weight: 10)"},
        "Query.customersByEntityId": {"@cost(weight: 30)"},
        "Query.customersByEmail": {"@cost(weight: 30)"},
        "Query.shopperProfiles": {"@cost(weight: 20)"},
        "Segment.shopperProfiles": {"@cost(weight: 10)"},
        "Customer.segments": {"@cost(weight: 10)"},
        "ShopperProfile.customer": {"@cost(weight: 10)"},
        "Mutation.createSegments": {"@cost(weight: 250)"},
        "Mutation.updateSegments": {"@cost(weight: 250)"},
        "Mutation.deleteSegments": {"@cost(weight: 280)"},
        "Mutation.addCustomersToSegment": {"@cost(weight: 510)"},
        "Mutation.removeCustomersFromSegment": {"@cost(weight: 300)"},
        "Mutation.createShopperProfiles": {"@cost(weight: 200)"},
        "Mutation.deleteShopperProfiles": {"@cost(weight: 200)"},
        "Mutation.addShopperProfilesToSegment": {"@cost(weight: 200)"},
        "Mutation.removeShopperProfilesFromSegment": {"@cost(weight: 200)"},
    }


async def schema_tells_whom_to_ask(gateway: InProcess) -> None:
    assert uses_of(await sdl_of(gateway), "contact") == {
        "schema": {
            '@contact(description: "Customer segments of a BigCommerce store, through its '
            'REST API.", name: "bigcommerce-segments-gateway")'
        }
    }


async def introspection_shows_no_machinery(gateway: InProcess) -> None:
    schema = (await gateway.data(get_introspection_query()))["__schema"]
    names = {one["name"] for one in schema["types"]}
    assert names == set(build_schema(build_graph().api_sdl).type_map)
    assert [name for name in names if name.startswith("_") and not name.startswith("__")] == []
    assert {one["name"] for one in schema["directives"]} <= {
        "include",
        "skip",
        "deprecated",
        "specifiedBy",
        "oneOf",
    }
    (query,) = (one for one in schema["types"] if one["name"] == "Query")
    assert [field["name"] for field in query["fields"] if field["name"].startswith("_")] == []
    assert query["description"] == "Everything that can be read."


async def typing_errors_suggest_no_machinery(gateway: InProcess) -> None:
    (error,) = (await gateway.ask("{ entities { id } }"))["errors"]
    assert "_entities" not in error["message"]


@dataclass(frozen=True)
class Clause:
    """A row: where it is from, what it says, and how to see it."""

    source: str
    sentence: str
    check: Callable[[InProcess], Awaitable[None]]


CLAUSES = [
    Clause("suite: introspection", "`_service { sdl }` is the schema", service_tells_the_sdl),
    Clause("suite: @link", "the SDL links federation once", sdl_links_one_federation),
    Clause("suite: @key", "an entity may have several keys", entities_have_two_keys),
    Clause("suite: @key", "an entity resolves by `id`", key_resolves_by_id),
    Clause("suite: @key", "an entity resolves by `entityId`", key_resolves_by_entity_id),
    Clause("suite: @key", "keys may be mixed", several_keys_resolve_in_one_request),
    Clause("suite: @shareable", "value types can be shared", values_are_shareable),
    Clause("suite: @tag", "elements are tagged", everything_is_tagged),
    Clause("spec: Query._entities", "order and length are kept", order_and_length_are_kept),
    Clause("spec: Query._entities", "an empty list is one", no_representations_are_no_entities),
    Clause("spec: _Any", "literals are taken", literals_are_taken_as_variables_are),
    Clause("spec: Query._service", "the SDL needs no machinery", sdl_names_no_machinery),
    Clause("IBM cost: @listSize", "lists tell their size", lists_tell_their_size),
    Clause("IBM cost: @cost", "fields tell their cost", fields_tell_their_cost),
    Clause("Apollo: @contact", "the schema tells whom to ask", schema_tells_whom_to_ask),
    Clause("decision 13", "introspection is for people", introspection_shows_no_machinery),
    Clause("decision 13", "so are suggestions", typing_errors_suggest_no_machinery),
]


@pytest.mark.parametrize("clause", CLAUSES, ids=[f"{c.source} {c.sentence}" for c in CLAUSES])
async def test_subgraph_follows(clause: Clause) -> None:
    await clause.check(in_process(120))


# --- docs/federation.md --------------------------------------------------------------------------

REPRESENTATIONS = re.findall(
    r"^\| `([{\"].*?[}\"])` \| (`.+`|error: .+) \|$", PAGE, flags=re.MULTILINE
)


async def test_each_representation_of_the_documentation_gets_its_answer() -> None:
    assert len(REPRESENTATIONS) == 22
    answer = await in_process(120).ask(
        "query ($all: [_Any!]!) { _entities(representations: $all) "
        "{ ... on Segment { name } ... on Customer { firstName } } }",
        all=[json.loads(representation) for representation, _ in REPRESENTATIONS],
    )
    errors = {tuple(error["path"]): error for error in answer.get("errors", [])}
    assert {error["extensions"]["code"] for error in errors.values()} == {"BAD_USER_INPUT"}
    shown = []
    for at, entity in enumerate(answer["data"]["_entities"]):
        error = errors.pop(("_entities", at), None)
        assert error is None or entity is None
        shown.append(f"error: {error['message']}" if error else f"`{json.dumps(entity)}`")
    assert shown == [told for _, told in REPRESENTATIONS]
    assert errors == {}


def mixed(ids: list[str]) -> list[object]:
    """Returns 100 representations by each key, in which every tenth comes twice."""
    both = [*map(by_id, ids[:90]), *map(by_entity_id, ids[90:180])]
    return [*both, *both[::9]]


COSTS: dict[str, Callable[[list[str]], list[object]]] = {
    "one segment by either key": lambda ids: [by_id(ids[7])],
    "100 segments by `id` and 100 by `entityId`, some of them twice": mixed,
    "250 different segments": lambda ids: [by_entity_id(i) for i in ids[:250]],
    "1000 different segments of a store that has 1000": lambda ids: [by_entity_id(i) for i in ids],
    "a segment that does not exist": lambda ids: [by_entity_id(ABSENT)],
    "100 customers by `entityId`": lambda _: [
        {"__typename": "Customer", "entityId": number} for number in range(1, 101)
    ],
    "100 segments and 100 customers": lambda ids: [
        *({"__typename": "Customer", "entityId": number} for number in range(1, 101)),
        *map(by_entity_id, ids[:100]),
    ],
}


@pytest.mark.parametrize("asked", COSTS)
async def test_entities_cost_what_the_documentation_says(asked: str) -> None:
    (row,) = re.findall(rf"^\| {re.escape(asked)} \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    cold, warm = map(int, row)
    gateway = in_process(1000)
    representations = COSTS[asked](ids_of(gateway))
    first = await entities(gateway, *representations)
    assert gateway.upstream_requests == cold
    assert await entities(gateway, *representations) == first
    assert gateway.upstream_requests == cold + warm
    assert len(first) == len(representations)
    assert (None in first) is ("does not exist" in asked)


def test_the_schema_of_the_documentation_refers_to_a_segment_in_four_lines() -> None:
    block, *_ = re.findall(r"^```graphql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert block.count("\n") == 4
    parse(block)


def test_the_files_for_composers_name_this_subgraph_s_schema() -> None:
    for block in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[:2]:
        subgraphs = yaml.safe_load(block)["subgraphs"]
        if isinstance(subgraphs, list):
            subgraphs = {one.pop("name"): one for one in subgraphs}
        assert subgraphs["segments"] == {
            "routing_url": "http://127.0.0.1:8000/graphql",
            "schema": {"file": "schema.graphql"},
        }


# --- what the one who runs it decides ------------------------------------------------------------


async def test_contact_is_the_one_of_the_settings() -> None:
    gateway = in_process(
        1, SUBGRAPH_CONTACT_NAME='The "segments" team', SUBGRAPH_CONTACT_URL="https://example.com/x"
    )
    (contact,) = uses_of(await sdl_of(gateway), "contact")["schema"]
    assert r'name: "The \"segments\" team"' in contact
    assert 'url: "https://example.com/x"' in contact


def test_node_stands_in_the_subgraph_where_it_is_to_offer_it_and_for_clients_always() -> None:
    without, offered = build_graph(), build_graph(federation=replace(Federation(), node=True))
    assert without.api_sdl == offered.api_sdl
    for name in ("node", "nodes"):
        field = re.compile(rf"^  {name}\(", re.MULTILINE)
        assert (bool(field.search(without.sdl)), bool(field.search(offered.sdl))) == (False, True)
        assert field.search(without.api_sdl)
    assert "SegmentEdge" in without.sdl
    assert re.search(r"^  node: Segment$", without.sdl, re.MULTILINE)
    assert re.search(r"^  nodes: \[Segment\]!$", without.sdl, re.MULTILINE)


async def test_a_running_subgraph_offers_node_where_the_settings_say_so() -> None:
    assert "\n  node(" in await sdl_of(in_process(1, SUBGRAPH_NODE="true"))
    assert "\n  node(" not in await sdl_of(in_process(1))


def test_the_cost_of_a_request_is_the_documentation_s() -> None:
    assert f"| {WEIGHT_OF_AN_UPSTREAM_REQUEST} for each request to the store" in PAGE


def test_ids_of_segments_are_known_as_the_documentation_says() -> None:
    (prefix,) = re.findall(r"which begin with\s`(\w+)`", PAGE)
    ids = [b64encode(f"Segment:{row.id}".encode()).decode() for row in seeded_store(1000).segments]
    assert all(one.startswith(prefix) for one in ids)
    assert not b64encode(b"Promotion:1").decode().startswith(prefix)

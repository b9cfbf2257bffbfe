"""The subgraph beside others, as the composers of Apollo and of The Guild put them together."""

import re
from base64 import b64encode
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import strawberry
import yaml
from directives import uses_of
from graphql import GraphQLObjectType, build_schema, lexicographic_sort_schema, print_schema
from npm_tools import answer_of, needs
from strawberry import relay
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from gateway.schema import build_graph
from gateway.schema.federation import Federation

ROOT = Path(__file__).parents[2]
COMPOSITION = Path(__file__).parent / "composition"

pytestmark = needs(COMPOSITION)

SEGMENTS = build_graph().sdl
SEGMENTS_WITH_NODE = build_graph(federation=Federation(node=True)).sdl
SEGMENTS_WITH_PAYLOAD_QUERY = build_graph(federation=Federation(payload_query=True)).sdl
SEGMENTS_WITH_SCOPES = build_graph(federation=Federation(scopes=True)).sdl

LINK = """
extend schema @link(
  url: "https://specs.apollo.dev/federation/v2.9"
  import: ["@external", "@key", "@override", "@shareable"]
)
"""

PAGE_INFO = """
type PageInfo @shareable {
  hasNextPage: Boolean!
  hasPreviousPage: Boolean!
  startCursor: String
  endCursor: String
}
"""

WEATHER = LINK + "type Query { weather: String }"

# With `node` and `nodes`, and a reference that can be made without asking for a segment.
RELAY_STYLE = f"""
{LINK}
{PAGE_INFO}
type Query {{
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  promotions(first: Int, after: String): PromotionConnection!
}}
scalar DateTime
interface Node {{ id: ID! }}
type Promotion implements Node @key(fields: "id") {{
  id: ID!
  startsAt: DateTime!
  segments: [Segment!]!
}}
type PromotionConnection {{ edges: [PromotionEdge!]! pageInfo: PageInfo! }}
type PromotionEdge {{ cursor: String! node: Promotion }}
type Segment @key(fields: "entityId", resolvable: false) {{ entityId: ID! }}
"""

# Each has this root field and a Segment of its own.
FEATURED = LINK + "type Query { featured: Segment }"
NEIGHBOURS = {
    "references by id": 'type Segment @key(fields: "id", resolvable: false) { id: ID! }',
    "references by entityId": """
        type Segment @key(fields: "entityId", resolvable: false) { entityId: ID! }
    """,
    "references by both": """
        type Segment
          @key(fields: "id", resolvable: false)
          @key(fields: "entityId", resolvable: false) { id: ID! entityId: ID! }
    """,
    "extends by id": 'type Segment @key(fields: "id") { id: ID! promotions: [String!]! }',
    "extends by entityId": """
        type Segment @key(fields: "entityId") { entityId: ID! promotions: [String!]! }
    """,
    "extends by both": """
        type Segment @key(fields: "id") @key(fields: "entityId") {
          id: ID!
          entityId: ID!
          promotions: [String!]!
        }
    """,
    "extends as Federation 1 did": """
        extend type Segment @key(fields: "entityId") {
          entityId: ID! @external
          promotions: [String!]!
        }
    """,
    "answers connections of segments": f"""
        {PAGE_INFO}
        type Segment @key(fields: "entityId", resolvable: false) {{ entityId: ID! }}
        type SegmentConnection @shareable {{
          edges: [SegmentEdge!]!
          nodes: [Segment]!
          pageInfo: PageInfo!
          totalCount: Int!
        }}
        type SegmentEdge @shareable {{ cursor: String! node: Segment }}
        type Promotion @key(fields: "id") {{ id: ID! segments(first: Int): SegmentConnection! }}
        extend type Query {{ promotion: Promotion }}
    """,
}


class Remark(msgspec.Struct):
    """An error or a hint of a composer."""

    code: str
    message: str
    level: str | None = None


class Composed(msgspec.Struct):
    """What one composer made of subgraphs: no supergraph and no API where there are errors."""

    errors: list[Remark]
    hints: list[Remark]
    supergraph: str | None
    api: str | None

    @property
    def error_codes(self) -> set[str]:
        return {error.code for error in self.errors}


@strawberry.federation.type(name="Segment", keys=["entityId"])
class ReferencedSegment:
    entity_id: strawberry.ID


@strawberry.federation.type(keys=["id"])
class Promotion(relay.Node):
    code: relay.NodeID[str]
    starts_at: datetime
    segments: list[ReferencedSegment]


def no_promotions() -> list[Promotion]:
    return []


@strawberry.type(name="Query")
class StrawberryQuery:
    node: relay.Node = relay.node()
    nodes: list[relay.Node] = relay.node()
    promotions: relay.ListConnection[Promotion] = relay.connection(resolver=no_promotions)


@cache
def strawberry_s_own() -> str:
    """A subgraph of Strawberry's own types, `PageInfo` made shareable."""
    sdl = strawberry.federation.Schema(query=StrawberryQuery, federation_version="2.9").as_str()
    assert "type PageInfo {" in sdl
    return sdl.replace("type PageInfo {", "type PageInfo @shareable {").replace(
        'import: ["@key"]', 'import: ["@key", "@shareable"]'
    )


@cache
def compose(segments: str, neighbour: str | None = None) -> dict[str, Composed]:
    """What each composer makes of the segments, alone or beside another subgraph."""
    return _answer(segments, neighbour, None)


def contract(
    *, include: tuple[str, ...] = (), exclude: tuple[str, ...] = (), neighbour: str | None = None
) -> Composed:
    """What The Guild's composer makes of a graph whose parts are filtered by tags."""
    return _answer(SEGMENTS, neighbour, {"include": include, "exclude": exclude})["guild"]


def _answer(segments: str, neighbour: str | None, contract: object) -> dict[str, Composed]:
    subgraphs = [{"name": "segments", "url": "http://segments.test/graphql", "sdl": segments}]
    if neighbour is not None:
        subgraphs.append({"name": "other", "url": "http://other.test/graphql", "sdl": neighbour})
    question = {"subgraphs": subgraphs, "contract": contract}
    answer = answer_of(COMPOSITION / "compose.mjs", question)
    return msgspec.json.decode(answer, type=dict[str, Composed])


def meaning(sdl: str | None) -> str:
    """The schema with its types and fields in the order of their names."""
    assert sdl is not None
    return print_schema(lexicographic_sort_schema(build_schema(sdl)))


def meaning_of_ours(*, node: bool = False, payload_query: bool = False) -> str:
    """What `api.graphql` says, without what the subgraph leaves out."""
    schema = build_schema((ROOT / "api.graphql").read_text(encoding="utf-8"))
    query = schema.query_type
    assert query is not None
    if not node:
        del query.fields["node"], query.fields["nodes"]
    if not payload_query:
        for type_ in schema.type_map.values():
            if type_.name.endswith("Payload"):
                assert isinstance(type_, GraphQLObjectType)
                del type_.fields["query"]
    assert schema.mutation_type is not None
    schema.mutation_type.description = None
    query.description = schema.type_map["DateTime"].description = None
    return print_schema(lexicographic_sort_schema(schema))


@pytest.fixture(params=["apollo", "guild"])
def composer(request: pytest.FixtureRequest) -> str:
    name = request.param
    assert isinstance(name, str)
    return name


def assert_composes(composed: Composed) -> None:
    assert (composed.errors, composed.hints) == ([], [])


def assert_composes_with_overrides(composed: Composed) -> None:
    """No errors; Apollo's composer alone hints at what the override leaves unused here."""
    assert composed.errors == []
    assert {hint.code for hint in composed.hints} <= {"OVERRIDDEN_FIELD_CAN_BE_REMOVED"}


def test_the_subgraph_composes_alone(composer: str) -> None:
    assert_composes(compose(SEGMENTS)[composer])


def test_it_composes_beside_a_relay_style_subgraph(composer: str) -> None:
    assert_composes(compose(SEGMENTS, RELAY_STYLE)[composer])


def test_it_composes_beside_strawberry_s_own_relay_types(composer: str) -> None:
    assert_composes(compose(SEGMENTS, strawberry_s_own())[composer])


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_it_composes_beside_one_that(neighbour: str, composer: str) -> None:
    assert_composes(compose(SEGMENTS, FEATURED + NEIGHBOURS[neighbour])[composer])


def test_the_example_s_larger_graph_composes(composer: str) -> None:
    example = ROOT / "examples" / "federation"
    subgraphs = yaml.safe_load((example / "subgraphs.yaml").read_text(encoding="utf-8"))[
        "subgraphs"
    ]
    question = {
        "subgraphs": [
            {
                "name": name,
                "url": subgraph["routing_url"],
                "sdl": (example / subgraph["schema"]["file"]).read_text(encoding="utf-8"),
            }
            for name, subgraph in subgraphs.items()
        ],
        "contract": None,
    }
    answer = answer_of(COMPOSITION / "compose.mjs", question)
    assert_composes_with_overrides(msgspec.json.decode(answer, type=dict[str, Composed])[composer])


def test_names_of_customers_can_be_taken_over_as_the_documentation_shows(composer: str) -> None:
    page = (ROOT / "docs" / "federation.md").read_text(encoding="utf-8")
    section = page.partition("## Refer to a customer")[2]
    platform, _ = re.findall(r"^```graphql\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert_composes_with_overrides(compose(SEGMENTS, LINK + platform)[composer])
    shared = re.sub("@override.*", "@shareable", platform)
    assert_composes(compose(SEGMENTS, LINK + shared)[composer])


def test_a_connection_that_lacks_a_field_of_ours_cannot_be_shared(composer: str) -> None:
    without = (FEATURED + NEIGHBOURS["answers connections of segments"]).replace(
        "totalCount: Int!", ""
    )
    assert compose(SEGMENTS, without)[composer].error_codes == {"SATISFIABILITY_ERROR"}


def test_a_page_info_that_its_owner_does_not_share_is_reported(composer: str) -> None:
    neighbour = RELAY_STYLE.replace("type PageInfo @shareable", "type PageInfo")
    composed = compose(SEGMENTS, neighbour)[composer]
    assert composed.error_codes == {"INVALID_FIELD_SHARING"}
    assert (composed.supergraph, composed.api) == (None, None)


def test_a_page_info_that_we_did_not_share_would_be_reported(composer: str) -> None:
    broken = SEGMENTS.replace("type PageInfo @shareable", "type PageInfo")
    assert compose(broken, RELAY_STYLE)[composer].error_codes == {"INVALID_FIELD_SHARING"}


def test_a_type_that_two_describe_differently_is_a_hint_of_apollo_s() -> None:
    broken = SEGMENTS.replace("Information to aid in pagination.", "Where a page lies.")
    hints = compose(broken, strawberry_s_own())["apollo"].hints
    assert [(hint.code, hint.level) for hint in hints] == [("INCONSISTENT_DESCRIPTION", "WARN")]


def test_the_public_api_is_what_api_graphql_says(composer: str) -> None:
    assert meaning(compose(SEGMENTS)[composer].api) == meaning_of_ours()


def test_the_supergraph_keeps_both_keys_of_a_segment(composer: str) -> None:
    supergraph = compose(SEGMENTS)[composer].supergraph
    assert supergraph is not None
    assert uses_of(supergraph, "join__type")["Segment"] == {
        '@join__type(graph: SEGMENTS, key: "id")',
        '@join__type(graph: SEGMENTS, key: "entityId")',
    }


@pytest.mark.parametrize("directive", ["tag", "cost", "listSize"])
@pytest.mark.parametrize("neighbour", [None, RELAY_STYLE], ids=["alone", "beside another"])
def test_the_supergraph_keeps_each(directive: str, neighbour: str | None, composer: str) -> None:
    supergraph = compose(SEGMENTS, neighbour)[composer].supergraph
    assert supergraph is not None
    ours = uses_of(SEGMENTS, directive)
    assert ours
    assert uses_of(supergraph, directive) == ours


def test_another_s_node_may_find_segments_as_the_documentation_shows(composer: str) -> None:
    page = (ROOT / "docs" / "federation.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"strawberry": strawberry, "relay": relay}
    exec(code, {**names, "Key": Key, "FieldSet": FieldSet}, names)

    @strawberry.type(name="Query")
    class Query:
        node: relay.Node | None = relay.node()

    schema = strawberry.federation.Schema(Query, types=[names["Segment"]], federation_version="2.9")
    assert_composes(compose(SEGMENTS, schema.as_str())[composer])
    segment_id = b64encode(b"Segment:1a466884-f3f4-4249-9c28-ff90a5aec797").decode()
    found = schema.execute_sync(f'{{ node(id: "{segment_id}") {{ __typename id }} }}')
    assert found.data == {"node": {"__typename": "Segment", "id": segment_id}}


def test_with_node_it_composes_alone_and_the_api_has_node(composer: str) -> None:
    composed = compose(SEGMENTS_WITH_NODE)[composer]
    assert_composes(composed)
    assert meaning(composed.api) == meaning_of_ours(node=True)


def test_only_one_subgraph_can_have_node(composer: str) -> None:
    composed = compose(SEGMENTS_WITH_NODE, RELAY_STYLE)[composer]
    assert composed.error_codes == {"INVALID_FIELD_SHARING"}
    assert all("Query.node" in error.message for error in composed.errors)


def test_another_subgraph_can_take_node_over(composer: str) -> None:
    override = RELAY_STYLE.replace("): Node\n", '): Node @override(from: "segments")\n').replace(
        "): [Node]!\n", '): [Node]! @override(from: "segments")\n'
    )
    assert_composes_with_overrides(compose(SEGMENTS_WITH_NODE, override)[composer])


def test_apollo_s_composer_alone_takes_the_query_of_payloads() -> None:
    alone = compose(SEGMENTS_WITH_PAYLOAD_QUERY)
    for composed in alone.values():
        assert_composes(composed)
        assert meaning(composed.api) == meaning_of_ours(payload_query=True)
    beside = compose(SEGMENTS_WITH_PAYLOAD_QUERY, WEATHER)
    assert_composes(beside["apollo"])
    assert beside["guild"].error_codes == {"SATISFIABILITY_ERROR"}


@pytest.mark.parametrize("neighbour", [None, RELAY_STYLE], ids=["alone", "beside another"])
def test_with_scopes_the_supergraph_has_them_for_our_fields_alone(
    neighbour: str | None, composer: str
) -> None:
    composed = compose(SEGMENTS_WITH_SCOPES, neighbour)[composer]
    assert_composes(composed)
    assert composed.supergraph is not None
    ours = uses_of(SEGMENTS_WITH_SCOPES, "requiresScopes")
    assert {name.partition(".")[0] for name in ours} == {
        "Query",
        "Mutation",
        "Segment",
        "Customer",
        "ShopperProfile",
    }
    assert uses_of(composed.supergraph, "requiresScopes") == ours  # and not for `Node`


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_with_scopes_it_composes_beside_one_that(neighbour: str, composer: str) -> None:
    assert_composes(compose(SEGMENTS_WITH_SCOPES, FEATURED + NEIGHBOURS[neighbour])[composer])


@pytest.mark.parametrize("neighbour", [None, WEATHER], ids=["alone", "beside another"])
def test_a_contract_that_includes_our_tags_has_the_whole_of_ours(neighbour: str | None) -> None:
    composed = contract(include=("segments", "shared"), neighbour=neighbour)
    assert_composes(composed)
    assert meaning(composed.api) == meaning_of_ours()


def test_a_contract_that_excludes_the_tag_has_nothing_of_ours() -> None:
    composed = contract(exclude=("segments",), neighbour=WEATHER)
    assert_composes(composed)
    assert meaning(composed.api) == "type Query {\n  weather: String\n}"


def test_a_contract_that_excludes_the_tag_leaves_others_the_types_they_share() -> None:
    others = RELAY_STYLE.replace("segments: [Segment!]!", "")
    composed = contract(exclude=("segments",), neighbour=others)
    assert_composes(composed)
    assert composed.api is not None
    assert {"Node", "PageInfo", "DateTime"} <= build_schema(composed.api).type_map.keys()
    assert not any("Segment" in name for name in build_schema(composed.api).type_map)

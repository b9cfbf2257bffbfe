"""What the code prints is committed, and follows the grammar of connections and nodes."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
)

from gateway.schema import build_graph

ROOT = Path(__file__).parents[2]
GRAPH = build_graph()


@pytest.mark.parametrize(
    ("name", "sdl"), [("schema.graphql", GRAPH.sdl), ("api.graphql", GRAPH.api_sdl)]
)
def test_committed_schema_is_what_the_code_prints(name: str, sdl: str) -> None:
    committed = (ROOT / name).read_text(encoding="utf-8")
    assert sdl == committed, "run `make schema` and look at what changed"


def test_a_date_is_specified_and_shown_by_an_example() -> None:
    date_time = GRAPH.api._schema.type_map["DateTime"]
    assert isinstance(date_time, GraphQLScalarType)
    assert date_time.specified_by_url == "https://www.rfc-editor.org/rfc/rfc3339"
    (example,) = re.findall(r'"(.+)"', date_time.description or "")
    assert date_time.serialize(datetime.fromisoformat(example)) == example


def object_type(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    found = schema.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found


def type_of(schema: GraphQLSchema, path: str) -> str:
    name, _, field = path.partition(".")
    return str(object_type(schema, name).fields[field].type)


def arguments_of(schema: GraphQLSchema, path: str) -> dict[str, str]:
    name, _, field = path.partition(".")
    return {n: str(a.type) for n, a in object_type(schema, name).fields[field].args.items()}


def list_of_edges(schema: GraphQLSchema) -> bool:
    edges = object_type(schema, "SegmentConnection").fields["edges"].type
    assert isinstance(edges, GraphQLNonNull)
    return isinstance(edges.of_type, GraphQLList) and type_of(
        schema, "SegmentConnection.edges"
    ) == ("[SegmentEdge!]!")


def segment_is_a_node(schema: GraphQLSchema) -> bool:
    interfaces = object_type(schema, "Segment").interfaces
    return [interface.name for interface in interfaces] == ["Node"]


def node_is_an_interface_of_one_id(schema: GraphQLSchema) -> bool:
    node = schema.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    return {name: str(field.type) for name, field in node.fields.items()} == {"id": "ID!"}


# (clause, sentence, check); Connections and Object Identification are the two Relay specifications.
CLAUSES: list[tuple[str, str, Callable[[GraphQLSchema], bool]]] = [
    (
        "Connections 2.1",
        "a connection MUST have `edges` and `pageInfo`",
        lambda s: {"edges", "pageInfo"} <= set(object_type(s, "SegmentConnection").fields),
    ),
    ("Connections 2.1.1", "`edges` MUST be a list of an edge type", list_of_edges),
    (
        "Connections 2.1.2",
        "`pageInfo` MUST be a non-null PageInfo",
        lambda s: type_of(s, "SegmentConnection.pageInfo") == "PageInfo!",
    ),
    (
        "Connections 3.1",
        "an edge MUST have `node` and `cursor`",
        lambda s: set(object_type(s, "SegmentEdge").fields) == {"node", "cursor"},
    ),
    (
        "Connections 3.1.2",
        "`cursor` MUST be a type that serializes as a String",
        lambda s: type_of(s, "SegmentEdge.cursor") == "String!",
    ),
    (
        "Connections 4.1",
        "forward paging MUST take `first: Int` and `after`",
        lambda s: (
            arguments_of(s, "Query.segments").items() >= {"first": "Int", "after": "String"}.items()
        ),
    ),
    (
        "Connections 4.2",
        "backward paging MUST take `last: Int` and `before`",
        lambda s: (
            arguments_of(s, "Query.segments").items() >= {"last": "Int", "before": "String"}.items()
        ),
    ),
    (
        "Connections 5.1",
        "PageInfo MUST have two non-null booleans and two cursors",
        lambda s: (
            {n: str(f.type) for n, f in object_type(s, "PageInfo").fields.items()}
            == {
                "hasNextPage": "Boolean!",
                "hasPreviousPage": "Boolean!",
                "startCursor": "String",
                "endCursor": "String",
            }
        ),
    ),
    (
        "Object Identification 2",
        "Node MUST be an interface of `id: ID!`",
        node_is_an_interface_of_one_id,
    ),
    (
        "Object Identification 3",
        "`node(id: ID!)` MUST return the Node interface",
        lambda s: (
            (type_of(s, "Query.node"), arguments_of(s, "Query.node")) == ("Node", {"id": "ID!"})
        ),
    ),
    ("Object Identification 3.2", "an identifiable type MUST implement Node", segment_is_a_node),
    (
        "Object Identification 4",
        "a plural field MUST take a non-null list and return a list of nullable items",
        lambda s: (
            (type_of(s, "Query.nodes"), arguments_of(s, "Query.nodes"))
            == ("[Node]!", {"ids": "[ID!]!"})
        ),
    ),
    (
        "Design 3",
        "`segmentsByEntityId` MUST be plural in the same way",
        lambda s: (
            (type_of(s, "Query.segmentsByEntityId"), arguments_of(s, "Query.segmentsByEntityId"))
            == ("[Segment]!", {"entityIds": "[ID!]!"})
        ),
    ),
]


@pytest.mark.parametrize(("clause", "sentence", "check"), CLAUSES, ids=[c[0] for c in CLAUSES])
def test_schema_follows(clause: str, sentence: str, check: Callable[[GraphQLSchema], bool]) -> None:
    assert check(build_schema(GRAPH.api_sdl)), f"{clause}: {sentence}"

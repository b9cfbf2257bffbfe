"""docs/requests.md: each query of the page costs the upstream requests that it names."""

import re
from pathlib import Path

import pytest
from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    parse,
    visit,
)
from in_process import in_process

from gateway.schema import build_graph

PAGE = (Path(__file__).parents[2] / "docs" / "requests.md").read_text(encoding="utf-8")
ROWS: list[tuple[str, str, str]] = re.findall(
    r"^\| `((?:query|\{).*\})` \| (.+) \| (\d+) \|$", PAGE, re.MULTILINE
)


@pytest.mark.parametrize(("query", "cold", "warm"), ROWS)
async def test_query_costs_the_requests_that_the_page_names(
    query: str, cold: str, warm: str
) -> None:
    gateway = in_process(1000)
    store = gateway.emulator.store
    variables = {
        "segments": [row.id for row in store.segments[:100]],
        "members": store.segments[0].id,
        "customers": [*range(1, 101)],
        "emails": [row.email for row in store.customers[:100]],
    }
    given = {name: value for name, value in variables.items() if f"${name}:" in query}
    first = await gateway.data(query, **given)
    requests = {name: int(number) for name, number in re.findall(r"`(\w+)` (\d+)", cold)}
    assert dict(gateway.emulator.requests) == requests
    assert await gateway.data(query, **given) == first
    assert gateway.upstream_requests == sum(requests.values()) + int(warm)


class Selected(Visitor):
    """The fields of the graph that documents select, as `Type.field`."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.fields: set[str] = set()
        self._types = types

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent = self._types.get_parent_type()
        assert parent is not None
        self.fields.add(f"{parent.name}.{node.name.value}")


def test_the_page_has_each_field_that_may_cost_a_request() -> None:
    schema = build_graph().api._schema
    types = TypeInfo(schema)
    selected = Selected(types)
    for query, _, _ in ROWS:
        visit(parse(query), TypeInfoVisitor(types, selected))
    resolved = {
        f"{type_name}.{name}"
        for type_name in ("Query", "Segment", "Customer", "ShopperProfile")
        for name, field in fields_of(schema, type_name).items()
        if not field.extensions["strawberry-definition"].is_basic_field
    }
    assert resolved <= selected.fields
    assert {"Query.node", "Customer.segments", "ShopperProfile.customer"} <= resolved


def fields_of(schema: GraphQLSchema, name: str) -> dict[str, GraphQLField]:
    found = schema.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    fields: dict[str, GraphQLField] = found.fields
    return fields

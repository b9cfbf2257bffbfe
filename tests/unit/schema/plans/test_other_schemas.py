"""What has no plan in any schema: fields, types and arguments that plans do not know."""

import gc
from types import FunctionType, ModuleType
from typing import Any

import pytest
import strawberry
from graphql import parse, validate
from strawberry import UNSET

from gateway.bigcommerce import models
from gateway.data_source import ALL_SEGMENTS
from gateway.identity import AccessScope
from gateway.schema.plans.fields import PLANNED, ConnectionField, LookupField
from gateway.schema.plans.plans import OperationPlans, PlanMemory


def _show(row: models.Segment) -> Any:
    return row


CONNECTION = {PLANNED: ConnectionField(ALL_SEGMENTS, _show)}
LOOKUP = {
    PLANNED: LookupField(
        ALL_SEGMENTS,
        lambda c: c.segment_lookups,
        {"key": str, "keys": str},
        250,
        _show,
        "Thing",
        AccessScope.SEGMENTS_READ,
    )
}


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Thing(Named):
    name: str

    @strawberry.field
    def resolved(self) -> str:
        return "r"

    @strawberry.field
    def argued(self, of: int) -> str:
        return str(of)


@strawberry.type
class Edge:
    cursor: str
    node: Thing
    weight: int = 0


@strawberry.type
class Info:
    has_next_page: bool
    pages: int = 0


@strawberry.type
class Things:
    edges: list[Edge]
    nodes: list[Named]
    page_info: Info
    total_count: int
    average: float


@strawberry.input
class Filter:
    name: str


class Resolvers:
    """Resolvers that no test runs."""

    @staticmethod
    def things(first: int | None = UNSET) -> Things | None:
        raise NotImplementedError

    @staticmethod
    def defaulted(first: int = 5) -> Things | None:
        raise NotImplementedError

    @staticmethod
    def filtered(by: Filter | None = UNSET, least: float | None = UNSET) -> Things | None:
        raise NotImplementedError

    @staticmethod
    def one(key: str | None = UNSET, keys: list[str] | None = UNSET) -> Thing | None:
        raise NotImplementedError

    @staticmethod
    def each(keys: list[str]) -> list[Thing]:
        raise NotImplementedError

    @staticmethod
    def plain() -> Thing | None:
        raise NotImplementedError


@strawberry.type
class Query:
    things = strawberry.field(Resolvers.things, metadata=CONNECTION)
    defaulted = strawberry.field(Resolvers.defaulted, metadata=CONNECTION)
    filtered = strawberry.field(Resolvers.filtered, metadata=CONNECTION)
    one = strawberry.field(Resolvers.one, metadata=LOOKUP)
    each = strawberry.field(Resolvers.each, metadata=LOOKUP)
    plain = strawberry.field(Resolvers.plain)


@strawberry.type
class Mutation:
    things = strawberry.field(Resolvers.things, metadata=CONNECTION)


SCHEMA = strawberry.Schema(Query, Mutation, types=[Thing])._schema


def has_plan(document: str, **variables: object) -> bool:
    parsed = parse(document)
    assert validate(SCHEMA, parsed) == []
    plans = OperationPlans(SCHEMA, parsed, None, PlanMemory())
    return plans.find(variables) is not None


@pytest.mark.parametrize(
    "document",
    [
        "{ things { totalCount edges { cursor node { name } } pageInfo { hasNextPage } } }",
        '{ one(key: "1") { name __typename } }',
        "query ($first: Int) { things(first: $first) { totalCount } }",
        "{ defaulted { totalCount } }",
        "query ($by: Filter) { filtered(by: $by) { totalCount } }",
    ],
)
def test_what_any_collection_has_a_plan_for(document: str) -> None:
    assert has_plan(document)


@pytest.mark.parametrize(
    "document",
    [
        "{ plain { name } }",
        '{ one(key: "1") { resolved } }',
        '{ one(key: "1") { argued(of: 1) } }',
        '{ each(keys: ["1"]) { name } }',
        "{ one { name } }",
        '{ one(key: "1", keys: ["2"]) { name } }',
        "{ things { average } }",
        "{ things { nodes { name } } }",
        "{ things { edges { weight } } }",
        "{ things { pageInfo { pages } } }",
        "query ($least: Float) { filtered(least: $least) { totalCount } }",
        "query ($name: String!) { filtered(by: {name: $name}) { totalCount } }",
        "mutation { things { totalCount } }",
        "{ __schema { queryType { name } } }",
    ],
    ids=[
        "field without a declaration",
        "field with a resolver",
        "field with an argument",
        "list of rows that may not be null",
        "lookup without an argument",
        "lookup with two arguments",
        "other field of a connection",
        "row that is an interface",
        "other field of an edge",
        "other field of pageInfo",
        "variable of another scalar",
        "variable inside of a literal",
        "mutation",
        "introspection",
    ],
)
def test_what_has_no_plan(document: str) -> None:
    assert not has_plan(document, name="x")


def test_plan_keeps_no_variables_of_the_request_that_it_was_compiled_for() -> None:
    """A short document may have variables of a megabyte."""
    document = (
        "query ($first: Int, $on: Boolean!) "
        "{ things(first: $first) { totalCount @skip(if: $on) edges { cursor } } }"
    )
    number = 10**6 + 7
    plan = OperationPlans(SCHEMA, parse(document), None, PlanMemory()).find(
        {"first": number, "on": False}
    )
    assert plan is not None
    assert not is_reachable(number, plan)


def is_reachable(value: object, root: object) -> bool:
    """Whether a value is held by an object, without what modules and types hold."""
    seen: set[int] = set()
    left = [root]
    while left:
        one = left.pop()
        if one is value:
            return True
        if id(one) in seen or isinstance(one, ModuleType | type):
            continue
        seen.add(id(one))
        if isinstance(one, FunctionType):
            left.extend(cell.cell_contents for cell in one.__closure__ or ())
        else:
            left.extend(gc.get_referents(one))
    return False

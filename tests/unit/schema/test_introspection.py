"""A graph without introspection: nothing of its schema is shown, and it answers as before."""

from enum import Enum

import pytest
import strawberry
from graphql import get_introspection_query
from in_process import Answer, in_process

from gateway.schema.introspection import WithoutSuggestions

SWITCHED_OFF = (
    "Introspection is switched off (GATEWAY_INTROSPECTION): take the schema from api.graphql or "
    "from `gateway schema --api`."
)


async def ask(query: str, *, introspection: str = "", upstream: str = "http://localhost") -> Answer:
    gateway = in_process(
        3, INTROSPECTION=introspection, UPSTREAM_URL=upstream, ALLOW_ANONYMOUS="read"
    )
    async with gateway.http as http:
        answer: Answer = (await http.post("/graphql", json={"query": query})).json()
        return answer


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Query") { name } }',
        "{ segments { totalCount } again: __schema { types { name } } }",
        "{ ...F } fragment F on Query { ... { __schema { types { name } } } }",
        "{ _service { sdl } __schema { types { name } } }",
        get_introspection_query(),
    ],
)
async def test_schema_is_not_shown_where_introspection_is_off(query: str) -> None:
    answer = await ask(query, introspection="false")
    (error,) = answer["errors"]
    assert error["message"] == SWITCHED_OFF
    assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert "data" not in answer


async def test_typename_and_the_subgraph_s_schema_stay() -> None:
    answer = await ask("{ __typename segments { __typename } }", introspection="false")
    assert answer["data"] == {
        "__typename": "Query",
        "segments": {"__typename": "SegmentConnection"},
    }
    subgraph = await ask("{ _service { sdl } }", introspection="false")
    assert "type Segment" in subgraph["data"]["_service"]["sdl"]


@pytest.mark.parametrize(
    ("url", "setting", "is_on"),
    [
        ("http://localhost", "", True),
        ("http://localhost", "false", False),
        ("https://api.bigcommerce.com", "", False),
        ("https://api.bigcommerce.com", "true", True),
    ],
)
async def test_introspection_is_off_for_a_real_store_unless_asked_for(
    url: str, setting: str, is_on: bool
) -> None:
    answer = await ask("{ __schema { __typename } }", upstream=url, introspection=setting)
    assert ("data" in answer) is is_on


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ segmentz { totalCount } }", "Cannot query field 'segmentz' on type 'Query'."),
        (
            "{ segments(frist: 1) { totalCount } }",
            "Unknown argument 'frist' on field 'Query.segments'.",
        ),
        ('{ node(id: "1") { ... on Segmemt { name } } }', "Unknown type 'Segmemt'."),
        (
            '{ node(id: "1") { name } }',
            "Cannot query field 'name' on type 'Node'.",
        ),
    ],
)
async def test_errors_suggest_names_only_with_introspection(query: str, message: str) -> None:
    (shown,) = (await ask(query))["errors"]
    (hidden,) = (await ask(query, introspection="false"))["errors"]
    assert shown["message"].startswith(f"{message} Did you mean ")
    assert hidden["message"] == message


@strawberry.enum
class Size(Enum):
    LARGE = "large"


@strawberry.type
class Query:
    @strawberry.field
    def size(self, size: Size) -> str:
        return size.value


async def test_errors_of_variables_suggest_no_names() -> None:
    schema = strawberry.Schema(Query, execution_context_class=WithoutSuggestions)
    query = "query ($size: Size!) { size(size: $size) }"
    answer = await schema.execute(query, {"size": "LARGF"})
    assert answer.errors is not None
    assert "Value 'LARGF' does not exist in 'Size' enum." in answer.errors[0].message
    assert "LARGE" not in answer.errors[0].message
    assert (await schema.execute(query, {"size": "LARGE"})).data == {"size": "large"}
    with_suggestions = await strawberry.Schema(Query).execute(query, {"size": "LARGF"})
    assert with_suggestions.errors is not None
    assert "Did you mean the enum value 'LARGE'?" in with_suggestions.errors[0].message

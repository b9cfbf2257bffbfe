import enum
import logging
from collections.abc import Iterator
from datetime import datetime

import httpx
import pytest
import strawberry
from bare_endpoint import bare_endpoint
from documents_in_memory import always
from graphql import GraphQLError

from gateway.errors import RateLimited, UpstreamTimeout
from gateway.schema import Graph, Limits, Overloaded, build_graph
from gateway.schema.documents import KnownDocuments, document_extensions
from gateway.web.request_id import RequestIds
from gateway.web.unexpected_errors import UnexpectedErrors

MASKED = "Something went wrong in the gateway. Report it with request id r-1."


@strawberry.enum
class Colour(enum.Enum):
    RED = "red"


@strawberry.input
class Wish:
    number: int
    day: datetime | None = None


@strawberry.type
class Query:
    @strawberry.field
    def take(self, number: int = 1, wish: Wish | None = None, colour: Colour = Colour.RED) -> str:
        return f"{number}"

    @strawberry.field
    def timeout(self) -> str | None:
        raise UpstreamTimeout

    @strawberry.field
    def limited(self) -> str:
        raise RateLimited(2.5)

    @strawberry.field
    def crash(self) -> str | None:
        raise KeyError("secret-token")

    @strawberry.field
    def crashes(self) -> list[str | None]:
        return [KeyError("one"), KeyError("two")]  # type: ignore[list-item] # raised, at its index

    @strawberry.field
    def library(self) -> str:
        raise GraphQLError("A sentence of a library", extensions={"code": "ITS_OWN"})

    @strawberry.field
    def missing(self) -> str:
        return None  # type: ignore[return-value] # the mistake that is tested

    @strawberry.field
    def unfit(self) -> int:
        return "five"  # type: ignore[return-value] # the mistake that is tested

    @strawberry.field
    def endless(self) -> str:
        raise RecursionError("maximum recursion depth exceeded")


class BusyExtension(strawberry.extensions.SchemaExtension):
    def on_operation(self) -> Iterator[None]:
        raise Overloaded("Later.")


class CrashingExtension(strawberry.extensions.SchemaExtension):
    def on_operation(self) -> Iterator[None]:
        raise KeyError("secret-token")


SCHEMA = strawberry.Schema(Query, extensions=document_extensions(KnownDocuments(Limits())))


def client(schema: strawberry.Schema = SCHEMA, graph: Graph | None = None) -> httpx.AsyncClient:
    endpoint = bare_endpoint(graph.schema_for if graph else always(schema))
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(RequestIds(UnexpectedErrors(endpoint))),
        base_url="http://localhost",
        headers={"X-Request-Id": "r-1", "Accept": "application/graphql-response+json"},
    )


async def ask(document: str, **variables: object) -> httpx.Response:
    async with client() as http:
        return await http.post("/graphql", json={"query": document, "variables": variables})


NOT_NULL = "Expected value of non-null type 'Int!' not to be null."


@pytest.mark.parametrize(
    ("document", "variables", "message"),
    [
        (
            "query($n: Int!) { take(number: $n) }",
            {"n": True},
            "Variable '$n' has invalid value: Int cannot represent non-integer value: true",
        ),
        (
            "query($n: Int!) { take(number: $n) }",
            {"n": "None"},
            "Variable '$n' has invalid value: Int cannot represent non-integer value: 'None'",
        ),
        (
            "query($n: Int!) { take(number: $n) }",
            {"n": None},
            f"Variable '$n' has invalid value: {NOT_NULL}",
        ),
        (
            "query($n: Int!) { take(number: $n) }",
            {},
            "Variable '$n' has invalid value: "
            "Expected a value of non-null type 'Int!' to be provided.",
        ),
        (
            "query($w: Wish!) { take(wish: $w) }",
            {"w": {"number": None}},
            f"Variable '$w' has invalid value at .number: {NOT_NULL}",
        ),
        (
            "query($c: Colour!) { take(colour: $c) }",
            {"c": "BLUE"},
            "Variable '$c' has invalid value: Value 'BLUE' does not exist in 'Colour' enum.",
        ),
        (
            "query($b: Boolean = true) { take @include(if: $b) }",
            {"b": None},
            "Argument 'if' has invalid value: "
            "Expected variable '$b' provided to non-null type 'Boolean!' not to be null.",
        ),
    ],
)
async def test_variable_of_a_wrong_type_is_the_clients_fault(
    document: str, variables: dict[str, object], message: str
) -> None:
    answer = await ask(document, **variables)
    (error,) = answer.json()["errors"]
    assert answer.status_code == 400
    assert "data" not in answer.json()
    assert (error["message"], error["extensions"]) == (message, {"code": "BAD_USER_INPUT"})


async def test_argument_that_is_null_by_its_variable_is_the_clients_fault() -> None:
    answer = await ask("query($n: Int = 5) { take(number: $n) }", n=None)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, answer.json()["data"]) == (200, None)
    assert (error["path"], error["extensions"]) == (["take"], {"code": "BAD_USER_INPUT"})
    assert error["message"] == (
        "Argument 'number' has invalid value: "
        "Expected variable '$n' provided to non-null type 'Int!' not to be null."
    )


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{ take", "GRAPHQL_PARSE_FAILED"),
        ("{ take(number: " + "[" * 5000 + ") }", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ('{ take(number: "x") }', "GRAPHQL_VALIDATION_FAILED"),
        ('{ take(wish: {number: 1, day: "x"}) }', "GRAPHQL_VALIDATION_FAILED"),
        ("mutation { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { take } query B { take }", "BAD_REQUEST"),
        ("fragment F on Query { take }", "BAD_REQUEST"),
        ("subscription { take }", "BAD_REQUEST"),
    ],
)
async def test_document_that_cannot_be_executed_is_refused(document: str, code: str) -> None:
    answer = await ask(document)
    assert answer.status_code == 400
    assert list(answer.json()) == ["errors"]
    assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {code}


@pytest.mark.parametrize("document", ["{ _service", "{ _service { " + "sdl " * 2000 + "} }"])
async def test_document_that_no_schema_can_be_chosen_for_is_refused(document: str) -> None:
    async with client(graph=build_graph()) as http:
        answer = await http.post("/graphql", json={"query": document})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}


async def test_unknown_operation_name_is_refused() -> None:
    async with client() as http:
        answer = await http.post("/graphql", json={"query": "query A{take}", "operationName": "B"})
    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {
            "message": "The document has no operation with the name in `operationName`.",
            "extensions": {"code": "BAD_REQUEST"},
        }
    ]


async def test_gateways_own_error_leaves_the_rest_of_the_data() -> None:
    answer = await ask("{ take timeout }")
    assert answer.status_code == 200
    assert answer.json() == {
        "errors": [
            {
                "message": "The store's API did not answer in time.",
                "locations": [{"line": 1, "column": 8}],
                "path": ["timeout"],
                "extensions": {"code": "UPSTREAM_TIMEOUT"},
            }
        ],
        "data": {"take": "1", "timeout": None},
    }


async def test_gateways_own_error_keeps_all_its_extensions() -> None:
    answer = await ask("{ limited }")
    (error,) = answer.json()["errors"]
    assert answer.json()["data"] is None
    assert error["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 3}


@pytest.mark.parametrize("field", ["crash", "library", "missing", "unfit", "endless"])
async def test_unexpected_error_is_masked_and_logged(
    field: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await ask("{ take " + field + " }")
    (error,) = answer.json()["errors"]
    assert (error["message"], error["path"]) == (MASKED, [field])
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR"}
    (record,) = [r for r in caplog.records if r.name == "gateway.web.graphql_errors"]
    assert record.getMessage() == f"request r-1 failed at {field} (errors: 1)"
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None


async def test_log_has_one_stack_for_all_unexpected_errors_of_an_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = await ask("{ crashes }")
    assert [error["path"] for error in answer.json()["errors"]] == [["crashes", 0], ["crashes", 1]]
    (record,) = [r for r in caplog.records if r.name == "gateway.web.graphql_errors"]
    assert record.getMessage() == "request r-1 failed at crashes.0 (errors: 2)"


@pytest.mark.parametrize(
    ("media_type", "status"),
    [("application/json", 200), ("application/graphql-response+json", 500)],
)
async def test_crash_before_the_execution_is_the_servers_fault(
    media_type: str, status: int
) -> None:
    schema = strawberry.Schema(Query, extensions=[CrashingExtension])
    async with client(schema) as http:
        answer = await http.post(
            "/graphql", json={"query": "{ take }"}, headers={"Accept": media_type}
        )
    assert answer.status_code == status
    assert answer.json() == {
        "errors": [{"message": MASKED, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]
    }


async def test_request_that_waits_too_long_for_others_is_told_to_come_later() -> None:
    async with client(strawberry.Schema(Query, extensions=[BusyExtension])) as http:
        answer = await http.post("/graphql", json={"query": "{ __typename }"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    (error,) = answer.json()["errors"]
    assert error == {"message": "Later.", "extensions": {"code": "OVERLOADED"}}

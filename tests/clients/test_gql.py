"""gql, a Python client, against a running gateway."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from gql import Client, GraphQLRequest, gql
from gql.transport.exceptions import TransportQueryError, TransportServerError
from gql.transport.httpx import HTTPXAsyncTransport, HTTPXTransport
from graphql import parse, print_ast
from processes import emulator_on_a_port, gateway_over

TOTAL = "{ segments { totalCount } }"
ANSWER = {"segments": {"totalCount": 3}}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with emulator_on_a_port(3) as (upstream, _), gateway_over(upstream) as gateway:
        yield f"{gateway}/graphql"


def test_schema_is_fetched_and_checks_queries_before_they_are_sent(url: str) -> None:
    with Client(transport=HTTPXTransport(url), fetch_schema_from_transport=True) as session:
        assert session.execute(gql(TOTAL)) == ANSWER
        assert session.client.schema is not None
        assert sorted(session.client.schema.type_map["Segment"].fields) == [
            "createdAt",
            "description",
            "entityId",
            "id",
            "name",
            "shopperProfiles",
            "updatedAt",
        ]


def test_error_has_its_code(url: str) -> None:
    with (
        Client(transport=HTTPXTransport(url)) as session,
        pytest.raises(TransportQueryError) as caught,
    ):
        session.execute(gql('{ segment(id: "x") { name } }'))
    assert caught.value.errors is not None
    assert [error["extensions"] for error in caught.value.errors] == [{"code": "BAD_USER_INPUT"}]
    assert caught.value.data == {"segment": None}


def test_trusted_document_is_known_by_its_text(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    # gql sends no hashes, and prints the document that it sends.
    file.write_text(json.dumps({"total": print_ast(parse(TOTAL))}), encoding="utf-8")
    trusted = {"TRUSTED_DOCUMENTS_FILE": str(file), "TRUSTED_DOCUMENTS_ONLY": "true"}
    with (
        emulator_on_a_port(3) as (upstream, _),
        gateway_over(upstream, **trusted) as gateway,
        Client(transport=HTTPXTransport(f"{gateway}/graphql")) as session,
    ):
        assert session.execute(gql(TOTAL)) == ANSWER
        with pytest.raises(TransportQueryError, match="Only trusted documents are executed"):
            session.execute(gql("{ __typename }"))


def test_batches_are_refused_with_400(url: str) -> None:
    with (
        Client(transport=HTTPXTransport(url)) as session,
        pytest.raises(TransportServerError, match="400 Bad Request"),
    ):
        session.execute_batch([GraphQLRequest(TOTAL), GraphQLRequest(TOTAL)])
    with (
        Client(transport=HTTPXTransport(url), batch_interval=0.01) as session,
        pytest.raises(TransportServerError, match="400 Bad Request"),
    ):
        session.execute(gql(TOTAL))


async def test_requests_side_by_side_are_answered(url: str) -> None:
    async with Client(transport=HTTPXAsyncTransport(url)) as session:
        answers = await asyncio.gather(*(session.execute(gql(TOTAL)) for _ in range(5)))
    assert answers == [ANSWER] * 5
